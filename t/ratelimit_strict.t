#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Limits in Redis, mode=strict: one call decides all limits of a request, also
# together with limits in shared memory; what happens without Redis.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(sleep time);

my $redis = GW::Redis->new;
my $server = $redis->server;

my $http = <<"END";
    # each decision is one of Redis
    gw_limit_deny_cache 0;

    gw_redis main {
        server $server;
        timeout 100ms;
        fail_timeout 200ms;
        stall_timeout 500ms;
    }

    gw_limit_zone \$arg_k zone=r1:1m rate=1r/m burst=9 redis=main;
    gw_limit_zone \$arg_k zone=r2:1m rate=1r/m burst=4 redis=main mode=strict;
    gw_limit_zone \$arg_k zone=r3:1m rate=1r/m redis=main;
    gw_limit_zone \$arg_k zone=r4:1m rate=1r/m burst=9 redis=main;
    gw_limit_zone \$arg_k zone=fast:1m rate=10r/s burst=5 redis=main;
    gw_limit_zone \$arg_k zone=shm:1m rate=1r/m burst=9;
    gw_limit_zone \$arg_k zone=shm1:1m rate=1r/m;
    gw_limit_zone \$arg_k zone=load:1m rate=1r/m burst=100000 redis=main;
    gw_limit_zone \$http_x_key zone=keys:1m rate=1r/m redis=main;

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Limit "\$gw_limit_status \$gw_limit_source \$gw_limit_zone \$gw_limit_remaining" always;
        add_header X-Redis \$gw_redis_state_main\$gw_redis_state_other always;
        add_header X-Time \$gw_limit_time always;

        location /r1 { gw_limit zone=r1 nodelay; empty_gif; }
        location /r2 { gw_limit zone=r2 nodelay; empty_gif; }
        location /pre { gw_limit zone=r1 nodelay phase=preaccess; empty_gif; }
        location /both {
            gw_limit zone=r1 nodelay phase=preaccess;
            gw_limit zone=r2 nodelay;
            empty_gif;
        }
        location /three {
            gw_limit zone=r1 nodelay;
            gw_limit zone=r2 nodelay;
            gw_limit zone=r3 nodelay;
            empty_gif;
        }
        location /four {
            gw_limit zone=r1 nodelay;
            gw_limit zone=r2 nodelay;
            gw_limit zone=r4 nodelay;
            gw_limit zone=fast nodelay;
            empty_gif;
        }
        location /mixed {
            gw_limit zone=r3 nodelay;
            gw_limit zone=shm nodelay;
            empty_gif;
        }
        location /shm { gw_limit zone=shm nodelay; empty_gif; }
        location /shmfirst {
            gw_limit zone=r1 nodelay;
            gw_limit zone=shm1 nodelay;
            empty_gif;
        }
        location /cost { gw_limit zone=r1 cost=\$arg_c nodelay; empty_gif; }
        location /delay { gw_limit zone=fast; empty_gif; }
        location /dry {
            gw_limit zone=r3;
            gw_limit_dry_run on;
            empty_gif;
        }
        location /load { gw_limit zone=load nodelay; empty_gif; }
        location /keys { gw_limit zone=keys; empty_gif; }

        location /pass {
            gw_limit zone=r3;
            gw_limit_on_error pass;
            empty_gif;
        }
        location /reject {
            gw_limit zone=shm nodelay;
            gw_limit zone=r3;
            gw_limit_on_error reject;
            empty_gif;
        }
        location /reject500 {
            gw_limit zone=r3;
            gw_limit_on_error reject=500;
            gw_limit_body off;
            empty_gif;
        }
        location /rejectdry {
            gw_limit zone=r3;
            gw_limit_on_error reject;
            gw_limit_dry_run on;
            empty_gif;
        }
        location = /m { gw_metrics prometheus; }
    }
END

my $nginx = GW::Nginx->new(workers => 1, http => $http);

ok($nginx->until(3, sub { up($nginx) }), 'Redis is up');

decisions();
atomic();
redis_keys();
mixed();
instances();
reloads();
parked();
late();
without();
again();
metrics();

unlike($nginx->log, qr/\[(alert|crit|emerg)\]/, 'nothing bad is logged');

done_testing();


sub up {
    return $_[0]->get('/m')->{header}{'x-redis'} eq 'up';
}


sub limit {
    my $value = $_[0]->{header}{'x-limit'};

    # of variables that are not set
    $value =~ s/ +$//;

    return $value;
}


sub statuses {
    return join(' ', map { $nginx->get($_)->{status} } @_);
}


sub calls {
    my ($info) = $redis->command('INFO', 'commandstats');
    my $n = 0;

    $n += $1 while $info =~ /^cmdstat_eval(?:sha)?:calls=(\d+)/mg;

    return $n;
}


sub decisions {
    my $r = $nginx->get('/r1?k=d1');

    is($r->{status}, 200, 'passes');
    is(limit($r), 'PASSED redis r1 9', 'decided by Redis');
    is($r->{header}{ratelimit}, '"r1";r=9;t=60', 'RateLimit');
    is($r->{header}{'ratelimit-policy'}, '"r1";q=1;w=60;gw-burst=9',
       'RateLimit-Policy');
    like($r->{header}{'x-time'}, qr/^0\.0\d\d$/, 'time of the decision');

    is(statuses(map { '/r1?k=d1' } 1 .. 10), '200 ' x 9 . '429', 'burst');

    $r = $nginx->get('/r1?k=d1');
    is(limit($r), 'REJECTED redis r1 0', 'rejected by Redis');
    is($r->{header}{'retry-after'}, 60, 'Retry-After');
    like($r->{body}, qr/"violated-policies":\["r1"\]/, 'problem document');

    is(statuses('/pre?k=d1'), '429', 'before the access phase, too');
    is(limit($nginx->get('/both?k=d2')), 'PASSED redis r2 4',
       'two phases, the nearer limit is shown');
    is(limit($nginx->get('/both?k=d1')), 'REJECTED redis r1 0',
       'the first phase rejects');

    is(limit($nginx->get('/cost?k=d3&c=10')), 'PASSED redis r1 0', 'cost');
    is(limit($nginx->get('/cost?k=d3&c=0')), 'REJECTED redis r1 0',
       'cost 0 looks');

    $r = $nginx->get('/cost?k=d4&c=11');
    is(limit($r), 'REJECTED redis r1 10', 'cost that never fits');
    ok(!exists $r->{header}{'retry-after'}, 'has no Retry-After');

    my @start = map { $nginx->begin('/delay?k=d5') } 1 .. 7;
    my @r = map { $nginx->finish($_) } @start;
    is(join(' ', map { $_->{status} } @r), '200 ' x 6 . '429', 'delays');
    cmp_ok($r[5]{time}, '>', 0.4, 'for their time');

    @r = map { $nginx->get('/dry?k=d6') } 1 .. 3;
    is(join(' ', map { "$_->{status} " . limit($_) } @r[0, 2]),
       '200 PASSED redis r3 0 200 REJECTED_DRY_RUN redis r3 0', 'dry run');

    my $client = GW::Client->new($nginx->{port});
    is(join(' ', map { $client->get('/r2?k=d7')->{status} } 1 .. 6),
       '200 200 200 200 200 429', 'on one connection');

    # two requests in one packet: the second waits for the first

    $client->send("GET /r2?k=d8 HTTP/1.1\r\nHost: x\r\n\r\n" x 3);
    is(join(' ', map { $client->read->{status} } 1 .. 3), '200 200 200',
       'pipelined requests');
}


sub atomic {
    my $before = calls();
    is($nginx->get('/four?k=a1')->{status}, 200, 'four limits');
    is(calls() - $before, 1, 'in one call');

    is(statuses('/three?k=a2'), 200, 'three limits');

    my @keys = map { "gw:1:l:$_:{a2}" } qw(r1 r2 r3);
    my @was = map { $redis->command('GET', $_) } @keys;

    is(statuses('/three?k=a2', '/three?k=a2'), '429 429', 'the third rejects');
    is_deeply([map { $redis->command('GET', $_) } @keys], \@was,
              'A11 nothing in Redis has changed');
    is(limit($nginx->get('/three?k=a2')), 'REJECTED redis r3 0',
       'it is the third that is told');
}


sub redis_keys {
    my $n = 0;

    my $send = sub {
        my $c = GW::Client->new($nginx->{port});
        $c->send("GET /keys HTTP/1.1\r\nHost: x\r\nX-Key: $_[0]\r\n\r\n");
        return $c->read->{status};
    };

    my @odd = ('}{', "\xff", 'a b', "*3\\r\\n", 'x}', 'k' x 65, '%00',
               'a;b', 'a/b', '#0123', "\xe2\x82\xac");

    for my $key (@odd) {
        $redis->command('FLUSHALL');
        is($send->($key), 200, "K1 odd key " . ++$n);
        is($send->($key), 429, "K1 is limited");

        my $keys = $redis->command('KEYS', 'gw:1:l:*');
        is(scalar(@$keys), 1, 'K1 is one key of Redis');
        like($keys->[0], qr/^gw:1:l:keys:\{#[0-9a-f]{32}\}$/, 'K1 is hashed');
    }

    for my $key ('abcXYZ019._@:-', 'k' x 64) {
        $redis->command('FLUSHALL');
        is($send->($key), 200, 'K1 plain key');
        is_deeply($redis->command('KEYS', 'gw:1:l:*'), ["gw:1:l:keys:{$key}"],
                  'K1 stands as it is');
    }

    my ($long) = 'k' x 7000;
    is($send->($long), 200, 'K2 a long key');
    is($send->($long), 429, 'K2 is limited');

    my $ttl = $redis->command('PTTL', 'gw:1:l:keys:{' . 'k' x 64 . '}');
    cmp_ok($ttl, '<=', 60001, 'a key lives as long as its bucket');
    cmp_ok($ttl, '>', 55000, 'but so long');

    is(limit($nginx->get('/r1')), 'NOKEY', 'K3 an empty key is not asked');
}


sub mixed {
    is(limit($nginx->get('/mixed?k=m1')), 'PASSED redis r3 0',
       'shared memory and Redis');
    is(statuses(map { '/mixed?k=m1' } 1 .. 5), '429 429 429 429 429',
       'Redis rejects');
    is(limit($nginx->get('/shm?k=m1')), 'PASSED shm shm 8',
       'A11 what shared memory had taken is given back');

    is(statuses('/shmfirst?k=m2'), 200, 'limits in another order');

    my $before = calls();
    is(limit($nginx->get('/shmfirst?k=m2')), 'REJECTED shm shm1 0',
       'shared memory is asked first');
    is(calls() - $before, 0, 'and a rejection there costs Redis nothing');
    is(limit($nginx->get('/r1?k=m2')), 'PASSED redis r1 8',
       'and takes nothing there');
}


sub instances {
    my $other = GW::Nginx->new(workers => 2, http => $http);

    ok($other->until(3, sub { up($other) }), 'a second instance');

    my @r = map { ($_ % 2 ? $other : $nginx)->get('/r1?k=i1')->{status} }
            1 .. 12;

    is(join(' ', @r), '200 ' x 10 . '429 429', 'shares the limit');

    $other->stop;
}


# N1: each new worker has to connect; what it decides before is charged later

sub reloads {
    my ($sent, $bad, %by) = (0, 0);

    for my $round (1 .. 6) {
        $nginx->reload;
        my $end = time() + 0.4;

        while (time() < $end) {
            my $reply = $nginx->get('/load?k=n1');
            my (undef, $source) = split(/ /, limit($reply));
            $sent++;
            $bad++ if $reply->{status} != 200;
            $by{$source}++;
            sleep(0.003);
        }
    }

    is($bad, 0, "N1 $sent requests over 6 reloads, none failed");

    ok($nginx->until(5, sub { $nginx->workers == 1 && up($nginx) }),
       'N1 old workers are gone');

    my ($left) = limit($nginx->get('/load?k=n1')) =~ /(\d+)$/;
    cmp_ok(abs(100001 - $left - $sent - 1), '<=', 2,
           'N1 Redis has charged each of them, by '
           . join(', ', map { "$_ $by{$_}" } sort keys %by));
    is($redis->command('INFO', 'clients') =~ /^connected_clients:(\d+)/m
       && $1 <= 3, 1, 'N1 no connection of an old worker is left');
}


# N8, N2: requests that wait for a Redis that says nothing

sub parked {
    my ($pid) = $nginx->workers;

    $redis->pause;

    for my $round (1 .. 5) {
        my @clients = map { GW::Client->new($nginx->{port}) } 1 .. 20;
        $_->send("GET /r1?k=p1 HTTP/1.1\r\nHost: x\r\n\r\n") for @clients;
        sleep(0.01);
        $_->reset for splice(@clients, 0, 10);
        $_->close for @clients;
    }

    sleep(0.2);
    is(join(' ', $nginx->workers), $pid, 'N8 clients that leave');

    $redis->resume;
    ok($nginx->until(5, sub { limit($nginx->get('/r1?k=p2' . time()))
                              =~ /redis/ }), 'Redis decides again');

    $redis->pause;
    my @start = map { $nginx->begin("/r1?k=p3") } 1 .. 5;
    sleep(0.02);
    $nginx->reload;
    my @r = map { $nginx->finish($_) } @start;
    $redis->resume;

    is(join(' ', map { $_->{status} } @r), '200 200 200 200 200',
       'N2 a reload answers the requests that wait');
    ok($nginx->until(3, sub { my @w = $nginx->workers;
                              @w == 1 && $w[0] != $pid }),
       'N2 the old worker exits');
    ok($nginx->until(5, sub { up($nginx) }), 'N2 the new one has its link');
}


# R5: the reply to a call comes after the request went by the shared memory

sub late {
    my $count = sub {
        return $nginx->get('/m')->{body} =~
               /^gw_redis_late_replies_total\{.*\} (\d+)$/m ? $1 : -1;
    };

    my $before = $count->();

    $redis->pause;
    is(limit($nginx->get('/three?k=l1')), 'FALLBACK_PASSED fallback r3 0',
       'R5 no reply in time');
    is(limit($nginx->get('/three?k=l1')), 'FALLBACK_REJECTED fallback r3 0',
       'R5 the shared memory decides');
    $redis->resume;

    ok($nginx->until(5, sub { $count->() == $before + 2 }),
       'R5 the replies are late');
    is(limit($nginx->get('/r1?k=l1')), 'PASSED redis r1 8',
       'R5 and nothing is charged twice');
}


sub without {
    $redis->kill;

    # until the breaker is open each request may wait for a connection

    $nginx->until(5, sub { $nginx->get('/r1?k=w' . rand())->{header}{'x-redis'}
                           eq 'down' });

    my $r = $nginx->get('/r1?k=w1');
    is(limit($r), 'FALLBACK_PASSED fallback r1 9', 'R1 local');
    is($r->{header}{ratelimit}, '"r1";r=9;t=60', 'R1 with its fields');
    is(statuses(map { '/r1?k=w1' } 1 .. 10), '200 ' x 9 . '429',
       'R1 limits by the shared memory');
    is(limit($nginx->get('/r1?k=w1')), 'FALLBACK_REJECTED fallback r1 0',
       'R1 FALLBACK_REJECTED');

    is(limit($nginx->get('/pass?k=w2')), 'ERROR_PASSED', 'pass');
    is(limit($nginx->get('/pass?k=w2')), 'ERROR_PASSED', 'without a limit');

    $r = $nginx->get('/reject?k=w3');
    is("$r->{status} " . limit($r), '503 ERROR_REJECTED shm shm 9', 'reject');
    is($r->{header}{'retry-after'}, 1, 'with Retry-After');
    is($r->{header}{'content-type'}, 'application/problem+json', 'a problem');
    like($r->{body}, qr/#temporary-reduced-capacity.*"status":503\}$/,
         'of capacity');
    is(limit($nginx->get('/shm?k=w3')), 'PASSED shm shm 9',
       'and nothing is taken');

    $r = $nginx->get('/reject500?k=w3');
    is($r->{status}, 500, 'reject=code');
    like($r->{body}, qr/<html>/, 'gw_limit_body off');
    is(limit($nginx->get('/rejectdry?k=w3')), 'REJECTED_DRY_RUN', 'dry run');

    is(statuses('/three?k=w4', '/three?k=w4'), '200 429', 'several limits');
    is(limit($nginx->get('/r2?k=w4')), 'FALLBACK_PASSED fallback r2 3',
       'a rejected request takes nothing');

    is(limit($nginx->get('/mixed?k=w5')), 'FALLBACK_PASSED fallback r3 0',
       'with shared memory');
    is(limit($nginx->get('/mixed?k=w5')), 'FALLBACK_REJECTED fallback r3 0',
       'local limits hold');
    is(limit($nginx->get('/shm?k=w5')), 'PASSED shm shm 8',
       'all or nothing');

    my $down = () = $nginx->log =~ /redis "main".* is down/g;
    cmp_ok($down, '<=', 4, 'one line when it goes, not one a request');
}


# R3: what was admitted in the meantime is charged in Redis

sub again {
    is(statuses(map { '/r1?k=g1' } 1 .. 4), '200 200 200 200',
       'R3 four pass while Redis is away');

    $redis->start;
    ok($nginx->until(5, sub { up($nginx) }), 'R3 Redis is back');

    is(limit($nginx->get('/r1?k=g1')), 'PASSED redis r1 5',
       'R3 and knows of the four');
    is(limit($nginx->get('/r1?k=g1')), 'PASSED redis r1 4', 'R3 once');
    is(limit($nginx->get('/r1?k=g2')), 'PASSED redis r1 9',
       'R3 other keys owe nothing');
    is(limit($nginx->get('/three?k=w4')), 'REJECTED redis r3 0',
       'R3 several limits are charged');
    is(limit($nginx->get('/r2?k=w4')), 'PASSED redis r2 2',
       'R3 each what it owes');

    # R11: what Redis refuses to charge is still owed

    $redis->command('CONFIG', 'SET', 'maxmemory', 1);
    is(join(', ', map { limit($nginx->get('/r1?k=g3')) } 1 .. 3),
       join(', ', map { "FALLBACK_PASSED fallback r1 $_" } 9, 8, 7),
       'R11 Redis without memory');
    $redis->command('CONFIG', 'SET', 'maxmemory', 0);
    is(limit($nginx->get('/r1?k=g3')), 'PASSED redis r1 6',
       'R11 is told of all three later');
}


sub metrics {
    my $text = $nginx->get('/m')->{body};

    like($text, qr/^gw_redis_up\{name="main"\} 1$/m, 'gw_redis_up');
    like($text, qr/^gw_redis_commands_total\{name="main",result="reply"\} [1-9]/m,
         'replies');
    like($text, qr/^gw_redis_commands_total\{name="main",result="refused"\} [1-9]/m,
         'refused while it was away');
    like($text, qr/^gw_limit_requests_total\{policy="r1",result="passed",source="redis"\} [1-9]/m,
         'decisions of Redis');
    like($text, qr/^gw_limit_requests_total\{policy="r1",result="passed",source="fallback"\} [1-9]/m,
         'and without it');
    like($text, qr/^gw_limit_requests_total\{policy="r3",result="error_passed",source="none"\} 2$/m,
         'passed without a decision');
    like($text, qr/^gw_limit_requests_total\{policy="r3",result="error_rejected",source="none"\} 2$/m,
         'rejected without a decision');

    # the time of decisions

    for my $source ('redis', 'fallback') {
        my $labels = "name=\"main\",source=\"$source\"";
        my ($count) = $text =~
            /^gw_limit_decision_seconds_count\{$labels\} (\d+)$/m;
        my ($sum) = $text =~
            /^gw_limit_decision_seconds_sum\{$labels\} ([\d.]+)$/m;
        my %le = $text =~
            /^gw_limit_decision_seconds_bucket\{$labels,le="([^"]+)"\} (\d+)$/mg;
        my @bounds = sort { $a <=> $b } grep { $_ ne '+Inf' } keys %le;
        my %recent = $text =~
            /^gw_limit_decision_recent_seconds\{$labels,quantile="([^"]+)"\} ([\d.]+)$/mg;

        cmp_ok($count, '>', $source eq 'redis' ? 100 : 2,
               "$source: $count decisions are timed");
        is($le{'+Inf'}, $count, "$source: all are in the last bucket");
        is_deeply([ @le{@bounds} ], [ sort { $a <=> $b } @le{@bounds} ],
                  "$source: buckets have those below");
        cmp_ok($sum, '>', $source eq 'redis' ? 0.00002 * $count : 0.1,
               "$source: $sum seconds");
        cmp_ok($recent{0.5}, '<=', $recent{0.99}, "$source: quantiles");
        cmp_ok($le{$recent{0.5} + 0} || $count, '>=', $count / 2,
               "$source: half are below the median, $recent{0.5}");

        # those that waited for a reply in vain took the deadline of 100 ms
        cmp_ok($le{'0.05'}, '<=', $count - 3, "$source: slow ones")
            if $source ne 'redis';
    }

    my ($errors) = $text =~
        /^gw_redis_error_replies_total\{name="main",class="refused"\} (\d+)$/m;
    cmp_ok($errors, '>=', 3, 'errors by class: out of memory');
    like($text, qr/^gw_redis_breaker_open\{name="main"\} 0$/m,
         'the breaker is closed');
}
