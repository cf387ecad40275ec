#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# What is inside of parts in the document: root, append, gw_aggregate_conflict
# and gw_aggregate_static.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use Test::More;

my $odd = '{"n\u0000":"\u0000","n":"a\u0000b","\ud800":1,"\uD800":2,'
          . '"big":100000000000000000000,"one":1.0}';
my $pretty = "{\r\n  \"k\" : [ 1,\n 2 ] ,\r\n\t\"l\": { } \r\n}\n";
my $many = '{' . join(',', map { qq("k$_":$_) } 1 .. 3000) . '}';
my $crowd = '{' . join(',', map { qq("$_":0) } 1 .. 16385) . '}';

my %doc = (
    a => '{"x":1}',
    b => '{"x":2,"y":[3]}',
    c => '{"y":4,"z":5}',
    user => '{"user":"u","id":7,"user":"v"}',
    twice => '{"k":1,"j":0,"k":2}',
    same => '{"a":1,"b":2,"\u0061":3}',
    odd => $odd,
    pretty => $pretty,
    spaces => " { } ",
    empty => '{}',
    list => '[1,2]',
    more => "[ {\"i\":1,\"d\":0} ,\n {\"i\":2} ]",
    none => " [ \n ] ",
    posts => '{"items":[{"id":1},{"id":2},{}],"n":3,"m":4}',
    at => '{"d":{"x":{"y":9}},"l":[3,4]}',
    many => $many,
    crowd => $crowd,
    most => '{' . join(',', map { qq("$_":0) } 1 .. 16384) . '}',
    names => '["c","s404","a","c"]',
    taken => '["s","x","l"]',
    nobody => '[]',
    errors => '{"errors":"mine","state":"mine","e":1}',
    number => '42', string => '"s"', true => 'true', null => 'null',
);

my $be = GW::Backend->new(
    '/s404' => sub { $_[0]->answer(404, 'application/json', '{"x":404}') },
    '/s204' => sub { $_[0]->answer(204, 'text/plain', '') },
    '/text' => sub { $_[0]->answer(200, 'text/plain', 'text') },
    '*' => sub {
        my ($conn, $req) = @_;
        my ($name) = $req->{path} =~ m{(\w+)$};
        my ($delay) = $req->{path} =~ m{^/d(\d+)-};

        $conn->delay($delay / 1000) if $delay;

        if ($req->{path} =~ m{^/bytes-}) {
            $conn->head(200, 'Content-Type: application/json',
                        'Transfer-Encoding: chunked');
            $conn->chunk($_) for split(//, $doc{$name});
            return $conn->chunk('');
        }

        return $conn->json(qq({"id":"$1"})) if $req->{path} =~ m{^/u/(\w+)};
        return $conn->answer(404, 'text/plain', '-') unless $doc{$name};

        $conn->json($doc{$name});
    },
);

my $nginx = GW::Nginx->new(http => agg_server($be,
    http => "    gw_aggregate_errors code;\n", server => <<'END'));
        location = /metrics { gw_metrics prometheus; }
        location = /root {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional root;
        }
        location = /one {
            gw_aggregate object;
            gw_aggregate_part b /p/$arg_b root;
        }
        location = /last {
            gw_aggregate object;
            gw_aggregate_part a /p/$arg_a root;
            gw_aggregate_part x /p/list;
            gw_aggregate_part b /p/$arg_b root;
            gw_aggregate_part d /p/a as=/y/d optional omit if=$arg_d;
        }
        location = /first {
            gw_aggregate object;
            gw_aggregate_conflict first;
            gw_aggregate_part a /p/$arg_a root;
            gw_aggregate_part x /p/list;
            gw_aggregate_part b /p/$arg_b root;
            gw_aggregate_part d /p/a as=/y/d optional omit if=$arg_d;
        }
        location = /base {
            gw_aggregate object;
            gw_aggregate_part base /p/b root;
            gw_aggregate_part x /p/$arg_x optional omit;
        }
        location = /error {
            gw_aggregate object;
            gw_aggregate_conflict error;
            gw_aggregate_errors code member=/errors;
            gw_aggregate_part a /p/$arg_a root optional 'default={"n":0,"e":0}';
            gw_aggregate_part x /p/list optional omit;
            gw_aggregate_part b /p/$arg_b root optional 'default={"e":1}';
        }
        location = /error/required {
            gw_aggregate object;
            gw_aggregate_conflict error;
            gw_aggregate_part b /p/$arg_b root;
            gw_aggregate_part a /p/$arg_a root;
            gw_aggregate_part c /p/$arg_c optional;
        }
        location = /error/slow {
            gw_aggregate object;
            gw_aggregate_conflict error;
            gw_aggregate_fail_fast off;
            gw_aggregate_part b /p/$arg_b root;
            gw_aggregate_part c /p/$arg_c;
            gw_aggregate_part d /p/$arg_a root;
        }
        location = /default {
            gw_aggregate object;
            gw_aggregate_part a /p/a root;
            gw_aggregate_part b /p/$arg_b optional root
                                'default={ "x" : 0, "d":[] ,"x":1 }' if=$arg_i;
            gw_aggregate_part c /p/$arg_b optional root;
        }
        location = /omit {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part c /p/$arg_b optional omit root;
            gw_aggregate_part d /p/$arg_b optional omit append as=/l;
        }
        location = /null {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b root null=404;
            gw_aggregate_part c /p/$arg_b append null=404;
        }
        location = /at {
            gw_aggregate object;
            gw_aggregate_part b /p/$arg_b root at=/d optional;
            gw_aggregate_part c /p/at append at=/l as=/q;
        }
        location = /shape {
            gw_aggregate object;
            gw_aggregate_part a /p/a root;
            gw_aggregate_part b /p/$arg_b root;
            gw_aggregate_drop b /y /n /*/id;
            gw_aggregate_rename b /m x;
            gw_aggregate_rename b /k "\"\\";
        }
        location = /pick {
            gw_aggregate object;
            gw_aggregate_part a /p/a root;
            gw_aggregate_part b /p/$arg_b root optional;
            gw_aggregate_pick b /x /k /j /items/*/id;
            gw_aggregate_rename b /k z;
        }
        location = /any {
            gw_aggregate object;
            gw_aggregate_part b /p/$arg_b root;
            gw_aggregate_pick b /*;
            gw_aggregate_drop b /one;
        }
        location = /kept {
            gw_aggregate object;
            gw_aggregate_part b /p/odd;
            gw_aggregate_pick b /*;
            gw_aggregate_drop b /n /big;
            gw_aggregate_rename b /one "\u0031";
        }
        location = /append {
            gw_aggregate object;
            gw_aggregate_part x /p/$arg_x append as=/all optional;
            gw_aggregate_part m /p/a;
            gw_aggregate_part y /p/$arg_y append as=/all optional
                                'default=[ "d" ]';
            gw_aggregate_part z /p/$arg_z append as=/all optional omit;
        }
        location = /append/omit {
            gw_aggregate object;
            gw_aggregate_part m /p/a;
            gw_aggregate_part x /p/$arg_x append as=/o/all optional omit;
            gw_aggregate_part y /p/$arg_y append as=/o/all optional omit;
        }
        location = /append/shape {
            gw_aggregate object;
            gw_aggregate_part m /p/$arg_m append;
            gw_aggregate_part n /p/$arg_m append as=/m;
            gw_aggregate_drop m /*/d /0 /1;
            gw_aggregate_pick n /*/i;
            gw_aggregate_rename n /*/i j;
        }
        location = /array {
            gw_aggregate array;
            gw_aggregate_part x /p/$arg_x append optional;
            gw_aggregate_part m /p/a;
            gw_aggregate_part y /p/$arg_y append optional;
        }
        location = /embed {
            gw_aggregate object;
            gw_aggregate_part x /p/a root;
            gw_aggregate_part p /p/posts root;
            gw_aggregate_part u /p/u/$gw_item optional omit;
            gw_aggregate_each u p /items item=/id result=embed:/user;
            gw_aggregate_part n /p/list as=/n;
        }
        location = /embed/append {
            gw_aggregate object;
            gw_aggregate_part l /p/more append;
            gw_aggregate_part k /p/list append as=/l;
            gw_aggregate_part u /p/u/$gw_item optional omit;
            gw_aggregate_each u l "" item=/i result=embed:/user;
        }
        location = /each {
            gw_aggregate object;
            gw_aggregate_part s /p/$arg_s;
            gw_aggregate_part r /p/$gw_item root optional;
            gw_aggregate_part l /p/$gw_item append optional default=0;
            gw_aggregate_part k /p/list append as=/l;
            gw_aggregate_part m /p/a root;
            gw_aggregate_each r s "" result=object;
            gw_aggregate_each l s "";
        }
        location = /s/each {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part s /p/$arg_s;
            gw_aggregate_part r /p/$gw_item root optional;
            gw_aggregate_part l /p/$gw_item append optional default=0;
            gw_aggregate_part k /p/list append as=/l;
            gw_aggregate_part m /p/a root;
            gw_aggregate_each r s "" result=object;
            gw_aggregate_each l s "";
        }
        location = /static {
            gw_aggregate object;
            gw_aggregate_errors code member=/meta/errors;
            gw_aggregate_static /version '"1.\u0030"';
            gw_aggregate_part a /p/a;
            gw_aggregate_static /meta/state '"ok"' when=complete;
            gw_aggregate_static /meta/limits ' {"n" : 1.0} ' when=always;
            gw_aggregate_part b /p/$arg_b optional as=/meta/b;
            gw_aggregate_static /meta/note '"partial"' when=partial;
            gw_aggregate_static /end '[]' when=complete;
        }
        location = /static/root {
            gw_aggregate object;
            gw_aggregate_errors code member=/errors;
            gw_aggregate_static /e 0;
            gw_aggregate_static /x 0;
            gw_aggregate_part a /p/errors root;
            gw_aggregate_part b /p/$arg_b optional;
            gw_aggregate_static /state '"ok"' when=complete;
            gw_aggregate_part c /p/c root;
            gw_aggregate_static /z 0;
        }
        location = /cost {
            gw_aggregate object;
            gw_aggregate_static /n 1;
            gw_aggregate_part a /p/a root;
            gw_aggregate_part b /p/list append;
            add_header X-Cost $gw_aggregate_cost;
        }
        location = /nested {
            gw_aggregate object;
            gw_aggregate_part i /inner?b=$arg_b root optional;
            gw_aggregate_part l /inner/array append as=/l;
            gw_aggregate_part k /inner/array append as=/l;
        }
        location = /inner {
            internal;
            gw_aggregate object;
            gw_aggregate_part a /p/a root;
            gw_aggregate_part b /p/$arg_b root optional;
            gw_aggregate_static /s 1;
        }
        location = /inner/array {
            internal;
            gw_aggregate array;
            gw_aggregate_part a /p/list append;
        }
        location = /hedge {
            gw_aggregate object;
            gw_aggregate_part b /p/d60-$arg_b root hedge=20ms;
            gw_aggregate_part l /p/d60-list append hedge=20ms;
        }
        location = /small {
            gw_aggregate object;
            gw_aggregate_max_size 10k;
            gw_aggregate_part a /p/$arg_a root;
        }
        location = /depth {
            gw_aggregate object;
            gw_aggregate_max_depth 3;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b root optional;
        }
        location = /set {
            gw_aggregate object;
            gw_aggregate_set $id a /id;
            gw_aggregate_part a /p/user root;
            gw_aggregate_part b /p/u/$id root;
        }
        location = /if {
            gw_aggregate object;
            gw_aggregate_part a /p/a root;
            gw_aggregate_part b /p/b root;
            gw_aggregate_static /s 1;

            if ($arg_i) { set $unused 1; }
        }

        location = /s/last {
            gw_aggregate object;
            gw_aggregate_conflict last;
            gw_aggregate_stream ordered;
            gw_aggregate_errors code member=/errors;
            gw_aggregate_part a /p/$arg_a root;
            gw_aggregate_static /s 1;
            gw_aggregate_part x /p/list;
            gw_aggregate_part b /p/$arg_b root optional 'default={"w":0}';
            gw_aggregate_part d /p/$arg_d as=/y/d optional;
            gw_aggregate_part z /p/$arg_e optional omit;
            gw_aggregate_part l /p/$arg_l optional append as=/l;
            gw_aggregate_part m /p/list optional append as=/l;
            gw_aggregate_static /state '"ok"' when=complete;
        }
        location = /w/last {
            gw_aggregate object;
            gw_aggregate_conflict last;
            gw_aggregate_errors code member=/errors;
            gw_aggregate_part a /p/$arg_a root;
            gw_aggregate_static /s 1;
            gw_aggregate_part x /p/list;
            gw_aggregate_part b /p/$arg_b root optional 'default={"w":0}';
            gw_aggregate_part d /p/$arg_d as=/y/d optional;
            gw_aggregate_part z /p/$arg_e optional omit;
            gw_aggregate_part l /p/$arg_l optional append as=/l;
            gw_aggregate_part m /p/list optional append as=/l;
            gw_aggregate_static /state '"ok"' when=complete;
        }
        location = /s/first {
            gw_aggregate object;
            gw_aggregate_conflict first;
            gw_aggregate_stream ordered;
            gw_aggregate_errors code member=/errors;
            gw_aggregate_part a /p/$arg_a root;
            gw_aggregate_static /s 1;
            gw_aggregate_part x /p/list;
            gw_aggregate_part b /p/$arg_b root optional 'default={"w":0}';
            gw_aggregate_part d /p/$arg_d as=/y/d optional;
            gw_aggregate_part z /p/$arg_e optional omit;
            gw_aggregate_part l /p/$arg_l optional append as=/l;
            gw_aggregate_part m /p/list optional append as=/l;
            gw_aggregate_static /state '"ok"' when=complete;
        }
        location = /w/first {
            gw_aggregate object;
            gw_aggregate_conflict first;
            gw_aggregate_errors code member=/errors;
            gw_aggregate_part a /p/$arg_a root;
            gw_aggregate_static /s 1;
            gw_aggregate_part x /p/list;
            gw_aggregate_part b /p/$arg_b root optional 'default={"w":0}';
            gw_aggregate_part d /p/$arg_d as=/y/d optional;
            gw_aggregate_part z /p/$arg_e optional omit;
            gw_aggregate_part l /p/$arg_l optional append as=/l;
            gw_aggregate_part m /p/list optional append as=/l;
            gw_aggregate_static /state '"ok"' when=complete;
        }
        location = /s/array {
            gw_aggregate array;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/$arg_a append;
            gw_aggregate_part b /p/$arg_b append optional;
            gw_aggregate_part c /p/a optional;
        }
        location = /s/late {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/a;
            gw_aggregate_static /state '"ok"' when=complete;
            gw_aggregate_part b /p/$arg_b optional;
        }
END

my $client = GW::Client->new($nginx->{port});

sub body { return $client->get($_[0])->{body} }


# root

complete($client->get('/root?b=c'), '{"a":{"x":1},"y":4,"z":5}',
         'members are merged');
complete($client->get('/one?b=b'), $doc{b}, 'one part alone');
complete($client->get('/one?b=empty'), '{}', 'an empty object');
complete($client->get('/root?b=spaces'), '{"a":{"x":1}}',
         'no member and no comma');
complete($client->get('/one?b=twice'), '{"j":0,"k":2}',
         'C44 with root the last one with a name is used, and only that');
complete($client->get('/one?b=same'), '{"b":2,"\u0061":3}',
         'C45 names that are equal when unescaped are one');
complete($client->get('/one?b=odd'),
         '{"n\u0000":"\u0000","n":"a\u0000b","\uD800":2,'
         . '"big":100000000000000000000,"one":1.0}',
         'C46 \u0000 in strings and names with root');
complete($client->get('/any?b=odd'),
         '{"n\u0000":"\u0000","n":"a\u0000b","\uD800":2,'
         . '"big":100000000000000000000}',
         'C46 with pick and root');
complete($client->get('/kept'),
         '{"b":{"n\u0000":"\u0000","\ud800":1,"\uD800":2,"\\\\u0031":1.0}}',
         'C46 with pick, drop and rename');
complete($client->get('/one?b=pretty'),
         "{\"k\" : [ 1,\n 2 ] ,\r\n\t\"l\": { }}", 'bytes as they were sent');

for my $b (qw(number string true null list)) {
    my $r = $client->get("/root?b=$b");

    is($r->{body}, '{"a":{"x":1}}', "C49 with root, $b is no object");
    is($r->{header}{'x-gw-failed'} . $r->{header}{'x-b-error'}, 'bnot_object',
       "C49 $b failed with not_object");
}

failed($client->get('/one?b=number'), 502, { b => 'not_object' },
       'C49 a required part');

for my $b (qw(number list)) {
    is($client->get("/pick?b=$b")->{header}{'x-b-error'}, 'not_object',
       "C49 picked of $b");
}

is($client->get('/root?b=bytes-crowd')->{header}{'x-b-error'}, 'limit',
   'more members than may be merged');
complete($client->get('/one?b=most'), $doc{most}, 'as many as may be');


like(body('/metrics'), qr/^gw_aggregate_parts_total\{result="not_object"\} 8$/m,
     'C49 is counted');


# conflicts

my %conflict = (
    # a, b: last, first
    'a b' => [ '{"x":2,"y":[3]}', '{"x":1,"y":[3]}' ],
    'b a' => [ '{"y":[3],"x":1}', '{"x":2,"y":[3]}' ],
    'c b' => [ '{"z":5,"x":2,"y":[3]}', '{"y":4,"z":5,"x":[1,2]}' ],
    'empty empty' => [ '{"x":[1,2]}', '{"x":[1,2]}' ],
    'twice c' => [ '{"j":0,"k":2,"x":[1,2],"y":4,"z":5}' ],
    'user twice' => [ '{"id":7,"user":"v","x":[1,2],"j":0,"k":2}' ],
);

for my $pair (sort keys %conflict) {
    my ($a, $b) = split(' ', $pair);
    my ($last, $first) = @{$conflict{$pair}};

    complete($client->get("/last?a=$a&b=$b"), $last, "the last of $a and $b");
    complete($client->get("/first?a=$a&b=$b"), $first || $last,
             "the first of $a and $b");
}

complete($client->get('/last?a=b&b=c&d=1'),
         '{"x":[1,2],"z":5,"y":{"d":{"x":1}}}',
         'a member that is declared last');
complete($client->get('/first?a=b&b=c&d=1'), '{"x":2,"y":[3],"z":5}',
         'one that is declared last and is not the first');

for my $delays ('d80-b d0-c', 'd0-b d80-c', 'd0-b d0-c') {
    my ($a, $b) = split(' ', $delays);

    is(body("/last?a=$a&b=$b"), '{"x":[1,2],"y":4,"z":5}',
       "$delays: the last one, whatever came last");
    is(body("/first?a=$a&b=$b"), '{"x":2,"y":[3],"z":5}',
       "$delays: the first one");
}

complete($client->get('/base?x=list'), '{"y":[3],"x":[1,2]}',
         'a part in place of a member of another one');
is(body('/base?x=s404'), '{"x":2,"y":[3]}',
   'that member when the part is left out');

complete($client->get('/error?a=c&b=user'),
         '{"y":4,"z":5,"x":[1,2],"id":7,"user":"v"}', 'no conflict');
is(body('/error?a=b&b=c'),
   '{"n":0,"e":0,"x":[1,2],"y":4,"z":5,"errors":{"a":"not_object"}}',
   'a conflict with a member that is declared');
is(body('/error?a=c&b=c'),
   '{"y":4,"z":5,"x":[1,2],"e":1,"errors":{"b":"not_object"}}',
   'a conflict with a part before');
is(body('/error?a=s404&b=c'),
   '{"n":0,"e":0,"x":[1,2],"y":4,"z":5,"errors":{"a":"status"}}',
   'a default conflicts with nothing');
is(body('/error?a=s404&b=s404'),
   '{"n":0,"e":0,"x":[1,2],"errors":{"a":"status","b":"status"}}',
   'a default that conflicts is left out');
is(body('/error?a=errors&b=c'),
   '{"n":0,"e":0,"x":[1,2],"y":4,"z":5,"errors":{"a":"not_object"}}',
   'a conflict with the member for errors');

failed($client->get('/error/required?a=c&b=b&c=list'), 502,
       { a => 'not_object' }, 'a required part in conflict');
failed($client->get('/error/required?a=d50-b&b=a&c=list'), 502,
       { a => 'not_object' }, 'the one that is declared later');
failed($client->get('/error/required?a=b&b=d50-a&c=list'), 502,
       { a => 'not_object' }, 'however late the other one is');
complete($client->get('/error/required?a=a&b=c&c=list'),
         '{"y":4,"z":5,"x":1,"c":[1,2]}', 'required parts without one');
failed($client->get('/error/slow?a=b&b=a&c=s404'), 404,
       { c => 'status', d => 'not_object' }, 'the first one decides');
failed($client->get('/error/slow?a=s404&b=a&c=b'), 404, { d => 'status' },
       'without a conflict');
like($nginx->log,
     qr/part "a" failed: not_object, a member of its answer is in the doc/,
     'it is logged');
like(body('/metrics'), qr/^gw_aggregate_parts_total\{result="not_object"\} 8$/m,
     'but had been fetched and counted');


# defaults, null

is(body('/default?b=s404&i=1'), '{"d":[] ,"x":1}',
   'the default of a part that failed');
is(body('/default?b=empty'), '{"d":[] ,"x":1}', 'of one that is not wanted');
complete($client->get('/default?b=c&i=1'), '{"x":1,"y":4,"z":5}',
         'it is not used');
is(body('/omit?b=s404'), '{"a":{"x":1}}', 'nothing is left out');

for my $b (qw(s204 s404)) {
    complete($client->get("/null?b=$b"), '{"a":{"x":1},"c":[]}',
             "$b: null has no members and no elements");
}


# at, pick, drop, rename

complete($client->get('/at?b=at'), '{"x":{"y":9},"q":[3,4]}', 'at');
is($client->get('/at?b=a')->{header}{'x-b-error'}, 'missing',
   'there is nothing at');
is($client->get('/at?b=bytes-at')->{body}, '{"x":{"y":9},"q":[3,4]}',
   'at, byte by byte');

for my $b ('', 'bytes-') {
    complete($client->get("/shape?b=${b}posts"),
             '{"items":[{"id":1},{"id":2},{}],"x":4}',
             "${b} dropped and renamed");
    complete($client->get("/shape?b=${b}twice"), '{"x":1,"j":0,"\"\\\\":2}',
             "${b} the last one renamed");
    complete($client->get("/shape?b=${b}at"), '{"x":1,"d":{"x":{"y":9}},'
             . '"l":[3,4]}', "${b} nothing to drop");
    complete($client->get("/pick?b=${b}b"), '{"x":2}', "${b} picked");
    complete($client->get("/pick?b=${b}twice"), '{"x":1,"j":0,"z":2}',
             "${b} C44 the last one picked");
    complete($client->get("/pick?b=${b}posts"),
             '{"x":1,"items":[{"id":1},{"id":2},{}]}', "${b} picked deeper");
    complete($client->get("/one?b=${b}many"), $many, "${b} many members");
    complete($client->get("/one?b=${b}odd"),
             '{"n\u0000":"\u0000","n":"a\u0000b","\uD800":2,'
             . '"big":100000000000000000000,"one":1.0}', "${b} odd names");
    complete($client->get("/last?a=${b}many&b=${b}many"),
             '{"x":[1,2],' . substr($many, 1), "${b} all in conflict");
}


# append

complete($client->get('/append?x=list&y=list&z=list'),
         '{"all":[1,2,1,2,1,2],"m":{"x":1}}',
         'elements in the order of the configuration');
complete($client->get('/append?x=d60-more&y=none&z=d30-list'),
         '{"all":[{"i":1,"d":0} ,' . "\n" . ' {"i":2},1,2],"m":{"x":1}}',
         'and not in that of time');
complete($client->get('/append?x=none&y=none&z=none'),
         '{"all":[],"m":{"x":1}}', 'no elements');
is(body('/append?x=s404&y=s404&z=s404'), '{"all":["d"],"m":{"x":1}}',
   'defaults');
is(body('/append?x=s404&y=none&z=list'), '{"all":[1,2],"m":{"x":1}}',
   'nothing for one that failed');

for my $x (qw(a number null)) {
    my $r = $client->get("/append?x=$x&y=list&z=none");

    is($r->{body}, '{"all":[1,2],"m":{"x":1}}', "$x has no elements");
    like($nginx->log, qr/part "x" failed: missing/, 'that is missing');
}

is(body('/append/omit?x=s404&y=s404'), '{"m":{"x":1}}', 'no array');
is(body('/append/omit?x=s404&y=none'), '{"m":{"x":1},"o":{"all":[]}}',
   'an empty one');
is(body('/append/omit?x=s404&y=list'), '{"m":{"x":1},"o":{"all":[1,2]}}',
   'one part of two');

complete($client->get('/append/shape?m=more'), qq({"m":[{"j":1} ,\n {"j":2}]}),
         'append and pick, drop, rename');
complete($client->get('/append/shape?m=none'), '{"m":[]}',
         'what is empty before');

complete($client->get('/array?x=list&y=more'),
         '[1,2,{"x":1},{"i":1,"d":0} ,' . "\n" . ' {"i":2}]',
         'appended to an array');
is(body('/array?x=s404&y=none'), '[{"x":1}]', 'nothing to append');


# gw_aggregate_each

my $posts = '{"x":1,"items":[{"id":1,"user":{"id":"1"}},'
            . '{"id":2,"user":{"id":"2"}},{}],"m":4,"n":[1,2]}';
is(body('/embed'), $posts, 'members with what is embedded in them');
complete($client->get('/embed/append'),
         '{"l":[{"i":1,"d":0,"user":{"id":"1"}} ,' . "\n"
         . ' {"i":2,"user":{"id":"2"}},1,2]}', 'elements with that');

is(body('/each?s=names'),
   '{"s":["c","s404","a","c"],"c":{"y":4,"z":5},"s404":null,"a":{"x":1},'
   . '"l":[{"y":4,"z":5},0,{"x":1},{"y":4,"z":5},1,2],"x":1}',
   'each answer a member, or an element');

is(body('/each?s=taken'), '{"s":null,"l":[0,0,0,1,2],"x":1}', 'in conflict');
complete($client->get('/each?s=nobody'), '{"s":[],"l":[1,2],"x":1}',
         'nothing to fetch');
is(body('/each?s=a'), '{"s":{"x":1},"l":[1,2],"x":1}', 'no array');


# gw_aggregate_static

complete($client->get('/static?b=list'),
         '{"version":"1.\u0030","a":{"x":1},"meta":{"state":"ok",'
         . '"limits":{"n" : 1.0},"b":[1,2]},"end":[]}', 'static, complete');
is(body('/static?b=s404'),
   '{"version":"1.\u0030","a":{"x":1},"meta":{"limits":{"n" : 1.0},"b":null,'
   . '"note":"partial","errors":{"b":"status"}}}', 'static, partial');

complete($client->get('/static/root?b=list'),
         '{"x":0,"e":1,"b":[1,2],"state":"ok","y":4,"z":0}',
         'static members, and those that parts cannot have');
is(body('/static/root?b=s404'),
   '{"x":0,"e":1,"b":null,"y":4,"z":0,"errors":{"b":"status"}}',
   'nor when they are not there');

is(body('/cost'), '{"n":1,"x":1,"b":[1,2]}', 'all of it in one document');
is($client->get('/cost')->{header}{'x-cost'}, 3, 'parts cost, what is static '
   . 'does not');


# among other things

complete($client->get('/nested?b=c'), '{"x":1,"y":4,"z":5,"s":1,"l":[1,2,1,2]}',
         'aggregates in an aggregate');
is($client->get('/nested?b=s404')->{header}{'x-gw-failed'}, 'i',
   'a partial one');

complete($client->get('/hedge?b=b'), '{"x":2,"y":[3],"l":[1,2]}', 'hedge=');
failed($client->get('/hedge?b=list'), 502, { b => 'not_object' },
       'hedge= of what is no object');
failed($client->get('/small?a=many'), 502, { a => 'too_large' },
       'gw_aggregate_max_size');
complete($client->get('/depth?b=b'), '{"a":{"x":1},"x":2,"y":[3]}',
         'gw_aggregate_max_depth');
is($client->get('/depth?b=posts')->{header}{'x-gw-failed'}, undef,
   'as deep as may be');
is($client->get('/set')->{body}, '{"user":"v","id":"7"}',
   'gw_aggregate_set takes from what is merged');
complete($client->get('/if?i=1'), '{"x":2,"y":[3],"s":1}', '"if" in there');

my $r = $client->get('/one?b=b');
my $etag = $r->{header}{etag};

like($etag, qr{^W/".+"$}, 'an ETag');
is($client->get('/one?b=bytes-b')->{header}{etag}, $etag,
   'the same bytes have the same one');
isnt($client->get('/one?b=c')->{header}{etag}, $etag, 'others have not');
is($client->get('/one?b=b', "If-None-Match: $etag")->{status}, 304,
   'not modified');

$r = $client->request('HEAD', '/last?a=b&b=c');
is($r->{header}{'content-length'}, length('{"x":[1,2],"y":4,"z":5}'),
   'the length for HEAD');


# streams: the same bytes, as soon as they can be known

for my $args (
    'a=a&b=c&d=list&e=a&l=list', 'a=b&b=b&d=list&e=a&l=none',
    'a=c&b=user&d=a&e=s404&l=s404', 'a=twice&b=s404&d=s404&e=s404&l=none',
    'a=user&b=s404&d=s404&e=a&l=list', 'a=errors&b=errors&d=a&e=a&l=list',
    'a=pretty&b=odd&d=d30-list&e=d60-a&l=list',
    'a=c&b=c&d=d60-list&e=d30-a&l=d90-none', 'a=c&b=number&d=a&e=a&l=a',
    'a=bytes-many&b=d30-many&d=a&e=d60-s404&l=d30-s404',
) {
    for my $how (qw(last first)) {
        my $want = $client->get("/w/$how?$args");
        my $got = $client->get("/s/$how?$args");

        is($got->{body}, $want->{body}, "streamed, $how: $args");
        is($got->{trailer}{'x-gw-failed'}, $want->{header}{'x-gw-failed'},
           "$how: what failed");
        is("$got->{header}{'transfer-encoding'} "
           . $got->{trailer}{'x-gw-completed'},
           "chunked $want->{header}{'x-gw-completed'}", "$how: a stream");
    }
}

for my $s (qw(names taken nobody a)) {
    is($client->get("/s/each?s=$s")->{body}, body("/each?s=$s"),
       "streamed, gw_aggregate_each: $s");
}

# what is waited for comes 400 ms before the rest
my @pieces = GW::Aggregate::pieces($nginx,
                                   '/s/last?a=c&b=d200-a&d=d600-a&e=s404&l=list');
my ($first) = grep { length($_->[1]) } @pieces;
is($first->[1], '{"z":5,"s":1,"x":1',
   'last: all before the first part that is not there');
within($first->[0], 0.2, 0.4, 'when all parts with "root" are there');
is($pieces[-1][1], '{"z":5,"s":1,"x":1,"y":{"d":{"x":1}},"l":[1,2,1,2],'
   . '"errors":{"z":"status"}}', 'and then the rest');

@pieces = GW::Aggregate::pieces($nginx,
                                '/s/first?a=c&b=d500-a&d=a&e=a&l=list');
($first) = grep { length($_->[1]) } @pieces;
is($first->[1], '{"y":4,"z":5,"s":1,"x":[1,2]',
   'first: all before the first part that is not there');
within($first->[0], 0, 0.2, 'at once');
is($pieces[-1][1],
   '{"y":4,"z":5,"s":1,"x":[1,2],"l":[1,2,1,2],"state":"ok"}',
   'and then the rest');

is($client->get('/s/array?a=list&b=d30-none')->{body}, '[1,2,{"x":1}]',
   'an array in a stream');
is($client->get('/s/array?a=none&b=d30-more')->{body},
   '[{"i":1,"d":0} ,' . "\n" . ' {"i":2},{"x":1}]', 'nothing at first');
is($client->get('/s/array?a=a&b=d30-more')->{status}, 502,
   'a required part that cannot be appended');
is($client->get('/s/late?b=d50-list')->{body},
   '{"a":{"x":1},"state":"ok","b":[1,2]}', 'static members known at the end');
is($client->get('/s/late?b=d50-s404')->{body}, '{"a":{"x":1},"b":null}',
   'and not there');

undef $client;
sane($nginx, 'merged');

done_testing();
