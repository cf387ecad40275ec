#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# R26: a Redis by a name that changes, ends and is slow to be told.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::DNS;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(sleep time);


sub http {
    my ($dns, $port, $more) = @_;

    my $server = $dns->server;

    $more = 'timeout 8s; stall_timeout 9s;' unless defined $more;

    # the resolver stands behind the block that needs it

    return <<"END";
    gw_redis main {
        server redis.gw.test:$port resolve;
        $more
    }

    resolver $server ipv6=off;
    resolver_timeout 2s;

    gw_limit_zone \$arg_k zone=one:1m rate=1r/d burst=9998 redis=main;

    add_header X-Status \$gw_limit_status always;
    add_header X-Source \$gw_limit_source always;
    add_header X-State \$gw_redis_state_main always;

    server {
        listen 127.0.0.1:%%PORT%%;

        location = /one { gw_limit zone=one nodelay; empty_gif; }
        location = /state { empty_gif; }
        location = /metrics { gw_metrics prometheus; }
    }
END
}


sub fate {
    my ($reply) = @_;

    return join(' ', $reply->{status},
                map { defined $_ ? $_ : '-' }
                    @{$reply->{header}}{qw(x-status x-source)});
}


sub state {
    my ($nginx) = @_;

    return $nginx->get('/state')->{header}{'x-state'} || '';
}


sub connects {
    my ($nginx) = @_;

    return $nginx->get('/metrics')->{body}
               =~ /^gw_redis_connects_total\S* (\S+)$/m ? $1 : -1;
}


# requests until a redis has seen one of them; how many were sent, and the
# fates other than the usual one

sub move {
    my ($nginx, $redis, $key) = @_;

    my ($n, %odd) = (0);

    for (1 .. 400) {
        my $fate = fate($nginx->get("/one?k=$key"));

        $n++;
        $odd{$fate}++ if $fate ne '200 PASSED redis';
        last if defined $redis->command('GET', "gw:1:l:one:{$key}");
        sleep(0.02);
    }

    return ($n, join(', ', map { "$odd{$_} $_" } sort keys %odd));
}


my $passed = '200 PASSED redis';
my $fallback = '200 FALLBACK_PASSED fallback';

my $port = GW::free_port();
my $one = GW::Redis->new(port => $port);
my $two = GW::Redis->new(port => $port, host => '127.0.0.2');


{
    my $dns = GW::DNS->new(addresses => [ '127.0.0.1' ]);
    my $nginx = GW::Nginx->new(http => http($dns, $port));

    is(fate($nginx->get('/one?k=first')), $passed, 'R26 a name');
    ok(defined $one->command(qw(GET gw:1:l:one:{first})),
       'R26 at its address');

    my $connects = connects($nginx);

    sleep(2.5);
    cmp_ok($dns->questions, '>=', 2, 'R26 it is asked for again');
    is(connects($nginx), $connects, 'R26 the same address, the same link');

    # another address

    $dns->say(addresses => [ '127.0.0.2' ]);

    my $start = time();
    my ($n, $odd) = move($nginx, $two, 'second');

    ok(defined $two->command(qw(GET gw:1:l:one:{second})),
       'R26 another address');
    cmp_ok(time() - $start, '<', 4, 'R26 when the time of the first is over');
    is($odd, '', "R26 each of $n requests was decided by Redis");
    like($nginx->log, qr/\[notice\].*redis\.gw\.test is at 127\.0\.0\.2:/,
         'R26 it is logged');
    ok($one->command(qw(CLIENT LIST)) !~ /name=gw:/,
       'R26 the old connection is closed');

    # back, with commands on their way: they are waited for

    $two->pause;

    my @pending = map { $nginx->begin('/one?k=third') } 1 .. 5;

    sleep(0.1);
    $dns->say(addresses => [ '127.0.0.1' ]);

    my $asked = $dns->questions;

    $nginx->until(4, sub { $dns->questions > $asked + 1 });
    sleep(0.2) if $dns->questions == $asked;
    $two->resume;

    my @fates = map { fate($nginx->finish($_)) } @pending;

    is("@fates", join(' ', ($passed) x 5),
       'R26 commands of the old connection have their replies');

    ($n, $odd) = move($nginx, $one, 'fourth');
    is($odd, '', 'R26 later ones go to the new address');
    is($nginx->get('/one?k=third')->{status}, 200, 'R26 and are decided');

    # no such name: the last address is good

    $dns->say(code => 3);
    sleep(2.5);

    is(fate($nginx->get('/one?k=fifth')), $passed,
       'R26 NXDOMAIN keeps the last good address');

    my @lines = $nginx->log =~ /(could not be resolved \(3: Host not found\), its last address is kept)/g;

    is(scalar(@lines), 1, 'R26 NXDOMAIN is logged once');

    $one->command(qw(CLIENT KILL TYPE normal SKIPME yes));
    sleep(0.1);
    is(fate($nginx->get('/one?k=fifth')), $passed,
       'R26 NXDOMAIN: it connects again to the last address');

    # no answer at all

    $dns->say(silent => 1);
    sleep(2.2);
    is(fate($nginx->get('/one?k=sixth')), $passed,
       'R26 a resolver that is silent keeps it too');

    my ($old) = $nginx->workers;
    my $now = time();

    $nginx->reload;
    ok($nginx->until(3, sub { !grep { $_ == $old } $nginx->workers }),
       'R26 a worker does not stay for an answer');
    cmp_ok(time() - $now, '<', 1.5, 'R26 it exits at once');

    # the new worker knows no address at all

    my $reply = $nginx->get('/one?k=sixth');

    is(fate($reply), $fallback, 'R26 without an address: the policy');
    ok($nginx->until(5, sub {
        $nginx->log =~ /is down: its name is not resolved/
    }), 'R26 without an address: it is logged');

    $dns->say(addresses => [ '127.0.0.1' ]);

    ok($nginx->until(6, sub { state($nginx) eq 'up' }),
       'R26 it is up when the name is known');
    is(fate($nginx->get('/one?k=sixth')), $passed, 'R26 and decides');
    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'R26 clean log');
}


# several addresses

{
    my $dns = GW::DNS->new(addresses => [ '127.0.0.3', '127.0.0.2' ],
                           ttl => 60);
    my $nginx = GW::Nginx->new(http => http($dns, $port));

    ok($nginx->until(4, sub { state($nginx) eq 'up' }),
       'R26 the address that does not answer is passed over');
    is(fate($nginx->get('/one?k=many')), $passed, 'R26 the next one decides');
    ok(defined $two->command(qw(GET gw:1:l:one:{many})), 'R26 it is the next');
}


# a name that takes its time

{
    my $dns = GW::DNS->new(silent => 1);
    my $nginx = GW::Nginx->new(http => http($dns, $port,
                        'timeout 20ms; connect_timeout 100ms;'));
    my @slow = grep { $_->{time} > 0.2 }
               map { $nginx->get('/one?k=slow') } 1 .. 20;

    is(scalar(@slow), 0, 'R26 no request waits for a slow resolver');

    $dns->say(addresses => [ '127.0.0.1' ]);
    ok($nginx->until(8, sub { state($nginx) eq 'up' }),
       'R26 the answer to the second question');
    ok($nginx->stop('TERM'), 'R26 a fast shutdown');
}


done_testing();
