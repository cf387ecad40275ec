#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Quotas in Redis: one call decides them together with the limits; hosts that
# share a quota; clocks; what happens without Redis.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Nginx;
use GW::Redis;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

my $redis = GW::Redis->new;
my $month = strftime('%Y-%m', gmtime);


sub http {
    my ($server, %opt) = @_;

    my $period = $opt{period} || 'month';
    my $timeout = $opt{timeout} || '200ms';

    return <<"END";
    gw_redis main {
        server $server;
        timeout $timeout;
        fail_timeout 200ms;
        stall_timeout 500ms;
    }

    map \$arg_plan \$plan { default 3; gold 5; none unlimited; wrong 2x;
                            huge 1000000000000001; }

    gw_limit_zone \$arg_k zone=l1:1m rate=1r/m burst=9 redis=main;
    gw_limit_zone \$arg_k zone=l2:1m rate=20r/m redis=main
                  algorithm=sliding;
    gw_limit_zone \$arg_k zone=one:1m rate=1r/m redis=main;
    gw_limit_zone \$arg_k zone=here:1m rate=1r/m burst=9;
    gw_quota_zone \$arg_k zone=q:1m quota=\$plan period=$period redis=main;
    gw_quota_zone \$arg_k zone=m:1m quota=1000 period=$period redis=main
                  mode=strict;
    gw_quota_zone \$arg_j zone=j:1m quota=1 period=year redis=main;
    gw_quota_zone \$arg_k zone=ten:1m quota=10 period=day redis=main;
    gw_quota_zone \$arg_k zone=f:1m quota=10 period=30d redis=main;
    gw_quota_zone \$arg_k zone=since:1m quota=10 period=30d anchor=\$arg_since
                  redis=main;
    gw_quota_zone \$arg_k zone=carry:1m quota=10 period=month carry=4
                  redis=main;
    gw_quota_zone \$arg_k zone=shm:1m quota=3 period=year;
    gw_concurrency_zone \$arg_k zone=c:1m redis=main;

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Q "\$gw_quota_status \$gw_quota_used \$gw_quota_remaining" always;
        add_header X-W "\$gw_quota_warning" always;
        add_header X-R "\$gw_quota_reset" always;
        add_header X-L "\$gw_limit_status \$gw_limit_remaining" always;
        add_header X-Redis "\$gw_redis_state_main" always;

        location /q { gw_quota zone=q; empty_gif; }
        location /pre { gw_quota zone=q phase=preaccess; empty_gif; }
        location /m { gw_quota zone=m; empty_gif; }
        location /two { gw_quota zone=q; gw_quota zone=j; empty_gif; }
        location /three {
            gw_limit zone=l1 nodelay;
            gw_limit zone=l2;
            gw_quota zone=q;
            empty_gif;
        }
        location /limited {
            gw_quota zone=q;
            gw_quota zone=shm;
            gw_limit zone=one;
            empty_gif;
        }
        location /mixed {
            gw_limit zone=here nodelay;
            gw_quota zone=shm;
            gw_quota zone=q;
            empty_gif;
        }
        location /held { gw_concurrency zone=c limit=0; gw_limit zone=l1;
            gw_quota zone=q; empty_gif; }
        location /conc { gw_concurrency zone=c limit=1; gw_limit zone=l1;
            gw_quota zone=q; empty_gif; }
        location /delay { gw_limit zone=slow; gw_quota zone=q; empty_gif; }
        location /phases { gw_limit zone=l1 phase=preaccess nodelay;
            gw_quota zone=q; empty_gif; }
        location /cost { gw_quota zone=ten cost=\$arg_c; empty_gif; }
        location /warn { gw_quota zone=ten warn=80%; empty_gif; }
        location /over { gw_quota zone=q overage warn=50%; empty_gif; }
        location /shadow { gw_quota zone=q shadow; empty_gif; }
        location /dry { gw_limit_dry_run on; gw_limit zone=one; gw_quota zone=q;
            empty_gif; }
        location /if { gw_limit zone=l1 nodelay; gw_quota zone=q if=\$arg_on;
            empty_gif; }
        location /f { gw_quota zone=f; empty_gif; }
        location /since { gw_quota zone=since; empty_gif; }
        location /carry { gw_quota zone=carry; empty_gif; }
        location /pass { gw_limit_on_error pass; gw_limit zone=l1;
            gw_quota zone=q; empty_gif; }
        location /reject { gw_limit_on_error reject; gw_quota zone=shm;
            gw_quota zone=q; empty_gif; }
        location /rejectboth { gw_limit_on_error reject=509; gw_limit zone=l1;
            gw_quota zone=q; empty_gif; }
        location /shm { gw_quota zone=shm; empty_gif; }
        location = /metrics { gw_metrics prometheus; }
    }
    gw_limit_zone \$arg_k zone=slow:1m rate=5r/s burst=9 redis=main;
END
}

my $nginx = GW::Nginx->new(workers => 1, http => http($redis->server));

ok($nginx->until(3, sub { up($nginx) }), 'Redis is up');


sub up {
    return $_[0]->get('/metrics')->{header}{'x-redis'} eq 'up';
}


sub q_ {
    my ($path, $host) = @_;

    my $reply = ($host || $nginx)->get($path);

    return "$reply->{status} " . ($reply->{header}{'x-q'} || '');
}


sub metric {
    my ($name) = @_;

    my ($n) = $nginx->get('/metrics')->{body} =~ /^\Q$name\E (\d+)/m;

    return $n;
}


sub calls {
    my ($info) = $redis->command('INFO', 'commandstats');
    my $n = 0;

    $n += $1 while $info =~ /^cmdstat_eval(?:sha)?:calls=(\d+)/mg;

    return $n;
}


decisions();
together();

is(scalar(grep { !/exited on signal 9/ }
          $nginx->log =~ /^(.*\[(?:alert|crit|emerg)\].*)$/mg), 0,
   'nothing bad is logged');

$nginx->stop;

done_testing();


sub decisions {
    is(q_('/q?k=a'), '200 OK 1 2', 'one');
    is(q_('/q?k=a'), '200 OK 2 1', 'two');
    is(q_('/pre?k=a'), '200 OK 3 0', 'three, in another phase');

    my $reply = $nginx->get('/q?k=a');
    my $left = month_end() - time();

    is("$reply->{status} $reply->{header}{'x-q'}", '429 EXCEEDED 3 0',
       'not four');
    cmp_ok(abs($reply->{header}{'retry-after'} - $left), '<', 5,
           'until the end of the month');
    cmp_ok(abs($reply->{header}{'x-r'} - $left), '<', 5, '$gw_quota_reset');
    like($reply->{header}{'ratelimit-policy'},
         qr/^"q";q=3;w=(24|25|26)\d{5}$/, 'RateLimit-Policy');
    like($reply->{header}{ratelimit}, qr/^"q";r=0;t=\d+$/, 'RateLimit');
    like($reply->{body}, qr/#quota-exceeded".*"violated-policies":\["q"\]\}$/,
         'a problem');
    is($redis->command('GET', "gw:1:q:q:{a}:$month"), 3,
       'a rejection counts nothing');
    is(q_('/q?k=a&plan=gold'), '200 OK 4 1', 'a better plan works at once');
    is(q_('/q?k=a&plan=none'), '200 ', 'no limit');
    is(q_('/q?k=a&plan=wrong'), '200 ', 'what is no number is no limit');
    is(q_('/q?k=a&plan=huge'), '200 ', 'nor is what is too large for Redis');
    is(q_('/q'), '200 ', 'no key');

    # keys

    my $ttl = $redis->command('PTTL', "gw:1:q:q:{a}:$month") / 1000;
    cmp_ok(abs($ttl - 7 * 86400 - $left), '<', 5, 'lives for 7 days more');
    is($redis->command('EXISTS', "gw:1:g:q:{a}:$month"), 0, 'no other key');

    $redis->command('SET', "gw:1:g:q:{a}:$month", 3);
    is(q_('/q?k=a'), '200 OK 5 1', 'units granted are added');
    $redis->command('SET', "gw:1:g:q:{a}:$month", -100);
    is(q_('/q?k=a'), '429 EXCEEDED 5 0', 'or taken away');
    $redis->command('SET', "gw:1:g:q:{a}:$month", 'x');
    is(q_('/q?k=a'), '429 EXCEEDED 5 0',
       'what is no number is no answer: by what is known');

    q_('/q?k=a%20b');
    is(scalar(@{$redis->command('KEYS',
                                "gw:1:q:q:{#" . '[0-9a-f]' x 32 . "}:$month")}),
       1, 'K1 a key that is hashed');

    q_('/cost?k=d');
    is($redis->command('GET', 'gw:1:q:ten:{d}:'
                              . strftime('%Y-%m-%d', gmtime)), 1, 'a day');

    # costs

    is(q_('/cost?k=c&c=4'), '200 OK 4 6', 'a cost');
    is(q_('/cost?k=c&c=7'), '429 EXCEEDED 4 6', 'that does not fit');
    is(q_('/cost?k=c&c=0'), '200 OK 4 6', '0 looks');
    is(q_('/cost?k=c&c=6'), '200 OK 10 0', 'all');
    is(q_('/cost?k=c&c=0'), '429 EXCEEDED 10 0', '0 needs one');
    is($nginx->get('/cost?k=e&c=11')->{header}{'retry-after'}, undef,
       'what never fits need not be tried');
    is(q_('/cost?k=e&c=9007199254740991'), '429 EXCEEDED 0 10', 'nor that');
    is($redis->command('KEYS', 'gw:1:q:ten:{e}*')->[0], undef,
       'and there is no key');

    # warnings, overage, shadow

    q_('/warn?k=w') for 1 .. 7;
    $reply = $nginx->get('/warn?k=w');
    is("$reply->{header}{'x-q'} $reply->{header}{'x-w'}", 'WARN 8 2 ten',
       'a warning');
    is(q_('/over?k=o'), '200 OK 1 2', 'below');
    is(q_('/over?k=o'), '200 WARN 2 1', 'warned');
    q_('/over?k=o');
    is(q_('/over?k=o'), '200 OVERAGE 4 0', 'above passes');
    is($redis->command('GET', "gw:1:q:q:{o}:$month"), 4, 'and is counted');
    is(q_('/q?k=o'), '429 EXCEEDED 4 0', 'where it may');

    $reply = $nginx->get('/shadow?k=a');
    is("$reply->{status} $reply->{header}{'x-q'}", '200 EXCEEDED 5 0',
       'shadow');
    is($reply->{header}{ratelimit}, undef, 'is not told to the client');
    is(q_('/shadow?k=s'), '200 OK 1 2', 'and counts while there is room');

    # periods

    is($nginx->get('/f?k=1')->{header}{'x-r'}, 30 * 86400,
       '30 days from the first use');
    my $start = int(time());
    like($redis->command('GET', 'gw:1:q:f:{1}'), qr/^(\d+):f\1$/,
         'a key tells which');
    sleep(1.1);
    $reply = $nginx->get('/f?k=1');
    is($reply->{header}{'x-q'}, 'OK 2 8', 'which goes on');
    cmp_ok($reply->{header}{'x-r'}, '<', 30 * 86400, 'and on');

    my ($f) = @{$redis->command('KEYS', 'gw:1:q:f:{1}:f*')};
    is($redis->command('GET', $f), 2, 'the units have the period in the key');
    $redis->command('SET', 'gw:1:q:f:{1}', "1000:f1000");
    is(q_('/f?k=1'), '200 OK 1 9', 'one that is over is followed by another');
    $ttl = $redis->command('PTTL', 'gw:1:q:f:{1}') / 1000;
    cmp_ok(abs($ttl - 67 * 86400), '<', 5, 'lives for a period and 7 days more');

    my $since = int(time()) - 40 * 86400;
    is($nginx->get("/since?k=1&since=$since")->{header}{'x-r'}, 20 * 86400,
       '30 days from an anchor');
    is($redis->command('GET', 'gw:1:q:since:{1}:f' . ($since + 30 * 86400)),
       1, 'named by it');

    # what is left of the month before

    my ($last, $begin) = last_month();

    $redis->command('SET', 'gw:1:q:carry:{1}', "$begin:$last");
    $redis->command('SET', "gw:1:q:carry:{1}:$last", 7);
    is(q_('/carry?k=1'), '200 OK 1 12', 'units carried over');
    is($redis->command('GET', "gw:1:g:carry:{1}:$month"), 3, 'are granted');
    like($redis->command('GET', 'gw:1:q:carry:{1}'), qr/^\d+:\Q$month\E$/,
         'once');
    $redis->command('SET', "gw:1:q:carry:{1}:$last", 0);
    is(q_('/carry?k=1'), '200 OK 2 11', 'and no more later');

    $redis->command('SET', 'gw:1:q:carry:{2}', "$begin:$last");
    $redis->command('SET', "gw:1:q:carry:{2}:$last", 1);
    is(q_('/carry?k=2'), '200 OK 1 13', 'at most so many');
    is(q_('/carry?k=3'), '200 OK 1 9', 'a new key has none');
}


sub month_end {
    my @now = gmtime;

    local $ENV{TZ} = 'UTC';
    POSIX::tzset();

    return POSIX::mktime(0, 0, 0, 1, $now[4] + 1, $now[5]);
}


sub last_month {
    my @now = gmtime;

    local $ENV{TZ} = 'UTC';
    POSIX::tzset();

    my $begin = POSIX::mktime(0, 0, 0, 1, $now[4] - 1, $now[5]);

    return (strftime('%Y-%m', gmtime($begin)), $begin);
}


# limits and quotas of one request

sub together {
    my $before = calls();

    my $reply = $nginx->get('/three?k=t');
    is("$reply->{header}{'x-q'} $reply->{header}{'x-l'}",
       'OK 1 2 PASSED 9', 'two limits and a quota');
    is(calls() - $before, 1, 'in one call');

    q_('/three?k=t') for 1 .. 2;

    my $tat = $redis->command('GET', 'gw:1:l:l1:{t}');
    my $window = $redis->command('HGET', 'gw:1:s:l2:{t}', 'c');

    $reply = $nginx->get('/three?k=t');
    is("$reply->{status} $reply->{header}{'x-q'}", '429 EXCEEDED 3 0',
       'A11 the third rejects');
    is($redis->command('GET', 'gw:1:l:l1:{t}'), $tat, 'A11 the first is');
    is($redis->command('HGET', 'gw:1:s:l2:{t}', 'c'), $window,
       'A11 and the second is not charged');
    is($reply->{header}{'x-l'}, 'PASSED 7', 'A11 but known');
    cmp_ok($reply->{header}{'retry-after'}, '>', 3600 * 10,
           'when there is more of the quota')
        if month_end() - time() > 40000;

    is(q_('/limited?k=u'), '200 OK 1 2', 'a limit of one');
    $reply = $nginx->get('/limited?k=u');
    is("$reply->{status} $reply->{header}{'x-l'}", '429 REJECTED 0',
       'A11 a limit rejects');
    is($reply->{header}{'retry-after'}, 60, 'for a minute');
    is($redis->command('GET', "gw:1:q:q:{u}:$month"), 1,
       'A11 the quota is not charged');
    is(q_('/shm?k=u'), '200 OK 2 1', 'nor is that in shared memory');

    is(q_('/two?k=v&j=v'), '200 OK 1 0', 'two quotas');
    is(q_('/two?k=v&j=v'), '429 EXCEEDED 1 0', 'the second rejects');
    is(q_('/q?k=v'), '200 OK 2 1', 'the first took nothing of it');

    q_('/q?k=x') for 1 .. 3;
    is(q_('/mixed?k=x'), '429 EXCEEDED 3 0', 'one in Redis rejects');
    is(q_('/shm?k=x'), '200 OK 1 2', 'one in shared memory is given back');
    is($nginx->get('/mixed?k=x2')->{header}{'x-l'}, 'PASSED 9', 'a limit');
    q_('/shm?k=x2') for 1 .. 2;
    $before = calls();
    is(q_('/mixed?k=x2'), '429 EXCEEDED 3 0', 'one in shared memory rejects');
    is(calls() - $before, 0, 'and Redis is not asked');

    $before = calls();
    is($nginx->get('/held?k=y')->{status}, 429, 'requests in progress');
    is(calls() - $before, 0, 'come before all these');
    is(q_('/conc?k=y'), '200 OK 1 2', 'all three');

    my $t = time();
    is(join(' ', map { $nginx->get('/delay?k=z')->{header}{'x-l'} } 1 .. 2),
       'PASSED 9 DELAYED 8', 'a limit that delays');
    cmp_ok(time() - $t, '>', 0.15, 'does so');
    is(q_('/q?k=z'), '200 OK 3 0', 'after the decision of the quota');
    is(q_('/phases?k=z'), '429 EXCEEDED 3 0', 'two phases');
    is(q_('/if?k=z'), '200 ', 'if=: a limit alone');
    is($nginx->get('/if?k=z')->{header}{'x-l'}, 'PASSED 7', 'is asked');
    is(q_('/if?k=z&on=1'), '429 EXCEEDED 3 0', 'if=1');

    is(q_('/dry?k=dry'), '200 OK 1 2', 'a dry run counts');
    $reply = $nginx->get('/dry?k=dry');
    is("$reply->{status} $reply->{header}{'x-l'}",
       '200 REJECTED_DRY_RUN 0', 'but rejects nobody');
    q_('/q?k=dry2') for 1 .. 3;
    is(q_('/dry?k=dry2'), '200 EXCEEDED 3 0', 'nor does the quota of one');
}
