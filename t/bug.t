#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Defects that have been fixed, a block each.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Alloc;
use GW::Backend;
use GW::Client;
use GW::JOSE;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(sleep time);

my $be = GW::Backend->new(
    '/hang' => sub { $_[0]->hang },
    '/500_hang' => sub {
        $_[0]->head(500, 'Content-Type: text/html',
                    'Transfer-Encoding: chunked');
        $_[0]->chunk('<html>');
        $_[0]->hang;
    },
    '*' => sub { $_[0]->json('{"v":"' . 'x' x 9000 . '"}') },
);
my $port = $be->port;
my $asan = GW::nginx_binary() =~ m{asan/};


# === the default of gw_node_id was the same for hosts that were cloned and
# started in the same second

{
    my @hosts = map { GW::Nginx->new(http => <<'END') } 1 .. 5;
    server {
        listen 127.0.0.1:%%PORT%%;
        location = /m { gw_metrics prometheus; }
    }
END
    my %node;

    for my $nginx (@hosts) {
        $node{$1}++ if $nginx->get('/m')->{body} =~ /^gw_info\{.*node="([^"]+)"/m;
    }

    is(scalar(keys %node), 5, 'gw_node_id: each its own name');
}


# === $gw_request_uri of a request that has none: no arithmetic on null

{
    my $nginx = GW::Nginx->new(http => <<'END');
    log_format uri '<$gw_request_uri>';
    access_log %%DIR%%/logs/uri.log uri;
    server {
        listen 127.0.0.1:%%PORT%%;
    }
END

    my $sock = $nginx->connect;
    print $sock "GET ";
    sleep(0.1);
    close($sock);

    my $log = '';

    ok($nginx->until(5, sub {
        open(my $fh, '<', "$nginx->{dir}/logs/uri.log") or return 0;
        $log = join('', <$fh>);
        return $log ne '';
    }), 'a request without a URI is logged');

    is($log, "<>\n", 'and has no URI');
    unlike($nginx->log, qr/runtime error/, 'nothing undefined');
    $nginx->stop;
}


# === no memory for the wake-up of an aggregate: it waited for ever

{
    my $alloc = GW::Alloc->new;
    my %env = $alloc->env;

    local @ENV{keys %env} = values %env;

    my $nginx = GW::Nginx->new(main => $alloc->main, http => <<"END");
    server {
        listen 127.0.0.1:%%PORT%%;
        location = /agg {
            gw_aggregate object;
            gw_aggregate_part a /nested;
            gw_aggregate_part b /p/b optional;
        }
        location = /nested {
            internal;
            gw_aggregate object;
            gw_aggregate_part x /p/x;
            gw_aggregate_part y /p/y;
        }
        location /p/ { internal; proxy_pass http://127.0.0.1:$port; }
    }
END

    # its worker has started

    is($nginx->get('/agg')->{status}, 200, 'with memory there is an answer');

    my ($points, $slow, $odd) = (0, 0, '');

    # the place at which a pool ends moves with what the client sends; with
    # sanitizers each allocation is one

    for my $pad ($asan ? 0 : map { 200 * $_ } 0 .. 20) {
        for my $n (1 .. 2000) {
            $alloc->fail($n, 4);
            my $start = time();
            my $request = $nginx->begin('/agg',
                                        header => 'X-Pad: ' . 'x' x $pad);
            my $reply = $nginx->finish($request);
            $slow++ if time() - $start > 8;
            $odd .= " $n/$pad:$reply->{status}"
                if $reply->{status} !~ /^(?:0|200|500|502)$/;

            my $count = $alloc->failed;
            $alloc->off;
            last if !$count || $slow;
            $points++;
        }
    }

    cmp_ok($points, '>', 20, 'allocations have failed');
    is($slow, 0, 'every request ends');
    is($odd, '', 'as it should');
    is($nginx->get('/agg')->{status}, 200, 'nginx works as before');
    unlike($nginx->log, qr/exited on signal/, 'and has not died');
    $nginx->stop;
}


# === a part that gw_limit delays or parks could not be stopped: its
# === connection was not free before the delay had passed

{
    my $nginx = GW::Nginx->new(http => <<"END");
    gw_limit_zone \$arg_k zone=one:1m rate=10r/m burst=5;
    server {
        listen 127.0.0.1:%%PORT%%;
        location = /agg {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /limited?k=\$arg_k optional timeout=200ms;
        }
        location = /limited {
            internal;
            gw_limit_subrequests on;
            gw_limit zone=one;
            proxy_pass http://127.0.0.1:$port;
        }
        location /p/ { internal; proxy_pass http://127.0.0.1:$port; }
    }
END

    my $client = GW::Client->new($nginx->{port});

    is($client->get('/agg?k=1')->{header}{'x-gw-completed'}, 'true',
       'a part within its limit');

    my $start = time();

    $client->send("GET /agg?k=1 HTTP/1.1\r\nHost: a\r\n\r\n"
                  . "GET /agg?k=2 HTTP/1.1\r\nHost: a\r\n\r\n");

    my @replies = ($client->read, $client->read);

    is($replies[0] && $replies[0]{header}{'x-gw-failed'}, 'b',
       'a delayed part runs into its timeout');
    is($replies[1] && $replies[1]{header}{'x-gw-completed'}, 'true',
       'the next request on the connection');
    cmp_ok(time() - $start, '<', 3, 'is not kept waiting');
    unlike($nginx->log, qr/cannot be stopped/, 'the part is stopped');
    is(scalar($be->requests('/limited')), 2,
       'and does not go to the back end any more');
    $nginx->stop;
}


# === an upstream without a configuration, its address was a bad one: crash

{
    my $nginx = GW::Nginx->new(http => <<'END');
    server {
        listen 127.0.0.1:%%PORT%%;
        location = /agg {
            gw_aggregate object;
            gw_aggregate_part a /p?to=$arg_to optional;
        }
        location = /p { internal; proxy_pass $arg_to; }
    }
END

    my $reply = $nginx->get('/agg?to=nowhere');

    cmp_ok($reply->{status}, '>=', 200, 'there is an answer');
    unlike($nginx->log, qr/exited on signal/, 'nginx has not died');
    $nginx->stop;
}


# === a zero byte behind a number in a payload was overlooked

{
    my $file = GW::tmp_dir() . '/oct.json';

    GW::JOSE::spew($file, GW::JOSE::jwk('oct32'));
    chmod(0644, $file);

    my $nginx = GW::Nginx->new(http => <<"END");
    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Reason \$gw_auth_reason always;

        location = / {
            gw_jwt api;
            gw_jwt_key_file $file;
            gw_jwt_algorithms HS256;
            empty_gif;
        }
    }
END

    for my $case (['', 200], ["\0", 401]) {
        my ($byte, $status) = @$case;

        my $token = GW::JOSE::token('HS256', 'oct32', '{"alg":"HS256"}',
                                    qq({"exp":4000000000$byte}));
        my $reply = $nginx->get('/', header => "Authorization: Bearer $token");

        is($reply->{status}, $status, 'a payload with a byte ' . ord($byte));
        is($reply->{header}{'x-reason'}, $byte eq '' ? '-' : 'json', 'its reason');
    }

    $nginx->stop;
}


# === a fallback that a quota gave back was given back again by a late answer

{
    my $redis = GW::Redis->new;
    my $server = $redis->server;

    my $nginx = GW::Nginx->new(workers => 1, http => <<"END");
    gw_redis main {
        server $server;
        timeout 50ms;
        stall_timeout 30s;
        max_fails 1;
        fail_timeout 30s;
    }
    gw_limit_zone key zone=one:1m rate=1r/h burst=2 redis=main;
    gw_quota_zone key zone=none:1m quota=0 period=day;

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Limit "\$gw_limit_status" always;
        add_header X-Redis \$gw_redis_state_main always;

        location = /quota { gw_limit zone=one nodelay; gw_quota zone=none; empty_gif; }
        location = / { gw_limit zone=one nodelay; empty_gif; }
        location = /m { gw_metrics prometheus; }
    }
END

    $nginx->until(5, sub {
        ($nginx->get('/m')->{body} =~ /^gw_redis_up\S* 1$/m) });

    $redis->pause;

    is($nginx->get('/quota')->{header}{'x-limit'}, 'FALLBACK_PASSED',
       'a late answer is due, the quota gives back');
    is($nginx->get('/')->{header}{'x-limit'}, 'FALLBACK_PASSED',
       "Redis is down, $_ of 3") for 1, 2;

    $redis->resume;

    ok($nginx->until(5, sub {
        $nginx->get('/m')->{body} =~ /^gw_redis_late_replies_total\S* [1-9]/m }),
       'the answer has come');

    is($nginx->get('/')->{header}{'x-limit'}, 'FALLBACK_PASSED', '3 of 3');
    is($nginx->get('/')->{header}{'x-limit'}, 'FALLBACK_REJECTED',
       'and no more');

    $nginx->stop;
}


# === a part that had failed by its status was waited for until its body ended

{
    my $nginx = GW::Nginx->new(http => <<"END");
    server {
        listen 127.0.0.1:%%PORT%%;

        location = /agg {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/500_hang optional timeout=5s;
        }

        location /p/ {
            internal;
            proxy_http_version 1.1;
            proxy_pass http://127.0.0.1:$port/;
        }
    }
END

    my $client = GW::Client->new($nginx->{port});
    my $reply = $client->get('/agg');

    is($reply->{header}{'x-gw-failed'}, 'b', 'a part whose error never ends');
    cmp_ok($reply->{time}, '<', 2, '... is not waited for');
    is($client->get('/agg')->{status}, 200, '... nor by the next request');
    unlike($nginx->log, qr/\[(?:alert|crit)\]/, '... and a clean log');
}


# === a gw_limit with a small burst forgot what one with a large burst admitted

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => <<"END");
    gw_redis main { server @{[$redis->server]}; timeout 500ms; }
    gw_limit_zone \$arg_k zone=here:1m rate=1r/m;
    gw_limit_zone \$arg_k zone=there:1m rate=1r/m redis=main;
    gw_limit_zone \$arg_k zone=vary:1m rate=1r/m;

    server {
        listen 127.0.0.1:%%PORT%%;

        location /here/large { gw_limit zone=here burst=4 nodelay; empty_gif; }
        location /here/small { gw_limit zone=here; empty_gif; }
        location /there/large { gw_limit zone=there burst=4 nodelay; empty_gif; }
        location /there/small { gw_limit zone=there; empty_gif; }
        location /vary/large { gw_limit zone=vary burst=\$arg_b nodelay;
            empty_gif; }
        location /vary/small { gw_limit zone=vary; empty_gif; }
    }
END

    $nginx->until(5, sub { $nginx->get('/there/small?k=up')->{status} != 200 });

    for my $zone (qw(here there vary)) {
        my @status = map { $nginx->get("/$zone/$_?k=a&b=4")->{status} }
                     ('large') x 6, 'small', ('large') x 3;

        is("@status", '200 200 200 200 200 429 429 429 429 429',
           "$zone: a small burst gives nothing back");
    }
}


# === a request too many at a time kept the units of its rate

{
    my $nginx = GW::Nginx->new(http => <<"END");
    gw_limit_zone \$arg_k zone=rate:1m rate=1r/m burst=9;
    gw_concurrency_zone \$arg_k zone=jobs:1m;

    server {
        listen 127.0.0.1:%%PORT%%;

        location / {
            gw_limit zone=rate nodelay;
            gw_concurrency zone=jobs limit=\$arg_n;
            gw_concurrency_status 503;
            add_header X-Left \$gw_limit_remaining always;
            empty_gif;
        }
    }
END

    my $client = GW::Client->new($nginx->{port});

    is($client->get('/t?k=a&n=0')->{status}, 503, 'too many at a time')
        for 1 .. 3;
    is($client->get('/t?k=a&n=1')->{header}{'x-left'}, 9,
       '... take nothing of a rate');
}


done_testing();
