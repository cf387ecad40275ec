#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate over HTTP/2: streams that are reset while parts run, and others
# of the same connection that go on.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use IO::Select;
use Test::More;
use Time::HiRes qw(sleep time);

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/b' => sub { $_[0]->json('[1,2]') },
    '/slow' => sub { $_[0]->delay(0.3); $_[0]->json('[1,2]') },
    '/never' => sub { $_[0]->hang },
    '/fill' => sub { $_[0]->delay(0.3); $_[0]->json('[1,2]') },
);

my $http2 = GW::free_port();

my $nginx = GW::Nginx->new(http => agg_server($be,
    http => 'proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;',
    server => "listen 127.0.0.1:$http2 http2;\n" . <<'END'));
        gw_aggregate_ignore_client_abort off;
        location = /ignore {
            gw_aggregate object;
            gw_aggregate_ignore_client_abort on;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /keep/fill?$arg_k;
        }
        location = /ignore_stream {
            gw_aggregate object;
            gw_aggregate_ignore_client_abort on;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/a;
            gw_aggregate_part c /p/slow optional;
            gw_aggregate_part b /keep/fill?$arg_k optional;
        }
        location /keep/ {
            internal;
            proxy_pass http://be/;
            proxy_cache cache;
            proxy_cache_valid 200 1m;
        }
END


# frames of HTTP/2, RFC 9113; headers as RFC 7541 allows without a table

sub frame {
    my ($type, $flags, $stream, $data) = @_;

    return substr(pack('N', length($data)), 1)
           . pack('CCN', $type, $flags, $stream) . $data;
}


sub request {
    my ($stream, $path) = @_;

    return frame(1, 5, $stream, "\x82\x86" . "\x04" . chr(length($path))
                                . $path . "\x01\x09localhost");
}


# the bodies of the streams that have ended

sub answers {
    my ($sock, @streams) = @_;

    my ($in, %body, %ended) = ('');

    while (grep { !$ended{$_} } @streams) {
        last unless IO::Select->new($sock)->can_read(3);
        last unless sysread($sock, $in, 65536, length($in));

        while (length($in) >= 9) {
            my ($high, $low, $type, $flags, $stream) = unpack('nCCCN', $in);
            my $length = $high << 8 | $low;

            last if length($in) < 9 + $length;

            substr($in, 0, 9, '');
            my $data = substr($in, 0, $length, '');

            $body{$stream} .= $data if $type == 0;
            $ended{$stream} = 1 if $type <= 1 && $flags & 1;
        }
    }

    return map { $ended{$_} ? $body{$_} : undef } @streams;
}


my $good = '{"a":{"x":1},"b":[1,2]}';
my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $http2) or die;
my ($start, @closed, @bodies);

syswrite($sock, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(4, 0, 0, '')
                . request(1, '/agg?a=a&b=never')
                . request(3, '/agg?a=a&b=slow')
                . request(5, '/agg?a=a&b=never')
                . request(7, '/agg?a=a&b=b'));

@bodies = answers($sock, 7);
is($bodies[0], $good, 'C101 one of several streams');
ok($nginx->until(2, sub { $be->requests('/never') == 2 }),
   'C101 others wait');
$start = time();
syswrite($sock, frame(3, 0, 1, pack('N', 8)));
$nginx->until(2, sub { @closed = $be->closed('/never') });
is(scalar(@closed), 1, 'C101 a reset closes the connection of the part');
within($closed[0] - $start, 0, 0.1, 'C101 at once') if @closed;

@bodies = answers($sock, 3);
is($bodies[0], $good, 'C101 another stream goes on');
syswrite($sock, request(9, '/agg?a=a&b=b'));
@bodies = answers($sock, 9);
is($bodies[0], $good, 'C101 and so does the next one');

$start = time();
close($sock);
$nginx->until(2, sub { @closed = $be->closed('/never'); @closed == 2 });
is(scalar(@closed), 2, 'the connection ends: parts of all streams end');

# clients that are not waited for
for my $path ('/ignore', '/ignore_stream') {
    for my $way ('reset', 'close', 'reset and close') {
        my $name = "C104 $path, $way";
        my $key = $way =~ s/ //gr;

        $be->clear;
        $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $http2) or die;
        syswrite($sock, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                        . frame(4, 0, 0, '')
                        . request(1, "$path?k=$path$key"));
        $nginx->until(2, sub { $be->requests('/fill') });
        syswrite($sock, frame(3, 0, 1, pack('N', 8))) if $way =~ /reset/;
        close($sock) if $way =~ /close/;
        sleep(0.35);
        complete($nginx->get("/ignore?k=$path$key"), $good,
                 "$name: the next client");
        is(scalar($be->requests('/fill')), 1, "$name: the cache is filled");

        if ($way eq 'reset') {
            syswrite($sock, request(3, '/agg?a=a&b=b'));
            @bodies = answers($sock, 3);
            is($bodies[0], $good, "$name: the connection goes on");
            close($sock);
        }
    }
}

sane($nginx, 'C104');

# any moment
for my $n (1 .. ($ENV{GW_ROUNDS} || 200) / 10) {
    my $conn = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $http2) or die;

    syswrite($conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(4, 0, 0, '')
                    . join('', map { request(2 * $_ + 1, '/agg?a=a&b=b') }
                                   0 .. 9));

    for my $stream (0 .. 8) {
        sleep(rand(2) / 1000);
        syswrite($conn, frame(3, 0, 2 * $stream + 1, pack('N', 8)));
    }

    @bodies = answers($conn, 19);
    last unless ($bodies[0] || '') eq $good;
}

is($bodies[0], $good, 'C101 resets at any moment');
sane($nginx, 'HTTP/2');

done_testing();
