#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# A rate limit in front of gw_aggregate: a composed answer costs its parts,
# and a rejected one has no parts.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Nginx;
use Test::More;

my $be = GW::Backend->new('*' => sub { $_[0]->json('{"x":1}') });

my $nginx = GW::Nginx->new(http => agg_server($be,
                                              http => <<'HTTP', server => <<'END'));
    gw_limit_zone $arg_k zone=units:1m rate=1r/m burst=9;
HTTP
        # the limit of a level above is that of the parts, too
        gw_limit zone=units nodelay;

        location = /cost {
            gw_limit zone=units nodelay cost=$gw_aggregate_cost;
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/b;
            gw_aggregate_part c /p/c;
        }

        location = /plain {
            gw_limit zone=units nodelay cost=$gw_aggregate_cost;
            empty_gif;
        }
END

my $r = $nginx->get('/cost?k=1');

is($r->{status}, 200, 'C119 a composed answer');
is($r->{body}, '{"a":{"x":1},"b":{"x":1},"c":{"x":1}}', 'C119 its parts');
is($r->{header}{ratelimit}, '"units";r=6;t=60', 'C119 costs 1 + 3');
is(scalar($be->requests), 3, 'C119 three requests of parts');

is($nginx->get('/agg?k=1&a=a&b=b')->{header}{ratelimit}, '"units";r=5;t=60',
   'C119 parts are free otherwise');

$be->clear;
is($nginx->get('/plain?k=1')->{header}{ratelimit}, '"units";r=4;t=60',
   'C119 a location without parts costs 1');
is($nginx->get('/plain?k=1')->{header}{ratelimit}, '"units";r=3;t=60',
   'three are left');

$r = $nginx->get('/cost?k=1');

is($r->{status}, 429, 'C119 rejected');
is($r->{header}{'content-type'}, 'application/problem+json',
   'C119 with a problem document');
is($r->{header}{ratelimit}, '"units";r=3;t=60', 'C119 takes nothing');
is($r->{header}{'retry-after'}, 60, 'C119 until the fourth unit is there');
is(scalar($be->requests), 0, 'C119 no request of a part');

unlike($nginx->log, qr/\[(alert|crit|emerg)\]/, 'nothing bad is logged');

done_testing();
