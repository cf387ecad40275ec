#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Limits in Redis over HTTP/2: many streams of one connection wait, some are
# reset, and none stops another.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::HTTP2;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(sleep time);

my $redis = GW::Redis->new;
my $server = $redis->server;
my $http2 = GW::free_port();

my $nginx = GW::Nginx->new(http => <<"END");
    gw_redis main { server $server; timeout 20s; stall_timeout 30s; }

    gw_limit_zone \$arg_k zone=day:1m rate=1r/d burst=9999 redis=main;
    gw_limit_zone \$arg_k zone=turn:1m rate=20r/s burst=100;
    gw_concurrency_zone \$arg_k zone=now:1m;

    http2_max_concurrent_streams 256;
    add_header X-Remaining \$gw_limit_remaining always;

    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:$http2 http2;

        location = /redis { gw_limit zone=day nodelay; empty_gif; }
        location = /free { empty_gif; }
        location = /metrics { gw_metrics prometheus; }
        location = /turn { gw_limit zone=turn; empty_gif; }
        location = /held {
            gw_concurrency zone=now limit=1000;
            gw_limit zone=day nodelay;
            empty_gif;
        }
        location = /now {
            gw_concurrency zone=now limit=1000;
            add_header X-Now \$gw_concurrency_current always;
            empty_gif;
        }
    }
END

$nginx->get('/free');

my ($worker) = $nginx->workers;
my $canceled = 'gw_redis_commands_total{name="main",result="canceled"}';


sub statuses {
    return join(' ', map { defined $_ ? $_->{status} : '-' } @_);
}


sub metric {
    my ($name) = @_;

    my $body = $nginx->get('/metrics')->{body};

    return $body =~ /^\Q$name\E(?:\{name="main"\})? (\d+)$/m ? $1 : -1;
}


sub in_progress {
    my ($k) = @_;

    # this one is among them
    return ($nginx->get("/now?k=$k")->{header}{'x-now'} || 0) - 1;
}


# N9: Redis stands still

{
    my $h2 = GW::HTTP2->new($http2) or die "no connection";
    my ($before) = $h2->replies(5, $h2->request('/redis?k=n9'));

    is(statuses($before), '200', 'N9 before');

    $redis->pause;

    my @waiting = $h2->request(('/held?k=n9') x 40);
    my $free = $h2->request('/free');

    is(statuses($h2->replies(5, $free)), '200',
       'N9 streams that wait do not stop another one');
    ok($nginx->until(5, sub { metric('gw_redis_inflight') >= 40 }),
       'N9 all of them wait');

    my @reset = @waiting[grep { $_ % 2 } 0 .. $#waiting];
    my @left = @waiting[grep { !($_ % 2) } 0 .. $#waiting];

    $h2->reset(@reset);

    ok($nginx->until(5, sub { metric($canceled) == 20 }),
       'N9 those that are reset are gone at once');

    is(statuses($h2->replies(5, $h2->request('/free'))), '200',
       'N9 the connection goes on');

    $redis->resume;

    is(statuses($h2->replies(10, @left)), join(' ', ('200') x 20),
       'N9 the others have their answer');
    is(statuses(grep { defined } $h2->replies(0.1, @reset)), '',
       'N9 and those that were reset have none');
    is(in_progress('n9'), 0, 'N9 nothing is held');

    # 1 before, 40 on the wire, and this one
    is(9999 - $nginx->get('/redis?k=n9')->{header}{'x-remaining'}, 41,
       'N9 what was on its way is charged once');

    # the connection goes away with all its streams

    $redis->pause;
    $h2->request(('/held?k=gone') x 20);
    $nginx->until(5, sub { metric('gw_redis_inflight') >= 20 });
    undef $h2;

    ok($nginx->until(5, sub { metric($canceled) == 40 }),
       'N9 a connection that ends takes its streams along');
    $redis->resume;
}


# N9: requests that wait for their turn

{
    my $h2 = GW::HTTP2->new($http2) or die "no connection";
    my @turns = $h2->request(('/turn?k=turn') x 10);

    $h2->reset(@turns[2 .. 8]);

    my $free = $h2->request('/free');

    is(statuses($h2->replies(5, $free, @turns[0, 1, 9])),
       '200 200 200 200',
       'N9 delayed streams, some of them reset');
}


# N9: at any moment

{
    my $all = '';

    for my $n (1 .. ($ENV{GW_ROUNDS} || 200) / 5) {
        my $h2 = GW::HTTP2->new($http2) or last;
        my @streams = $h2->request(('/held?k=any') x 20);

        for my $stream (@streams[0 .. 18]) {
            sleep(rand(0.5) / 1000);
            $h2->reset($stream);
        }

        $all = statuses($h2->replies(5, $streams[19]));
        last if $all ne '200';
    }

    is($all, '200', 'N9 resets at any moment');
    ok($nginx->until(5, sub { in_progress('any') == 0 }),
       'N9 nothing is held afterwards');
}


is(join(' ', $nginx->workers), $worker, 'the worker has lived through it');
unlike($nginx->log, qr/\[(alert|crit|emerg)\]/, 'clean log');
ok($nginx->stop, 'nginx ends');

done_testing();
