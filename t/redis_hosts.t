#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# R1: each host tells Redis once a second that it is alive, and while Redis is
# away it decides by its share of a rate.

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

my $http = <<"END";
    gw_limit_deny_cache 0;
    gw_limit_log_level info;

    gw_redis main {
        server $server;
        timeout 200ms;
        fail_timeout 100ms;
    }

    gw_limit_zone \$arg_k zone=g:1m rate=1r/m burst=5 redis=main;
    gw_limit_zone \$arg_k zone=d:1m rate=1r/m burst=5 redis=main;
    gw_limit_zone \$arg_k zone=f:1m rate=10r/d algorithm=fixed redis=main;
    gw_limit_zone \$arg_k zone=s:1m rate=10r/d algorithm=sliding redis=main;
    gw_limit_zone \$arg_k zone=p:1m rate=\$arg_r redis=main;
    gw_limit_zone \$arg_k zone=c:1m rate=10r/d algorithm=fixed redis=main;
    gw_quota_zone \$arg_k zone=q:1m quota=10 period=year redis=main;

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Limit "\$gw_limit_source \$gw_limit_remaining \$gw_limit_reset" always;
        add_header X-Redis \$gw_redis_state_main always;

        location /g { gw_limit zone=g nodelay; empty_gif; }
        location /d { gw_limit zone=d nodelay; gw_quota zone=q; empty_gif; }
        location /f { gw_limit zone=f; empty_gif; }
        location /s { gw_limit zone=s; empty_gif; }
        location /p { gw_limit zone=p; empty_gif; }
        location /c { gw_limit zone=c cost=2 final_cost=1; empty_gif; }
        location = /m { gw_metrics prometheus; }
    }
END

my @hosts = map { GW::Nginx->new(workers => 2, http => $http) } 1 .. 3;

ok($hosts[$_]->until(5, sub { hosts($hosts[$_]) == 3 }),
   "R1 host $_ knows of three") for 0 .. 2;

is($redis->command('ZCARD', 'gw:1:nodes'), 3, 'R1 as Redis has them');
cmp_ok($redis->command('PTTL', 'gw:1:nodes'), '<=', 3001,
       'R1 the key ends with the last of them');

# workers of one host are one host, and so are its configurations

ok($hosts[0]->reload, 'R1 reload');
sleep(1.2);
is($redis->command('ZCARD', 'gw:1:nodes'), 3, 'R1 a reload is no other host');
is(hosts($hosts[0]), 3, 'R1 and what is known stays');

my ($sent) = $redis->stat('zadd');
sleep(2);
my $beats = ($redis->stat('zadd'))[0] - $sent;
cmp_ok($beats, '>=', 3, "R1 $beats signs of life in two seconds");
cmp_ok($beats, '<=', 9, 'R1 about one of each host in a second');

# one that ends is forgotten

ok($hosts[2]->stop, 'R1 one host ends');
ok($hosts[0]->until(15, sub { hosts($hosts[0]) == 2 }), 'R1 two are left');
ok($hosts[1]->until(3, sub { hosts($hosts[1]) == 2 }), 'R1 for the other, too');

is(limits('/f?k=before', 3), 'redis 9, redis 8, redis 7',
   'R1 with Redis, one limit for all');

$redis->kill;
ok($hosts[$_]->until(5, sub { state($hosts[$_]) eq 'down' }), 'R1 it is down')
    for 0, 1;

like($hosts[0]->get('/g?k=1')->{header}{'x-limit'}, qr/^fallback 5 1[12]\d$/,
     'R1 half of the rate: the next one in two minutes');
is(limits('/g?k=1', 6), 'fallback 4, fallback 3, fallback 2, fallback 1, '
   . 'fallback 0, fallback 0', 'R1 the burst of each host');
is(limits('/f?k=1', 6), 'fallback 4, fallback 3, fallback 2, fallback 1, '
   . 'fallback 0, fallback 0', 'R1 half of a fixed window');
is(limits('/s?k=1', 6), 'fallback 4, fallback 3, fallback 2, fallback 1, '
   . 'fallback 0, fallback 0', 'R1 half of a sliding window');
is(limits('/p?k=1&r=1r/m', 2), 'fallback 0, fallback 0', 'R1 one remains one');
like($hosts[1]->get('/p?k=2&r=1r/m')->{header}{'x-limit'},
     qr/^fallback 0 1[12]\d$/, 'R1 rates with variables, too');
is(limits('/d?k=1', 2), 'fallback 5, fallback 4', 'R1 together with quotas');

# units that are given back are those of that share

is(limits('/c?k=1', 5), 'fallback 3, fallback 2, fallback 1, fallback 0, '
   . 'fallback 1', 'R1 final_cost gives back by the same share');

# what a host let pass is charged as it was

my $back = time();
$redis->start;
ok($hosts[0]->until(5, sub { state($hosts[0]) eq 'up' }), 'R3 it is back');
is(limits('/g?k=1', 1), 'redis 0', 'R3 all six are charged');
is(limits('/d?k=1', 1), 'redis 3', 'R3 two are two');
is(limits('/f?k=1', 1), 'redis 4', 'R3 five of a window');

cmp_ok(hosts($hosts[0]), '==', 2,
       'R3 the other host counts while Redis has not heard of it')
    while time() < $back + 1.5 && sleep(0.2);

is(hosts($hosts[0]), 2, 'R3 and afterwards');

for my $nginx (@hosts) {
    is(scalar(() = $nginx->log =~ /\[(?:alert|crit|emerg)\]/g), 0,
       'R1 clean log');
}

done_testing();


sub hosts {
    my ($nginx) = @_;

    return $nginx->get('/m')->{body} =~ /^gw_redis_nodes\{name="main"\} (\d+)/m
           ? $1 : 0;
}


sub state {
    return $_[0]->get('/g')->{header}{'x-redis'};
}


# source and rest of some requests of the first host

sub limits {
    my ($path, $n) = @_;

    return join(', ', map {
        $hosts[0]->get($path)->{header}{'x-limit'} =~ s/ \d*$//r
    } 1 .. $n);
}
