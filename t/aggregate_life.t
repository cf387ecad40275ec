#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: clients that go away, parts that are stopped, aggregates in
# aggregates, locks, delays and reloads.

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

my $type = 'Content-Type: application/json';

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/b' => sub { $_[0]->json('[1,2]') },
    '/slow_a' => sub { $_[0]->delay(0.4); $_[0]->json('{"x":1}') },
    '/slow' => sub { $_[0]->delay(0.4); $_[0]->json('[1,2]') },
    '/s404' => sub { $_[0]->answer(404, 'text/html', 'none') },
    '/late404' => sub { $_[0]->delay(0.1);
                        $_[0]->answer(404, 'text/html', 'none') },
    '/never' => sub { $_[0]->hang },
    '/half' => sub {
        $_[0]->head(200, $type, 'Content-Length: 1000');
        $_[0]->send('[' . '1,' x 100);
        $_[0]->hang;
    },
    '/trickle' => sub {
        $_[0]->head(200, $type, 'Content-Length: 20');

        for (1 .. 19) {
            $_[0]->send(' ');
            $_[0]->delay(0.02);
        }

        $_[0]->send('1');
    },
    '/added' => sub { $_[0]->json('[1,2]') },
    '/ssi' => sub {
        $_[0]->json('{"i":<!--#include virtual="/p/b" wait="yes"-->,"j":'
                    . '<!--#include virtual="/p/a" -->}');
    },
    # the first answer is whole, what updates the cache is cut
    '/stale' => sub {
        my ($conn, $req) = @_;

        if ($conn->{be}->requests('/stale') == 1) {
            $conn->json('[1,2]');
            return;
        }

        $conn->head(200, $type, 'Content-Length: 100');
        $conn->send('[1,');
        $conn->delay(0.1);
        $conn->close;
    },
    '/locked' => sub { $_[0]->delay(0.6); $_[0]->json('[1,2]') },
    '/fill' => sub { $_[0]->delay(0.3); $_[0]->json('[1,2]') },
    '/first' => sub { $_[0]->delay(0.15);
                      $_[0]->json('"' . 'x' x 500_000 . '"') },
);

my $nginx = GW::Nginx->new(http => agg_server($be,
    http => <<'HTTP',
    log_format sub '$request_uri $uri $status $upstream_status '
                   '$request_time $upstream_response_time';
    limit_req_zone $server_addr zone=ten:32k rate=10r/s;
    limit_req_zone $server_addr zone=slow:32k rate=1r/s;
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    access_log %%DIR%%/logs/sub.log sub;
HTTP
    server => <<'END'));
        log_subrequest on;

        location = /timeout {
            gw_aggregate object;
            gw_aggregate_methods GET POST;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional timeout=200ms;
        }
        location = /three {
            gw_aggregate object;
            gw_aggregate_part a /p/late404;
            gw_aggregate_part b /p/never;
            gw_aggregate_part c /p/half optional;
        }
        location = /post {
            gw_aggregate object;
            gw_aggregate_methods GET POST;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional;
        }

        # clients that are not waited for
        location = /ignore {
            gw_aggregate object;
            gw_aggregate_ignore_client_abort on;
            gw_aggregate_methods GET POST;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /keep/fill?$arg_k;
        }
        location = /ignore_not {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /keep/fill?$arg_k;
        }
        location = /ignore_stream {
            gw_aggregate array;
            gw_aggregate_ignore_client_abort on;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/a;
            gw_aggregate_part c /p/first optional;
            gw_aggregate_part b /keep/fill?$arg_k optional;
        }
        location /keep/ {
            internal;
            proxy_pass http://be/;
            proxy_cache cache;
            proxy_cache_valid 200 1m;
        }

        # aggregates in aggregates
        location = /nested {
            gw_aggregate object;
            gw_aggregate_part a /inner2;
            gw_aggregate_part b /p/b;
        }
        location = /inner2 {
            internal;
            gw_aggregate array;
            gw_aggregate_part a /inner3;
            gw_aggregate_part b /p/b;
        }
        location = /inner3 {
            internal;
            gw_aggregate object;
            gw_aggregate_part a /inner4;
        }
        location = /inner4 {
            internal;
            gw_aggregate object;
            gw_aggregate_part a /p/a;
        }
        location = /nested_partial {
            gw_aggregate object;
            gw_aggregate_part a /inner_partial;
        }
        location = /inner_partial {
            internal;
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/s404 optional;
        }
        location = /nested_failed {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /inner_failed optional;
        }
        location = /inner_failed {
            internal;
            gw_aggregate object;
            gw_aggregate_timeout 100ms;
            gw_aggregate_part a /p/never;
        }
        location = /nested_stopped {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /inner_never optional timeout=200ms;
        }
        location = /inner_never {
            internal;
            gw_aggregate object;
            gw_aggregate_part a /p/never;
            gw_aggregate_part b /p/half;
            gw_aggregate_part c /p/a;
        }
        location = /cycle {
            gw_aggregate object;
            gw_aggregate_part a /cycle_inner;
        }
        location = /cycle_inner {
            internal;
            gw_aggregate object;
            gw_aggregate_part a /cycle_inner;
        }
        location = /self {
            gw_aggregate object;
            gw_aggregate_internal_only off;
            gw_aggregate_part a /self optional;
            gw_aggregate_part b /p/b;
        }
        location = /many {
            gw_aggregate array;
            gw_aggregate_max_subrequests 3;
            gw_aggregate_part a /many_inner;
            gw_aggregate_part b /p/b;
        }
        location = /many_inner {
            internal;
            gw_aggregate array;
            gw_aggregate_part a /p/a optional;
            gw_aggregate_part b /p/a optional;
        }

        # locations that are not meant for parts
        location = /open {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /public/b optional;
        }
        location = /open_return {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /answer optional;
        }
        location = /open_allowed {
            gw_aggregate object;
            gw_aggregate_internal_only off;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /public/b optional;
        }
        location /public/ { proxy_pass http://be/; }
        location = /answer { default_type application/json; return 200 1; }
        location = /mirrored { mirror /timeout; proxy_pass http://be/a; }
        location = /via_ssi {
            ssi on;
            default_type text/html;
            root %%DIR%%;
        }

        # delays, locks, caches, SSI
        location = /limited {
            gw_aggregate object;
            gw_aggregate_part a /limited/$arg_a;
            gw_aggregate_part b /p/$arg_b optional;
        }
        location /limited/ {
            internal;
            limit_req zone=ten burst=10;
            proxy_pass http://be/;
        }
        location = /limited_long {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /long/b optional timeout=200ms;
        }
        location /long/ {
            internal;
            limit_req zone=slow burst=10;
            proxy_pass http://be/;
        }
        location = /lock {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /cache/locked optional timeout=200ms;
        }
        location = /lock_wait {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /cache/locked optional;
        }
        location = /stale {
            gw_aggregate object;
            gw_aggregate_part a /p/$arg_a;
            gw_aggregate_part b /cache/stale optional timeout=1s;
        }
        location /cache/ {
            internal;
            proxy_pass http://be/;
            proxy_cache cache;
            proxy_cache_valid 200 1s;
            proxy_cache_lock on;
            proxy_cache_use_stale updating;
            proxy_cache_background_update on;
        }
        location = /ssi {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /ssi/ssi optional;
        }
        location = /added {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /added/added optional;
        }
        location /added/ {
            internal;
            add_before_body /p/a;
            add_after_body /p/a;
            addition_types application/json;
            proxy_pass http://be/;
        }
        location /ssi/ {
            internal;
            ssi on;
            ssi_types application/json;
            proxy_pass http://be/;
        }
END

my ($client, $reply, $start, @lines);


sub sub_log {
    open(my $fh, '<', "$nginx->{dir}/logs/sub.log") or return ();

    return <$fh>;
}


# waits until connections to a path of the back end were closed

sub closed {
    my ($path, $n, $since, $name) = @_;

    my @closed;

    # an earlier one may be noted late
    $nginx->until(2, sub {
        @closed = grep { $_ > $since - 0.05 } $be->closed($path);
        @closed >= $n
    });
    is(scalar(@closed), $n, "$name: the back end's connection is closed");
    within($_ - $since, 0, 0.1, "$name: at once") for @closed;
}


sub log_lines {
    my ($pattern) = @_;

    return scalar(grep { /$pattern/ } split(/\n/, $nginx->log));
}


# C100
for my $way ('close', 'reset') {
    for my $what ('never', 'half') {
        $be->clear;
        $client = GW::Client->new($nginx->{port});
        $client->send("GET /agg?a=a&b=$what HTTP/1.1\r\nHost: x\r\n\r\n");
        $nginx->until(2, sub { $be->requests("/$what") });
        sleep(0.05);
        $start = time();
        $client->$way;
        closed("/$what", 1, $start, "C100 $way, $what");
    }
}

ok($nginx->until(2, sub { 4 == grep { m{^/agg\S* /agg 499} } sub_log() }),
   'C100 status 499');
is(scalar(grep { m{^/agg\S* /p/(never|half) } } sub_log()), 4,
   'C100 parts are in the access log');
sane($nginx, 'C100');

# P5
for my $rest ('', 'x' x 990) {
    my $name = $rest ? 'P5 gone after a body' : 'P5 gone in a body';

    $be->clear;
    $client = GW::Client->new($nginx->{port});
    $client->send("POST /post?b=never HTTP/1.1\r\nHost: x\r\n"
                  . "Content-Length: 1000\r\n\r\n" . 'x' x 10);
    $nginx->until(2, sub { $be->requests('/never') });
    $client->send($rest) if $rest;
    sleep(0.05);
    $start = time();
    $client->close;
    closed('/never', 1, $start, $name);
}

sane($nginx, 'P5');

# C104
my $post = "POST /ignore?k=%s HTTP/1.1\r\nHost: x\r\n"
           . "Content-Length: 20\r\n\r\n";
my %ignore = (
    get => "GET /ignore?k=%s HTTP/1.1\r\nHost: x\r\n\r\n",
    post => $post . 'x' x 20,
    cut => $post . 'x' x 10,
    stream => "GET /ignore_stream?k=%s HTTP/1.1\r\nHost: x\r\n\r\n",
);

for my $what (sort keys %ignore) {
    for my $way ('close', 'reset') {
        my $name = "C104 $what, $way";
        my $key = "$what$way";

        $be->clear;
        $client = GW::Client->new($nginx->{port});
        $client->send(sprintf($ignore{$what}, $key));
        ok($nginx->until(2, sub { $be->requests('/fill') }), "$name: asked");
        $client->$way;
        sleep(0.35);
        $client = GW::Client->new($nginx->{port});
        complete($client->get("/ignore?k=$key"), '{"a":{"x":1},"b":[1,2]}',
                 "$name: the next client");
        is(scalar($be->requests('/fill')), 1, "$name: the cache is filled");
        sane($nginx, $name) if $client->close || 1;
    }
}

$be->clear;
$client = GW::Client->new($nginx->{port});
$client->send("GET /ignore_not?k=not HTTP/1.1\r\nHost: x\r\n\r\n");
ok($nginx->until(2, sub { $be->requests('/fill') }), 'C104 off: asked');
$client->close;
sleep(0.35);
$client = GW::Client->new($nginx->{port});
complete($client->get('/ignore?k=not'), '{"a":{"x":1},"b":[1,2]}',
         'C104 off: the next client');
is(scalar($be->requests('/fill')), 2, 'C104 off: the cache is not filled');

# C105
$client = GW::Client->new($nginx->{port});
$client->send(join('', map { "GET $_ HTTP/1.1\r\nHost: x\r\n\r\n" }
                           ('/timeout?b=never', '/ping', '/agg?a=a&b=b',
                            '/timeout?b=half', '/ping')));
degraded($client->read, 'timeout', 'C105 the first of a pipeline');
$start = time();
is($client->read->{body}, 'pong', 'C105 the second one');
complete($client->read, '{"a":{"x":1},"b":[1,2]}', 'C105 the third one');
within(time() - $start, 0, 0.02, 'C105 they do not wait');
degraded($client->read, 'timeout', 'C105 the fourth one');
is($client->read->{body}, 'pong', 'C105 the last one');
$nginx->until(2, sub { $be->closed('/half') });

# a required part fails: the others are stopped and logged
$be->clear;
$start = time();
failed($client->get('/three'), 404, { a => 'status' },
       'C120 others are stopped');
closed($_, 1, $start + 0.1, "C120 $_") for ('/never', '/half');
ok($nginx->until(1, sub {
    3 == grep { m{^/three /p/(late404|never|half) } } sub_log()
}), 'C117 one line a part') or diag(grep { m{/three} } sub_log());
sleep(0.1);
@lines = map { m{^/three /p/(\S+ .*)} ? $1 : () } sub_log();
is(scalar(@lines), 3, 'C117 one line and no more');
my ($line) = grep { /^late404/ } @lines;
like($line, qr{^late404 404 404 (0\.[1-9]\d\d) 0\.[1-9]\d\d$},
     'C117 what it met and its times');

for my $what ('never \d+ -', 'half 200 200') {
    ($line) = grep { /^$what 0/ } @lines;
    like($line || "@lines", qr/ 0\.[1-9]\d\d 0\.[1-9]\d\d$/,
         "C117 the time until it was stopped, $what");
}

# C107, C108
complete($client->get('/nested'),
         '{"a":[{"a":{"a":{"x":1}}},[1,2]],"b":[1,2]}',
         'C107 four levels');
$reply = $client->get('/nested_partial');
is($reply->{body}, '{"a":{"a":{"x":1},"b":null}}',
   'an aggregate with a partial one');
is("$reply->{header}{'x-gw-completed'} $reply->{header}{'x-gw-failed'}",
   'false a', 'it is partial too');
degraded($client->get('/nested_failed'), 'timeout',
         'an aggregate that failed tells why');
$be->clear;
$start = time();
$reply = $client->get('/nested_stopped');
degraded($reply, 'timeout', 'an aggregate in a part is stopped');
within($reply->{time}, 0.2, 0.25, 'an aggregate in a part: in time');
closed($_, 1, $start + 0.2, "an aggregate in a part: $_") for ('/never', '/half');

failed($client->get('/cycle'), 502, { a => 'loop' }, 'C108 a cycle');
is(log_lines('\[error\].*nested deeper'), 1, 'C108 one line');
$reply = $client->get('/self');
is($reply->{body}, '{"a":{"a":{"a":{"a":null,"b":[1,2]},"b":[1,2]},'
                   . '"b":[1,2]},"b":[1,2]}', 'C108 bounded');
is(log_lines('\[error\].*nested deeper'), 2, 'C108 one line more');
is(log_lines('subrequests cycle'), 0, 'C108 not by the limit of nginx');
$reply = $client->get('/many');
is($reply->{body}, '[[{"x":1},null],[1,2]]', 'gw_aggregate_max_subrequests')
    or diag($reply->{headers});

# C110
$be->clear;
degraded($client->get('/open'), 'not_internal', 'C110 a public location');
is(scalar($be->requests('/b')), 0, 'C110 the back end is not asked');
is(log_lines('\[error\].*location "/public/" of part "b" is not internal'),
   1, 'C110 one line');
degraded($client->get('/open_return'), 'not_internal', 'C110 return');
complete($client->get('/open_allowed'), '{"a":{"x":1},"b":[1,2]}',
         'C110 gw_aggregate_internal_only off');

# not for subrequests of others
$reply = $client->get('/mirrored');
is($reply->{body}, '{"x":1}', 'an aggregate as a mirror does no harm');
ok($nginx->until(1, sub { log_lines('works for requests of clients') == 1 }),
   'an aggregate as a mirror is refused');
open(my $fh, '>', "$nginx->{dir}/via_ssi") or die;
print $fh '<!--#include virtual="/agg?a=a&b=b" -->.';
close($fh);
$reply = $client->get('/via_ssi');
is($reply->{status}, 200, 'an aggregate in a page');

# P6
$client->get('/limited?a=a&b=b');

for my $b ('b', 'trickle') {
    $start = time();
    $reply = $client->get("/limited?a=a&b=$b");
    complete($reply, $b eq 'b' ? '{"a":{"x":1},"b":[1,2]}'
                               : '{"a":{"x":1},"b":1}',
             "P6 a part that limit_req delays, with $b");
}

ok($reply->{time} < 1, 'P6 the delay of a part ends with another one');
$client->get('/limited_long');
$reply = $client->get('/limited_long');
degraded($reply, 'timeout', 'P6 a part is stopped in its delay');
within($reply->{time}, 0.2, 0.25, 'P6 in time');
is($client->get('/ping')->{body}, 'pong', 'P6 the connection lives');
$start = time();
{
    my $other = GW::Client->new($nginx->{port});
    $other->send("GET /limited_long HTTP/1.1\r\nHost: x\r\n\r\n");
    sleep(0.05);
    $other->close;
}
$client->close;
sane($nginx, 'P6');
$client = GW::Client->new($nginx->{port});

# R5
{
    my $other = GW::Client->new($nginx->{port});

    $other->send("GET /lock_wait HTTP/1.1\r\nHost: x\r\n\r\n");
    sleep(0.1);
    $reply = $client->get('/lock');
    degraded($reply, 'timeout', 'a part is stopped while it waits for a lock');
    within($reply->{time}, 0.2, 0.25, 'a lock: in time');
    is($client->get('/ping')->{body}, 'pong', 'a lock: the connection lives');

    my $gone = GW::Client->new($nginx->{port});
    $gone->send("GET /lock_wait HTTP/1.1\r\nHost: x\r\n\r\n");
    sleep(0.05);
    $gone->close;

    complete($other->read, '{"a":{"x":1},"b":[1,2]}',
             'a lock: the one that holds it');
}

# C70, P3
$be->clear;
complete($client->get('/stale?a=a'), '{"a":{"x":1},"b":[1,2]}', 'C70 cold');
sleep(2.1);
$reply = $client->get('/stale?a=a');
complete($reply, '{"a":{"x":1},"b":[1,2]}', 'C70 stale while it is updated');
within($reply->{time}, 0, 0.05, 'C70 at once');
ok($nginx->until(2, sub { $be->requests('/stale') == 2 }),
   'C70 the back end is asked');
sleep(0.3);
ok(log_lines('upstream prematurely closed'),
   'P3 what updates the cache fails');

# it fails while the client waits for the other part
$client = GW::Client->new($nginx->{port});
complete($client->get('/stale?a=slow_a'), '{"a":{"x":1},"b":[1,2]}',
         'P3 the old one is there');
is(scalar($be->requests('/stale')), 3, 'P3 the back end is asked again');

# C109
$client = GW::Client->new($nginx->{port});
$reply = $client->get('/ssi');
degraded($reply, 'nested_output', 'C109 SSI in a part');
ok($reply->{time} < 1, 'C109 at once');
# it adds to what clients get only
complete($client->get('/added'), '{"a":{"x":1},"b":[1,2]}',
         'C109 add_before_body in a part');
sane($nginx, 'others') if $client->close || 1;

# C111
my $old = $nginx->get('/pid')->{body};

for my $signal ('HUP', 'QUIT') {
    my @clients = map { GW::Client->new($nginx->{port}) } 1 .. 8;

    $_->send("GET /agg?a=a&b=slow HTTP/1.1\r\nHost: x\r\n\r\n")
        for @clients;
    sleep(0.1);
    kill($signal, $nginx->{pid});
    my $good = grep { my $r = $_->read;
                      $r && $r->{body} eq '{"a":{"x":1},"b":[1,2]}' }
                    @clients;
    is($good, 8, "C111 $signal: all are answered");

    if ($signal eq 'HUP') {
        $reply = $nginx->get('/agg?a=a&b=b');
        is($reply->{body}, '{"a":{"x":1},"b":[1,2]}', 'C111 new workers');
        isnt($nginx->get('/pid')->{body}, $old, 'C111 it is new');
        ok($nginx->until(5, sub { !kill(0, $old) }),
           'C111 the old one ends');
    }
}

ok($nginx->until(5, sub { !kill(0, $nginx->{pid}) }), 'C111 it ends');
is(log_lines('\[(alert|crit|emerg)\]'), 0, 'C111 nothing bad is logged');

done_testing();
