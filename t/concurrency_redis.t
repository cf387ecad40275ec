#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Limits of requests in progress that several hosts share in Redis.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Hold;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(sleep time);

my $hold = GW::Hold->new;
my $redis = GW::Redis->new;
my $server = $redis->server;

my @hosts = map { host($_) } 1 .. 3;
my $nginx = $hosts[0];

counts();
life();
heals();
killed();
crashes();
away();

for my $host (grep { $_->{pid} } @hosts) {
    my @bad = grep { !/exited on signal 9/ }
              $host->log =~ /^(.*\[(?:alert|crit|emerg)\].*)$/mg;
    is(scalar(@bad), 0, 'clean log') or diag(@bad);
}

done_testing();


sub host {
    my ($n) = @_;

    return GW::Nginx->new(workers => 2, http => <<"END");
    gw_node_id host$n;
    gw_redis main {
        server $server;
        timeout 200ms;
        fail_timeout 200ms;
        stall_timeout 500ms;
    }
    gw_concurrency_zone \$arg_k zone=c:1m redis=main;
    gw_concurrency_zone \$arg_k zone=quick:1m redis=main heartbeat=300ms;
    gw_concurrency_zone \$arg_j zone=j:1m redis=main;
    gw_concurrency_zone \$arg_k zone=local:1m;

    server {
        listen 127.0.0.1:%%PORT%%;
        proxy_read_timeout 60s;
        add_header X-C "\$gw_concurrency_status \$gw_concurrency_current" always;
        set \$up http://127.0.0.1:$hold->{port};

        location /c { gw_concurrency zone=c limit=3; proxy_pass \$up; }
        location /pre { gw_concurrency zone=c limit=3 phase=preaccess;
            proxy_pass \$up; }
        location /fifty { gw_concurrency zone=c limit=50; proxy_pass \$up; }
        location /quick { gw_concurrency zone=quick limit=3; proxy_pass \$up; }
        location /two {
            gw_concurrency zone=c limit=3;
            gw_concurrency zone=j limit=1;
            gw_concurrency zone=local limit=2;
            proxy_pass \$up;
        }
        location /shadow { gw_concurrency zone=c limit=1 shadow;
            proxy_pass \$up; }
        location /pass { gw_limit_on_error pass;
            gw_concurrency zone=c limit=3; proxy_pass \$up; }
        location /reject { gw_limit_on_error reject=599;
            gw_concurrency zone=c limit=3; proxy_pass \$up; }
        location /ping { gw_concurrency zone=c limit=unlimited; empty_gif; }
        location = /m { gw_metrics prometheus; }
    }
END
}


# requests of a key that Redis knows of, by worker

sub fields {
    my ($key, $zone) = @_;

    $zone ||= 'c';
    my $all = $redis->command('HGETALL', "gw:1:c:$zone:{$key}");

    return { ref $all ? @$all : () };
}


sub stored {
    my $fields = fields(@_);
    my $sum = 0;

    $sum += (split(/:/, $_))[0] for values %$fields;

    return $sum;
}


sub goes_to {
    my ($n, $key, $zone) = @_;

    return $nginx->until(5, sub { stored($key, $zone) == $n });
}


sub counts {
    my @held = map { $hold->begin($hosts[$_], '/c?k=a') } 0 .. 2;

    is(scalar(grep { $_->{held} } @held), 3, 'three, one at each host');

    for my $host (@hosts) {
        my $reply = $hold->begin($host, '/c?k=a')->{reply};
        is($reply->{status}, 429, 'the fourth is rejected');
        is($reply->{header}{'x-c'}, 'REJECTED 3', 'everywhere');
        is($reply->{header}{ratelimit}, '"c";r=0', 'and told');
    }

    my $fields = fields('a');
    is(join(' ', sort map { m{^(host\d)/\d+$} ? $1 : $_ } keys %$fields),
       'host1 host2 host3', 'a field for each worker');
    my ($now) = $redis->command('TIME')->[0];
    is(scalar(grep { my ($n, $e) = split(/:/); $n == 1
                     && abs($e / 1e6 - $now - 2) < 2.1 } values %$fields), 3,
       'with its count and expiry');
    my $ttl = $redis->command('PTTL', 'gw:1:c:c:{a}');
    ok($ttl > 8000 && $ttl <= 10000, 'the key lives for five heartbeats');

    my $reply = $hold->answer(shift @held);
    is($reply->{header}{'x-c'}, 'PASSED 1', 'the first was alone');
    ok(goes_to(2, 'a'), 'its end is told');

    push(@held, $hold->begin($hosts[1], '/pre?k=a'));
    ok($held[-1]{held}, 'there is room for one, before the access phase, too');
    is($hold->begin($hosts[2], '/pre?k=a')->{reply}{status}, 429, 'not more');

    $hold->abort($_) for @held;
    ok(goes_to(0, 'a'), 'all are gone');
    is($redis->command('EXISTS', 'gw:1:c:c:{a}'), 0, 'so is the key');

    # several limits: all or none

    @held = map { $hold->begin($hosts[$_], '/two?k=b&j=' . $_) } 0, 1;
    is($hold->begin($hosts[2], '/two?k=b&j=0')->{reply}{header}{'x-c'},
       'REJECTED 1', 'one of several limits rejects');
    ok(goes_to(2, 'b') && goes_to(1, '0', 'j'), 'the others hold nothing');
    my $third = $hold->begin($hosts[0], '/two?k=b&j=2');
    my $fourth = $hold->begin($hosts[0], '/two?k=b&j=3');
    ok($third->{held} && !$fourth->{held}, 'one in shared memory, too');
    $hold->abort($_) for @held, $third;
    ok(goes_to(0, 'b') && goes_to(0, '0', 'j'), 'all are gone');

    @held = map { $hold->begin($hosts[$_], '/shadow?k=s') } 0 .. 2;
    is(scalar(grep { $_->{held} } @held), 3, 'shadow rejects nothing');
    is($hold->answer($held[2])->{header}{'x-c'}, 'REJECTED_DRY_RUN 1',
       'and tells');
    $hold->abort($_) for @held[0, 1];

    is($hold->begin($nginx, '/ping?k=u')->{reply}{header}{'x-c'}, 'PASSED 1',
       'unlimited is counted');
    my $odd = "a}{%0d%0a*3\xff";
    my $held = $hold->begin($nginx, "/c?k=$odd");
    ok($held->{held}, 'K1 any bytes');
    is(scalar(@{$redis->command('KEYS', 'gw:1:c:c:{#*}')}), 1, 'K1 are hashed');
    $hold->abort($held);
}


# longer than a field lives

sub life {
    my @held = map { $hold->begin($hosts[$_], '/quick?k=l') } 0 .. 2;

    sleep(1.2);
    is(stored('l', 'quick'), 3, 'fields are renewed');
    is($hold->begin($hosts[0], '/quick?k=l')->{reply}{status}, 429,
       'and hold');

    # a reload: old workers renew

    $hosts[1]->reload;
    sleep(1);
    is(stored('l', 'quick'), 3, 'by old workers, too');
    $hold->abort($_) for @held;
    ok(goes_to(0, 'l', 'quick'), 'until their end');
    ok($hosts[1]->until(5, sub { $hosts[1]->workers == 2 }),
       'and old workers exit');
}


sub heals {
    my @held = map { $hold->begin($hosts[$_], '/quick?k=h') } 0 .. 2;

    $redis->command('FLUSHALL');
    $redis->command('SCRIPT', 'FLUSH');
    ok(goes_to(3, 'h', 'quick'), 'R30 what is lost is told again');
    is($hold->begin($hosts[0], '/quick?k=h')->{reply}{status}, 429,
       'R30 and holds');

    $redis->command('SCRIPT', 'FLUSH');
    is($hold->begin($hosts[1], '/quick?k=h')->{reply}{status}, 429,
       'R12 without the script, too');

    # a field that says too much, as after a lost call

    my ($me) = grep { /^host1/ } keys %{fields('h', 'quick')};
    $redis->command('HSET', 'gw:1:c:quick:{h}', $me, '9:9999999999999999');
    ok(goes_to(3, 'h', 'quick'), 'what is too much is put right');
    $hold->abort($_) for @held;

    $redis->command('CLIENT', 'KILL', 'TYPE', 'normal');
    ok(goes_to(0, 'h', 'quick'), 'R19 over cut connections');

    # clients that leave while Redis is asked

    $hosts[0]->until(3, sub {
        $hosts[0]->get('/ping?k=x')->{header}{'x-c'} =~ /PASSED/
    });
    $redis->pause;
    my @clients = map { GW::Client->new($hosts[0]{port}) } 1 .. 10;
    $_->send("GET /quick?k=n8 HTTP/1.1\r\nHost: x\r\n\r\n") for @clients;
    sleep(0.05);
    $_->reset for @clients;
    sleep(0.05);
    $redis->resume;
    ok(goes_to(0, 'n8', 'quick'), 'N8 aborted requests hold nothing');
    ok($hosts[0]->until(3, sub {
        my $held = $hold->begin($hosts[0], '/quick?k=n8');
        $hold->abort($held) if $held->{held};
        return $held->{held};
    }), 'N8 there is room');
}


# N5: a worker, with the others of its host alive

sub killed {
    my @held = map { $hold->begin($hosts[0], '/quick?k=k') } 1 .. 3;

    kill('KILL', $hosts[0]->workers);
    my $start = time();

    my $free;
    ok($hosts[1]->until(2, sub {
        $free = $hold->begin($hosts[1], '/quick?k=k');
        return $free->{held};
    }), 'N5 slots of killed workers are free within 2 s');
    cmp_ok(time() - $start, '<', 0.8, 'N5 here after a heartbeat of 0.3 s');

    $hold->abort($free);
    close($_->{sock}) for @held;
    $hosts[0]->until(3, sub { $hosts[0]->workers == 2 });
    ok(goes_to(0, 'k', 'quick'), 'N5 nothing is left');
}


# A12

sub crashes {
    my (@held, $rejected, $most);
    my $seed = 17;

    $rejected = $most = 0;

    for my $step (1 .. 400) {
        $seed = ($seed * 1103515245 + 12345) % 2147483648;

        if (@held && ($seed >> 16) % 100 < 30) {
            my $request = splice(@held, ($seed >> 8) % @held, 1);

            if ($seed >> 24 & 1) {
                $hold->answer($request);
            } else {
                $hold->abort($request);
            }

            next;
        }

        my $host = $hosts[($seed >> 12) % 3];
        my $request = $hold->begin($host, '/fifty?k=fifty');

        if ($request->{held}) {
            push(@held, $request);
            $most = @held if @held > $most;

        } else {
            $rejected++;
        }
    }

    cmp_ok($most, '<=', 50, "A12 never more than 50 in progress: $most");
    cmp_ok($most, '>=', 49, 'A12 and not fewer than there is room for');
    cmp_ok($rejected, '>', 5, "A12 $rejected rejected");

    # to the full, then a host dies

    while (@held < 50) {
        my $request = $hold->begin($hosts[@held % 3], '/fifty?k=fifty');
        push(@held, $request) if $request->{held};
    }

    my @dead = grep { $_->{nginx} == $hosts[2] } @held;
    @held = grep { $_->{nginx} != $hosts[2] } @held;

    my @pids = $hosts[2]->workers;
    kill('KILL', delete $hosts[2]{pid}, @pids);
    my $start = time();
    close($_->{sock}) for @dead;

    my $early = $hold->begin($hosts[0], '/fifty?k=fifty');
    push(@held, $early) if $early->{held};

    while (@held < 50 && time() - $start < 5) {
        my $request = $hold->begin($hosts[@held % 2], '/fifty?k=fifty');
        $request->{held} ? push(@held, $request) : sleep(0.02);
    }

    is(scalar(@held), 50, 'A12 the slots of a dead host are free again');
    cmp_ok(time() - $start, '<', 3, sprintf('A12 all %d after %.1f s',
                                            scalar(@dead), time() - $start));
    is($hold->begin($hosts[0], '/fifty?k=fifty')->{reply}{status}, 429,
       'A12 not more');

    $hold->abort($_) for @held;
    ok(goes_to(0, 'fifty'), 'A12 in the end nothing is in progress');
}


# without Redis

sub away {
    my @held = map { $hold->begin($hosts[$_], '/c?k=w') } 0, 1;

    $redis->kill;
    sleep(0.1);
    $hold->begin($hosts[0], '/ping?k=x') for 1 .. 5;

    push(@held, map { $hold->begin($hosts[0], '/c?k=w') } 1, 2);
    ok($held[-1]{held}, 'local: the host counts alone');
    my $reply = $hold->begin($hosts[0], '/c?k=w')->{reply};
    is($reply->{header}{'x-c'}, 'REJECTED 3', 'up to the limit');
    push(@held, $hold->begin($hosts[1], '/pass?k=w'));
    ok($held[-1]{held}, 'pass');
    $reply = $hold->begin($hosts[1], '/reject?k=w')->{reply};
    is($reply->{status}, 599, 'reject');
    is($reply->{header}{'retry-after'}, 1, 'for a second');
    like($nginx->get('/m')->{body},
         qr/^gw_concurrency_requests_total\{policy="c",result="fallback_passed"\} [1-9]/m,
         'it is counted');

    $redis->start;
    ok(goes_to(5, 'w'), 'R3 what is in progress is told when Redis is back');
    ok($hosts[1]->until(3, sub {
        my $request = $hold->begin($hosts[1], '/c?k=w');
        $hold->abort($request) if $request->{held};
        return !$request->{held};
    }), 'R3 and counts everywhere');

    $hold->abort($_) for @held;
    ok(goes_to(0, 'w'), 'R3 until its end');
}
