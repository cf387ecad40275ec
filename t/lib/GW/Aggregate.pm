package GW::Aggregate;

# Copyright (C) the nginx gateway modules developers

# What the tests of gw_aggregate share: the three kinds of answers, each one
# check, and what must hold after every request.
#
#     complete($reply, $body, $name);
#     degraded($reply, $code, $name);         # of the optional part b
#     failed($reply, $status, { $part => $code }, $name);
#     within($seconds, $min, $max, $name);
#     @pieces = GW::Aggregate::pieces($nginx, $path);
#     sane($nginx, $name);

use strict;
use warnings;

use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(time);

use GW::Client;

our @EXPORT = qw(complete degraded failed within sane agg_server);

my %title = (
    400 => 'Bad Request', 401 => 'Unauthorized', 403 => 'Forbidden',
    404 => 'Not Found', 405 => 'Method Not Allowed', 409 => 'Conflict',
    410 => 'Gone', 413 => 'Content Too Large',
    415 => 'Unsupported Media Type', 422 => 'Unprocessable Content',
    429 => 'Too Many Requests', 451 => 'Unavailable For Legal Reasons',
    502 => 'Bad Gateway', 503 => 'Service Unavailable',
    504 => 'Gateway Timeout',
);

# timers of a loaded machine and of sanitizers are late, never early
my $slack = ($ENV{GW_VARIANT} || '') =~ /asan/ ? 0.6 : 0.2;


# A server with the location of most tests: /agg?a=path&b=path has the parts
# a (required) and b (optional) from the back end's /path, and what $opt says
# as more parameters and directives.

sub agg_server {
    my ($be, %opt) = @_;

    my $a = $opt{a} || '';
    my $b = $opt{b} || '';
    my $agg = $opt{agg} || '';
    my $server = $opt{server} || '';
    my $part = $opt{part} || '';
    my $http = $opt{http} || '';
    my $port = $be->port;

    return <<"END";
    upstream be { server 127.0.0.1:$port; keepalive 16; }
    log_format parts escape=none '\$request_uri \$status \$gw_aggregate_parts';
    access_log %%DIR%%/logs/parts.log parts;
    $http
    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-B-Error \$gw_part_b_error always;
        add_header X-State \$gw_aggregate_status always;

        location = /agg {
            gw_aggregate object;
            gw_aggregate_part a /p/\$arg_a $a;
            gw_aggregate_part b /p/\$arg_b optional $b;
            $agg
        }
        location /p/ {
            internal;
            proxy_pass http://be/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            $part
        }
        location /down/ {
            internal;
            proxy_pass http://127.0.0.1:@{[GW::free_port()]}/;
        }
        location = /ping { return 200 pong; }
        location = /pid { return 200 \$pid; }
        location = /status { stub_status; }
        $server
    }
END
}


sub complete {
    my ($reply, $body, $name) = @_;

    my @wrong = check($reply, status => 200, body => $body,
                      type => 'application/json', completed => 'true',
                      'x-state' => 'complete');

    push(@wrong, 'X-Gw-Failed is there')
        if $reply && $reply->{header}{'x-gw-failed'};

    return verdict(\@wrong, $reply, $name);
}


sub degraded {
    my ($reply, $code, $name) = @_;

    my @wrong = check($reply, status => 200, body => '{"a":{"x":1},"b":null}',
                      type => 'application/json', completed => 'false',
                      'x-gw-failed' => 'b', 'x-b-error' => $code,
                      'cache-control' => 'no-store', 'x-state' => 'partial');

    push(@wrong, 'ETag is there') if $reply && $reply->{header}{etag};

    return verdict(\@wrong, $reply, $name);
}


sub failed {
    my ($reply, $status, $parts, $name) = @_;

    my $codes = join(',', map { "\"$_\":\"$parts->{$_}\"" }
                              sort keys %$parts);

    my @wrong = check($reply, status => $status,
                      type => 'application/problem+json',
                      body => '{"type":"about:blank","title":"'
                              . "$title{$status}\",\"status\":$status,"
                              . "\"parts\":{$codes}}",
                      completed => 'false', 'cache-control' => 'no-store',
                      'x-state' => 'failed');

    return verdict(\@wrong, $reply, $name);
}


sub check {
    my ($reply, %want) = @_;

    return ('no answer') unless $reply;

    my @wrong;
    my $header = $reply->{header};
    my %got = (%$header, status => $reply->{status}, body => $reply->{body},
               type => $header->{'content-type'},
               completed => $header->{'x-gw-completed'});

    $want{'content-length'} = length($want{body});

    for (sort keys %want) {
        push(@wrong, "$_: \"" . (defined $got{$_} ? $got{$_} : 'none')
                     . "\", not \"$want{$_}\"")
            unless defined $got{$_} && $got{$_} eq $want{$_};
    }

    return @wrong;
}


sub verdict {
    my ($wrong, $reply, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 2;

    ok(!@$wrong, $name)
        or diag(map { substr($_, 0, 1000) . "\n" } @$wrong);
}


# an answer, and when which of its bytes came: [ seconds, body so far ]

sub pieces {
    my ($nginx, $path) = @_;

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $nginx->{port}) or die;
    my ($in, @pieces) = ('');
    my $start = time();

    syswrite($sock, "GET $path HTTP/1.1\r\nHost: x\r\n"
                    . "Connection: close\r\n\r\n");

    while (IO::Select->new($sock)->can_read(5)) {
        last unless sysread($sock, $in, 65536, length($in));

        my (undef, $body) = split(/\r\n\r\n/, $in, 2);
        my $text = '';

        while (defined $body && $body =~ s/\A([0-9a-f]+)\r\n//) {
            my $size = hex($1);

            last if !$size || length($body) < $size + 2;
            $text .= substr($body, 0, $size, '');
            substr($body, 0, 2, '');
        }

        push(@pieces, [ time() - $start, $text ]);
    }

    return @pieces;
}


sub within {
    my ($time, $min, $max, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    ok($time >= $min - 0.005 && $time <= $max + $slack, $name)
        or diag("took $time");
}


# Nothing bad is logged, the worker is the same, the client's connection can
# be used again, and nothing is left open.

sub sane {
    my ($nginx, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $workers = join(' ', $nginx->workers);
    $nginx->{first_workers} ||= $workers;

    is($workers, $nginx->{first_workers}, "$name: the worker lives");

    my @bad = grep { /\[(alert|crit|emerg)\]/ } split(/\n/, $nginx->log);
    is(join("\n", @bad), '', "$name: nothing bad is logged");

    my $client = GW::Client->new($nginx->{port});
    my $active = 0;

    $nginx->until(5, sub {
        my $reply = $client->get('/status');
        ($active) = $reply->{body} =~ /Active connections: (\d+)/;
        $active == 1;
    });

    is($active, 1, "$name: no connection is left");
}


1;
