#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: large answers, compressed answers, and what they cost.

use strict;
use warnings;

use lib 't/lib';

use Compress::Zlib qw(memGzip);
use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use Test::More;

my $asan = ($ENV{GW_VARIANT} || '') =~ /asan/;
my $type = 'Content-Type: application/json';
my $mega = 1 << 20;


# a document of exactly that many bytes

sub document {
    my ($size) = @_;

    my $item = '"' . 'x' x 1021 . '",';
    my $n = int(($size - 64) / length($item));
    my $text = '[' . $item x $n;

    return $text . '"' . 'y' x ($size - length($text) - 3) . '"]';
}


my %doc = map { $_ => document($_) } (1000, 1048576, 1048577, 100000,
                                      2 * $mega, 3 * $mega, 10 * $mega);
my $zipped = memGzip($doc{100000});
my $bomb = memGzip('[' . '1,' x (8 * $mega) . '1]');

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/length' => sub { $_[0]->json($doc{$_[1]{args}}) },
    '/chunked' => sub {
        my ($conn, $req) = @_;

        $conn->head(200, $type, 'Transfer-Encoding: chunked');
        $conn->chunk($_) for unpack('(a20000)*', $doc{$req->{args}});
        $conn->chunk('');
    },
    '/small_chunks' => sub {
        my ($conn, $req) = @_;

        $conn->head(200, $type, 'Transfer-Encoding: chunked');

        # not all of it at once: nginx may have heard enough
        for my $piece (unpack('(a30000)*', $doc{$req->{args}})) {
            $conn->send(join('', map { sprintf("%x\r\n%s\r\n", length($_), $_) }
                                     unpack('(a3)*', $piece)));
            return unless $conn->{sock};
        }

        $conn->send("0\r\n\r\n");
    },
    '/mixed_chunks' => sub {
        my ($conn, $req) = @_;
        my ($random, $at) = (1, 0);

        $conn->head(200, $type, 'Transfer-Encoding: chunked');

        # 1 byte to 5 KB, on both sides of what is kept in place
        while ($at < length($doc{$req->{args}})) {
            $random = ($random * 7919 + 11) % 5003;
            my $n = $random % 3 ? $random : 1 + $random % 7;
            $conn->chunk(substr($doc{$req->{args}}, $at, $n));
            $at += $n;
        }

        $conn->chunk('');
    },
    '/more' => sub {
        $_[0]->send("HTTP/1.1 200 OK\r\n$type\r\nContent-Length: 5\r\n"
                    . "\r\n[1,2][9]HTTP/1.1 200 OK\r\n"
                    . "Content-Length: 3\r\n\r\n[8]");
    },
    '/close' => sub { $_[0]->http10($doc{$_[1]{args}}) },
    '/announced' => sub {
        $_[0]->head(200, $type, 'Content-Length: 10485760');
        $_[0]->hang;
    },
    '/gzip' => sub { $_[0]->json($zipped, 'Content-Encoding: gzip') },
    '/br' => sub { $_[0]->json('xxx', 'Content-Encoding: br') },
    '/identity' => sub { $_[0]->json('[1]', 'Content-Encoding: identity') },
    '/corrupt' => sub {
        my $bytes = $zipped;
        substr($bytes, 40, 20) = "\xff" x 20;
        $_[0]->json($bytes, 'Content-Encoding: gzip');
    },
    '/short_gzip' => sub {
        $_[0]->json(substr($zipped, 0, length($zipped) - 30),
                    'Content-Encoding: gzip');
    },
    '/bomb' => sub { $_[0]->json($bomb, 'Content-Encoding: gzip') },
);

my $nginx = GW::Nginx->new(http => agg_server($be, part => 'gunzip on;',
    http => 'proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;',
    server => <<'END'));
        location = /raw {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /raw/$arg_b optional;
        }
        location /raw/ { internal; proxy_pass http://be/; gunzip off; }
        location = /size {
            gw_aggregate object;
            gw_aggregate_timeout 60s;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b?$arg_n optional;
        }
        location = /large {
            gw_aggregate object;
            gw_aggregate_max_size 32m;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b?$arg_n optional max_size=16m;
        }
        location = /cached {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /cache/$arg_b?$arg_n optional;
        }
        location /cache/ {
            internal;
            proxy_pass http://be/;
            proxy_cache cache;
            proxy_cache_valid 1m;
            add_header X-Cache $gw_part_b_cache;
        }
        location = /total {
            gw_aggregate object;
            gw_aggregate_max_size 2m;
            gw_aggregate_part a /p/length?1048576 optional;
            gw_aggregate_part b /p/$arg_b?1048576 optional;
            gw_aggregate_part c /p/a optional;
        }
        location = /announced {
            gw_aggregate object;
            gw_aggregate_max_size 11m;
            gw_aggregate_part a /p/announced max_size=16m;
            gw_aggregate_part b /p/announced max_size=16m;
        }
        location = /gzip {
            gzip on;
            gzip_types application/json;
            gzip_min_length 1;
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/length?1000;
        }
        location = /static {
            gw_aggregate object;
            gw_aggregate_max_size 32m;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /file/big.json max_size=16m;
        }
        location /file/ {
            internal;
            alias %%DIR%%/;
            types { application/json json; }
            sendfile on;
        }
        location = /read {
            gw_aggregate object;
            gw_aggregate_max_size 32m;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /$arg_how/big.json optional max_size=16m;
        }
        location = /read_large {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /$arg_how/big.json optional;
        }
        location /threads/ {
            internal;
            alias %%DIR%%/;
            default_type application/json;
            aio threads;
        }
        location /threads_sendfile/ {
            internal;
            alias %%DIR%%/;
            default_type application/json;
            aio threads;
            sendfile on;
        }
        location /direct/ {
            internal;
            alias %%DIR%%/;
            default_type application/json;
            directio 4k;
        }
        location /direct_threads/ {
            internal;
            alias %%DIR%%/;
            default_type application/json;
            directio 4k;
            aio threads;
            sendfile on;
        }
END

my $client = GW::Client->new($nginx->{port});
my ($worker, $reply, $before, $start, @head);


$client->get('/ping');
($worker) = $nginx->workers;


sub memory {
    open(my $fh, '<', "/proc/$worker/status") or return 0;
    my ($kb) = map { /^VmRSS:\s+(\d+)/ ? $1 : () } <$fh>;

    return $kb * 1024;
}


sub cpu {
    open(my $fh, '<', "/proc/$worker/stat") or return 0;
    my @fields = split(/ /, <$fh>);

    return ($fields[13] + $fields[14]) / 100;
}


# C60, C61; C122: the filter comes after gunzip in modules that are loaded and
# in those that "util/compat static" links in
complete($client->get('/agg?a=a&b=gzip'),
         "{\"a\":{\"x\":1},\"b\":$doc{100000}}",
         'C60, C122 gzip although nobody asked');
unlike(join('', $be->requests), qr/accept-encoding/i,
       'C60 nobody asked');
degraded($client->get('/raw?b=gzip'), 'encoding', 'C61 gzip without gunzip');
degraded($client->get('/agg?a=a&b=br'), 'encoding', 'C61 br');
complete($client->get('/agg?a=a&b=identity'), '{"a":{"x":1},"b":[1]}',
         'identity is no encoding');
degraded($client->get('/agg?a=a&b=corrupt'), 'truncated',
         'P1 a filter that fails in a part');
is($client->get('/ping')->{body}, 'pong', 'P1 the connection lives');
degraded($client->get('/agg?a=a&b=short_gzip'), 'truncated', 'P1 cut gzip');

# C62
$reply = $client->get('/gzip', 'Accept-Encoding: gzip');
is($reply->{header}{'content-encoding'}, 'gzip', 'C62 the answer is gzip');
is(Compress::Zlib::memGunzip($reply->{body}),
   "{\"a\":{\"x\":1},\"b\":$doc{1000}}", 'C62 and what it should be');

# C63, C64
$reply = $client->get('/size?b=announced');
degraded($reply, 'too_large', 'C63 too large by its Content-Length');
within($reply->{time}, 0, 0.1, 'C63 at once');
ok($nginx->until(1, sub { $be->closed('/announced') }),
   'C63 the connection is closed');
degraded($client->get('/size?b=length&n=1048577'), 'too_large',
         'C63 one byte too large');

for my $kind ('length', 'chunked', 'close', 'small_chunks', 'mixed_chunks') {
    complete($client->get("/size?b=$kind&n=100000"),
             "{\"a\":{\"x\":1},\"b\":$doc{100000}}", "C64 $kind: 100 KB");
}

for my $kind ('length', 'chunked', 'close', 'mixed_chunks') {
    complete($client->get("/size?b=$kind&n=1048576"),
             "{\"a\":{\"x\":1},\"b\":$doc{1048576}}", "C64 $kind: 1 MB");
}

$before = memory();

for my $kind ('chunked', 'close', 'small_chunks') {
    degraded($client->get("/size?b=$kind&n=10485760"), 'too_large',
             "C64 $kind: 10 MB");
}

degraded($client->get('/size?b=chunked&n=1048577'), 'too_large',
         'C64 chunked: one byte too large');

ok($asan || memory() - $before <= 2 * $mega, 'C64 memory')
    or diag(memory() - $before);

# C65
$before = memory();
complete($client->get("/large?b=$_&n=10485760"),
         "{\"a\":{\"x\":1},\"b\":$doc{10485760}}", "C65 $_: 10 MB")
    for ('length', 'chunked', 'close');
ok($asan || memory() - $before <= 13.5 * $mega, 'C65 memory')
    or diag(memory() - $before);
unlike($nginx->log, qr/buffered to a temporary file/,
       'C65 nothing goes through a file');

# what stands behind an answer is no answer to anybody
for (1 .. 3) {
    complete($client->get('/size?b=more&n=0'), '{"a":{"x":1},"b":[1,2]}',
             'more than its length');
    complete($client->get('/agg?a=a&b=identity'), '{"a":{"x":1},"b":[1]}',
             'more than its length: the next request');
}

# C66
for my $kind ('length', 'chunked') {
    failed($client->get("/total?b=$kind"), 502,
           { a => 'too_large', b => 'too_large', c => 'too_large' },
           "C66 $kind: together they are too large");
}

$reply = $client->get('/announced');
failed($reply, 502, { a => 'too_large', b => 'too_large' },
       'C66 together they would be too large');
within($reply->{time}, 0, 0.2, 'C66 at once');

# C67
$start = cpu();
$reply = $client->get('/agg?a=a&b=bomb');
degraded($reply, 'too_large', 'C67 a gzip bomb');
ok($asan || cpu() - $start <= 0.1, 'C67 does not cost much');

# what is cached is read to its end and kept
for my $kind ('MISS', 'HIT') {
    complete($client->get('/cached?b=length&n=100000'),
             "{\"a\":{\"x\":1},\"b\":$doc{100000}}", "C70 $kind");
}

is(scalar(grep { /^GET \/length\?100000/ } $be->requests) >= 2, 1,
   'C70 the cache is used');
degraded($client->get('/cached?b=chunked&n=1048577'), 'too_large',
         'a part for the cache that is too large');

# C69
open(my $fh, '>', "$nginx->{dir}/big.json") or die;
print $fh $doc{3 * $mega};
close($fh);
complete($client->get('/static'), "{\"a\":{\"x\":1},\"b\":$doc{3 * $mega}}",
         'C69 a file');

for my $how ('file', 'threads', 'threads_sendfile', 'direct',
             'direct_threads')
{
    # threads cannot be stopped: then the connection is closed

    for (1 .. 2) {
        my $client = GW::Client->new($nginx->{port});

        complete($client->get("/read?how=$how"),
                 "{\"a\":{\"x\":1},\"b\":$doc{3 * $mega}}", "C69 $how");
        degraded($client->get("/read_large?how=$how"), 'too_large',
                 "C69 $how: too large");
    }
}

$client->close;
sane($nginx, 'sizes');

done_testing();
