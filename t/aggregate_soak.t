#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# C114: aggregates of all kinds at once, some with back ends that fail, over
# HTTP/1 and HTTP/2, while nginx is reloaded in the first half of the time.
# The answer to each request is known beforehand and compared byte by byte.
#
# GW_STRESS_TIME is the number of seconds, GW_CLIENTS that of clients, GW_SEED
# what the choices depend on.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::HTTP2;
use GW::JOSE;
use GW::Nginx;
use IO::Uncompress::Gunzip qw(gunzip);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{GW_STRESS_TIME} || 8;
my $clients = $ENV{GW_CLIENTS} || 4;
my $seed = $ENV{GW_SEED} || time() ^ $$;
my $asan = ($ENV{GW_VARIANT} || '') =~ /asan/;
my $dir = GW::tmp_dir();
my $type = 'Content-Type: application/json';
my $pad = '0123456789abcdef' x 63;
my $many = $pad x 20;

note('GW_SEED=' . int($seed));


# what fails, and the code that tells of it

my %fault = (
    never => 'timeout', half => 'timeout', trickle => 'timeout',
    close => 'unreachable', garbage => 'unreachable',
    header => 'unreachable', cut => 'truncated', chunk => 'truncated',
    rst => 'truncated', s404 => 'status', s500 => 'status',
    s302 => 'status', s206 => 'status', html => 'type',
    json => 'invalid_json', two => 'invalid_json', utf8 => 'invalid_utf8',
    deep => 'too_deep', large => 'too_large', chunks => 'too_large',
    gzip => 'encoding',
);

# the slow ones are few
my @faults = ((grep { $fault{$_} ne 'timeout' } sort keys %fault) x 4,
              grep { $fault{$_} eq 'timeout' } sort keys %fault);

my %status = (unreachable => 502, timeout => 504, truncated => 502,
              type => 502, invalid_json => 502, invalid_utf8 => 502,
              too_deep => 502, too_large => 502, encoding => 502);

my %handler = (
    never => sub { $_[0]->hang },
    half => sub {
        $_[0]->head(200, $type, 'Content-Length: 100');
        $_[0]->send('[1,');
        $_[0]->hang;
    },
    trickle => sub {
        $_[0]->head(200, $type, 'Content-Length: 1000');

        for (1 .. 20) {
            $_[0]->send(' ');
            $_[0]->delay(0.03);
            return unless $_[0]{sock};
        }

        $_[0]->hang;
    },
    close => sub { $_[0]->close },
    garbage => sub { $_[0]->send("garbage\r\n\r\n{}"); $_[0]->close },
    header => sub { $_[0]->json('1', 'X-Big: ' . 'x' x 65536); },
    cut => sub {
        $_[0]->head(200, $type, 'Content-Length: 100');
        $_[0]->send('[1,2]');
        $_[0]->close;
    },
    chunk => sub {
        $_[0]->head(200, $type, 'Transfer-Encoding: chunked');
        $_[0]->chunk('[1,2]');
        $_[0]->close;
    },
    rst => sub {
        $_[0]->head(200, $type, 'Content-Length: 100');
        $_[0]->send('[1,2');
        $_[0]->delay(0.02);
        $_[0]->rst;
    },
    s404 => sub { $_[0]->answer(404, 'text/html', '<html>') },
    s500 => sub { $_[0]->answer(500, 'application/json', '{"e":1}') },
    s302 => sub { $_[0]->answer(302, 'text/html', '-', 'Location: /x') },
    s206 => sub { $_[0]->answer(206, 'application/json', '1',
                                'Content-Range: bytes 0-0/9') },
    html => sub { $_[0]->answer(200, 'text/html', '{"x":1}') },
    json => sub { $_[0]->json('{"x":01}') },
    two => sub { $_[0]->chunked('{"x":1}', '{"x":2}') },
    utf8 => sub { $_[0]->json("\"\xc0\xaf\"") },
    deep => sub { $_[0]->json('[' x 600 . ']' x 600) },
    large => sub {
        $_[0]->head(200, $type, 'Content-Length: 10000000');
        $_[0]->send('"' . 'x' x 65536);
        $_[0]->hang;
    },
    chunks => sub {
        $_[0]->head(200, $type, 'Transfer-Encoding: chunked');
        $_[0]->chunk('["' . 'x' x 1000 . '"');

        for (1 .. 100) {
            $_[0]->chunk(',"' . 'x' x 1000 . '"');
            return unless $_[0]{sock};
        }

        $_[0]->hang;
    },
    gzip => sub { $_[0]->json('1', 'Content-Encoding: gzip') },
);

my $be = GW::Backend->new(
    (map { ("/f/$_" => $handler{$_}) } keys %handler),
    '/echo' => sub { $_[0]->json($_[1]{body}) },
);

# what answers well must be fast: nginx
my $good = GW::Nginx->new(level => 'warn', http => <<"END");
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { return 404; }
        location ~ ^/v/(\\w+)\$ { return 200 '{"n":"\$1","x":[1,{"y":2}]}'; }
        location ~ ^/list/(\\w+)\$ {
            return 200 '{"items":[{"id":"\$1-a"},{"id":"\$1-b"},{"id":"\$1-a"}]}';
        }
        location ~ ^/i/([\\w-]+)\$ { return 200 '"<\$1>"'; }
        location ~ ^/big/(\\w+)\$ {
            set \$p "$pad";
            return 200 '["\$1","@{[ '$p' x 20 ]}"]';
        }
    }
END

my $port = $be->port;
my $http2 = GW::free_port();
my $down = GW::free_port();

# Those that fail, with a deadline that nothing else reaches, however slow the
# machine is, and with one for what never ends.

my $failing = join('', map { <<"END" } ['', '30s'], ['/slow', '150ms']);
        location = /optional$_->[0] {
            gw_aggregate object;
            gw_aggregate_part a /good/v/\$arg_n;
            gw_aggregate_part b /bad/f/\$arg_f optional timeout=$_->[1];
            gw_aggregate_part c /down/x optional omit;
        }
        location = /required$_->[0] {
            gw_aggregate array;
            gw_aggregate_part a /bad/f/\$arg_f timeout=$_->[1];
            gw_aggregate_part b /good/big/\$arg_n optional;
        }
        location = /gzip$_->[0] {
            gzip on;
            gzip_types application/json;
            gw_aggregate object;
            gw_aggregate_part a /good/big/\$arg_n;
            gw_aggregate_part b /bad/f/\$arg_f optional timeout=$_->[1];
        }
        location = /ordered$_->[0] {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /good/v/\$arg_n;
            gw_aggregate_part b /bad/f/\$arg_f optional timeout=$_->[1];
            gw_aggregate_part c /good/big/\$arg_n optional;
        }
        location = /merge$_->[0] {
            gw_aggregate object;
            gw_aggregate_part a /good/v/\$arg_n root;
            gw_aggregate_part b /bad/f/\$arg_f optional root timeout=$_->[1];
            gw_aggregate_part c /good/big/\$arg_n as=/x;
            gw_aggregate_part l /good/big/\$arg_n append optional;
            gw_aggregate_part m /bad/f/\$arg_f append as=/l optional
                              timeout=$_->[1];
            gw_aggregate_part o /good/v/\$arg_n append optional as=/l at=/x;
            gw_aggregate_static /s 1;
        }
        location = /members$_->[0] {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_conflict first;
            gw_aggregate_part a /good/v/\$arg_n root;
            gw_aggregate_part b /bad/f/\$arg_f optional root timeout=$_->[1];
            gw_aggregate_part c /good/big/\$arg_n as=/x;
            gw_aggregate_part l /good/big/\$arg_n append optional;
            gw_aggregate_part m /bad/f/\$arg_f append as=/l optional
                              timeout=$_->[1];
            gw_aggregate_part o /good/v/\$arg_n append optional as=/l at=/x;
            gw_aggregate_static /s 1;
        }
        location = /lines$_->[0] {
            gw_aggregate object;
            gw_aggregate_stream ndjson;
            gw_aggregate_part a /good/v/\$arg_n;
            gw_aggregate_part b /bad/f/\$arg_f optional timeout=$_->[1];
            gw_aggregate_part c /good/big/\$arg_n optional;
        }
END

my $nginx = GW::Nginx->new(level => 'warn', http => <<"END");
    upstream good { server 127.0.0.1:$good->{port}; keepalive 64; }
    upstream bad { server 127.0.0.1:$port; keepalive 64; }

    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    keepalive_requests 1000000000;
    access_log off;
    http2_max_concurrent_streams 128;

    gw_aggregate_timeout 30s;
    gw_aggregate_part_max_size 64k;

    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:$http2 http2;

        location / { return 404; }
        location = /status { stub_status; }

        location = /object {
            gw_aggregate object;
            gw_aggregate_part a /good/v/\$arg_n;
            gw_aggregate_part b /good/big/\$arg_n optional;
        }
        location = /nested {
            gw_aggregate array;
            gw_aggregate_part a /inner?n=\$arg_n;
            gw_aggregate_part b /inner?n=x\$arg_n optional;
        }
        location = /inner {
            internal;
            gw_aggregate object;
            gw_aggregate_part v /good/v/\$arg_n;
            gw_aggregate_part w /good/i/\$arg_n optional;
        }
        location = /chain {
            gw_aggregate object;
            gw_aggregate_set \$id v /n;
            gw_aggregate_set \$y v /x/1/y;
            gw_aggregate_part i /good/i/\$id as=/later/i;
            gw_aggregate_part e /bad/echo method=POST
                              'body={"id":"\$id","y":\$y}' optional;
            gw_aggregate_part v /good/v/\$arg_n at=/x;
            gw_aggregate_part no /good/v/1 optional omit if=\$arg_no;
        }
        location = /each {
            gw_aggregate object;
            gw_aggregate_part l /good/list/\$arg_n;
            gw_aggregate_part i /good/i/\$gw_item;
            gw_aggregate_each i l /items item=/id concurrency=2;
        }
        location = /embed {
            gw_aggregate object;
            gw_aggregate_part l /good/list/\$arg_n;
            gw_aggregate_part i /good/i/\$gw_item;
            gw_aggregate_each i l /items item=/id distinct
                              result=embed:/as;
        }
        location = /shape {
            gw_aggregate object;
            gw_aggregate_part v /good/v/\$arg_n;
            gw_aggregate_part w /good/v/\$arg_n;
            gw_aggregate_part l /good/list/\$arg_n;
            gw_aggregate_pick v /x/1;
            gw_aggregate_drop w /x;
            gw_aggregate_rename l /items/*/id name;
        }
        location = /cached {
            gw_aggregate object;
            gw_aggregate_part a /cached/v/\$arg_c;
            gw_aggregate_part b /cached/big/\$arg_c optional;
        }
        $failing
        location = /post {
            gw_aggregate object;
            gw_aggregate_methods POST;
            gw_aggregate_part a /bad/echo method=inherit body=inherit;
            gw_aggregate_part b /good/v/\$arg_n optional;
        }
        location /good/ { internal; proxy_pass http://good/; }
        location /bad/ { internal; proxy_pass http://bad/; }
        location /down/ { internal; proxy_pass http://127.0.0.1:$down; }
        location /cached/ {
            internal;
            proxy_cache cache;
            proxy_cache_valid 200 1s;
            proxy_cache_lock on;
            proxy_cache_use_stale updating;
            proxy_cache_background_update on;
            proxy_pass http://good/;
        }
    }
END


sub v {
    return "{\"n\":\"$_[0]\",\"x\":[1,{\"y\":2}]}";
}


sub big {
    return "[\"$_[0]\",\"$many\"]";
}


sub problem {
    my ($part, $code) = @_;

    my $status = $code eq 'status' ? $_[2] : $status{$code};
    my %title = (404 => 'Not Found', 502 => 'Bad Gateway',
                 504 => 'Gateway Timeout');

    return ($status, '{"type":"about:blank","title":"' . $title{$status}
                     . "\",\"status\":$status,\"parts\":{\"$part\":"
                     . "\"$code\"}}");
}


# each kind of request: its path with arguments, status, body, whether it is
# completed, and what else is known of it

my %kind = (
    object => sub {
        my ($n) = @_;
        return ("?n=$n", 200, '{"a":' . v($n) . ',"b":' . big($n) . '}', 1);
    },
    optional => sub {
        my ($n, $f) = @_;
        return ("?n=$n&f=$f", 200, '{"a":' . v($n) . ',"b":null}', 0);
    },
    required => sub {
        my ($n, $f) = @_;
        return ("?n=$n&f=$f",
                problem('a', $fault{$f}, $f eq 's404' ? 404 : 502), 0);
    },
    nested => sub {
        my ($n) = @_;
        return ("?n=$n", 200, '[' . join(',', map { "{\"v\":" . v($_)
                    . ",\"w\":\"<$_>\"}" } $n, "x$n") . ']', 1);
    },
    chain => sub {
        my ($n) = @_;
        return ("?n=$n", 200, "{\"later\":{\"i\":\"<$n>\"},\"e\":{\"id\":"
                . "\"$n\",\"y\":2},\"v\":[1,{\"y\":2}]}", 1);
    },
    each => sub {
        my ($n) = @_;
        my $items = join(',', map { "{\"id\":\"$n-$_\"}" } qw(a b a));
        my $found = join(',', map { "\"<$n-$_>\"" } qw(a b a));
        return ("?n=$n", 200, "{\"l\":{\"items\":[$items]},\"i\":[$found]}",
                1);
    },
    embed => sub {
        my ($n) = @_;
        my $items = join(',', map { "{\"id\":\"$n-$_\",\"as\":\"<$n-$_>\"}" }
                              qw(a b a));
        return ("?n=$n", 200, "{\"l\":{\"items\":[$items]}}", 1);
    },
    shape => sub {
        my ($n) = @_;
        my $items = join(',', map { "{\"name\":\"$n-$_\"}" } qw(a b a));
        return ("?n=$n", 200, "{\"v\":{\"x\":[{\"y\":2}]},\"w\":{\"n\":"
                . "\"$n\"},\"l\":{\"items\":[$items]}}", 1);
    },
    gzip => sub {
        my ($n, $f) = @_;
        return ("?n=$n&f=$f", 200, '{"a":' . big($n) . ',"b":null}', 0,
                header => 'Accept-Encoding: gzip');
    },
    cached => sub {
        my ($n) = @_;
        my $c = $n % 40;
        return ("?c=$c", 200, '{"a":' . v($c) . ',"b":' . big($c) . '}', 1);
    },
    ordered => sub {
        my ($n, $f) = @_;
        return ("?n=$n&f=$f", 200, '{"a":' . v($n) . ',"b":null,"c":'
                                   . big($n) . '}', 0);
    },
    lines => sub {
        my ($n, $f) = @_;
        return ("?n=$n&f=$f", 200, '{"part":"a","value":' . v($n) . "}\n"
                . '{"part":"b","value":null,"error":"' . $fault{$f} . "\"}\n"
                . '{"part":"c","value":' . big($n) . "}\n", 0, lines => 1);
    },
    merge => sub {
        my ($n, $f) = @_;
        return ("?n=$n&f=$f", 200, "{\"n\":\"$n\",\"x\":" . big($n)
                . ",\"l\":[\"$n\",\"$many\",1,{\"y\":2}],\"s\":1}", 0);
    },
    members => sub {
        my ($n, $f) = @_;
        return ("?n=$n&f=$f", 200, "{\"n\":\"$n\",\"x\":[1,{\"y\":2}]"
                . ",\"l\":[\"$n\",\"$many\",1,{\"y\":2}],\"s\":1}", 0);
    },
    post => sub {
        my ($n) = @_;
        my $body = "{\"posted\":\"$n" . 'y' x rand(20000) . '"}';
        return ("?n=$n", 200, "{\"a\":$body,\"b\":" . v($n) . '}', 1,
                post => $body);
    },
    head => sub {
        my ($n) = @_;
        my $length = length('{"a":' . v($n) . ',"b":' . big($n) . '}');
        return ("?n=$n", 200, '', 1, path => '/object', head => 1,
                length => $length);
    },
    same => sub {
        return ("?c=7", undef, '{"a":' . v(7) . ',"b":' . big(7) . '}', 1,
                path => '/cached', same => 1);
    },
);

# the cheap ones are many
my @kinds = ((sort keys %kind) x 2, qw(object nested cached shape) x 3);
my $count = 0;


sub request {
    my ($client) = @_;

    my $kind = $kinds[rand(@kinds)];
    my $n = ++$count;

    $n = "c${client}n$n" if $kind ne 'cached';

    my $f = $faults[rand(@faults)];
    my ($args, $status, $body, $completed, %more) = $kind{$kind}->($n, $f);
    my $path = $more{path} || "/$kind";

    $path .= '/slow' if $args =~ /&f=/ && $fault{$f} eq 'timeout';

    return { uri => $path . $args,
             status => $status, body => $body, completed => $completed,
             %more };
}


sub text {
    my ($q, $etag) = @_;

    my $method = $q->{head} ? 'HEAD' : defined $q->{post} ? 'POST' : 'GET';
    my @lines = ("$method $q->{uri} HTTP/1.1", 'Host: x');

    push(@lines, $q->{header}) if $q->{header};
    push(@lines, 'Content-Length: ' . length($q->{post})) if $q->{post};
    push(@lines, "If-None-Match: $etag") if $q->{same} && defined $etag;

    return join("\r\n", @lines, '', $q->{post} || '');
}


# what is wrong with a reply

sub wrong {
    my ($q, $reply, $etag) = @_;

    my $status = $q->{status} || (defined $etag ? 304 : 200);
    my ($header, $body) = ($reply->{header}, $reply->{body});

    return "status $reply->{status}, not $status"
        if $reply->{status} != $status;

    if ($status == 304) {
        return $body eq '' ? undef : 'a body of 304';
    }

    if ($header) {
        my $completed = $header->{'x-gw-completed'}
                        || $reply->{trailer}{'x-gw-completed'} || 'none';

        return "completed: $completed"
            if $completed ne ($q->{completed} ? 'true' : 'false');

        return "length $header->{'content-length'}"
            if $q->{length} && $header->{'content-length'} != $q->{length};

        if (($header->{'content-encoding'} || '') eq 'gzip') {
            gunzip(\$body, \my $plain) or return 'not gzip';
            $body = $plain;

        } elsif ($q->{header}) {
            return 'no gzip';
        }
    }

    $body = join('', sort map { "$_\n" } split(/\n/, $body)) if $q->{lines};

    return undef if $body eq $q->{body};
    return 'body ' . substr($body, 0, 300);
}


# HTTP/1, some requests in one write

sub one {
    my ($n, $end) = @_;

    my (@wrong, %seen, $client, $etag);

    while (time() < $end) {
        $client ||= eval { GW::Client->new($nginx->{port}) };

        if (!$client) {
            sleep(0.01);
            next;
        }

        my @q = map { request($n) } 1 .. 1 + int(rand(6));
        my $known = $etag;

        # one that waits for its body's place behind others is sent alone
        @q = grep { !defined $_->{post} } @q if @q > 1;
        next unless @q;

        $client->send(join('', map { text($_, $known) } @q));

        if (rand(40) < 1) {
            sleep(rand(5) / 1000);
            rand(2) < 1 ? $client->reset : $client->close;
            undef $client;
            $seen{aborted}++;
            next;
        }

        for my $q (@q) {
            my $reply = $client->read($q->{head});

            if (!$reply) {
                push(@{ $seen{lost} }, time() . " $q->{uri}");
                undef $client;
                last;
            }

            my $wrong = wrong($q, $reply, $known);
            push(@wrong, "$q->{uri}: $wrong") if $wrong;
            $etag = $reply->{header}{etag} if $q->{same} && !$wrong
                                              && $reply->{status} == 200;
            $seen{answered}++;

            if (($reply->{header}{connection} || '') eq 'close') {
                undef $client;
                last;
            }
        }

        last if @wrong > 20;
    }

    return (\@wrong, \%seen);
}


# HTTP/2, streams in parallel, some are reset

sub two {
    my ($n, $end) = @_;

    my (@wrong, %seen, $h2, $left);

    while (time() < $end) {
        if (!$h2 || !$left--) {
            $h2 = GW::HTTP2->new($http2);
            $left = 20;
        }

        if (!$h2) {
            sleep(0.01);
            next;
        }

        my @q = grep { !defined $_->{post} && !$_->{head} && !$_->{header} }
                map { request($n) } 1 .. 12;
        my @streams = $h2->request(map { $_->{uri} } @q);

        for my $i (reverse 0 .. $#q) {
            if (rand(8) < 1) {
                $h2->reset($streams[$i]);
                splice(@streams, $i, 1);
                splice(@q, $i, 1);
                $seen{aborted}++;
            }
        }

        my @replies = $h2->replies(20, @streams);

        for my $i (0 .. $#q) {
            if (!$replies[$i]) {
                push(@{ $seen{lost} }, time() . " $q[$i]{uri}");
                undef $h2;
                next;
            }

            delete $replies[$i]{header};
            my $wrong = wrong($q[$i], $replies[$i]);
            push(@wrong, "$q[$i]{uri}: $wrong") if $wrong;
            $seen{answered}++;
        }

        delete $h2->{stream} if $h2;
        last if @wrong > 20;
    }

    return (\@wrong, \%seen);
}


sub start_client {
    my ($n, $end) = @_;

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    return $pid if $pid;

    srand(int($seed) + $n);

    my ($wrong, $seen) = eval { $n % 4 == 3 ? two($n, $end)
                                            : one($n, $end) };

    $wrong = [$@] if $@;
    GW::JOSE::spew("$dir/client$n", join('', map { "wrong $_\n" } @$wrong)
        . join('', map { "lost $_\n" } @{ $seen->{lost} || [] })
        . join('', map { "seen $_ " . ($seen->{$_} || 0) . "\n" }
                       qw(answered aborted)));
    POSIX::_exit(0);
}


# resident bytes of the newest worker

sub memory {
    my $worker = ($nginx->workers)[-1];

    return 0 unless $worker && open(my $fh, '<', "/proc/$worker/statm");

    return (split(' ', <$fh>))[1] * POSIX::sysconf(POSIX::_SC_PAGESIZE());
}


my $start = time();
my $end = $start + $seconds;
my $half = $start + $seconds / 2;
my $calm = $start + $seconds * 0.7;
my @pids = map { start_client($_, $end) } 1 .. $clients;
my $reloads = 0;

while (time() < $half) {
    sleep(0.3 + rand($seconds / 10));
    $nginx->reload;
    $reloads++;
}

sleep($calm - time()) if $calm > time();
my $before = memory();
sleep($end - 0.2 - time()) if $end - 0.2 > time();
my $after = memory();

waitpid($_, 0) for @pids;

my ($wrong, $lost, $late, %seen) = ('', 0, 0);

for my $n (1 .. $clients) {
    my $text = GW::JOSE::slurp("$dir/client$n");

    $wrong .= $1 while $text =~ /^wrong (.*\n)/mg;
    $seen{$1} += $2 while $text =~ /^seen (\S+) (\d+)$/mg;

    for my $when ($text =~ /^lost (\S+)/mg) {
        # an old worker has closed an idle connection
        $when > $calm ? $late++ : $lost++;
    }
}

note(sprintf('%d reloads, %d answers, %.0f a second, %d aborted, %d lost, '
             . '%.1f and %.1f MB', $reloads, $seen{answered},
             $seen{answered} / $seconds, $seen{aborted}, $lost,
             $before / 1e6, $after / 1e6));

is($wrong, '', 'C114 every answer is what it must be')
    or diag('GW_SEED=' . int($seed));
is($late, 0, 'C114 none is missing without a reload');
cmp_ok($seen{answered}, '>', 30 * $seconds, 'C114 there was a load');
cmp_ok($seen{aborted}, '>', 5, 'C114 with clients that went away');

# the sanitizer keeps what is freed for a while
ok($asan || $after < $before * 1.1 + 3e6, 'C114 memory does not grow')
    or diag("$before before, $after after");

ok($nginx->until(20, sub { $nginx->workers == 1 }), 'old workers have gone');
sane($nginx, 'C114');
ok($nginx->stop, 'it ends when it is told to');

done_testing();
