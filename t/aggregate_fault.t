#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: what becomes of an answer when a back end fails.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

my $type = 'Content-Type: application/json';

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/b' => sub { $_[0]->json('[1,2]') },
    '/slow_b' => sub { $_[0]->delay(0.2); $_[0]->json('[1,2]') },
    '/204' => sub { $_[0]->head(204) },
    '/empty' => sub { $_[0]->json('') },
    '/empty_chunked' => sub { $_[0]->chunked() },
    '/blank' => sub { $_[0]->json(" \r\n\t") },
    '/never' => sub { $_[0]->hang },
    '/half' => sub {
        $_[0]->head(200, $type, 'Content-Length: 100');
        $_[0]->send('[1,2,');
        $_[0]->hang;
    },
    '/cut_length' => sub {
        $_[0]->head(200, $type, 'Content-Length: 100');
        $_[0]->send('[' . '1,' x 20 . '1]  ');
        $_[0]->close;
    },
    '/cut_whole' => sub {
        $_[0]->head(200, $type, 'Content-Length: 100');
        $_[0]->send('[1,2]');
        $_[0]->close;
    },
    '/cut_chunked' => sub {
        $_[0]->head(200, $type, 'Transfer-Encoding: chunked');
        $_[0]->chunk('[1,2]');
        $_[0]->close;
    },
    '/http10' => sub { $_[0]->http10('[1,2]') },
    '/http10_cut' => sub { $_[0]->http10('[1,2') },
    '/rst' => sub {
        $_[0]->head(200, $type, 'Content-Length: 100');
        $_[0]->send('[1,2');
        $_[0]->delay(0.05);
        $_[0]->rst;
    },
    '/garbage' => sub { $_[0]->send("garbage\r\n\r\n{}"); $_[0]->close },
    '/garbage_json' => sub { $_[0]->send('{"x":1}'); $_[0]->close },
    '/big_header' => sub { $_[0]->json('[1,2]', 'X-Big: ' . 'x' x 65536) },
    '/trickle' => sub {
        $_[0]->head(200, $type, 'Content-Length: 1000');

        for (1 .. 50) {
            $_[0]->send(' ');
            $_[0]->delay(0.1);
            return unless $_[0]{sock};
        }
    },
);

my $nginx = GW::Nginx->new(http => agg_server($be, server => <<'END'));
        location = /b_down {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /down/b optional;
        }
        location = /a_down {
            gw_aggregate object;
            gw_aggregate_part a /down/a;
            gw_aggregate_part b /p/half optional;
        }
        location = /b_timeout {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional timeout=300ms;
        }
        location = /a_timeout {
            gw_aggregate object;
            gw_aggregate_part a /p/never timeout=300ms;
            gw_aggregate_part b /p/b optional;
        }
        location = /default_timeout {
            gw_aggregate object;
            gw_aggregate_part_timeout 300ms;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/never optional;
        }
        location = /total {
            gw_aggregate object;
            gw_aggregate_timeout 500ms;
            gw_aggregate_part a /p/never timeout=5s;
            gw_aggregate_part b /p/never optional;
        }
        location = /several {
            gw_aggregate array;
            gw_aggregate_timeout 600ms;
            gw_aggregate_part a /p/never optional timeout=200ms;
            gw_aggregate_part b /p/never optional timeout=400ms;
            gw_aggregate_part c /p/never optional;
            gw_aggregate_part d /p/slow_b;
        }
END

my ($client, $reply, $start, @closed);

$client = GW::Client->new($nginx->{port});

sub agg {
    my ($b) = @_;

    return $client->get("/agg?a=a&b=$b");
}


# the connection to a hanging back end is closed at once

sub closed_soon {
    my ($path, $n, $start, $name) = @_;

    my @closed;

    # an earlier one may be noted late
    $nginx->until(2, sub {
        @closed = grep { $_ > $start - 0.05 } $be->closed($path);
        @closed >= $n
    });
    is(scalar(@closed), $n, "$name: the back end's connection is closed");
    within($_ - $start, 0, 0.1, "$name: in time") for @closed;
    $be->clear;
}


complete(agg('b'), '{"a":{"x":1},"b":[1,2]}', 'healthy');
is($client->get('/ping')->{body}, 'pong', 'healthy: the connection lives');

degraded($client->get('/b_down'), 'unreachable', 'C01 b refuses');
failed($client->get('/a_down'), 502, { a => 'unreachable' }, 'C02 a refuses');

$be->clear;
$start = time();
$reply = $client->get('/b_timeout?b=never');
degraded($reply, 'timeout', 'C03 b never answers');
within($reply->{time}, 0.3, 0.35, 'C03 in time');
$reply = $client->get('/ping');
is($reply->{body}, 'pong', 'C03 the connection lives');
within($reply->{time}, 0, 0.02, 'C03 the next answer comes at once');
closed_soon('/never', 1, $start + 0.3, 'C03');

$start = time();
$reply = $client->get('/a_timeout');
failed($reply, 504, { a => 'timeout' }, 'C04 a never answers');
within($reply->{time}, 0.3, 0.35, 'C04 in time');
closed_soon('/never', 1, $start + 0.3, 'C04');

$start = time();
$reply = $client->get('/b_timeout?b=half');
degraded($reply, 'timeout', 'C05 half of a body');
within($reply->{time}, 0.3, 0.35, 'C05 in time');
closed_soon('/half', 1, $start + 0.3, 'C05');

$reply = $client->get('/default_timeout');
degraded($reply, 'timeout', 'gw_aggregate_part_timeout');
within($reply->{time}, 0.3, 0.35, 'gw_aggregate_part_timeout: in time');

degraded(agg('cut_length'), 'truncated', 'C06 body shorter than its length');
degraded(agg('cut_whole'), 'truncated', 'C06 a whole document, but cut');
degraded(agg('cut_chunked'), 'truncated', 'C07 no last chunk');
complete(agg('http10'), '{"a":{"x":1},"b":[1,2]}', 'C08 HTTP/1.0');
degraded(agg('http10_cut'), 'invalid_json', 'C09 HTTP/1.0, cut');
degraded(agg('rst'), 'truncated', 'C10 reset after the header');
degraded(agg('garbage'), 'unreachable', 'C11, P7 garbage is no answer');
degraded(agg('garbage_json'), 'unreachable', 'P7 JSON without a header');
degraded(agg('big_header'), 'unreachable', 'C12 a header too large');

$be->clear;
$start = time();
$reply = $client->get('/total');
failed($reply, 504, { a => 'timeout', b => 'timeout' },
       'C13 the time for all parts');
within($reply->{time}, 0.5, 0.55, 'C13 in time');
closed_soon('/never', 2, $start + 0.5, 'C13');

$reply = $client->get('/b_timeout?b=trickle');
degraded($reply, 'timeout', 'C14 a byte now and then');
within($reply->{time}, 0.3, 0.35, 'C14 in time');

$be->clear;
$start = time();
$reply = $client->get('/several');
is($reply->{body}, '[null,null,null,[1,2]]', 'each part has its deadline');
within($reply->{time}, 0.6, 0.65, 'each part has its deadline: the last one');
is($reply->{header}{'x-gw-failed'}, 'a, b, c', 'failed parts are named');
$nginx->until(2, sub { @closed = $be->closed('/never'); @closed == 3 });
@closed = sort { $a <=> $b } map { $_ - $start } @closed;
within($closed[0], 0.2, 0.3, 'each part has its deadline: the first one');
within($closed[1], 0.4, 0.5, 'each part has its deadline: the second one');

complete(agg('204'), '{"a":{"x":1},"b":null}', 'C25 status 204');
complete(agg('empty'), '{"a":{"x":1},"b":null}', 'C25 empty');
complete(agg('empty_chunked'), '{"a":{"x":1},"b":null}',
         'C25 empty and chunked');
complete(agg('blank'), '{"a":{"x":1},"b":null}', 'C25 white space only');

$client->close;
sane($nginx, 'faults');

done_testing();
