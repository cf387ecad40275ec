#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# A10: exactly the quota in each period, across the change of a period, which
# is that of a minute: it takes up to one.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Nginx;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $nginx = GW::Nginx->new(workers => 2, http => <<'END');
    log_format period '$time_iso8601 $status $uri';
    access_log logs/period.log period;

    gw_quota_zone $arg_k zone=minute:1m quota=100 period=minute;
    gw_quota_zone $arg_k zone=carry:1m quota=100 carry=10 period=minute;

    server {
        listen 127.0.0.1:%%PORT%%;
        location /minute { gw_quota zone=minute; empty_gif; }
        location /carry { gw_quota zone=carry; empty_gif; }
        location /some { gw_quota zone=carry cost=95; empty_gif; }
    }
END

# a minute that has just begun has no time before it

sleep(5) if time() % 60 > 56;
$nginx->get('/some?k=1');
sleep(58.5 - time() + int(time() / 60) * 60);

my @pids = map {
    my $pid = fork();
    if ($pid == 0) {
        my $client = GW::Client->new($nginx->{port});
        my $end = time() + 4;

        while (time() < $end) {
            $client->get('/minute?k=1');
            $client->get('/carry?k=1');
            # half of the quota before the change, and more of them after
            sleep(0.01);
            $client = GW::Client->new($nginx->{port}) if rand() < 0.02;
        }

        POSIX::_exit(0);
    }
    $pid;
} 1 .. 4;

waitpid($_, 0) for @pids;

open(my $fh, '<', "$nginx->{dir}/logs/period.log") or die;
my (%passed, %rejected);

while (<$fh>) {
    my ($minute, $status, $uri) = m{^\S+T\d\d:(\d\d):\S+ (\d+) /(\w+)} or next;
    next if $uri eq 'some';
    ($status == 200 ? \%passed : \%rejected)->{"$uri $minute"}++;
}

my @minutes = sort keys %passed;

is(scalar(grep { /^minute/ } @minutes), 2, 'A10 two periods');
is($passed{$_}, 100, "A10 exactly the quota: $_") for grep { /^minute/ } @minutes;
is(scalar(grep { /^minute/ } keys %rejected), 2, 'A10 and more was asked for');

my @carried = map { $passed{$_} } grep { /^carry/ } @minutes;
is_deeply([ sort { $a <=> $b } @carried ], [ 5, 100 ],
          'A10 all was used, nothing is carried over');

unlike($nginx->log, qr/\[(alert|crit|emerg)\]/, 'clean log');
$nginx->stop;

done_testing();
