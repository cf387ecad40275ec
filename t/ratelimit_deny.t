#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# The deny cache: what a host says itself after Redis has denied, and what an
# attacker costs Redis.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Nginx;
use GW::Redis;
use POSIX qw(_exit);
use Test::More;
use Time::HiRes qw(sleep time);

my $redis = GW::Redis->new;
my $server = $redis->server;

my $http = <<"END";
    gw_redis main { server $server; timeout 200ms; fail_timeout 200ms; }

    gw_limit_zone \$arg_k zone=min:1m rate=1r/m burst=2 redis=main;
    gw_limit_zone \$arg_k zone=ten:1m rate=10r/s redis=main;
    gw_limit_zone \$arg_k zone=fixed:1m rate=3r/d algorithm=fixed redis=main;
    gw_limit_zone \$arg_k zone=slide:1m rate=3r/d algorithm=sliding redis=main;
    gw_limit_zone \$arg_k zone=plan:1m rate=\$arg_rate rate=1r/m redis=main;
    gw_limit_zone \$arg_k zone=two:1m rate=1r/m redis=main;
    gw_limit_zone \$arg_k zone=shm:1m rate=1r/m burst=1;
    gw_quota_zone \$arg_k zone=quota:1m quota=100000 period=year redis=main;

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Limit "\$gw_limit_status \$gw_limit_source \$gw_limit_zone \$gw_limit_remaining \$gw_limit_retry_after" always;
        add_header X-Pid \$pid always;

        location /min { gw_limit zone=min nodelay cost=\$arg_c;
            gw_limit_headers ratelimit x-ratelimit; empty_gif; }
        location /ten { gw_limit zone=ten nodelay; gw_limit_log_level info;
            empty_gif; }
        location /fixed { gw_limit zone=fixed cost=\$arg_c; empty_gif; }
        location /slide { gw_limit zone=slide cost=\$arg_c; empty_gif; }
        location /plan { gw_limit zone=plan; empty_gif; }
        location /shm { gw_limit zone=shm nodelay; gw_limit zone=two;
            empty_gif; }
        location /shm1 { gw_limit zone=shm nodelay; empty_gif; }
        location /both { gw_limit zone=min nodelay; gw_limit zone=two;
            empty_gif; }
        location /quota { gw_limit zone=two; gw_quota zone=quota; empty_gif; }
        location /flood { gw_limit zone=ten nodelay; gw_quota zone=quota;
            gw_limit_log_level info; empty_gif; }
        location /final { gw_limit zone=min nodelay cost=3 final_cost=\$arg_f;
            empty_gif; }
        location /penalty { gw_limit zone=min nodelay penalty=1; empty_gif; }
        location /shadow { gw_limit zone=min nodelay shadow; empty_gif; }
        location /dry { gw_limit_dry_run on; gw_limit zone=min nodelay;
            empty_gif; }

        location = /metrics { gw_metrics prometheus; }
        location /api/ { gw_limit_api write=on; }
    }
END

my $nginx = GW::Nginx->new(workers => 2, http => $http);

ok($nginx->until(5, sub { hit("/min?k=up")->[1] eq 'redis' }), 'Redis is up');

basics();
costs();
windows();
several();
finals();
plans();
workers();
attack('/ten?k=attack');
attack('/flood?k=attack2');
metrics();
api();
nodes();
cap();
away();
off();

done_testing();


# status, source, zone, remaining, retry_after

sub hit {
    my ($uri, $server) = @_;

    my $r = ($server || $nginx)->get($uri);

    return [split(/ /, $r->{header}{'x-limit'} // '', -1), $r];
}


sub texts {
    return join(', ', map { my $h = hit($_); "$h->[0] $h->[1]" } @_);
}


# calls of the script, by all hosts

sub calls {
    my ($info) = $redis->command('INFO', 'commandstats');
    my $n = 0;

    $n += $1 while $info =~ /^cmdstat_eval(?:sha)?:calls=(\d+)/mg;

    # but for those that tell of the host, one a second

    $n -= $1 if $info =~ /^cmdstat_zadd:calls=(\d+)/m;

    return $n;
}


# what the first one is corrected by comes after its answer

sub corrected {
    my ($first, @rest) = @_;

    my $calls = calls();
    my $text = texts($first);

    $nginx->until(3, sub { calls() >= $calls + 2 });

    return join(', ', $text, texts(@rest));
}


sub basics {
    is(texts(('/min?k=b1') x 5),
       'PASSED redis, PASSED redis, PASSED redis, REJECTED redis, '
       . 'REJECTED deny_cache', 'a denial by Redis is remembered');

    my $calls = calls();
    my $h = hit('/min?k=b1');
    my $r = $h->[5];

    is("$r->{status} @$h[0 .. 4]", '429 REJECTED deny_cache min 0 60',
       'variables of a local denial');
    is($r->{header}{'retry-after'}, 60, 'Retry-After');
    is($r->{header}{ratelimit}, '"min";r=0;t=60', 'RateLimit');
    is($r->{header}{'ratelimit-policy'}, '"min";q=1;w=60;gw-burst=2',
       'RateLimit-Policy');
    is($r->{header}{'x-ratelimit-remaining'}, 0, 'X-RateLimit-Remaining');
    like($r->{body}, qr/"violated-policies":\["min"\]/, 'problem document');
    like($nginx->log, qr/request rejected, excess: 2\.\d+, zone "min"/, 'log');
    is(calls(), $calls, 'Redis is not asked');

    is(texts('/min?k=b2'), 'PASSED redis', 'another key');
    is(texts(('/dry?k=b1') x 2),
       'REJECTED_DRY_RUN deny_cache, REJECTED_DRY_RUN deny_cache', 'dry run');
    is(texts('/shadow?k=b1'), 'REJECTED_DRY_RUN redis',
       'a shadow always asks');
}


sub costs {
    is(texts('/min?k=c1&c=1', '/min?k=c1&c=3', '/min?k=c1&c=3',
             '/min?k=c1&c=4'),
       'PASSED redis, REJECTED redis, REJECTED deny_cache, '
       . 'REJECTED deny_cache', 'the same or a greater cost');

    is(hit('/min?k=c1&c=3')->[3], 2, 'what remains');
    is(hit('/min?k=c1&c=4')->[4], '', 'a cost that never fits');

    is(texts('/min?k=c1&c=2', '/min?k=c1&c=1', '/min?k=c1&c=0'),
       'PASSED redis, REJECTED deny_cache, REJECTED deny_cache',
       'a smaller cost has room, and is counted');
}


sub windows {
    for my $w ('fixed', 'slide') {

        # not at the turn of the day

        sleep(11) if time() % 86400 > 86390;

        is(texts("/$w?k=w1&c=1", "/$w?k=w1&c=3", "/$w?k=w1&c=3",
                 "/$w?k=w1&c=2", "/$w?k=w1&c=1"),
           'PASSED redis, REJECTED redis, REJECTED deny_cache, '
           . 'PASSED redis, REJECTED deny_cache', "window: $w");
    }
}


# all or nothing

sub several {
    is(texts('/both?k=s1', '/both?k=s1', '/both?k=s1'),
       'PASSED redis, REJECTED redis, REJECTED deny_cache', 'two limits');
    is(hit('/both?k=s1')->[2], 'two', 'the one that has no room');
    is(texts(('/min?k=s1') x 3), 'PASSED redis, PASSED redis, REJECTED redis',
       'A11 a local denial took nothing from the other one');

    is(texts('/shm?k=s2', '/shm?k=s2', '/shm?k=s2', '/shm?k=s2'),
       'PASSED redis, REJECTED redis, REJECTED deny_cache, '
       . 'REJECTED deny_cache', 'with one in shared memory');
    is(texts('/shm1?k=s2', '/shm1?k=s2'), 'PASSED shm, REJECTED shm',
       'A11 nor from shared memory');

    is(texts(('/quota?k=s3') x 3),
       'PASSED redis, REJECTED redis, REJECTED deny_cache',
       'with a quota in the same call');
    is(join(' ', map { $redis->command('GET', $_) }
                 @{$redis->command('KEYS', 'gw:1:q:quota:{s3}*')}), 1,
       'A11 which is charged once');
}


sub finals {
    is(texts(('/final?k=f1&f=3') x 3),
       'PASSED redis, REJECTED redis, REJECTED deny_cache', 'a final cost');
    is(texts('/final?k=f2&f=3', '/final?k=f2&f=3', '/min?k=f2'),
       'PASSED redis, REJECTED redis, REJECTED deny_cache', 'as charged');
    is(corrected('/final?k=f3&f=1', '/min?k=f3&c=2', '/min?k=f3&c=1'),
       'PASSED redis, PASSED redis, REJECTED redis', 'what is given back');

    is(corrected('/final?k=f4&f=0', '/min?k=f4&c=3', '/min?k=f4&c=1'),
       'PASSED redis, PASSED redis, REJECTED redis', 'all of it');

    is(texts(('/penalty?k=f5') x 6),
       join(', ', ('PASSED redis') x 3, ('REJECTED redis') x 3),
       'a penalty is charged by Redis each time');
}


sub plans {
    is(texts(('/plan?k=p1&rate=1r/m') x 3),
       'PASSED redis, REJECTED redis, REJECTED deny_cache', 'a plan');
    is(hit('/plan?k=p1&rate=1r/s')->[1], 'redis',
       'a smaller bucket is not what was denied: Redis is asked');
    sleep(1.1);
    is(hit('/plan?k=p1&rate=1r/s')->[0], 'PASSED', 'it has its own time');
}


sub workers {
    hit('/min?k=v1') for 1 .. 4;

    my (%pids, %sources);

    for (1 .. 60) {
        my $h = hit('/min?k=v1');
        $pids{$h->[5]{header}{'x-pid'}} = 1;
        $sources{$h->[1]}++;
        last if keys %pids == 2 && $_ > 10;
    }

    is(scalar(keys %pids), 2, 'both workers have answered');
    is(join(' ', keys %sources), 'deny_cache', 'one remembers for both');
}


# many clients at once, for a time; returns the requests that passed

sub flood {
    my ($uri, $clients, $seconds) = @_;

    my @pipes;

    for (1 .. $clients) {
        pipe(my $read, my $write) or die;

        my $pid = fork() // die;

        if ($pid == 0) {
            my ($passed, $all) = (0, 0);
            my $client = GW::Client->new($nginx->{port});
            my $end = time() + $seconds;

            while (time() < $end) {
                my $status = $client->get($uri)->{status};
                $all++;
                $passed++ if $status == 200;
                if ($all % 500 == 0) {
                    $client->close;
                    $client = GW::Client->new($nginx->{port});
                }
            }

            syswrite($write, "$passed $all\n");
            _exit(0);
        }

        close($write);
        push(@pipes, [$pid, $read]);
    }

    my ($passed, $all) = (0, 0);

    for my $p (@pipes) {
        my $line = readline($p->[1]) // '0 0';
        my ($x, $y) = split(/ /, $line);
        $passed += $x;
        $all += $y;
        waitpid($p->[0], 0);
    }

    return ($passed, $all);
}


# ten a second: retry_after is 0.1 s

sub attack {
    my ($uri) = @_;

    my $calls = calls();
    my $start = time();

    my ($passed, $all) = flood($uri, 4, 3);

    my $tokens = int((time() - $start) * 10) + 1;

    $calls = calls() - $calls;

    cmp_ok($all, '>', 20 * $tokens, "K9 an attack of $all requests");
    cmp_ok($passed, '<=', $tokens, "K9 $passed of them passed");
    cmp_ok($passed, '>=', $tokens * 0.9 - 2, 'K9 as many as the rate has');

    # those that the clients sent before anything was known, and a few that
    # reach Redis faster than any before: they are denied for a moment more

    cmp_ok($calls, '<=', $tokens * 1.3 + 4,
           "K9 Redis has seen $calls calls in $tokens times retry_after");
}


sub metrics {
    my $text = $nginx->get('/metrics')->{body};

    like($text, qr/^gw_limit_requests_total\{policy="ten",result="rejected",source="deny_cache"\} [1-9]\d+$/m,
         'counted by source');
}


sub api {
    is(texts(('/min?k=a1') x 5),
       'PASSED redis, PASSED redis, PASSED redis, REJECTED redis, '
       . 'REJECTED deny_cache', 'used up');

    my $client = GW::Client->new($nginx->{port});
    is($client->request('DELETE', '/api/limits/min/a1')->{status}, 204,
       'reset');
    is(texts('/min?k=a1'), 'PASSED redis', 'is forgotten at once');
}


sub nodes {
    my $other = GW::Nginx->new(http => $http);

    $other->until(5, sub { hit('/min?k=up2', $other)->[1] eq 'redis' });

    hit('/min?k=n1') for 1 .. 4;
    is(hit('/min?k=n1')->[1], 'deny_cache', 'one host knows');
    is(hit('/min?k=n1', $other)->[1], 'redis', 'another one asks');
    is(hit('/min?k=n1', $other)->[1], 'deny_cache', 'once');
}


# what others give back is found in that time

sub cap {
    my $text = $http;
    $text =~ s/^/    gw_limit_deny_cache 300ms;\n/;

    my $nginx = GW::Nginx->new(http => $text);

    $nginx->until(5, sub { hit('/min?k=up3', $nginx)->[1] eq 'redis' });

    hit('/min?k=t1', $nginx) for 1 .. 4;

    my $calls = calls();
    my $start = time();
    my $local = 0;

    while (time() - $start < 1.5) {
        $local++ if hit('/min?k=t1', $nginx)->[1] eq 'deny_cache';
    }

    $calls = calls() - $calls;
    cmp_ok($local, '>', 50, 'many requests');
    ok($calls >= 2 && $calls <= 6, "it asks again after the time: $calls");

    $redis->command('DEL', 'gw:1:l:min:{t1}');
    ok($nginx->until(0.5, sub { hit('/min?k=t1', $nginx)->[0] eq 'PASSED' }),
       'what was reset elsewhere passes after it');
}


sub away {
    hit('/min?k=r1') for 1 .. 4;
    $redis->kill;

    is(hit('/min?k=r1')->[1], 'deny_cache', 'Redis is away: it is known');
    ok($nginx->until(3, sub { hit('/min?k=r1')->[1] eq 'fallback' }),
       'for that time');

    $redis->start;
    ok($nginx->until(5, sub { hit('/min?k=r2')->[1] eq 'redis' }), 'back');
}


sub off {
    my $text = $http;
    $text =~ s/^/    gw_limit_deny_cache 0;\n/;

    my $nginx = GW::Nginx->new(http => $text);

    $nginx->until(5, sub { hit('/min?k=up4', $nginx)->[1] eq 'redis' });

    hit('/min?k=o1', $nginx) for 1 .. 4;
    is(hit('/min?k=o1', $nginx)->[1], 'redis', '0 remembers nothing');
}
