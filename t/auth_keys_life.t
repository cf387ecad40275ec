# Copyright (C) the nginx gateway modules developers

# Requested keys and the lives of what takes part: clients that go away while
# they wait, workers that are killed or end, providers that never end.
#
# GW_ROUNDS: how often what depends on time is tried.

use strict;
use warnings;

use lib 't/lib';
use GW;
use GW::Client;
use GW::JOSE;
use GW::Keys;
use GW::Nginx;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);


my $rounds = $ENV{GW_ROUNDS} || 5;

my $more = <<'END';
        location ~ ^/of/(?<tenant>[^/]*)$ {
            gw_jwt test;
            gw_jwt_key_request /jwks/$tenant;
            gw_jwt_key_cache 10m cooldown=1s;
            empty_gif;
        }

        location = /any {
            satisfy any;
            allow 127.0.0.1;
            deny all;
            gw_jwt test;
            gw_jwt_key_request /jwks/down;
            empty_gif;
        }

        location = /due {
            gw_jwt test;
            gw_jwt_key_request /jwks/main;
            gw_jwt_key_cache 1s cooldown=1s max_stale=60s;
            empty_gif;
        }

        location = /early {
            set $early $gw_jwt_claim_exp;
            gw_jwt test;
            gw_jwt_key_request /jwks/main;
            gw_jwt_key_cache 1s cooldown=1s max_stale=0;
            empty_gif;
        }

        location = /wait {
            gw_jwt test;
            gw_jwt_key_request /jwks/main;
            gw_jwt_key_cache 1s cooldown=1s max_stale=0;
            empty_gif;
        }
END


# a client that is gone before it has its answer

sub leave {
    my ($path, $kid, $after) = @_;

    my $request = $nginx->begin($path, header => bearer($kid));

    sleep($after);
    close($request->{sock});
}


# the worker that has a connection to the provider

sub fetcher {
    my %inode;

    open(my $fh, '<', '/proc/net/tcp') or return;

    while (<$fh>) {
        my @f = split;
        next unless $f[2] && $f[2] =~ /:([0-9A-F]{4})$/;
        $inode{$f[9]} = 1 if hex($1) == $port && $f[3] eq '01';
    }

    for my $pid ($nginx->workers) {
        for my $fd (glob("/proc/$pid/fd/*")) {
            my $to = readlink($fd) || '';
            return $pid if $to =~ /^socket:\[(\d+)\]$/ && $inode{$1};
        }
    }

    return;
}


# R15: clients

keys_of('main', jwk('a'));
provide('main', "slow 0.6\n" . GW::JOSE::jwks(jwk('a')));
start(1, $more);

leave('/t', 'a', 0.1);
my $reply = $nginx->get('/t', header => bearer('a'));
is($reply->{status}, 200, 'R15: the client of a fetch goes away');
is(fetches(), 1, 'R15: ... the fetch goes on for another one');

provide('one', "slow 0.3\n" . GW::JOSE::jwks(jwk('a')));
leave('/of/one', 'a', 0.1);
sleep(0.5);
is(status('a', '/of/one'), '200 -', 'R15: ... or for nobody at first');
is(fetches('one'), 1, 'R15: ... it was the only one');

provide('two', "slow 0.6\n" . GW::JOSE::jwks(jwk('a')));
my @waiting = map { $nginx->begin('/of/two', header => bearer('a')) } 1 .. 9;
sleep(0.2);
close($waiting[$_]{sock}) for 1, 3, 8;
is(join(' ', map { $nginx->finish($waiting[$_])->{status} } 0, 2, 4 .. 7),
   '200 200 200 200 200 200', 'R15: some of those that wait go away');
is(fetches('two'), 1, 'R15: ... still one fetch');
clean('R15');

start(2, $more);

for my $n (1 .. $rounds) {
    provide("r$n", 'slow ' . rand(0.2) . "\n" . GW::JOSE::jwks(jwk('a')));

    my @requests = map { $nginx->begin("/of/r$n", header => bearer('a')) }
                       1 .. 12;
    my @stay;

    for my $request (@requests) {
        if (rand() < 0.5) {
            sleep(rand(0.04));
            close($request->{sock});

        } else {
            push(@stay, $request);
        }
    }

    my @bad = grep { $nginx->finish($_)->{status} != 200 } @stay;
    is(scalar(@bad), 0, 'R15: at any moment') or last;
    is(fetches("r$n"), 1, 'R15: one fetch') or last;
}

clean('R15, any moment');


# HTTP/2: frames of RFC 9113, headers as RFC 7541 allows without a table

sub frame {
    my ($type, $flags, $stream, $data) = @_;

    return substr(pack('N', length($data)), 1)
           . pack('CCN', $type, $flags, $stream) . $data;
}


sub text {
    my ($s) = @_;

    my $len = length($s);
    my $out = chr($len < 127 ? $len : 127);

    if ($len >= 127) {
        $len -= 127;

        while ($len >= 128) {
            $out .= chr($len % 128 + 128);
            $len = int($len / 128);
        }

        $out .= chr($len);
    }

    return $out . $s;
}


sub request {
    my ($stream, $path, $kid) = @_;

    return frame(1, 5, $stream, "\x82\x86\x04" . text($path) . "\x01"
                 . text('localhost') . "\x00" . text('authorization')
                 . text('Bearer ' . token($kid)));
}


# streams that have ended, with the first byte of their headers

sub answers {
    my ($sock, @streams) = @_;

    my ($in, %first, %ended) = ('');

    while (grep { !$ended{$_} } @streams) {
        last unless IO::Select->new($sock)->can_read(3);
        last unless sysread($sock, $in, 65536, length($in));

        while (length($in) >= 9) {
            my ($high, $low, $type, $flags, $stream) = unpack('nCCCN', $in);
            my $length = $high << 8 | $low;

            last if length($in) < 9 + $length;

            substr($in, 0, 9, '');
            my $data = substr($in, 0, $length, '');

            $first{$stream} = unpack('H2', $data) if $type == 1;
            $ended{$stream} = 1 if $type <= 1 && $flags & 1;
        }
    }

    return join(' ', map { $ended{$_} ? $first{$_} : 'none' } @streams);
}


sub http2 {
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $nginx->{port2}) or die;

    syswrite($sock, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(4, 0, 0, ''));

    return $sock;
}


start(1, $more);
provide('h2', "slow 0.5\n" . GW::JOSE::jwks(jwk('a')));

my $sock = http2();
syswrite($sock, join('', map { request($_, '/of/h2', 'a') } 1, 3, 5, 7));
sleep(0.2);
syswrite($sock, frame(3, 0, 1, pack('N', 8)) . frame(3, 0, 5, pack('N', 8)));

# ":status 200" is 88
is(answers($sock, 3, 7), '88 88',
   'HTTP/2: streams wait, that of the fetch is reset');
is(fetches('h2'), 1, 'HTTP/2: ... one fetch');

provide('h3', "slow 0.5\n" . GW::JOSE::jwks(jwk('a')));
syswrite($sock, join('', map { request($_, '/of/h3', 'a') } 9, 11, 13));
sleep(0.2);
my $other = $nginx->begin('/of/h3', header => bearer('a'));
sleep(0.1);
close($sock);
is($nginx->finish($other)->{status}, 200,
   'HTTP/2: the connection of the fetch is closed');
is(status('a', '/of/h3'), '200 -', 'HTTP/2: ... and others go on');

for my $n (1 .. $rounds) {
    provide("h2$n", 'slow ' . rand(0.1) . "\n" . GW::JOSE::jwks(jwk('a')));
    $sock = http2();
    syswrite($sock, join('', map { request(2 * $_ + 1, "/of/h2$n", 'a') }
                                 0 .. 9));

    for my $stream (0 .. 8) {
        sleep(rand(0.02));
        syswrite($sock, frame(3, 0, 2 * $stream + 1, pack('N', 8)));
    }

    is(answers($sock, 19), '88', 'HTTP/2: resets at any moment') or last;
    close($sock);
}

clean('HTTP/2');


# a client of HTTP/1 that keeps its connection while keys are fetched for it

keys_of('main', jwk('a'));
start(1, $more);
is(status('a', '/due'), '200 -', 'keys are there');
provide('main', "slow 0.3\n" . GW::JOSE::jwks(jwk('a'), jwk('b')));
sleep(1.1);

my $client = GW::Client->new($nginx->{port});
my $start = time();
$client->send("GET /due HTTP/1.1\r\nHost: localhost\r\n" . bearer('a')
              . "\r\nCookie: c=d\r\n\r\n"
              . "GET /due HTTP/1.1\r\nHost: localhost\r\n" . bearer('b')
              . "\r\n\r\n");
is($client->read->{status}, 200, 'keys that are due are used');
cmp_ok(time() - $start, '<', 0.25, '... at once');
is($client->read->{status}, 200, 'the next request has the new ones');
is(fetches(), 2, '... of one fetch in the background');
my $head = ($be->requests('/main'))[1];
$head =~ s/\r//g;
# nginx before 1.29.7 adds this
$head =~ s/^Connection: close\n//m;
is($head, "GET /main HTTP/1.1\nHost: 127.0.0.1:$port\n",
   'R16: which says nothing of the client, nor of who it is');

provide('main', "json Cache-Control: public, max-age=3600\n"
                . GW::JOSE::jwks(jwk('a')));
sleep(1.1);
becomes('401 kid', 'keys that are taken back', 'b', '/due');
my $before = fetches();
sleep(1.1);
status('a', '/due');
$nginx->until(2, sub { fetches() > $before });
cmp_ok(fetches(), '>', $before, 'a longer max-age of the provider is nothing');

provide('main', "json Cache-Control: max-age=0\n" . GW::JOSE::jwks(jwk('a')));
sleep(1.1);
is(status('a', '/wait'), '200 -', 'max_stale=0 waits for what is due');
is(status('a', '/early'), '200 -', 'a variable is read before');
sleep(1.1);
is(status('a', '/early'), '200 -', '... of a token that is known') for 1 .. 2;
sleep(0.2);
$before = fetches();
is(status('a'), '200 -', 'a max-age of 0') for 1 .. 5;
is(fetches(), $before, '... is a minute');
clean('due');

provide('down', "status 500\n");
is($nginx->get('/any', header => bearer('a'))->{status}, 200,
   'satisfy any: an address passes while keys are down');


# a provider that never ends

provide('drip', "drip\n");
provide('hang', "hang\n");
$start = time();
@waiting = map { $nginx->begin('/of/drip', header => bearer('a')) } 1 .. 3;
is(join(' ', map { $nginx->finish($_)->{status} } @waiting), '503 503 503',
   'a provider that does not end');
cmp_ok(time() - $start, '<', 9.5, '... is given up');
like($nginx->log, qr/"\/jwks\/drip" are not there: its answer took too long/,
     '... and told of');
is(status('a', '/of/hang'), '503 keyset_down', 'one that does not begin');
keys_of('drip', jwk('a'));
becomes('200 -', '... they may come back', 'a', '/of/drip');
clean('slow');


# a worker that is killed while it fetches

start(2, $more);
provide('kill', "hang\n");
@waiting = map { $nginx->begin('/of/kill', header => bearer('a')) } 1 .. 30;
my $pid;
$nginx->until(2, sub { $pid = fetcher() });
ok($pid, 'a worker fetches');
sleep(0.3);
keys_of('kill', jwk('a'));
$start = time();
kill('KILL', $pid);
push(@waiting, map { $nginx->begin('/of/kill', header => bearer('a')) }
                   1 .. 3);

# those of the worker that was killed have no answer
my %got = map { $nginx->finish($_)->{status} => 1 } @waiting;
cmp_ok(time() - $start, '<', 2.5, 'it is killed: others do not wait for it');
is(join(' ', sort grep { $_ != 0 } keys %got), '200',
   '... and fetch for themselves');
is(status('a', '/of/kill'), '200 -', '... and for all');
$nginx->until(5, sub { $nginx->workers == 2 });


# a worker whose clock is behind, since it was busy for long: here its time is
# that of its start, and another one was started later

sub on {
    my ($pid) = @_;

    for (1 .. 200) {
        my $client = GW::Client->new($nginx->{port});
        return $client if $client->get('/pid')->{body} == $pid;
    }
}


sub ask {
    my ($client, $kid) = @_;

    $client->send("GET /t HTTP/1.1\r\nHost: localhost\r\n" . bearer($kid)
                  . "\r\n\r\n");

    return $client->read->{status};
}


keys_of('main', jwk('a'));
start(2, 'location = /pid { return 200 $pid; }',
      main => 'timer_resolution 1000s;');
$nginx->until(5, sub { $nginx->workers == 2 });
my ($killed, $behind) = $nginx->workers;
my $old = on($behind);
sleep(0.5);
kill('KILL', $killed);
$nginx->until(5, sub {
    my @pids = $nginx->workers;
    return @pids == 2 && !grep { $_ == $killed } @pids;
});
my $new = on(grep { $_ != $behind } $nginx->workers);
is(ask($new, 'a'), 200, 'a worker has fetched keys');
is(ask($old, 'a'), 200, '... another one, with a clock behind, has them');
is(fetches(), 1, '... and does not take them for old ones');
is(ask($new, 'x'), 401, 'a worker looks for a key ID');
is(fetches(), 2, 'R02: ... once');
is(ask($old, 'x'), 401, 'R02: ... and another one');
is(fetches(), 2, 'R02: ... not within the cooldown');


# R14: reload

start(2, $more, main => 'worker_shutdown_timeout 20s;');

for my $n (1 .. $rounds) {
    provide("reload$n", 'slow ' . rand(0.3) . "\n"
                        . GW::JOSE::jwks(jwk('a')));
    my @requests = map { $nginx->begin("/of/reload$n",
                                       header => bearer('a')) } 1 .. 10;
    sleep(rand(0.3));
    $nginx->reload;
    push(@requests, map { $nginx->begin("/of/reload$n",
                                        header => bearer('a')) } 1 .. 5);

    my @bad = grep { $nginx->finish($_)->{status} != 200 } @requests;
    is(scalar(@bad), 0, 'R14: a reload while keys are fetched') or last;
}

ok($nginx->until(10, sub { $nginx->workers == 2 }),
   'R14: old workers end');
clean('R14');

provide("reload$_", "status 500\n") for 1 .. $rounds;
$nginx->reload;
sleep(0.5);
$before = fetches('reload1');
is(join(' ', grep { status('a', "/of/reload$_") ne '200 -' } 1 .. $rounds),
   '', 'R14: keys survive a reload while their source is down');
$nginx->until(5, sub { fetches('reload1') > $before });
is(fetches('reload1'), $before + 1, '... but are asked for again');


# a shutdown that does not wait for requests

start(1, $more, main => 'worker_shutdown_timeout 1s;');
provide('cut', "hang\n");
my $cut = $nginx->begin('/of/cut', header => bearer('a'));
$nginx->until(2, sub { fetches('cut') });
$nginx->reload;
sleep(0.5);
@waiting = map { $nginx->begin('/of/cut', header => bearer('a')) } 1 .. 3;
keys_of('cut', jwk('a'));
is(join(' ', map { $nginx->finish($_)->{status} } @waiting), '200 200 200',
   'a fetch that is cut is taken over by another worker');
$nginx->finish($cut);
clean('cut');


# a zone that is too small

my @large = map { GW::JOSE::jwk('rsa', kid => "k$_") } 1 .. 60;
provide('large', "json\n" . GW::JOSE::jwks(@large, map {
                     GW::JOSE::jwk('rsa', kid => "l$_", x => 'x' x 70_000)
                 } 1 .. 3));
keys_of('main', jwk('a'));
start(2, $more, http => 'gw_auth_zone small:128k;');
is(status('a', '/of/large'), '503 keyset_down', 'a zone that is too small');
like($nginx->log, qr/there is no room for it, make "gw_auth_zone" larger/,
     '... is told of');
is(status('a'), '200 -', '... other keys are there');
clean('small');

is($nginx->stop, 1, 'nginx stops');

done_testing();
