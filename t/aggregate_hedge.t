#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate_part hedge=: the second request of a part that is slow.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

my $type = 'Content-Type: application/json';
my $whole = '{"a":{"x":1},"b":[1,2]}';


sub late {
    my ($seconds, $answer) = @_;

    return sub { $_[0]->delay($seconds); $answer->(@_) };
}


my $good = sub { $_[0]->json('[1,2]') };
my $other = sub { $_[0]->json('[3]') };
my $never = sub { $_[0]->hang };

# what the first request of a part meets and what the second one: each goes to
# a server of its own

my %case = (
    first_hangs => [ $never, late(0.005, $good) ],
    first_wins => [ late(0.25, $good), $never ],
    second_hangs_in_body => [ late(0.25, $good), sub {
        $_[0]->head(200, $type, 'Content-Length: 100');
        $_[0]->send('[1,2,');
        $_[0]->hang;
    } ],
    in_time => [ $good, $other ],
    slow_body => [ sub {
        $_[0]->head(200, $type, 'Content-Length: 5');
        $_[0]->delay(0.25);
        $_[0]->send('[1,2]');
    }, $other ],
    fails_in_time => [ sub { $_[0]->answer(500, 'text/html', 'x') }, $other ],
    first_fails => [ late(0.25, sub { $_[0]->answer(500, 'text/html', 'x') }),
                     late(0.4, $good) ],
    first_breaks => [ late(0.25, sub { $_[0]->close }), late(0.4, $good) ],
    second_fails => [ late(0.25, $good),
                      sub { $_[0]->answer(500, 'text/html', 'x') } ],
    second_breaks => [ late(0.25, $good), sub { $_[0]->rst } ],
    second_large => [ late(0.25, $good), sub {
        $_[0]->answer(500, 'text/html', 'x' x 200_000)
    } ],
    header => [ sub {
        $_[0]->delay(0.15);
        $_[0]->json('[1,2]', 'Cache-Control: max-age=77', 'Vary: X-First');
    }, sub {
        $_[0]->answer(500, 'text/html', 'x', 'Cache-Control: no-store',
                      'Vary: X-Second');
    } ],
    seen_late => [ late(0.15, sub { $_[0]->answer(500, 'text/html', 'x') }),
                   late(0.3, sub { $_[0]->json('{"id":"k 1"}') }) ],
    both_fail => [
        late(0.25, sub { $_[0]->answer(503, 'text/html', 'x',
                                       'Retry-After: 7') }),
        sub { $_[0]->answer(404, 'text/html', 'x') },
    ],
    both_fail_late => [
        late(0.12, sub { $_[0]->answer(503, 'text/html', 'x',
                                       'Retry-After: 7') }),
        late(0.25, sub { $_[0]->answer(404, 'text/html', 'x') }),
    ],
    first_fails_second_hangs => [
        late(0.12, sub { $_[0]->answer(404, 'text/html', 'x') }), $never,
    ],
    second_is_bad => [ $never, sub { $_[0]->json('[1,2') } ],
    both_hang => [ $never, $never ],
    null => [ $never, sub { $_[0]->answer(404, 'text/html', 'x') } ],
    empty => [ $never, sub { $_[0]->head(204) } ],
    seen => [ $never, sub { $_[0]->json('{"id":"k 1","y":[2]}',
                                        'Cache-Control: max-age=77') } ],
    large => [ late(0.25, sub { $_[0]->json('"' . 'x' x 3000 . '"') }),
               late(0.02, sub { $_[0]->json('"' . 'y' x 3000 . '"') }) ],
    one => [ late(0.25, $good), $other ],
    limit => [ late(0.25, $good), $other ],
    cached => [ late(0.25, $good), $other ],
    filled => [ $never, $good ],
    lock => [ $never, $good ],
    next => [ late(0.15, sub { $_[0]->close }), late(0.4, $good) ],
    reload => [ late(0.8, sub { $_[0]->close }), late(0.6, $good) ],
);

# items that are being made, in a file
my $count = GW::tmp_dir() . '/count';

sub item {
    my ($n, $conn, $req) = @_;

    open(my $fh, '>>', $count);
    syswrite($fh, "+\n");
    $conn->delay($req->{path} eq '/item_slow' ? 0.15 : $n ? 0.02 : 0.4);
    syswrite($fh, "-\n");
    $conn->json($n);
}

my @be = map {
    my $n = $_;

    GW::Backend->new(
        '/a' => sub { $_[0]->json('{"x":1}') },
        '/k%201' => sub { $_[0]->json('5', 'Cache-Control: max-age=99') },
        '/list' => sub { $_[0]->json('[1,2,3]') },
        '/item' => sub { item($n, @_) },
        '/item_slow' => sub { item($n, @_) },
        map { ("/$_" => $case{$_}[$n]) } keys %case,
    );
} 0, 1;

my ($first, $second) = map { $_->port } @be;

sub servers {
    my ($name) = @_;

    return "    upstream $name { server 127.0.0.1:$first max_fails=0;"
           . " server 127.0.0.1:$second max_fails=0; }\n";
}

sub upstream {
    my ($name, $more) = @_;

    $more ||= '';

    return <<"END";
        location = /h/$name {
            internal;
            proxy_pass http://$name;
            rewrite ^/h(/.*)\$ \$1 break;
            $more
        }
END
}

my $nginx = GW::Nginx->new(workers => 1, http => agg_server($be[0],
    http => join('', map { servers($_) } 'item', sort keys %case) . <<'HTTP'
    log_format sub '$request_uri $uri $status $upstream_status';
    access_log %%DIR%%/logs/sub.log sub;
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
HTTP
    , server => join('', map { upstream($_) }
                         grep { !/^(?:cached|filled|lock|next)$/ } sort keys %case)
    . upstream('cached', 'proxy_cache cache; proxy_cache_lock on;'
                         . ' proxy_cache_valid 200 10s;')
    . upstream('filled', 'proxy_cache cache; proxy_cache_valid 200 10s;')
    . upstream('lock', 'proxy_cache cache; proxy_cache_lock on;'
                       . ' proxy_cache_lock_timeout 150ms;'
                       . ' proxy_cache_valid 200 10s;')
    . upstream('next', 'proxy_next_upstream error;') . <<'END'));
        proxy_next_upstream off;
        log_subrequest on;
        add_header X-B $gw_part_b_status/$gw_part_b_time;
        add_header X-Cost $gw_aggregate_cost;

        location = /hedge {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /h/$arg_b optional hedge=50ms timeout=2s;
        }
        location = /required {
            gw_aggregate object;
            gw_aggregate_timeout 600ms;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /h/$arg_b hedge=50ms;
        }
        location = /null {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /h/null hedge=50ms null=404;
        }
        location = /one {
            gw_aggregate object;
            gw_aggregate_concurrency 1;
            gw_aggregate_part b /h/$arg_b hedge=50ms;
        }
        location = /only {
            gw_aggregate object;
            gw_aggregate_part b /h/$arg_b hedge=50ms;
        }
        location = /limit {
            gw_aggregate object;
            gw_aggregate_max_subrequests 2;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /h/$arg_b hedge=50ms;
        }
        location = /size {
            gw_aggregate object;
            gw_aggregate_max_size 4k;
            gw_aggregate_part b /h/large hedge=50ms;
        }
        location = /seen {
            gw_aggregate object;
            gw_aggregate_part b /h/seen hedge=50ms;
            gw_aggregate_pick b /id;
            gw_aggregate_set  $id b /id;
            gw_aggregate_part c /p/$id;
        }
        location = /seen_late {
            gw_aggregate object;
            gw_aggregate_part b /h/seen_late hedge=50ms;
            gw_aggregate_set  $id b /id;
            gw_aggregate_part c /p/$id;
        }
        location = /inner {
            internal;
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /h/$arg_b;
        }
        location = /outer {
            gw_aggregate array;
            gw_aggregate_part i /inner?b=$arg_b hedge=50ms;
        }
        location = /each {
            gw_aggregate array;
            gw_aggregate_part list /p/list;
            gw_aggregate_part item /item?$gw_item hedge=50ms;
            gw_aggregate_each item list "" concurrency=4;
        }
        location = /each_two {
            gw_aggregate array;
            gw_aggregate_part list /p/list;
            gw_aggregate_part item /item_slow?$gw_item hedge=50ms;
            gw_aggregate_each item list "" concurrency=2;
        }
        location /item { internal; proxy_pass http://item; }
        location = /ordered {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /h/$arg_b optional hedge=50ms;
        }
        location = /lines {
            gw_aggregate object;
            gw_aggregate_stream ndjson;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /h/$arg_b optional hedge=50ms;
        }
        location = /metrics { gw_metrics prometheus; }
END

my $client = GW::Client->new($nginx->{port});
my ($reply, $start, %before);


sub clear {
    $_->clear for @be;
}


# requests that the two servers saw of a path

sub asked {
    my ($path) = @_;

    return join(' ', map { scalar($_->requests("/$path")) } @be);
}


# when a server's hanging connection was closed, after $start

sub closed {
    my ($n, $path) = @_;

    my @closed;

    $nginx->until(2, sub { @closed = $be[$n]->closed("/$path") });

    return @closed == 1 ? $closed[0] - $start : 99;
}


sub sub_log {
    open(my $fh, '<', "$nginx->{dir}/logs/sub.log") or return ();

    return <$fh>;
}


sub metric {
    my ($name) = @_;

    my ($n) = $nginx->get('/metrics')->{body} =~ /^gw_aggregate_$name (\d+)/m;

    return $n;
}


sub hedge {
    my ($b, $uri) = @_;

    clear();
    $start = time();
    $reply = $client->get(($uri || '/hedge') . "?b=$b");

    return $reply;
}


complete(hedge('first_hangs'), $whole, 'C15 the second request answers');
within($reply->{time}, 0.055, 0.08, 'C15 in time');
is(asked('first_hangs'), '1 1', 'C15 two requests');
within(closed(0, 'first_hangs'), 0.05, 0.1, 'C15 the first one is closed');

like($reply->{header}{'x-b'}, qr{^200/0\.(?:05|0[6-9]|[1-9])},
     'variables tell of both together');
is($reply->{header}{'x-cost'}, 3, 'the cost is what is known before');
is(metric('parts_hedged_total') . metric('hedges_won_total'), '11',
   'metrics: one was sent, and has won');
is(scalar(map { /(\d+)/ } $nginx->get('/metrics')->{body}
          =~ /^gw_aggregate_part_seconds_count (\d+)/m), 1, 'metrics: times');
ok($nginx->until(1, sub {
    2 == grep { m{^/hedge\S* /first_hangs (?:200 200|\d+ -)$} } sub_log()
}), 'log_subrequest: a line for each request') or diag(sub_log());
is($nginx->get('/ping')->{body}, 'pong', 'C15 the worker lives');
is($client->get('/ping')->{body}, 'pong', 'C15 the connection lives');

complete(hedge('first_wins'), $whole, 'the first request answers first');
within($reply->{time}, 0.25, 0.3, 'the first one: in time');
is(asked('first_wins'), '1 1', 'the first one: two requests');
within(closed(1, 'first_wins'), 0.25, 0.35, 'the first one: the second is '
                                            . 'closed');
is(metric('parts_hedged_total') . metric('hedges_won_total'), '21',
   'metrics: one was sent, and has lost');

failed(hedge('second_hangs_in_body', '/required'), 504, { b => 'timeout' },
       'a header is what wins, and its body is waited for');

complete(hedge('in_time'), $whole, 'an answer in time');
complete(hedge('slow_body'), $whole, 'a header in time');
degraded(hedge('fails_in_time'), 'status', 'a failure in time');
is(asked('in_time') . asked('slow_body') . asked('fails_in_time'), '0 00 01 0',
   'what came in time is not requested twice');

complete(hedge('first_fails'), $whole, 'the first fails, the second goes on');
within($reply->{time}, 0.45, 0.5, 'the first fails: in time');
is($reply->{header}{'x-b'} =~ m{^200/}, 1, 'the first fails: the status');
complete(hedge('first_breaks'), $whole, 'the first breaks');

for my $how ('fails', 'breaks', 'large') {
    complete(hedge("second_$how"), $whole,
             "the second one ($how), the first goes on");
    is(asked("second_$how"), '1 1', "the second one ($how): two requests");
}

# when both fail the first one tells why, whichever came last

for my $late ('', '_late') {
    failed(hedge("both_fail$late", '/required'), 503, { b => 'status' },
           "both fail$late");
    is($reply->{header}{'retry-after'}, 7, "both fail$late: what it said");
    degraded(hedge("both_fail$late"), 'status', "both fail$late: optional");
}

failed(hedge('first_fails_second_hangs', '/required'), 404,
       { b => 'status' }, 'the first fails, the second has no time left');
within($reply->{time}, 0.6, 0.65, 'the second has no time left: in time');
degraded(hedge('second_is_bad'), 'invalid_json',
         'a bad answer with a good header');

failed(hedge('both_hang', '/required'), 504, { b => 'timeout' },
       'the time ends for both');
within($reply->{time}, 0.6, 0.65, 'the time ends for both: in time');
within(closed($_, 'both_hang'), 0.6, 0.7,
       "the time ends for both: connection $_ is closed") for 0, 1;
is($client->get('/ping')->{body}, 'pong',
   'the time ends for both: the connection lives');

complete(hedge('null', '/null'), '{"a":{"x":1},"b":null}',
         'null= is good enough to win');
complete(hedge('empty'), '{"a":{"x":1},"b":null}', 'so is nothing');

complete(hedge('large', '/size'), '{"b":"' . 'y' x 3000 . '"}',
         'one of the bodies counts for gw_aggregate_max_size');
complete(hedge('seen', '/seen'), '{"b":{"id":"k 1"},"c":5}',
         'values and members are those of the one that wins');
is($reply->{header}{'cache-control'}, 'max-age=77',
   'Cache-Control is of the one that wins');
is(hedge('header', '/only')->{body}, '{"b":[1,2]}', 'one that loses late');
is("$reply->{header}{'cache-control'} $reply->{header}{vary}",
   'max-age=77 X-First', 'Cache-Control and Vary are not of the one that '
                         . 'loses');

complete(hedge('', '/seen_late'), '{"b":{"id":"k 1"},"c":5}',
         'what depends on a part waits for both of its requests');

# room

complete(hedge('one', '/one'), '{"b":[1,2]}',
         'gw_aggregate_concurrency leaves no room');
is(asked('one'), '1 0', 'gw_aggregate_concurrency: one request');
complete(hedge('limit', '/limit'), $whole,
         'gw_aggregate_max_subrequests leaves no room');
is(asked('limit'), '1 0', 'gw_aggregate_max_subrequests: one request');

complete(hedge('', '/each'), '[[1,2,3],[1,1,0]]',
         'gw_aggregate_each: an item is requested twice');

unlink($count);
$reply = hedge('', '/each_two');
like($reply->{body}, qr/^\[\[1,2,3\],\[[01],[01],[01]\]\]$/,
     'gw_aggregate_each: with no room for more');
my ($now, $most) = (0, 0);
open(my $fh, '<', $count) or die;

while (my $line = <$fh>) {
    $now += $line eq "+\n" ? 1 : -1;
    $most = $now if $now > $most;
}

is($most, 2, 'gw_aggregate_each: concurrency is not exceeded');

# nested, streamed, cached, tried in turn

is(hedge('first_hangs', '/outer')->{body}, "[$whole]",
   'an aggregate is requested twice');
within($reply->{time}, 0.055, 0.08, 'an aggregate: in time');
within(closed(0, 'first_hangs'), 0.05, 0.1,
       'an aggregate: the first one is stopped');

is(hedge('first_hangs', '/ordered')->{body}, $whole, 'gw_aggregate_stream');
within(closed(0, 'first_hangs'), 0.05, 0.1,
       'gw_aggregate_stream: the first one is closed');
is(hedge('first_fails', '/ordered')->{body}, $whole,
   'gw_aggregate_stream: the first fails, the second goes on');
is(hedge('both_fail', '/ordered')->{body}, '{"a":{"x":1},"b":null}',
   'gw_aggregate_stream: both fail');
is(hedge('first_hangs', '/lines')->{body},
   qq({"part":"a","value":{"x":1}}\n{"part":"b","value":[1,2]}\n),
   'gw_aggregate_stream ndjson');
is(hedge('both_fail_late', '/lines')->{body},
   qq({"part":"a","value":{"x":1}}\n)
   . qq({"part":"b","value":null,"error":"status"}\n),
   'gw_aggregate_stream ndjson: both fail');

complete(hedge('cached'), $whole, 'a lock of the cache that the first has');
is(asked('cached'), '1 0', 'a lock: the second waits for it');
complete($client->get('/hedge?b=cached'), $whole, 'a lock: from the cache');
is(asked('cached'), '1 0', 'a lock: no one is asked any more');
complete(hedge('filled'), $whole, 'the second one fills the cache');
complete($client->get('/hedge?b=filled'), $whole, 'it is there');
is(asked('filled'), '1 1', 'no one is asked any more');
complete(hedge('lock'), $whole, 'a lock whose time ends');
is(asked('lock'), '1 1', 'a lock whose time ends: the second one goes on');

complete(hedge('next'), $whole, 'proxy_next_upstream');
within($reply->{time}, 0.45, 0.5, 'proxy_next_upstream: in time');
is(asked('next'), '1 2', 'proxy_next_upstream: each has its own tries');

sane($nginx, 'hedges') if $client->close || 1;

# clients that leave, and a reload

for my $way ('close', 'reset') {
    my $gone = GW::Client->new($nginx->{port});

    clear();
    $gone->send("GET /hedge?b=both_hang&$way HTTP/1.1\r\nHost: x\r\n\r\n");
    ok($nginx->until(2, sub { asked('both_hang') eq '1 1' }),
       "client leaves, $way: two requests");
    sleep(0.05);
    $start = time();
    $gone->$way;
    within(closed($_, 'both_hang'), 0, 0.1,
           "client leaves, $way: connection $_ is closed") for 0, 1;
    ok($nginx->until(1, sub {
        2 == grep { m{^/hedge\S*&$way /both_hang } } sub_log()
    }), "client leaves, $way: both are in the log");
}

sane($nginx, 'clients leave');

my ($old) = $nginx->workers;
my $waits = GW::Client->new($nginx->{port});

clear();
$waits->send("GET /hedge?b=reload HTTP/1.1\r\nHost: x\r\n\r\n");
$nginx->until(2, sub { asked('reload') eq '1 1' });
$nginx->reload;
complete($waits->read, $whole, 'a reload with both requests on their way');
ok($nginx->until(5, sub { !GW::Nginx::alive($old) }), 'the old worker ends');
complete(GW::Client->new($nginx->{port})->get('/hedge?b=first_hangs'), $whole,
         'the new one hedges');
unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'nothing bad is logged');

done_testing();
