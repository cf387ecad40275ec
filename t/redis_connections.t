#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# "connections" and "commands" of gw_redis.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(sleep time);


sub http {
    my ($redis, $more) = @_;

    my $server = $redis->server;

    return <<"END";
    gw_limit_deny_cache 0;
    gw_node_id edge;

    gw_redis main {
        server $server;
        timeout 500ms;
        stall_timeout 1s;
        fail_timeout 200ms;
        $more
    }

    map \$gw_quota_status \$quota { volatile; '' ''; default " \$gw_quota_status"; }
    gw_limit_zone \$arg_k zone=l:1m rate=1000r/d burst=999 redis=main;
    gw_limit_zone \$arg_k zone=g:1m rate=1r/d burst=99 redis=main;
    gw_quota_zone \$arg_k zone=q:1m quota=1000 period=year redis=main;
    gw_concurrency_zone \$arg_k zone=c:1m redis=main;

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Limit "\$gw_limit_status \$gw_limit_source \$gw_limit_remaining\$quota" always;
        add_header X-Redis \$gw_redis_state_main always;

        location /l { gw_limit zone=l nodelay; empty_gif; }
        location /g { gw_limit zone=g nodelay cost=5 final_cost=1; empty_gif; }
        location /q { gw_limit zone=l nodelay; gw_quota zone=q;
                      gw_concurrency zone=c limit=5; empty_gif; }
        location = /m { gw_metrics prometheus; }
    }
END
}


# R28: workers times connections, with those that a reload leaves

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(workers => 2,
                               http => http($redis, 'connections 3;'));

    ok($nginx->until(5, sub { names($redis) == 6 }),
       'R28 three connections of each of two workers');

    $redis->command('CONFIG', 'RESETSTAT');
    is(join(' ', map { $nginx->get('/l?k=a')->{status} } 1 .. 60),
       join(' ', (200) x 60), 'decisions over all of them');

    cmp_ok(calls($redis), '>=', 3,
           'of at least one of the workers, each has some');
    is($nginx->get('/l?k=a')->{header}{'x-limit'}, 'PASSED redis 939',
       'and one limit');
    is(metric($nginx, 'gw_redis_inflight{name="main"}'), 0, 'none is lost');
    ok($nginx->until(3, sub {
        metric($nginx, 'gw_redis_commands_total{name="main",result="reply"}')
        >= 61
    }), 'the metrics have all');

    # R19: one of them is cut, again and again, when the last one is back: all
    # three of a worker would be too many

    my $bad = 0;

    for my $round (1 .. 5) {
        $nginx->until(5, sub { names($redis) == 6 });

        my ($id) = $redis->command('CLIENT', 'LIST')
                   =~ /^id=(\d+) .* name=gw:edge:/m;
        $redis->command('CLIENT', 'KILL', 'ID', $id);

        for (1 .. 6) {
            my $r = $nginx->get('/l?k=b');
            $bad++ if $r->{status} != 200;
            $bad++ if $r->{header}{'x-redis'} ne 'up';
        }
    }

    is($bad, 0, 'R19 the others serve when one is cut');

    ok($nginx->reload, 'N1 a reload');
    ok($nginx->until(5, sub { names($redis) == 6 }),
       'N1 leaves no connection behind');

    # R2, R3

    $redis->kill;
    $nginx->until(5, sub { state($nginx) eq 'down' });
    is($nginx->get('/l?k=c')->{header}{'x-limit'},
       'FALLBACK_PASSED fallback 999', 'R2 without Redis');
    $redis->start;
    ok($nginx->until(5, sub { names($redis) == 6 }), 'R3 all are back');
    ok($nginx->until(5, sub {
        $nginx->get('/l?k=c')->{header}{'x-limit'} =~ /^PASSED redis/
    }), 'R3 and decide');
    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'clean log');
}


# scripts as text

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis, 'commands eval;'));

    ok($nginx->until(5, sub { state($nginx) eq 'up' }), 'eval: up');
    is($nginx->get('/l?k=a')->{header}{'x-limit'}, 'PASSED redis 999',
       'eval: a limit');
    is($nginx->get('/q?k=a')->{header}{'x-limit'}, 'PASSED redis 998 OK',
       'eval: a quota, and requests in progress');
    is($nginx->get('/g?k=a')->{header}{'x-limit'}, 'PASSED redis 95',
       'eval: a cost');
    ok($nginx->until(3, sub {
        metric($nginx, 'gw_limit_adjusted_units_total{policy="g",result="given"}')
        == 4
    }), 'eval: units are given back');

    is(($redis->stat('evalsha'))[0], 0, 'eval: no digest is sent');
    cmp_ok(($redis->stat('eval'))[0], '>=', 5, 'eval: texts are');
    is(($redis->stat('script|load'))[0] + ($redis->stat('script'))[0], 0,
       'eval: nothing is loaded');
    unlike($nginx->log, qr/\[(?:alert|crit|emerg|error)\]/, 'eval: clean log');
}

done_testing();


sub state {
    return $_[0]->get('/l?k=x')->{header}{'x-redis'};
}


# connections of the gateway that are ready

sub names {
    my ($redis) = @_;

    my $list = $redis->command('CLIENT', 'LIST');
    my $n = () = $list =~ / name=gw:edge:/g;

    return $n;
}


# connections of it whose last command was a decision

sub calls {
    my ($redis) = @_;

    my $list = $redis->command('CLIENT', 'LIST');
    my $n = () = $list =~ / name=gw:edge:.* cmd=evalsha /g;

    return $n;
}


sub metric {
    my ($nginx, $name) = @_;

    return $nginx->get('/m')->{body} =~ /^\Q$name\E (\d+)$/m ? $1 : -1;
}
