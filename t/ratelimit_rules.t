#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Which limits of a request may reject: shadow, if, gw_limit_bypass, a dry run
# for a share of the keys; the jitter of Retry-After; variables by zone.

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

my ($zones, $locations) = ('', '');

for my $where (qw(shm redis)) {
    my $in = $where eq 'redis' ? 'redis=main' : '';

    $zones .= <<"END";
    gw_limit_zone \$arg_k zone=${where}_one:1m rate=1r/m $in;
    gw_limit_zone \$arg_k zone=${where}_two:1m rate=1r/m burst=1 $in;
    gw_limit_zone \$arg_k zone=${where}_win:1m rate=1r/d algorithm=sliding $in;
    gw_limit_zone \$arg_k zone=${where}_slow:1m rate=1r/m burst=5 $in;
END
    $locations .= <<"END";
        location /$where/shadow {
            gw_limit zone=${where}_one shadow;
            gw_limit zone=${where}_two nodelay;
            empty_gif;
        }
        location /$where/last {
            gw_limit zone=${where}_two nodelay;
            gw_limit zone=${where}_one shadow;
            gw_limit zone=${where}_win shadow;
            empty_gif;
        }
        location /$where/only { gw_limit zone=${where}_one shadow; empty_gif; }
        location /$where/look { gw_limit zone=${where}_two nodelay cost=0; empty_gif; }
        location /$where/slow {
            gw_limit zone=${where}_slow shadow;
            empty_gif;
        }
        location /$where/if {
            gw_limit zone=${where}_one if=\$arg_if;
            empty_gif;
        }
        location /$where/bypass {
            gw_limit zone=${where}_one;
            gw_limit_bypass \$arg_b \$arg_c;
            empty_gif;
        }
        location /$where/percent {
            gw_limit zone=${where}_one;
            gw_limit_dry_run 30%;
            gw_limit_log_level info;
            empty_gif;
        }
        location /$where/jitter {
            gw_limit zone=${where}_one;
            gw_limit_retry_jitter 50%;
            gw_limit_log_level info;
            empty_gif;
        }
END
}

my $nginx = GW::Nginx->new(workers => 1, http => <<"END");
    gw_redis main { server $server; timeout 1s; }

$zones
    gw_concurrency_zone \$arg_k zone=conc:1m;
    gw_quota_zone \$arg_k zone=quota:1m quota=1 period=day;

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Limit "\$gw_limit_status \$gw_limit_zone" always;
        add_header X-Left "\$gw_limit_remaining_shm_one/\$gw_limit_limit_shm_one \$gw_limit_remaining_shm_two/\$gw_limit_limit_shm_two" always;
        add_header X-Retry \$gw_limit_retry_after always;
        add_header X-Redis \$gw_redis_state_main always;
        add_header X-Conc \$gw_concurrency_status always;

$locations
        location /conc/percent {
            gw_concurrency zone=conc limit=0;
            gw_limit_dry_run 30%;
            gw_limit_log_level info;
            empty_gif;
        }
        location /conc/bypass {
            gw_concurrency zone=conc limit=0;
            gw_limit_bypass \$arg_b;
            empty_gif;
        }
        location /quota/percent {
            gw_quota zone=quota;
            gw_limit_dry_run 30%;
            gw_limit_log_level info;
            empty_gif;
        }
        location /quota/bypass {
            gw_quota zone=quota;
            gw_limit_bypass \$arg_b;
            empty_gif;
        }
        location = /up { empty_gif; }
        location = /m { gw_metrics prometheus; }
    }
END

ok($nginx->until(5, sub {
    $nginx->get('/up')->{header}{'x-redis'} eq 'up'
}), 'Redis is up');

for my $where (qw(shm redis)) {
    shadow($where);
    conditions($where);
    bypass($where);
    share($where);
    jitter($where);
}

variables();
concurrency();
unlike($nginx->log, qr/\[(alert|emerg)\]/, 'no alerts');

done_testing();


sub statuses {
    my ($times, $path) = @_;

    return join(' ', map { $nginx->get($path)->{status} } 1 .. $times);
}


sub shadow {
    my ($where) = @_;

    my $path = "/$where/shadow?k=s1";

    my $r = $nginx->get($path);
    is($r->{header}{'x-limit'}, "PASSED ${where}_one", "$where shadow passed");
    is($r->{header}{'ratelimit-policy'}, "\"${where}_two\";q=1;w=60;gw-burst=1",
       "$where a shadow is not shown");
    is($r->{header}{ratelimit}, "\"${where}_two\";r=1;t=60",
       "$where nor its state");

    $r = $nginx->get($path);
    is("$r->{status} $r->{header}{'x-limit'}",
       "200 REJECTED_DRY_RUN ${where}_one", "$where a shadow rejects nobody");
    like($nginx->log, qr/request rejected, shadow, excess: 0\.9\d+, zone "${where}_one"/,
         "$where but says so");

    $r = $nginx->get($path);
    is("$r->{status} $r->{header}{'x-limit'}", "429 REJECTED ${where}_two",
       "$where the other limit rejects");

    # the one that follows the rejecting limit takes nothing

    is(statuses(3, "/$where/last?k=s2"), '200 200 429', "$where other order");
    is(statuses(2, "/$where/look?k=s3"), '200 200', "$where look");

    is(statuses(3, "/$where/only?k=s4"), '200 200 200', "$where one alone");
    $r = $nginx->get("/$where/only?k=s4");
    ok(!exists $r->{header}{ratelimit}, "$where has no fields");

    is(statuses(2, "/$where/slow?k=s5"), '200 200', "$where no delay");
    is($nginx->get("/$where/slow?k=s5")->{header}{'x-limit'},
       "DELAYED_DRY_RUN ${where}_slow", "$where delayed shadow");

    my $body = $nginx->get('/m')->{body};
    my $source = $where;
    like($body, qr/gw_limit_requests_total\{policy="${where}_one",result="rejected_dry_run",source="$source"\} [1-9]/,
         "$where is counted");
    like($body, qr/gw_limit_requests_total\{policy="${where}_slow",result="delayed_dry_run",source="$source"\} 2\n/,
         "$where delays are, too");
}


sub conditions {
    my ($where) = @_;

    is(statuses(3, "/$where/if?k=i1"), '200 200 200', "$where if is empty");
    is(statuses(3, "/$where/if?k=i1&if=0"), '200 200 200', "$where if is 0");
    is($nginx->get("/$where/if?k=i1")->{header}{'x-limit'}, '',
       "$where no limit, no status");
    is(statuses(2, "/$where/if?k=i1&if=1"), '200 429', "$where if is 1");
    is(statuses(2, "/$where/if?k=i2&if=00"), '200 429', "$where if is 00");
}


sub bypass {
    my ($where) = @_;

    is(statuses(3, "/$where/bypass?k=b1&b=1"), '200 200 200',
       "$where bypass");
    is(statuses(3, "/$where/bypass?k=b1&c=x"), '200 200 200',
       "$where bypass by the second value");
    is($nginx->get("/$where/bypass?k=b1&b=1")->{header}{'x-limit'},
       'BYPASSED ', "$where its status");
    is(statuses(2, "/$where/bypass?k=b1&b=0&c="), '200 429',
       "$where no bypass");
    is(statuses(1, "/$where/bypass?k=b1&b=1"), '200', "$where bypass again");
}


# about 30 of 100 keys are limited, in both zones the same ones

my %limited;

sub share {
    my ($where) = @_;

    my ($n, $other, $shown) = (0, 0, 0);

    for my $key (1 .. 200) {
        my $path = "/$where/percent?k=p$key";
        my $first = $nginx->get($path);
        my $r = $nginx->get($path);

        if ($r->{status} == 429) {
            $n++;

        } else {
            $shown++ if exists $r->{header}{ratelimit};
        }

        $other++ if exists $limited{$key}
                    && $limited{$key} != $r->{status};
        $limited{$key} = $r->{status};
    }

    cmp_ok($n, '>', 35, "$where 30% of 200 keys: $n");
    cmp_ok($n, '<', 90, "$where and not more");
    is($other, 0, "$where always the same keys");
    is($shown, 0, "$where the others are told nothing");
}


# K16: upwards only, whole seconds, at most half of a minute

sub jitter {
    my ($where) = @_;

    my (%seen, $wrong);

    $nginx->get("/$where/jitter?k=j");

    for (1 .. 60) {
        my $r = $nginx->get("/$where/jitter?k=j");
        my $retry = $r->{header}{'retry-after'};
        my ($t) = $r->{header}{ratelimit} =~ /t=(\d+)$/;

        $seen{$retry}++;
        $wrong .= " $retry" if $retry < 58 || $retry > 90;
        $wrong .= " t$t" if $t > $retry || $t < 58;
        $wrong .= " v" if $r->{header}{'x-retry'} ne $retry;
    }

    is($wrong, undef, "K16 $where never too early, nor too late");
    cmp_ok(scalar(keys %seen), '>', 10, "K16 $where spread");
}


sub variables {
    my $r = $nginx->get('/shm/shadow?k=v1');
    is($r->{header}{'x-left'}, '0/1 1/1', '$gw_limit_remaining_zone, _limit_');
    $r = $nginx->get('/redis/shadow?k=v1');
    is($r->{header}{'x-left'}, '/ /', 'of zones that are not asked');
}


sub concurrency {
    my $wrong = 0;

    for my $key (1 .. 50) {
        my $status = $nginx->get("/conc/percent?k=p$key")->{status};
        $wrong++ if $status != $limited{$key};
    }

    is($wrong, 0, 'gw_concurrency has the same share of keys');

    $wrong = 0;

    for my $key (1 .. 50) {
        $nginx->get("/quota/percent?k=p$key");
        my $status = $nginx->get("/quota/percent?k=p$key")->{status};
        $wrong++ if $status != $limited{$key};
    }

    is($wrong, 0, 'gw_quota, too');

    is(statuses(3, '/quota/bypass?k=q&b=1'), '200 200 200',
       'bypass of a quota');
    is(statuses(2, '/quota/bypass?k=q'), '200 429', 'and without');

    is($nginx->get('/conc/bypass?k=1')->{status}, 429, 'limit 0');
    is($nginx->get('/conc/bypass?k=1&b=1')->{status}, 200, 'and its bypass');
}
