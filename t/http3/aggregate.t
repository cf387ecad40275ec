#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate over HTTP/3.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::HTTP3;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/b' => sub { $_[0]->json('[1,2]') },
    '/slow' => sub { $_[0]->delay(0.3); $_[0]->json('[1,2]') },
    '/s404' => sub { $_[0]->answer(404, 'text/html', '-') },
    '/never' => sub { $_[0]->hang },
    '/large' => sub { $_[0]->json('"' . 'x' x 3000000 . '"') },
    '/echo' => sub { $_[0]->json('"' . $_[1]{body} . '"') },
);

my $port = GW::free_port();
my $short = GW::free_port();
my $listen = GW::HTTP3::listen($port);
my $also = GW::HTTP3::listen($short);

my $nginx = GW::Nginx->new(http => agg_server($be,
    http => 'gw_aggregate_part_max_size 4m;',
    server => <<"END"));
        $listen
        location = /ordered {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/\$arg_b optional;
        }
        location = /lines {
            gw_aggregate object;
            gw_aggregate_stream ndjson;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/\$arg_b optional;
        }
        location = /post {
            gw_aggregate object;
            gw_aggregate_methods POST;
            gw_aggregate_part a /p/\$arg_a;
            gw_aggregate_part b /p/echo method=inherit body=inherit;
        }
    }
    server {
        $also
        keepalive_timeout 1s;
        location = /agg {
            gw_aggregate object;
            gw_aggregate_part a /p/\$arg_a;
            gw_aggregate_part b /p/\$arg_b optional;
        }
        location /p/ { internal; proxy_pass http://be/; }
END

my $good = '{"a":{"x":1},"b":[1,2]}';
my ($h3, $start, @closed, @replies, $reply);


sub connection {
    my ($to) = @_;

    return GW::HTTP3->new($to || $port) || die "no HTTP/3 connection";
}


sub get {
    my (@requests) = @_;

    return $h3->replies(5, $h3->request(@requests));
}


# all requests of a path that hang have been closed, not long after

sub cut {
    my ($start, $n, $name) = @_;

    $nginx->until(3, sub { @closed = $be->closed('/never'); @closed >= $n });
    is(scalar(@closed), $n, "$name: connections of parts are closed");
    within($closed[-1] - $start, 0, 0.1, "$name: at once") if @closed;
    $be->clear;
}


sub hangs {
    my ($n) = @_;

    return $nginx->until(3, sub { $be->requests('/never') == $n });
}


$h3 = connection();

($reply) = get('/agg?a=a&b=b');
complete($reply, $good, 'an aggregate over HTTP/3');
my $etag = $reply->{header}{etag};

($reply) = get('/agg?a=a&b=s404');
degraded($reply, 'status', 'one that is not complete');

($reply) = get('/agg?a=s404&b=b');
failed($reply, 404, { a => 'status' }, 'one that has failed');

($reply) = get([HEAD => '/agg?a=a&b=b']);
is($reply->{status}, 200, 'HEAD over HTTP/3');
is($reply->{header}{'content-length'}, length($good),
   'HEAD: the length of the answer to GET');
is($reply->{header}{etag}, $etag, 'HEAD: its ETag');
is($reply->{body}, '', 'HEAD: no body');

($reply) = get([GET => '/agg?a=a&b=b', undef, 'if-none-match' => $etag]);
is($reply->{status}, 304, '304 over HTTP/3');
is($reply->{body}, '', '304: no body');
is($reply->{header}{'content-length'}, undef, '304: no length');

($reply) = get([POST => '/post?a=a', 'some-text']);
is($reply->{body}, '{"a":{"x":1},"b":"some-text"}', 'POST over HTTP/3');

@replies = get(('/agg?a=a&b=slow', '/agg?a=a&b=b') x 5);
is(join(' ', map { $_ && $_->{body} } @replies), join(' ', ($good) x 10),
   'streams in parallel');
ok($replies[1]{time} < $replies[0]{time}, 'they do not wait for each other');

($reply) = get('/agg?a=a&b=large');
is(length($reply->{body}), 3000000 + length('{"a":{"x":1},"b":""}'),
   'an answer that is larger than windows of flow control');


# gw_aggregate_stream

($reply) = get('/ordered?b=slow');
is($reply->{body}, $good, 'ordered over HTTP/3');
is($reply->{header}{'content-length'}, undef, 'ordered: no length');
is($reply->{header}{'x-gw-completed'}, undef, 'ordered: not in the header');
is($reply->{trailer}{'x-gw-completed'}, 'true', 'ordered: in the trailer');
within($reply->{parts}[0][0], 0, 0.25, 'ordered: it begins early');
is($reply->{parts}[0][1], '{"a":{"x":1}', 'ordered: with what is there');

($reply) = get('/ordered?b=s404');
is($reply->{body}, '{"a":{"x":1},"b":null}', 'ordered: a part fails');
is($reply->{trailer}{'x-gw-completed'}, 'false', 'ordered: not completed');
is($reply->{trailer}{'x-gw-failed'}, 'b', 'ordered: its name');

($reply) = get('/lines?b=slow');
is($reply->{body}, qq({"part":"a","value":{"x":1}}\n)
                   . qq({"part":"b","value":[1,2]}\n), 'ndjson over HTTP/3');
is($reply->{trailer}{'x-gw-completed'}, 'true', 'ndjson: in the trailer');
is($reply->{parts}[0][1], qq({"part":"a","value":{"x":1}}\n),
   'ndjson: lines as they come');

($reply) = get([HEAD => '/ordered?b=b']);
is("$reply->{status} $reply->{body}", '200 ', 'HEAD of a stream');


# C102

for my $how (qw(stop cancel)) {
    for my $path ('/agg?a=a&b=never', '/ordered?b=never', '/lines?b=never') {
        my $other = $h3->request('/agg?a=a&b=slow');
        my $stream = $h3->request($path);

        hangs(1) or fail('C102 it hangs');
        $start = time();
        $h3->$how($stream);
        cut($start, 1, "C102 $how $path");
        is(($h3->replies(5, $other))[0]{body}, $good,
           'C102 another stream goes on');
    }
}

# the request has not ended

for my $how (qw(reset cancel)) {
    my $stream = $h3->request([POST => '/post?a=a', '...',
                               'content-length' => 100]);

    sleep(0.02);
    $h3->$how($stream);
    isnt($h3->closed(3, $stream), undef, "C102 $how in the request's body");
}

is(scalar($be->requests), 0, 'C102 no part has begun');

my @streams = $h3->request(('/agg?a=never&b=never') x 5);

hangs(10) or fail('C102 they hang');
$start = time();
$h3->close;
cut($start, 10, 'C102 the connection ends');

$h3 = connection($short);
$h3->request('/agg?a=never&b=never');
hangs(2) or fail('C102 they hang');
$start = time();
$h3->vanish;
$nginx->until(5, sub { $be->closed('/never') == 2 });
is(scalar($be->closed('/never')), 2, 'C102 a client that is silent');
$be->clear;

# any moment

my $rounds = ($ENV{GW_ROUNDS} || 200) / 10;
my @how = qw(stop cancel reset);
my @paths = ('/agg?a=a&b=b', '/agg?a=a&b=large', '/ordered?b=large',
             '/lines?b=slow', '/agg?a=large&b=never');
my $last;

for my $n (1 .. $rounds) {
    $h3 = connection();
    @streams = $h3->request(map { $paths[rand(@paths)] } 1 .. 9);
    $last = $h3->request('/agg?a=a&b=b');

    for my $stream (@streams) {
        my $how = $how[rand(@how)];

        sleep(rand(4) / 1000);
        $h3->$how($stream);
        # a request that has ended cannot be reset
        $h3->stop($stream) if $how eq 'reset';
    }

    ($reply) = $h3->replies(5, $last);
    last unless $reply && $reply->{body} eq $good;
    $h3->close if rand(2) < 1;
}

is($reply->{body}, $good, 'C102 at any moment');
$h3->close;
sane($nginx, 'HTTP/3');

done_testing();
