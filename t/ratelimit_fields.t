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

my $cache = GW::tmp_dir() . '/fields_cache';

my $nginx = GW::Nginx->new(workers => 1, http => <<"END");
    proxy_cache_path $cache keys_zone=pages:1m;

    gw_limit_zone \$arg_k zone=min:1m rate=1r/m burst=9;
    gw_limit_zone \$arg_k zone=same:1m rate=1r/m burst=9;
    gw_limit_zone \$arg_k zone=window:1m rate=100r/d algorithm=fixed;
    gw_limit_zone \$arg_k zone=shadow:1m rate=1r/m;
    gw_quota_zone \$arg_k zone=month:1m quota=50 period=30d;
    gw_quota_zone \$arg_k zone=herd:1m quota=1 period=day;
    gw_redis gone { server unix:/nonexistent.sock; }
    gw_limit_zone \$arg_k zone=gone:1m rate=1r/s redis=gone;
    gw_quota_zone \$arg_k zone=goneq:1m quota=5 period=day redis=gone;
    gw_concurrency_zone \$arg_k zone=gonec:1m redis=gone;
    gw_concurrency_zone \$arg_k zone=jobs:1m;
    gw_limit_zone \$arg_k zone=next:1m rate=1r/m burst=9;
    gw_limit_zone \$arg_k zone=bytes:1m rate=1000r/m burst=99 unit=content-bytes;
    gw_quota_zone \$arg_k zone=out:1m quota=10 period=day unit=content-bytes;

    # the upstream: what arg_r, arg_x and arg_t say

    server {
        listen unix:$cache.sock;

        location / {
            add_header RateLimit \$arg_r;
            add_header RateLimit \$arg_r2;
            add_header ratelimit-policy \$arg_p;
            add_header X-RATELIMIT-Remaining \$arg_x;
            add_header x-ratelimit-limit \$arg_x;
            add_header X-RateLimit-Used \$arg_x;
            add_header RateLimit-Remaining \$arg_t;
            add_header X-Saw "\$http_ratelimit \$http_x_ratelimit_remaining";
            add_header Cache-Control max-age=60;
            empty_gif;
        }
    }

    server {
        listen 127.0.0.1:%%PORT%%;

        # 10 in a bucket: 9, 8, ... remain

        location /up { gw_limit zone=min nodelay;
            gw_limit_headers ratelimit x-ratelimit ratelimit-triple;
            proxy_pass http://unix:$cache.sock; }
        location /replace { gw_limit zone=min nodelay;
            gw_limit_headers ratelimit x-ratelimit ratelimit-triple replace;
            proxy_pass http://unix:$cache.sock; }
        location /next { gw_limit zone=next nodelay cost=3;
            gw_limit zone=window;
            gw_concurrency zone=jobs limit=5;
            gw_limit_headers ratelimit draft=next all pk;
            proxy_pass http://unix:$cache.sock; }
        location /nextone { gw_limit zone=next nodelay cost=\$arg_cost;
            gw_limit_headers draft=next ratelimit x-ratelimit;
            proxy_pass http://unix:$cache.sock; }
        location /bytes { gw_limit zone=bytes nodelay cost=5; gw_quota zone=out;
            gw_limit_headers ratelimit all x-ratelimit; empty_gif; }
        location /pass { gw_limit zone=min nodelay; gw_limit_headers off;
            proxy_pass http://unix:$cache.sock; }
        location /cached { gw_limit zone=min nodelay;
            gw_limit_headers ratelimit x-ratelimit ratelimit-triple pk;
            proxy_cache pages; proxy_cache_key \$arg_c;
            add_header X-Cache \$upstream_cache_status;
            proxy_pass http://unix:$cache.sock; }
        location /page { gw_limit zone=min burst=0; error_page 429 /sorry;
            empty_gif; }
        location /sorry {
            proxy_pass "http://unix:$cache.sock:/?r=u;r=0;t=999";
        }

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

        location /herd { gw_quota zone=herd; gw_limit_retry_jitter 100%;
            empty_gif; }

        location /gone/ { gw_limit_on_error reject;
            location /gone/limit { gw_limit zone=gone; empty_gif; }
            location /gone/quota { gw_quota zone=goneq; empty_gif; }
            location /gone/jobs { gw_concurrency zone=gonec limit=5;
                empty_gif; } }
        location /none { gw_concurrency zone=jobs limit=0; empty_gif; }

        location /jobs { gw_concurrency zone=jobs limit=1;
            gw_limit_headers ratelimit x-ratelimit ratelimit-triple;
            empty_gif; }
    }
END

generations();
lists();
partitions();
upstream();
cached();
herd();
bodies();
drafts();

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


# the proposed draft, and units

sub drafts {
    my $r = $nginx->get('/next?k=n');
    my $pk = qr/;pk=:[A-Za-z0-9+\/]{12}:/;

    like($r->{header}{ratelimit},
         qr/^"next";a=7;w=60;c=3$pk, "window";a=99;w=\d+;c=1$pk, "jobs";a=4;c=1$pk$/,
         'draft=next');
    like($r->{header}{'ratelimit-policy'}, qr/^"next";q=1;w=60;gw-burst=9$pk, /,
         'draft=next, the policies');

    $r = $nginx->get('/nextone?k=n&cost=0');
    like($r->{header}{ratelimit}, qr/^"next";a=7;w=\d+$/,
         'draft=next, nothing was taken');
    is($r->{header}{'x-ratelimit-remaining'}, 7, 'beside another generation');

    $r = $nginx->get('/nextone?k=n&cost=8');
    is($r->{status}, 429, 'draft=next, a rejection');
    like($r->{header}{ratelimit}, qr/^"next";a=7;w=\d+$/, 'takes nothing');

    # an upstream of either kind that has less

    is($nginx->get('/nextone?k=up&cost=1&r=u;a=3;w=9;c=1')->{header}{ratelimit},
       'u;a=3;w=9;c=1', 'K13 an upstream with the proposed fields');
    is($nginx->get('/nextone?k=up&cost=1&r=u;r=3;t=9')->{header}{ratelimit},
       'u;r=3;t=9', 'K13 with those of the draft');
    like($nginx->get('/nextone?k=up&cost=1&r=u;a=30;w=9')->{header}{ratelimit},
         qr/^"next";a=7;/, 'K13 that has more');

    $r = $nginx->get('/bytes?k=b');
    like($r->{header}{'ratelimit-policy'},
         qr/^"bytes";q=1000;qu="content-bytes";w=60;gw-burst=99, "out";q=10;qu="content-bytes";w=86400$/,
         'unit=content-bytes');
    ok(!exists $r->{header}{'x-ratelimit-limit'},
       'is not told where units have no name');
}


# K13

sub upstream {
    my $up = sub {
        my ($uri, %args) = @_;

        my $args = join('&', map { my $v = $args{$_};
                                   $v =~ s/([^\w])/sprintf('%%%02x', ord($1))/ge;
                                   "$_=$v" } sort keys %args);

        return $nginx->get("$uri?$args");
    };

    my $r = $nginx->get('/up?k=u1');
    is(fields($r, 'ratelimit', @x), '"min";r=9;t=60 10 9 60',
       'K13 an upstream without fields');

    # nginx does not decode arguments: the parser sees what it would not

    $r = $nginx->get('/up?k=u1&r=u;r=7;t=5&p=u;q=8&x=7&t=7');
    is(fields($r, 'ratelimit', 'ratelimit-policy'), 'u;r=7;t=5 u;q=8',
       'K13 its limit is nearer: it stands');
    is(fields($r, @x, 'x-ratelimit-used'), '7 7 - 7', 'K13 X-RateLimit, too');
    is(fields($r, @old), '- 7 -', 'K13 and RateLimit-Remaining');

    $r = $nginx->get('/up?k=u1&r=u;r=8;t=5&p=u;q=8&x=8&t=8');
    is(fields($r, 'ratelimit', 'ratelimit-policy'),
       '"min";r=7;t=60 "min";q=1;w=60;gw-burst=9',
       'K13 ours is nearer: it replaces');
    is(fields($r, @x, 'x-ratelimit-used'), '10 7 60 -',
       'K13 X-RateLimit with all that belongs to it');
    is(fields($r, @old), '10 7 60', 'K13 and RateLimit-Remaining');

    $r = $nginx->get('/up?k=u1&r=u;r=6;t=59');
    is($r->{header}{ratelimit}, '"min";r=6;t=60', 'K13 as near, longer wait');

    $r = $nginx->get('/up?k=u1&r=u;r=5;t=99&x=5');
    is(fields($r, 'ratelimit', @x), 'u;r=5;t=99 5 5 -',
       'K13 as near, its wait is longer');

    $r = $nginx->get('/up?k=u1&r=u;r=5&r2=v;r=3');
    is($r->{header}{ratelimit} =~ tr/;//, 1, 'K13 the nearest of two lines');

    $r = $nginx->get('/up?k=u1&r=r=0&x=none&t=-1');
    is(fields($r, 'ratelimit', @x, @old), '"min";r=3;t=60 10 3 60 10 3 60',
       'K13 what is malformed says nothing');

    $r = $nginx->get('/up?k=u1&x=1');
    is(fields($r, 'ratelimit', @x), '"min";r=2;t=60 1 1 -',
       'K13 each generation on its own');

    $r = $nginx->get('/replace?k=u1&r=u;r=0&x=0&t=0&p=u;q=1');
    is(fields($r, 'ratelimit', 'ratelimit-policy', @x, @old),
       '"min";r=1;t=60 "min";q=1;w=60;gw-burst=9 10 1 60 10 1 60', 'replace');

    $r = $nginx->get('/pass?k=u1&r=u;r=9&x=9&t=9');
    is(fields($r, 'ratelimit', @x, @old), 'u;r=9 9 9 - - 9 -',
       'off: those of an upstream pass');

    my $client = GW::Client->new($nginx->{port});
    $client->send("GET /up?k=u2 HTTP/1.1\r\nHost: a\r\n"
                  . "RateLimit: \"x\";r=0\r\nX-RateLimit-Remaining: 0\r\n\r\n");
    $r = $client->read;
    is(fields($r, 'ratelimit', @x), '"min";r=9;t=60 10 9 60',
       'K13 request fields are ignored');
    is($r->{header}{'x-saw'}, '"x";r=0 0', 'and passed');

    $nginx->get('/page?k=u3');
    $r = $nginx->get('/page?k=u3');
    is("$r->{status} $r->{header}{ratelimit}", '429 "min";r=0;t=60',
       'K13 what we rejected is told, whatever the page of an upstream says');
}


sub cached {
    my $one = $nginx->get('/cached?k=c1&c=1');
    my $two = $nginx->get('/cached?k=c1&c=1');
    my $new = $nginx->get('/cached?k=c2&c=1');

    is(fields($one, 'x-cache', @x), 'MISS 10 9 60', 'the first response');
    is(fields($two, 'x-cache', @x), 'HIT 10 8 60', 'K13 a cached one');
    is(fields($new, 'x-cache', @x, @old), 'HIT 10 9 60 10 9 60',
       'K13 for another client');
    isnt($new->{header}{ratelimit}, $one->{header}{ratelimit},
         'with its own partition key');

    my $text = '';

    for my $file (glob("$cache/*")) {
        open(my $fh, '<:raw', $file) or next;
        local $/;
        $text .= <$fh>;
    }

    like($text, qr/KEY: 1/, 'the response is in the cache');
    unlike($text, qr/ratelimit/i, 'K13 our fields are not stored');
}


sub herd {
    my (%times, $later);

    for my $k (1 .. 12) {
        $nginx->get("/herd?k=h$k");

        my $r = $nginx->get("/herd?k=h$k");
        my $after = $r->{header}{'retry-after'};
        my ($t) = $r->{header}{ratelimit} =~ /;t=(\d+)$/;

        $later++ if $after >= $t && $after <= 2 * 86400;
        $times{$after} = 1;
    }

    is($later, 12, 'K16 a rejection by a quota is not told less than t');
    cmp_ok(scalar(keys %times), '>', 6,
           'K16 those that are rejected together come back apart');
}


# RFC 9457, for each kind

sub bodies {
    for my $kind ('limit', 'quota', 'jobs') {
        my $r = $nginx->get("/gone/$kind?k=x");

        is("$r->{status} $r->{header}{'content-type'} "
           . ($r->{header}{'retry-after'} // '-'),
           '503 application/problem+json 1', "on_error reject: $kind");
        is($r->{body}, '{"type":"https://iana.org/assignments/'
           . 'http-problem-types#temporary-reduced-capacity","title":"Request '
           . 'cannot be satisfied due to temporary server capacity '
           . 'constraints","status":503}', "its body: $kind");
    }

    my $exceeded = sub {
        return '{"type":"https://iana.org/assignments/http-problem-types'
               . '#quota-exceeded","title":"Request cannot be satisfied as '
               . 'assigned quota has been exceeded","status":429,'
               . qq("violated-policies":["$_[0]"]});
    };

    my $r = $nginx->get('/none?k=b1');
    is($r->{body}, $exceeded->('jobs'), 'the body of gw_concurrency');
    is($r->{header}{'retry-after'}, undef, 'which has no Retry-After');

    is($nginx->get('/herd?k=h1')->{body}, $exceeded->('herd'),
       'the body of gw_quota');
}
