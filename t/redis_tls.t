#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# TLS to Redis: whom a link trusts, what it does when it does not, and the
# ways of bytes through OpenSSL.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Nginx;
use GW::Redis;
use GW::TLS;
use IO::Select;
use IO::Socket::INET;
use IPC::Open2;
use POSIX qw(_exit);
use Test::More;
use Time::HiRes qw(sleep time);

my $ca = GW::TLS->ca('one');
my $other = GW::TLS->ca('two');
my $names = 'DNS:redis.test,DNS:*.wild.test,IP:127.0.0.1';
my $good = $ca->cert('redis', $names);
my $client = $ca->cert('client', '');

my $trust = 'ssl on; ssl_trusted_certificate ' . $ca->file . ';';
my @children;


sub http {
    my ($port, $more) = @_;

    $more .= ' timeout 1s; stall_timeout 3s;' if $more !~ /(?<!_)timeout /;
    $more .= ' connect_timeout 2s;' if $more !~ /connect_timeout /;
    $more = "server 127.0.0.1:$port; $more" if $more !~ /server \w/;

    my $zones = join("\n    ", map {
        "gw_limit_zone \$arg_k zone=z$_:1m rate=1r/d burst=9998 redis=main;"
    } 0 .. 15);

    my $limits = join("\n            ", map { "gw_limit zone=z$_ nodelay;" }
                                            0 .. 15);

    return <<"END";
    gw_redis main {
        $more
    }

    $zones

    add_header X-Status \$gw_limit_status always;
    add_header X-Source \$gw_limit_source always;
    add_header X-Remaining \$gw_limit_remaining always;
    add_header X-State \$gw_redis_state_main always;

    server {
        listen 127.0.0.1:%%PORT%%;

        location = /one { gw_limit zone=z0 nodelay; empty_gif; }
        location = /many {
            $limits
            empty_gif;
        }
        location = /state { empty_gif; }
        location = /metrics { gw_metrics prometheus; }
    }
END
}


sub redis {
    my ($cert, @args) = @_;

    my $port = GW::free_port();

    return (GW::Redis->new(args => [
        '--tls-port', $port, '--tls-cert-file', $cert->{cert},
        '--tls-key-file', $cert->{key}, '--tls-ca-cert-file', $ca->file,
        '--tls-auth-clients', 'no', @args
    ]), $port);
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


sub metric {
    my ($nginx, $name) = @_;

    return $nginx->get('/metrics')->{body} =~ /^\Q$name\E\S* (\S+)$/m
           ? $1 : -1;
}


sub clean {
    my ($nginx, $name) = @_;

    my @bad = grep { /\[(alert|crit|emerg)\]|s3cret|PRIVATE KEY/ }
              split(/\n/, $nginx->log);

    is("@bad", '', $name);
}


# a listener whose clients are handed to a process of their own

sub serve {
    my ($handler, %opt) = @_;

    my $port = GW::free_port();
    my $listen = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => $port, Proto => 'tcp',
        ReuseAddr => 1
    ) or die "socket: $!";

    setsockopt($listen, SOL_SOCKET, SO_RCVBUF, pack('i', $opt{window}))
        if $opt{window};
    listen($listen, 8) or die "listen: $!";

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        $SIG{CHLD} = $SIG{PIPE} = 'IGNORE';

        while (my $sock = $listen->accept) {
            my $child = fork();

            if ($child == 0) {
                close($listen);
                $SIG{CHLD} = 'DEFAULT';
                $handler->($sock);
                _exit(0);
            }
        }

        _exit(0);
    }

    push(@children, $pid);

    return $port;
}


my $passed = '200 PASSED redis';
my $fallback = '200 FALLBACK_PASSED fallback';


# it works, by each way to name the server

{
    my ($redis, $port) = redis($good, '--requirepass', 's3cret');

    for my $case ([ 'an address', '' ],
                  [ 'a name', 'ssl_name redis.test;' ],
                  [ 'a wildcard', 'ssl_name a.wild.test;' ],
                  [ 'without SNI', 'ssl_server_name off;' ],
                  [ 'TLSv1.2', 'ssl_protocols TLSv1.2;' ],
                  [ 'TLSv1.2 and a cipher', 'ssl_protocols TLSv1.2; '
                    . 'ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384;' ],
                  [ 'without sessions', 'ssl_session_reuse off;' ],
                  [ 'localhost, not verified',
                    "server localhost:$port; ssl_verify off;" ])
    {
        my $nginx = GW::Nginx->new(http => http($port,
                                      "$trust password s3cret; $case->[1]"));

        is(fate($nginx->get('/one?k=works')), $passed, "TLS: $case->[0]");
        like($nginx->log, qr/connection is ready/, "TLS: $case->[0]: logged");
        clean($nginx, "TLS: $case->[0]: clean log");
    }

    my $nginx = GW::Nginx->new(http => http($port,
                                   'ssl on; ssl_verify off; password s3cret;'));

    is(fate($nginx->get('/one?k=works')), $passed,
       'TLS: nothing to trust, nothing verified');
}


# R24

for my $case ([ 'an expired certificate',
                $ca->cert('expired', $names, expired => 1), '',
                'TLS: certificate has expired' ],
              [ 'an unknown CA', $other->cert('redis', $names), '',
                'TLS: unable to ' ],
              [ 'a wrong name', $good, 'ssl_name other.test;',
                'TLS: the certificate is of another name' ],
              [ 'a wrong address', $good, 'ssl_name 127.0.0.2;',
                'TLS: the certificate is of another name' ],
              [ 'a name too deep', $good, 'ssl_name a.b.wild.test;',
                'TLS: the certificate is of another name' ],
              [ 'an address in IPv6', $good, 'ssl_name ::1;',
                'TLS: the certificate is of another name' ],
              [ 'TLS 1.1 only', $good, '', 'TLS: .*protocol version',
                '--tls-protocols', 'TLSv1.1',
                '--tls-ciphers', 'DEFAULT@SECLEVEL=0' ],
              [ 'no common cipher', $good, 'ssl_protocols TLSv1.2; '
                . 'ssl_ciphers ECDHE-RSA-AES256-GCM-SHA384;',
                'TLS: .*handshake failure' ],
              [ 'no certificate of ours', $good, '',
                'TLS: .*certificate required',
                '--tls-auth-clients', 'yes' ],
              [ 'no certificate of ours, TLSv1.2', $good,
                'ssl_protocols TLSv1.2;', 'TLS: .*handshake failure',
                '--tls-auth-clients', 'yes' ])
{
    my ($name, $cert, $more, $log, @args) = @$case;
    my ($redis, $port) = redis($cert, '--requirepass', 's3cret', @args);
    my $nginx = GW::Nginx->new(http => http($port,
                                            "$trust password s3cret; $more"));
    my @fates = map { fate($nginx->get('/one?k=r24')) } 1 .. 3;

    is("@fates", join(' ', ($fallback) x 3), "R24 $name: the policy");
    ok($nginx->until(5, sub { $nginx->log =~ /is down: $log/ }),
       "R24 $name: it is logged")
        or diag(grep { /redis/ } split(/^/, $nginx->log));
    isnt(state($nginx), 'up', "R24 $name: it is not up");

    my $clients = $redis->command('PING');

    my ($calls) = ($redis->stat('client|setname'))[0];
    is($calls, 0, "R24 $name: nothing was sent");
    clean($nginx, "R24 $name: clean log");
}

{
    my ($redis, $port) = redis($good);
    my $plain = GW::Nginx->new(http => http($port, ''));

    isnt(fate($plain->get('/one?k=r24')), $passed,
         'R24 clear text to a TLS port: the policy');
    clean($plain, 'R24 clear text to a TLS port: clean log');

    my $nginx = GW::Nginx->new(http => http($redis->{port}, $trust));

    is(fate($nginx->get('/one?k=r24')), $fallback,
       'R24 TLS to a port without: the policy');
    ok($nginx->until(9, sub {
        $nginx->log =~ /is down: (?:TLS: |the TLS handshake stalls)/
    }), 'R24 TLS to a port without: it is logged');
    clean($nginx, 'R24 TLS to a port without: clean log');
}

{
    my $port = serve(sub { 1 while sysread($_[0], my $data, 4096) });
    my $nginx = GW::Nginx->new(workers => 1,
        http => http($port, "$trust connect_timeout 150ms; timeout 50ms;"));

    my $reply = $nginx->get('/one?k=r24');

    is(fate($reply), $fallback, 'R24 the handshake stalls: the policy');
    cmp_ok($reply->{time}, '<', 0.14,
           'R24 no request waits for the handshake');
    ok($nginx->until(3, sub {
        $nginx->log =~ /is down: the TLS handshake stalls \(110/
    }), 'R24 connect_timeout bounds it') or diag($nginx->log);

    my ($old) = $nginx->workers;
    my $start = time();

    $nginx->reload;
    ok($nginx->until(3, sub { !grep { $_ == $old } $nginx->workers }),
       'R24 a worker does not stay for a handshake');
    cmp_ok(time() - $start, '<', 1, 'R24 it exits at once');
    clean($nginx, 'R24 the handshake stalls: clean log');
}

{
    my $port = serve(sub { sysread($_[0], my $hello, 4096) });
    my $nginx = GW::Nginx->new(http => http($port, $trust));

    is(fate($nginx->get('/one?k=r24')), $fallback,
       'R24 closed in the handshake: the policy');
    ok($nginx->until(3, sub {
        $nginx->log =~ /is down: TLS: the handshake failed/
    }), 'R24 closed in the handshake: it is logged') or diag($nginx->log);
    clean($nginx, 'R24 closed in the handshake: clean log');
}


# a certificate of the client

{
    my ($redis, $port) = redis($good, '--tls-auth-clients', 'yes');
    my $nginx = GW::Nginx->new(http => http($port,
        "$trust ssl_certificate $client->{cert}; "
        . "ssl_certificate_key $client->{key};"));

    is(fate($nginx->get('/one?k=client')), $passed,
       'a certificate of the client');
    clean($nginx, 'a certificate of the client: clean log');
}


# sessions: the second connection resumes the first

for my $version ('TLSv1.2', 'TLSv1.3') {
    my ($redis, $port) = redis($good, '--tls-session-caching', 'yes');
    my $nginx = GW::Nginx->new(http => http($port,
        "$trust ssl_protocols $version; keepalive_interval 200ms;"),
        level => 'debug');

    for my $round (1 .. 4) {
        ok($nginx->until(3, sub { fate($nginx->get('/one?k=s')) eq $passed }),
           "$version: connection $round");
        $redis->command(qw(CLIENT KILL TYPE normal SKIPME yes));
        sleep(0.05);
    }

    my @reused = $nginx->log =~ /SSL reused session/g;

    cmp_ok(scalar(@reused), '>=', 1, "$version: the session is used again");
    is(scalar(grep { /\[(alert|crit|emerg|error)\]/ }
              split(/\n/, $nginx->log)), 0, "$version: clean log");
    $nginx->stop;
}


# R21 through TLS: a narrow way, its far end slow

{
    my ($redis, $port) = redis($good);
    my $narrow = serve(sub {
        my ($sock) = @_;

        my $up = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port) or return;
        my $select = IO::Select->new($sock, $up);

        for ( ;; ) {
            for my $from ($select->can_read) {
                my $n = sysread($from, my $data, 3000) or return;
                my $to = $from == $sock ? $up : $sock;

                for (my $sent = 0; $sent < $n; ) {
                    $sent += syswrite($to, $data, $n - $sent, $sent)
                             || return;
                }

                sleep(0.001) if $from == $sock;
            }
        }
    }, window => 2048);

    my $nginx = GW::Nginx->new(http => http($narrow,
                        "$trust timeout 20s; stall_timeout 20s; queue 16384; "
                        . 'prefix ' . 'p' x 1000 . ';'), level => 'debug');

    ok($nginx->until(5, sub { state($nginx) eq 'up' }), 'R21 TLS: it is up');

    my $rounds = 3;
    my $key = 'a' x 60;

    for my $round (1 .. $rounds) {
        my @pending = map { $nginx->begin("/many?k=$key") } 1 .. 150;
        my @fates = map { fate($nginx->finish($_)) } @pending;

        is(scalar(grep { $_ eq $passed } @fates), 150,
           "R21 TLS: 150 commands at once, round $round");
    }

    is($nginx->get("/many?k=$key")->{header}{'x-remaining'},
       9998 - 150 * $rounds, 'R21 TLS: each was charged once');
    is(metric($nginx, 'gw_redis_connects_total'), 1,
       'R21 TLS: over one connection');
    ok($nginx->log =~ /SSL_write: -1\n.*SSL_get_error: 3/,
       'R21 TLS: OpenSSL had to try again');
    clean($nginx, 'R21 TLS: clean log');

    # a worker that exits, and one that is told to, with bytes on their way

    $redis->pause;

    my @pending = map { $nginx->begin("/many?k=$key") } 1 .. 150;

    sleep(0.3);

    my ($old) = $nginx->workers;

    $nginx->reload;
    sleep(0.3);
    $redis->resume;

    my @fates = map { fate($nginx->finish($_)) } @pending;

    is(scalar(grep { $_ eq $passed } @fates), 150,
       'N1 TLS: requests of an old worker are decided');
    ok($nginx->until(5, sub { !grep { $_ == $old } $nginx->workers }),
       'N1 TLS: then it exits');

    $redis->pause;
    @pending = map { $nginx->begin("/many?k=$key") } 1 .. 150;
    sleep(0.3);
    ok($nginx->stop('TERM'), 'N1 TLS: a fast shutdown');
    $redis->resume;
    clean($nginx, 'N1 TLS: clean log');
}


# R24 renegotiation, asked for by the server in the middle of a command

{
    my $port = GW::free_port();
    my $pid = open2(my $out, my $in, 'openssl', 's_server', '-accept',
                    "127.0.0.1:$port", '-cert', $good->{cert}, '-key',
                    $good->{key}, '-tls1_2', '-legacy_renegotiation');

    push(@children, $pid);
    $in->autoflush(1);

    my $nginx = GW::Nginx->new(http => http($port,
        "$trust ssl_protocols TLSv1.2; timeout 3s; stall_timeout 4s;"));

    my $text = '';
    my ($request, $asked, $replies) = (undef, 0, 0);
    my $end = time() + 8;
    my $select = IO::Select->new($out);

    while (time() < $end) {

        if ($select->can_read(0.05)) {
            sysread($out, $text, 65536, length($text)) or last;
            $text =~ s/\A[^*]+(?=\*)//s;
        }

        while (defined(my $args = GW::Redis::take_command(\$text))) {

            # once before a reply, and once with one

            if ($args->[0] =~ /^EVAL/i && !$asked++) {
                print $in "R\n";
                sleep(0.3);
            }

            print $in GW::Redis::usual($args);
            $replies++;
            $text =~ s/\A[^*]+(?=\*)//s;
        }

        if (!$request && $replies >= 1 && state($nginx) eq 'up') {
            $request = $nginx->begin('/one?k=r24');
        }

        last if $asked && $request
                && IO::Select->new($request->{sock})->can_read(0);
    }

    my $fate = $request ? fate($nginx->finish($request)) : 'none';

    like($fate, qr/^(?:$passed|$fallback)$/, "R24 renegotiation: $fate");
    is($asked, 1, 'R24 the server has asked for it');
    clean($nginx, 'R24 renegotiation: clean log');
    $nginx->stop;
}


kill('KILL', @children);
waitpid($_, 0) for @children;

done_testing();


END {
    my $status = $?;

    kill('KILL', @children) if @children;
    $? = $status;
}
