#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# The identity of one request is never seen in another: many clients at once
# over one HTTP/2 connection, HTTP/1.0, and what nginx combines with the
# module (H05, H07).

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Backend;
use GW::JOSE;
use GW::Nginx;
use IO::Select;
use IO::Socket::INET;
use Test::More;

my $dir = GW::tmp_dir();
my $clients = 96;

GW::JOSE::spew("$dir/oct.json", GW::JOSE::jwk('oct64', kid => 'o'));
chmod(0644, "$dir/oct.json");


sub who {
    my ($conn, $req) = @_;

    # answers overtake each other
    select(undef, undef, undef, rand(0.02));
    $conn->json('<' . ($req->{header}{'x-consumer'} || '') . '>');
}

my $be = GW::Backend->new(
    '/who' => \&who,
    '/named' => \&who,
    '/yes' => sub { $_[0]->json('{}') },
    '/no' => sub { $_[0]->answer(403, 'text/plain', 'no') },
);

my $port = $be->port;
my $port2 = GW::free_port();

my $nginx = GW::Nginx->new(level => 'warn', http => <<"END");
    gw_jwt_key_file $dir/oct.json;
    gw_jwt_algorithms HS256;

    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:$port2 http2;
        error_page 401 = \@refused;

        proxy_set_header X-Consumer \$gw_consumer;

        location = /who {
            set \$early \$gw_consumer;
            gw_jwt api;
            proxy_set_header X-Consumer \$gw_consumer;
            proxy_set_header X-Early \$early;
            proxy_pass http://127.0.0.1:$port/who;
        }

        location \@refused { return 401 "refused=<\$gw_consumer>"; }

        # auth_request beside a token, and instead of one
        location = /all/yes {
            gw_jwt api;
            auth_request /ask/yes;
            proxy_pass http://127.0.0.1:$port/who;
        }
        location = /all/no {
            gw_jwt api;
            auth_request /ask/no;
            proxy_pass http://127.0.0.1:$port/who;
        }
        location = /any/yes {
            satisfy any;
            gw_jwt api;
            auth_request /ask/yes;
            proxy_pass http://127.0.0.1:$port/who;
        }
        location = /any/no {
            satisfy any;
            gw_jwt api;
            auth_request /ask/no;
            proxy_pass http://127.0.0.1:$port/who;
        }
        location /ask/ {
            internal;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_pass http://127.0.0.1:$port/;
        }

        # a method that needs a token with a right
        location = /method {
            limit_except GET {
                gw_jwt api;
                gw_auth_scope write;
            }
            proxy_pass http://127.0.0.1:$port/who;
        }

        # a mirror has the identity of its request
        location = /mirrored {
            gw_jwt api;
            mirror /mirror;
            proxy_pass http://127.0.0.1:$port/who;
        }
        location = /mirror {
            internal;
            proxy_set_header X-Consumer "mirror of \$gw_consumer";
            proxy_pass http://127.0.0.1:$port/yes;
        }

        # one redirect after another, through an open and a closed location
        location = /open {
            proxy_pass http://127.0.0.1:$port/who;
        }
        location = /there {
            gw_jwt api;
            try_files /none /open;
        }
        location = /back {
            gw_jwt api optional;
            try_files /none /who;
        }
        location = /named {
            gw_jwt api;
            try_files /none \@name;
        }
        location \@name { proxy_pass http://127.0.0.1:$port; }
    }
END


sub token {
    my ($name, %claims) = @_;

    return GW::JOSE::jwt('HS256', 'oct64', { sub => $name, %claims },
                         kid => 'o');
}

my @token = map { token("client$_") } 0 .. $clients - 1;
my $bad = substr($token[0], 0, -3) . 'AAA';


# HTTP/2, as much of it as is needed: RFC 9113, and HPACK without a table

sub frame {
    my ($type, $flags, $stream, $data) = @_;

    return substr(pack('N', length($data)), 1)
           . pack('CCN', $type, $flags, $stream) . $data;
}


sub text {
    my ($s) = @_;

    my $len = length($s);
    my $out = chr($len < 127 ? $len : 127);

    for ($len -= 127; $len >= 0; $len = int($len / 128)) {
        $out .= chr($len < 128 ? $len : $len % 128 + 128);
        last if $len < 128;
    }

    return $out . $s;
}


sub request {
    my ($stream, $path, $token) = @_;

    return frame(1, 5, $stream, "\x82\x86\x04" . text($path) . "\x01"
                 . text('localhost')
                 . (defined $token ? "\x00" . text('authorization')
                                     . text("Bearer $token") : ''));
}


# the bodies of all these streams

sub bodies {
    my ($sock, @streams) = @_;

    my ($in, %body, %ended) = ('');

    while (grep { !$ended{$_} } @streams) {
        last unless IO::Select->new($sock)->can_read(10);
        last unless sysread($sock, $in, 65536, length($in));

        while (length($in) >= 9) {
            my ($high, $low, $type, $flags, $stream) = unpack('nCCCN', $in);
            my $length = $high << 8 | $low;

            last if length($in) < 9 + $length;

            substr($in, 0, 9, '');
            my $data = substr($in, 0, $length, '');

            $body{$stream} .= $data if $type == 0;
            $ended{$stream} = 1 if $type <= 1 && $flags & 1;
        }
    }

    return map { $ended{$_} && defined $body{$_} ? $body{$_} : 'none' }
               @streams;
}


my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $port2) or die;

syswrite($sock, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(4, 0, 0, ''));

# every third has no token, or a bad one
my @want = map { $_ % 3 ? "<client$_>" : 'refused=<>' } 0 .. $clients - 1;
my @sent = map { $_ % 3 ? $token[$_] : $_ % 2 ? undef : $bad }
               0 .. $clients - 1;

for my $round (0 .. 2) {
    my @streams = map { 1 + 2 * ($round * $clients + $_) } 0 .. $clients - 1;

    syswrite($sock, join('', map { request($streams[$_], '/who', $sent[$_]) }
                                 0 .. $clients - 1));

    is(join(' ', bodies($sock, @streams)), "@want",
       "H05 HTTP/2: $clients clients at once, round $round");
}

close($sock);


# HTTP/1.0, with and without keepalive

for my $keep ('', "Connection: keep-alive\r\n") {
    my $conn = $nginx->connect;
    my $got = '';

    for my $n ($keep ? 1 .. 6 : 1) {
        my $line = $n % 3 ? "Authorization: Bearer $token[$n]\r\n" : '';

        syswrite($conn, "GET /who HTTP/1.0\r\n$keep$line\r\n");

        my $in = '';
        while (IO::Select->new($conn)->can_read(5)) {
            sysread($conn, $in, 65536, length($in)) or last;
            last if $in =~ /\r\n\r\n.*>\z/s;
        }

        $got .= $1 if $in =~ /\r\n\r\n(.*)\z/s;
    }

    is($got, $keep ? '<client1><client2>refused=<><client4><client5>refused=<>'
                   : '<client1>',
       'H05 HTTP/1.0' . ($keep ? ' with keepalive' : ''));
}


# what nginx combines

sub get {
    my ($path, $token) = @_;

    my $reply = $nginx->get($path,
        defined $token ? (header => "Authorization: Bearer $token") : ());

    return "$reply->{status} $reply->{body}";
}

for ([ '/all/yes', $token[1], '200 <client1>' ],
     [ '/all/yes', undef, '401 refused=<>' ],
     [ '/all/yes', $bad, '401 refused=<>' ],
     [ '/any/yes', $token[1], '200 <client1>' ],
     [ '/any/yes', undef, '200 <>' ],
     [ '/any/yes', $bad, '200 <>' ],
     [ '/any/no', $token[1], '200 <client1>' ],
     [ '/there', $token[2], '200 <client2>' ],
     [ '/there', undef, '401 refused=<>' ],
     [ '/back', $token[2], '200 <client2>' ],
     [ '/back', undef, '401 refused=<>' ],
     [ '/named', $token[2], '200 <client2>' ],
     [ '/named', $bad, '401 refused=<>' ],
     [ '/method', undef, '200 <>' ],
     [ '/open', $token[1], '200 <>' ])
{
    my ($path, $token, $want) = @$_;

    is(get($path, $token), $want,
       "H07 $path, " . (!defined $token ? 'no token'
                        : $token eq $bad ? 'a bad token' : 'a good token'));
}

like(get('/all/no', $token[1]), qr/^403 /, 'H07 /all/no: both are asked');
like(get('/any/no'), qr/^40[13] /, 'H07 /any/no: neither lets it in');


sub post {
    my ($token) = @_;

    my $conn = $nginx->connect;
    my $text = '';

    print $conn "POST /method HTTP/1.0\r\nContent-Length: 0\r\n"
                . (defined $token ? "Authorization: Bearer $token\r\n" : '')
                . "\r\n";

    1 while sysread($conn, $text, 65536, length($text));

    return $text =~ m{^HTTP/1\.1 (\d+).*\r\n\r\n(.*)}s ? "$1 $2" : $text;
}

is(post(), '401 refused=<>', 'H07 limit_except, no token');
like(post($token[1]), qr/^403 /, 'H07 limit_except, no right');
is(post(token('w', scope => 'read write')), '200 <w>',
   'H07 limit_except, a token with the right');

is(get('/mirrored', $token[3]), '200 <client3>', 'H07 mirror');
ok($nginx->until(5, sub {
    grep { /^x-consumer: mirror of client3\r$/mi } $be->requests('/yes')
}), 'H07 ... which knows whose request it copies');

my @log = grep { /\[(?:alert|crit|emerg)\]/ } split(/\n/, $nginx->log);
is("@log", '', 'nothing bad is logged');

done_testing();
