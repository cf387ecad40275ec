#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Requests in progress over the life of nginx: reloads, killed workers, a zone
# that is full.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Hold;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

my $hold = GW::Hold->new;

reloads();
changes();
killed();
killed_often();
full();
single();

done_testing();


sub http {
    my (%opt) = @_;

    my $key = $opt{key} || '$arg_k';
    my $size = $opt{size} || '1m';
    my $limit = $opt{limit} || 4;

    return <<"END";
    gw_concurrency_zone $key zone=a:$size;

    server {
        listen 127.0.0.1:%%PORT%%;
        proxy_read_timeout 60s;
        add_header X-C "\$pid \$gw_concurrency_current" always;

        location /a {
            gw_concurrency zone=a limit=$limit;
            proxy_pass http://127.0.0.1:$hold->{port};
        }
        location /ping { gw_concurrency zone=a limit=1000; empty_gif; }
        location = /m { gw_metrics prometheus; }
    }
END
}


sub begin {
    my ($nginx, $path) = @_;

    return $hold->begin($nginx, $path);
}


sub current {
    my ($nginx, $key) = @_;

    my ($n) = $nginx->get("/ping?k=$key")->{header}{'x-c'} =~ /(\d+)$/;

    return $n - 1;
}


sub apply {
    my ($nginx, %opt) = @_;

    my %old = map { $_ => 1 } $nginx->workers;

    $nginx->configure(http(%opt));
    $nginx->reload;

    # old workers accept until they are told to stop

    return $nginx->until(5, sub {
        my $log = $nginx->log;
        return !grep { $log !~ / $_#\d+: gracefully shutting down/ }
                     keys %old;
    });
}


# old workers go on with what they have

sub reloads {
    my $nginx = GW::Nginx->new(workers => 2, http => http());
    my @held;

    for my $round (1 .. 4) {
        push(@held, begin($nginx, '/a?k=r'));
        ok(apply($nginx), "N1 reload $round");
        is(current($nginx, 'r'), $round, "N1 $round in progress after it");
    }

    is(begin($nginx, '/a?k=r')->{reply}{status}, 429,
       'N1 the limit is that of all workers');

    is($hold->answer(shift @held)->{status}, 200, 'N1 old workers serve');
    ok($nginx->until(3, sub { current($nginx, 'r') == 3 }), 'N1 and release');

    $hold->abort($_) for @held;
    ok($nginx->until(5, sub { $nginx->workers == 2 }),
       'N1 old workers are gone');
    is(current($nginx, 'r'), 0, 'N1 nothing is left');
    unlike($nginx->log, qr/\[(alert|crit|emerg)\]/, 'N1 clean log');

    $nginx->stop;
}


sub changes {
    my $nginx = GW::Nginx->new(workers => 1, http => http());
    my @held = map { begin($nginx, '/a?k=c') } 1 .. 3;

    ok(apply($nginx, limit => 2), 'N3 a smaller limit');
    is(begin($nginx, '/a?k=c')->{reply}{status}, 429, 'N3 holds at once');

    my @pids = $nginx->workers;
    $nginx->configure(http(key => '$arg_j'));
    $nginx->reload;
    ok($nginx->until(3, sub { $nginx->log =~ /\[emerg\]/ }),
       'N4 another key is refused');
    like($nginx->log, qr/gw_concurrency_zone "a" uses the "\$arg_j" key while previously it used the "\$arg_k" key/,
         'N4 with a sentence');
    is(join(' ', $nginx->workers), "@pids", 'N4 the old configuration runs');

    ok(apply($nginx, size => '2m'), 'N4 another size');
    is(current($nginx, 'c'), 0, 'N4 is an empty zone');
    my @said = $nginx->log =~ /\[notice\].*gw_concurrency_zone "a" has another size/g;
    is(scalar(@said), 1, 'N4 with one notice');
    $hold->abort($_) for @held;
    is(current($nginx, 'c'), 0, 'N4 which old workers do not touch');
    like($nginx->get('/m')->{body},
         qr/^gw_concurrency_requests_total\{policy="a",result="passed"\} [3-9]/m,
         'N4 counters are kept');

    $nginx->stop;
}


# N5: what a killed worker held is free at once

sub killed {
    my $nginx = GW::Nginx->new(workers => 2, http => http());
    my @held = map { begin($nginx, '/a?k=k') } 1 .. 4;

    is(begin($nginx, '/a?k=k')->{reply}{status}, 429, 'N5 four in progress');

    kill('KILL', $nginx->workers);
    my $start = time();

    my $free;
    ok($nginx->until(2, sub {
        $free = eval { begin($nginx, '/a?k=k') };
        return $free && $free->{held};
    }), 'N5 kill -9: the slots are free within 2 s');
    diag(sprintf('free after %.0f ms', 1000 * (time() - $start)));

    $nginx->until(2, sub { $nginx->workers == 2 });
    # whether a process lives is asked once a second
    ok($nginx->until(2, sub { current($nginx, 'k') == 1 }),
       'N5 all of them within 2 s');
    like($nginx->get('/m')->{body},
         qr/^gw_concurrency_in_progress\{policy="a"\} 1$/m, 'N5 in the metrics');
    close($_->{sock}) for @held;
    $hold->abort($free);

    # an old worker: nobody takes its place

    @held = map { begin($nginx, '/a?k=old') } 1 .. 4;
    my @old = $nginx->workers;
    ok(apply($nginx), 'N5 reload');
    is(current($nginx, 'old'), 4, 'N5 held by old workers');

    kill('KILL', @old);

    ok($nginx->until(2, sub { current($nginx, 'old') == 0 }),
       'N5 kill -9 of old workers: their slots are free within 2 s');
    close($_->{sock}) for @held;

    my @bad = grep { !/exited on signal 9/ }
              $nginx->log =~ /^(.*\[(?:alert|crit|emerg)\].*)$/mg;
    is(scalar(@bad), 0, 'N5 nothing else happened') or diag(@bad);

    $nginx->stop;
}


# N5: in the middle of work; a lock would be left held now and then

sub killed_often {
    my $nginx = GW::Nginx->new(workers => 2, http => http(limit => 100));
    my $client = fork();

    if ($client == 0) {
        require POSIX;
        require GW::Client;
        $SIG{TERM} = sub { POSIX::_exit(0) };
        my $i = 0;

        for ( ;; ) {
            my $c = eval { GW::Client->new($nginx->{port}) } or next;
            for (1 .. 100) {
                $c->get('/ping?k=' . $i++ % 50) or last;
            }
        }
    }

    my ($slow, $kills) = (0, 0);

    for my $round (1 .. 12) {
        my ($pid) = $nginx->workers;
        kill('KILL', $pid) if $pid;
        $kills++;
        sleep(0.1);

        my $start = time();
        my $reply = $nginx->get('/ping?k=round' . $round);
        $slow++ if $reply->{status} != 200 || time() - $start > 5;
    }

    kill('TERM', $client);
    waitpid($client, 0);

    is($slow, 0, "N5 $kills killed workers block nobody");
    ok($nginx->until(3, sub {
        return $nginx->get('/m')->{body}
               =~ /^gw_concurrency_in_progress\{policy="a"\} 0$/m;
    }), 'N5 and leave nothing');
    is(scalar(grep { current($nginx, $_) } 0 .. 49), 0, 'N5 of any key');

    $nginx->stop;
}


# K5: more keys in progress than the zone has place for

sub full {
    my $nginx = GW::Nginx->new(workers => 1, http => http(size => '32k'));
    my ($slots) = $nginx->get('/m')->{body} =~ /^gw_zone_slots\{zone="a"\} (\d+)/m;
    cmp_ok($slots, '>', 50, "a zone of 32k has $slots slots");

    my $bad = 0;
    for my $i (1 .. 2 * $slots) {
        $bad++ if $nginx->get("/ping?k=$i")->{status} != 200;
    }
    is($bad, 0, 'K5 keys that have nothing in progress make room');
    like($nginx->get('/m')->{body}, qr/uncounted_total\{zone="a"\} 0$/m,
         'K5 all are counted');

    my @held = map { begin($nginx, "/a?k=h$_") } 1 .. $slots;
    is(scalar(grep { !$_->{held} } @held), 0, 'K5 the zone is full');
    is($nginx->get('/ping?k=new')->{status}, 200, 'K5 one more passes');
    like($nginx->get('/m')->{body}, qr/uncounted_total\{zone="a"\} 1$/m,
         'K5 uncounted');

    $hold->abort($_) for @held;
    is(current($nginx, 'h1'), 0, 'K5 and it is empty again');

    $nginx->stop;
}


# without a master

sub single {
    my $nginx = GW::Nginx->new(workers => 1, main => 'master_process off;',
                               http => http(), stopped => 1);
    my $pid = fork();

    if ($pid == 0) {
        exec($nginx->command('-g', 'daemon off;'));
    }

    ok($nginx->until(5, sub { $nginx->connect }), 'N14 one process');
    $nginx->{pid} = $pid;

    my $held = begin($nginx, '/a?k=s');
    is(current($nginx, 's'), 1, 'N14 counts');
    is($hold->answer($held)->{status}, 200, 'N14 serves');
    ok($nginx->until(3, sub { current($nginx, 's') == 0 }), 'N14 and releases');

    kill('QUIT', $pid);
    waitpid($pid, 0);
    delete $nginx->{pid};
}
