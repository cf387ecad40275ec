#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: back ends, clients and deadlines that fail at random moments.
# GW_ROUNDS is the number of requests of each kind, GW_SEED what they depend
# on.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

my $rounds = $ENV{GW_ROUNDS} || 200;
my $seed = $ENV{GW_SEED} || time() ^ $$;
my $parallel = 4;
my $type = 'Content-Type: application/json';
my $document = '[' . '"0123456789",' x 400 . '1]';

note("GW_SEED=" . int($seed));
srand(int($seed));


# a pause of up to $_[0] milliseconds, often none

sub pause {
    my $ms = rand($_[0]);

    sleep($ms / 1000) if $ms > $_[0] / 3;
}


# whatever a back end can do, chosen by the arguments of the request

sub misbehave {
    my ($conn, $req) = @_;

    srand($req->{args});

    my $what = int(rand(12));

    pause(4);

    return $conn->json($document) if $what < 3;
    return $conn->close if $what == 3;
    return $conn->rst if $what == 4;
    return $conn->answer(500, 'text/html', 'x' x rand(2000)) if $what == 5;
    return $conn->send("garbage\r\n") && $conn->close if $what == 6;

    if ($what == 7) {
        # too large, of unknown length
        $conn->head(200, $type, 'Transfer-Encoding: chunked');
        $conn->chunk('[');

        for (1 .. 30) {
            $conn->chunk('"' . 'x' x 1000 . '",');
            pause(1);
        }

        return $conn->hang;
    }

    # pieces of a document, to the end or not
    my $chunked = $what < 10;
    my @pieces = unpack('(a' . (100 + int(rand(1000))) . ')*', $document);
    my $last = $what == 8 ? @pieces : int(rand(@pieces + 1));

    $pieces[rand(@pieces)] = "\xff" if $what == 9;

    $conn->head(200, $type, $chunked ? 'Transfer-Encoding: chunked'
                                     : 'Content-Length: '
                                       . length($document));

    for my $i (0 .. $last - 1) {
        $chunked ? $conn->chunk($pieces[$i]) : $conn->send($pieces[$i]);
        pause(2);
        return unless $conn->{sock};
    }

    return $conn->chunk('') if $chunked && $last == @pieces;
    return $conn->rst if rand(2) < 1;
    return $conn->close if rand(3) < 2;
    return $conn->hang;
}


# The end of a back end's connection at a given time, TIME-HOW in the
# arguments: before the header, after it, in the body, or with a whole answer.

sub end_at {
    my ($conn, $req) = @_;

    my ($when, $how) = split(/-/, $req->{args});

    $conn->head(200, $type, 'Content-Length: ' . length($document))
        if $how > 1;
    $conn->send(substr($document, 0, 3000)) if $how > 3;

    my $left = $when - time();
    sleep($left) if $left > 0;

    return $conn->send(substr($document, 3000)) if $how == 6;
    return $how % 2 ? $conn->rst : $conn->close;
}


my $be = GW::Backend->new(
    '/at' => \&end_at,
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/b' => sub { $_[0]->json('[1,2]') },
    '*' => \&misbehave,
);

# a process for each connection is too slow for requests that come twice

my $fast = GW::free_port();
my $script = <<'END';
const document = process.argv[1];

const head = (status, length) => 'HTTP/1.1 ' + status + ' X\r\n'
    + 'Content-Type: application/json\r\nContent-Length: ' + length + '\r\n\r\n';

function answer(sock) {
    const pause = Math.random() * 6;
    const half = Math.floor(Math.random() * document.length);

    const ways = [
        () => sock.end(),
        () => sock.resetAndDestroy(),
        () => sock.write(head(500, 2) + '{}'),
        () => sock.write('garbage\r\n'),
        () => {},
        () => {
            sock.write(head(200, document.length) + document.slice(0, half));
            setTimeout(() => sock.write(document.slice(half)), pause);
        },
        () => {
            sock.write(head(200, document.length) + document.slice(0, half));
            setTimeout(() => sock.end(), pause);
        },
    ];
    const whole = () => sock.write(head(200, document.length) + document);
    const way = ways[Math.floor(Math.random() * 14)] || whole;

    if (pause < 2) {
        way();

    } else {
        setTimeout(way, pause);
    }
}

require('net').createServer((sock) => {
    let data = '';

    sock.setNoDelay(true);
    sock.on('error', () => sock.destroy());
    sock.on('data', (chunk) => {
        data += chunk;

        for (let at; (at = data.indexOf('\r\n\r\n')) >= 0; ) {
            data = data.slice(at + 4);
            answer(sock);
        }
    });
}).listen(process.argv[2], '127.0.0.1');
END

my $owner = $$;
my $node = fork();
die unless defined $node;
exec('node', '-e', $script, $document, $fast) if $node == 0;

END {
    if ($$ == $owner && $node) {
        my $status = $?;

        kill('KILL', $node);
        waitpid($node, 0);
        $? = $status;
    }
}

for (1 .. 250) {
    last if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $fast);
    sleep(0.02);
}

my $nginx = GW::Nginx->new(level => 'warn',
    http => agg_server($be,
    http => "upstream fast { server 127.0.0.1:$fast max_fails=0; keepalive 16; }",
    server => <<'END'));
        gw_aggregate_part_max_size 20k;
        gw_aggregate_timeout 60ms;
        log_subrequest on;

        # a required part fails while others are in their bodies
        location = /three {
            gw_aggregate object;
            gw_aggregate_methods GET POST;
            gw_aggregate_part a /p/1?$arg_s1;
            gw_aggregate_part b /p/2?$arg_s2 timeout=20ms;
            gw_aggregate_part c /p/3?$arg_s3 optional;
        }
        location = /optional {
            gw_aggregate array;
            gw_aggregate_require none;
            gw_aggregate_part a /p/1?$arg_s1 optional;
            gw_aggregate_part b /p/2?$arg_s2 optional timeout=20ms;
            gw_aggregate_part c /nested?s2=$arg_s2&s3=$arg_s3 optional;
        }
        location = /at {
            gw_aggregate object;
            gw_aggregate_part a /p/at?$arg_t-$arg_a;
            gw_aggregate_part b /p/at?$arg_t-$arg_b optional;
        }
        location = /stream {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/at?$arg_t-$arg_a optional;
            gw_aggregate_part c /p/at?$arg_t-$arg_b optional;
        }
        location = /hedged {
            gw_aggregate object;
            gw_aggregate_methods GET POST;
            gw_aggregate_timeout 1s;
            gw_aggregate_part a /fast/1 hedge=3ms;
            gw_aggregate_part b /fast/2 hedge=1ms timeout=400ms;
            gw_aggregate_part c /fast/nested optional hedge=5ms timeout=200ms;
        }
        location = /fast/nested {
            internal;
            gw_aggregate array;
            gw_aggregate_timeout 1s;
            gw_aggregate_part a /fast/3;
            gw_aggregate_part b /fast/4 hedge=4ms;
            gw_aggregate_part c /p/a;
        }
        location /fast/ {
            internal;
            proxy_pass http://fast/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
        location = /metrics { gw_metrics prometheus; }
        location = /nested {
            internal;
            gw_aggregate array;
            gw_aggregate_part a /p/1?$arg_s3;
            gw_aggregate_part b /p/2?$arg_s2;
            gw_aggregate_part c /p/a;
        }
END


# one of the processes that make requests; says what was wrong

sub worker {
    my ($n, $abort) = @_;

    my @wrong;
    my $client;

    srand(int($seed) + $n);

    for (1 .. $rounds / $parallel) {
        my @s = map { int(rand(1 << 30)) } 1 .. 3;
        my $path = ('/three', '/optional', '/hedged')[rand(3)];
        my $uri = "$path?s1=$s[0]&s2=$s[1]&s3=$s[2]";

        $client ||= GW::Client->new($nginx->{port});

        if ($abort) {
            $client->send("GET $uri HTTP/1.1\r\nHost: x\r\n\r\n");
            sleep(rand(8) / 1000);
            rand(2) < 1 ? $client->reset : $client->close;
            undef $client;
            next;
        }

        my $reply = $client->get($uri);

        if (!$reply) {
            push(@wrong, "$uri: no answer");
            undef $client;
            next;
        }

        my $body = $reply->{body};
        my $value = '(null|' . quotemeta($document) . ')';
        my $nested = '(null|' . quotemeta("[$document,$document,")
                     . quotemeta('{"x":1}]') . ')';

        my $c = $path eq '/hedged' ? $nested : $value;

        push(@wrong, "$uri: $reply->{status} " . substr($body, 0, 200))
            unless $path ne '/optional'
                   ? ($reply->{status} == 200
                      ? $body =~ /\A\{"a":\Q$document\E,"b":\Q$document\E,
                                  "c":$c\}\z/x
                      : $body =~ /\A\{"type".*"parts":\{.+\}\}\z/)
                   : ($reply->{status} == 200
                      && $body =~ /\A\[$value,$value,$nested\]\z/);

        push(@wrong, "$uri: took $reply->{time}") if $reply->{time} > 3;

        undef $client
            if ($reply->{header}{connection} || '') eq 'close';
    }

    return @wrong;
}


# the client and the back ends go away in the same millisecond

sub at_once {
    my ($n) = @_;

    srand(int($seed) + $n);

    for (1 .. $rounds / $parallel) {
        my $when = sprintf('%.6f', time() + 0.003 + rand(0.004));
        my $uri = (rand(2) < 1 ? '/at' : '/stream') . "?t=$when"
                  . join('', map { "&$_=" . int(rand(7)) } qw(a b));
        my $client = GW::Client->new($nginx->{port});

        $client->send("GET $uri HTTP/1.1\r\nHost: x\r\n\r\n");

        my $left = $when - time() + (rand(1) - 0.5) / 1000;
        sleep($left) if $left > 0;

        rand(2) < 1 ? $client->reset : $client->close;
    }

    return ();
}


sub run {
    my ($abort, $name) = @_;

    my (@pids, @files);

    for my $n (1 .. $parallel) {
        my $file = GW::tmp_dir() . "/worker$n";
        my $pid = fork();
        die unless defined $pid;

        if ($pid == 0) {
            my @wrong = eval {
                $abort == 2 ? at_once($n) : worker($n + 1000 * $abort, $abort)
            };
            push(@wrong, $@) if $@;
            open(my $fh, '>', $file);
            print $fh map { "$_\n" } @wrong;
            close($fh);
            require POSIX;
            POSIX::_exit(0);
        }

        push(@pids, $pid);
        push(@files, $file);
    }

    waitpid($_, 0) for @pids;

    my $wrong = join('', map { open(my $fh, '<', $_); <$fh> } @files);

    is($wrong, '', $name) or diag("GW_SEED=" . int($seed));
    sane($nginx, $name);
}


run(0, 'C120 random faults');
run(1, 'C103 random faults and clients that go away');
run(2, 'C103 clients and back ends that go away at once');
run(0, 'C120 once more');

my ($hedged, $won) = map {
    $nginx->get('/metrics')->{body} =~ /^gw_aggregate_${_}_total (\d+)/m
} 'parts_hedged', 'hedges_won';

note("$hedged hedged, $won won by the second request");
cmp_ok($hedged, '>', $rounds / 10, 'C120 parts are requested twice');
cmp_ok($won, '>', 0, 'C120 ... and the second request wins');

done_testing();
