#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: what back ends see of a client's request.

use strict;
use warnings;

use lib 't/lib';

use Digest::MD5 qw(md5_hex);
use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use Test::More;

# "echo" answers with the body it got, "uri" with the URI
my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/b' => sub { $_[0]->json('[1,2]') },
    '/slow' => sub { $_[0]->delay(0.1); $_[0]->json('[1,2]') },
    '/digest' => sub { $_[0]->json('"' . md5_hex($_[1]{body}) . '"') },
    '/echo' => sub { $_[0]->json($_[1]{body}) },
    '*' => sub {
        (my $uri = $_[1]{uri}) =~ s/(["\\])/\\$1/g;
        $_[0]->json("\"$uri\"");
    },
);

my $nginx = GW::Nginx->new(http => agg_server($be,
    http => 'limit_req_zone $server_addr zone=slow:32k rate=20r/s;',
    server => <<'END'));
        client_max_body_size 2m;
        client_body_buffer_size 8k;

        location = /post {
            gw_aggregate object;
            gw_aggregate_methods GET HEAD POST;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/b optional;
        }
        location = /inherit {
            gw_aggregate array;
            gw_aggregate_methods GET HEAD POST PUT;
            gw_aggregate_part a /p/echo method=inherit body=inherit;
            gw_aggregate_part b /p/echo method=POST body=inherit;
            gw_aggregate_part c /p/b;
        }
        location = /three {
            gw_aggregate array;
            gw_aggregate_methods POST;
            client_body_in_file_only on;
            gw_aggregate_part a /p/digest?1 method=inherit body=inherit;
            gw_aggregate_part b /p/digest?2 method=inherit body=inherit;
            gw_aggregate_part c /p/digest?3 method=inherit body=inherit;
        }
        location = /text {
            gw_aggregate array;
            gw_aggregate_part a /p/echo method=POST
                'body={"id":"$arg_id","n":$arg_n,"l":["x\\"y\\\\","$arg_id"]}';
            gw_aggregate_part b /p/echo method=PATCH body=[1]
                content_type=application/merge-patch+json;
        }
        location = /one {
            gw_aggregate array;
            gw_aggregate_part a /p/u/$arg_id?q=$arg_id&r=${arg_id}x;
        }
        location = /segment {
            gw_aggregate array;
            gw_aggregate_part a /p/u/$arg_id/tail;
        }
        location = /query {
            gw_aggregate array;
            gw_aggregate_part a /p/u?q=$arg_id;
        }
        location = /nourl {
            gw_aggregate array;
            gw_aggregate_part a /nourl/$arg_id;
        }
        location /nourl/ { internal; proxy_pass http://be; }
        location = /raw {
            gw_aggregate array;
            gw_aggregate_part a /p$http_x_path;
        }
        location ~ (?s)^/capture/(.*)$ {
            gw_aggregate array;
            gw_aggregate_part a /p/$1?u=$uri;
        }
        location = /uri {
            gw_aggregate array;
            gw_aggregate_part a /p/u?u=$http_x_path;
        }
        location = /strip {
            gw_aggregate object;
            gw_aggregate_strip_header cookie X-Internal;
            gw_aggregate_part a /p/a;
        }
        location = /variables {
            gw_aggregate array;
            gw_aggregate_part a /set/1;
            gw_aggregate_part b /set/2;
        }
        location /set/ {
            internal;
            set $mine $uri;
            limit_req zone=slow burst=10;
            proxy_pass http://be/u$mine$gw_part_name;
        }
        location /admin { return 200 '"ADMIN"'; }
        location /p/admin { internal; return 200 '"ADMIN"'; }
END

my $client = GW::Client->new($nginx->{port});
my ($get, $head, $reply, @heads);

# C80
$get = $client->get('/agg?a=a&b=b');
$be->clear;
$head = $client->request('HEAD', '/agg?a=a&b=b');
is($head->{status}, 200, 'C80 HEAD: status');
$_->{headers} =~ s/^Date: .*\r\n//m for $get, $head;
is($head->{headers}, $get->{headers}, 'C80 HEAD: headers of a GET');
is(join(' ', sort map { (split(/ /))[0] } $be->requests), 'GET GET',
   'C80 HEAD: back ends see GET');
$reply = $client->get('/agg?a=a&b=b');
complete($reply, '{"a":{"x":1},"b":[1,2]}', 'C80 HEAD had no body');
$reply = $client->request('HEAD', '/agg?a=none&b=b');
is($reply->{status}, 200, 'C80 HEAD again');

# C81, C82
$be->clear;
$reply = $client->get('/agg?a=a&b=b', 'Range: bytes=0-3', 'If-Range: "a"',
                      'If-None-Match: "a"',
                      'If-Modified-Since: Mon, 23 Nov 2026 08:00:00 GMT',
                      'Accept-Encoding: gzip', 'TE: trailers',
                      'Connection: keep-alive, Upgrade', 'Upgrade: websocket',
                      'Keep-Alive: 5', 'Trailer: x', 'X-Kept: 1',
                      'Cookie: c=1', 'User-Agent: me',
                      'Proxy-Connection: x', 'HTTP2-Settings: AAA');
is($reply->{body}, '{"a":{"x":1},"b":[1,2]}', 'C81 no range of the answer');
is($reply->{header}{'accept-ranges'}, undef, 'C81 no Accept-Ranges');
# nginx answers these two with 412, and ends the connection
GW::Client->new($nginx->{port})->get('/agg?a=a&b=b', $_)
    for ('If-Match: "z"',
         'If-Unmodified-Since: Mon, 23 Nov 2006 08:00:00 GMT');
@heads = $be->requests;
is(scalar(@heads), 6, 'C81 two requests each');

for my $name ('Range', 'If-Range', 'If-None-Match', 'If-Match',
              'If-Modified-Since', 'If-Unmodified-Since', 'Accept-Encoding',
              'TE', 'Connection', 'Upgrade', 'Keep-Alive', 'Trailer',
              'Proxy-Connection', 'HTTP2-Settings')
{
    unlike("@heads", qr/^\Q$name\E:/mi, "C81, C82 parts see no $name");
}

for my $line ('X-Kept: 1', 'Cookie: c=1', 'User-Agent: me') {
    is(scalar(grep { /^\Q$line\E\r$/m } @heads), 2, "parts see $line");
}

# C84
$be->clear;
$reply = $client->request('POST', '/post', 'x' x 1024, 'Content-Type: x/y',
                          'Content-Encoding: gzip');
complete_post($reply, 'C84 a body that no part wants');
@heads = $be->requests;

for my $name ('Content-Length', 'Transfer-Encoding', 'Content-Type',
              'Content-Encoding', 'Expect')
{
    unlike("@heads", qr/^$name:/mi, "C84 parts see no $name");
}

is(join(' ', map { (split(/ /))[0] } @heads), 'GET GET', 'C84 method GET');

$client->send("POST /post HTTP/1.1\r\nHost: localhost\r\n"
              . "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n");
$reply = $client->read;
is($reply->{status}, 100, 'C87 Expect: 100-continue');
$reply = $client->read;
complete_post($reply, 'C87 the answer does not wait for the body');
$client->send('body');
is($client->get('/ping')->{body}, 'pong', 'C87 the body is dropped');

sub complete_post {
    my ($reply, $name) = @_;

    is("$reply->{status} $reply->{body}", '200 {"a":{"x":1},"b":[1,2]}',
       $name);
}

# C85, C86
for my $size (10, 20000, 1000000) {
    my $body = '"' . 'x' x $size . '"';

    $reply = $client->request('POST', '/inherit', $body,
                              'Content-Type: application/x-y');
    ok($reply->{body} eq "[$body,$body,[1,2]]",
       "C85 a body of $size bytes, twice");
}

# one copy in a file, none in memory
my $text = join("", map { chr(int(rand(256))) } 1 .. 1 << 16) x 24;
my $digest = '"' . md5_hex($text) . '"';

for my $n (1 .. 3) {
    my $rss = rss();

    $reply = $client->request('POST', '/three', $text);
    is($reply->{body}, "[$digest,$digest,$digest]",
       'C85 three parts have the same body');
    my @files = glob("$nginx->{dir}/client/*");
    is(join(' ', map { -s $_ } @files), join(' ', (length($text)) x $n),
       'C85 ... which is kept once');

    # the first one makes the memory that others use again
    cmp_ok(rss() - $rss, '<', 512, 'C85 ... and not in memory')
        if $n > 1 && ($ENV{GW_VARIANT} || '') ne 'asan';
}

sub rss {
    my ($pid) = $nginx->workers;

    open(my $fh, '<', "/proc/$pid/status") or return 0;
    my ($kb) = join('', <$fh>) =~ /^VmRSS:\s+(\d+)/m;

    return $kb;
}

@heads = $be->requests('/echo');
is(scalar(grep { /^Content-Type: application\/x-y\r$/m } @heads), 6,
   'C85 Content-Type goes with the body');
$be->clear;
$client->send("PUT /inherit HTTP/1.1\r\nHost: localhost\r\n"
              . "Transfer-Encoding: chunked\r\n\r\n"
              . "3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n");
$reply = $client->read;
is($reply->{body}, '[[1,2],[1,2],[1,2]]', 'C86 a chunked body');
@heads = $be->requests('/echo');
is(scalar(grep { /^Content-Length: 5\r$/m } @heads), 2,
   'C86 parts see its length');
unlike("@heads", qr/^Transfer-Encoding:/mi, 'C86 not in chunks');
is(join(' ', sort map { (split(/ /))[0] } @heads), 'POST PUT',
   'method=inherit and another one');
$reply = $client->get('/inherit');
is($reply->{body}, '[null,null,[1,2]]', 'body=inherit without a body');

# C88
$be->clear;
$reply = GW::Client->new($nginx->{port})->request('POST', '/inherit',
                                                  'x' x (2 * 1048576 + 1));
is($reply->{status}, 413, 'C88 a body that is too large');
is(scalar($be->requests), 0, 'C88 no back end is asked');

# C89
$be->clear;
$client->send("GET /agg?a=a&b=slow HTTP/1.1\r\nHost: localhost\r\n"
              . "Content-Length: 44\r\n\r\n"
              . "GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n...."
              . "HEAD /agg?a=a&b=b HTTP/1.1\r\nHost: localhost\r\n"
              . "Content-Length: 5\r\n\r\nhello"
              . "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
$reply = $client->read;
complete($reply, '{"a":{"x":1},"b":[1,2]}', 'C89 a GET with a body');
$reply = $client->read(1);
is($reply->{status}, 200, 'C89 a HEAD with a body');
$reply = $client->read;
is($reply->{body}, 'pong', 'C89 the third request');
is(join(' ', sort map { (split(/ /))[1] } $be->requests), '/a /a /b /slow',
   'C89 back ends saw what was meant');

{
    my $other = GW::Client->new($nginx->{port});

    $other->send("POST /post HTTP/1.1\r\nHost: localhost\r\n"
                 . "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
                 . "0\r\n\r\nXGET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    $reply = $other->read;
    is($reply->{status}, 400, 'C89 two lengths');
}

# C91
$be->clear;
$reply = $client->request('DELETE', '/agg?a=a&b=b');
is($reply->{status}, 405, 'C91 a method that is not allowed');
is($reply->{header}{allow}, 'GET, HEAD', 'C91 Allow');
$reply = $client->request('DELETE', '/post');
is($reply->{header}{allow}, 'GET, HEAD, POST', 'C91 Allow of another one');
is(scalar($be->requests), 0, 'C91 no back end is asked');

# C92
for (['../../admin', '..%2F..%2Fadmin'], ['%2e%2e%2f', '..%2F'],
     ['a%20b', 'a%20b'], ['a+b', 'a%20b'], ['a%2Bb', 'a%2Bb'],
     ['%3fx=1', '%3Fx%3D1'], ['?x=1', '%3Fx%3D1'], ['%23', '%23'],
     ['%zz', '%25zz'], ['%', '%25'], ['%25', '%25'],
     ['%2525', '%2525'], ['%0d%0aHost:%20x', '%0D%0AHost%3A%20x'],
     ['%d0%9f%ff', '%D0%9F%FF'], ["'\"<>{}|\\^`", '%27%22%3C%3E%7B%7D%7C%5C'
                                                  . '%5E%60'],
     ['..%2f..%5c..', '..%2F..%5C..'], ['a/b/../c', 'a%2Fb%2F..%2Fc'],
     ['http://x/', 'http%3A%2F%2Fx%2F'], ['', ''], ['..;/', '..%3B%2F'],
     ["\xff\xfe", '%FF%FE'], ['a,b:c@d', 'a%2Cb%3Ac%40d'],
     ['{"$ne":1}', '%7B%22%24ne%22%3A1%7D'], ['%25%32%65', '%252e'])
{
    my ($value, $want) = @$_;

    $be->clear;
    $reply = $client->get("/query?id=$value");
    is(($be->requests)[0] =~ /^GET (\S+) HTTP/ && $1, "/u?q=$want",
       "C92 \"$want\" is one value");
    # what was encoded without need is not, after nginx has encoded it again
    (my $path = $want) =~ s/%([0-9A-F]{2})/esc($1, $want)/ge;
    $be->clear;
    $reply = $client->get("/segment?id=$value");

    if ($want eq '') {
        is($reply->{body}, '["/u//tail"]', 'C92 nothing');
        next;
    }

    is(($be->requests)[0] =~ /^GET (\S+) HTTP/ && $1, "/u/$path/tail",
       "C92 \"$want\" is one segment");
}

# of a path without an encoded slash, nginx encodes but what it has to
sub esc {
    my ($hex, $text) = @_;
    my $c = chr(hex($hex));

    return "%$hex"
        if $text =~ /%2F/ || $c =~ m{[^-!\$&'()*+,./0-9:;=\@A-Z\[\]_a-z~]};
    return $c;
}

for my $value ('..', '.', '%2e%2e', '%2E.', 'a%00b') {
    $be->clear;
    $reply = $client->get("/segment?id=$value");
    is($reply->{status}, 400, "C92 \"$value\" is no segment");
    is($reply->{header}{'content-type'}, 'application/problem+json',
       "C92 \"$value\": a problem document");
    is(scalar($be->requests), 0, "C92 \"$value\": no back end is asked");
}

$reply = $client->get('/query?id=%00');
is($reply->{body}, '["/u?q=%00"]', 'C92 NUL is one value');
$reply = $client->get('/one?id=x%2Fy');
is($reply->{body}, '["/u/x%2Fy?q=x%2Fy&r=x%2Fyx"]', 'C92 all at once');
$reply = $client->get('/nourl?id=x%2Fy%20z');
is($reply->{body}, '["/nourl/x%2Fy%20z"]', 'C92 proxy_pass without a URI');

for (['/u/ok', '/u/ok'], ['/u/a%20b', '/u/a%20b'], ['/u%2Fx', '/u%2Fx'],
     ['/u?x=1&y=%20', '/u?x=1&y=%20'])
{
    $reply = $client->get('/raw', "X-Path: $_->[0]");
    is($reply->{body}, "[\"$_->[1]\"]", "C92 a safe URI: $_->[0]");
}

for my $path ('/../admin', '/%2e%2e/admin', '/./x', '/x/..', '/%zz', '/%00',
              '/a b', '/a#b', '/a?b c', '/a?b#c', "/a\x7f")
{
    $be->clear;
    $reply = $client->get('/raw', "X-Path: $path");
    is($reply->{status}, 400, "C92 an unsafe URI: $path");
    is(scalar($be->requests), 0, "C92 an unsafe URI: nobody is asked");
}

$reply = $client->get('/capture/x%0d%0aInjected:%201/y%3Fz=1&z');
is($reply->{body}, '["/x%0D%0AInjected:%201/y%3Fz=1&z?u=/capture/x'
                   . '%0D%0AInjected%3A%201/y%3Fz%3D1%26z"]',
   'C92 what nginx has decoded is encoded again');
$reply = GW::Client->new($nginx->{port})->get('/capture/x%00');
is($reply->{status}, 400, 'C92 NUL in what nginx would decode');
$reply = $client->get('/uri', "X-Path: a\tb");
is($reply->{status}, 400, 'C92 a control character in arguments');

# body=string
$reply = $client->get('/text?id=1&n=5');
is($reply->{body}, '[{"id":"1","n":5,"l":["x\"y\\\\","1"]},[1]]',
   'body= with values');
$reply = $client->get('/text?id="},{"x\&n={"a":[1]}');
is($reply->{body}, '[{"id":"\\"},{\\"x\\\\","n":{"a":[1]},'
                   . '"l":["x\"y\\\\","\\"},{\\"x\\\\"]},[1]]',
   'body= with values that must be escaped');
$reply = $client->get('/text?id=x');
like($reply->{body}, qr/"n":null/, 'body= with nothing as a value');
@heads = $be->requests('/echo');
is(scalar(grep { /^Content-Type: application\/json\r$/m } @heads), 3,
   'body= is JSON');
is(scalar(grep { /^PATCH /
                 && m{^Content-Type: application/merge-patch\+json\r$}m }
               @heads), 3, 'content_type=');

for my $args ('id=x&n=5,"y":6', "id=\xff&n=1", 'id=x&n={', 'id=x&n=1}') {
    $be->clear;
    $reply = $client->get("/text?$args");
    is($reply->{status}, 400, 'body= with a value that cannot stand there');
    is(scalar($be->requests), 0, 'body=: nobody is asked');
}

# headers and variables
$be->clear;
$client->get('/strip', 'Cookie: c', 'X-Internal: i', 'X-Other: o');
@heads = $be->requests;
unlike($heads[0], qr/^(Cookie|X-Internal):/mi, 'gw_aggregate_strip_header');
like($heads[0], qr/^X-Other: o\r$/m, 'gw_aggregate_strip_header: no other');
for my $n (1 .. 3) {
    # limit_req delays the first part from the second request on
    $reply = $client->get('/variables');
    is($reply->{body}, '["/u/set/1a","/u/set/2b"]',
       "C116 parts that set the same variable, $n");
}

$client->close;
sane($nginx, 'requests');

done_testing();
