# Copyright (C) the nginx gateway modules developers

# What happens when Redis is away, slow, ill or somebody else.

use strict;
use warnings;

use lib 't/lib';
use GW;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(sleep time);


sub http {
    my ($server, $more) = @_;

    $server = $server->server if ref $server;
    $more ||= '';

    # the machine may be busy: only tests of deadlines have short ones

    $more .= ' timeout 1s; stall_timeout 2s;' if $more !~ /\btimeout /;

    return <<"END";
    gw_redis main {
        server $server;
        $more
    }

    gw_limit_deny_cache 0;

    gw_limit_zone \$arg_k zone=five:1m rate=1r/m burst=4 redis=main;
    gw_limit_zone \$arg_k zone=wide:1m rate=1000r/s burst=9999 redis=main;
    gw_limit_zone \$arg_k zone=slow:1m rate=1r/d burst=9998 redis=main;

    add_header X-Status \$gw_limit_status always;
    add_header X-Source \$gw_limit_source always;
    add_header X-Remaining \$gw_limit_remaining always;
    add_header X-State \$gw_redis_state_main always;

    server {
        listen 127.0.0.1:%%PORT%%;

        location = /five { gw_limit zone=five nodelay; empty_gif; }
        location = /wide { gw_limit zone=wide nodelay; empty_gif; }
        location = /slow { gw_limit zone=slow nodelay; empty_gif; }
        location = /state { empty_gif; }

        location = /pass {
            gw_limit zone=wide nodelay;
            gw_limit_on_error pass;
            empty_gif;
        }

        location = /reject {
            gw_limit zone=wide nodelay;
            gw_limit_on_error reject;
            empty_gif;
        }

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


sub fates {
    my ($nginx, $path, $n) = @_;

    return map { fate($nginx->get($path)) } 1 .. $n;
}


sub state {
    my ($nginx) = @_;

    return $nginx->get('/state')->{header}{'x-state'} || '';
}


sub metric {
    my ($nginx, $name) = @_;

    my $body = $nginx->get('/metrics')->{body};

    return $body =~ /^\Q$name\E(?:\{[^}]*\})? (\S+)$/m ? $1 : -1;
}


# lines of a level and above, but those that a test names

sub lines {
    my ($nginx, $level) = @_;

    return grep { /\[(?:$level|crit|alert|emerg)\]/ }
           split(/\n/, $nginx->log);
}


# the descriptors of the worker, and that it has no more of them in the end

sub fds {
    my ($nginx) = @_;
    my ($pid) = $nginx->workers;

    return scalar(() = glob("/proc/$pid/fd/*"));
}


sub no_fd_is_left {
    my ($nginx, $before, $row) = @_;

    ok($before > 5 && $nginx->until(5, sub { fds($nginx) <= $before }),
       "$row no descriptor is left: $before before, " . fds($nginx));
}


# a fake that answers the commands of a request with these actions

sub ill {
    my (@actions) = @_;

    return GW::Redis->fake(sub {
        my ($args) = @_;
        return uc($args->[0]) =~ /^EVAL/ ? @actions : undef;
    });
}


my $passed = '200 PASSED redis';
my $rejected = '429 REJECTED redis';
my $fallback = '200 FALLBACK_PASSED fallback';


# R1, R3

{
    my $redis = GW::Redis->new(stopped => 1);
    my $nginx = GW::Nginx->new(http => http($redis));

    is_deeply([ fates($nginx, '/five?k=r1', 6) ],
              [ ($fallback) x 5, '429 FALLBACK_REJECTED fallback' ],
              'R1 without Redis the copy in shared memory limits');
    is(fate($nginx->get('/pass')), '200 NOKEY -', 'R1 no key, no limit');
    is(fate($nginx->get('/pass?k=r1')), '200 ERROR_PASSED -',
       'R1 gw_limit_on_error pass');

    my $reply = $nginx->get('/reject?k=r1');

    is(fate($reply), '503 ERROR_REJECTED -', 'R1 gw_limit_on_error reject');
    is($reply->{header}{'retry-after'}, 1, 'R1 Retry-After of a 503');
    ok($nginx->until(2, sub { $nginx->log =~ /is down: connect/ }),
       'R1 the breaker opens');
    is(state($nginx), 'down', 'R1 state down');

    $redis->start;

    my $start = time();

    ok($nginx->until(5, sub { state($nginx) eq 'up' }), 'R3 the probe finds it');
    cmp_ok(time() - $start, '<', 2.1, 'R3 within fail_timeout and a second');
    is(fate($nginx->get('/five?k=r3')), $passed, 'R3 Redis decides again');

    my $fds = fds($nginx);

    is(scalar(grep { /is down/ } lines($nginx, 'error')), 1,
       'R3 one line when it went');
    is(scalar(grep { /is up again/ } lines($nginx, 'notice|error')), 1,
       'R3 one line when it came');

    # R2

    is(fate($nginx->get('/wide?k=r2')), $passed, 'R2 before');

    $redis->pause;

    my @requests = map { $nginx->begin('/wide?k=r2') } 1 .. 2;

    sleep(0.005);
    $redis->kill;

    my @replies = map { $nginx->finish($_) } @requests;

    is(scalar(grep { $_->{status} == 200 } @replies), 2,
       'R2 requests in flight are answered');

    fates($nginx, '/wide?k=r2', 5);
    ok($nginx->until(2, sub { state($nginx) eq 'down' }), 'R2 it is down');

    my $connects = metric($nginx, 'gw_redis_connects_total');

    $start = time();

    my @fates = fates($nginx, '/wide?k=r2', 200);

    is(scalar(grep { $_ eq $fallback } @fates), 200,
       'R2 no request fails while it is down');

    $connects = metric($nginx, 'gw_redis_connects_total') - $connects;

    cmp_ok($connects, '<=', 2 + (time() - $start) / 0.75,
           "R2 no socket for a request: $connects connections");

    $redis->start;
    ok($nginx->until(5, sub { state($nginx) eq 'up' }), 'R3 back again');

    # the burst was used up while Redis was away: no second one

    $redis->kill;
    $nginx->until(3, sub { state($nginx) eq 'down' });
    fates($nginx, '/five?k=debit', 5);
    $redis->start;
    $nginx->until(5, sub { state($nginx) eq 'up' });

    is(fate($nginx->get('/five?k=debit')), $rejected,
       'R3 what passed meanwhile is charged');
    is(scalar(lines($nginx, 'crit')), 0, 'no alert in the log');
    no_fd_is_left($nginx, $fds, 'R3');
}


# R3: of the workers of a host one probes, whichever; the others follow

{
    my $workers = 4;
    my $port = GW::free_port();
    my $fake = GW::Redis->fake(sub { return { close => 1 } }, port => $port);
    my $text = http("127.0.0.1:$port");

    # the kernel spreads the clients over the workers

    $text =~ s/listen 127.0.0.1:%%PORT%%/$& reuseport/;
    $text =~ s/add_header X-State .*/$& add_header X-Pid \$pid always;/;

    my $nginx = GW::Nginx->new(http => $text, workers => $workers);

    my $all = sub {
        my ($expected) = @_;
        my %state;

        for (1 .. 100 * $workers) {
            my $header = $nginx->get('/state')->{header};

            $state{$header->{'x-pid'}} = $header->{'x-state'}
                if $header->{'x-pid'};
            last if keys %state == $workers;
        }

        return $workers == grep { $_ eq $expected } values %state;
    };

    my $connects = sub { scalar(grep { $_ eq 'connect' } $fake->received) };

    my $down = sub {
        my ($times) = @_;
        return $times == grep { /is down: / } split(/\n/, $nginx->log);
    };

    ok($nginx->until(10, sub { $down->($workers) }),
       'R3 Redis is down for each worker');

    my ($start, $before) = (time(), $connects->());

    sleep(4);

    my $n = $connects->() - $before;

    cmp_ok($n, '<=', 1 + (time() - $start) / 0.75,
           "R3 one probe a host in fail_timeout: $n in 4s");

    # whoever it is that had to probe

    kill('KILL', ($nginx->workers)[0 .. $workers - 2]);

    ok($nginx->until(10, sub { $down->(2 * $workers - 1) }),
       'R3 it is down for the new ones');

    $before = $connects->();

    ok($nginx->until(20, sub { $connects->() >= $before + 2 }),
       'R3 another worker probes when that one is killed');

    $fake->kill;

    my $redis = GW::Redis->new(port => $port);

    # by now probes may be ten seconds apart

    ok($nginx->until(30, sub { $all->('up') }), 'R3 all workers follow');

    my @links = $redis->command(qw(CLIENT LIST)) =~ /name=gw:/g;

    is(scalar(@links), $workers, 'R28 a connection for each of them');
}


# R5

{
    my $slow = ill({ delay => 0.1 }, undef);
    my $nginx = GW::Nginx->new(http => http($slow, 'timeout 20ms;'));

    $nginx->until(2, sub { state($nginx) eq 'up' });

    my $reply = $nginx->get('/wide?k=r5');

    is(fate($reply), $fallback, 'R5 a slow Redis: the policy');
    ok($reply->{time} > 0.014 && $reply->{time} < 0.06,
       sprintf('R5 at 20ms: %.1fms', $reply->{time} * 1000));
    ok($nginx->until(2, sub {
        metric($nginx, 'gw_redis_late_replies_total') == 1
    }), 'R5 the late reply is told apart');

    sleep(0.1);
    is(state($nginx), 'up', 'R5 one timeout does not open the breaker');

    fates($nginx, '/wide?k=r5', 3);
    isnt(state($nginx), 'up', 'R5 three do');

    my $refused = 'gw_redis_commands_total{name="main",result="refused"}';
    my $before = metric($nginx, $refused);

    $nginx->get('/wide?k=r5');
    cmp_ok(metric($nginx, $refused), '>', $before, 'R5 then nobody waits');
    ok($nginx->until(4, sub { state($nginx) eq 'up' }),
       'R5 a PING in time closes it');
    is(metric($nginx, 'gw_redis_connects_total'), 1,
       'R5 the connection was kept');
}


# one pause of Redis is one failure, however many commands it holds up

{
    my $slow = ill({ delay => 0.1 }, undef);
    my $nginx = GW::Nginx->new(http => http($slow, 'timeout 50ms;'));

    $nginx->until(2, sub { state($nginx) eq 'up' });

    my @pending = map { $nginx->begin('/wide?k=pause') } 1 .. 5;
    my @fates = map { fate($nginx->finish($_)) } @pending;

    is_deeply(\@fates, [ ($fallback) x 5 ], 'R5 five wait in vain');
    is(metric($nginx, 'gw_redis_commands_total{name="main",result="timeout"}'),
       5, 'R5 each of them counts as a timeout');
    is(state($nginx), 'up', 'R5 but together they are one failure');
}


# R4

{
    my $hole = GW::Redis->fake(undef, never_accept => 1, backlog => 0);
    my $nginx = GW::Nginx->new(http => http($hole, 'timeout 20ms;'));

    my @replies = map { $nginx->get('/wide?k=r4') } 1 .. 8;

    is(scalar(grep { fate($_) eq $fallback } @replies), 8,
       'R4 a host that does not answer: the policy');
    is(scalar(grep { $_->{time} > 0.15 } @replies), 0,
       'R4 no request waits for connect_timeout');
    ok($nginx->until(2, sub { state($nginx) eq 'down' }), 'R4 it is down');
}


# R2: max_fails are failures in a row

{
    my $slow = GW::Redis->fake(sub {
        my ($args) = @_;
        return "@$args" =~ /\{slow\}/ ? ({ delay => 0.7 }, undef) : undef;
    });
    my $nginx = GW::Nginx->new(http => http($slow,
                    'timeout 400ms; stall_timeout 10s; fail_timeout 30s;'));
    my $late = 0;

    my $fail = sub {
        $late++;

        my $fate = fate($nginx->get('/wide?k=slow'));

        $nginx->until(5, sub {
            metric($nginx, 'gw_redis_late_replies_total') == $late
        });

        return $fate eq $fallback;
    };

    $nginx->until(2, sub { state($nginx) eq 'up' });

    ok($fail->() && $fail->(), 'R2 two failures');
    is(metric($nginx, 'gw_redis_breaker_open'), 0, 'R2 do not open it');
    is(fate($nginx->get('/wide?k=quick')), $passed, 'R2 a reply between');
    ok($fail->() && $fail->(), 'R2 two more');
    is(metric($nginx, 'gw_redis_breaker_open'), 0, 'R2 neither');
    ok($fail->(), 'R2 the third in a row');
    is(metric($nginx, 'gw_redis_breaker_open'), 1, 'R2 opens it');
}


# R7, R8

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis,
        'timeout 200ms; queue 8; max_fails 100; stall_timeout 600ms;'));

    is(fate($nginx->get('/wide?k=r7')), $passed, 'R7 before');

    my $fds = fds($nginx);

    $redis->pause;

    my @requests = map { $nginx->begin('/wide?k=r7') } 1 .. 20;
    my @replies = map { $nginx->finish($_) } @requests;

    is(scalar(grep { fate($_) eq $fallback } @replies), 20,
       'R7 Redis is stopped: the policy');
    ok($nginx->get('/metrics')->{body}
           =~ /^gw_redis_inflight\S* (\d+)$/m && $1 <= 8,
       "R7 the queue is bounded: $1 in flight");
    ok($nginx->until(2, sub {
        $nginx->log =~ /connection is closed: it has stalled/
    }), 'R7 the connection is dropped after stall_timeout');

    $redis->resume;

    ok($nginx->until(3, sub { fate($nginx->get('/wide?k=r8')) eq $passed }),
       'R8 it continues');
    is(metric($nginx, 'gw_redis_late_replies_total'), 0,
       'R8 old replies went to a closed socket');
    no_fd_is_left($nginx, $fds, 'R8');
}


# R12

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis));

    is(fate($nginx->get('/five?k=r12')), $passed, 'R12 before');

    $redis->command('SCRIPT', 'FLUSH');
    $redis->command('CONFIG', 'RESETSTAT');

    is_deeply([ fates($nginx, '/five?k=r12', 5) ],
              [ ($passed) x 4, $rejected ],
              'R12 a script that is gone is sent again, nothing is lost');
    is(($redis->stat('eval'))[0], 1, 'R12 as text once');
}

{
    my $fake = ill("-NOSCRIPT No matching script\r\n");
    my $nginx = GW::Nginx->new(http => http($fake));

    is(fate($nginx->get('/wide?k=r12')), $fallback,
       'R12 NOSCRIPT to the text too is not repeated');
    is(scalar(grep { /^EVAL/ } $fake->received), 2, 'R12 two commands');
}


# R17

{
    my $redis = GW::Redis->new(args => [ '--requirepass', 's3cret' ],
                               password => 's3cret');

    for my $case ([ 'a wrong password', 'password wr0ng;', 'WRONGPASS' ],
                  [ 'no password', '', 'NOAUTH' ],
                  [ 'an unknown user', 'user nobody; password wr0ng;',
                    'WRONGPASS' ])
    {
        my $nginx = GW::Nginx->new(http => http($redis, $case->[1]));

        ok($nginx->until(2, sub { $nginx->log =~ /refuses us/ }),
           "R17 $case->[0] is logged");

        is_deeply([ fates($nginx, '/wide?k=r17', 5) ], [ ($fallback) x 5 ],
                  "R17 $case->[0]: the policy");

        my @lines = lines($nginx, 'error');

        like($lines[0], qr/refuses \s us: \s $case->[2], .* ACL \s needs .*
                           ~gw:\* .* \+evalsha .* \+ping/x,
             "R17 $case->[0]: the reason and the hint");
        is(scalar(@lines), 1, "R17 $case->[0]: one line");
        unlike($nginx->log, qr/wr0ng/, "R17 $case->[0]: no secret in the log");

        next if $case->[0] ne 'no password';

        ok($nginx->until(3, sub {
            $nginx->log =~ /attempt in about 1s.*attempt in about 2s/s
        }), 'R17 the attempts back off');

        $redis->{password} = undef;
        my $sock = $redis->connect;
        print $sock GW::Redis::pack_command('AUTH', 's3cret'),
                    GW::Redis::pack_command(qw(CONFIG SET requirepass), '');
        GW::Redis::read_reply($sock) for 1 .. 2;

        ok($nginx->until(6, sub {
            fate($nginx->get('/wide?k=r17')) eq $passed
        }), 'R17 it recovers without a reload');
        is(scalar(grep { /is up again/ } lines($nginx, 'notice|error')), 1,
           'R17 and says so');

        $redis->command(qw(CONFIG SET requirepass s3cret));
        $redis->{password} = 's3cret';
    }
}

{
    my $redis = GW::Redis->new;

    $redis->command(qw(ACL SETUSER gw on >s3cret ~* +@all -evalsha -eval));

    my $nginx = GW::Nginx->new(http => http($redis,
                                            'user gw; password s3cret;'));

    is_deeply([ fates($nginx, '/wide?k=r17', 4) ], [ ($fallback) x 4 ],
              'R17 a user that may not run scripts: the policy');
    like((lines($nginx, 'error'))[0], qr/refuses us: NOPERM/,
         'R17 NOPERM is logged');
}


# R19

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis));
    my @fates;
    my $fds;

    for (1 .. 5) {
        push(@fates, fates($nginx, '/wide?k=r19', 40));
        $fds ||= fds($nginx);
        $redis->command(qw(CLIENT KILL TYPE normal SKIPME yes));
        sleep(0.1);
    }

    cmp_ok(scalar(grep { $_ eq $passed } @fates), '>=', 198,
           'R19 killed connections: less than 1% by the policy');
    is(metric($nginx, 'gw_redis_connects_total'), 6,
       'R19 one connection for each that was killed');
    is(scalar(lines($nginx, 'error')), 0, 'R19 and no error');
    no_fd_is_left($nginx, $fds, 'R19');
}

{
    my $fake = ill({ close => 1 });
    my $nginx = GW::Nginx->new(http => http($fake));

    $nginx->until(2, sub { state($nginx) eq 'up' });
    sleep(0.1);

    my $reply = $nginx->get('/wide?k=r19');

    is(fate($reply), $fallback, 'R19 a command that may have run: the policy');
    cmp_ok($reply->{time}, '<', 0.5, 'R19 at once');
    sleep(0.3);
    is(scalar(grep { /^EVAL/ } $fake->received), 1, 'R19 it is not repeated');
}


# R20

{
    my $redis = GW::Redis->new(args => [ '--timeout', 1 ]);
    # one worker of the host tells each second that it is alive, another is idle
    my $nginx = GW::Nginx->new(workers => 2,
                               http => http($redis, 'keepalive_interval 1h;'));

    is(fate($nginx->get('/wide?k=r20')), $passed, 'R20 before');
    ok($nginx->until(5, sub {
        $nginx->log =~ /connection is closed: it closed/
    }), 'R20 Redis closes an idle link');
    is(scalar(grep { $_ eq $passed } fates($nginx, '/wide?k=r20', 8)), 8,
       'R20 the next requests have no error');
    is(scalar(lines($nginx, 'error')), 0, 'R20 nor has the log');
}


# R21: the socket of a server that stands still takes only a part

{
    my $redis = GW::Redis->new(unix => 1);
    my $nginx = GW::Nginx->new(http => http($redis,
        'timeout 10s; stall_timeout 20s; max_fails 0;'));
    my $key = 'r21' . ('x' x 60);

    is(fate($nginx->get("/slow?k=$key")), $passed, 'R21 before');
    $redis->command('CONFIG', 'RESETSTAT');
    $redis->pause;

    my @requests = map { $nginx->begin("/slow?k=$key") } 1 .. 400;

    sleep(0.3);
    $redis->resume;

    my @replies = map { $nginx->finish($_) } @requests;
    my %left;

    $left{$_->{header}{'x-remaining'}}++ for @replies;

    is(scalar(grep { fate($_) eq $passed } @replies), 400,
       'R21 400 requests at a server that stands still');
    is(join(' ', sort { $b <=> $a } keys %left),
       join(' ', reverse(9598 .. 9997)), 'R21 each was charged once');
    is(($redis->stat('evalsha'))[0], 400, 'R21 one command each');
}

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis, 'queue 8;'));

    is(join(' ', map { $nginx->get('/slow?k=ring')->{header}{'x-remaining'} }
                     1 .. 1200),
       join(' ', reverse(8799 .. 9998)),
       'R21 commands that go around the ring of 64 kilobytes');
}


# R22

{
    my $fake = GW::Redis->fake(sub {
        my ($args) = @_;
        return uc($args->[0]) =~ /^EVAL/
               ? { split => GW::Redis::usual($args) } : undef;
    });
    my $nginx = GW::Nginx->new(http => http($fake));

    is_deeply([ fates($nginx, '/wide?k=r22', 3) ], [ ($passed) x 3 ],
              'R22 a reply byte by byte');
}

{
    # each reply has 64 kilobytes of error text: a megabyte in one go

    my $fake = ill('-ERR ' . ('x' x 65000) . "\r\n");
    my $nginx = GW::Nginx->new(http => http($fake));
    my ($worker) = $nginx->workers;
    my @socks = map { $nginx->connect } 1 .. 16;

    $nginx->until(2, sub { state($nginx) eq 'up' });
    sleep(0.1);

    print $_ "GET /wide?k=r22 HTTP/1.1\r\nHost: a\r\n"
             . "Connection: close\r\n\r\n" for @socks;

    my @replies = map { $nginx->finish({ sock => $_, start => time() }) }
                      @socks;

    is(scalar(grep { fate($_) eq $fallback } @replies), 16,
       'R22 a megabyte of replies');
    is(metric($nginx, 'gw_redis_connects_total'), 1,
       'R22 over one connection');
}


# R23

my %garbage = (
    'not RESP' => "HTTP/1.1 400 Bad Request\r\n\r\n",
    'ten arrays in each other' => "*1\r\n" x 10,
    '$-2' => "\$-2\r\n",
    'a string of 4 gigabytes' => "\$4294967296\r\n",
    'an array of 2^31 - 1' => "*2147483647\r\n",
    'a RESP3 push message' => ">2\r\n+a\r\n+b\r\n",
    'a RESP3 map' => "%1\r\n+a\r\n+b\r\n",
    'an endless line' => '+' . ('x' x 70000),
    'a number that is none' => ":12a\r\n",
);

for my $name (sort keys %garbage) {
    my $fake = ill($garbage{$name});
    my $nginx = GW::Nginx->new(http => http($fake));

    is_deeply([ fates($nginx, '/wide?k=r23', 2) ], [ ($fallback) x 2 ],
              "R23 $name: the policy");
    like($nginx->log, qr/connection is closed: (?!it|recv)/,
         "R23 $name: the connection is closed");
}

my %wrong = (
    'an array of the wrong length' => "*3\r\n:1\r\n:1\r\n:1\r\n",
    'a string in the array' => "*2\r\n+x\r\n:1\r\n",
    'an array in the array' => "*2\r\n:1\r\n*1\r\n:1\r\n",
    'a clock of 0' => "*2\r\n:0\r\n:1\r\n",
    'a clock of 2^63 - 1' => "*2\r\n:9223372036854775807\r\n:1\r\n",
    'a string' => "\$2\r\nok\r\n",
    'nothing' => "*-1\r\n",
    'OK' => "+OK\r\n",
);

for my $name (sort keys %wrong) {
    my $fake = ill($wrong{$name});
    my $nginx = GW::Nginx->new(http => http($fake));

    is_deeply([ fates($nginx, '/wide?k=r23', 2) ], [ ($fallback) x 2 ],
              "R23 $name instead of an answer: the policy");
}

{
    my $fake = ill(undef, "+OK\r\n");
    my $nginx = GW::Nginx->new(http => http($fake));

    $nginx->get('/wide?k=r23');

    ok($nginx->until(2, sub { $nginx->log =~ /closed: reply to nothing/ }),
       'R23 one reply too many');
}


# errors that tell that nothing ran

for my $case ([ 'R9', 'LOADING Redis is loading', 'is down: LOADING' ],
              [ 'R13', 'BUSY Redis is busy', 'is down: BUSY' ],
              [ 'R11', 'OOM command not allowed', 'refuses to write: OOM' ],
              [ 'R11', 'MISCONF errors writing', 'refuses to write: MISC' ],
              [ 'R10', 'READONLY a replica', 'refuses to write: READONLY' ],
              [ 'R11', 'NOREPLICAS', 'refuses to write: NOREPLICAS' ])
{
    my ($row, $text, $log) = @$case;
    my $fake = ill("-$text\r\n");
    my $nginx = GW::Nginx->new(http => http($fake));

    is_deeply([ fates($nginx, '/wide?k=r9', 5) ], [ ($fallback) x 5 ],
              "$row $text: the policy");

    my @lines = lines($nginx, 'error');

    ok(@lines == 1 && $lines[0] =~ /\Q$log\E/, "$row $text: one line");
}

{
    my $fake = ill("-READONLY\r\n");
    my $nginx = GW::Nginx->new(http => http($fake, 'fail_timeout 100ms;'));

    $nginx->until(2, sub { state($nginx) eq 'up' });
    sleep(0.2);
    $nginx->get('/wide?k=r10');

    ok($nginx->until(2, sub {
        metric($nginx, 'gw_redis_connects_total') == 2
    }), 'R10 a replica: connects again, perhaps to the new master');
}

{
    my $redis = GW::Redis->new(args => [ '--maxclients', 10 ]);
    my @socks = map { $redis->connect } 1 .. 10;

    $_->print("PING\r\n"), scalar(readline($_)) for @socks;

    my $nginx = GW::Nginx->new(http => http($redis));

    is_deeply([ fates($nginx, '/wide?k=r28', 5) ], [ ($fallback) x 5 ],
              'R28 too many clients: the policy');
    ok($nginx->until(2, sub {
        $nginx->log =~ /is down: (it has too many clients|recv)/
    }), 'R28 it is logged');

    close($_) for @socks;

    ok($nginx->until(5, sub {
        fate($nginx->get('/wide?k=r28')) eq $passed
    }), 'R28 and found again');
}


{
    my $fake = GW::Redis->fake(sub { "-ERR no such command\r\n" });
    my $nginx = GW::Nginx->new(http => http($fake, 'password s3cret;'));

    ok($nginx->until(2, sub { $nginx->log =~ /refuses us: AUTH failed/ }),
       'R17 any error to AUTH');

    my $denied = GW::Redis->fake(sub { "-DENIED protected mode\r\n" });
    my $other = GW::Nginx->new(http => http($denied));

    ok($other->until(2, sub { $other->log =~ /refuses us: DENIED/ }),
       'R17 protected mode');

    my $redis = GW::Redis->new(args => [ '--databases', 2 ]);
    my $select = GW::Nginx->new(http => http($redis, 'database 2;'));

    ok($select->until(2, sub { $select->log =~ /refuses us: SELECT failed/ }),
       'a database that does not exist');
}


# R25

{
    my $redis = GW::Redis->new(unix => 1, stopped => 1);
    my $nginx = GW::Nginx->new(http => http($redis));

    is_deeply([ fates($nginx, '/wide?k=r25', 3) ], [ ($fallback) x 3 ],
              'R25 no socket: the policy');
    ok($nginx->until(2, sub {
        $nginx->log =~ /is down: connect\(\) failed \(2: No such file/
    }), 'R25 it is logged');
    $redis->start;
    ok($nginx->until(5, sub {
        fate($nginx->get('/wide?k=r25')) eq $passed
    }), 'R25 it returns');
}


# R30

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis));

    fates($nginx, '/five?k=r30', 6);
    $redis->command('FLUSHALL');

    is(fate($nginx->get('/five?k=r30')), $passed, 'R30 FLUSHALL');

    # K15 in another form: a key that somebody else uses

    $redis->command(qw(HSET gw:1:l:five:{other} a b));

    is(fate($nginx->get('/five?k=other')), $fallback,
       'a key of another type: the policy');

    $redis->command(qw(SET gw:1:l:five:{text} hello));

    is(fate($nginx->get('/five?k=text')), $fallback,
       'a key with a text: the policy');
    is(state($nginx), 'up', 'that is no failure of Redis');
}


# a worker that has to go takes nothing along

{
    my $redis = GW::Redis->new;
    my $nginx = GW::Nginx->new(http => http($redis,
        'timeout 10s; stall_timeout 20s;'),
        main => 'worker_shutdown_timeout 300ms;');

    $redis->pause;

    my @requests = map { $nginx->begin('/wide?k=n1') } 1 .. 3;

    sleep(0.1);

    my ($old) = $nginx->workers;

    $nginx->reload;

    ok($nginx->until(3, sub {
        my @now = $nginx->workers;
        @now == 1 && $now[0] != $old
    }),
       'worker_shutdown_timeout ends a worker with parked requests');

    close($_->{sock}) for @requests;

    @requests = map { $nginx->begin('/wide?k=n1') } 1 .. 3;
    sleep(0.1);

    ok($nginx->stop('TERM'), 'so does a fast shutdown');
    is(scalar(lines($nginx, 'alert')), 0, 'without an alert');

    $redis->resume;
}


done_testing();
