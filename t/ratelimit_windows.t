#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# algorithm=sliding and algorithm=fixed, in shared memory and in Redis: what
# passes, what the client is told, what is stored.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(CLOCK_MONOTONIC clock_gettime sleep time);

my $redis = GW::Redis->new;
my $server = $redis->server;

my ($zones, $locations) = ('', '');

for my $where (qw(shm redis)) {
    my $in = $where eq 'redis' ? 'redis=main' : '';

    for my $kind (qw(fixed sliding)) {
        $zones .= <<"END";
    gw_limit_zone \$arg_k zone=$where.$kind:1m rate=5r/2s algorithm=$kind $in;
    gw_limit_zone \$arg_k zone=$where.$kind.day:1m rate=5r/d algorithm=$kind $in;
    gw_limit_zone \$arg_k zone=$where.$kind.plan:1m rate=\$arg_rate
                  algorithm=$kind $in;
END
        $locations .= <<"END";
        location /$where/$kind/short {
            gw_limit zone=$where.$kind cost=\$arg_c;
            empty_gif;
        }
        location /$where/$kind/day {
            gw_limit zone=$where.$kind.day nodelay cost=\$arg_c;
            empty_gif;
        }
        location /$where/$kind/plan {
            gw_limit zone=$where.$kind.plan;
            empty_gif;
        }
        location /$where/$kind/both {
            gw_limit zone=$where.$kind.day;
            gw_limit zone=$where.gcra nodelay;
            gw_limit zone=$where.other;
            empty_gif;
        }
END
    }

    $zones .= <<"END";
    gw_limit_zone \$arg_k zone=$where.gcra:1m rate=1r/d burst=7
                  algorithm=gcra $in;
    gw_limit_zone \$arg_o zone=$where.other:1m rate=1r/d algorithm=fixed $in;
END
}

my $nginx = GW::Nginx->new(workers => 2, http => <<"END");
    gw_redis main { server $server; timeout 1s; }

$zones

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Limit "\$gw_limit_status \$gw_limit_limit \$gw_limit_remaining" always;
        add_header X-Redis \$gw_redis_state_main always;

$locations
        location = /up { empty_gif; }
    }
END

ok($nginx->until(5, sub {
    $nginx->get('/up')->{header}{'x-redis'} eq 'up'
}), 'Redis is up');

for my $where (qw(shm redis)) {
    for my $kind (qw(fixed sliding)) {
        fields($where, $kind);
        turn($where, $kind);
        costs($where, $kind);
        plans($where, $kind);
        several($where, $kind);
    }
}

stored();
fallback();

unlike($nginx->log, qr/\[(alert|emerg)\]/, 'no alerts');

done_testing();


sub get {
    return $nginx->get(@_);
}


sub statuses {
    my ($times, $path) = @_;

    return join(' ', map { get($path)->{status} } 1 .. $times);
}


sub fields {
    my ($where, $kind) = @_;

    my $name = "$where.$kind.day";
    my $path = "/$where/$kind/day?k=f";

    my $r = get($path);
    is($r->{header}{'x-limit'}, 'PASSED 5 4', "$where $kind passed");
    is($r->{header}{'ratelimit-policy'}, "\"$name\";q=5;w=86400",
       "$where $kind policy has no burst");
    like($r->{header}{ratelimit}, qr/^"\Q$name\E";r=4;t=\d+$/,
         "$where $kind state");

    my ($t) = $r->{header}{ratelimit} =~ /t=(\d+)/;
    my $most = $kind eq 'fixed' ? 86400 : 2 * 86400;
    cmp_ok($t, '<=', $most, "$where $kind reset is that of a window");

    is(statuses(5, $path), '200 200 200 200 429', "$where $kind five a day");

    $r = get($path);
    is($r->{header}{'x-limit'}, 'REJECTED 5 0', "$where $kind rejected");
    is($r->{header}{'ratelimit-policy'}, "\"$name\";q=5;w=86400",
       "$where $kind policy of a rejection");

    ($t) = $r->{header}{ratelimit} =~ /r=0;t=(\d+)$/;
    cmp_ok(abs($r->{header}{'retry-after'} - $t), '<=', 1,
           "$where $kind Retry-After");
}


# a window of 2 s, from its begin

sub turn {
    my ($where, $kind) = @_;

    my $path = "/$where/$kind/short?k=t";

    # shared memory counts by the monotonic clock, Redis by its own

    my $now = $where eq 'redis' ? time() : clock_gettime(CLOCK_MONOTONIC);
    my $begun = int($now / 2) * 2 + 2 - $now;
    my $start = time() + $begun;
    sleep($begun + 0.05);

    is(statuses(6, $path), '200 200 200 200 200 429',
       "$where $kind five in a window");

    sleep(1.2);

    is(statuses(1, $path), '429', "$where $kind still the same window");

    my $r = get($path);
    my $retry = $r->{header}{'retry-after'};

    if ($kind eq 'fixed') {
        is($retry, 1, "$where $kind the window ends");
        sleep(1);
        is(statuses(6, $path), '200 200 200 200 200 429',
           "$where $kind five more at once");
        return;
    }

    # one of the five has to be left behind: 0.4 s of the next window

    cmp_ok($retry, '<=', 2, "$where $kind a part of the next window");
    sleep($start + 2.55 - time());
    is(statuses(3, $path), '200 429 429', "$where $kind one slid out");
    sleep(1.2);
    is(statuses(4, $path), '200 200 200 429', "$where $kind three more");
}


sub costs {
    my ($where, $kind) = @_;

    my $path = "/$where/$kind/day?k=c&c=";

    my $r = get($path . 6);
    is($r->{status}, 429, "K11 $where $kind cost above a window");
    ok(!exists $r->{header}{'retry-after'}, "K11 $where $kind never fits");

    is(get($path . 0)->{header}{'x-limit'}, 'PASSED 5 5',
       "K11 $where $kind cost 0 looks");
    is(get($path . 3)->{header}{'x-limit'}, 'PASSED 5 2', "$where $kind 3");
    is(get($path . 3)->{header}{'x-limit'}, 'REJECTED 5 2',
       "$where $kind 3 more are too much");
    is(get($path . 2)->{header}{'x-limit'}, 'PASSED 5 0', "$where $kind 2");
    is(get($path . 0)->{status}, 429, "K11 $where $kind nothing is left");
    is(get($path . 'abc')->{status}, 429, "K11 $where $kind abc is 1");
}


# N3: a plan with another limit or period

sub plans {
    my ($where, $kind) = @_;

    my $path = "/$where/$kind/plan?k=p&rate=";

    is(statuses(4, $path . '3r/d'), '200 200 200 429', "N3 $where $kind three");
    is(get($path . '10r/d')->{header}{'x-limit'}, 'PASSED 10 6',
       "N3 $where $kind an upgrade works at once");
    is(get($path . '2r/d')->{status}, 429, "N3 $where $kind a downgrade");
    is(get($path . '2r/s')->{status}, 429, "N3 $where $kind of the period");
    sleep($kind eq 'fixed' ? 1.1 : 2.1);
    is(get($path . '2r/s')->{status}, 200,
       "N3 $where $kind owes a window of its own");

    is(get($path . '0')->{status}, 429, "K12 $where $kind 0");
    is(get($path . 'unlimited')->{status}, 200, "K12 $where $kind unlimited");
    is(get($path . '300000000r/d')->{status}, 503,
       "K12 $where $kind more than a window counts");
}


# A11: all or none, algorithms mixed

sub several {
    my ($where, $kind) = @_;

    is(statuses(3, "/$where/$kind/both?k=s$kind&o=s$kind"), '200 429 429',
       "A11 $where $kind the third limit rejects");

    my $r = get("/$where/$kind/day?k=s$kind&c=0");
    is($r->{header}{'x-limit'}, 'PASSED 5 4', "A11 $where $kind took one");
}


sub stored {
    my @keys = sort @{$redis->command('KEYS', 'gw:1:s:*')};

    ok((grep { $_ eq 'gw:1:s:redis.sliding.day:{c}' } @keys), 'a key by zone');

    my %v = @{$redis->command('HGETALL', 'gw:1:s:redis.sliding.day:{c}')};
    is($v{c}, 5, 'the units of the window');
    is($v{p}, 0, 'and of that before');
    is($v{w} % 86400000000, 0, 'the end is that of a day');
    cmp_ok($v{w} / 1e6 - time(), '>', 86400, 'of the day after this one');

    my $ttl = $redis->command('PTTL', 'gw:1:s:redis.sliding.day:{c}');
    cmp_ok(abs($ttl / 1e3 - ($v{w} / 1e6 - time())), '<', 2,
           'K6 the key lives as long as it counts');
}


# what was admitted without Redis is charged when it is back

sub fallback {
    my $path = '/redis/fixed/day?k=fb';

    is(get($path)->{header}{'x-limit'}, 'PASSED 5 4', 'R2 before');

    $redis->kill;

    $nginx->until(5, sub {
        get('/up')->{header}{'x-redis'} ne 'up'
    });

    my @r = map { get($path) } 1 .. 3;
    is($r[-1]{header}{'x-limit'}, 'FALLBACK_PASSED 5 2', 'R2 counted here');

    $redis->start;

    ok($nginx->until(15, sub {
        get('/up')->{header}{'x-redis'} eq 'up'
    }), 'R3 Redis is back, empty');

    is(get($path)->{header}{'x-limit'}, 'PASSED 5 1',
       'R3 the three of the outage were charged');
}
