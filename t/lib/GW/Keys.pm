package GW::Keys;

# Copyright (C) the nginx gateway modules developers

# What the tests of requested keys share: an identity provider that answers as
# a file tells it to, and an nginx that asks it.
#
#     keys_of('main', jwk('a'));        # what /jwks/main leads to
#     provide('main', "status 500\n");  # see the back end below
#     start(4, $more);                  # workers, directives of the server{}
#     is(status('a'), '200 -', ...);    # a token of this key ID
#     fetches('main')                   # so far

use strict;
use warnings;

use Exporter 'import';
use GW;
use GW::Backend;
use GW::JOSE;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(jwk token provide keys_of start bearer status becomes fetches
                 clean $be $dir $nginx $port);

our ($be, $dir, $nginx, $port);


$dir = GW::tmp_dir();


sub jwk {
    my ($kid, $secret) = @_;

    $secret = $kid unless defined $secret;

    return GW::JOSE::jwk('oct32', kid => $kid,
                         k => GW::JOSE::b64u($secret x 32));
}


sub token {
    my ($kid, $secret) = @_;

    $secret = $kid unless defined $secret;

    my $text = GW::JOSE::b64u(qq({"alg":"HS256","kid":"$kid"})) . '.'
               . GW::JOSE::b64u('{"exp":9999999999}');

    return "$text."
           . GW::JOSE::b64u(GW::JOSE::mac('HS256', $secret x 32, $text));
}


# The provider: what /x answers stands in the file "x".

sub provide {
    my ($name, $text) = @_;

    GW::JOSE::spew("$dir/$name.new", $text);
    rename("$dir/$name.new", "$dir/$name") or die;
}


sub keys_of {
    my ($name, @keys) = @_;

    provide($name, "json\n" . GW::JOSE::jwks(@keys));
}


$be = GW::Backend->new('*' => sub {
    my ($conn, $req) = @_;

    my ($name) = $req->{path} =~ m{([^/]*)$};
    my ($how, $text) = split(/\n/, GW::JOSE::slurp("$dir/$name"), 2);
    my ($mode, $arg) = split(/ /, $how, 2);

    if ($mode eq 'slow') {
        $conn->delay($arg);
        $conn->json($text);

    } elsif ($mode eq 'json') {
        $conn->json($text, $arg ? $arg : ());

    } elsif ($mode eq 'status') {
        $conn->answer($arg, 'text/html', '<html>');

    } elsif ($mode eq 'html') {
        $conn->answer(200, 'text/html', '<html>');

    } elsif ($mode eq 'short') {
        $conn->head(200, 'Content-Length: ' . (length($text) + 1));
        $conn->send($text);
        $conn->close;

    } elsif ($mode eq 'short_chunked') {
        $conn->head(200, 'Transfer-Encoding: chunked');
        $conn->chunk($text);
        $conn->close;

    } elsif ($mode eq 'chunked') {
        $conn->chunked($text =~ /(.{1,100})/gs);

    } elsif ($mode eq 'http10') {
        $conn->http10($text);

    } elsif ($mode eq 'gzip') {
        $conn->json($text, 'Content-Encoding: gzip');

    } elsif ($mode eq 'hang') {
        $conn->hang;

    } elsif ($mode eq 'drip') {
        $conn->head(200, 'Content-Length: 1000');

        for (1 .. 1000) {
            last unless $conn->{sock};
            $conn->send(' ');
            $conn->delay(0.1);
        }

    } elsif ($mode eq 'rst') {
        $conn->rst;
    }
});

$port = $be->port;


sub server {
    my ($more, $main) = @_;

    $more ||= '';
    $main ||= '';

    return <<"END";
    $main
    proxy_http_version 1.1;
    add_header X-Reason \$gw_auth_reason always;

    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT2%% http2;
        gw_jwt_algorithms HS256 RS256;
        gw_auth_header X-Who \$gw_consumer;
        gw_auth_strip on;

        location ~ ^/jwks/(.*)\$ {
            internal;
            proxy_read_timeout 3s;
            proxy_connect_timeout 1s;
            proxy_pass http://127.0.0.1:$port/\$1\$is_args\$args;
        }

        location = /t {
            gw_jwt test;
            gw_jwt_key_request /jwks/main;
            gw_jwt_key_cache 10m cooldown=1s;
            empty_gif;
        }

        location = /gw { gw_metrics prometheus; }

        $more
    }
END
}


sub start {
    my ($workers, $more, %opt) = @_;

    my $http = server($more, delete $opt{http});
    my $port2 = GW::free_port();

    $http =~ s/%%PORT2%%/$port2/g;
    $http =~ s/%%PROVIDER%%/$port/g;
    $be->clear;

    undef $nginx;
    $nginx = GW::Nginx->new(workers => $workers, http => $http, %opt);
    $nginx->{port2} = $port2;
}


sub bearer {
    return 'Authorization: Bearer ' . token(@_);
}


sub status {
    my ($kid, $path, $secret) = @_;

    my $reply = $nginx->get($path || '/t', header => bearer($kid, $secret));

    return join(' ', $reply->{status}, $reply->{header}{'x-reason'} || '');
}


sub becomes {
    my ($want, $name, @args) = @_;

    my $got;

    $nginx->until(8, sub { ($got = status(@args)) eq $want });
    is($got, $want, $name);
}


sub fetches {
    my ($name) = @_;

    return scalar($be->requests('/' . ($name || 'main')));
}


sub clean {
    my ($name) = @_;

    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, "$name: a clean log");
}


1;
