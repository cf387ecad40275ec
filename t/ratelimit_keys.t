#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# More keys than a zone has room for.  bench/run limits does the same with ten
# million keys in 640 megabytes.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Nginx;
use Test::More;

my $nginx = GW::Nginx->new(http => <<'END');
    gw_limit_zone $arg_k zone=slow:32k rate=1r/d burst=99;
    gw_limit_zone $arg_k zone=fast:32k rate=100000r/s;

    keepalive_requests 100000;
    add_header X-Remaining $gw_limit_remaining always;

    server {
        listen 127.0.0.1:%%PORT%%;

        location = /slow { gw_limit zone=slow nodelay; empty_gif; }
        location = /fast { gw_limit zone=fast nodelay; empty_gif; }
        location = /metrics { gw_metrics prometheus; }
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

done_testing();
