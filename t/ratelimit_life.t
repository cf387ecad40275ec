#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Limits over the life of nginx: reloads, killed workers, clients that leave.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Nginx;
use IO::Select;
use Test::More;
use Time::HiRes qw(sleep time);

reloads();
changes();
killed();
aborts();

done_testing();


sub http {
    my (%opt) = @_;

    my $key = $opt{key} || '$arg_k';
    my $size = $opt{size} || '1m';
    my $rate = $opt{rate} || '10r/m';
    my $burst = $opt{burst} || 0;

    return <<"END";
    gw_limit_zone $key zone=a:$size rate=$rate burst=$burst;
    gw_limit_zone \$arg_k zone=slow:1m rate=2r/s burst=1000;
    gw_limit_zone \$arg_k zone=load:1m rate=1r/m burst=100000;
    gw_limit_delay_max 60;

    server {
        listen 127.0.0.1:%%PORT%%;
        location /a { gw_limit zone=a nodelay; empty_gif; }
        location /slow { gw_limit zone=slow; empty_gif; }
        location /slowpre { gw_limit zone=slow phase=preaccess; empty_gif; }
        location /load {
            gw_limit zone=load nodelay;
            add_header X-Left \$gw_limit_remaining;
            empty_gif;
        }
        location = /m { gw_metrics prometheus; }
    }
END
}


sub counter {
    my ($nginx, $policy, $result) = @_;

    my ($n) = $nginx->get('/m')->{body} =~
        /^gw_limit_requests_total\{policy="$policy",result="$result",source="shm"\} (\d+)/m;

    return defined $n ? $n : -1;
}


# N1, scaled down: light load, ten reloads

sub reloads {
    my $nginx = GW::Nginx->new(workers => 2, http => http());
    my ($sent, $bad, $reloads) = (0, 0, 0);
    my $next = time();
    my $end = time() + 6;

    while (time() < $end) {
        if (time() >= $next && $reloads < 10) {
            $nginx->reload;
            $reloads++;
            $next += 0.5;
        }

        my $reply = $nginx->get('/load?k=1');
        $sent++;
        $bad++ if $reply->{status} != 200;
        sleep(0.005);
    }

    is($bad, 0, "N1 $sent requests over $reloads reloads, none failed");

    my $left = $nginx->get('/load?k=1')->{header}{'x-left'};
    is(100001 - $left, $sent + 1, 'N1 each of them is charged');
    is(counter($nginx, 'load', 'passed'), $sent + 1,
       'N1 counters are those of all the time');

    ok($nginx->until(3, sub { $nginx->workers == 2 }),
       'N1 old workers are gone');
    unlike($nginx->log, qr/\[(alert|crit|emerg|error)\]/, 'N1 clean log');

    $nginx->stop;
}


sub changes {
    my $nginx = GW::Nginx->new(workers => 1, http => http());

    is($nginx->get('/a?k=1')->{status}, 200, 'one passes');
    is($nginx->get('/a?k=1')->{status}, 429, 'and is spent');

    my $apply = sub {
        my (%opt) = @_;
        my ($pid) = $nginx->workers;
        $nginx->configure(http(%opt));
        $nginx->reload;
        return $nginx->until(5, sub {
            my @pids = $nginx->workers;
            return @pids == 1 && $pids[0] != $pid;
        });
    };

    ok($apply->(rate => '10r/m', burst => 5), 'N3 a larger burst');
    is(join(' ', map { $nginx->get('/a?k=1')->{status} } 1 .. 6),
       '200 200 200 200 200 429', 'N3 applies at once, what was spent is');

    ok($apply->(rate => '10r/s', burst => 0), 'N3 a larger rate');
    is($nginx->get('/a?k=1')->{status}, 429, 'N3 one bucket is owed');
    sleep(0.15);
    is($nginx->get('/a?k=1')->{status}, 200,
       'N3 for as long as the new bucket is, not the old one');

    my ($pid) = $nginx->workers;
    $nginx->configure(http(key => '$arg_k$arg_j'));
    $nginx->reload;

    ok($nginx->until(3, sub { $nginx->log =~ /\[emerg\]/ }),
       'N4 another key is refused');
    like($nginx->log, qr/gw_limit_zone "a" uses the "\$arg_k\$arg_j" key while previously it used the "\$arg_k" key/,
         'N4 with a sentence');
    is(join(' ', $nginx->workers), $pid, 'N4 the old configuration runs');

    my $passed = counter($nginx, 'a', 'passed');
    ok($apply->(rate => '10r/m', size => '2m'), 'N4 another size');
    is($nginx->get('/a?k=1')->{status}, 200, 'N4 is an empty zone');
    my @said = $nginx->log =~ /\[notice\].*gw_limit_zone "a" has another size/g;
    is(scalar(@said), 1, 'N4 with one notice');
    is(counter($nginx, 'a', 'passed'), $passed + 1,
       'N4 counters are kept');

    $nginx->stop;
}


# N5: in the middle of work; a lock would be left held now and then

sub killed {
    my $nginx = GW::Nginx->new(workers => 2, http => http());
    my $client = fork();

    if ($client == 0) {
        # a process that sends as fast as it can
        $SIG{TERM} = sub { POSIX::_exit(0) };
        require POSIX;
        my $i = 0;

        for ( ;; ) {
            my $c = eval { GW::Client->new($nginx->{port}) } or next;
            for (1 .. 100) {
                $c->get('/load?k=' . $i++ % 50) or last;
            }
        }
    }

    $nginx->get('/load?k=keep') for 1 .. 10;

    my ($slow, $kills) = (0, 0);

    for my $round (1 .. 12) {
        my ($pid) = $nginx->workers;
        kill('KILL', $pid) if $pid;
        $kills++;
        sleep(0.1);

        my $start = time();
        my $reply = $nginx->get('/load?k=round' . $round);
        $slow++ if $reply->{status} != 200 || time() - $start > 5;
    }

    kill('TERM', $client);
    waitpid($client, 0);

    is($slow, 0, "N5 $kills killed workers block nobody");
    is($nginx->get('/load?k=keep')->{header}{'x-left'}, 100001 - 11,
       'N5 and lose nothing');
    cmp_ok(counter($nginx, 'load', 'passed'), '>', 20, 'N5 counters go on');
    ok($nginx->until(5, sub { $nginx->workers == 2 }), 'N5 workers are back');

    my @bad = grep { !/exited on signal 9/ }
              $nginx->log =~ /^(.*\[(?:alert|crit|emerg)\].*)$/mg;
    is(scalar(@bad), 0, 'N5 nothing else happened') or diag(@bad);

    $nginx->stop;
}


# N8

sub aborts {
    my $nginx = GW::Nginx->new(workers => 1, http => http());

    $nginx->until(5, sub { $nginx->workers == 1 });
    my ($pid) = $nginx->workers;

    for my $path ('/slow', '/slowpre') {

        for my $round (1 .. 20) {
            my @clients = map { GW::Client->new($nginx->{port}) } 1 .. 10;

            $_->send("GET $path?k=$path$round HTTP/1.1\r\nHost: x\r\n\r\n")
                for @clients;
            sleep(0.01);
            $_->reset for splice(@clients, 0, 5);
            $_->close for @clients;
        }

        # 60 may be parked: all are gone if they are free again

        my @start = map { $nginx->begin("$path?k=after$path") } 1 .. 3;
        my @status = map { $nginx->finish($_)->{status} } @start;
        is("@status", '200 200 200', "N8 $path parks again after 200 aborts");
    }

    is(join(' ', $nginx->workers), $pid, 'N8 the worker is the same');

    my @start = map { $nginx->begin("/slow?k=x") } 1 .. 2;
    sleep(0.05);
    $nginx->reload;
    my @replies = map { $nginx->finish($_) } @start;

    is(join(' ', map { $_->{status} } @replies), '200 200',
       'N8 parked requests survive a reload');
    cmp_ok($replies[1]{time}, '>', 0.4, 'N8 and wait for their time');
    ok($nginx->until(3, sub { $nginx->workers == 1 }),
       'N8 then the old worker exits');
    unlike($nginx->log, qr/\[(alert|crit|emerg)\]/, 'N8 clean log');

    my $fds = () = glob("/proc/" . ($nginx->workers)[0] . '/fd/*');
    cmp_ok($fds, '<', 25, 'N8 no descriptor is left open');

    $nginx->stop;
}
