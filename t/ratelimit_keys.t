#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# More keys than a zone has room for, and many of them in Redis: GW_KEYS says
# how many there.  bench/run limits has ten million keys in 640 megabytes.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(sleep);

my $redis = GW::Redis->new;
my $server = $redis->server;

my $nginx = GW::Nginx->new(http => <<'END' =~ s/%%SERVER%%/$server/r);
    gw_redis main { server %%SERVER%%; timeout 2s; stall_timeout 5s; }
    gw_limit_zone $arg_k zone=redis:1m rate=1r/m burst=9 redis=main;
    gw_limit_zone $arg_k zone=brief:1m rate=2r/s redis=main;

    gw_limit_zone $arg_k zone=slow:32k rate=1r/d burst=99;
    gw_limit_zone $arg_k zone=fast:32k rate=100000r/s;
    gw_limit_zone $arg_k zone=full:32k rate=1r/s burst=9 full=reject;
    gw_limit_zone $arg_k zone=window:32k rate=9r/d algorithm=fixed full=reject;
    gw_limit_zone $arg_k zone=shared:1m rate=1r/m burst=9 scope=shared;
    gw_limit_zone $arg_k zone=scope:1m rate=1r/m burst=9 scope=location;
    gw_limit_zone $arg_k zone=dry:1m rate=1r/m scope=location;

    keepalive_requests 100000;
    add_header X-Remaining $gw_limit_remaining always;

    server {
        listen 127.0.0.1:%%PORT%%;

        location = /slow { gw_limit zone=slow nodelay; empty_gif; }
        location = /fast { gw_limit zone=fast nodelay; empty_gif; }
        location = /redis { gw_limit zone=redis nodelay; empty_gif; }
        location = /brief { gw_limit zone=brief nodelay; empty_gif; }
        location = /state { add_header X-Redis $gw_redis_state_main; empty_gif; }
        location = /full { gw_limit zone=full nodelay; empty_gif; }
        location = /window { gw_limit zone=window; empty_gif; }

        location /one/ {
            gw_limit zone=scope nodelay;
            empty_gif;
            location /one/two/ { empty_gif; }
            location ~ ^/one/a+/ { empty_gif; }
        }
        location /shared/ {
            gw_limit zone=shared nodelay;
            empty_gif;
            location /shared/two/ { empty_gif; }
        }
        location /share/ {
            gw_limit zone=dry nodelay;
            gw_limit_dry_run 50%;
            empty_gif;
            location /share/two/ { empty_gif; }
        }
        location /api/ { gw_limit_api; }
        location = /metrics { gw_metrics prometheus; }
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        server_name other.example;

        location /one/ { gw_limit zone=scope nodelay; empty_gif; }
    }
END


sub metric {
    my ($name, $labels) = @_;

    my $body = $nginx->get('/metrics')->{body};

    return $body =~ /^\Q$name\E\{\Q$labels\E\} (\d+)$/m ? $1 : -1;
}


# requests on one connection; how many had which status

sub many {
    my (@paths) = @_;

    my $sock = $nginx->connect or die "no connection";
    my ($in, %status) = ('');

    for my $path (@paths) {
        syswrite($sock, "GET $path HTTP/1.1\r\nHost: a\r\n\r\n");

        until ($in =~ m{\AHTTP/1\.1 (?!200)\d|\r\n\r\nGIF89a.*;\z}s) {
            sysread($sock, $in, 65536, length($in)) or last;
        }

        my ($status) = $in =~ m{\AHTTP/1\.1 (\d+)};

        $status{$status || 0}++;
        last if !$status || $status != 200;
        $in = '';
    }

    return join(' ', map { "$_:$status{$_}" } sort keys %status);
}


my $slots = metric('gw_zone_slots', 'zone="slow"');
my $n = 8 * $slots;

cmp_ok($slots, '>=', 256, 'K4 a zone of 32 kilobytes');
cmp_ok($slots, '<=', 512, 'K4 64 bytes a slot');


# K5: one that has taken half of its burst, and a crowd

is(many(('/slow?k=heavy') x 50), '200:50', 'K5 a key takes 50 units');
is(many(map { "/slow?k=a$_" } 1 .. $n), "200:$n",
   "K4 $n keys in $slots slots, nobody is rejected");
cmp_ok(metric('gw_zone_keys', 'zone="slow"'), '<=', $slots,
       'K4 the zone does not grow');
cmp_ok(metric('gw_zone_evictions_total', 'zone="slow",lossless="0"'), '>=',
       $n - $slots, 'K4 keys that had units missing are told of');
is(metric('gw_zone_evictions_total', 'zone="slow",lossless="1"'), 0,
   'K4 none of them was full');
is($nginx->get('/slow?k=heavy')->{header}{'x-remaining'}, 49,
   'K5 a key far ahead of its rate is not pushed out');


# K4: buckets that are full again go first, and nothing is lost

is(many(map { "/fast?k=a$_" } 1 .. $n), "200:$n", "K4 $n keys that expire");
cmp_ok(metric('gw_zone_evictions_total', 'zone="fast",lossless="1"'), '>=',
       $n - $slots, 'K4 they make room');
is(metric('gw_zone_evictions_total', 'zone="fast",lossless="0"'), 0,
   'K4 without a loss');

unlike($nginx->log, qr/\[(?:alert|crit|emerg|error)\]/, 'clean log');


# K5: full=reject

for my $zone ('full', 'window') {
    my %first;

    $first{$_} = $nginx->get("/$zone?k=a$_")->{status} for 1 .. 4 * $slots;

    my @in = grep { $first{$_} == 200 } keys %first;
    my @out = grep { $first{$_} == 429 } keys %first;

    is(@in + @out, 4 * $slots, "K5 full=reject: all have an answer, $zone");
    is(metric('gw_zone_evictions_total', "zone=\"$zone\",lossless=\"0\""), 0,
       "K5 nobody has lost his place, $zone");
    cmp_ok(scalar(@out), '>=', 2 * $slots, "K5 who has none is rejected, $zone")
        if $zone eq 'window';
    cmp_ok(scalar(@in), '>=', 0.9 * $slots, "K5 those before him pass, $zone");

    if ($zone eq 'window') {
        is($nginx->get("/window?k=a$in[0]")->{header}{'x-remaining'}, 7,
           'K5 and have what they had');

        my $r = $nginx->get("/window?k=a$out[0]");

        is($r->{status}, 429, 'K5 a place is free when a window ends');
        cmp_ok($r->{header}{'retry-after'}, '>', 1, 'K5 as he is told');
    }
}


# K6: keys in Redis

ok($nginx->until(5, sub {
    $nginx->get('/state')->{header}{'x-redis'} eq 'up'
}), 'Redis is up');

my $keys = $ENV{GW_KEYS} || 1000;
my $memory = sub {
    $redis->command('INFO', 'memory') =~ /^used_memory:(\d+)/m ? $1 : -1
};
my $before = $memory->();

is(many(map { sprintf('/redis?k=user-%09d', $_) } 1 .. $keys), "200:$keys",
   "K6 $keys keys in Redis");
is($redis->command('KEYS', 'gw:1:l:redis:*') =~ /ARRAY/
   && scalar(@{$redis->command('KEYS', 'gw:1:l:redis:*')}), $keys,
   'K6 each is there');

my $each = $redis->command('MEMORY', 'USAGE',
                           'gw:1:l:redis:{user-000000001}');

cmp_ok($each, '<=', 160, "K6 one takes $each bytes");
cmp_ok($each, '>', 0, 'K6 of that name');

# connections take some memory too, whatever the number of keys

my $all = ($memory->() - $before - 512 * 1024) / $keys;

cmp_ok($all, '<=', 200, sprintf('K6 all together %.0f each', $all));

my $live = 0;

for (1 .. 50) {
    my $key = sprintf('gw:1:l:redis:{user-%09d}', 1 + int(rand($keys)));
    my $ttl = $redis->command('PTTL', $key);
    $live++ if $ttl > 0 && $ttl <= 60001;
}

is($live, 50, 'K6 each lives as long as its bucket');

is(many(map { "/brief?k=user-$_" } 1 .. $keys), "200:$keys",
   'K6 keys that are full again soon');
ok($nginx->until(3, sub {
    !@{$redis->command('KEYS', 'gw:1:l:brief:*')}
}), 'K6 are gone within tau and a second or two');


# scope=

sub left {
    my ($path) = @_;

    my $r = $nginx->get($path);

    return $r->{status} == 200 ? $r->{header}{'x-remaining'} : -1;
}

is(join(' ', map { left($_) } '/one/?k=s', '/one/x?k=s', '/one/two/?k=s',
                              '/one/aa/?k=s', '/one/?k=s', '/one/two/?k=t'),
   '9 8 9 9 7 9', 'scope=location: each location counts on its own');
is(left('http://other.example/one/?k=s'), 9, 'so does each server');
is(join(' ', map { left($_) } '/shared/?k=s', '/shared/two/?k=s'), '9 8',
   'scope=shared: all together');
like($nginx->get('/api/limits/scope/s@%2Fone%2Ftwo%2F')->{body},
     qr/"used":1,"remaining":9,/, 'a key of the API');

my @same = grep {
    my $k = $_;
    my ($one, undef, $two) = map { $nginx->get("/share/$_?k=$k")->{status} }
                              ('') x 2, ('two/') x 2;
    $one == $two;
} map { "k$_" } 1 .. 40;

is(scalar(@same), 40, 'a share of the keys is the same in all locations');

done_testing();
