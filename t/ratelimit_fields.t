#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_limit_headers: the generations of fields, what of an upstream's fields is
# passed, and that none of ours is kept by a cache.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Nginx;
use Test::More;

my @old = qw(ratelimit-limit ratelimit-remaining ratelimit-reset);
my @x = map { "x-$_" } @old;

my $nginx = GW::Nginx->new(workers => 1, http => <<"END");
    gw_limit_zone \$arg_k zone=min:1m rate=1r/m burst=9;
    gw_limit_zone \$arg_k zone=same:1m rate=1r/m burst=9;
    gw_limit_zone \$arg_k zone=window:1m rate=100r/d algorithm=fixed;
    gw_limit_zone \$arg_k zone=shadow:1m rate=1r/m;
    gw_quota_zone \$arg_k zone=month:1m quota=50 period=30d;
    gw_concurrency_zone \$arg_k zone=jobs:1m;

    server {
        listen 127.0.0.1:%%PORT%%;

        location /off { gw_limit zone=min nodelay; gw_limit_headers off;
            empty_gif; }
        location /default { gw_limit zone=min nodelay; empty_gif; }

        location /x { gw_limit zone=min nodelay;
            gw_limit_headers x-ratelimit; empty_gif;
            location /x/inherited { gw_limit zone=window; empty_gif; } }
        location /epoch { gw_limit zone=min nodelay;
            gw_limit_headers x-ratelimit=epoch; empty_gif; }
        location /triple { gw_limit zone=min nodelay;
            gw_limit_headers ratelimit-triple; empty_gif; }
        location /every { gw_limit zone=min nodelay;
            gw_limit_headers x-ratelimit=epoch ratelimit-triple ratelimit;
            empty_gif; }

        location /pk { gw_limit zone=min nodelay; gw_limit zone=same nodelay;
            gw_quota zone=month; gw_concurrency zone=jobs limit=5;
            gw_limit_headers pk ratelimit all; empty_gif; }

        location /all { gw_limit zone=min nodelay; gw_limit zone=window;
            gw_limit zone=shadow shadow;
            gw_quota zone=month; gw_concurrency zone=jobs limit=5;
            gw_limit_headers ratelimit all x-ratelimit; empty_gif; }

        location /jobs { gw_concurrency zone=jobs limit=1;
            gw_limit_headers ratelimit x-ratelimit ratelimit-triple;
            empty_gif; }
    }
END

generations();
lists();
partitions();

done_testing();


# the fields of a response, those that are not there as "-"

sub fields {
    my ($reply, @names) = @_;

    return join(' ', map { $reply->{header}{$_} // '-' } @names);
}


sub generations {
    my $r = $nginx->get('/off?k=g1');
    is(fields($r, 'ratelimit', 'ratelimit-policy', @old, @x),
       '- - - - - - - -', 'off');

    $r = $nginx->get('/default?k=g1');
    is(fields($r, 'ratelimit', 'ratelimit-policy'),
       '"min";r=8;t=60 "min";q=1;w=60;gw-burst=9', 'ratelimit is the default');
    is(fields($r, @old, @x), '- - - - - -', 'alone');

    $r = $nginx->get('/x?k=g2');
    is(fields($r, @x), '10 9 60', 'x-ratelimit');
    is(fields($r, 'ratelimit', 'ratelimit-policy', @old), '- - - - -',
       'alone');

    $r = $nginx->get('/x/inherited?k=g2');
    like(fields($r, @x), qr/^100 99 \d+$/, 'inherited, of a window');

    $r = $nginx->get('/triple?k=g3');
    is(fields($r, @old), '10 9 60', 'ratelimit-triple');
    is(fields($r, 'ratelimit', 'ratelimit-policy', @x), '- - - - -', 'alone');

    my $now = time();
    $r = $nginx->get('/epoch?k=g4');
    like(fields($r, @x), qr/^10 9 \d{10}$/, 'x-ratelimit=epoch');
    my $reset = $r->{header}{'x-ratelimit-reset'};
    ok($reset >= $now + 58 && $reset <= time() + 60, 'seconds since 1970');

    $r = $nginx->get('/every?k=g5');
    is(fields($r, 'ratelimit', @old), '"min";r=9;t=60 10 9 60', 'several');
    like(fields($r, @x), qr/^10 9 \d{10}$/, 'of them');

    $nginx->get('/x?k=g6') for 1 .. 10;
    $r = $nginx->get('/x?k=g6');
    is($r->{status}, 429, 'a rejection');
    is(fields($r, @x, 'retry-after'), '10 0 60 60', 'has the fields');
}


sub lists {
    my $r = $nginx->get('/all?k=l1');

    is($r->{header}{'ratelimit-policy'},
       '"min";q=1;w=60;gw-burst=9, "window";q=100;w=86400, '
       . '"jobs";q=5;qu="concurrent-requests", "month";q=50;w=2592000',
       'policies of all but a shadow');
    like($r->{header}{ratelimit},
         qr/^"min";r=9;t=60, "window";r=99;t=\d+, "jobs";r=4, "month";r=49;t=2592000$/,
         'all: the state of each');
    is(fields($r, @x), '10 9 60', 'the nearest, not the one in progress');

    $r = $nginx->get('/jobs?k=l2');
    is(fields($r, 'ratelimit', 'ratelimit-policy', @old, @x),
       '"jobs";r=0 "jobs";q=1;qu="concurrent-requests" - - - - - -',
       'numbers without a unit say nothing of requests in progress');
}


sub partitions {
    my $r = $nginx->get('/pk?k=secret');
    my $pk = qr{pk=:([A-Za-z0-9+/]{12}):};

    my @policy = $r->{header}{'ratelimit-policy'} =~ /$pk/g;
    my @state = $r->{header}{ratelimit} =~ /$pk/g;

    is(scalar(@policy), 4, 'pk: of each policy');
    is("@state", "@policy", 'the same of each state');
    is(scalar(keys %{{ map { $_ => 1 } @policy }}), 4,
       'of one key in several zones it differs');
    unlike(join('', %{$r->{header}}), qr/secret/, 'the key is not told');

    $r = $nginx->get('/pk?k=secret');
    is(join(' ', $r->{header}{ratelimit} =~ /$pk/g), "@state",
       'the same for the same key');

    $r = $nginx->get('/pk?k=secret2');
    my %other = map { $_ => 1 } $r->{header}{ratelimit} =~ /$pk/g, @state;
    is(scalar(keys %other), 8, 'another one for another key');
}
