#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: the status and the headers of an answer, what is told about
# parts that failed, and which parts an answer can do without.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use Test::More;

my $html = '<html>SECRET http://10.0.0.1/</html>';

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}', 'Set-Cookie: a=1', 'ETag: "a"',
                              'Cache-Control: max-age=60', 'X-Secret: 1') },
    '/b' => sub { $_[0]->json('[1,2]') },
    '/large' => sub { $_[0]->json('"' . 'x' x 50_000 . '"') },
    '/slow404' => sub { $_[0]->delay(0.1);
                        $_[0]->answer(404, 'text/html', $html) },
    '/s429' => sub { $_[0]->answer(429, 'text/html', $html,
                                   'Retry-After: 7') },
    '/s503' => sub { $_[0]->answer(503, 'text/html', $html,
                                   'Retry-After: 8') },
    '/s401' => sub { $_[0]->answer(401, 'text/html', $html,
                                   'WWW-Authenticate: Bearer realm="x"',
                                   'WWW-Authenticate: Basic realm="y"',
                                   'Retry-After: 9') },
    '/redirect' => sub { $_[0]->answer(302, 'text/html', $html,
                                       'Location: http://10.0.0.1/') },
    '/teapot' => sub { $_[0]->answer(418, 'application/json', '[1,2]') },
    '/html' => sub { $_[0]->answer(200, 'text/html', '[1,2]') },
    '/utf8' => sub { $_[0]->answer(200, 'text/html', "\xd0\x9f\xff") },
    '/notype' => sub { $_[0]->answer(200, undef, '[1,2]') },
    '/hal' => sub { $_[0]->answer(200, 'application/hal+json;x=y',
                                  '[1,2]') },
    '/fallback' => sub { $_[0]->json('{"f":1}') },
    '*' => sub {
        my ($status) = $_[1]{path} =~ /s(\d+)/;
        $_[0]->answer($status || 200, 'text/html', $html,
                      'Retry-After: 5');
    },
);

my $nginx = GW::Nginx->new(http => agg_server($be, server => <<'END'));
        location = /both {
            gw_aggregate object;
            gw_aggregate_part a /p/$arg_a optional;
            gw_aggregate_part b /p/$arg_b optional;
        }
        location = /wanted {
            gw_aggregate object;
            gw_aggregate_require any;
            gw_aggregate_part a /p/$arg_a optional if=$arg_a;
            gw_aggregate_part b /p/$arg_b optional omit if=$arg_b;
        }
        location = /wanted/one {
            gw_aggregate object;
            gw_aggregate_require 1;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional if=$arg_b;
            gw_aggregate_part c /p/$arg_c optional if=$arg_c;
        }
        location = /wanted/large {
            gw_aggregate object;
            gw_aggregate_max_size 64k;
            gw_aggregate_part a /p/large;
            gw_aggregate_part b /p/large;
            gw_aggregate_part c /p/$arg_c optional if=$arg_c;
        }
        location = /first {
            gw_aggregate object;
            gw_aggregate_part a /p/$arg_a;
            gw_aggregate_part b /p/$arg_b;
        }
        location = /none {
            gw_aggregate object;
            gw_aggregate_require none;
            gw_aggregate_part a /p/$arg_a optional;
            gw_aggregate_part b /p/$arg_b optional;
        }
        location = /all {
            gw_aggregate object;
            gw_aggregate_require all;
            gw_aggregate_part a /p/$arg_a;
            gw_aggregate_part b /p/$arg_b optional;
        }
        location = /one {
            gw_aggregate object;
            gw_aggregate_require 1;
            gw_aggregate_part a /p/$arg_a;
            gw_aggregate_part b /p/$arg_b optional;
            gw_aggregate_part c /p/$arg_c optional;
        }
        location = /hide {
            gw_aggregate object;
            gw_aggregate_part a /p/$arg_a status=hide;
        }
        location = /slow {
            gw_aggregate object;
            gw_aggregate_fail_fast off;
            gw_aggregate_part a /p/$arg_a;
            gw_aggregate_part b /p/$arg_b;
        }
        location = /codes {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional ok=200,418,500-502
                                                   null=404,410;
        }
        location = /off {
            gw_aggregate object;
            gw_aggregate_errors off;
            gw_aggregate_part a /p/$arg_a;
        }
        location = /name {
            gw_aggregate object;
            gw_aggregate_errors name member=/_errors;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional;
        }
        location = /code {
            gw_aggregate object;
            gw_aggregate_errors code member=/meta/errors;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional;
        }
        location = /code/status {
            gw_aggregate object;
            gw_aggregate_errors status member=/_errors;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional;
        }
        location = /code/body {
            gw_aggregate object;
            gw_aggregate_errors body member=/_errors;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional;
        }
        location = /code/down {
            gw_aggregate object;
            gw_aggregate_errors status member=/_errors;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /down/b optional timeout=1s;
        }
        location = /partial {
            gw_aggregate object;
            gw_aggregate_partial_status 203;
            gw_aggregate_complete_header X-Whole;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional;
        }
        location = /bare {
            gw_aggregate object;
            gw_aggregate_complete_header off;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional;
        }
        location = /types {
            gw_aggregate object;
            gw_aggregate_types text/html;
            gw_aggregate_part a /p/$arg_a;
        }
        location = /page {
            error_page 404 = /nothing;
            error_page 503 @busy;
            gw_aggregate object;
            gw_aggregate_part a /p/$arg_a;
        }
        location = /nothing { return 200 "no such thing\n"; }
        location @busy { add_header X-State $gw_aggregate_status always;
                         return 503 "busy\n"; }
        location = /c32 {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /with_fallback/b optional;
        }
        location = /c33 {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /intercept/s500 optional;
        }
        location /with_fallback/ {
            internal;
            proxy_pass http://127.0.0.1:1/;
            error_page 502 = /p/fallback;
        }
        location /intercept/ {
            internal;
            proxy_pass http://be/;
            proxy_intercept_errors on;
            error_page 500 = @fallback;
            proxy_http_version 1.1;
        }
        location @fallback { rewrite ^ /fallback break; proxy_pass http://be; }
        location = /c32_page { internal; default_type application/json;
                               return 200 '{"f":1}'; }
        location = /nginx_made {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /c32_page optional;
        }
        location = /denied {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /return optional;
        }
        location = /return { internal; return 403; }
        location = /array {
            gw_aggregate array;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional omit;
            gw_aggregate_part c /p/$arg_c optional default=[];
            gw_aggregate_part d /p/b if=$arg_d;
        }
        location = /inside {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            if ($arg_x) { set $inside 1; add_header X-Inside $inside; }
        }
        location = /places {
            gw_aggregate object;
            gw_aggregate_part a /p/a as=/user/profile;
            gw_aggregate_part b /p/$arg_b optional omit as=/user/list;
            gw_aggregate_part c /p/$arg_c optional at=/f as=/f;
        }
END

my $client = GW::Client->new($nginx->{port});
my $reply;

sub get {
    $reply = $client->get(@_);
    unlike(join('', $reply->{headers}, $reply->{body}),
           qr/SECRET|10\.0\.0\.1|<html/, "$_[0]: nothing leaks");

    return $reply;
}


failed(get('/agg?a=s404&b=b'), 404, { a => 'status' }, 'C20 status 404');

for (400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 451) {
    failed(get("/agg?a=s$_&b=b"), $_, { a => 'status' }, "C21 status $_");
}

get('/agg?a=s429&b=b');
is($reply->{header}{'retry-after'}, 7, 'C21 Retry-After of a 429');
get('/agg?a=s401&b=b');
is(join('|', $reply->{headers} =~ /^WWW-Authenticate: (.*)\r$/mg),
   'Bearer realm="x"|Basic realm="y"', 'C21 WWW-Authenticate, all lines');
is($reply->{header}{'retry-after'}, undef, 'C21 no Retry-After of a 401');

for ([500, 502], [501, 502], [502, 502], [503, 503], [504, 504],
     [505, 502], [402, 502], [418, 502], [206, 502])
{
    my ($from, $to) = @$_;

    failed(get("/agg?a=s$from&b=b"), $to, { a => 'status' },
           "C22 status $from");
}

get('/agg?a=s503&b=b');
is($reply->{header}{'retry-after'}, 8, 'C22 Retry-After of a 503');
failed(get('/agg?a=redirect&b=b'), 502, { a => 'status' }, 'C23 redirect');
is($reply->{header}{location}, undef, 'C23 no Location');

failed(get('/hide?a=s404'), 502, { a => 'status' }, 'status=hide: 404');
failed(get('/hide?a=s503'), 502, { a => 'status' }, 'status=hide: 503');
is($reply->{header}{'retry-after'}, undef, 'status=hide: no Retry-After');

degraded(get('/agg?a=a&b=s404'), 'status', 'an optional part has status 404');
degraded(get('/agg?a=a&b=s206'), 'status', 'C26 status 206');
complete(get('/codes?b=s404'), '{"a":{"x":1},"b":null}', 'C27 null=404');
complete(get('/codes?b=s410'), '{"a":{"x":1},"b":null}', 'C27 null=410');
complete(get('/codes?b=teapot'), '{"a":{"x":1},"b":[1,2]}', 'C28 ok=418');
degraded(get('/codes?b=s503'), 'status', 'ok: a status outside of a range');
degraded(get('/codes?b=s204'), 'status', 'ok replaces the usual ones');

failed(get('/both?a=s500&b=s404'), 502, { a => 'status', b => 'status' },
       'C30 nothing is left');
complete(get('/both?a=a&b=b'), '{"a":{"x":1},"b":[1,2]}',
         'C30 all optional, all well');
degraded(get('/both?a=a&b=s404'), 'status', 'C30 one is left');
get('/none?a=s500&b=s404');
is("$reply->{status} $reply->{body}", '200 {"a":null,"b":null}',
   'C30 gw_aggregate_require none');
failed(get('/all?a=a&b=s404'), 502, { b => 'status' },
       'gw_aggregate_require all');
failed(get('/one?a=a&b=s404&c=s500'), 502, { b => 'status', c => 'status' },
       'gw_aggregate_require 1');
get('/one?a=a&b=s404&c=b');
is($reply->{status}, 200, 'gw_aggregate_require 1: there is one');

# parts that are not wanted are neither there nor missing
complete(get('/wanted'), '{"a":null}',
         'gw_aggregate_require any: nothing was wanted');
failed(get('/wanted?a=s404'), 502, { a => 'status' },
       'gw_aggregate_require any: the one that was wanted has failed');
complete(get('/wanted?b=b'), '{"a":null,"b":[1,2]}',
         'gw_aggregate_require any: the other one');
get('/wanted/one');
is($reply->{status}, 502, 'gw_aggregate_require 1: none was wanted');
get('/wanted/one?b=b&c=s404');
is($reply->{status}, 200, 'gw_aggregate_require 1: one of those wanted');
failed(get('/wanted/large'), 502, { a => 'too_large', b => 'too_large' },
       'too large together: not a part that was not wanted');

# the first one to fail decides, or the first one in the configuration
failed(get('/agg?a=slow404&b=s503'), 404, { a => 'status', b => 'status' },
       'C31 what an optional part says does not decide');
get('/first?a=slow404&b=s503');
is($reply->{status}, 503, 'C31 the first to fail of two required ones');
failed(get('/slow?a=slow404&b=s503'), 404, { a => 'status', b => 'status' },
       'C31 gw_aggregate_fail_fast off: order of the configuration')
    for 1 .. 3;

# redaction
get('/off?a=s404');
is($reply->{body},
   '{"type":"about:blank","title":"Not Found","status":404}',
   'gw_aggregate_errors off');
is($reply->{header}{'x-gw-failed'}, undef,
   'gw_aggregate_errors off: no names in headers');
get('/name?b=s404');
is($reply->{body}, '{"a":{"x":1},"b":null,"_errors":["b"]}',
   'gw_aggregate_errors name');
get('/name?b=b');
is($reply->{body}, '{"a":{"x":1},"b":[1,2]}',
   'gw_aggregate_errors name: nothing to tell');
get('/code?b=s404');
is($reply->{body},
   '{"a":{"x":1},"b":null,"meta":{"errors":{"b":"status"}}}',
   'gw_aggregate_errors code');
get('/code/status?b=s404');
is($reply->{body},
   '{"a":{"x":1},"b":null,"_errors":{"b":{"code":"status","status":404}}}',
   'gw_aggregate_errors status');
get('/code/down');
is($reply->{body}, '{"a":{"x":1},"b":null,'
                   . '"_errors":{"b":{"code":"unreachable","status":502}}}',
   'gw_aggregate_errors status: unreachable');
$reply = $client->get('/code/body?b=s404');
is($reply->{body}, '{"a":{"x":1},"b":null,"_errors":{"b":{"code":"status",'
                   . "\"status\":404,\"body\":\"$html\"}}}",
   'gw_aggregate_errors body');
get('/code/body?b=utf8');
is($reply->{body}, '{"a":{"x":1},"b":null,"_errors":{"b":{"code":"type",'
                   . "\"status\":200,\"body\":\"\xd0\x9f\"}}}",
   'gw_aggregate_errors body: as far as it is UTF-8');

# headers
get('/partial?b=s404');
is("$reply->{status} $reply->{header}{'x-whole'}", '203 false',
   'gw_aggregate_partial_status, gw_aggregate_complete_header');
is($reply->{header}{'x-gw-completed'}, undef,
   'gw_aggregate_complete_header replaces the usual one');
get('/partial?b=b');
is("$reply->{status} $reply->{header}{'x-whole'}", '200 true',
   'gw_aggregate_complete_header: complete');
get('/bare?b=s404');
is($reply->{header}{$_}, undef, "gw_aggregate_complete_header off: $_")
    for ('x-gw-completed', 'x-gw-failed');
get('/agg?a=a&b=b');
is($reply->{header}{$_}, undef, "headers of parts are dropped: $_")
    for ('set-cookie', 'x-secret', 'accept-ranges', 'last-modified');
isnt($reply->{header}{etag}, '"a"', 'headers of parts are dropped: etag');

# types
degraded(get('/agg?a=a&b=html'), 'type', 'C50 a type that is not JSON');
complete(get('/agg?a=a&b=notype'), '{"a":{"x":1},"b":[1,2]}', 'C50 no type');
complete(get('/agg?a=a&b=hal'), '{"a":{"x":1},"b":[1,2]}',
         'C50 a type with +json');
get('/types?a=html');
is($reply->{body}, '{"a":[1,2]}', 'gw_aggregate_types');
failed(get('/types?a=a'), 502, { a => 'type' },
       'gw_aggregate_types replaces the usual ones');

# error_page
get('/page?a=s404');
is("$reply->{status} $reply->{body}", "200 no such thing\n",
   'error_page with a new status');
get('/page?a=s503');
is("$reply->{status} $reply->{body}", "503 busy\n",
   'error_page with a named location');
is($reply->{header}{'retry-after'}, 8,
   'error_page keeps headers that were copied');
is($reply->{header}{'x-state'}, 'failed', 'error_page keeps variables');
failed(get('/page?a=s500'), 502, { a => 'status' },
       'error_page for another status');

complete(get('/c32'), '{"a":{"x":1},"b":{"f":1}}', 'C32 error_page in a part');
complete(get('/c33'), '{"a":{"x":1},"b":{"f":1}}',
         'C33 proxy_intercept_errors and a named location');
complete(get('/nginx_made'), '{"a":{"x":1},"b":{"f":1}}',
         'C34 a part made by nginx');
degraded(get('/denied'), 'status', 'C34 a part refused by nginx');

# "if" in the location
is(get("/inside?x=$_")->{body}, '{"a":{"x":1}}', "if in the location: $_")
    for (0, 1);
is($reply->{header}{'x-inside'}, 1, 'if in the location: it has its headers');

# places
get('/array?b=b&c=b&d=1');
is($reply->{body}, '[{"x":1},[1,2],[1,2],[1,2]]', 'an array');
get('/array?b=s404&c=s404&d=0');
is($reply->{body}, '[{"x":1},[],null]',
   'an array: omit, default and a part that is not wanted');
is($reply->{header}{'x-gw-failed'}, 'b, c',
   'a part that is not wanted has not failed');
complete(get('/array?b=b&c=b'), '[{"x":1},[1,2],[1,2],null]',
         'if= with nothing');
get('/places?b=b&c=fallback');
is($reply->{body},
   '{"user":{"profile":{"x":1},"list":[1,2]},"f":1}', 'as and at');
get('/places?b=s404&c=a');
is($reply->{body}, '{"user":{"profile":{"x":1}},"f":null}',
   'as with omit, at with nothing there');
is($reply->{header}{'x-gw-failed'}, 'b, c', 'at: missing is a failure');

$client->close;
sane($nginx, 'status');

done_testing();
