#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# final_cost of gw_quota, in shared memory and in Redis.

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

# calendar, with units carried over, from the first use

my %periods = (
    day => 'period=day',
    carry => 'period=year carry=5',
    use => 'period=30d',
);

for my $p (qw(shm redis)) {
    my $in = $p eq 'redis' ? 'redis=main' : '';

    for my $kind (sort keys %periods) {
        my $zone = "${p}_$kind";

        $zones .= "gw_quota_zone \$arg_k zone=$zone:1m quota=10 $periods{$kind} $in;\n";
        $locations .= <<"END";
        location /$p/$kind/ {
            gw_quota zone=$zone final_cost=\$arg_f;
            proxy_pass http://127.0.0.1:%%PORT%%/b/;
        }
        location = /$p/$kind-three { gw_quota zone=$zone cost=3 final_cost=\$arg_f; empty_gif; }
        location = /$p/$kind-none { gw_quota zone=$zone cost=0 final_cost=\$arg_f; empty_gif; }
        location = /$p/$kind-bill {
            gw_quota zone=$zone final_cost=\$bill;
            proxy_pass http://127.0.0.1:%%PORT%%/b/500;
        }
        location = /$p/$kind-over { gw_quota zone=$zone overage final_cost=\$arg_f; empty_gif; }
        location = /$p/$kind-look { gw_quota zone=$zone cost=0 overage; empty_gif; }
END
    }
}

my $nginx = GW::Nginx->new(workers => 1, http => <<"END");
    gw_redis main { server $server; timeout 1s; max_fails 1; fail_timeout 1s; }

    map \$status \$bill { ~^5 0; default 1; }

$zones

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Quota "\$gw_quota_status \$gw_quota_used" always;

        location /b/ { return 200 ok; }
        location /b/500 { return 500; }
        location = /m { gw_metrics prometheus; }
$locations
    }
END

ok($nginx->until(5, sub {
    $nginx->get('/m')->{body} =~ /^gw_redis_up\S* 1$/m }), 'Redis is up');

my $key = 'k';


sub get {
    my ($uri, $args) = @_;

    return $nginx->get("$uri?k=$key" . (defined $args ? "&f=$args" : ''));
}


sub used {
    my ($zone, $used, $name) = @_;
    my $is;

    $nginx->until(2, sub {
        ($is) = get("$zone-look")->{header}{'x-quota'} =~ / (\d+)$/;
        $is == $used });

    is($is, $used, "$name, $zone");
}


for my $p (qw(shm redis)) {
    for my $kind (sort keys %periods) {
        my $zone = "/$p/$kind";

        $key = "$p$kind";

        get("$zone/200", 4);
        used($zone, 4, 'four are charged');
        get("$zone-three", 1);
        used($zone, 5, 'of three, two are given back');
        get("$zone-bill");
        used($zone, 5, '5xx are free');

        for my $value ('', 'abc', '-1', '1e9', 'unlimited') {
            get("$zone-three", $value);
            sleep(0.02) if $p eq 'redis';
            used($zone, 8, "K11 final_cost \"$value\"");
            get("$zone-over", 0);
            get("$zone-three", 0);
            $key .= 'x';
            get("$zone/200", 5);
            used($zone, 5, 'another key');
        }

        get("$zone/200", 20);
        used($zone, 25, 'more than there is');
        is(get("$zone/200", 0)->{status}, 429, "is a debt, $zone");
        sleep(0.05);
        used($zone, 25, 'a rejected request is not corrected');
        is(get("$zone-over", 7)->{header}{'x-quota'}, 'OVERAGE 26',
           "overage, $zone");
        used($zone, 32, 'is corrected');

        $key = "none$p$kind";
        get("$zone-none", 3);
        used($zone, 3, 'a cost that is known in the end only');
        get("$zone-none", 9);
        used($zone, 12, 'passes as long as one is left');
        is(get("$zone-none", 1)->{status}, 429, "and then no more, $zone");
    }
}

like($nginx->log, qr/the final_cost of a gw_quota "shm_day" is not a number/,
     'K11 a line tells');

my $m = $nginx->get('/m')->{body};

for my $p (qw(shm redis)) {
    like($m, qr/^gw_quota_adjusted_units_total\{policy="${p}_day",result="given"\} [1-9]/m,
         "given, $p");
    like($m, qr/^gw_quota_adjusted_units_total\{policy="${p}_day",result="charged"\} [1-9]/m,
         "charged, $p");
    unlike($m, qr/^gw_quota_adjusted_units_total\{policy="${p}_day",result="(?:dropped|unknown)"/m,
         "nothing else, $p");
}

# the key of Redis keeps its time to live

my @keys = @{$redis->command('KEYS', 'gw:1:q:redis_*')};
cmp_ok(scalar @keys, '>', 5, 'keys of the quotas');
is(scalar(grep { $redis->command('PTTL', $_) < 0 } @keys), 0, 'all expire');

done_testing();
