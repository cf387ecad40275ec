#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# All three modules in one nginx, with good and bad clients, while nginx is
# reloaded, its workers are killed, Redis stops or dies, and keys change.
# Whatever happens: a client sees its own identity or none, what is bad never
# passes, what is good fails only with its connection, and afterwards
# everything is as before.
#
# GW_STRESS_TIME is the number of seconds, GW_SEED what the choices depend on.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Backend;
use GW::Client;
use GW::JOSE;
use GW::Nginx;
use GW::Redis;
use Digest::SHA ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{GW_STRESS_TIME} || 12;
my $seed = $ENV{GW_SEED} || time() ^ $$;
my $parallel = 4;
my $people = 12;

note("GW_SEED=" . int($seed));

my $dir = GW::tmp_dir();
my $keys = "$dir/keys.json";


# a set with the two keys of the tokens and another one, which changes

sub publish {
    my ($n) = @_;

    my $set = GW::JOSE::jwks(GW::JOSE::jwk('p256', kid => 'a'),
                             GW::JOSE::jwk('rsa', kid => 'b'),
                             GW::JOSE::jwk('ed25519', kid => "c$n"));

    GW::JOSE::spew("$keys.new", $set);
    chmod(0644, "$keys.new");
    rename("$keys.new", $keys) or die "$keys: $!";
}

publish(0);

my @api_keys = map { "key-of-user$_-" . 'x' x 20 } 0 .. $people - 1;

GW::JOSE::spew("$dir/api-keys", join('', map {
    'sha256:' . Digest::SHA::sha256_hex($api_keys[$_]) . " user$_\n"
} 0 .. $people - 1));
chmod(0644, "$dir/api-keys");

my (@tokens, @bad);

for my $n (0 .. $people - 1) {
    my %claims = (iss => 'https://id.example', aud => 'api',
                  sub => "user$n", scope => 'read');

    push(@tokens, $n % 2
        ? GW::JOSE::jwt('RS256', 'rsa', \%claims, kid => 'b')
        : GW::JOSE::jwt('ES256', 'p256', \%claims, kid => 'a'));
}

for my $token (@tokens[0 .. 3]) {
    my $copy = $token;

    # not the last character, whose low bits are no part of the signature
    substr($copy, -9, 1) =~ tr/A-Za-z/B-ZAb-za/;
    push(@bad, $copy) if $copy ne $token;
}

push(@bad, 'a.b.c', 'x' x 500,
     GW::JOSE::jwt('ES256', 'p256b', { iss => 'https://id.example',
                       aud => 'api', sub => 'user0' }, kid => 'a'),
     GW::JOSE::jwt('ES256', 'p256b', { iss => 'https://id.example',
                       aud => 'api', sub => 'user0' }, kid => 'none'),
     GW::JOSE::jwt('ES256', 'p256', { iss => 'https://id.example',
                       aud => 'api', sub => 'user0', exp => 1 },
                   kid => 'a'),
     GW::JOSE::jwt('ES256', 'p256', { iss => 'https://other.example',
                       aud => 'api', sub => 'user0' }, kid => 'a'));

my $be = GW::Backend->new(
    '/who' => sub {
        my ($conn, $req) = @_;

        sleep(rand(4) / 1000) if rand(4) < 1;
        $conn->json('{"who":"' . ($req->{header}{'x-consumer'} || '')
                    . '"}');
    },
    '/keys' => sub { $_[0]->json(GW::JOSE::slurp($keys)) },
    '/nothing' => sub { $_[0]->rst },
);

my $redis = GW::Redis->new;
my $server = $redis->server;
my $port = $be->port;

my $nginx = GW::Nginx->new(level => 'warn', workers => 4,
    http => <<"END");
    gw_redis main { server $server; timeout 20ms; }
    gw_auth_zone auth:2m;
    gw_limit_zone \$gw_consumer zone=consumer:128k rate=100000r/s redis=main;
    gw_limit_zone \$binary_remote_addr zone=ip:128k rate=1000000r/s;
    gw_api_keys people { file $dir/api-keys; }

    gw_jwt_issuer watched {
        issuer    https://id.example;
        audience  api;
        key_file  $keys jwks watch=1s;
    }
    gw_jwt_issuer asked {
        issuer       https://id.example;
        audience     api;
        key_request  /keys;
        key_cache    60s cooldown=1s;
    }

    upstream be { server 127.0.0.1:$port; keepalive 8; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header X-Consumer \$gw_consumer;

    server {
        listen 127.0.0.1:%%PORT%%;
        gw_limit zone=ip burst=100000 nodelay phase=preaccess;

        location = /status { gw_limit off; stub_status; }
        location = /keys { internal; proxy_pass http://be/keys; }
        location = /who { internal; proxy_pass http://be/who; }
        location = /nothing { internal; proxy_pass http://be/nothing; }

        location = /watched {
            gw_jwt api issuer=watched;
            gw_limit zone=consumer burst=100000 nodelay;
            proxy_pass http://be/who;
        }
        location = /asked {
            gw_jwt api issuer=asked;
            gw_auth_scope read;
            gw_limit zone=consumer burst=100000 nodelay;
            proxy_pass http://be/who;
        }
        location = /key {
            gw_api_key api store=people;
            gw_limit zone=consumer burst=100000 nodelay;
            proxy_pass http://be/who;
        }
        location = /both {
            gw_jwt api issuer=asked;
            gw_aggregate object;
            gw_aggregate_errors off;
            gw_aggregate_part a /who;
            gw_aggregate_part b /nothing optional;
            gw_aggregate_part c /who optional;
        }
    }
END

my %body = (
    '/watched' => '{"who":"%s"}',
    '/asked' => '{"who":"%s"}',
    '/key' => '{"who":"%s"}',
    '/both' => '{"a":{"who":"%1$s"},"b":null,"c":{"who":"%1$s"}}',
);

my @paths = sort keys %body;


# one request: its text, and whom it is of ('' if nobody)

sub request {
    my $path = $paths[rand(@paths)];
    my $n = int(rand($people));
    my ($header, $who);

    if (rand(4) < 1) {
        $who = '';
        $header = $path eq '/key' ? 'X-API-Key: ' . 'y' x rand(40)
                                  : "Authorization: Bearer $bad[rand(@bad)]";
    } else {
        $who = "user$n";
        $header = $path eq '/key' ? "X-API-Key: $api_keys[$n]"
                                  : "Authorization: Bearer $tokens[$n]";
    }

    return [$path, "GET $path HTTP/1.1\r\nHost: x\r\n$header\r\n\r\n", $who];
}


# a client; counts what it has seen, and says what was wrong

sub client {
    my ($n, $end) = @_;

    my (@wrong, %seen, $client);

    srand(int($seed) + $n);

    while (time() < $end) {
        $client ||= eval { GW::Client->new($nginx->{port}) };

        if (!$client) {
            sleep(0.01);
            next;
        }

        # some in one write, answered in order
        my @requests = map { request() } 1 .. 1 + int(rand(3));

        $client->send(join('', map { $_->[1] } @requests));

        if (rand(12) < 1) {
            sleep(rand(5) / 1000);
            rand(2) < 1 ? $client->reset : $client->close;
            undef $client;
            next;
        }

        for my $request (@requests) {
            my ($path, undef, $who) = @$request;
            my $reply = $client->read;

            if (!$reply) {
                # its worker was killed, or was shutting down
                $seen{lost}++;
                undef $client;
                last;
            }

            my $status = $reply->{status};
            $seen{$status}++;

            if ($who eq '') {
                push(@wrong, "$path, a bad credential: $status")
                    if $status !~ /^4/;

            } elsif ($status != 200
                     || $reply->{body} ne sprintf($body{$path}, $who))
            {
                push(@wrong, "$path of $who: $status $reply->{body}");
            }

            if (($reply->{header}{connection} || '') eq 'close') {
                undef $client;
                last;
            }
        }

        last if @wrong > 20;
    }

    return (\@wrong, \%seen);
}


sub start_client {
    my ($n, $end) = @_;

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    return $pid if $pid;

    my ($wrong, $seen) = eval { client($n, $end) };

    $wrong = [$@] if $@;
    GW::JOSE::spew("$dir/client$n", join('', map { "wrong $_\n" } @$wrong)
                   . join('', map { "seen $_ $seen->{$_}\n" }
                              sort keys %{ $seen || {} }));
    POSIX::_exit(0);
}


# first every set is known: until then a request waits for it

for my $path (@paths) {
    my $header = $path eq '/key' ? "X-API-Key: $api_keys[0]"
                                 : "Authorization: Bearer $tokens[0]";

    is($nginx->get($path, header => $header)->{body},
       sprintf($body{$path}, 'user0'), "before: $path");
}

my $end = time() + $seconds;
my @pids = map { start_client($_, $end) } 1 .. $parallel;
my ($killed, $reloads, $sets) = (0, 0, 0);

srand(int($seed));

while (time() < $end - 1) {
    my $what = int(rand(6));

    if ($what == 0) {
        $nginx->reload;
        $reloads++;

    } elsif ($what == 1) {
        my @workers = $nginx->workers;
        kill('KILL', $workers[rand(@workers)]);
        $killed++;

    } elsif ($what == 2) {
        $redis->pause;
        sleep(rand(0.3));
        $redis->resume;

    } elsif ($what == 3) {
        $redis->kill;
        sleep(rand(0.3));
        $redis->start;

    } elsif ($what == 4) {
        publish(++$sets);
    }

    sleep(rand(0.5));
}

waitpid($_, 0) for @pids;

my ($wrong, %seen) = ('');

for my $n (1 .. $parallel) {
    my $text = GW::JOSE::slurp("$dir/client$n");

    $wrong .= $1 while $text =~ /^wrong (.*\n)/mg;
    $seen{$1} += $2 while $text =~ /^seen (\S+) (\d+)$/mg;
}

note("$reloads reloads, $killed workers killed, $sets sets of keys; "
     . join(', ', map { "$_: $seen{$_}" } sort keys %seen));

is($wrong, '', 'everybody has been served as himself')
    or diag('GW_SEED=' . int($seed));
cmp_ok($seen{200} || 0, '>', 100, 'there was a load');
cmp_ok($seen{401} || 0, '>', 20, 'with bad credentials');

ok($nginx->until(20, sub { $nginx->workers == 4 }),
   'old workers have gone');

for my $path (@paths) {
    my $header = $path eq '/key' ? "X-API-Key: $api_keys[1]"
                                 : "Authorization: Bearer $tokens[1]";

    is($nginx->get($path, header => $header)->{body},
       sprintf($body{$path}, 'user1'), "after: $path");
}

my @log = grep { !/exited on signal 9/ }
          grep { /\[(?:alert|crit|emerg)\]/ } split(/\n/, $nginx->log);

is(join("\n", @log), '', 'nothing bad is logged')
    or diag('GW_SEED=' . int($seed));

for my $secret (@tokens, @api_keys) {
    next if index($nginx->log, $secret) < 0;
    fail('a credential is in the log');
    last;
}

ok($nginx->stop, 'it ends when it is told to');

done_testing();
