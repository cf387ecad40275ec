#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate_stream: answers that begin while optional parts still run.

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

my $pretty = "{\r\n  \"k\": [\n1,\t2\r\n],\r\n\"s\":\"\\n\" }";

# "/d300/..." answers after 300 ms, "/k900" with 900 KB
my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}', 'X-One: a', 'ETag: "a"',
                              'Cache-Control: max-age=60') },
    '/b' => sub { $_[0]->json('[1,2]', 'X-One: b') },
    '/pretty' => sub { $_[0]->json($pretty) },
    '/value' => sub { $_[0]->delay(0.1); $_[0]->json('{"v":"d100"}') },
    '/s404' => sub { $_[0]->answer(404, 'text/html', '-') },
    '/half' => sub { $_[0]->head(200, 'Content-Length: 100'); $_[0]->send('[');
                     $_[0]->hang },
    '/never' => sub { $_[0]->hang },
    '/trickle' => sub {
        $_[0]->head(200, 'Content-Type: application/json',
                    'Content-Length: 21');
        $_[0]->send('['), map { $_[0]->send(' '); $_[0]->delay(0.05) } 1 .. 19;
        $_[0]->send(']');
    },
    '*' => sub {
        my ($conn, $req) = @_;
        my ($delay) = $req->{path} =~ m{^/d(\d+)};
        my ($size) = $req->{path} =~ m{/k(\d+)};

        $conn->delay($delay / 1000) if $delay;
        return $conn->answer(404, 'text/html', '-') if $req->{path} =~ /404/;

        my $body = $size ? '"' . 'x' x ($size * 1024 - 2) . '"'
                         : "\"$req->{path}\"";

        $req->{path} =~ /chunked/
            ? $conn->chunked(map { substr($body, $_ * 8192, 8192) }
                                 0 .. (length($body) - 1) / 8192)
            : $conn->json($body);
    },
);

my $http2 = GW::free_port();

my $nginx = GW::Nginx->new(http => agg_server($be,
    agg => 'gw_aggregate_stream ordered;',
    http => <<'HTTP',
    log_format sub '$request_uri $uri $status';
    access_log %%DIR%%/logs/sub.log sub;
    limit_req_zone $server_addr zone=ten:32k rate=10r/s;
    gw_aggregate_buffer_size 64k;
HTTP
    server => <<"END"));
        listen 127.0.0.1:$http2 http2;
        log_subrequest on;

        location = /three {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/\$arg_a;
            gw_aggregate_part b /p/\$arg_b optional timeout=500ms;
            gw_aggregate_part c /p/\$arg_c optional omit as=/n/c;
            gw_aggregate_part d /p/\$arg_d optional omit as=/n/d;
        }
        location = /array {
            gw_aggregate array;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/\$arg_a optional;
            gw_aggregate_part b /p/\$arg_b optional default=0;
        }
        location = /required {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/b;
        }
        location = /both {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_fail_fast off;
            gw_aggregate_part o /p/b optional;
            gw_aggregate_part a /p/\$arg_a;
            gw_aggregate_part b /p/\$arg_b;
        }
        location = /require/all {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_require all;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/\$arg_b optional;
        }
        location = /require/none {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_require none;
            gw_aggregate_part a /p/\$arg_a optional;
        }
        location = /require/one {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_require 1;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/\$arg_b optional;
            gw_aggregate_part c /p/\$arg_c optional;
        }
        location = /errors {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_errors code member=/errors;
            gw_aggregate_server_timing on;
            gw_aggregate_pass_header X-One all;
            gw_aggregate_part a /p/\$arg_a;
            gw_aggregate_part b /p/\$arg_b optional;
        }
        location = /quiet {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_errors off;
            gw_aggregate_complete_header X-Whole;
            gw_aggregate_part a /p/\$arg_a;
            gw_aggregate_part b /p/\$arg_b optional;
        }
        location = /lines {
            gw_aggregate object;
            gw_aggregate_stream ndjson;
            gw_aggregate_part a /p/\$arg_a;
            gw_aggregate_part b /p/\$arg_b optional timeout=500ms;
            gw_aggregate_part c /p/\$arg_c optional 'default={\n"d":\r\n1}';
            gw_aggregate_part d /p/\$arg_d optional omit;
            gw_aggregate_part e /p/b optional if=\$arg_e;
        }
        location = /lines/quiet {
            gw_aggregate array;
            gw_aggregate_stream ndjson;
            gw_aggregate_errors name;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/s404 optional;
        }
        location = /set {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_set \$seg b /v;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/\$arg_b optional;
            gw_aggregate_part c /p\$http_x_path/\$seg optional;
        }
        location = /gzip {
            gzip on;
            gzip_types application/json;
            gzip_min_length 1;
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/\$arg_b optional;
        }
        location = /outer {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part i /inner;
            gw_aggregate_part b /p/d200 optional;
        }
        location = /inner {
            internal;
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/d100 optional;
        }
        location = /large {
            gw_aggregate array;
            gw_aggregate_stream ordered;
            gw_aggregate_max_size 2m;
            gw_aggregate_part a /p/d0/k900/\$arg_x optional;
            gw_aggregate_part b /p/d200/k900/\$arg_x optional;
            gw_aggregate_part c /p/d400/k900/\$arg_x optional;
            gw_aggregate_part d /p/d600/k900/\$arg_x optional;
            gw_aggregate_part e /p/d800/k900/\$arg_x optional;
        }
        location = /memory {
            gw_aggregate array;
            gw_aggregate_stream ordered;
            gw_aggregate_max_size 64m;
            gw_aggregate_part_max_size 4m;
            gw_aggregate_part p0 /p/d0/k2000/\$arg_x optional;
            gw_aggregate_part p1 /p/d60/k2000/\$arg_x optional;
            gw_aggregate_part p2 /p/d120/k2000/\$arg_x optional;
            gw_aggregate_part p3 /p/d180/k2000/\$arg_x optional;
            gw_aggregate_part p4 /p/d240/k2000/\$arg_x optional;
            gw_aggregate_part p5 /p/d300/k2000/\$arg_x optional;
            gw_aggregate_part p6 /p/d360/k2000/\$arg_x optional;
            gw_aggregate_part p7 /p/d420/k2000/\$arg_x optional;
            gw_aggregate_part p8 /p/d480/k2000/\$arg_x optional;
            gw_aggregate_part p9 /p/d540/k2000/\$arg_x optional;
            gw_aggregate_part p10 /p/d600/k2000/\$arg_x optional;
            gw_aggregate_part p11 /p/d660/k2000/\$arg_x optional;
        }
        location = /slow {
            send_timeout 2s;
            sendfile off;
            gw_aggregate array;
            gw_aggregate_stream ordered;
            gw_aggregate_max_size 64m;
            gw_aggregate_part_max_size 16m;
            gw_aggregate_part a /p/k8000;
            gw_aggregate_part b /p/\$arg_b optional;
        }
        location = /rate {
            limit_rate 100k;
            limit_rate_after 1k;
            gw_aggregate array;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/k40;
            gw_aggregate_part b /p/trickle optional;
        }
        location = /limited {
            gw_aggregate array;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /limit/b optional;
        }
        location /limit/ {
            internal;
            limit_req zone=ten burst=10;
            proxy_pass http://be/;
        }
END

my $client = GW::Client->new($nginx->{port});
my ($reply, $start, @pieces, @lines);


sub pieces {
    my ($path) = @_;

    return GW::Aggregate::pieces($nginx, $path);
}


sub streamed {
    my ($reply, $body, $completed, $failed, $name) = @_;

    my $type = $name =~ /ndjson/ ? 'application/x-ndjson'
                                 : 'application/json';
    my $header = $reply->{header};

    is($reply->{status} . ' ' . $reply->{body}, "200 $body", $name);
    is(join(' ', map { defined $_ ? $_ : '-' }
                     @$header{qw(content-type transfer-encoding cache-control
                                 content-length etag x-gw-completed)}),
       "$type chunked no-store - - -", "$name: header");
    is(join(' ', map { $reply->{trailer}{$_} || '-' }
                     qw(x-gw-completed x-gw-failed)),
       "$completed $failed", "$name: trailers");
}


# ordered
$reply = $client->get('/three?a=a&b=d300&c=c&d=d');
streamed($reply, '{"a":{"x":1},"b":"/d300","n":{"c":"/c","d":"/d"}}',
         'true', '-', 'ordered');
is($reply->{header}{trailer}, 'X-Gw-Completed, X-Gw-Failed',
   'ordered: Trailer');
is($client->get('/ping')->{body}, 'pong', 'ordered: the connection lives');

@pieces = pieces('/three?a=a&b=d300&c=c&d=d');
is($pieces[0][1], '{"a":{"x":1}', 'ordered: what is there first');
within($pieces[0][0], 0, 0.1, 'ordered: at once');
is($pieces[-1][1], '{"a":{"x":1},"b":"/d300","n":{"c":"/c","d":"/d"}}',
   'ordered: all of it');
within($pieces[-1][0], 0.3, 0.4, 'ordered: when the last part is there');

@pieces = pieces('/three?a=d150/a&b=b&c=d300&d=d');
is($pieces[0][1], '{"a":"/d150%2Fa","b":[1,2]',
   'ordered: not before the required part');
within($pieces[0][0], 0.15, 0.25, 'ordered: but then');

for my $row (
    [ 'a=a&b=never&c=c&d=d', '"b":null,"n":{"c":"/c","d":"/d"}', 'b' ],
    [ 'a=a&b=d200/404&c=c&d=d', '"b":null,"n":{"c":"/c","d":"/d"}', 'b' ],
    [ 'a=a&b=half&c=c&d=d', '"b":null,"n":{"c":"/c","d":"/d"}', 'b' ],
    [ 'a=a&b=b&c=d200/404&d=d', '"b":[1,2],"n":{"d":"/d"}', 'c' ],
    [ 'a=a&b=b&c=d200/404&d=d300', '"b":[1,2],"n":{"d":"/d300"}', 'c' ],
    [ 'a=a&b=b&c=c&d=d200/404', '"b":[1,2],"n":{"c":"/c"}', 'd' ],
    [ 'a=a&b=b&c=d200/404&d=d100/404', '"b":[1,2]', 'c, d' ],
    [ 'a=a&b=s404&c=s404&d=s404', '"b":null', 'b, c, d' ],
) {
    $reply = $client->get("/three?$row->[0]");
    streamed($reply, "{\"a\":{\"x\":1},$row->[1]}", 'false', $row->[2],
             "ordered: late failures, $row->[0]");
}

# the same bytes without
$reply = $client->get('/agg?a=a&b=d100');
streamed($reply, '{"a":{"x":1},"b":"/d100"}', 'true', '-', 'ordered: two');
$reply = $client->get('/array?a=d100&b=s404');
streamed($reply, '["/d100",0]', 'false', 'b', 'ordered: an array');
$reply = $client->get('/array?a=s404&b=d100');
streamed($reply, '[null,"/d100"]', 'false', 'a', 'ordered: an array, late');

# what decides the status comes before
$be->clear;
$reply = $client->get('/agg?a=s404&b=never');
failed($reply, 404, { a => 'status' }, 'ordered: a required part fails');
$reply = $client->get('/array?a=s404&b=d100/404');
failed($reply, 502, { a => 'status', b => 'status' },
       'ordered: gw_aggregate_require any');
$reply = $client->get('/require/all?b=d100/404');
failed($reply, 502, { b => 'status' }, 'ordered: gw_aggregate_require all');
$reply = $client->get('/require/all?b=d100');
streamed($reply, '{"a":{"x":1},"b":"/d100"}', 'true', '-',
         'ordered: gw_aggregate_require all, all are there');
$reply = $client->get('/require/none?a=d100/404');
streamed($reply, '{"a":null}', 'false', 'a',
         'ordered: gw_aggregate_require none');
$reply = $client->get('/require/one?b=d100/404&c=d50/404');
failed($reply, 502, { b => 'status', c => 'status' },
       'ordered: gw_aggregate_require 1');
@pieces = pieces('/require/one?b=d200/404&c=d100');
is($pieces[-1][1], '{"a":{"x":1},"b":null,"c":"/d100"}',
   'ordered: gw_aggregate_require 1, one is there');
$reply = $client->get('/both?a=s404&b=d100');
failed($reply, 404, { a => 'status' },
       'ordered: gw_aggregate_fail_fast off');
complete($client->get('/required'), '{"a":{"x":1},"b":[1,2]}',
         'ordered: without optional parts it is as usual');
$reply = $client->get('/outer');
streamed($reply, '{"i":{"a":{"x":1},"b":"/d100"},"b":"/d200"}', 'true', '-',
         'ordered: of an ordered one');

# parts that wait for others
$reply = $client->get('/set?b=value', 'X-Path: /x');
streamed($reply, '{"a":{"x":1},"b":{"v":"d100"},"c":"/x/d100"}', 'true', '-',
         'ordered: gw_aggregate_set');
$reply = $client->get('/set?b=s404', 'X-Path: /x');
streamed($reply, '{"a":{"x":1},"b":null,"c":null}', 'false', 'b, c',
         'ordered: gw_aggregate_set without its part');
$reply = $client->get('/set?b=value', 'X-Path: /../x');
streamed($reply, '{"a":{"x":1},"b":{"v":"d100"},"c":null}', 'false', 'c',
         'ordered: a value of the client that comes too late for 400');

# what is told, and passed
$reply = $client->get('/errors?a=a&b=d100/404');
streamed($reply, '{"a":{"x":1},"b":null,"errors":{"b":"status"}}', 'false',
         'b', 'ordered: the member for errors');
like($reply->{trailer}{'server-timing'},
     qr/^a;dur=\d+, b;dur=[1-9]\d\d;desc="status"$/,
     'ordered: Server-Timing is a trailer');
is($reply->{header}{trailer}, 'X-Gw-Completed, X-Gw-Failed, Server-Timing',
   'ordered: all trailers');
$reply = $client->get('/errors?a=a&b=b');
is(join('+', $reply->{headers} =~ /^X-One: (.*)\r$/mg), 'a',
   'ordered: only required parts pass headers');
$reply = $client->get('/quiet?a=a&b=d100/404');
is("$reply->{header}{trailer} $reply->{trailer}{'x-whole'}",
   'X-Whole false', 'ordered: gw_aggregate_complete_header');
is(join(' ', keys %{$reply->{trailer}}), 'x-whole',
   'ordered: gw_aggregate_errors off');
$reply = $client->get('/agg?a=a&b=b', 'If-None-Match: *', 'Range: bytes=0-1');
streamed($reply, '{"a":{"x":1},"b":[1,2]}', 'true', '-',
         'ordered: no conditions, no ranges');

# HTTP/1.0 and HEAD
{
    my $old = GW::Client->new($nginx->{port});

    $old->send("GET /agg?a=a&b=d100 HTTP/1.0\r\nHost: x\r\n\r\n");
    $reply = $old->read;
    is("$reply->{body} $reply->{header}{'content-length'} "
       . $reply->{header}{'x-gw-completed'},
       '{"a":{"x":1},"b":"/d100"} 25 true', 'ordered: HTTP/1.0');
    $old = GW::Client->new($nginx->{port});
    $old->send("GET /lines?a=a&b=b&c=d100&d=s404 HTTP/1.0\r\nHost: x\r\n"
               . "Connection: keep-alive\r\n\r\n");
    $reply = $old->read;
    like($reply->{body}, qr/\A(\{.*\}\n){4}\z/, 'ndjson: HTTP/1.0');
    is($reply->{header}{trailer}, undef, 'ndjson: HTTP/1.0 has no trailers');
}

for my $path ('/agg?a=a&b=never', '/lines?a=a&b=b&c=never&d=d') {
    $be->clear;
    $start = time();
    $reply = $client->request('HEAD', $path);
    is("$reply->{status} $reply->{header}{'cache-control'}", '200 no-store',
       "HEAD of $path");
    within($reply->{time}, 0, 0.1, "HEAD of $path: at once");
    is($client->get('/ping')->{body}, 'pong', 'HEAD: the connection lives');
    $nginx->until(2, sub { $be->closed('/never') });
    within(($be->closed('/never'))[0] - $start, 0, 0.1,
           'HEAD: parts are stopped');
}

# ndjson
$reply = $client->get('/lines?a=d100&b=b&c=d300&d=d200');
streamed($reply, <<'END', 'true', '-', 'ndjson');
{"part":"e","value":null}
{"part":"b","value":[1,2]}
{"part":"a","value":"/d100"}
{"part":"d","value":"/d200"}
{"part":"c","value":"/d300"}
END
@pieces = pieces('/lines?a=d100&b=b&c=d300&d=d200');
within($pieces[0][0], 0.1, 0.2, 'ndjson: not before the required part');
like($pieces[0][1], qr/"\/d100"\}\n\z/, 'ndjson: up to it');
within($pieces[-1][0], 0.3, 0.4, 'ndjson: the last one');
$reply = $client->get('/lines?a=a&b=never&c=d100/404&d=d200/404&e=1');
@lines = sort split(/\n/, $reply->{body});
$reply->{body} = join("\n", @lines, '');
streamed($reply, <<'END', 'false', 'b, c, d', 'ndjson: failures');
{"part":"a","value":{"x":1}}
{"part":"b","value":null,"error":"timeout"}
{"part":"c","value":{ "d":  1},"error":"status"}
{"part":"e","value":[1,2]}
END
$reply = $client->get('/lines?a=pretty&b=pretty&c=pretty&d=pretty&e=1');
@lines = split(/\n/, $reply->{body});
(my $flat = $pretty) =~ tr/\r\n/  /;
is(scalar(grep { $_ =~ /"value":\Q$flat\E\}$/ } @lines), 4,
   'ndjson: no line feeds within');
is(scalar(@lines), 5, 'ndjson: one line each');
$reply = $client->get('/lines?a=s404&b=b&c=c&d=d');
failed($reply, 404, { a => 'status' }, 'ndjson: a required part fails');
$reply = $client->get('/lines/quiet');
like($reply->{body}, qr/^\{"part":"b","value":null\}$/m,
     'ndjson: gw_aggregate_errors name');

# gzip
require Compress::Zlib;
$reply = $client->get('/gzip?b=d100', 'Accept-Encoding: gzip');
is("$reply->{header}{'content-encoding'} "
   . Compress::Zlib::memGunzip($reply->{body}),
   'gzip {"a":{"x":1},"b":"/d100"}', 'gzip: the same bytes');
is($reply->{trailer}{'x-gw-completed'}, 'true', 'gzip: trailers');
{
    my $sock = GW::Client->new($nginx->{port});

    $sock->send("GET /gzip?b=d300 HTTP/1.1\r\nHost: x\r\n"
                . "Accept-Encoding: gzip\r\n\r\n");
    $start = time();
    $sock->fill while $sock->{in} !~ /\r\n\r\n[^\r]/ && time() - $start < 2;
    within(time() - $start, 0, 0.15, 'gzip: what is there is sent');
    like($sock->{in}, qr/\r\n\r\n[0-9a-f]+\r\n.{10}/s, 'gzip: some of it');
}

# memory of what was sent is used again: 4.5 MB through 2 MB
for my $x ('length', 'chunked') {
    $reply = $client->get("/large?x=$x");
    is(length($reply->{body}), 5 * 900 * 1024 + 6, "large parts, $x");
    is($reply->{trailer}{'x-gw-completed'}, 'true', "large parts, $x: all");
}


# and it is given back: 24 MB are never kept together
{
    my ($pid) = $nginx->workers;
    my ($before, $after);

    open(my $fh, '>', "/proc/$pid/clear_refs") or die;
    print $fh '5';
    close($fh);

    $before = peak($pid);
    $reply = $client->get('/memory?x=length');
    $after = peak($pid);

    is(length($reply->{body}), 12 * 2000 * 1024 + 13, '24 MB');
    ok(($ENV{GW_VARIANT} || '') =~ /asan/ || $after - $before < 14_000,
       '24 MB: memory is given back') or diag("$before $after");
}

# KB that a process has used at most since it was asked to forget

sub peak {
    my ($pid) = @_;

    open(my $fh, '<', "/proc/$pid/status") or die;

    return (map { /^VmHWM:\s+(\d+)/ ? $1 : () } <$fh>)[0];
}

$be->clear;

# a slow client
{
    my $slow = GW::Client->new($nginx->{port});
    my ($in, $rest) = ('');

    setsockopt($slow->{sock}, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(),
               pack('i', 16384));
    $slow->send("GET /slow?b=d100 HTTP/1.1\r\nHost: x\r\n\r\n");
    is($client->get('/ping')->{body}, 'pong', 'slow: others are served');

    for (1 .. 6) {
        sleep(0.05);
        $slow->fill;
    }

    $reply = $slow->read;
    is(length($reply->{body}), 8000 * 1024 + 10,
       'slow: the client gets all of it');
    is($reply->{trailer}{'x-gw-completed'}, 'true', 'slow: trailers');
    $slow->send("GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    is($slow->read->{body}, 'pong', 'slow: the connection lives');

    # one that does not read at all
    $slow = GW::Client->new($nginx->{port});
    $be->clear;
    $slow->send("GET /slow?b=never HTTP/1.1\r\nHost: x\r\n\r\n");
    $start = time();
    ok($nginx->until(4, sub { $be->closed('/never') }),
       'send_timeout while a part runs');
    within(($be->closed('/never'))[0] - $start, 2, 2.5, 'send_timeout: then');
}

# limit_rate, and limit_req of a part
$reply = $client->get('/rate');
is(length($reply->{body}), 40 * 1024 + 21 + 3, 'limit_rate of the answer');
within($reply->{time}, 0.2, 1.4, 'limit_rate: it does not stall');
$client->get('/limited') for 1 .. 2;
$reply = $client->get('/limited');
streamed($reply, '[{"x":1},[1,2]]', 'true', '-', 'limit_req of a part');

# clients that go away
for my $way ('close', 'reset') {
    for my $what ('never', 'half') {
        $be->clear;
        my $gone = GW::Client->new($nginx->{port});
        $gone->send("GET /agg?a=a&b=$what HTTP/1.1\r\nHost: x\r\n\r\n");
        $nginx->until(2, sub { $be->requests("/$what") });
        $gone->fill;
        $start = time();
        $gone->$way;
        $nginx->until(2, sub { $be->closed("/$what") });
        is(scalar($be->closed("/$what")), 1, "$way, $what: it is stopped");
    }
}

# C117
$nginx->until(2, sub { 4 <= grep { m{^/agg\S* /agg 200} } sub_log() });
is(scalar(grep { m{^/agg\?a=a&b=half /p/half} } sub_log()), 2,
   'C117 parts are in the access log');

sub sub_log {
    open(my $fh, '<', "$nginx->{dir}/logs/sub.log") or return ();

    return <$fh>;
}

# a pipeline
$client->send(join('', map { "GET $_ HTTP/1.1\r\nHost: x\r\n\r\n" }
                           ('/agg?a=a&b=d100', '/ping', '/lines?a=a&b=never'
                            . '&c=c&d=d', '/agg?a=a&b=b')));
is($client->read->{body}, '{"a":{"x":1},"b":"/d100"}', 'C105 a pipeline');
is($client->read->{body}, 'pong', 'C105 the second one');
like($client->read->{body}, qr/"b","value":null,"error":"timeout"/,
     'C105 the third one');
is($client->read->{body}, '{"a":{"x":1},"b":[1,2]}', 'C105 the last one');

# HTTP/2: data, then the trailers with the end of the stream
{
    my ($in, $body, $ended, @types) = ('', '', 0);
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $http2) or die;
    my $path = '/agg?a=a&b=d100/404';

    syswrite($sock, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(4, 0, 0, '')
                    . frame(1, 5, 1, "\x82\x86\x04" . chr(length($path))
                                     . $path . "\x01\x09localhost"));

    while (!$ended && IO::Select->new($sock)->can_read(3)) {
        last unless sysread($sock, $in, 65536, length($in));

        while (length($in) >= 9) {
            my ($high, $low, $type, $flags, $stream) = unpack('nCCCN', $in);
            my $length = $high << 8 | $low;

            last if length($in) < 9 + $length;

            substr($in, 0, 9, '');
            my $data = substr($in, 0, $length, '');

            next if $stream != 1;
            push(@types, $type);
            $body .= $data if $type == 0;
            $ended = $type + 1 if $flags & 1;
        }
    }

    is($body, '{"a":{"x":1},"b":null}', 'HTTP/2: the body');
    is("@types[0, -1] $ended", '1 1 2', 'HTTP/2: trailers end the stream');

    # reset while parts run
    $be->clear;
    $path = '/agg?a=a&b=never';
    syswrite($sock, frame(1, 5, 3, "\x82\x86\x04" . chr(length($path))
                                   . $path . "\x01\x09localhost"));
    $nginx->until(2, sub { $be->requests('/never') });
    sleep(0.05);
    syswrite($sock, frame(3, 0, 3, pack('N', 8)));
    ok($nginx->until(2, sub { $be->closed('/never') == 1 }),
       'HTTP/2: a reset stops the part');
}

sub frame {
    my ($type, $flags, $stream, $data) = @_;

    return substr(pack('N', length($data)), 1)
           . pack('CCN', $type, $flags, $stream) . $data;
}

# C103: any moment
for my $n (1 .. ($ENV{GW_ROUNDS} || 60)) {
    my $gone = GW::Client->new($nginx->{port});
    my $path = ('/agg?a=a&b=b', '/lines?a=a&b=b&c=pretty&d=s404',
                '/three?a=a&b=half&c=d1&d=d2', '/slow?b=d3')[rand 4];

    $gone->send("GET $path HTTP/1.1\r\nHost: x\r\n\r\n");
    sleep(rand(6) / 1000);
    $gone->${\ ('close', 'reset')[rand 2] };
}

is($client->get('/ping')->{body}, 'pong', 'C103 clients that go at any time');
$client->close;
sane($nginx, 'streams');

done_testing();
