#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Rates, bursts, delays and costs that depend on the request, in shared memory
# and in Redis; values that are none.

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

# the same zones and locations twice: /shm/... and /redis/...

my ($zones, $locations) = ('', '');

for my $where (qw(shm redis)) {
    my $in = $where eq 'redis' ? 'redis=main' : '';

    $zones .= <<"END";
    gw_limit_zone \$arg_k zone=$where.plan:1m rate=\$plan_rate
                  burst=\$plan_burst $in;
    gw_limit_zone \$arg_k zone=$where.raw:1m rate=\$arg_rate burst=2 $in;
    gw_limit_zone \$arg_k zone=$where.default:1m rate=\$arg_rate rate=1r/m
                  burst=\$arg_burst burst=1 $in;
    gw_limit_zone \$arg_k zone=$where.fixed:1m rate=1r/m burst=1 $in;
END
    $locations .= <<"END";
        location /$where/plan { gw_limit zone=$where.plan nodelay; empty_gif; }
        location /$where/raw { gw_limit zone=$where.raw nodelay; empty_gif; }
        location /$where/pass {
            gw_limit zone=$where.raw nodelay;
            gw_limit zone=$where.fixed nodelay;
            gw_limit_on_error pass;
            empty_gif;
        }
        location /$where/reject {
            gw_limit zone=$where.raw nodelay;
            gw_limit zone=$where.fixed nodelay;
            gw_limit_on_error reject=500;
            empty_gif;
        }
        location /$where/default {
            gw_limit zone=$where.default nodelay;
            empty_gif;
        }
        location /$where/burst {
            gw_limit zone=$where.fixed burst=\$arg_burst nodelay;
            empty_gif;
        }
        location /$where/dry {
            gw_limit zone=$where.raw;
            gw_limit_dry_run on;
            empty_gif;
        }
        location /$where/cost {
            gw_limit zone=$where.fixed burst=9 nodelay cost=\$arg_cost;
            empty_gif;
        }
        location /$where/delay {
            gw_limit zone=$where.delay burst=5 delay=\$arg_delay;
            empty_gif;
        }
END
    $zones .= "    gw_limit_zone \$arg_k zone=$where.delay:1m rate=10r/s $in;\n";
}

my $nginx = GW::Nginx->new(workers => 1, http => <<"END");
    gw_redis main { server $server; timeout 1s; }

    map \$http_x_plan \$plan_rate {
        default 1r/m; gold 1000r/s; internal unlimited; none 0; off 0r/s;
    }
    map \$http_x_plan \$plan_burst { default 2; gold 9; }

$zones

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Limit "\$gw_limit_status \$gw_limit_source \$gw_limit_limit \$gw_limit_remaining" always;
        add_header X-Redis \$gw_redis_state_main always;

$locations
        location = /up { empty_gif; }
        location = /m { gw_metrics prometheus; }
    }
END

ok($nginx->until(5, sub {
    $nginx->get('/up')->{header}{'x-redis'} eq 'up'
}), 'Redis is up');

for my $where (qw(shm redis)) {
    plans($where);
    changes($where);
    invalid($where);
    numbers($where);
}

remembered();

done_testing();


sub get {
    my ($path, $plan) = @_;

    return $nginx->get($path, $plan ? (header => "X-Plan: $plan") : ());
}


sub statuses {
    my ($times, @args) = @_;

    return join(' ', map { get(@args)->{status} } 1 .. $times);
}


sub plans {
    my ($where) = @_;

    my $source = $where eq 'redis' ? 'redis' : 'shm';
    my $path = "/$where/plan?k=p";

    my $r = get($path . 1);
    is($r->{header}{'x-limit'}, "PASSED $source 1 2", "$where default plan");
    is($r->{header}{'ratelimit-policy'},
       "\"$where.plan\";q=1;w=60;gw-burst=2", "$where its policy");
    is(statuses(3, $path . 1), '200 200 429', "$where its burst");

    $r = get($path . 2, 'gold');
    is($r->{header}{'ratelimit-policy'},
       "\"$where.plan\";q=1000;w=1;gw-burst=9", "$where another plan");

    is(statuses(30, $path . 3, 'internal'), join(' ', (200) x 30),
       "K12 $where rate unlimited");

    $r = get($path . 3, 'internal');
    is($r->{header}{'x-limit'}, 'PASSED   ', "K12 $where status of unlimited");
    ok(!exists $r->{header}{ratelimit}, "K12 $where no fields of unlimited");

    for my $plan (qw(none off)) {
        $r = get($path . 4, $plan);
        is($r->{status}, 429, "K12 $where rate 0 rejects, $plan");
        ok(!exists $r->{header}{'retry-after'},
           "K12 $where rate 0 has no Retry-After, $plan");
        is($r->{header}{'ratelimit-policy'}, "\"$where.plan\";q=0;w=1",
           "K12 $where policy of rate 0, $plan");
        is($r->{header}{ratelimit}, "\"$where.plan\";r=0",
           "K12 $where state of rate 0, $plan");
    }
}


# 1.5: an upgrade works at once, a downgrade locks out for one new bucket

sub changes {
    my ($where) = @_;

    my $path = "/$where/plan?k=c";

    is(statuses(4, $path . 1), '200 200 200 429', "N3 $where a small plan");
    is(statuses(1, $path . 1, 'gold'), '429', "N3 $where the state is kept");
    sleep(0.01);
    is(statuses(1, $path . 1, 'gold'), '200',
       "N3 $where an upgrade locks out for one new bucket");

    # rate 10r/m burst 2 holds 18 s; behind it one second of 2r/s
    $path = "/$where/raw?k=c2&rate=";

    is(statuses(4, $path . '10r/m'), '200 200 200 429', "N3 $where slow");
    is(statuses(1, $path . '2r/s'), '429', "N3 $where faster");
    sleep(0.55);
    is(statuses(1, $path . '2r/s'), '200', "N3 $where free after one token");

    # a downgrade: what was taken at 100r/s is a part of the bucket of 1r/m
    is(statuses(1, "/$where/raw?k=c3&rate=100r/s"), '200', "N3 $where fast");
    sleep(0.02);
    is(statuses(4, "/$where/raw?k=c3&rate=1r/m"), '200 200 200 429',
       "N3 $where a downgrade has the new bucket");

    my $r = get("/$where/raw?k=c3&rate=1r/m");
    cmp_ok($r->{header}{'retry-after'}, '<=', 60,
           "N3 $where a downgrade waits for one token at most");
}


sub invalid {
    my ($where) = @_;

    my $n = 0;

    for my $rate ('10r/s;drop', '-5', 'x', '10', '99999999r/s', '5r/400d') {
        my $r = get("/$where/raw?k=i&rate=$rate");
        is($r->{status}, 503, "K12 $where invalid rate $rate is not decided");
        is($r->{header}{'x-limit'}, 'ERROR_REJECTED   ',
           "K12 $where status of $rate");

        $r = get("/$where/default?k=i" . $n++ . "&rate=$rate");
        is($r->{status}, 200, "K12 $where $rate has a default");
        is($r->{header}{'ratelimit-policy'},
           "\"$where.default\";q=1;w=60;gw-burst=1", "K12 $where it is that");
    }

    is(get("/$where/raw?k=i")->{status}, 200, "K12 $where empty rate is none");

    is(statuses(3, "/$where/pass?k=i2&rate=x"), '200 200 429',
       "K12 $where on_error pass passes this limit alone");
    is(get("/$where/pass?k=i3&rate=x")->{header}{'x-limit'},
       'ERROR_PASSED ' . ($where eq 'redis' ? 'redis' : 'shm') . ' 1 1',
       "K12 $where its status");

    is(get("/$where/reject?k=i4&rate=x")->{status}, 500,
       "K12 $where on_error reject");
    is(statuses(3, "/$where/reject?k=i4"), '200 200 429',
       "K12 $where which took nothing");

    my $r = get("/$where/dry?k=i5&rate=x");
    is("$r->{status} $r->{header}{'x-limit'}", '200 REJECTED_DRY_RUN   ',
       "K12 $where dry run");
    $r = get("/$where/dry?k=i5&rate=0");
    is($r->{status}, 200, "K12 $where dry run of rate 0");
    like($r->{header}{'x-limit'}, qr/^REJECTED_DRY_RUN /,
         "K12 $where its status");

    # a burst that does not fit the rate is as bad as no rate
    is(get("/$where/default?k=i6&rate=1r/366d&burst=1000000000")->{status},
       503, "K12 $where a bucket that no clock holds, nor the default");
    is(get("/$where/default?k=i7&rate=1r/m&burst=x")
           ->{header}{'ratelimit-policy'},
       "\"$where.default\";q=1;w=60;gw-burst=1",
       "K12 $where the default of a burst");
    is(get("/$where/default?k=i8&rate=1r/m&burst=7")
           ->{header}{'ratelimit-policy'},
       "\"$where.default\";q=1;w=60;gw-burst=7", "K12 $where a burst");
}


sub numbers {
    my ($where) = @_;

    is(statuses(5, "/$where/burst?k=n1&burst=3"), '200 200 200 200 429',
       "$where burst of the limit");
    is(statuses(3, "/$where/burst?k=n2"), '200 200 429',
       "$where an empty burst is that of the zone");
    is(statuses(3, "/$where/burst?k=n3&burst=x"), '200 200 429',
       "$where an invalid burst, too");
    is(statuses(2, "/$where/burst?k=n4&burst=0"), '200 429',
       "$where burst 0");

    # K11

    is(get("/$where/cost?k=n5&cost=0")->{header}{'x-limit'},
       'PASSED ' . ($where eq 'redis' ? 'redis' : 'shm') . ' 1 10',
       "K11 $where cost 0 looks");

    for my $cost ('-1', 'abc', '1.5') {
        like(get("/$where/cost?k=n6$cost&cost=$cost")->{header}{'x-limit'},
             qr/ 9$/, "K11 $where cost $cost is 1");
    }

    for my $cost (11, '1e9', '1000000000', '9223372036854775808') {
        my $r = get("/$where/cost?k=n7&cost=$cost");

        next if $cost eq '1e9';

        is($r->{status}, 429, "K11 $where cost $cost is too much");
        ok(!exists $r->{header}{'retry-after'},
           "K11 $where cost $cost has no Retry-After");
    }

    # two at once, the next one waits

    my $time = time();
    is(statuses(3, "/$where/delay?k=n8&delay=2"), '200 200 200',
       "$where delay");
    cmp_ok(time() - $time, '<', 0.09, "$where two above the rate at once");

    get("/$where/delay?k=n9&delay=x");
    $time = time();
    get("/$where/delay?k=n9&delay=x");
    cmp_ok(time() - $time, '>', 0.07, "$where an invalid delay is 0");
}


# K11, K12: one line a minute for each kind of value; more rates than a worker
# remembers

sub remembered {
    my $log = $nginx->log;

    for my $kind ('the rate of a gw_limit is invalid or too large',
                  'the burst of a gw_limit is not a number',
                  'the delay of a gw_limit is not a number, it counts as 0',
                  'the cost of a gw_limit is not a number, it counts as 1')
    {
        my $n = () = $log =~ /\Q$kind, zone "\E/g;
        is($n, 1, "K12 one line: $kind");
    }

    unlike($log, qr/\[alert\]|\[emerg\]/, 'no alerts');

    my $wrong = 0;

    for my $turn (1, 2) {
        for my $rate (1 .. 100) {
            my $r = get("/shm/raw?k=m$rate&rate=${rate}r/s");
            $wrong++ unless $r->{header}{'x-limit'} =~ /^PASSED shm $rate /;
        }
    }

    is($wrong, 0, 'many rates');

    my $long = '000000000000005r/000000000000010m';
    is(get("/shm/raw?k=m&rate=$long")->{header}{'ratelimit-policy'},
       '"shm.raw";q=5;w=600;gw-burst=2', 'a rate of many characters');
}
