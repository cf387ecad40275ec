#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# How many requests pass under overload.  The load is a few times
# the rate, and the machine need not be idle.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Nginx;
use GW::Redis;
use IO::Socket::INET;
use POSIX qw(_exit);
use Test::More;
use Time::HiRes qw(sleep time);

my $redis = GW::Redis->new;
my $server = $redis->server;

my $http = <<"END";
    gw_redis main { server $server; timeout 5s; stall_timeout 10s; }
    gw_limit_zone \$arg_k zone=a1:1m rate=100r/s burst=20;
    gw_limit_zone \$arg_k zone=a2:1m rate=100r/s burst=20 redis=main;
    gw_limit_zone \$arg_k zone=a8:1m rate=10000r/s burst=10;

    limit_req_zone \$arg_k zone=lr:1m rate=10000r/s;
    limit_req_status 429;
    gw_limit_headers off;
    gw_limit_body off;
    gw_limit_log_level info;
    log_format passes "\$msec";
    map \$status \$passed { 200 1; default 0; }

    server {
        listen 127.0.0.1:%%PORT%%;
        keepalive_requests 10000000;
        error_log %%DIR%%/logs/error.log error;
        access_log %%DIR%%/logs/passes.log passes if=\$passed;

        location /a1 { gw_limit zone=a1 nodelay; empty_gif; }
        location /a2 { gw_limit zone=a2 nodelay; empty_gif; }
        location /a8 { access_log off; gw_limit zone=a8 nodelay; empty_gif; }
        location /lr {
            access_log off;
            limit_req zone=lr burst=10 nodelay;
            empty_gif;
        }
        location = /up {
            access_log off;
            add_header X-Up \$gw_redis_state_main;
            empty_gif;
        }
    }
END

my @nginx = map { GW::Nginx->new(workers => $_, http => $http) } 2, 2, 1, 1;

for my $nginx (@nginx) {
    ok($nginx->until(5, sub { $nginx->get('/up')->{header}{'x-up'} eq 'up' }),
       'Redis is up');
}

# four clients each

overload('A1', '/a1', 4, ($nginx[0]) x 4);
overload('A2', '/a2', 4, @nginx);
microseconds();

done_testing();


# sends batches of requests on one connection for a while; returns how many
# were answered

sub pump {
    my ($port, $path, $seconds, $batch, $pause) = @_;

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $port) or die;
    my $start = time();
    my $all = 0;

    while (time() < $start + $seconds) {
        burst($sock, $path, $batch);
        $all += $batch;
        sleep($pause);
    }

    return $all;
}


# sends requests at once; returns how many passed, and the time until the last
# reply

sub burst {
    my ($sock, $path, $count) = @_;

    my $text = "GET $path HTTP/1.1\r\nHost: x\r\n\r\n" x $count;
    my ($passed, $left, $in) = (0, $count, '');
    my $start = time();

    syswrite($sock, $text) == length($text) or die 'short write';

    while ($left > 0) {
        sysread($sock, $in, 1 << 20, length($in)) or die 'closed';

        # a status line may be cut in two; a body left here does no harm
        while ($in =~ s{\A.*?HTTP/1\.1 (\d\d\d) }{}s) {
            $passed++ if $1 == 200;
            $left--;
        }
    }

    # the rest of the last reply is dropped, it has no status line
    return ($passed, time() - $start);
}


# A1, A2: several times the rate from the clients, one of each target

sub overload {
    my ($row, $path, $seconds, @targets) = @_;

    my $log = sub { "$_[0]->{dir}/logs/passes.log" };
    my %hosts = map { ($_ => $_) } @targets;
    my @hosts = values %hosts;

    truncate($log->($_), 0) for @hosts;

    my $start = time();
    my @clients;

    for my $nginx (@targets) {
        my $pid = fork();

        if ($pid == 0) {
            my $all = pump($nginx->{port}, "$path?k=$row", $seconds, 5,
                           0.008);
            _exit($all > 150 * $seconds ? 0 : 1);
        }

        push(@clients, $pid);
    }

    my $busy = 0;

    for my $pid (@clients) {
        waitpid($pid, 0);
        $busy++ if $? == 0;
    }

    my $span = time() - $start;

    is($busy, scalar(@clients), "$row the load is above the rate");

    my @times;

    for my $nginx (@hosts) {
        open(my $fh, '<', $log->($nginx)) or die;
        push(@times, map { 0 + $_ } <$fh>);
    }

    @times = sort { $a <=> $b } @times;

    my $total = @times;
    my $ideal = 21 + 100 * ($times[-1] - $times[0]);

    cmp_ok($total, '<=', $ideal + 1, "$row $total passed, not more than "
           . sprintf('%.1f', $ideal));
    cmp_ok($total, '>=', 21 + 100 * $span - 25, "$row and hardly less");

    # any second: times are in milliseconds

    my ($most, $i) = (0, 0);

    for my $j (0 .. $#times) {
        $i++ while $times[$j] - $times[$i] > 0.9985;
        $most = $j - $i + 1 if $j - $i + 1 > $most;
    }

    cmp_ok($most, '<=', 121 + 1, "$row $most in the busiest second");
}


# A8: nginx reads its clock once in a turn of the event loop.  Requests that
# arrive together are handled in one turn, and by that clock, which limit_req
# uses, only the bucket of one millisecond passes.

sub microseconds {
    my ($high, $more, $shown) = (0, 0, '');

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $nginx[0]{port}) or die;

    for (1 .. 20) {
        sleep(0.01);

        my ($other) = burst($sock, '/lr?k=1', 1500);
        my ($passed, $time) = burst($sock, '/a8?k=1', 1500);

        $high++ if $passed > 12 + 10000 * $time;
        $more++ if $passed >= 20 && $passed > $other;
        $shown = "$passed, limit_req $other";
    }

    is($high, 0, 'A8 never above the rate');
    cmp_ok($more, '>=', 10, "A8 between two ticks of the clock ($shown)");
}
