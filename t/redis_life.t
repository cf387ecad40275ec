#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Limits in Redis over the lives of nginx and of Redis: a storm of reloads, a
# new binary, other passwords, clocks that jump, data that is lost.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Nginx;
use GW::Redis;
use POSIX qw(_exit);
use Test::More;
use Time::HiRes qw(sleep time);

my $passed = '200 PASSED redis';
my $fallback = '200 FALLBACK_PASSED fallback';

# of a storm; "bench/run reload" has one of 50 in a minute under a full load
my $reloads = $ENV{GW_RELOADS} || 12;


sub http {
    my ($redis, $more) = @_;

    my $server = $redis->server;

    $more = 'timeout 2s; stall_timeout 3s;' unless defined $more;

    return <<"END";
    gw_redis main {
        server $server;
        $more
    }

    gw_limit_zone \$arg_k zone=load:1m rate=1r/d burst=9998 redis=main;
    gw_limit_zone \$arg_k zone=second:1m rate=10r/s burst=9 redis=main;

    add_header X-Status \$gw_limit_status always;
    add_header X-Source \$gw_limit_source always;
    add_header X-Remaining \$gw_limit_remaining always;
    add_header X-State \$gw_redis_state_main always;

    server {
        listen 127.0.0.1:%%PORT%%;

        location = /load { gw_limit zone=load nodelay; empty_gif; }
        location = /second { gw_limit zone=second nodelay; empty_gif; }
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


sub links {
    my ($redis) = @_;

    my @links = $redis->command(qw(CLIENT LIST)) =~ /name=gw:/g;

    return scalar @links;
}


sub clean {
    my ($nginx, $name) = @_;

    my @bad = grep { /\[(?:alert|crit|emerg)\]/ } split(/\n/, $nginx->log);

    is("@bad", '', $name);
}


# N1: reloads one upon the other, clients that keep their connections or not

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(workers => 2, http => http($redis));
    my $dir = GW::tmp_dir();
    my @clients;

    for my $n (1 .. 2) {
        my $pid = fork();

        if ($pid == 0) {
            my ($sent, $stop, %bad) = (0, 0);

            $SIG{TERM} = sub { $stop = 1 };

            while (!$stop) {
                my $fate = fate($nginx->get('/load?k=storm'));

                $sent++;

                # the signal interrupts the last reply

                $bad{$fate}++ if $fate ne $passed && !$stop;
                sleep(0.002);
            }

            open(my $fh, '>', "$dir/storm$n");
            print $fh join(' ', $sent, map { "($bad{$_} $_)" } keys %bad);
            close($fh);
            _exit(0);
        }

        push(@clients, $pid);
    }

    my $slowest = 0;

    for (1 .. $reloads) {
        my @old = $nginx->workers;
        my $start = time();

        $nginx->reload;
        $nginx->until(5, sub {
            my %now = map { $_ => 1 } $nginx->workers;
            return !grep { $now{$_} } @old;
        });
        $slowest = time() - $start if time() - $start > $slowest;
        sleep(0.1);
    }

    kill('TERM', @clients);
    waitpid($_, 0) for @clients;

    my ($sent, $bad) = (0, '');

    for my $n (1, 2) {
        open(my $fh, '<', "$dir/storm$n") or die;
        my ($s, $b) = split(' ', <$fh>, 2);
        $sent += $s;
        $bad .= $b if defined $b;
    }

    is($bad, '', "N1 Redis: $sent requests over $reloads reloads, none failed");
    cmp_ok($slowest, '<', 2,
           sprintf('N1 Redis: the slowest old worker stayed %.2fs', $slowest));
    is(9998 - $nginx->get('/load?k=storm')->{header}{'x-remaining'}, $sent,
       'N1 Redis: each request was charged once');
    ok($nginx->until(3, sub { links($redis) == 2 }),
       'R28 a connection for each worker, and none of the old ones');

    my @flood = map { $nginx->begin('/load?k=flood') } 1 .. 400;
    my @idle = map { $nginx->connect } 1 .. 100;

    is(scalar(grep { $nginx->finish($_)->{status} == 200 } @flood), 400,
       'K18 a flood of connections');
    is(links($redis), 2, 'K18 ... and Redis has as many as before');
    close($_) for @idle;

    clean($nginx, 'N1 Redis: clean log');
}


# N2

for my $case ([ 'stopped', sub { $_[0]->kill } ],
              [ 'paused', sub { $_[0]->pause } ])
{
    my ($name, $break) = @$case;
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis,
                                     'timeout 300ms; max_fails 1000;'));

    is(fate($nginx->get('/load?k=n2')), $passed, "N2 Redis $name: before");
    $break->($redis);

    my @pending = map { $nginx->begin('/load?k=n2') } 1 .. 10;

    sleep(0.05);

    my ($old) = $nginx->workers;
    my $start = time();

    $nginx->reload;

    my @fates = map { fate($nginx->finish($_)) } @pending;

    is(scalar(grep { $_ eq $fallback } @fates), 10,
       "N2 Redis $name: requests of the old worker have the policy");
    ok($nginx->until(5, sub { !grep { $_ == $old } $nginx->workers }),
       "N2 Redis $name: it exits");
    cmp_ok(time() - $start, '<', 1.5, "N2 Redis $name: soon after timeout");
    clean($nginx, "N2 Redis $name: clean log");
    $redis->resume if $name eq 'paused';
}


# N5: a worker dies with requests that wait

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis, 'timeout 5s; '
                                                    . 'stall_timeout 6s;'));

    $nginx->get('/load?k=n5');
    $redis->pause;

    my @pending = map { $nginx->begin('/load?k=n5') } 1 .. 5;
    my ($worker) = $nginx->workers;

    sleep(0.1);
    kill('KILL', $worker);
    $redis->resume;
    close($_->{sock}) for @pending;

    ok($nginx->until(3, sub { fate($nginx->get('/load?k=n5')) eq $passed }),
       'N5 Redis: the next worker goes on');
    ok($nginx->until(3, sub { links($redis) == 1 }),
       'N5 Redis: with one connection');
}


# N6: everything dies; Redis has kept its limits, the host's own start anew

{
    my $redis = GW::Redis->new;
    my $http = http($redis);

    $http =~ s/^    server \{$/    gw_limit_zone \$arg_k zone=here:1m rate=1r\/d burst=9;\n$&/m;
    $http =~ s/(location = .state )/location = \/here { gw_limit zone=here nodelay; empty_gif; }\n$1/;

    my $nginx = GW::Nginx->new(workers => 2, http => $http);

    $nginx->get($_) for ('/load?k=n6') x 3, ('/here?k=n6') x 3;

    is($nginx->get('/here?k=n6')->{header}{'x-remaining'}, 6, 'N6 before');

    $redis->pause;

    my @pending = map { $nginx->begin('/load?k=n6') } 1 .. 5;
    my @pids = ($nginx->{pid}, $nginx->workers);

    kill('KILL', @pids);
    ok($nginx->until(5, sub { !grep { GW::Nginx::alive($_) } @pids }),
       'N6 master and workers are killed');
    close($_->{sock}) for @pending;
    $redis->resume;
    $nginx->start;

    ok($nginx->until(5, sub { state($nginx) eq 'up' }), 'N6 it starts again');

    my $left = $nginx->get('/load?k=n6')->{header}{'x-remaining'};

    ok($left <= 9998 - 3 && $left >= 9998 - 3 - 5,
       "N6 Redis has all that was answered, at most what waited more: $left");
    is($nginx->get('/here?k=n6')->{header}{'x-remaining'}, 9,
       'N6 shared memory is new');
    ok($nginx->until(3, sub { links($redis) == 2 }),
       'N6 no connection is left over');
    clean($nginx, 'N6 clean log');
    ok($nginx->stop, 'N6 it ends');
}


# N12: who is refused access has no call made for him in that phase

{
    my $redis = GW::Redis->new;
    my $server = $redis->server;
    my $nginx = GW::Nginx->new(http => <<"END");
    gw_redis main { server $server; timeout 2s; stall_timeout 3s; }
    gw_limit_zone \$arg_k zone=who:1m rate=1r/d burst=99 redis=main;
    gw_limit_zone \$arg_ip zone=ip:1m rate=1r/d burst=99 redis=main;
    add_header X-Source \$gw_limit_source always;

    server {
        listen 127.0.0.1:%%PORT%%;

        gw_limit zone=ip nodelay phase=preaccess;
        gw_limit zone=who nodelay;

        location = /yes { empty_gif; }
        location = /deny { deny all; empty_gif; }
        location = /asked { auth_request /no; empty_gif; }
        location = /any { satisfy any; deny all; auth_request /ok; empty_gif; }
        location = /none { satisfy any; deny all; auth_request /no; empty_gif; }
        location = /no { internal; return 401; }
        location = /ok { internal; return 204; }
    }
END

    my $key = sub {
        return $redis->command('EXISTS', "gw:1:l:$_[0]:{n12$_[1]}");
    };

    my $n = 0;

    for my $case ([ '/yes', 200, 1 ], [ '/deny', 403, 0 ],
                  [ '/asked', 401, 0 ], [ '/any', 200, 1 ],
                  [ '/none', 401, 0 ])
    {
        my ($path, $status, $charged) = @$case;

        $n++;
        is($nginx->get("$path?k=n12$n&ip=n12$n")->{status}, $status,
           "N12 Redis: $path");
        is($key->('who', $n), $charged, "N12 Redis: $path, who");
        is($key->('ip', $n), 1, "N12 Redis: $path, the address");
    }

    clean($nginx, 'N12 Redis: clean log');
}


# N7: a new binary

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis));
    my $old = $nginx->{pid};

    $nginx->get('/load?k=n7') for 1 .. 3;

    kill('USR2', $old);
    ok($nginx->until(5, sub {
        -e "$nginx->{dir}/nginx.pid.oldbin" && ($nginx->pid || $old) != $old
    }), 'N7 a new master');

    my $new = $nginx->pid;

    kill('WINCH', $old);

    my @fates = map { sleep(0.01); fate($nginx->get('/load?k=n7')) } 1 .. 20;

    is(scalar(grep { $_ eq $passed } @fates), 20, 'N7 no request fails');
    kill('QUIT', $old);
    ok($nginx->until(5, sub { !GW::Nginx::alive($old) }), 'N7 the old exits');
    $nginx->{pid} = $new;
    is($nginx->get('/load?k=n7')->{header}{'x-remaining'}, 9998 - 23,
       'N7 Redis has counted all of them');
    clean($nginx, 'N7 clean log');
    ok($nginx->stop, 'N7 the new one exits');
}


# N13

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis, 'timeout 50ms;'));

    $nginx->get('/load?k=n13');

    my @idle = grep { defined } map { $nginx->connect } 1 .. 520;

    $redis->command(qw(CLIENT KILL TYPE normal SKIPME yes));
    sleep(0.3);
    close($_) for @idle;

    ok($nginx->until(5, sub { fate($nginx->get('/load?k=n13')) eq $passed }),
       'N13 connections were used up, it is back when they are free');
    is(scalar(grep { /\[alert\]/ && !/worker_connections are not enough/ }
              split(/\n/, $nginx->log)), 0, 'N13 alerts are those of nginx');
}


# N14

for my $case ([ 'master_process off', 'master_process off;', 1 ],
              [ 'eight workers', '', 8 ])
{
    my ($name, $main, $workers) = @$case;

    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis), main => $main,
                               workers => $workers);

    is(fate($nginx->get('/load?k=n14')), $passed, "N14 $name");
    ok($nginx->until(5, sub { links($redis) == $workers }),
       "N14 $name: a connection for each process that serves");
    clean($nginx, "N14 $name: clean log");
    ok($nginx->stop, "N14 $name: it stops");
}


# N16, N17: what a clock ahead of ours has written

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis));
    my $far = int((time() + 3600) * 1e6);

    $redis->command('SET', 'gw:1:l:second:{n17}', $far);

    is($nginx->get('/second?k=n17')->{status}, 429,
       'N17 a clock that went back: an empty bucket');
    sleep(0.15);
    is($nginx->get('/second?k=n17')->{status}, 200,
       'N17 that is filled at the rate at once, and locks nobody out');
}


# R6

{
    my $redis = GW::Redis->fake(sub {
        my ($args) = @_;
        return uc($args->[0]) =~ /^EVAL/ ? ({ delay => 0.005 }, undef) : undef;
    });
    my $nginx = GW::Nginx->new(http => http($redis, 'timeout 500ms;'));

    $nginx->until(2, sub { state($nginx) eq 'up' });

    my @fates = map { fate($nginx->finish($_)) }
                map { $nginx->begin("/load?k=r6") } 1 .. 20;

    is(scalar(grep { $_ eq $passed } @fates), 20,
       'R6 a latency within the deadline: Redis decides all');
}


# R18

{
    my $redis = GW::Redis->new(args => [ '--requirepass', 'first' ],
                               password => 'first');
    my $file = GW::tmp_dir() . '/password';

    my $write = sub {
        open(my $fh, '>', $file) or die;
        print $fh "$_[0]\n";
        close($fh);
        chmod(0600, $file);
    };

    $write->('first');

    my $nginx = GW::Nginx->new(http => http($redis,
                    "password_file $file; timeout 1s; stall_timeout 2s;"));

    is(fate($nginx->get('/load?k=r18')), $passed, 'R18 the first password');

    $redis->command(qw(CONFIG SET requirepass other));
    $redis->{password} = 'other';
    $write->('other');

    is(fate($nginx->get('/load?k=r18')), $passed,
       'R18 the connection of the old worker stays');

    my ($old) = $nginx->workers;

    $nginx->reload;
    $nginx->until(5, sub { !grep { $_ == $old } $nginx->workers });

    ok($nginx->until(3, sub { fate($nginx->get('/load?k=r18')) eq $passed }),
       'R18 a new worker has the new password');
    unlike($nginx->log, qr/first|other/, 'R18 neither is in the log');
    clean($nginx, 'R18 clean log');
}


# R29: keys that Redis evicts are told of, once; without the right to ask they
# are not

for my $right ('', '-info') {
    my $redis = GW::Redis->new(args => [ '--maxmemory-policy',
                                         'allkeys-lru' ]);
    my $evicted = sub {
        $redis->command(qw(INFO stats)) =~ /^evicted_keys:(\d+)/m;
        return $1;
    };

    $redis->command(qw(ACL SETUSER gw on >s3cret ~* +@all),
                    $right ? $right : ());

    my $nginx = GW::Nginx->new(workers => 2, http => http($redis,
            'user gw; password s3cret; timeout 2s; stall_timeout 3s;'));

    my $metric = sub {
        my $body = $nginx->get('/metrics')->{body};
        return $body =~ /^gw_redis_evicted_keys_total\S* (\d+)$/m ? $1 : -1;
    };

    $nginx->get('/second?k=r29');
    $nginx->until(3, sub { links($redis) == 2 });
    is($metric->(), 0, 'R29 nothing is evicted');

    # another connection asks again, when a second has passed

    for (1 .. 2) {
        my $before = $evicted->();

        for (1 .. 50) {
            $redis->command('SET', "fill$_", 'x' x 100);
        }

        $redis->command(qw(CONFIG SET maxmemory 1));
        $redis->command('SET', 'more', 'x');
        $redis->command(qw(CONFIG SET maxmemory 0));
        cmp_ok($evicted->(), '>', $before, 'R29 Redis evicts');

        my $asked = $nginx->until($right ? 3 : 10, sub {
            $redis->command(qw(CLIENT KILL TYPE normal SKIPME yes));
            sleep(0.3);
            $nginx->get('/second?k=r29');
            return $metric->() == $evicted->();
        });

        is(!$asked, !!$right, 'R29 the metric has them');
    }

    is(scalar(grep { /\[warn\].* evicts keys/ } split(/\n/, $nginx->log)),
       $right ? 0 : 1, 'R29 one line in the log');
    unlike($nginx->log, qr/refuses us/, 'R29 INFO is not needed');

    if ($right) {
        my ($n) = $redis->command(qw(INFO commandstats))
                  =~ /^cmdstat_info:.*rejected_calls=(\d+)/m;

        ok($n >= 1 && $n <= 2, "R29 a worker that may not ask does not: $n");
    }

    is(fate($nginx->get('/second?k=r29b')), $passed, 'R29 Redis decides');
    clean($nginx, 'R29 clean log');
}


# R29, R30: keys that are gone are full buckets

{
    my $redis = GW::Redis->new(args => [ '--maxmemory-policy',
                                         'allkeys-lru' ]);
    my $nginx = GW::Nginx->new(http => http($redis));

    $nginx->get('/second?k=r29') for 1 .. 11;
    is($nginx->get('/second?k=r29')->{status}, 429, 'R29 spent');
    $redis->command('DEL', 'gw:1:l:second:{r29}');

    # not before the worker asks Redis again

    ok($nginx->until(3, sub {
        ($nginx->get('/second?k=r29')->{header}{'x-remaining'} || 0) == 9
    }), 'R29 an evicted key is a full bucket');

    my @fates;

    for (1 .. 60) {
        $redis->command('FLUSHALL') if $_ % 10 == 0;
        push(@fates, fate($nginx->get('/load?k=r30')));
    }

    is(scalar(grep { $_ eq $passed } @fates), 60,
       'R30 FLUSHALL under load: no error');
    clean($nginx, 'R30 clean log');
}


# R31: after a failover what the replica has not received is admitted again,
# and no more

{
    my $port = GW::free_port();
    my $master = GW::Redis->new(unix => 1, args => [ '--port', $port,
                                                     '--bind', '127.0.0.1' ]);
    my $replica = GW::Redis->new(unix => 1, args => [
        '--replicaof', "127.0.0.1 $port" ]);
    my $nginx = GW::Nginx->new(http => http($master));
    my $key = 'gw:1:l:load:{r31}';

    my $pass = sub {
        return scalar(grep { $_ eq $passed }
                      map { fate($nginx->get('/load?k=r31')) } 1 .. $_[0]);
    };

    ok($nginx->until(5, sub { state($nginx) eq 'up' }), 'R31 the master');
    is($pass->(30), 30, 'R31 thirty pass');
    ok($nginx->until(10, sub {
        ($replica->command('GET', $key) || '') eq $master->command('GET', $key)
    }), 'R31 the replica has them');

    $replica->command('REPLICAOF', 'NO', 'ONE');
    is($pass->(12), 12, 'R31 twelve that it does not hear of');

    # behind the same address

    $master->kill;
    $nginx->until(5, sub { $nginx->get('/load?k=other')->{header}{'x-source'}
                           eq 'fallback' });
    rename($replica->{path}, $master->{path}) or die "rename: $!";

    ok($nginx->until(10, sub {
        fate($nginx->get('/load?k=other')) eq $passed
    }), 'R31 the replica is the new master');

    is($nginx->get('/load?k=r31')->{header}{'x-remaining'}, 9999 - 30 - 1,
       'R31 exactly the twelve may pass again');
    clean($nginx, 'R31 clean log');
}


done_testing();
