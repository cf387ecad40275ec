#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Quotas of several hosts, which are several nginx here, in one Redis: races,
# ends of periods, and clocks that are wrong.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Clock;
use GW::Nginx;
use GW::Redis;
use POSIX qw(strftime WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

my $clock = GW::Clock->new;
my $redis = $clock->run(sub { GW::Redis->new });


sub http {
    my $server = $redis->server;

    return <<"END";
    gw_redis main { server $server; timeout 500ms; }

    gw_quota_zone \$arg_k zone=month:1m quota=1000 period=month redis=main;
    gw_quota_zone \$arg_k zone=hour:1m quota=5 period=hour redis=main;
    gw_quota_zone \$arg_k zone=minute:1m quota=3 period=minute redis=main;
    gw_quota_zone \$arg_k zone=use:1m quota=3 period=1m redis=main;
    gw_limit_zone \$arg_k zone=rate:1m rate=1r/s burst=4 redis=main;
    gw_limit_zone \$arg_k zone=shm:1m rate=1r/m;

    server {
        listen 127.0.0.1:%%PORT%%;
        keepalive_requests 1000000;
        add_header X-Q "\$gw_quota_status \$gw_quota_used \$gw_quota_remaining" always;
        add_header X-R "\$gw_quota_reset" always;
        add_header X-L "\$gw_limit_status" always;
        add_header X-Redis "\$gw_redis_state_main" always;

        location /month { gw_quota zone=month; empty_gif; }
        location /hour { gw_quota zone=hour; empty_gif; }
        location /minute { gw_quota zone=minute; empty_gif; }
        location /use { gw_quota zone=use; empty_gif; }
        location /both { gw_limit zone=rate nodelay; gw_quota zone=hour;
            empty_gif; }
        location /rate { gw_limit zone=rate nodelay; empty_gif; }
        location /shm { gw_limit zone=shm; empty_gif; }
        location = /m { gw_metrics prometheus; }
    }
END
}


# one host has a clock of its own

my $own = GW::Clock->new;
my @hosts = (
    (map { GW::Nginx->new(workers => 2, http => http()) } 1 .. 2),
    $own->run(sub { GW::Nginx->new(workers => 1, http => http()) }),
);

for my $host (@hosts) {
    ok($host->until(3, sub {
        $host->get('/m')->{header}{'x-redis'} eq 'up' }), 'Redis is up');
}

race();
host_clock();
skew();
redis_clock();

for my $host (@hosts) {
    is(scalar(() = $host->log =~ /^.*\[(?:alert|crit|emerg)\].*$/mg), 0,
       'nothing bad is logged');
    unlike($host->get('/m')->{body}, qr/result="fallback_/,
           'all was decided by Redis');
    $host->stop;
}

done_testing();


sub reply {
    my ($host, $path) = @_;

    my $reply = $host->get($path);

    return "$reply->{status} " . ($reply->{header}{'x-q'} || '');
}


sub used {
    my ($zone, $key, $format, $time) = @_;

    return $redis->command('GET', "gw:1:q:$zone:{$key}:"
                                  . strftime($format, gmtime($time))) || 0;
}


# until the end of a period, and on from there

sub race {
    $clock->set(1793491200 - 600);              # 2026-11-01, 10 minutes before

    my $stop = GW::tmp_dir() . '/stop';

    my @pids = map {
        my $host = $_;
        my $pid = fork();

        if ($pid == 0) {
            my $client = GW::Client->new($host->{port});
            my %n;

            until (-e $stop) {
                $n{$client->get('/month?k=x')->{status}}++;
            }

            open(my $fh, '>', "$stop.$$");
            print $fh join(' ', map { $n{$_} || 0 } 200, 429), "\n";
            close($fh);

            POSIX::_exit(scalar(grep { !/^(200|429)$/ } keys %n));
        }

        $pid;
    } @hosts, @hosts;

    ok($hosts[0]->until(30, sub { used('month', 'x', '%Y-%m',
                                       1793491200 - 1) >= 1000 }),
       'A10 a month is used up');
    sleep(0.3);

    $clock->set(1793491200 - 0.1);

    ok($hosts[0]->until(30, sub { used('month', 'x', '%Y-%m', 1793491200)
                                  >= 1000 }),
       'A10 the next one, too');
    sleep(0.3);

    open(my $fh, '>', $stop);
    close($fh);

    my ($passed, $rejected, $bad) = (0, 0, 0);

    for my $pid (@pids) {
        waitpid($pid, 0);
        $bad += $? >> 8;
        open(my $fh, '<', "$stop.$pid") or next;
        my ($yes, $no) = split(' ', <$fh>);
        $passed += $yes;
        $rejected += $no;
    }

    is($passed, 2000, "A10 exactly two quotas passed, $rejected rejected");
    is($bad, 0, 'A10 and nothing else');
    is(used('month', 'x', '%Y-%m', 1793491200 - 1), 1000,
       'A10 1000 are of the first month');
    is(used('month', 'x', '%Y-%m', 1793491200), 1000,
       'A10 1000 of the second one');
}


# the clock of a host is set

sub host_clock {
    my $host = $hosts[2];
    my $now = 1793491200 + 1800;                # half past

    $clock->set($now);
    $own->set($now);

    is(reply($host, '/hour?k=n15'), '200 OK 1 4', 'N15 a clock that is right');
    is($host->get('/shm?k=n15')->{header}{'x-l'}, 'PASSED',
       'N15 a limit in shared memory');

    for my $hour (1, -1, 24 * 40) {
        $own->set($clock->time + $hour * 3600);
        sleep(0.1);

        my $reply = $host->get("/hour?k=n15");
        is($reply->{status}, 200, "N15 set by $hour hours");
        cmp_ok(abs($reply->{header}{'x-r'} - 1800), '<', 10,
               'N15 the period ends when it does');
        cmp_ok(abs(($reply->{header}{ratelimit} =~ /t=(\d+)/)[0] - 1800), '<',
               10, 'N15 so is the client told');
        is(reply($host, '/shm?k=n15'), '429 ',
           'N15 nothing happens to the limit in shared memory');
    }

    is(used('hour', 'n15', '%Y-%m-%dT%H', $now), 4, 'N15 all of one hour');
    is($host->get('/both?k=n15')->{status}, 200, 'N15 the fifth one');

    my $reply = $host->get('/both?k=n15');
    is($reply->{status}, 429, 'N15 rejected');
    cmp_ok(abs($reply->{header}{'retry-after'} - 1800), '<', 10,
           'N15 until the end of the hour');
    is(scalar(@{$redis->command('KEYS', 'gw:1:q:hour:{n15}*')}), 1,
       'N15 there is no other hour');
}


# hosts that do not agree

sub skew {
    my $minute = 1793491200 + 7200;

    $clock->set($minute + 3);

    my $names = sub { strftime('%Y-%m-%dT%H:%M', gmtime($_[0])) };

    for my $ahead (-10, 10) {
        $own->set($clock->time + $ahead);
        sleep(0.1);

        is(reply($hosts[2], '/minute?k=n16' . $ahead), '200 OK 1 2',
           "N16 a host that is $ahead s off");
        is(reply($hosts[0], '/minute?k=n16' . $ahead), '200 OK 2 1',
           'N16 has the period of the others');
        is($redis->command('GET', "gw:1:q:minute:{n16$ahead}:"
                                  . $names->($minute)), 2,
           'N16 which is that of Redis');
    }

    # near its end, with what it has learned

    $clock->set($minute + 57);
    my @got = map { reply($hosts[$_ % 3], '/minute?k=edge') } 1 .. 5;

    $clock->set($minute + 59.9);
    my $more = 3;

    while ($more) {
        push(@got, reply($hosts[$_], '/minute?k=edge')) for 0 .. 2;
        $more-- if $clock->time > $minute + 60.1;
    }

    is(scalar(grep { /^200 / } @got), 6, 'N16 the quota of two periods');
    is($redis->command('GET', 'gw:1:q:minute:{edge}:' . $names->($_)), 3,
       'N16 of each of them') for $minute, $minute + 60;
}


# Redis has another clock

sub redis_clock {
    my $minute = 1793491200 + 10000 * 60;

    $clock->set($minute + 5);
    $own->set($minute + 5);

    is(reply($hosts[0], '/minute?k=n17'), '200 OK 1 2', 'N17 a minute');
    $hosts[0]->get('/rate?k=n17') for 1 .. 5;
    is($hosts[0]->get('/rate?k=n17')->{status}, 429, 'N17 a limit');
    is(reply($hosts[1], '/use?k=n17'), '200 OK 1 2', 'N17 from the first use');
    is(reply($hosts[1], '/use?k=n17'), '200 OK 2 1', 'N17 goes on');

    $clock->add(-30);

    is(reply($hosts[0], '/minute?k=n17'), '200 OK 1 2',
       'N17 30 s back: the minute of that clock');
    is(reply($hosts[0], '/minute?k=n17'), '200 OK 2 1', 'N17 is counted');
    is(reply($hosts[1], '/use?k=n17'), '200 OK 3 0',
       'N17 a period from the first use does not end');
    is(reply($hosts[2], '/use?k=n17'), '429 EXCEEDED 3 0',
       'N17 nor begin again');

    # 4.9 s are the whole bucket

    ok($hosts[0]->until(6, sub {
        $hosts[0]->get('/rate?k=n17')->{status} == 200 }),
       'N17 a limit is locked for one bucket at most');

    $clock->add(30);

    is(reply($hosts[2], '/minute?k=n17'), '200 OK 2 1',
       'N17 and back again, nothing is forgotten');
    $clock->add(60);
    is(reply($hosts[1], '/use?k=n17'), '200 OK 1 2', 'N17 and it ends');
}
