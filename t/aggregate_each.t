#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate_each: a part for each element of an array.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(time);

my $posts = '{"posts":[ {"id":1, "by":"ann"},{"id":2,"by":"b/o b" },'
            . '{"id":3,"by":"ann"} ]}';
my $mixed = '[{"id":1},{"no":1},5,null,{"id":null},{"id":{}},{"id":"x"}]';

my $be = GW::Backend->new(
    '/posts' => sub { $_[0]->json($posts) },
    '/mixed' => sub { $_[0]->json($mixed) },
    '/ids' => sub { $_[0]->json('[1,"b",{"c":[2]},1]') },
    '/empty' => sub { $_[0]->json('{"a":[ ],"o":{},"n":null}') },
    '/objects' => sub {
        $_[0]->json('[{},{ },[],{"a":1 , "b":[{"n":1},{}]},{"n":2}]');
    },
    '/chunks' => sub {
        $_[0]->head(200, 'Content-Type: application/json',
                    'Transfer-Encoding: chunked');
        $_[0]->chunk($_) for split(//, $posts);
        $_[0]->chunk('');
    },
    '/many' => sub {
        my ($conn, $req) = @_;
        my ($n) = $req->{args} =~ /(\d+)/;
        $conn->json('[' . join(',', 1 .. $n) . ']');
    },
    '/500' => sub { $_[0]->head(500, 'Content-Length: 0') },
    '/200/500' => sub { $_[0]->head(500, 'Content-Length: 0') },
    '/200/never' => sub { $_[0]->hang },
    '*' => sub {
        my ($conn, $req) = @_;

        my $path = $req->{path};

        if ($path =~ m,^/slow/,) {
            $conn->delay(0.1);

        } elsif ($path =~ m,^/some/(\d+)$,) {

            # the later, the sooner
            $conn->delay(0.06 - $1 * 0.01) if $1 < 6;

            if ($1 == 2) {
                $conn->head(404, 'Content-Length: 0');
                return;
            }

            if ($1 == 4) {
                $conn->json('{"broken');
                return;
            }

        } elsif ($path =~ m,^/fail/,) {
            $conn->head(500, 'Content-Length: 0');
            return;

        } elsif ($path =~ m,^/hang/2,) {
            $conn->hang;
            return;
        }

        my $x = $req->{header}{'x-item'};
        my $body = length($req->{body} || '') ? $req->{body} : '';
        my $uri = substr($req->{uri}, 1);

        $conn->json("{\"r\":\"$uri\""
                    . (length($body) ? ",\"body\":$body" : '')
                    . (defined $x ? ",\"x\":\"$x\"" : '') . '}');
    },
);

my $nginx = GW::Nginx->new(http => agg_server($be,
    part => 'set $shown ""; if ($arg_x) { set $shown "$gw_item $gw_item_index"; }'
            . ' proxy_set_header X-Item $shown;',
    server => <<'END'));
        gw_aggregate_timeout 3s;

        location = /empty {
            gw_aggregate object;
            gw_aggregate_part a /p/empty at=/o;
            gw_aggregate_part b /p/b/$gw_item;
            gw_aggregate_each b a /a;
        }
        location = /empty_object {
            gw_aggregate object;
            gw_aggregate_part a /p/empty at=/o;
            gw_aggregate_part b /p/b/$gw_item;
            gw_aggregate_each b a /a result=object;
        }
        location = /null {
            gw_aggregate object;
            gw_aggregate_part a /p/empty at=/o;
            gw_aggregate_part b /p/b/$gw_item optional;
            gw_aggregate_part c /p/b/$gw_item optional;
            gw_aggregate_part d /p/b/$gw_item optional default=[];
            gw_aggregate_each b a /n;
            gw_aggregate_each c a /o;
            gw_aggregate_each d a /nothing;
        }
        location = /max {
            gw_aggregate object;
            gw_aggregate_part a /p/many?$arg_n at=/0;
            gw_aggregate_part b /p/b/$gw_item optional;
            gw_aggregate_each b a "" max=50;
        }
        location = /max_required {
            gw_aggregate object;
            gw_aggregate_part a /p/many?$arg_n at=/0;
            gw_aggregate_part b /p/b/$gw_item;
            gw_aggregate_each b a "" max=50;
        }
        location = /truncate {
            gw_aggregate object;
            gw_aggregate_part a /p/many?$arg_n at=/0;
            gw_aggregate_part b /p/b/$gw_item;
            gw_aggregate_each b a "" max=50 truncate;
        }
        location = /waves {
            gw_aggregate object;
            gw_aggregate_part a /p/many?50 at=/0;
            gw_aggregate_part b /p/slow/$gw_item;
            gw_aggregate_each b a "" concurrency=8;
        }
        location = /distinct {
            gw_aggregate array;
            gw_aggregate_part a /p/posts at=/posts/0/id;
            gw_aggregate_part b /p/b/$gw_item?$gw_item_index;
            gw_aggregate_each b a /posts item=/by distinct;
        }
        location = /object {
            gw_aggregate array;
            gw_aggregate_part a /p/posts at=/posts/0/id;
            gw_aggregate_part b /p/b/$gw_item/$gw_item_index;
            gw_aggregate_each b a /posts item=/by result=object;
        }
        location = /some {
            gw_aggregate object;
            gw_aggregate_part a /p/many?$arg_n at=/0;
            gw_aggregate_part b /p/some/$gw_item default=0;
            gw_aggregate_each b a "";
        }
        location = /some_object {
            gw_aggregate object;
            gw_aggregate_part a /p/many?$arg_n at=/0;
            gw_aggregate_part b /p/some/$gw_item omit;
            gw_aggregate_each b a "" result=object;
        }
        location = /fail {
            gw_aggregate object;
            gw_aggregate_part a /p/many?2 at=/0;
            gw_aggregate_part b /p/fail/$gw_item;
            gw_aggregate_each b a "";
        }
        location = /fail_optional {
            gw_aggregate object;
            gw_aggregate_part a /p/many?2 at=/0;
            gw_aggregate_part b /p/fail/$gw_item optional 'default={}';
            gw_aggregate_each b a "";
        }
        location = /embed {
            gw_aggregate object;
            gw_aggregate_part a /p/posts;
            gw_aggregate_part b /p/b/$gw_item;
            gw_aggregate_each b a /posts item=/by result=embed:/author;
        }
        location = /embed_chunks {
            gw_aggregate object;
            gw_aggregate_buffer_size 16;
            gw_aggregate_part a /p/chunks at=/posts;
            gw_aggregate_part b /p/b/$gw_item;
            gw_aggregate_each b a /posts item=/by result=embed:/author;
        }
        location = /embed_two {
            gw_aggregate object;
            gw_aggregate_part a /p/objects;
            gw_aggregate_part b /p/b/$gw_item_index default=0;
            gw_aggregate_part c /p/c/$gw_item default=0 ok=200,404;
            gw_aggregate_part d /p/d/$gw_item_index omit;
            gw_aggregate_each b a "" result=embed:/b;
            gw_aggregate_each c a "/3/b" item=/n result=embed:/c;
            gw_aggregate_each d a "" item=/n 'result=embed:/"d';
        }
        location = /embed_fail {
            gw_aggregate object;
            gw_aggregate_require none;
            gw_aggregate_part a /p/posts at=/posts;
            gw_aggregate_part b /p/fail/$gw_item optional;
            gw_aggregate_part c /p/fail/$gw_item optional omit;
            gw_aggregate_each b a /posts item=/by result=embed:/author;
            gw_aggregate_each c a /posts item=/by result=embed:/none;
        }
        location = /mixed {
            gw_aggregate object;
            gw_aggregate_part a /p/mixed at=/0;
            gw_aggregate_part b /p/b/$gw_item 'default="-"';
            gw_aggregate_each b a "" item=/id;
        }
        location = /mixed_embed {
            gw_aggregate object;
            gw_aggregate_part a /p/mixed;
            gw_aggregate_part b /p/b/$gw_item;
            gw_aggregate_each b a "" item=/id result=embed:/b;
        }
        location = /items {
            gw_aggregate object;
            gw_aggregate_part a /p/ids at=/0;
            gw_aggregate_part b /p/b/$gw_item?x=1 method=POST
                              'body={"item":$gw_item,"i":$gw_item_index,"s":"$gw_item_index"}';
            gw_aggregate_each b a "";
        }
        location = /limit {
            gw_aggregate object;
            gw_aggregate_part a /p/many?70 at=/0;
            gw_aggregate_part b /p/b/$gw_item default=0;
            gw_aggregate_each b a "" max=100 concurrency=100;
        }
        location = /source_failed {
            gw_aggregate object;
            gw_aggregate_require none;
            gw_aggregate_part a /p/500 optional;
            gw_aggregate_part b /p/b/$gw_item optional;
            gw_aggregate_each b a "";
        }
        location = /source_skipped {
            gw_aggregate object;
            gw_aggregate_part a /p/ids if=$arg_x;
            gw_aggregate_part b /p/b/$gw_item optional default=[];
            gw_aggregate_part c /p/ids at=/0;
            gw_aggregate_each b a "";
        }
        location = /if {
            gw_aggregate object;
            gw_aggregate_part a /p/ids at=/0;
            gw_aggregate_part b /p/b/$gw_item if=$arg_x default=[];
            gw_aggregate_each b a "";
        }
        location = /time {
            gw_aggregate object;
            gw_aggregate_part a /p/many?3 at=/0;
            gw_aggregate_part b /p/hang/$gw_item timeout=300ms;
            gw_aggregate_each b a "" concurrency=1;
        }
        location = /total {
            gw_aggregate object;
            gw_aggregate_timeout 250ms;
            gw_aggregate_part a /p/many?5 at=/0;
            gw_aggregate_part b /p/slow/$gw_item;
            gw_aggregate_each b a "" concurrency=1;
        }
        location = /size {
            gw_aggregate object;
            gw_aggregate_max_size 600;
            gw_aggregate_part a /p/many?60 at=/0;
            gw_aggregate_part b /p/b/$gw_item;
            gw_aggregate_each b a "";
        }
        location = /slow_parts {
            gw_aggregate object;
            gw_aggregate_concurrency 4;
            gw_aggregate_part a /p/many?8 at=/0;
            gw_aggregate_part b /p/slow/$gw_item;
            gw_aggregate_each b a "";
        }
        location = /cancel {
            gw_aggregate object;
            gw_aggregate_part a /p/many?8 at=/0;
            gw_aggregate_part b /p/hang/2$gw_item;
            gw_aggregate_part c /p/200/$arg_c after=a;
            gw_aggregate_each b a "" concurrency=4;
        }
        location = /nested {
            gw_aggregate object;
            gw_aggregate_part a /p/many?3 at=/0;
            gw_aggregate_part b /inner;
            gw_aggregate_each b a "";
        }
        location = /inner {
            internal;
            gw_aggregate array;
            gw_aggregate_part x /p/x/$gw_item;
            gw_aggregate_part y /p/y?$gw_item_index;
        }
        location = /cost {
            add_header X-Cost $gw_aggregate_cost;
            gw_aggregate object;
            gw_aggregate_part a /p/many?3 at=/0;
            gw_aggregate_part b /p/b/$gw_item;
            gw_aggregate_each b a "";
        }
END

my $client = GW::Client->new($nginx->{port});
my ($reply, @times);


# a partial answer

sub partial {
    my ($path, $body, $code, $name) = @_;

    my $reply = $client->get($path);

    is($reply->{status}, 200, "$name: status");
    is($reply->{body}, $body, "$name: body");
    is($reply->{header}{'x-gw-completed'}, 'false', "$name: not complete");
    is($reply->{header}{'x-b-error'}, $code, "$name: error");

    return $reply;
}


sub r {
    return join(',', map { "{\"r\":\"$_\"}" } @_);
}


$be->clear;
complete($client->get('/empty'), '{"a":{},"b":[]}', 'C136 no items');
is(scalar($be->requests), 1, 'C136 no calls');
complete($client->get('/empty_object'), '{"a":{},"b":{}}',
         'C136 no items of an object');

partial('/null', '{"a":{},"b":null,"c":null,"d":[]}', 'missing',
        'C142 no array');

partial('/max?n=1000', '{"a":1,"b":null}', 'limit', 'C137 too many items');
partial('/max?n=51', '{"a":1,"b":null}', 'limit', 'C137 one too many');
complete($client->get('/max?n=50'),
         '{"a":1,"b":[' . r(map { "b/$_" } 1 .. 50) . ']}',
         'C137 just as many');
failed($client->get('/max_required?n=1000'), 502, { b => 'limit' },
       'C137 a required part');
partial('/truncate?n=1000', '{"a":1,"b":['
        . r(map { "b/$_" } 1 .. 50) . ']}', 'limit', 'C137 truncate');
complete($client->get('/truncate?n=50'),
         '{"a":1,"b":[' . r(map { "b/$_" } 1 .. 50) . ']}',
         'C137 truncate: nothing to cut');

$be->clear;
$reply = $client->get('/waves');
complete($reply, '{"a":1,"b":[' . r(map { "slow/$_" } 1 .. 50) . ']}',
         'C138 50 items');
within($reply->{time}, 0.7, 0.75, 'C138 seven waves');

@times = map { /^REQUEST (\S+) \S+ \S+ \/slow/ ? $1 : () } $be->events;
my $most = 0;

for my $t (@times) {
    my $n = grep { $_ <= $t && $_ > $t - 0.095 } @times;
    $most = $n if $n > $most;
}

is(scalar(@times), 50, 'C138 50 requests');
cmp_ok($most, '<=', 8, 'C138 not more than 8 at a time');

$be->clear;
complete($client->get('/distinct'),
         '[1,[' . r('b/ann?0', 'b/b%2Fo%20b?1', 'b/ann?0') . ']]',
         'C139 distinct values');
is(scalar(grep { m, /b/ann, } $be->requests), 1, 'C139 one call for each');
complete($client->get('/object'), '[1,{"ann":' . r('b/ann/0') . ',"b/o b":'
         . r('b/b%2Fo%20b/1') . '}]', 'result=object');

partial('/some?n=3', '{"a":1,"b":[' . r('some/1') . ',0,' . r('some/3')
        . ']}', 'status', 'C140 one item fails');
partial('/some?n=6', '{"a":1,"b":[' . r('some/1') . ',0,' . r('some/3')
        . ',0,' . r('some/5', 'some/6') . ']}', 'status',
        'C140 two items fail');
partial('/some_object?n=3', '{"a":1,"b":{"1":' . r('some/1') . ',"3":'
        . r('some/3') . '}}', 'status', 'C140 an item of an object');
failed($client->get('/fail'), 502, { b => 'status' },
       'C140 all items of a required part fail');
partial('/fail_optional', '{"a":1,"b":[{},{}]}', 'status',
        'C140 all items of an optional part fail');

my $embedded = $posts;
$embedded =~ s/"ann"\}/'"ann","author":' . r('b\/ann') . '}'/ge;
$embedded =~ s/"b\/o b" \}/'"b\/o b" ,"author":' . r('b\/b%2Fo%20b') . '}'/e;

complete($client->get('/embed'), "{\"a\":$embedded}", 'C141 embed');

my ($array) = $embedded =~ /^\{"posts":(.*)\}$/;
complete($client->get('/embed_chunks'), "{\"a\":$array}",
         'C141 embed, many buffers');

$reply = partial('/embed_two', '{"a":[{"b":' . r('b/0') . '},{ "b":'
        . r('b/1') . '},[],{"a":1 , "b":[{"n":1,"c":' . r('c/1') . '},{"c":0}]'
        . ',"b":' . r('b/3') . '},{"n":2,"b":' . r('b/4') . ',"\"d":'
        . r('d/4') . '}]}', 'missing', 'C141 several, and empty objects');

$embedded = $posts;
$embedded =~ s/("ann"|"b\/o b" )\}/$1,"author":null}/g;
($array) = $embedded =~ /^\{"posts":(.*)\}$/;
partial('/embed_fail', "{\"a\":$array}", 'status', 'C141 items that fail');

partial('/mixed', '{"a":{"id":1},"b":[' . r('b/1') . ',"-","-","-","-","-",'
        . r('b/x') . ']}', 'missing', 'C142 no object or no item');
partial('/mixed_embed', '{"a":[{"id":1,"b":' . r('b/1') . '},{"no":1,"b":null}'
        . ',5,null,{"id":null,"b":null},{"id":{},"b":null},{"id":"x","b":'
        . r('b/x') . '}]}', 'missing', 'C142 no object or no item, embed');

$reply = $client->get('/items');
like($reply->{body}, qr/"r":"b\/1\?x=1","body":\{"item":1,"i":0,"s":"0"\},"x":"1 0"/,
     'a number as an item');
like($reply->{body}, qr/"body":\{"item":"b","i":1,"s":"1"\},"x":"b 1"/,
     'a string as an item');
like(join('', $be->requests), qr/%7B%22c%22:\[2\]%7D\?x=1/,
     'an object as an item');

$reply = partial('/limit', '{"a":1,"b":[' . r(map { "b/$_" } 1 .. 63)
                 . ',0' x 7 . ']}', 'limit', 'C106 more than 64 requests');

partial('/source_failed', '{"a":null,"b":null}', 'dependency',
        'the source failed');
complete($client->get('/source_skipped'), '{"a":null,"b":[],"c":1}',
         'the source is not wanted');
complete($client->get('/if'), '{"a":1,"b":[]}', 'if=');

$reply = partial('/time', '{"a":1,"b":[' . r('hang/1') . ',null,'
                 . r('hang/3') . ']}', 'timeout', 'timeout= of an item');
within($reply->{time}, 0.3, 0.35, 'timeout= of an item: in time');
$reply = partial('/total', '{"a":1,"b":[' . r('slow/1', 'slow/2')
                 . ',null,null,null]}', 'timeout', 'the time for all items');
within($reply->{time}, 0.25, 0.3, 'the time for all items: in time');

is($client->get('/size')->{status}, 502, 'gw_aggregate_max_size');

$reply = $client->get('/slow_parts');
complete($reply, '{"a":1,"b":[' . r(map { "slow/$_" } 1 .. 8) . ']}',
         'gw_aggregate_concurrency and items');
within($reply->{time}, 0.2, 0.25, 'gw_aggregate_concurrency: two waves');

$be->clear;
$reply = $client->get('/cancel?c=500');
failed($reply, 502, { c => 'status' }, 'items are cancelled');
within($reply->{time}, 0, 0.1, 'items are cancelled: in time');

complete($client->get('/nested'), '{"a":1,"b":['
         . join(',', map { '[' . r("x/$_", 'y?' . ($_ - 1)) . ']' } 1 .. 3)
         . ']}', 'an aggregate for each item');

$reply = $client->get('/cost');
is($reply->{header}{'x-cost'}, 3, 'the cost is that of what is declared');

$client->close;
sane($nginx, 'each');

done_testing();
