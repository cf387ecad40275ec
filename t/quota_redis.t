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
        location /prethree {
            gw_limit zone=l1 nodelay phase=preaccess;
            gw_quota zone=q phase=preaccess;
            gw_limit zone=l2;
            gw_quota zone=ten;
            error_page 429 = /q;
            empty_gif;
        }
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
scripts();
late();
aborted();
without();
again();
metrics();
reloads();
answers();

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

    $before = calls();
    $reply = $nginx->get('/prethree?k=pre');
    is("$reply->{header}{'x-q'} $reply->{header}{'x-l'}",
       'OK 1 2 PASSED 9', 'limits and quotas in two phases');
    is(calls() - $before, 2, 'in two calls');
    q_('/prethree?k=pre') for 1 .. 2;
    is(q_('/prethree?k=pre'), '200 EXCEEDED 3 0', 'N10 the page of an error');
    is($redis->command('GET', "gw:1:q:q:{pre}:$month"), 3, 'N10 is free');
    is($nginx->get('/if?k=pre')->{header}{'x-l'}, 'PASSED 6',
       'N10 and took nothing of a limit');

    is(q_('/dry?k=dry'), '200 OK 1 2', 'a dry run counts');
    $reply = $nginx->get('/dry?k=dry');
    is("$reply->{status} $reply->{header}{'x-l'}",
       '200 REJECTED_DRY_RUN 0', 'but rejects nobody');
    q_('/q?k=dry2') for 1 .. 3;
    is(q_('/dry?k=dry2'), '200 EXCEEDED 3 0', 'nor does the quota of one');
}


# a script that is lost, a user with few rights

sub scripts {
    $redis->command('SCRIPT', 'FLUSH');
    my $reply = $nginx->get('/three?k=ns');
    is("$reply->{status} $reply->{header}{'x-q'}", '200 OK 1 2',
       'R12 NOSCRIPT');
    is($reply->{header}{'x-l'}, 'PASSED 9', 'R12 is no fallback');

    $redis->command('ACL', 'SETUSER', 'gw', 'on', '>secret', '~gw:*', '+@read',
                    '+@write', '+evalsha', '+eval', '+script|load', '+time',
                    '+ping', '+client|setname');

    my $http = http($redis->server);
    $http =~ s/gw_redis main \{/$& user gw; password secret;/;

    my $other = GW::Nginx->new(http => $http);
    ok($other->until(3, sub { up($other) }), 'an ACL user');
    is(q_('/three?k=ns', $other), '200 OK 2 1', 'may all that is needed');
    is(q_('/carry?k=ns', $other), '200 OK 1 9', 'also of what is carried over');
    $other->stop;
}


# an answer that comes after the request has gone on

sub late {
    is(q_('/three?k=late'), '200 OK 1 2', 'one is known');

    $redis->pause;
    my $reply = $nginx->get('/three?k=late');
    $redis->resume;

    is("$reply->{status} $reply->{header}{'x-q'}", '200 OK 2 1',
       'R5 no answer in time: by what is known');
    is($reply->{header}{'x-l'}, 'FALLBACK_PASSED 9', 'R5 so are the limits');

    ok($nginx->until(3, sub {
        $redis->command('GET', "gw:1:q:q:{late}:$month") == 2 }),
       'R5 it was counted late');

    is(q_('/three?k=late'), '200 OK 3 0', 'R5 and is not counted again');
    is($redis->command('GET', "gw:1:q:q:{late}:$month"), 3, 'R5 in Redis');
}


# clients that leave

sub aborted {
    is(q_('/three?k=n8'), '200 OK 1 2', 'N8 one');

    $redis->pause;

    for my $n (1 .. 30) {
        my $sock = $nginx->connect;
        my $path = (qw(/three /q /conc /prethree /carry))[$n % 5];

        print $sock "GET $path?k=n8$n HTTP/1.1\r\nHost: x\r\n\r\n";
        sleep(0.003);
        close($sock);
    }

    $redis->resume;

    ok($nginx->until(3, sub { q_('/three?k=n8') eq '200 OK 2 1' }),
       'N8 another one after those that left');
}


# Redis is away: what is known decides, and is owed

sub without {
    q_('/q?k=w1');
    q_('/q?k=w2') for 1 .. 3;
    q_('/f?k=w1') for 1 .. 2;
    q_('/carry?k=w1') for 1 .. 9;

    $redis->kill;

    is(q_('/q?k=w1'), '200 OK 2 1', 'R2 what remained');
    is(q_('/q?k=w1'), '200 OK 3 0', 'R2 may be used');
    is(q_('/q?k=w1'), '429 EXCEEDED 3 0', 'R2 not more');
    is(q_('/q?k=w2'), '429 EXCEEDED 3 0', 'R2 nothing remained');
    is(q_('/q?k=w3'), '200 OK 1 2', 'R1 an unknown key');
    is(q_('/f?k=w1'), '200 OK 3 7', 'R2 a period from the first use');
    is(q_('/carry?k=w1'), '200 OK 10 0', 'R2 with carry');
    is(q_('/over?k=w2'), '200 OVERAGE 4 0', 'R2 overage');
    is(q_('/shadow?k=w2'), '200 EXCEEDED 4 0', 'R2 shadow');

    my $reply = $nginx->get('/three?k=w4');
    is("$reply->{header}{'x-q'} $reply->{header}{'x-l'}",
       'OK 1 2 FALLBACK_PASSED 9', 'R2 limits and a quota');
    q_('/three?k=w4') for 1 .. 2;
    $reply = $nginx->get('/three?k=w4');
    is("$reply->{status} $reply->{header}{'x-q'} $reply->{header}{'x-l'}",
       '429 EXCEEDED 3 0 FALLBACK_PASSED 6', 'R2 the quota rejects');
    is($nginx->get('/if?k=w4')->{header}{'x-l'}, 'FALLBACK_PASSED 6',
       'R2 and the limits get back what they gave');
    is(q_('/limited?k=w5'), '200 OK 1 2', 'R2 a limit of one');
    is($nginx->get('/limited?k=w5')->{header}{'x-l'}, 'FALLBACK_REJECTED 0',
       'R2 a limit rejects');
    is(q_('/q?k=w5'), '200 OK 2 1', 'R2 the quota got nothing of it');
    is(q_('/shm?k=w5'), '200 OK 2 1', 'R2 nor that in shared memory');

    is(q_('/pass?k=w2'), '200 ', 'gw_limit_on_error pass');
    is($nginx->get('/pass?k=w2')->{header}{'x-l'}, 'ERROR_PASSED ',
       'and its limit');
    $reply = $nginx->get('/reject?k=w6');
    is($reply->{status}, 503, 'gw_limit_on_error reject');
    is($reply->{header}{'retry-after'}, 1, 'with Retry-After');
    like($reply->{body}, qr/#temporary-reduced-capacity/, 'and a problem');
    is(q_('/shm?k=w6'), '200 OK 1 2', 'the other quota got nothing of it');
    $reply = $nginx->get('/rejectboth?k=w6');
    is("$reply->{status} $reply->{header}{'x-l'}", '509 ERROR_REJECTED ',
       'reject=509, with a limit');
}


# it is back, and empty

sub again {
    $redis->start;
    ok($nginx->until(5, sub { up($nginx) }), 'R3 Redis is back');

    is(q_('/q?k=w1'), '200 OK 3 0', 'R3 what was owed is charged first');
    is($redis->command('GET', "gw:1:q:q:{w1}:$month"), 3, 'R3 in Redis');
    is(q_('/q?k=w1'), '429 EXCEEDED 3 0', 'R3 once');
    is(q_('/q?k=w2'), '200 OK 2 1', 'R3 overage, too');
    is(q_('/three?k=w4'), '429 EXCEEDED 3 0', 'R3 and with limits');
    is(q_('/f?k=w1'), '200 OK 2 8', 'R3 a period from the first use');
    is(q_('/carry?k=w1'), '200 OK 2 8', 'R3 with carry');

    # nobody is left to owe

    is(q_('/q?k=w3'), '200 OK 2 1', 'R3 what nobody knew');
    is(q_('/q?k=w5'), '200 OK 3 0', 'R3 and that');
}


sub metrics {
    cmp_ok(metric('gw_quota_requests_total{policy="q",result="passed"}'), '>',
           20, 'passed');
    cmp_ok(metric('gw_quota_requests_total{policy="q",result="rejected"}'),
           '>', 5, 'rejected');
    is(metric('gw_quota_requests_total{policy="q",result="error_rejected"}'),
       2, 'error_rejected');
    cmp_ok(metric('gw_quota_requests_total{policy="q",result="error_passed"}'),
           '>=', 2, 'error_passed');
    cmp_ok(metric('gw_quota_requests_total{policy="q",result="fallback_passed"}'),
           '>=', 6, 'fallback_passed');
    cmp_ok(metric('gw_quota_requests_total{policy="q",result="fallback_rejected"}'),
           '>=', 3, 'fallback_rejected');
    cmp_ok(metric('gw_zone_keys{zone="q"}'), '>=', 10, 'keys');
}


sub reloads {
    my %old = map { $_ => 1 } $nginx->workers;
    my $http = http($redis->server);

    $http =~ s/default 3;/default 4;/;
    $nginx->configure($http);
    $nginx->reload;
    $nginx->until(5, sub { !grep { $old{$_} } $nginx->workers });
    ok($nginx->until(3, sub { up($nginx) }), 'a reload');
    is(q_('/q?k=w1'), '200 OK 4 0', 'N3 another quota applies');

    %old = map { $_ => 1 } $nginx->workers;
    $http =~ s/(zone=q:1m.*?) redis=main/$1/;
    $nginx->configure($http);
    $nginx->reload;
    $nginx->until(5, sub { !grep { $old{$_} } $nginx->workers });
    is(q_('/q?k=w1'), '429 EXCEEDED 4 0',
       'a quota that is not in Redis any more begins with what is known');
    is(q_('/q?k=w5'), '200 OK 4 0', 'and counts on');

    %old = map { $_ => 1 } $nginx->workers;
    $nginx->configure(http($redis->server));
    $nginx->reload;
    $nginx->until(5, sub { !grep { $old{$_} } $nginx->workers });
    ok($nginx->until(3, sub { up($nginx) }), 'back');
    is(q_('/q?k=w5'), '429 EXCEEDED 3 0', 'to what is in Redis');
}


# answers that no script gives

sub answers {
    my $fake = GW::Redis->fake(sub {
        my ($args) = @_;

        return undef if $args->[0] !~ /^EVAL/;

        my ($key) = $args->[3] =~ /\{(\w+)\}/;
        my $now = int(time() * 1e6);

        return {
            wrong => "*2\r\n:2\r\n:$now\r\n",
            past => "*2\r\n:2\r\n:0\r\n",
            short => "*2\r\n:$now\r\n:1\r\n",
            long => "*4\r\n:$now\r\n:1\r\n:0\r\n:1\r\n",
            text => "*3\r\n:$now\r\n+x\r\n:0\r\n",
            huge => "*3\r\n:$now\r\n:1\r\n:1152921504606846975\r\n",
            start => "*4\r\n:$now\r\n:1\r\n:0\r\n:0\r\n",
            nobody => "*3\r\n:$now\r\n:-2\r\n:0\r\n",
            right => "*3\r\n:$now\r\n:1\r\n:0\r\n",
        }->{$key};
    });

    my $other = GW::Nginx->new(http => http($fake->server));
    ok($other->until(3, sub { up($other) }), 'a fake Redis');

    for my $key (qw(past short long text huge nobody)) {
        is($other->get("/reject?k=$key")->{status}, 503,
           "an answer that is none: $key");
    }

    is(q_('/f?k=start', $other), '200 OK 1 9', 'no start: by what is known');
    is(q_('/q?k=right', $other), '200 OK 1 2', 'a right one');

    my $n = grep { /^EVALSHA/ } $fake->received;
    is($other->get('/reject?k=wrong')->{status}, 503,
       'never the right period');
    is(scalar(grep { /^EVALSHA/ } $fake->received) - $n, 3,
       'it is named three times');
    $other->stop;
}
