#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate_set and after=: parts that wait for others.

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

my $user = '{"segment":"gold","n":10000000000000000000001,"t":true,'
           . '"null":null,"o":{"a":1},"e":"","d":1,"d":"last",'
           . '"quote":"a\\"b\\\\c\\n\\u0041\\u20ac\\ud83d\\ude00",'
           . '"lone":"\\ud83d","up":"../x?y#z","dots":"..","crlf":"a\\r\\nb",'
           . '"ids":[1,"b",{"id":3},null,[4],5.0],'
           . '"list":[{"id":7},{"id":"x,y"},{"no":1},{"id":null}],"none":[]}';

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->delay(0.1); $_[0]->json($user) },
    '/gold' => sub { $_[0]->json('"first"') },
    '/split' => sub {
        $_[0]->head(200, 'Content-Type: application/json',
                    'Transfer-Encoding: chunked');

        for (split(//, '{"segment":"sil' . 'v' x 40 . 'er","o":[1,"2x"]}')) {
            $_[0]->chunk($_);
        }

        $_[0]->chunk('');
    },
    '/204' => sub { $_[0]->head(204) },
    '/500' => sub { $_[0]->head(500, 'Content-Length: 0') },
    '/slow' => sub { $_[0]->delay(0.2); $_[0]->json('[1,2]') },
    '/never' => sub { $_[0]->hang },
    '*' => sub {
        my ($conn, $req) = @_;

        my $uri = $req->{uri};
        $uri =~ s/(["\\])/\\$1/g;
        my $body = length($req->{body} || '') ? $req->{body} : 'null';
        my $x = $req->{header}{'x-seg'};
        $x = defined $x ? "\"$x\"" : 'null';

        $conn->json("{\"uri\":\"$uri\",\"body\":$body,\"x\":$x}");
    },
);

my $nginx = GW::Nginx->new(http => agg_server($be,
    part => 'proxy_set_header X-Seg $v;', server => <<'END'));
        gw_aggregate_timeout 3s;

        location ~ ^/v/(?<what>[a-z]+)$ {
            return 404;
        }
        location = /segment {
            gw_aggregate object;
            gw_aggregate_part c /p/c/$v?s=$v&n=${v}1;
            gw_aggregate_part a /p/a;
            gw_aggregate_set $v a /segment;
        }
        location = /number {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/segment;
            gw_aggregate_part c /p/c/$v
                              method=POST 'body={"id":$v,"s":"x $v"}';
            gw_aggregate_set $v a /n;
        }
        location = /body {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part c /p/c method=POST
                              'body={"raw":$w,"in":"<$w>","u":$u}';
            gw_aggregate_set $w a /quote;
            gw_aggregate_set $u a /t;
        }
        location = /up {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part c /p/c/$w/d?q=$w;
            gw_aggregate_set $w a /up;
        }
        location = /dots {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part c /p/c/$w/d optional;
            gw_aggregate_set $w a /dots;
        }
        location = /dots_client {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part c /p/c/$w/d/$arg_x/.. optional;
            gw_aggregate_set $w a /segment;
        }
        location = /crlf {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part c /p/c/$v method=POST 'body=[$v]';
            gw_aggregate_set $v a /crlf;
        }
        location = /header {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part c /p/c after=a;
            gw_aggregate_set $v a /segment;
        }
        location = /split {
            gw_aggregate object;
            gw_aggregate_buffer_size 8;
            gw_aggregate_part a /p/split at=/o;
            gw_aggregate_part c /p/c/$w/$u;
            gw_aggregate_set $w a /segment;
            gw_aggregate_set $u a /o join=-;
        }
        location = /join {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part b /p/b?ids=$w&i=$u;
            gw_aggregate_part c /p/c method=POST 'body={"w":$w,"u":"$u"}';
            gw_aggregate_set $w a /ids join=,;
            gw_aggregate_set $u a /list item=/id "join=;";
        }
        location = /join_none {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part b /p/b?ids=$w optional;
            gw_aggregate_part c /p/c?ids=$u optional;
            gw_aggregate_part d /p/d?ids=$x optional;
            gw_aggregate_set $w a /none join=,;
            gw_aggregate_set $u a /none join=, default=0;
            gw_aggregate_set $x a /o join=,;
        }
        location = /last {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part c /p/c/$w;
            gw_aggregate_set $w a /d;
        }
        location = /chain {
            gw_aggregate object;
            gw_aggregate_part c /p/c/$u after=b;
            gw_aggregate_part b /p/$w;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_set $w a /segment;
            gw_aggregate_set $u b "";
        }
        location = /if {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part b /p/b if=$w default=1;
            gw_aggregate_part c /p/c if=$u;
            gw_aggregate_set $w a /nothing;
            gw_aggregate_set $u a /segment;
        }
        location = /fail_order {
            gw_aggregate object;
            gw_aggregate_fail_fast off;
            gw_aggregate_part a /p/c/$w;
            gw_aggregate_part b /p/500;
            gw_aggregate_set $w b /x;
        }
        location = /null {
            gw_aggregate object;
            gw_aggregate_part a /p/204;
            gw_aggregate_part b /p/b/$u;
            gw_aggregate_part c /p/c/$w optional;
            gw_aggregate_set $w a /x;
            gw_aggregate_set $u a "" default=no;
        }
        location = /part_time {
            gw_aggregate object;
            gw_aggregate_part a /p/slow;
            gw_aggregate_part b /p/never?$w after=a timeout=300ms optional;
            gw_aggregate_set $w a /0;
        }
        location = /total_time {
            gw_aggregate object;
            gw_aggregate_timeout 300ms;
            gw_aggregate_part a /p/never optional;
            gw_aggregate_part b /p/b after=a timeout=5s optional;
            gw_aggregate_part c /p/c;
        }
        location = /two {
            gw_aggregate object;
            gw_aggregate_concurrency 2;
            gw_aggregate_part a /p/slow;
            gw_aggregate_part b /p/slow;
            gw_aggregate_part c /p/slow;
            gw_aggregate_part d /p/slow;
            gw_aggregate_part e /p/slow;
        }
        location = /one {
            gw_aggregate array;
            gw_aggregate_concurrency 1;
            gw_aggregate_part b /p/b/$w;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part c /p/500 optional;
            gw_aggregate_set $w a /segment;
        }
        location = /outer {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part in /inner after=a;
            gw_aggregate_set $w a /up;
        }
        location = /inner {
            internal;
            gw_aggregate object;
            gw_aggregate_part c /p/c/$w;
        }
END

my $client = GW::Client->new($nginx->{port});
my ($reply, $start);


# expects the body of part c

sub c_is {
    my ($path, $a, $c, $name) = @_;

    complete($client->get($path), "{\"a\":$a,\"c\":$c}", $name);
}


sub row131 {
    my ($pointer, $default, $want, $name) = @_;

    $be->clear;

    my $reply = $client->get($pointer);
    my @heads = grep { !m,^\S+ /a , } $be->requests;

    if (defined $want) {
        complete($reply, "{\"a\":true,\"c\":$want}", $name);
        return;
    }

    like($reply->{body}, qr/^\{"a":true,"c":null\}$/, $name);
    is($reply->{header}{'x-gw-failed'}, 'c', "$name: c failed");
    is(scalar(@heads), 0, "$name: c is not asked");
}


$start = time();
$reply = $client->get('/segment');
complete($reply, '{"c":{"uri":"/c/gold?s=gold&n=gold1","body":null,'
                 . "\"x\":\"gold\"},\"a\":$user}", 'C130 a value in the URI');
within($reply->{time}, 0.1, 0.15, 'C130 c starts after a');

my @events = grep { /^REQUEST/ } $be->events;
like($events[0], qr{ /a }, 'C130 a is asked first');
like($events[1], qr{ /c/gold}, 'C130 then c');

c_is('/body', 'true', '{"uri":"/c","body":{'
     . '"raw":"a\\"b\\\\c\\n\\u0041\\u20ac\\ud83d\\ude00",'
     . "\"in\":\"<a\\\"b\\\\c\\nA\xe2\x82\xac\xf0\x9f\x98\x80>\","
     . '"u":true},"x":null}', 'C130 values in a body');

c_is('/crlf', 'true', '{"uri":"/c/a%0D%0Ab","body":["a\\r\\nb"],"x":null}',
     'C130 line breaks are escaped, and no header has them');
like($nginx->log, qr/variable "\$v" has a control character/,
     'C130 a header without them is logged');
c_is('/header', 'true', '{"uri":"/c","body":null,"x":"gold"}',
     'C130 a variable in a header, after=');
c_is('/split', '[1,"2x"]', '{"uri":"/c/sil' . 'v' x 40
     . 'er/1-2x","body":null,"x":null}', 'C130 values of many buffers');
c_is('/last', 'true', '{"uri":"/c/last","body":null,"x":null}',
     'of members with one name the last counts');

complete($client->get('/join'),
         '{"a":true,"b":{"uri":"/b?ids=1%2Cb%2C5.0&i=7%3Bx%2Cy","body":null,'
         . '"x":null},"c":{"uri":"/c","body":{"w":"1,b,5.0","u":"7;x,y"},'
         . '"x":null}}', 'join=, item=');

$reply = $client->get('/join_none');
is($reply->{body}, '{"a":true,"b":null,"c":{"uri":"/c?ids=0","body":null,'
                   . '"x":null},"d":null}', 'join= of nothing');
is($reply->{header}{'x-gw-failed'}, 'b, d', 'join= of nothing: failed');

complete($client->get('/chain'),
         '{"c":{"uri":"/c/first","body":null,"x":null},"b":"first",'
         . '"a":true}', 'a chain of parts');

complete($client->get('/if'), '{"a":true,"b":1,'
         . '"c":{"uri":"/c","body":null,"x":null}}', 'if= with a value');

complete($client->get('/outer'), '{"a":true,"in":{"c":{"uri":'
         . '"/c/..%2Fx%3Fy%23z","body":null,"x":null}}}',
         'a value in an aggregate inside');

failed($client->get('/fail_order'), 502, { a => 'dependency', b => 'status' },
       'a part that waits is not the one at fault');

$reply = $client->get('/null');
is($reply->{body}, '{"a":null,"b":{"uri":"/b/no","body":null,"x":null},'
                   . '"c":null}', 'C131 of a part without a body');
is($reply->{header}{'x-gw-failed'}, 'c', 'C131 of a part without a body');

c_is('/up', 'true', '{"uri":"/c/..%2Fx%3Fy%23z/d?q=..%2Fx%3Fy%23z",'
     . '"body":null,"x":null}', 'C133 a hostile value is one segment');

$be->clear;
$reply = $client->get('/dots');
is($reply->{body}, '{"a":true,"c":null}', 'C133 two dots are no segment');
is(scalar($be->requests), 1, 'C133 two dots: c is not asked');

failed($client->get('/dots_client?x=a'), 400, {},
       'C133 a bad value of the client');

c_is('/number', '"gold"', '{"uri":"/c/10000000000000000000001","body":'
     . '{"id":10000000000000000000001,"s":"x 10000000000000000000001"},'
     . '"x":"10000000000000000000001"}', 'C134 digit for digit');

$reply = $client->get('/part_time');
is($reply->{body}, '{"a":[1,2],"b":null}', 'timeout= of a part that waited');
within($reply->{time}, 0.5, 0.55, 'timeout= of a part that waited: in time');

$reply = $client->get('/total_time');
like($reply->{body}, qr/"a":null,"b":null,"c":\{/, 'the time for all parts');
within($reply->{time}, 0.3, 0.35, 'the time for all parts: in time');

$reply = $client->get('/two');
complete($reply, '{' . join(',', map { "\"$_\":[1,2]" } 'a' .. 'e') . '}',
         'gw_aggregate_concurrency');
within($reply->{time}, 0.6, 0.65, 'gw_aggregate_concurrency: three waves');

$reply = $client->get('/one');
is($reply->{body}, '[{"uri":"/b/gold","body":null,"x":null},true,null]',
   'gw_aggregate_concurrency 1 and a part that waits');

$client->close;
sane($nginx, 'set');


# C131, C132: each value with and without a default

my $more = '';
my @rows = (
    ['/nothing', 'a', undef], ['/null', 'a', undef], ['/o', 'a', undef],
    ['/ids', 'a', undef], ['/lone', 'a', undef], ['/o/b', 'a', undef],
    ['/e', 'a', ''], ['/o/a', 'a', '1'], ['/t', 'a', 'true'],
    ['/ids/1', 'a', 'b'],
);

for my $i (0 .. $#rows) {
    my ($pointer, $part) = @{ $rows[$i] };

    for my $default ('', ' default=d/') {
        my $name = "r$i" . ($default ? 'd' : '');
        $more .= <<"END";
        location = /$name {
            gw_aggregate object;
            gw_aggregate_part a /p/a at=/t;
            gw_aggregate_part c /p/c/\$w optional;
            gw_aggregate_set \$w a $pointer$default;
        }
END
    }
}

$nginx = GW::Nginx->new(http => agg_server($be, server => $more . <<'END'));
        location = /failed {
            gw_aggregate object;
            gw_aggregate_require none;
            gw_aggregate_part a /p/500 optional;
            gw_aggregate_part b /p/b optional after=a;
            gw_aggregate_part c /p/c/$w optional;
            gw_aggregate_set $w a /x default=1;
        }
END
$client = GW::Client->new($nginx->{port});

for my $i (0 .. $#rows) {
    my ($pointer, $part, $value) = @{ $rows[$i] };

    row131("/r$i", '', defined $value
                   ? "{\"uri\":\"/c/$value\",\"body\":null,\"x\":null}"
                   : undef, "C131 $pointer");
    row131("/r${i}d", 1, defined $value
                   ? "{\"uri\":\"/c/$value\",\"body\":null,\"x\":null}"
                   : '{"uri":"/c/d%2F","body":null,"x":null}',
           "C131 $pointer with a default");
}

$be->clear;
$reply = $client->get('/failed');
is($reply->{body}, '{"a":null,"b":{"uri":"/b","body":null,"x":null},'
                   . '"c":null}', 'C132 the source failed');
is($reply->{header}{'x-gw-failed'}, 'a, c', 'C132 c failed too');
is(scalar(grep { m,/c/, } $be->requests), 0, 'C132 c is not asked');
$nginx->until(2, sub { -s "$nginx->{dir}/logs/parts.log" });
my $parts = do { local (@ARGV, $/) = "$nginx->{dir}/logs/parts.log"; <> };
like($parts,
     qr/"name":"c","status":0,[^}]*"error":"dependency"/,
     'C132 the error is "dependency"');

$client->close;
sane($nginx, 'C131');

done_testing();
