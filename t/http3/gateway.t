#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_auth and gw_ratelimit over HTTP/3: tokens, limits, and requests that wait
# for Redis, for their turn or for keys and are given up meanwhile.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Backend;
use GW::HTTP3;
use GW::JOSE;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(sleep time);

my $dir = GW::tmp_dir();
my $redis = GW::Redis->new;
my $server = $redis->server;
my $port = GW::free_port();
my $listen = GW::HTTP3::listen($port);
my $hold = "$dir/hold";

GW::JOSE::spew("$dir/keys.json",
               GW::JOSE::jwks(GW::JOSE::jwk('p256', kid => 'a')));
chmod(0644, "$dir/keys.json");

# keys that come when the file is away
my $be = GW::Backend->new('/keys' => sub {
    for (1 .. 500) {
        last unless -e $hold;
        $_[0]->delay(0.02);
    }

    $_[0]->json(GW::JOSE::slurp("$dir/keys.json"));
});
my $keys = $be->port;

my $nginx = GW::Nginx->new(http => <<"END");
    gw_redis main { server $server; timeout 20s; stall_timeout 30s; }

    gw_limit_zone \$arg_k zone=day:1m rate=1r/d burst=9999 redis=main;
    gw_limit_zone \$arg_k zone=turn:1m rate=20r/s burst=100;
    gw_limit_zone \$gw_consumer zone=consumer:1m rate=2r/d burst=1;
    gw_concurrency_zone \$arg_k zone=now:1m;

    http3_max_concurrent_streams 256;
    add_header X-Remaining \$gw_limit_remaining always;
    add_header X-Consumer \$gw_consumer always;
    add_header X-Reason \$gw_auth_reason always;

    server {
        listen 127.0.0.1:%%PORT%%;
        $listen

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
        location = /file {
            gw_jwt api;
            gw_jwt_key_file $dir/keys.json;
            gw_limit zone=consumer nodelay;
            empty_gif;
        }
        location = /asked {
            gw_concurrency zone=now limit=1000 phase=preaccess;
            gw_jwt api;
            gw_jwt_key_request /keys;
            empty_gif;
        }
        location = /keys {
            internal;
            proxy_pass http://127.0.0.1:$keys/keys;
        }
    }
END

$nginx->get('/free');

my ($worker) = $nginx->workers;
my $canceled = 'gw_redis_commands_total{name="main",result="canceled"}';
my $token = GW::JOSE::jwt('ES256', 'p256', { sub => 'alice' }, kid => 'a');
my $h3 = connection();


sub connection {
    return GW::HTTP3->new($port) || die "no HTTP/3 connection";
}


sub statuses {
    return join(' ', map { defined $_ ? $_->{status} : '-' } @_);
}


sub with {
    my ($path, $token) = @_;

    return [GET => $path, undef, authorization => "Bearer $token"];
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


# === tokens

{
    my ($reply) = $h3->replies(5, $h3->request(with('/file', $token)));

    is($reply->{status}, 200, 'a token over HTTP/3');
    is($reply->{header}{'x-consumer'}, 'alice', 'its consumer');

    is(statuses($h3->replies(5, map { scalar $h3->request($_) }
                                    (with('/file', $token)) x 2)),
       '200 429', 'the limit of a consumer over HTTP/3');

    ($reply) = $h3->replies(5, $h3->request('/file'));

    is($reply->{status}, 401, 'no token over HTTP/3');
    is($reply->{header}{'www-authenticate'}, 'Bearer realm="api"',
       'it is asked for');

    (my $bad = $token) =~ s/\.([A-Za-z0-9_-])([^.]*)\z/.x$2/;
    $bad = "$token.x" if $bad eq $token;

    ($reply) = $h3->replies(5, $h3->request(with('/file', $bad)));
    is($reply->{status}, 401, 'a bad token over HTTP/3');
}


# === N9: Redis stands still

for my $how (qw(stop cancel)) {
    my ($before) = $h3->replies(5, $h3->request("/redis?k=$how"));
    my $gone = metric($canceled);

    is(statuses($before), '200', "N9 $how before");

    $redis->pause;

    my @waiting = $h3->request(("/held?k=$how") x 40);
    my $free = $h3->request('/free');

    is(statuses($h3->replies(5, $free)), '200',
       "N9 $how: streams that wait do not stop another one");
    ok($nginx->until(5, sub { metric('gw_redis_inflight') >= 40 }),
       "N9 $how: all of them wait");

    my @reset = @waiting[grep { $_ % 2 } 0 .. $#waiting];
    my @left = @waiting[grep { !($_ % 2) } 0 .. $#waiting];

    $h3->$how(@reset);

    ok($nginx->until(5, sub { metric($canceled) == $gone + 20 }),
       "N9 $how: those that are given up are gone at once");
    is(statuses($h3->replies(5, $h3->request('/free'))), '200',
       "N9 $how: the connection goes on");

    $redis->resume;

    is(statuses($h3->replies(10, @left)), join(' ', ('200') x 20),
       "N9 $how: the others have their answer");
    is(in_progress($how), 0, "N9 $how: nothing is held");

    # 1 before, 40 on the wire, and this one
    is(9999 - $nginx->get("/redis?k=$how")->{header}{'x-remaining'}, 41,
       "N9 $how: what was on its way is charged once");
}

{
    my $gone = metric($canceled);

    $redis->pause;
    $h3->request(('/held?k=gone') x 20);
    $nginx->until(5, sub { metric('gw_redis_inflight') >= 20 });
    $h3->close;

    ok($nginx->until(5, sub { metric($canceled) == $gone + 20 }),
       'N9 a connection that ends takes its streams along');
    $redis->resume;
}


# === N9: requests that wait for their turn

for my $how (qw(stop cancel)) {
    $h3 = connection();

    my @turns = $h3->request(("/turn?k=$how") x 10);

    $h3->$how(@turns[2 .. 8]);

    my $free = $h3->request('/free');

    is(statuses($h3->replies(5, $free, @turns[0, 1, 9])),
       '200 200 200 200', "N9 $how: delayed streams");
}


# === requests that wait for keys: the first one fetches them for all

{
    GW::JOSE::spew($hold, '');

    my @waiting = map { scalar $h3->request(with('/asked?k=keys', $token)) }
                      1 .. 6;

    ok($nginx->until(5, sub { in_progress('keys') == 6 }),
       'tokens wait for keys');
    $h3->stop(@waiting[1, 2]);
    $h3->cancel(@waiting[3, 4]);
    ok($nginx->until(5, sub { in_progress('keys') == 2 }),
       'those that are given up are gone at once');

    unlink($hold);
    is(statuses($h3->replies(5, @waiting[0, 5])), '200 200',
       'the others have their answer');
    is(in_progress('keys'), 0, 'nothing is held');
}


# === N9: at any moment

{
    my $all = '';
    my @how = qw(stop cancel);

    for my $n (1 .. ($ENV{GW_ROUNDS} || 200) / 10) {
        $h3 = connection();

        my @streams = $h3->request(('/held?k=any') x 20);

        for my $stream (@streams[0 .. 18]) {
            my $how = $how[rand(@how)];

            sleep(rand(0.5) / 1000);
            $h3->$how($stream);
        }

        $all = statuses($h3->replies(5, $streams[19]));
        last if $all ne '200';
    }

    is($all, '200', 'N9 resets at any moment');
    ok($nginx->until(5, sub { in_progress('any') == 0 }),
       'N9 nothing is held afterwards');
}


$h3->close;
is(join(' ', $nginx->workers), $worker, 'the worker has lived through it');
unlike($nginx->log, qr/\[(alert|crit|emerg)\]/, 'clean log');
ok($nginx->stop, 'nginx ends');

done_testing();
