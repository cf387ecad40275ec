#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# C113: each allocation on the way of an aggregate fails once, alone and with
# those behind it.  The client gets a whole answer, one that says that it is
# not, an error, or the end of its connection; nothing is left behind.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Alloc;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);

my $alloc = GW::Alloc->new;
my %env = $alloc->env;
my $big = '"' . 'x' x 9000 . '"';

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1,"y":[1,2]}', 'ETag: "a"',
                              'Cache-Control: max-age=60', 'X-One: 1') },
    '/list' => sub { $_[0]->json('{"i":[{"id":1},{"id":2},{"id":3}]}') },
    '/late' => sub { $_[0]->delay(0.008); $_[0]->json('{"x":1}') },
    '/text' => sub { $_[0]->answer(200, 'text/plain', "a \"b\"\n" x 300) },
    '/s404' => sub { $_[0]->answer(404, 'text/html', '-') },
    '/members' => sub { $_[0]->chunked('{"' . 'k' x 500, 'k' x 600 . '":0,',
                                       (map { qq("\\u00e9$_":$_,) } 1 .. 40),
                                       '"z":0}') },
    # proxy_pass leaves Content-Length out when it has no memory for it
    '/echo' => sub {
        defined $_[1]{header}{'content-length'}
            ? $_[0]->json($_[1]{body}) : $_[0]->answer(411, 'text/html', '-');
    },
    '/chunked' => sub { $_[0]->chunked('[', ('"' . 'y' x 900 . '",') x 9,
                                       '0]') },
    '*' => sub { $_[0]->json($big) },
);
my $port = $be->port;

local @ENV{keys %env} = values %env;

my $nginx = GW::Nginx->new(level => 'warn', main => $alloc->main,
    http => <<"END");
    upstream be { server 127.0.0.1:$port; keepalive 8; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    # a pool that is full soon
    request_pool_size 512;

    server {
        listen 127.0.0.1:%%PORT%%;
        location = /status { stub_status; }

        location = /object {
            gw_aggregate object;
            gw_aggregate_server_timing on;
            gw_aggregate_pass_header X-One all;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/big optional as=/deep/b;
            gw_aggregate_part c /p/chunked optional;
        }
        location = /failed {
            gw_aggregate object;
            gw_aggregate_errors status;
            gw_aggregate_part a /p/s404;
            gw_aggregate_part b /p/big optional;
        }
        location = /partial {
            gw_aggregate array;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/s404 optional default=[];
        }
        location = /nested {
            gw_aggregate object;
            gw_aggregate_part n /inner;
            gw_aggregate_part b /p/big optional;
        }
        location = /inner {
            internal;
            gw_aggregate array;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/a optional;
        }
        location = /chain {
            gw_aggregate object;
            gw_aggregate_set \$y a /y join=-;
            gw_aggregate_part a /p/a;
            gw_aggregate_part e /p/echo method=POST 'body={"y":"\$y"}';
            gw_aggregate_part u /p/\$y optional;
        }
        location = /each {
            gw_aggregate object;
            gw_aggregate_part l /p/list;
            gw_aggregate_part i /p/a?\$gw_item;
            gw_aggregate_each i l /i item=/id;
        }
        location = /embed {
            gw_aggregate object;
            gw_aggregate_part l /p/list;
            gw_aggregate_part i /p/a?\$gw_item optional;
            gw_aggregate_each i l /i item=/id result=embed:/as;
        }
        location = /shape {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part l /p/list at=/i;
            gw_aggregate_drop a /y;
            gw_aggregate_rename a /x z;
            gw_aggregate_pick l /*/id;
        }
        location = /merge {
            gw_aggregate object;
            gw_aggregate_conflict error;
            gw_aggregate_buffer_size 600;
            gw_aggregate_static /s 1;
            gw_aggregate_part a /p/a root;
            gw_aggregate_part m /p/members root;
            gw_aggregate_part c /p/chunked append as=/c;
            gw_aggregate_part l /p/list append as=/c at=/i;
            gw_aggregate_drop l /*/id;
        }
        location = /members {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part m /p/members root;
            gw_aggregate_part a /p/a root optional;
        }
        location = /hedged {
            gw_aggregate object;
            gw_aggregate_part a /p/late hedge=2ms;
            gw_aggregate_part b /p/late hedge=4ms optional;
        }
        location = /text {
            gw_aggregate object;
            gw_aggregate_part t /p/text type=text;
            gw_aggregate_part u /p/text type=base64;
        }
        location = /gzip {
            gzip on;
            gzip_types application/json;
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/big optional;
        }
        location = /ordered {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/big optional;
            gw_aggregate_part c /p/chunked optional;
        }
        location = /lines {
            gw_aggregate object;
            gw_aggregate_stream ndjson;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/big optional;
        }
        location = /cached {
            gw_aggregate object;
            gw_aggregate_part a /cached/a?\$arg_n;
            gw_aggregate_part b /cached/big?\$arg_n optional;
        }
        location = /post {
            gw_aggregate object;
            gw_aggregate_methods POST;
            gw_aggregate_part a /p/echo method=inherit body=inherit;
            gw_aggregate_part b /p/a optional;
        }
        location /p/ { internal; proxy_pass http://be/; }
        location /cached/ {
            internal;
            proxy_cache cache;
            proxy_cache_valid 1m;
            proxy_pass http://be/;
        }
    }
END

# the others are plain GET
my %request = (
    gzip => ['GET', undef, 'Accept-Encoding: gzip'],
    post => ['POST', '{"posted":[1,2,3]}'],
    head => ['HEAD', undef],
);
my $n = 0;
my $points = 0;
my $worker;


sub ask {
    my ($kind) = @_;

    my ($method, $body, @header) = @{ $request{$kind} || ['GET', undef] };
    my $path = $kind eq 'head' ? 'object' : $kind;
    my $client = GW::Client->new($nginx->{port});
    my $reply = $client->request($method, "/$path?n=" . ++$n, $body,
                                 @header, 'Connection: close');

    return undef unless $reply;

    if (($reply->{header}{'content-encoding'} || '') eq 'gzip') {
        gunzip(\$reply->{body}, \my $plain);
        $reply->{body} = defined $plain ? $plain : 'not gzip';
    }

    # lines have no order
    $reply->{body} = join("\n", sort split(/\n/, $reply->{body}))
        if $kind eq 'lines';

    return $reply;
}


sub completed {
    my ($reply) = @_;

    return $reply->{trailer}{'x-gw-completed'}
           || $reply->{header}{'x-gw-completed'} || 'none';
}


# what is wrong with an answer for which something could not be allocated

sub wrong {
    my ($good, $reply) = @_;

    # closed, or cut in a way that the client can see
    return undef unless $reply;

    return "took $reply->{time}" if $reply->{time} > 5;
    return "status $reply->{status}"
        if $reply->{status} !~ /^(?:200|404|500|502|503)$/;

    return undef if $reply->{status} >= 500;

    if (completed($reply) eq 'true') {
        return undef if $reply->{body} eq $good->{body};
        return "a wrong body: $reply->{body}";
    }

    return 'completed: ' . completed($reply)
        if completed($reply) ne 'false';

    for my $text (split(/\n/, $reply->{body})) {
        eval { JSON::PP->new->allow_nonref->decode($text) }
            or return "no JSON: $text";
    }

    return undef;
}


sub descriptors {
    return scalar(() = glob("/proc/$worker/fd/*"));
}


ask('object') for 1 .. 3;
($worker) = $nginx->workers;
my $before = descriptors();

for my $kind (qw(object head failed partial nested chain each embed shape merge
                 members hedged text gzip ordered lines cached post))
{
    my $good = ask($kind);
    my @wrong;
    my $count = 0;

    is($good && $good->{status}, $kind eq 'failed' ? 404 : 200,
       "C113 $kind: with memory there is an answer");

    for my $more (0, 3) {
        for my $at (1 .. 3000) {
            $alloc->fail($at, $more);
            my $reply = ask($kind);
            my $failed = $alloc->failed;
            $alloc->off;

            last unless $failed;
            $count++;

            my $wrong = wrong($good, $reply);
            push(@wrong, "$at+$more: " . substr($wrong, 0, 200)) if $wrong;
            last if @wrong > 5;
        }
    }

    is(join("\n", @wrong), '', "C113 $kind: $count failures");
    $points += $count;

    my $reply = ask($kind);
    is($reply && $reply->{body}, $good->{body}, "C113 $kind: as before");
}

note("$points allocations have failed");
cmp_ok($points, '>', 300, 'C113 allocations have failed');

is(join(' ', $nginx->workers), $worker, 'C113 the worker lives');
ok($nginx->until(5, sub { descriptors() <= $before + 16 }),
   'C113 no descriptor is left open')
    or diag("$before before, " . descriptors() . ' after');

my @log = grep { !/\b(?:malloc|posix_memalign|memalign|calloc)\(/ }
          grep { /\[(?:alert|crit|emerg)\]/ } split(/\n/, $nginx->log);

is(join("\n", @log), '', 'C113 nothing bad is logged');
ok($nginx->stop, 'it ends when it is told to');
unlike($nginx->log, qr/open socket|exited on signal/,
       'C113 nothing was left behind');

done_testing();
