#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Keys are rotated under load: no request fails, and the provider is asked
# once for each of them, whatever the number of workers and clients.  How long
# requests take is for "bench/run rotation" to say.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Rotation;
use Test::More;

my $rotations = 4;
my $got = GW::Rotation::run(seconds => 0.5, rotations => $rotations,
                            clients => 4, rate => 100);

my $total = @{ $got->{steady} } + @{ $got->{rotation} };

cmp_ok($total, '>', 200, "R01 $total requests");
is(join('; ', map { "@$_" } @{ $got->{failed} }), '', 'R01 none has failed');
is($got->{fetches}, 1 + $rotations, 'R01 one fetch for each rotation');
is("@{ $got->{alerts} }", '', 'the log is clean');

done_testing();
