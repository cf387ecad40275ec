#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# final_cost and penalty: what a request costs in the end, in shared memory
# and in Redis.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(sleep time);

my $redis = GW::Redis->new;
my $server = $redis->server;

my @places = qw(shm redis);
my ($zones, $locations) = ('', '');

for my $p (@places) {
    my $in = $p eq 'redis' ? 'redis=main' : '';

    $zones .= <<"END";
    gw_limit_zone \$arg_k zone=${p}_fail:1m rate=1r/h burst=2 $in;
    gw_limit_zone \$arg_k\$http_x_k zone=${p}_bill:1m rate=1r/h burst=9 $in;
    gw_limit_zone \$arg_k zone=${p}_bytes:1m rate=1r/h burst=9999 $in;
    gw_limit_zone \$arg_k zone=${p}_sliding:1m rate=10r/d algorithm=sliding $in;
    gw_limit_zone \$arg_k zone=${p}_fixed:1m rate=10r/d algorithm=fixed $in;
    gw_limit_zone \$arg_k zone=${p}_pen:1m rate=1r/m burst=4 $in;
    gw_limit_zone \$arg_k zone=${p}_slide:1m rate=10r/h algorithm=sliding $in;
    gw_limit_zone \$arg_k zone=${p}_pre:1m rate=1r/h burst=4 $in;
    gw_limit_zone \$arg_k zone=${p}_full:1m rate=1r/h $in;
    gw_limit_zone \$arg_k zone=${p}_rate:1m rate=\$arg_r burst=4 $in;
END

    my %limits = (
        fail => "zone=${p}_fail nodelay cost=0 final_cost=\$is_4xx",
        bill => "zone=${p}_bill nodelay final_cost=\$bill",
        tokens => "zone=${p}_bill nodelay cost=1 final_cost=\$upstream_http_x_tokens",
        bytes => "zone=${p}_bytes nodelay cost=0 final_cost=\$bytes_sent",
        value => "zone=${p}_bill nodelay cost=3 final_cost=\$arg_f",
        three => "zone=${p}_bill nodelay cost=3 final_cost=1",
        sliding => "zone=${p}_sliding cost=3 final_cost=\$arg_f",
        fixed => "zone=${p}_fixed cost=3 final_cost=\$arg_f",
        shadow => "zone=${p}_full shadow final_cost=\$arg_f penalty=1",
        off => "zone=${p}_bill nodelay final_cost=5 if=\$arg_i",
        rate => "zone=${p}_rate nodelay cost=1 final_cost=\$arg_f penalty=\$arg_p",
    );

    for my $name (sort keys %limits) {
        $locations .= "location /$p/$name/ { gw_limit $limits{$name}; "
                      . "proxy_pass http://127.0.0.1:%%PORT%%/b/; }\n";
    }

    for my $zone (qw(fail bill bytes sliding fixed pen slide pre full)) {
        $locations .= "location = /$p/look/$zone { "
                      . "gw_limit zone=${p}_$zone cost=0 nodelay; empty_gif; }\n";
    }

    $locations .= <<"END";
        location = /$p/pen { gw_limit zone=${p}_pen nodelay penalty=2; empty_gif; }
        location = /$p/penv { gw_limit zone=${p}_pen nodelay penalty=\$arg_p; empty_gif; }
        location = /$p/slide { gw_limit zone=${p}_slide cost=\$arg_c penalty=4; empty_gif; }
        location = /$p/none { gw_limit zone=${p}_pen nodelay; empty_gif; }
        location = /$p/dry { gw_limit_dry_run on; gw_limit zone=${p}_pen nodelay penalty=2; empty_gif; }
        location = /$p/bypass {
            gw_limit zone=${p}_bill nodelay final_cost=5;
            gw_limit_bypass 1;
            empty_gif;
        }
        location = /$p/denied {
            gw_limit zone=${p}_pre nodelay cost=0 final_cost=\$is_4xx phase=preaccess;
            deny all;
        }
        location = /$p/both {
            gw_limit zone=${p}_pre nodelay final_cost=3 phase=preaccess;
            gw_limit zone=${p}_full;
            empty_gif;
        }
        location = /$p/redirect {
            gw_limit zone=${p}_bill nodelay final_cost=\$arg_f;
            error_page 404 = /$p/value/200?k=\$arg_k&f=7;
            try_files /none =404;
        }
        location = /$p/subs {
            gw_limit_subrequests on;
            gw_limit zone=${p}_pre nodelay cost=0;
            auth_request /$p/sub;
            empty_gif;
        }
        location = /$p/sub {
            internal;
            gw_limit_subrequests on;
            gw_limit zone=${p}_bill nodelay cost=1 final_cost=\$upstream_http_x_tokens;
            proxy_pass http://127.0.0.1:%%PORT%%/b/200?t=4;
        }
        location = /$p/hang {
            gw_limit zone=${p}_bill nodelay cost=1 final_cost=\$is_4xx\$is_4xx;
            proxy_pass http://127.0.0.1:%%PORT%%/b/slow;
        }
        location = /$p/quota {
            gw_limit zone=${p}_bill nodelay cost=4 final_cost=1;
            gw_quota zone=none;
            empty_gif;
        }
END
}

my $nginx = GW::Nginx->new(workers => 1, http => <<"END");
    gw_redis main { server $server; timeout 1s; }

    map \$status \$bill { ~^5 0; default 1; }
    map \$status \$is_4xx { ~^4 1; default 0; }

$zones
    gw_limit_zone \$arg_k zone=slow:1m rate=1r/s burst=9;
    gw_quota_zone \$arg_k zone=none:1m quota=0 period=day;

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Limit "\$gw_limit_status \$gw_limit_remaining" always;
        add_header X-Retry \$gw_limit_retry_after always;
        add_header X-Redis \$gw_redis_state_main always;

        location /b/ { return 404; }
        location /b/200 { add_header X-Tokens \$arg_t; return 200 ok; }
        location /b/404 { return 404; }
        location /b/500 { return 500; }
        location /b/slow { gw_limit zone=slow cost=9; empty_gif; }
        location = /m { gw_metrics prometheus; }
$locations
    }
END

ok($nginx->until(5, sub {
    ($nginx->get('/shm/look/pre?k=up')->{header}{'x-redis'} || '') eq 'up'
}), 'Redis is up');

my $key = 'k0';


sub look {
    my ($p, $zone) = @_;

    $nginx->get("/$p/look/$zone?k=$key")->{header}{'x-limit'} =~ / (\d+)$/;

    return $1;
}


# nobody waits for Redis

sub left {
    my ($p, $zone, $left, $name) = @_;
    my $is;

    $nginx->until(2, sub { ($is = look($p, $zone)) == $left });

    is($is, $left, "$name, $p");
}


# nothing happens: give it the time to

sub stays {
    my ($p, $zone, $left, $name) = @_;

    sleep(0.1) if $p eq 'redis';
    is(look($p, $zone), $left, "$name, $p");
}


sub get {
    my ($uri, $args) = @_;

    return $nginx->get("$uri?k=$key" . ($args ? "&$args" : ''));
}


sub metric {
    my ($policy, $result) = @_;

    return $nginx->get('/m')->{body} =~ /^gw_limit_adjusted_units_total
        \{policy="$policy",result="$result"\}\ (\d+)$/mx ? $1 : -1;
}


for my $p (@places) {

    # the recipes

    $key = "fail$p";
    get("/$p/fail/200") for 1 .. 5;
    stays($p, 'fail', 3, 'only failures count, these are none');
    get("/$p/fail/404");
    left($p, 'fail', 2, 'one failure');
    get("/$p/fail/404") for 1, 2;
    left($p, 'fail', 0, 'three failures');

    my $r = get("/$p/fail/200");
    is($r->{status}, 429, "the fourth request is rejected, $p");
    my $retry = $r->{header}{'x-retry'};
    get("/$p/fail/404") for 1 .. 5;
    cmp_ok(get("/$p/fail/404")->{header}{'x-retry'}, '<=', $retry,
           "a rejection is no failure, $p");

    $key = "bill$p";
    get("/$p/bill/500") for 1 .. 4;
    left($p, 'bill', 10, '5xx are free');
    get("/$p/bill/200");
    left($p, 'bill', 9, 'other ones are not');

    $key = "tokens$p";
    get("/$p/tokens/200", 't=6');
    left($p, 'bill', 4, 'six tokens');
    get("/$p/tokens/200");
    stays($p, 'bill', 3, 'no answer of the upstream costs what was charged');
    get("/$p/tokens/200", 't=0');
    left($p, 'bill', 3, 'no tokens');

    # TAT is at most now + 2 tau: 3 of 10 are left, 17 are not

    get("/$p/tokens/200", 't=1000000');
    left($p, 'bill', 0, 'a million tokens');
    $r = get("/$p/bill/200");
    cmp_ok($r->{header}{'x-retry'}, '>', 10 * 3600 - 60,
           "K11 a debt of one bucket, $p");
    cmp_ok($r->{header}{'x-retry'}, '<=', 11 * 3600, "K11 and no more, $p");

    $key = "bytes$p";
    $r = get("/$p/bytes/200");
    $nginx->until(2, sub { look($p, 'bytes') < 10000 });
    cmp_ok(look($p, 'bytes'), '<', 9900, "bytes are charged, $p");
    cmp_ok(look($p, 'bytes'), '>', 9500, "those of the response, $p");

    # K11, K12: values

    my $n = 0;

    for my $case ([0, 10], [1, 9], [3, 7], ['', 7], ['-1', 7], ['abc', 7],
                  ['1e9', 7], ['5%20', 7], ['7;x', 7],
                  ['9223372036854775808', 0], ['1000000000', 0])
    {
        my ($value, $left) = @$case;

        $key = "v$p" . $n++;
        get("/$p/value/200", "f=$value");
        left($p, 'bill', $left, "K11 final_cost \"$value\"");
    }

    $key = "three$p";
    get("/$p/three/200");
    left($p, 'bill', 9, 'a final cost without variables');

    # windows

    for my $kind (qw(sliding fixed)) {
        $key = "w$kind$p";
        get("/$p/$kind/200", 'f=1');
        left($p, $kind, 9, "two are given back to a $kind window");
        get("/$p/$kind/200", 'f=5');
        left($p, $kind, 4, "two more are charged");
        get("/$p/$kind/200", 'f=500');
        left($p, $kind, 0, "a window is filled, it owes nothing");
    }

    # K12: the rate is a variable

    $key = "rate$p";
    is(get("/$p/rate/200", 'r=unlimited&f=5')->{header}{'x-limit'}, 'PASSED ',
       "K12 an unlimited rate is not corrected, $p");
    is(get("/$p/rate/200", 'r=0&p=5&f=5')->{header}{'x-limit'}, 'REJECTED 0',
       "K12 a rate of 0 owes nothing, $p");
    is(get("/$p/rate/200", 'r=1r/h&f=3')->{header}{'x-limit'}, 'PASSED 4',
       "K12 another rate, $p");
    my $now;
    $nginx->until(2, sub {
        $now = get("/$p/rate/200", 'r=1r/h&f=0&p=bad')->{header}{'x-limit'};
        $now eq 'PASSED 1' });
    is($now, 'PASSED 1', "K12 three are charged by it, $p");
}


# what is not corrected

for my $p (@places) {
    $key = "none$p";

    is(get("/$p/bypass")->{header}{'x-limit'}, 'BYPASSED ', "bypassed, $p");
    get("/$p/off/200");
    stays($p, 'bill', 10, 'a request that is bypassed, or not limited');
    get("/$p/off/200", 'i=1');
    left($p, 'bill', 5, 'but one that is');

    get("/$p/quota");
    left($p, 'bill', 5, 'a quota has rejected, all is given back');

    # N12: access is refused, the limit before it counts that

    $key = "n12$p";
    is(get("/$p/denied")->{status}, 403, "N12 access is denied, $p");
    left($p, 'pre', 4, 'N12 a failure before access');

    # rejected by the second phase: the first keeps what it charged

    $key = "both$p";
    is(get("/$p/both")->{status}, 200, "two phases, $p");
    left($p, 'pre', 2, 'three are charged');
    is(get("/$p/both")->{status}, 429, "rejected by the second one, $p");
    stays($p, 'pre', 1, 'the cost stays');

    # N10: once

    $key = "n10$p";
    is(get("/$p/redirect", 'f=4')->{status}, 200, "N10 error_page, $p");
    left($p, 'bill', 3, 'N10 the limit of the first location, at the end');
    stays($p, 'bill', 3, 'N10 and once');

    # N11: the subrequest has a limit of its own

    $key = "n11$p";
    is($nginx->get("/$p/subs?k=main", header => "X-K: $key")->{status}, 200, "N11 a subrequest, $p");
    left($p, 'bill', 6, 'N11 is corrected with its request');

    # N8: the client leaves

    $key = "n8$p";
    my $sock = $nginx->connect;
    print $sock "GET /$p/hang?k=$key HTTP/1.1\r\nHost: x\r\n\r\n";
    left($p, 'bill', 9, 'N8 a request that takes its time');
    close($sock);
    left($p, 'bill', 0, 'N8 a client that leaves: 499, eleven units');

    # shadow

    $key = "shadow$p";
    get("/$p/shadow/200", 'f=0');
    left($p, 'full', 1, 'shadow is corrected');
    get("/$p/shadow/200", 'f=1');
    is(get("/$p/shadow/200", 'f=0')->{header}{'x-limit'},
       'REJECTED_DRY_RUN 0', "what has no room is not, $p");
    stays($p, 'full', 0, 'nothing is given back');
}


# penalty

for my $p (@places) {
    $key = "pen$p";

    is(get("/$p/pen")->{status}, 200, "$_ of 5, $p") for 1 .. 5;

    my $r = get("/$p/pen");
    is($r->{status}, 429, "rejected, $p");
    cmp_ok($r->{header}{'x-retry'}, '>', 170, "two units more to wait, $p");
    cmp_ok($r->{header}{'x-retry'}, '<=', 180, "not three, $p");
    is($r->{header}{'retry-after'}, $r->{header}{'x-retry'}, "Retry-After, $p");

    my $retry = 0;
    $nginx->until(2, sub {
        $retry = get("/$p/none")->{header}{'x-retry'};
        $retry > 170 });
    cmp_ok($retry, '>', 170, "so it is, $p");

    get("/$p/pen") for 1 .. 5;

    $nginx->until(2, sub {
        $retry = get("/$p/none")->{header}{'x-retry'};
        $retry > 350 });
    cmp_ok($retry, '>', 350, "the debt is one bucket, $p");
    cmp_ok($retry, '<=', 360, "and no more, $p");

    $key = "dry$p";
    is(get("/$p/dry")->{status}, 200, "dry run, $p") for 1 .. 6;
    $nginx->until(2, sub {
        $retry = get("/$p/none")->{header}{'x-retry'};
        $retry > 170 });
    cmp_ok($retry, '>', 170, "counts the penalty, $p");

    # a sliding window: the debt counts in the next one, too

    $key = "slide$p";
    is(get("/$p/slide", 'c=8')->{status}, 200, "eight of ten, $p");
    my $before = get("/$p/slide", 'c=0')->{header}{'x-limit'};
    is($before, 'PASSED 2', "two are left, $p");
    is(get("/$p/slide", 'c=3')->{status}, 429, "three have no room, $p");
    left($p, 'slide', 0, 'the window is full');

    for my $value ('', 'abc', '-2', '0') {
        $key = "p$p" . ($value || 'none');
        $key =~ s/\W//g;
        get("/$p/penv", "p=$value") for 1 .. 8;
        sleep(0.05);
        cmp_ok(get("/$p/none")->{header}{'x-retry'}, '<=', 60,
               "K11 penalty \"$value\", $p");
    }
}


# one line a minute for a kind of mistake

my $lines = () = $nginx->log =~ /final_cost of a gw_limit is not a number/g;
is($lines, 1, 'K11 one line tells of a bad final_cost');
$lines = () = $nginx->log =~ /penalty of a gw_limit is not a number/g;
is($lines, 1, 'K11 one line tells of a bad penalty');
like($nginx->log, qr/\[error\].*the final_cost of a gw_limit is not a number, the cost stays, zone "shm_bill" \(2 bytes\)/,
     'K11 its text');

for my $p (@places) {
    is(metric("${p}_sliding", 'given'), 2, "given back, $p");
    is(metric("${p}_sliding", 'charged'), 2 + 497, "charged, $p");
    is(metric("${p}_slide", 'penalty'), 4, "penalties, $p");
    is(metric("${p}_fixed", $_), 0, "$_, $p") for qw(dropped unknown penalty);
}

is(metric('slow', 'given'), -1, 'a zone without them has no such metric');

$nginx->stop;


# Redis is away when the request is over

my $far = GW::Nginx->new(workers => 1, http => <<"END");
    gw_redis main {
        server $server;
        timeout 50ms;
        stall_timeout 10s;
        max_fails 1;
        fail_timeout 200ms;
    }
    gw_limit_zone \$arg_k zone=far:1m rate=1r/h burst=9 redis=main;
    gw_limit_zone \$arg_k zone=slow:1m rate=4r/s burst=9;

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Limit "\$gw_limit_status \$gw_limit_remaining" always;
        add_header X-Redis \$gw_redis_state_main always;

        location = /far { gw_limit zone=far nodelay final_cost=\$arg_f; empty_gif; }
        location = /slow {
            gw_limit zone=far nodelay final_cost=\$arg_f;
            proxy_pass http://127.0.0.1:%%PORT%%/b/slow;
        }
        location = /look { gw_limit zone=far nodelay cost=0; empty_gif; }
        location = /b/slow { gw_limit zone=slow cost=3; empty_gif; }
        location = /m { gw_metrics prometheus; }
    }
END

sub far_up {
    return $far->until(8, sub {
        $far->get('/look?k=up')->{header}{'x-limit'} eq 'PASSED 10' });
}


sub far_left {
    my ($key, $left, $name) = @_;
    my $is;

    $far->until(4, sub {
        $is = $far->get("/look?k=$key")->{header}{'x-limit'};
        $is eq "PASSED $left" });

    is($is, "PASSED $left", $name);
}


sub far_metric {
    my ($result, $value, $name) = @_;
    my $is;

    $far->until(9, sub {
        ($is) = $far->get('/m')->{body} =~ /^gw_limit_adjusted_units_total
            \{policy="far",result="$result"\}\ (\d+)$/mx;
        $is == $value });

    is($is, $value, $name);
}


# the request, and what happens while it is in progress

sub meanwhile {
    my ($uri, $code) = @_;

    my $sock = $far->connect;
    print $sock "GET $uri HTTP/1.0\r\nHost: x\r\n\r\n";
    sleep(0.15);
    $code->();

    return join('', <$sock>);
}


ok(far_up(), 'Redis is up');

# R5: it answers late, when the request is over

$redis->pause;
is($far->get('/far?k=late&f=4')->{header}{'x-limit'}, 'FALLBACK_PASSED 9',
   'R5 no answer in time');
$redis->resume;
ok(far_up(), 'Redis is back');
far_left('late', 6, 'R5 four are charged in Redis in the end');

# it is cut off: sent again when it is there again

meanwhile('/slow?k=again&f=4', sub { $redis->kill });
$redis->start;
ok(far_up(), 'Redis is back, and empty');
far_left('again', 7, 'what it has not run is sent again: three of four');

# it stands still: the call may have run, and has

my $before = $redis->command('GET', 'gw:1:l:far:{still}');
is($before, undef, 'a new key');
meanwhile('/slow?k=still&f=5', sub { $redis->pause });
far_metric('unknown', 4, 'no reply within a second');
$redis->resume;
ok(far_up(), 'Redis is back');
far_left('still', 5, 'once, not twice');

# it stays away

meanwhile('/slow?k=gone&f=6', sub { $redis->kill });
far_metric('dropped', 5, 'five attempts, and no more');

$far->stop;

done_testing();
