#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate behind gw_auth and gw_limit: both decide once, for the whole,
# and before any part is asked for.

use strict;
use warnings;

use lib 't/lib';

use Digest::SHA qw(sha256_hex);
use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use Test::More;

my $key = 'gwk-alice-0123456789abcdef';
my $file = GW::tmp_dir() . '/keys';

open(my $fh, '>', $file) or die;
print $fh 'sha256:' . sha256_hex($key) . " alice\n";
close($fh);

my $be = GW::Backend->new(
    '*' => sub {
        my ($conn, $req) = @_;
        $conn->json("\"$req->{path} " . ($req->{header}{'x-consumer'} || '')
                    . '"');
    },
);

my $nginx = GW::Nginx->new(http => agg_server($be,
    http => <<"HTTP",
    gw_api_keys main { file $file; }
    gw_limit_zone \$gw_consumer zone=whole:64k rate=1r/m;
    gw_limit_zone \$gw_consumer zone=single:64k rate=1r/m;
    gw_limit_zone \$binary_remote_addr zone=parts:64k rate=1r/m;
HTTP
    server => <<'END'));
        location = /whole {
            gw_api_key keys store=main;
            gw_limit zone=whole burst=5 nodelay cost=$gw_aggregate_cost;
            gw_aggregate object;
            gw_aggregate_part a /part/a;
            gw_aggregate_part b /part/b optional;
        }
        location = /single {
            gw_api_key keys store=main;
            gw_limit zone=single burst=5 nodelay;
            gw_aggregate object;
            gw_aggregate_part a /part/a;
            gw_aggregate_part b /part/b optional;
        }
        location = /part_limit {
            gw_aggregate object;
            gw_aggregate_part a /limited/a;
            gw_aggregate_part b /limited/b;
        }
        location = /cost { return 200 $gw_aggregate_cost; }
        location /part/ {
            internal;
            gw_api_key keys store=main;
            proxy_pass http://be/;
            proxy_set_header X-Consumer $gw_consumer;
        }
        location /limited/ {
            internal;
            gw_limit zone=parts nodelay;
            proxy_pass http://be/;
        }
END

my $client = GW::Client->new($nginx->{port});
my $auth = "X-API-Key: $key";
my ($reply, @status);

# C118
$reply = $client->get('/whole');
is($reply->{status}, 401, 'C118 no key');
$reply = $client->get('/whole', 'X-API-Key: other');
is($reply->{status}, 401, 'C118 another key');
is(scalar($be->requests), 0, 'C118 no part is asked for');

$reply = $client->get('/whole', $auth);
complete($reply, '{"a":"/a alice","b":"/b alice"}',
         'C118 parts know who the client is');
is($reply->{header}{'x-gw-completed'}, 'true', 'C118 complete');

# C119: a burst of 5 holds 6 units, and an aggregate of two parts costs 3
$reply = $client->get('/whole', $auth);
is($reply->{status}, 200, 'C119 the second one');
$be->clear;
$reply = $client->get('/whole', $auth);
is($reply->{status}, 429, 'C119 the third one is too much');
ok($reply->{header}{'retry-after'}, 'C119 Retry-After');
is(scalar($be->requests), 0, 'C119 no part is asked for');

push(@status, $client->get('/single', $auth)->{status}) for 1 .. 7;
is("@status", '200 200 200 200 200 200 429',
   'C119 parts are not counted on their own');
is($client->get('/cost')->{body}, 1, 'the cost of what is no aggregate');

# limits decline in subrequests
@status = map { $client->get('/part_limit')->{status} } 1 .. 3;
is("@status", '200 200 200', 'a limit in the location of a part');

$client->close;
sane($nginx, 'behind the other modules');

done_testing();
