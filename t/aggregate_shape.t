#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate_pick, gw_aggregate_drop, gw_aggregate_rename.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use Test::More;

my $user = '{"id":1.10,"name":"\u00e9","secret":"s","keys":[{"p":1,"q":2},'
           . '{"q":3}],"id2":1e6}';
my $big = '{"items":[' . join(',', map { qq({"p":$_,"q":"$_"}) } 1 .. 5000)
          . '],"text":"' . 'x' x 5000 . '"}';

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/user' => sub { $_[0]->json($user) },
    '/big' => sub { $_[0]->json($big) },
    '/twice' => sub { $_[0]->json('{"k":1,"j":0,"k":2}') },
    '/escaped' => sub { $_[0]->json('{"a":1,"b":2,"\u0061":3}') },
    '/list' => sub { $_[0]->json('[1,2]') },
    '/scalar' => sub { $_[0]->json('42') },
    '/bytes' => sub {
        my ($conn) = @_;

        $conn->head(200, 'Content-Type: application/json',
                    'Transfer-Encoding: chunked');
        $conn->chunk($_) for split(//, $user);
        $conn->chunk('');
    },
);

my $nginx = GW::Nginx->new(http => agg_server($be, server => <<'END'));
        location = /drop {
            gw_aggregate object;
            gw_aggregate_part b /p/$arg_b;
            gw_aggregate_drop b /secret /keys/*/q;
        }
        location = /pick {
            gw_aggregate object;
            gw_aggregate_part b /p/$arg_b;
            gw_aggregate_pick b /id2 /id /keys/*/p;
            gw_aggregate_rename b /id number;
            gw_aggregate_rename b /keys/*/p "\"";
        }
        location = /both {
            gw_aggregate object;
            gw_aggregate_part b /p/user;
            gw_aggregate_pick b /id2;
            gw_aggregate_drop b /*/p;
        }
        location = /at {
            gw_aggregate object;
            gw_aggregate_part b /p/$arg_b at=/keys as=/x/keys;
            gw_aggregate_drop b /0/p;
        }
        location = /k {
            gw_aggregate object;
            gw_aggregate_part b /p/$arg_b optional;
            gw_aggregate_part c /p/a;
            gw_aggregate_pick b /k;
        }
        location = /same {
            gw_aggregate object;
            gw_aggregate_part b /p/escaped;
            gw_aggregate_drop b /a;
        }
        location = /each {
            gw_aggregate object;
            gw_aggregate_part b /p/list;
            gw_aggregate_part c /p/user?$gw_item;
            gw_aggregate_each c b "";
            gw_aggregate_pick c /id;
        }
        location = /big {
            gw_aggregate object;
            gw_aggregate_part b /p/big;
            gw_aggregate_drop b /items/*/p;
        }
END

my $client = GW::Client->new($nginx->{port});

for my $how ('user', 'bytes') {
    complete($client->get("/drop?b=$how"),
             '{"b":{"id":1.10,"name":"\u00e9","keys":[{"p":1},{}],"id2":1e6}}',
             "drop, $how");
    complete($client->get("/pick?b=$how"),
             '{"b":{"number":1.10,"keys":[{"\"":1},{}],"id2":1e6}}',
             "pick and rename, $how");
    complete($client->get("/at?b=$how"), '{"x":{"keys":[{"q":2},{"q":3}]}}',
             "at comes first, $how");
}

complete($client->get('/k?b=twice'), '{"b":{"k":2},"c":{"x":1}}',
         'C44 the last one with a name is picked');
complete($client->get('/both'), '{"b":{"id2":1e6}}',
         'picked by name among members that "*" names');
complete($client->get('/same'), '{"b":{"b":2}}',
         'C45 names that are equal when unescaped are dropped');

is($client->get('/k?b=scalar')->{body}, '{"b":null,"c":{"x":1}}',
   'nothing to pick from');
is($client->get('/k?b=scalar')->{header}{'x-gw-failed'}, 'b',
   'that is a failure');

complete($client->get('/each'), '{"b":[1,2],"c":[{"id":1.10},{"id":1.10}]}',
         'each answer of a part');

(my $want = $big) =~ s/"p":\d+,//g;
complete($client->get('/big'), "{\"b\":$want}", 'many edits');

done_testing();
