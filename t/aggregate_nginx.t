#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: parts whose locations use what nginx has: other upstream
# modules, servers that are tried in turn, resolvers, TLS, caches.

use strict;
use warnings;

use lib 't/lib';

use FCGI;
use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::DNS;
use GW::Nginx;
use GW::TLS;
use IO::Socket::INET;
use Symbol ();
use Test::More;
use Time::HiRes qw(sleep time);

my $type = 'Content-Type: application/json';

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/b' => sub { $_[0]->json('[1,2]') },
    '/text' => sub { $_[0]->json("\"</script>\xe2\x80\xa8\\u2028\"") },
    '/304' => sub { $_[0]->head(304, 'ETag: "b"') },
    '/early' => sub {
        $_[0]->send("HTTP/1.1 103 Early Hints\r\n"
                    . "Link: </style.css>; rel=preload\r\n\r\n");
        $_[0]->json('[1,2]');
    },
    '/101' => sub {
        $_[0]->send("HTTP/1.1 101 Switching Protocols\r\n"
                    . "Connection: upgrade\r\nUpgrade: any\r\n\r\nbytes");
        $_[0]->close;
    },
    '/locked' => sub { $_[0]->delay(0.5); $_[0]->json('[1,2]') },
    '/fresh' => sub {
        my ($conn, $req) = @_;

        if ($req->{header}{'if-none-match'}) {
            $conn->head(304, 'ETag: "v1"', 'Cache-Control: max-age=1');
            return;
        }

        $conn->json('[1,2]', 'ETag: "v1"', 'Cache-Control: max-age=1');
    },
    '/ten' => sub { $_[0]->json('"' . 'x' x 10_000_000 . '"') },
    '/swr' => sub { $_[0]->delay(0.4); $_[0]->json('[1,2]') },
    '*' => sub { $_[0]->answer(404, 'text/html', 'none') },
);


# servers of other protocols that we have written: a connection, an answer

sub serve {
    my ($answer) = @_;

    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
                                       ReuseAddr => 1) or die "listen: $!";
    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        $SIG{TERM} = 'DEFAULT';
        $SIG{PIPE} = 'IGNORE';

        while (my $sock = $listen->accept) {
            $answer->($sock);
            close($sock);
        }

        POSIX::_exit(0);
    }

    push(@main::servers, $pid);

    return $listen->sockport;
}

our @servers;
my $owner = $$;

END {
    if ($$ == $owner) {
        my $status = $?;

        kill('KILL', @servers);
        waitpid($_, 0) for @servers;
        $? = $status;
    }
}

my $cgi = "Status: 200 OK\r\n$type\r\n\r\n[1,2]";

# of others, where there is a server of them

sub program {
    my ($run) = @_;

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        $SIG{TERM} = 'DEFAULT';
        $run->();
        POSIX::_exit(1);
    }

    push(@main::servers, $pid);
}

sub connected {
    my ($port) = @_;

    for (1 .. 250) {
        my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $port);
        return $sock if $sock;
        sleep(0.02);
    }

    die "no server at port $port";
}

my $memcached = GW::free_port();

program(sub {
    exec('memcached', '-l', '127.0.0.1', '-p', $memcached, '-U', 0,
         '-u', 'nobody', '-m', 8);
});

my $store = connected($memcached);
print $store "set there 0 0 5\r\n[1,2]\r\n";
like(scalar(<$store>), qr/^STORED/, 'memcached has a value');
close($store);

my $fastcgi = GW::free_port();
my $listen = FCGI::OpenSocket("127.0.0.1:$fastcgi", 64);

program(sub {
    my %param;
    my ($in, $out, $err) = map { Symbol::gensym() } 1 .. 3;
    my $request = FCGI::Request($in, $out, $err, \%param, $listen);

    while ($request->Accept >= 0) {
        my $body = $param{REQUEST_METHOD} eq 'GET' ? '[1,2]' : 'null';
        print $out "Status: 200 OK\r\n$type\r\n\r\n$body";
    }
});

# answers JSON, or as gRPC does: a message with its length, and trailers

my $grpc = GW::free_port();

program(sub {
    exec('node', '-e', <<"END");
        const server = require('http2').createServer();

        server.on('stream', (stream, headers) => {
            const grpc = headers[':path'] === '/l/grpc_type';

            stream.respond({ ':status': 200, 'content-type': grpc
                             ? 'application/grpc' : 'application/json' },
                           { waitForTrailers: true });
            stream.on('wantTrailers',
                      () => stream.sendTrailers({ 'grpc-status': '0' }));
            stream.end(grpc ? '\\0\\0\\0\\0\\x02\\x08\\x01' : '[1,2]');
        });

        server.listen($grpc, '127.0.0.1');
END
});

close(connected($grpc));

my $uwsgi = serve(sub {
    my ($sock) = @_;

    read($sock, my $head, 4);
    read($sock, my $data, unpack('xv', $head));
    print $sock "HTTP/1.1 200 OK\r\n$type\r\n\r\n[1,2]";
});

my $scgi = serve(sub {
    my ($sock) = @_;

    local $/ = ':';
    my $length = <$sock>;
    chop($length);
    read($sock, my $data, $length + 1);
    print $sock $cgi;
});


my $dns = GW::DNS->new(code => 3);
my $resolver = $dns->server;
my $ca = GW::TLS->ca('parts');
my $other = GW::TLS->ca('others');
my $cert = $ca->cert('back', 'DNS:back.test');
my ($ca_file, $other_file) = ($ca->file, $other->file);
my $down = GW::free_port();
my $tls = GW::free_port();
my $port = $be->port;

my $dir = GW::tmp_dir() . '/files';
mkdir($dir);
chmod(0755, $dir);
open(my $fh, '>', "$dir/there.json") or die;
print $fh '[1,2]';
close($fh);
chmod(0644, "$dir/there.json");

sub location {
    my ($name, $pass, $more) = @_;

    $more ||= '';

    return <<"END";
        location = /of/$name {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /l/$name optional;
        }
        location = /l/$name { internal; $pass; $more }
END
}

my $nginx = GW::Nginx->new(workers => 1, http => agg_server($be,
    http => <<"HTTP",
    upstream two {
        server 127.0.0.1:$down max_fails=0;
        server 127.0.0.1:$port backup;
    }
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    large_client_header_buffers 8 48k;
    gw_aggregate_max_size 16m;
    gw_aggregate_part_max_size 16m;

    server {
        listen 127.0.0.1:$tls ssl;
        ssl_certificate $cert->{cert};
        ssl_certificate_key $cert->{key};
        location / { default_type application/json; return 200 '[1,2]'; }
    }
    upstream ten { server 127.0.0.1:$port; keepalive 1; }
HTTP
    server => join('', 'add_header X-Cache $gw_part_b_cache;',
        location('next', 'proxy_pass http://two/b',
                 'proxy_next_upstream error timeout;'),
        location('name', 'proxy_pass http://$unknown/b',
                 "set \$unknown none.test; resolver $resolver; "
                 . 'resolver_timeout 2s;'),
        location('tls', "proxy_pass https://127.0.0.1:$tls/",
                 "proxy_ssl_trusted_certificate $ca_file; "
                 . 'proxy_ssl_verify on; proxy_ssl_name back.test;'),
        location('tls_bad', "proxy_pass https://127.0.0.1:$tls/",
                 "proxy_ssl_trusted_certificate $other_file; "
                 . 'proxy_ssl_verify on; proxy_ssl_name back.test; '
                 . 'proxy_ssl_session_reuse off;'),
        location('memcached', 'set $memcached_key there',
                 "memcached_pass 127.0.0.1:$memcached; "
                 . 'default_type application/json;'),
        location('memcached_none', 'set $memcached_key none',
                 "memcached_pass 127.0.0.1:$memcached;"),
        location('fastcgi', "fastcgi_pass 127.0.0.1:$fastcgi",
                 'fastcgi_param REQUEST_METHOD $request_method;'),
        location('uwsgi', "uwsgi_pass 127.0.0.1:$uwsgi",
                 'uwsgi_param REQUEST_METHOD $request_method;'),
        location('scgi', "scgi_pass 127.0.0.1:$scgi",
                 'scgi_param REQUEST_METHOD $request_method;'),
        location('grpc', "grpc_pass grpc://127.0.0.1:$grpc"),
        location('grpc_type', "grpc_pass grpc://127.0.0.1:$grpc"),
        location('file', "alias $dir/there.json",
                 'default_type application/json;'),
        location('return', "return 200 '[1,2]'",
                 'default_type application/json;'),
        location('gif', 'empty_gif'),
        location('index/', "alias $dir/",
                 'autoindex on; autoindex_format json;'),
        location('index_html/', "alias $dir/", 'autoindex on;'),
        location('ten', 'proxy_pass http://ten/ten',
                 'proxy_http_version 1.1; proxy_set_header Connection "";'),
        location('swr', 'proxy_cache cache',
                 "proxy_pass http://127.0.0.1:$port/swr; "
                 . 'proxy_cache_valid 200 1s; proxy_cache_use_stale updating;'
                 . ' proxy_cache_background_update on;'),
        location('expired', 'proxy_cache cache',
                 "proxy_pass http://127.0.0.1:$port/b; "
                 . 'proxy_cache_valid 200 1s;'),
        location('files', "root $dir",
                 'default_type application/json; '
                 . 'try_files /none.json /there.json =404;'),
        location('none', "root $dir", 'try_files /none.json =404;'),
        location('locked', 'proxy_cache cache',
                 "proxy_pass http://127.0.0.1:$port/locked; "
                 . 'proxy_cache_valid 200 10s; proxy_cache_lock on;'),
        location('fresh', 'proxy_cache cache',
                 "proxy_pass http://127.0.0.1:$port/fresh; "
                 . 'proxy_cache_revalidate on;'),
    ) . join('',
             (map {
                 my $n = $_;

                 "        location = /waiters$n {\n"
                 . "            gw_aggregate object;\n"
                 . "            gw_aggregate_max_subrequests $n;\n",
                 (map { "            gw_aggregate_part p$_ /l/lock?k=$n&$_;\n" }
                      1 .. $n),
                 "        }\n"
             } 64, 200),
             '        location = /l/lock { internal; proxy_cache cache; '
             . 'proxy_cache_key $arg_k; proxy_cache_lock on; '
             . 'proxy_cache_valid 200 10s; '
             . "proxy_pass http://127.0.0.1:$port/locked; }\n")));

my $client = GW::Client->new($nginx->{port});
my $whole = '{"a":{"x":1},"b":[1,2]}';

complete($client->get('/of/next'), $whole, 'C16 the next server of the two');
degraded($client->get('/of/name'), 'unreachable', 'C17 no such name');
complete($client->get('/of/tls'), $whole, 'C18 a back end with TLS');
degraded($client->get('/of/tls_bad'), 'unreachable',
         'C18 a certificate that nobody has asked for');

degraded($client->get('/agg?a=a&b=304', 'If-None-Match: "b"'), 'status',
         'C24 an optional part that is not modified');
failed($client->get('/agg?a=304&b=b', 'If-None-Match: "b"'), 502,
       { a => 'status' }, 'C24 a required part that is not modified');

# nginx knows 103 since 1.29

my $binary = GW::nginx_binary();
my ($minor) = `$binary -v 2>&1` =~ m{/1\.(\d+)};
my $early = $client->get('/agg?a=a&b=early');

if ($minor >= 29) {
    complete($early, $whole, 'C29 early hints');

} else {
    degraded($early, 'status', 'C29 early hints are no answer');
}

complete($client->get("/of/$_"), $whole, "C34 a part by $_")
    for qw(memcached fastcgi uwsgi scgi grpc file return);
degraded($client->get("/of/$_"), 'type', "C34 $_ is no JSON")
    for qw(gif grpc_type index_html/);

my $index = $client->get('/of/index/');
like($index->{body},
     qr/^\{"a":\{"x":1\},"b":\[\s*\{ "name":"there.json", [^\]]*\}\s*\]\}$/,
     'C34 autoindex_format json');
is($index->{header}{'x-gw-completed'}, 'true', 'C34 ... is complete');
degraded($client->get('/of/memcached_none'), 'status',
         'C34 memcached does not have it');
complete($client->get('/of/files'), $whole, 'C35 try_files');
degraded($client->get('/of/none'), 'status', 'C35 try_files finds nothing');

complete($client->get('/agg?a=a&b=text'),
         "{\"a\":{\"x\":1},\"b\":\"</script>\xe2\x80\xa8\\u2028\"}",
         'C54 what scripts and lines might end');

degraded($client->get('/agg?a=a&b=101', 'Connection: upgrade',
                      'Upgrade: any'), 'status', 'C90 a part that upgrades');
unlike(($be->requests('/101'))[-1], qr/^Upgrade/mi,
       'C90 ... which nobody has asked it to');

# C70: all that a cache can say

sub cached {
    my ($path, $status, $name, @clients) = @_;

    my $reply = ($clients[0] || $client)->get("/of/$path");

    complete($reply, $whole, "C70 $name");
    is($reply->{header}{'x-cache'}, $status, "C70 $name: $status");

    return $reply->{time};
}

cached('swr', 'MISS', 'cold');
cached('swr', 'HIT', 'warm');
cached('expired', 'MISS', 'without stale answers');
sleep(2.1);
within(cached('swr', 'STALE', 'old'), 0, 0.1, 'C70 old: at once');
within(cached('swr', 'UPDATING', 'while it is updated',
              GW::Client->new($nginx->{port})), 0, 0.1,
       'C70 while it is updated: at once');
$client = GW::Client->new($nginx->{port});
cached('expired', 'EXPIRED', 'without stale answers, old');
ok($nginx->until(2, sub {
    GW::Client->new($nginx->{port})->get('/of/swr')->{header}{'x-cache'}
        eq 'HIT';
}), 'C70 updated: HIT');
is(scalar($be->requests('/swr')), 2, 'C70 one request updates it');

# C71: one request of the back end for all that wait

my @clients = map { GW::Client->new($nginx->{port}) } 1 .. 50;
my $line = "GET /of/locked HTTP/1.1\r\nHost: a\r\n\r\n";

$_->send($line) for @clients;
my @replies = map { $_->read } @clients;
is(scalar(grep { $_ && $_->{body} eq $whole } @replies), 50,
   'C71 50 clients of a cold cache');
is(scalar($be->requests('/locked')), 1, 'C71 ... ask once');
$_->close for @clients;

# C72

complete($client->get('/of/fresh'), $whole, 'C72 a part for the cache');
sleep(2.1);
my $fresh = $client->get('/of/fresh');
complete($fresh, $whole, 'C72 ... which is asked again');
is($fresh->{header}{'x-cache'}, 'REVALIDATED', 'C72 ... and may be used on');
is(scalar(grep { /^If-None-Match/mi } $be->requests('/fresh')), 1,
   'C72 ... whether it has changed');

# C93

my @many = map { "X-Header-$_: " . 'v' x 20 } 1 .. 200;
complete($client->get('/agg?a=a&b=b', @many, 'Cookie: c=' . 'x' x 32_000),
         $whole, 'C93 200 header fields, a cookie of 32 KB');
is(scalar(grep { /^Cookie: c=x{32000}/mi } $be->requests('/b')), 1,
   'C93 ... are sent on');

# C121

my $reply;

for my $n (64, 200) {
    $be->clear;
    complete($client->get("/waiters$n"),
             '{' . join(',', map { "\"p$_\":[1,2]" } 1 .. $n) . '}',
             "C121 $n parts, all but one wait for a lock");
    is(scalar($be->requests('/locked')), 1, 'C121 ... of one request');
}

$client->close;
sane($nginx, 'parts');

# C112: no connection is left for the parts

my $few = GW::Nginx->new(workers => 1, connections => 24,
                         http => agg_server($be));
my @idle;

for (1 .. 64) {
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $few->{port}) or last;
    push(@idle, GW::Client->new($few->{port})) if @idle < 12;
    close($sock);
}

$_->send("GET /agg?a=locked&b=b HTTP/1.1\r\nHost: a\r\n\r\n") for @idle;
my %seen;

for (@idle) {
    my $reply = eval { $_->read };
    $seen{$reply ? $reply->{status} : 'closed'}++;
}

is(join(' ', grep { !/^(?:200|502|503|closed)$/ } keys %seen), '',
   'C112 requests without connections for their parts');
ok($seen{502} || $seen{503} || $seen{closed}, 'C112 ... some are refused');
$_->close for grep { $_->{sock} } @idle;
$few->until(5, sub {
    my $reply = eval { GW::Client->new($few->{port})->get('/agg?a=a&b=b') };
    return $reply && $reply->{status} == 200;
});
complete(GW::Client->new($few->{port})->get('/agg?a=a&b=b'), $whole,
         'C112 ... and those after them answered');
like($few->log, qr/worker_connections are not enough/, 'C112 it is told of');

# C115: an answer that is read slowly holds no back end, and no processor

my $slow = GW::Client->new($nginx->{port});
my $ten = '{"a":{"x":1},"b":"' . 'x' x 10_000_000 . '"}';

setsockopt($slow->{sock}, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 65536);
$be->clear;
$slow->send("GET /of/ten HTTP/1.1\r\nHost: a\r\n\r\n");
sysread($slow->{sock}, $slow->{in}, 1);
my $before = cpu($nginx);

for (1 .. 20) {
    sysread($slow->{sock}, $slow->{in}, 1024, length($slow->{in}));
    sleep(0.1);
}

cmp_ok(cpu($nginx) - $before, '<', 0.2, 'C115 a slow client is waited for');
ok(!grep({ m{^/of/ten} } parts_log()), 'C115 ... which has not got it all yet');
$client = GW::Client->new($nginx->{port});
ok($client->get('/of/ten')->{body} eq $ten, 'C115 others are answered');
my @conns = map { m{^REQUEST \S+ (\d+) GET /ten } ? $1 : () } $be->events;
is(scalar(@conns), 2, 'C115 ... by the back end');
is($conns[0], $conns[1], 'C115 ... whose connection was free');
$reply = $slow->read;
ok($reply && $reply->{body} eq $ten, 'C115 the slow one has it all');
$_->close for $slow, $client;
sane($nginx, 'slow clients');

done_testing();


sub parts_log {
    open(my $fh, '<', "$nginx->{dir}/logs/parts.log") or return ();

    return <$fh>;
}


# seconds of processor that the worker has used

sub cpu {
    my ($nginx) = @_;

    my ($pid) = $nginx->workers;
    open(my $fh, '<', "/proc/$pid/stat") or return 0;
    my @stat = split(/ /, <$fh> =~ s/^.*\) //r);

    return ($stat[11] + $stat[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}
