#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: what the answer says of itself, and what parts lend to it:
# Cache-Control, Vary, ETag, gw_aggregate_pass_header, Server-Timing.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

# seconds from now, as HTTP writes them
sub date {
    return strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time() + $_[0]));
}


# "lines" has the lines of the header, a bar between them; @N@ is a date
my $be = GW::Backend->new(
    '/a' => sub { lines('{"x":1}', @_) },
    '/b' => sub { lines('[1,2]', @_) },
    '/slow' => sub { $_[0]->delay(0.1); lines('[1,2]', @_) },
    '/s503' => sub { $_[0]->answer(503, 'text/html', '-',
                                   'X-One: b', 'Set-Cookie: b=1') },
    '/never' => sub { $_[0]->hang },
);

sub lines {
    my ($body, $conn, $req) = @_;

    my ($text) = ($req->{args} || '') =~ /lines=([^&]*)/;
    $text = '' unless defined $text;
    $text =~ s/%(..)/chr(hex($1))/ge;
    $text =~ s/\@(-?\d+)\@/date($1)/ge;
    $conn->json($body, split(/\|/, $text));
}

my $nginx = GW::Nginx->new(http => agg_server($be,
    http => 'proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;',
    server => <<'END'));
        gw_aggregate_server_timing on;

        location = /both {
            gw_aggregate object;
            gw_aggregate_methods GET HEAD POST;
            gw_aggregate_part a /p/a?lines=$arg_a;
            gw_aggregate_part b /p/b?lines=$arg_b optional;
        }
        location = /off {
            gw_aggregate object;
            gw_aggregate_cache_control off;
            gw_aggregate_etag off;
            gw_aggregate_server_timing off;
            gw_aggregate_pass_header Age b;
            gw_aggregate_part a /p/a?lines=$arg_a;
            gw_aggregate_part b /p/$arg_p?lines=$arg_b optional;
        }
        location = /expires {
            expires 1h;
            gw_aggregate object;
            gw_aggregate_part a /p/a?lines=$arg_a;
            gw_aggregate_part b /p/b?lines=$arg_b optional;
        }
        location = /gzip {
            gzip on;
            gzip_types application/json;
            gzip_min_length 1;
            gzip_vary on;
            gw_aggregate object;
            gw_aggregate_part a /p/a?lines=$arg_a;
            gw_aggregate_part b /p/b?lines=$arg_b;
        }
        location = /if {
            gw_aggregate object;
            gw_aggregate_part a /p/a?lines=$arg_a;
            gw_aggregate_part b /p/b?lines=$arg_b optional if=$arg_b;
        }
        location = /inner {
            internal;
            gw_aggregate object;
            gw_aggregate_part a /p/a?lines=$arg_a;
            gw_aggregate_part b /p/$arg_p optional;
        }
        location = /outer {
            gw_aggregate object;
            gw_aggregate_part i /inner?a=$arg_a&p=$arg_p;
        }
        location = /cached {
            gw_aggregate object;
            gw_aggregate_part a /cache/a?lines=$arg_a;
            gw_aggregate_part b /p/b?lines=$arg_b optional;
        }
        location = /pass {
            gw_aggregate object;
            gw_aggregate_pass_header X-One;
            gw_aggregate_pass_header X-First first;
            gw_aggregate_pass_header x-all all;
            gw_aggregate_pass_header X-B b;
            gw_aggregate_pass_header Set-Cookie all;
            gw_aggregate_part a /p/a?lines=$arg_a;
            gw_aggregate_part b /p/$arg_p?lines=$arg_b optional;
        }
        location = /cookie {
            gw_aggregate object;
            gw_aggregate_pass_header Set-Cookie b;
            gw_aggregate_part a /p/a?lines=$arg_a;
            gw_aggregate_part b /p/b?lines=$arg_b;
        }
        location = /cookies/limit {
            limit_except HEAD { deny 10.0.0.1; }
            gw_aggregate object;
            gw_aggregate_pass_header Set-Cookie b;
            gw_aggregate_part a /p/a?lines=$arg_a;
            gw_aggregate_part b /p/b?lines=$arg_b;
        }
        location = /metrics { gw_metrics prometheus; }
        location = /timing {
            gw_aggregate object;
            gw_aggregate_part a /cache/a;
            gw_aggregate_part b-1.x /p/slow optional;
            gw_aggregate_part c /p/s503 optional;
            gw_aggregate_part d /p/never optional timeout=150ms;
            gw_aggregate_part e /p/b optional if=$arg_e;
        }
        location = /timing/quiet {
            gw_aggregate object;
            gw_aggregate_errors name;
            gw_aggregate_part a /p/a;
            gw_aggregate_part c /p/s503 optional;
        }
        location = /timing/failed {
            gw_aggregate object;
            gw_aggregate_part c /p/s503;
            gw_aggregate_part d /p/never;
        }
        location /cache/ {
            internal;
            proxy_pass http://be/;
            proxy_cache cache;
            proxy_cache_valid 200 1m;
            proxy_ignore_headers Cache-Control Expires;
        }
END

my $client = GW::Client->new($nginx->{port});
my $good = '{"a":{"x":1},"b":[1,2]}';
my ($reply, $etag, $text);


sub encode {
    my ($text) = @_;

    $text =~ s/([^A-Za-z0-9])/sprintf('%%%02x', ord($1))/ge;

    return $text;
}


# a request whose parts answer with these lines

sub agg {
    my ($path, $a, $b, @headers) = @_;

    $path .= $path =~ /\?/ ? '&' : '?';

    return $client->get($path . 'a=' . encode($a) . '&b=' . encode($b),
                        @headers);
}


# all lines of a header of a reply

sub all {
    my ($reply, $name) = @_;

    return join(' + ', $reply->{headers} =~ /^\Q$name\E: ([^\r]*)/mig);
}


# Cache-Control: the lines of a and b, what is sent to the client
my $cc = 'Cache-Control: ';

for my $row (
    [ '', '', '' ],
    [ "${cc}max-age=60", "${cc}max-age=30", 'max-age=30' ],
    [ "${cc}max-age=60", '', 'max-age=0' ],
    [ "${cc}max-age=60", "${cc}max-age=60|Age: 20", 'max-age=40' ],
    [ "${cc}max-age=60", "${cc}max-age=60|Age: x", 'max-age=60' ],
    [ "${cc}max-age=60", "${cc}max-age=60|Age: 99999999999", 'max-age=0' ],
    [ "${cc}s-maxage=50", "${cc}max-age=60", 'max-age=50' ],
    [ "${cc}max-age=60", "${cc}no-store", 'no-store' ],
    [ "${cc}max-age=60", "${cc}private, max-age=5", 'private, max-age=5' ],
    [ "${cc}max-age=60|${cc}no-cache", "${cc}max-age=5",
      'no-cache, max-age=5' ],
    [ "${cc}public|${cc}max-age=60", "${cc}max-age=5, public",
      'public, max-age=5' ],
    [ "${cc}x=\"no-store\", max-age=7", "${cc}max-age=8", 'max-age=7' ],
    [ "${cc}max-age=60", "Expires: 0", 'max-age=0' ],
    [ "${cc}max-age=60", "Expires: Thu, 01 Jan 1970 00:00:00 GMT",
      'max-age=0' ],
    [ "${cc}max-age=60", "Date: \@-90\@|Expires: \@-70\@", 'max-age=0' ],
    [ "Date: \@0\@|Expires: \@20\@", "${cc}max-age=5|Expires: \@90\@",
      'max-age=5' ],
) {
    $reply = agg('/both', $row->[0], $row->[1]);
    is(all($reply, 'Cache-Control'), $row->[2],
       "Cache-Control of $row->[0] and $row->[1]");
}

# clocks of this kind have whole seconds
$reply = agg('/both', "${cc}max-age=60",
             "Date: \@0\@|Expires: \@20\@");
like(all($reply, 'Cache-Control'), qr/^max-age=(19|20)$/, 'Expires and Date');
$reply = agg('/both', "${cc}max-age=60", "Expires: \@20\@");
like(all($reply, 'Cache-Control'), qr/^max-age=(19|20)$/, 'Expires, no Date');
$reply = agg('/both', "${cc}max-age=60", "Date: \@-10\@|${cc}max-age=60");
like(all($reply, 'Cache-Control'), qr/^max-age=(49|50)$/,
     'Date is as good as Age');

$reply = agg('/both', "${cc}max-age=60", "${cc}max-age=60",
             'Authorization: Basic YTph');
is(all($reply, 'Cache-Control'), 'private, max-age=60',
   'what answers a request with Authorization is private');
$reply = agg('/both', "${cc}public, max-age=60", "${cc}public, max-age=60",
             'Authorization: Basic YTph');
is(all($reply, 'Cache-Control'), 'public, max-age=60', '... or public');

for my $name ('Age', 'Expires', 'Pragma') {
    is(all($reply, $name), '', "no $name");
}

$reply = agg('/if', "${cc}max-age=60", '');
is(all($reply, 'Cache-Control'), 'max-age=60',
   'a part that is not wanted says nothing');
$reply = $client->get('/agg?a=a&b=s503');
degraded($reply, 'status', 'a partial answer');
is(all($reply, 'Cache-Control'), 'no-store', 'a partial answer: no-store');
$reply = $client->get('/agg?a=s503&b=b');
is(all($reply, 'Cache-Control'), 'no-store', 'a failed answer: no-store');

$reply = agg('/off?p=b', "${cc}max-age=60|Vary: Accept",
             "${cc}no-store");
is(all($reply, 'Cache-Control') . all($reply, 'Vary'), '',
   'gw_aggregate_cache_control off');
$reply = agg('/off?p=s503', '', '');
is(all($reply, 'Cache-Control'), 'no-store', 'off: partial is no-store');
$reply = agg('/off?p=b', "${cc}max-age=60", 'Age: 7');
is(all($reply, 'Age'), 7, 'off: Age may be passed');
is(all($reply, 'ETag') . all($reply, 'Server-Timing'), '', 'off: others');

$reply = agg('/expires', "${cc}max-age=60", "${cc}max-age=30");
is(all($reply, 'Cache-Control'), 'max-age=3600', '"expires" comes first');
$reply = agg('/expires', "${cc}max-age=60", "${cc}no-store");
like(all($reply, 'Cache-Control'), qr/\bno-store\b/, 'but not of no-store');

# of aggregates
$reply = agg('/outer?p=b', "${cc}max-age=60", '');
is(all($reply, 'Cache-Control'), 'max-age=0', 'an aggregate in an aggregate');
$reply = agg('/outer?p=s503', "${cc}max-age=60", '');
is(all($reply, 'Cache-Control'), 'no-store', 'a partial one');

# Vary
for my $row (
    [ '', '', '' ],
    [ 'Vary: Accept', '', 'Accept' ],
    [ 'Vary: Accept, Cookie', 'Vary: cookie,X-Y|Vary: accept',
      'Accept, Cookie, X-Y' ],
    [ 'Vary: Accept', 'Vary: *', '*' ],
) {
    $reply = agg('/both', $row->[0], $row->[1]);
    is(all($reply, 'Vary'), $row->[2], "Vary of $row->[0] and $row->[1]");
}

# what a cache of nginx has kept
agg('/cached', "${cc}max-age=60", "${cc}max-age=90");
sleep(2.2);
$reply = agg('/cached', "${cc}max-age=60", "${cc}max-age=90");
like(all($reply, 'Server-Timing'), qr/^a;dur=\d+;desc="HIT", b;dur=\d+$/,
     'an answer of the cache');
like(all($reply, 'Cache-Control'), qr/^max-age=5[678]$/,
     'it is as old as it is');

# C80 to C83
$reply = agg('/both', 'ETag: "part"', '');
complete($reply, $good, 'C82 an answer');
$etag = all($reply, 'ETag');
like($etag, qr{^W/"[0-9a-f]{16}-17"$}, 'C82 a weak ETag');
$reply = agg('/both', '', 'ETag: W/"other"');
is(all($reply, 'ETag'), $etag, 'C82 the same bytes, the same ETag');
$be->clear;
$reply = agg('/both', '', '', "If-None-Match: $etag");
is("$reply->{status}$reply->{body}", '304', 'C82 If-None-Match');
is(all($reply, 'ETag'), $etag, 'C82 ETag of 304');
is($reply->{header}{'content-type'}, undef, 'C82 no Content-Type of 304');
is(scalar($be->requests), 2, 'C82 parts were asked');
unlike(join('', $be->requests), qr/^If-/mi, 'C82 parts saw no If-*');
is($client->get('/ping')->{body}, 'pong', 'C82 the connection lives');

for my $value ("\"x\", $etag", substr($etag, 2), '*') {
    $reply = agg('/both', '', '', "If-None-Match: $value");
    is($reply->{status}, 304, "C82 If-None-Match: $value");
}

$reply = agg('/both', '', '', "If-None-Match: $etag",
             'If-Modified-Since: Mon, 23 Nov 2020 08:00:00 GMT');
is($reply->{status}, 304, 'C82 If-Modified-Since is not looked at');
$reply = $client->request('HEAD', '/both?a=&b=', undef,
                          "If-None-Match: $etag");
is($reply->{status}, 304, 'C82 HEAD');
$reply = agg('/both', 'ETag: "part"', '', 'If-None-Match: "part"');
complete($reply, $good, 'C83 the ETag of a part');
$reply = $client->request('POST', '/both', '', "If-None-Match: $etag");
is("$reply->{status} " . all($reply, 'ETag'), '200 ', 'C82 not for POST');
$reply = agg('/both', '', 'ETag: "x"', "If-None-Match: W/\"0-17\"");
is($reply->{status}, 200, 'C82 another ETag');

$reply = $client->get('/agg?a=a&b=s503', 'If-None-Match: *');
degraded($reply, 'status', 'C82 a partial answer is not compared');
$reply = agg('/off?p=b', '', '', 'If-None-Match: "x"');
is($reply->{status}, 200, 'C82 gw_aggregate_etag off');

{
    my $get = agg('/both', 'Vary: Accept', "${cc}max-age=5");
    my $head = $client->request('HEAD', '/both?a=' . encode('Vary: Accept')
                                . '&b=' . encode("${cc}max-age=5"));

    s/^Date: .*\r\n//m, s/dur=\d+/dur=0/g
        for $get->{headers}, $head->{headers};
    is($head->{headers}, $get->{headers}, 'C80 HEAD: headers of a GET');
}

$reply = agg('/both', '', '', 'Range: bytes=0-3', "If-Range: $etag");
complete($reply, $good, 'C81 no ranges');
is(all($reply, 'Accept-Ranges'), '', 'C81 no Accept-Ranges');

# C62
$be->clear;
$reply = agg('/gzip', 'Vary: Cookie', '', 'Accept-Encoding: gzip');
is(all($reply, 'Content-Encoding'), 'gzip', 'C62 compressed');
require Compress::Zlib;
is(Compress::Zlib::memGunzip($reply->{body}), $good, 'C62 the exact bytes');
is(all($reply, 'ETag'), $etag, 'C62 the ETag is weak');
like(all($reply, 'Vary'), qr/^(?=.*Cookie)(?=.*Accept-Encoding)/,
     'C62 Vary of nginx and of parts');
unlike(join('', $be->requests), qr/^Accept-Encoding:/mi,
       'C62 parts are asked for plain bytes');
$reply = agg('/gzip', '', '', 'Accept-Encoding: gzip',
             "If-None-Match: $etag");
is($reply->{status}, 304, 'C62 304');

# gw_aggregate_pass_header
$reply = agg('/pass?p=b', 'X-One: a|X-First: a1|X-First: a2|X-All: a|X-B: a'
                          . '|Set-Cookie: a=1',
             'X-One: b|X-First: b|X-All: b1|X-All: b2|X-B: b1|X-B: b2'
             . '|Set-Cookie: b=1; Path=/|Set-Cookie: c=2|X-Other: 1');
is(all($reply, 'X-One'), 'a', 'gw_aggregate_pass_header: of the first part');
is(all($reply, 'X-First'), 'a1 + a2', 'all lines of it');
is(all($reply, 'X-All'), 'a + b1 + b2', 'of all parts, in their order');
is(all($reply, 'X-B'), 'b1 + b2', 'of one part');
is(all($reply, 'Set-Cookie'), 'a=1 + b=1; Path=/ + c=2', 'cookies');
is(all($reply, 'X-Other'), '', 'others are dropped');
is(all($reply, 'Cache-Control'), 'private', 'cookies make it private');
$reply = agg('/pass?p=b', "${cc}max-age=5", "X-One: b|${cc}max-age=5");
is(all($reply, 'X-One'), 'b', 'the first part that has it');
is(all($reply, 'Cache-Control'), 'max-age=5', 'without cookies it is not');
$reply = agg('/pass?p=s503', 'X-All: a|Set-Cookie: a=1', '');
is(all($reply, 'X-All') . all($reply, 'X-One'), 'a',
   'nothing of a part that failed');
is(all($reply, 'Set-Cookie'), 'a=1', 'no cookies of it');
is(all($reply, 'Cache-Control'), 'no-store', 'a partial answer stays so');

for my $path ('/cookie', '/cookies/limit') {
    $reply = agg($path, "Set-Cookie: a=1|${cc}max-age=5",
                 "Set-Cookie: b=1|${cc}max-age=5");
    is(all($reply, 'Set-Cookie') . ' ' . all($reply, 'Cache-Control'),
       'b=1 private, max-age=5', "cookies of one part, $path");
}

$reply = agg('/cookie', "Set-Cookie: a=1|${cc}max-age=5", "${cc}max-age=5");
is(all($reply, 'Set-Cookie') . all($reply, 'Cache-Control'), 'max-age=5',
   'cookies of the other part are dropped and do not count');

# Server-Timing
$client->get('/timing');
$reply = $client->get('/timing');
$text = all($reply, 'Server-Timing');
like($text, qr/^a;dur=\d+;desc="HIT",\ b-1\.x;dur=[1-9]\d\d,
               \ c;dur=\d+;desc="status",
               \ d;dur=[1-9]\d\d;desc="timeout",\ e;desc="skipped"$/x,
     'gw_aggregate_server_timing');
$reply = $client->get('/timing/quiet');
like(all($reply, 'Server-Timing'), qr/^a;dur=\d+, c;dur=\d+$/,
     'it tells no more than gw_aggregate_errors');
$reply = $client->get('/timing/failed');
like(all($reply, 'Server-Timing'),
     qr/^c;dur=\d+;desc="status", d;dur=\d+;desc="cancelled"$/,
     'of an answer that failed');
$reply = agg('/both', 'Server-Timing: secret;dur=1', '');
unlike($reply->{headers}, qr/secret/, 'that of a part is dropped');

# metrics of time: these ended in 100 ms and in 150 ms, others at once
sub metrics {
    my ($name) = @_;

    return $client->get('/metrics')->{body} =~ /^gw_aggregate_\Q$name\E (.*)$/m
           ? $1 : -1;
}

my @le = map { "part_seconds_bucket{le=\"$_\"}" } '0.05', '0.1', '0.25',
                                                  '10', '+Inf';
my @before = map { metrics($_) } @le, 'part_seconds_count',
                                 'part_seconds_sum',
                                 'parts_total{result="timeout"}';
$client->get('/timing');
my @after = map { metrics($_) } @le, 'part_seconds_count',
                                'part_seconds_sum',
                                'parts_total{result="timeout"}';
my @more = map { $after[$_] - $before[$_] } 0 .. $#after;

ok($more[0] <= 2, 'parts by their time: 50 ms');
is("@more[3 .. 5]", '4 4 4', 'parts by their time: all are counted');
ok($more[6] >= 0.25 && $more[6] < 4, 'seconds that parts took');
is($more[7], 1, 'one of them in vain');

$client->close;
sane($nginx, 'headers');

done_testing();
