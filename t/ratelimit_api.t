#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_limit_api: what keys have used of limits, quotas and concurrency, in
# shared memory and in Redis; resets and grants; hostile paths, keys and
# bodies; a Redis that is down or late.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Hold;
use GW::Nginx;
use GW::Redis;
use JSON::PP;
use POSIX qw();
use Test::More;
use Time::HiRes qw(sleep time);

my $hold = GW::Hold->new;
my $redis = GW::Redis->new;
my $server = $redis->server;

my $http = <<"END";
    gw_redis main {
        server $server;
        timeout 200ms;
        fail_timeout 200ms;
        stall_timeout 500ms;
    }

    map \$arg_plan \$rate { default 6r/m; gold 600r/m; none unlimited; }
    map \$arg_plan \$quota { default 10; none unlimited; }
    map \$http_k \$key { default \$http_k; "" \$arg_k; }

    gw_limit_zone \$key zone=g:1m rate=6r/m burst=2;
    gw_limit_zone \$key zone=s:1m rate=10r/d algorithm=sliding "policy=a b";
    gw_limit_zone \$key zone=f:1m rate=10r/d algorithm=fixed;
    gw_limit_zone \$binary_remote_addr zone=ip:1m rate=1r/m burst=9;
    gw_limit_zone \$key zone=plan:1m rate=\$rate;
    gw_limit_zone \$key zone=plan2:1m rate=\$rate rate=5r/m;
    gw_limit_zone \$key zone=rg:1m rate=6r/m burst=2 redis=main;
    gw_limit_zone \$key zone=rs:1m rate=10r/d algorithm=sliding redis=main;
    gw_limit_zone \$key zone=rf:1m rate=10r/d algorithm=fixed redis=main;
    gw_limit_zone \$key zone=rp:1m rate=\$rate redis=main;
    gw_limit_zone \$key zone=race:1m rate=1r/h burst=9999;

    gw_quota_zone \$key zone=q:1m quota=10 period=day;
    gw_quota_zone \$key zone=carry:1m quota=\$quota period=month carry=5;
    gw_quota_zone \$key zone=month:1m quota=10 period=month anchor=\$arg_since;
    gw_quota_zone \$key zone=own:1m quota=10 period=30d;
    gw_quota_zone \$key zone=free:1m quota=unlimited period=year;
    gw_quota_zone \$key zone=rq:1m quota=10 period=day redis=main;
    gw_quota_zone \$key zone=rcarry:1m quota=10 period=month carry=5 redis=main;
    gw_quota_zone \$key zone=rpart:1m quota=\$quota period=year carry=10%
                  redis=main;
    gw_quota_zone \$key zone=rown:1m quota=10 period=30d redis=main;
    gw_quota_zone \$key zone=rsince:1m quota=10 period=month redis=main
                  anchor=\$arg_since;

    gw_concurrency_zone \$key zone=c:1m;
    gw_concurrency_zone \$key zone=rc:1m redis=main;

    server {
        listen 127.0.0.1:%%PORT%%;
        client_body_buffer_size 2k;
        proxy_read_timeout 60s;
        gw_limit_headers off;
        add_header X-L "\$gw_limit_remaining \$gw_quota_used" always;

        location /g { gw_limit zone=g nodelay; empty_gif; }
        location /g20 { gw_limit zone=g burst=19 nodelay; empty_gif; }
        location /s { gw_limit zone=s; empty_gif; }
        location /f { gw_limit zone=f; empty_gif; }
        location /ip { gw_limit zone=ip nodelay; empty_gif; }
        location /plan { gw_limit zone=plan nodelay; empty_gif; }
        location /rg { gw_limit zone=rg nodelay; empty_gif; }
        location /rs { gw_limit zone=rs; empty_gif; }
        location /rf { gw_limit zone=rf; empty_gif; }
        location /race { gw_limit zone=race nodelay; empty_gif; }
        location /q { gw_quota zone=q cost=\$arg_c; empty_gif; }
        location /carry { gw_quota zone=carry; empty_gif; }
        location /month { gw_quota zone=month; empty_gif; }
        location /own { gw_quota zone=own; empty_gif; }
        location /rq { gw_quota zone=rq cost=\$arg_c; empty_gif; }
        location /rcarry { gw_quota zone=rcarry cost=\$arg_c; empty_gif; }
        location /rpart { gw_quota zone=rpart; empty_gif; }
        location /rown { gw_quota zone=rown cost=\$arg_c; empty_gif; }
        location /rsince { gw_quota zone=rsince; empty_gif; }
        location /c { gw_concurrency zone=c limit=5;
            proxy_pass http://127.0.0.1:$hold->{port}; }
        location /rc { gw_concurrency zone=rc limit=5;
            proxy_pass http://127.0.0.1:$hold->{port}; }

        location /api/ { gw_limit_api write=on; }
        location /read { gw_limit_api; }
        location /admin/ { rewrite ^/admin/(.*) /api/\$1 last; }
        location /except/ {
            gw_limit_api write=on;
            limit_except GET { deny all; }
        }
        location /if/ {
            gw_limit_api write=on;
            if (\$http_x_if) { set \$x 1; }
        }
        location /page/ { gw_limit_api; error_page 404 /g; }
    }
END

my $nginx = GW::Nginx->new(workers => 4, http => $http);


sub call {
    my ($method, $path, $body, @headers) = @_;

    my $reply = GW::Client->new($nginx->{port})->request($method, $path, $body,
                                                         @headers);

    $reply->{json} = eval { JSON::PP->new->decode($reply->{body}) } || {};

    return $reply;
}


# the members that are asked for

sub look {
    my ($path, @names) = @_;

    my $reply = call('GET', "/api/$path");

    return $reply->{status} . join('', map {
        my $value = $reply->{json}{$_};
        ' ' . (!exists $reply->{json}{$_} ? '-' : defined $value ? $value : 'null')
    } @names);
}


sub reset_ {
    my ($path) = @_;

    return call('DELETE', "/api/$path")->{status};
}


sub problem {
    my ($reply) = @_;

    return $reply->{status} if ($reply->{header}{'content-type'} || '')
                                   ne 'application/problem+json'
                               || $reply->{json}{status} ne $reply->{status}
                               || $reply->{json}{type} ne 'about:blank'
                               || !$reply->{json}{title};

    return "$reply->{status} $reply->{json}{detail}";
}


sub hit {
    my ($path, $n) = @_;

    return join(' ', map { $nginx->get($path)->{status} } 1 .. $n || 1);
}


zones();
limits();
windows();
plans();
quotas();
grants();
concurrency();
methods();
paths();
bodies();
redis_zones();
redis_quotas();
redis_away();
race();
inherited();

my @bad = $nginx->log =~ /^(.*\[(?:alert|crit|emerg)\].*)$/mg;
is(scalar(@bad), 0, 'clean log') or diag(@bad);

conf();

done_testing();


sub zones {
    my $reply = call('GET', '/api/');

    is($reply->{status}, 200, 'all zones');
    is($reply->{header}{'content-type'}, 'application/json', 'as JSON');
    is($reply->{header}{'cache-control'}, 'no-store', 'not to be stored');

    my $all = $reply->{json};

    is(join(' ', map { $_->{zone} } @{$all->{limits}}),
       'g s f ip plan plan2 rg rs rf rp race', 'limits');
    is(join(' ', map { "$_->{zone}=$_->{period}" } @{$all->{quotas}}),
       'q=day carry=month month=month own=2592000s free=year rq=day '
       . 'rcarry=month rpart=year rown=2592000s rsince=month', 'quotas');
    is(join(' ', map { $_->{zone} } @{$all->{concurrency}}), 'c rc',
       'concurrency');

    is_deeply($all->{limits}[0],
              { zone => 'g', policy => 'g', key => '$key', limit => 6,
                algorithm => 'gcra', window => 60, burst => 19,
                redis => undef }, 'a limit, the largest burst');
    is_deeply($all->{limits}[1],
              { zone => 's', policy => 'a b', key => '$key', limit => 10,
                algorithm => 'sliding', window => 86400, redis => undef },
              'a window');
    is_deeply($all->{limits}[4],
              { zone => 'plan', policy => 'plan', key => '$key',
                limit => undef, algorithm => 'gcra', window => undef,
                rate => '$rate', burst => 0, redis => undef },
              'a rate with variables');
    is($all->{limits}[6]{redis}, 'main', 'in Redis');
    is_deeply($all->{quotas}[1],
              { zone => 'carry', policy => 'carry', key => '$key',
                quota => '$quota', period => 'month', redis => undef },
              'a quota');

    $reply = call('HEAD', '/api/');
    is($reply->{status}, 200, 'HEAD');
    cmp_ok($reply->{header}{'content-length'}, '>', 100, 'has its length');
    is(call('GET', '/read')->{status}, 200, 'a location without a slash');
    is(call('GET', '/read/')->{status}, 200, 'and with one');
    is(problem(call('POST', '/api/', '{}')), '405 the list can only be read',
       'read only');
    is(problem(call('GET', '/api/?key=k')), '400 there is an unknown argument',
       'without arguments');
}


sub limits {
    my @all = qw(zone policy algorithm source limit window burst used
                 remaining reset full);

    is(look('limits/g/a', @all), '200 g g gcra shm 6 60 19 0 20 0 0',
       'a key never seen');
    hit('/g?k=a', 2);
    is(look('limits/g/a', @all), '200 g g gcra shm 6 60 19 2 18 10 20',
       'two are used');
    is(look('limits/g/a', 'used'), '200 2', 'a look takes nothing');
    is(look('limits/g/b', 'used'), '200 0', 'another key');
    is(look('limits/g/a?burst=2', 'burst', 'remaining'), '200 2 1',
       'another burst');
    is(look('limits/g/a?rate=6r%2Fm&burst=0', 'remaining'), '200 0',
       'a smaller bucket');
    is(look('limits/g/a', 'used'), '200 2', 'which has changed nothing');
    is(hit('/g?k=a', 2), '200 503' =~ s/503/429/r, 'used up');

    is(reset_('limits/g/a'), 204, 'a reset');
    is(look('limits/g/a', 'used', 'full'), '200 0 0', 'forgets');
    is(hit('/g?k=a', 4), '200 200 200 429', 'the bucket is full again');
    is(reset_('limits/g/nobody'), 204, 'a key never seen is reset');

    my $log = $nginx->log;
    like($log, qr/\[notice\].*gw_limit_api: a key of gw_limit_zone "g" is reset: done, client:/,
         'a notice');
    is(() = $log =~ /\[notice\].*gw_limit_api/g, 2, 'one for each');

    # $binary_remote_addr

    hit('/ip', 3);
    is(look('limits/ip?addr=127.0.0.1', 'used'), '200 3', 'an address');
    is(look('limits/ip?key=%7f%00%00%01', 'used'), '200 3', 'K1 and its bytes');
    is(look('limits/ip?addr=127.0.0.2', 'used'), '200 0', 'another one');
    is(look('limits/ip?addr=%3A%3A1', 'used'), '200 0', 'of IPv6');
    is(reset_('limits/ip?addr=127.0.0.1'), 204, 'is reset');
    is(look('limits/ip?addr=127.0.0.1', 'used'), '200 0', 'forgotten');
}


sub windows {
    for my $zone (qw(s f)) {
        hit("/$zone?k=w", 4);
        is(look("limits/$zone/w", qw(limit window burst used remaining)),
           '200 10 86400 - 4 6', "$zone: four in a window");
        is(look("limits/$zone/w?rate=20r/d", 'remaining'), '200 16',
           "$zone: another rate");
        is(look("limits/$zone/w", 'reset') =~ /^200 [1-9]/, 1, "$zone: reset");
        is(reset_("limits/$zone/w"), 204, "$zone: reset");
        is(look("limits/$zone/w", 'used'), '200 0', "$zone: forgotten");
        is(hit("/$zone?k=w", 11), join(' ', (200) x 10, 429), "$zone: all ten");
        is(problem(call('GET', "/api/limits/$zone/w?burst=1")),
           '400 the argument "burst" is no number of units, or the zone '
           . 'counts in windows', "$zone: no burst");
    }
}


sub plans {
    hit('/plan?k=p&plan=gold');

    is(problem(call('GET', '/api/limits/plan/p')),
       '400 the rate of the zone has variables and no default, add an '
       . 'argument such as "rate=10r/s"', 'no rate to look with');
    is(look('limits/plan/p?rate=600r/m', qw(limit used)), '200 600 1', 'a rate');
    is(look('limits/plan2/p', qw(limit used)), '200 5 0', 'the default');
    is(reset_('limits/plan/p'), 204, 'a reset needs none');

    for my $rate ('', '0', 'unlimited', '10', '10r%2Fs;drop', '1r/s%00',
                  '99999999999999999999r/s')
    {
        is(problem(call('GET', "/api/limits/plan/p?rate=$rate")),
           '400 the argument "rate" is no rate such as "10r/s"',
           "K12 rate \"$rate\"");
    }

    for my $burst ('', '-1', 'x', '1000000001', '99999999999999999999', '1%00') {
        is(call('GET', "/api/limits/g/p?burst=$burst")->{status}, 400,
           "burst \"$burst\"");
    }

    is(problem(call('GET', '/api/limits/rp/p?rate=100001r/s')),
       '400 the rate or the burst is too large for the zone',
       'too large for Redis');
}


sub quotas {
    my @all = qw(zone policy source limit used granted carried remaining);
    my @now = gmtime;
    my $start = do {
        local $ENV{TZ} = 'UTC';
        POSIX::tzset();
        POSIX::mktime(0, 0, 0, $now[3], $now[4], $now[5]);
    };

    is(look('quotas/q/a', @all, 'start', 'end'),
       "200 q q shm 10 0 0 0 10 $start " . ($start + 86400),
       'a key never seen');
    hit('/q?k=a&c=4');
    is(look('quotas/q/a', @all), '200 q q shm 10 4 0 0 6', 'four are used');
    is(look('quotas/q/a', @all), '200 q q shm 10 4 0 0 6', 'a look takes none');
    is(look('quotas/q/a?quota=3', qw(limit remaining)), '200 3 0',
       'another quota');
    is(look('quotas/q/a?quota=unlimited', qw(limit used remaining)),
       '200 null 4 null', 'none');
    is(hit('/q?k=a&c=7'), 429, 'not enough');
    is(reset_('quotas/q/a'), 204, 'a reset');
    is(look('quotas/q/a', 'used'), '200 0', 'forgets');
    is(hit('/q?k=a&c=7'), 200, 'enough');
    like($nginx->log, qr/\[notice\].*gw_limit_api: a key of gw_quota_zone "q" is reset: done/,
         'a notice');

    # a quota with variables

    hit('/carry?k=a', 2);
    is(look('quotas/carry/a', @all), '200 carry carry shm null 2 0 null null',
       'the quota is not known');
    is(look('quotas/carry/a?quota=100', qw(limit used remaining)),
       '200 100 2 98', 'it is now');
    is(look('quotas/free/a', qw(limit used)), '200 null 0', 'unlimited');

    # an anchor with variables

    my $since = time() - 86400 * 3;
    hit('/month?k=a&since=' . int($since));
    is(problem(call('GET', '/api/quotas/month/a')),
       '400 the anchor of the zone has variables, add an argument such as '
       . '"anchor=1700000000", which may be empty', 'no anchor to look with');
    is(look('quotas/month/a?anchor=' . int($since), 'used'), '200 1', 'an anchor');
    is(look('quotas/month/b?anchor=', 'used'), '200 0', 'an empty one');
    is(problem(call('GET', '/api/quotas/month/a?anchor=x')),
       '400 the argument "anchor" is no Unix time', 'a wrong one');
    is(problem(call('GET', '/api/quotas/q/a?anchor=1')),
       '400 the zone has no anchor with variables', 'one too much');
    is(problem(call('GET', '/api/quotas/q/a?quota=x')),
       '400 the argument "quota" is no number of units', 'no quota');

    # a period of its own

    my $now = int(time());
    hit('/own?k=a');
    my $own = call('GET', '/api/quotas/own/a')->{json};
    cmp_ok($own->{start} - $now, '<', 3, 'begins with the first use');
    is($own->{end} - $own->{start}, 30 * 86400, 'for its length');
}


sub grant {
    my ($path, $body, @headers) = @_;

    @headers = ('Content-Type: application/json') unless @headers;

    return call('POST', "/api/$path", $body, @headers);
}


sub grants {
    hit('/q?k=x&c=10');
    is(hit('/q?k=x'), 429, 'used up');

    my $reply = grant('quotas/q/x', '{"grant":5}');
    is($reply->{status}, 200, 'a grant');
    is_deeply([ @{$reply->{json}}{qw(limit used granted remaining)} ],
              [ 10, 10, 5, 5 ], 'and what is there now');
    is($reply->{header}{'cache-control'}, 'no-store', 'not to be stored');
    is(hit('/q?k=x&c=5'), 200, 'it is used');
    is(hit('/q?k=x'), 429, 'up');
    is(grant('quotas/q/x', ' {"grant" : 2 } ',
             'Content-Type: Application/JSON; charset=utf-8')
       ->{json}{granted}, 7, 'a second grant');
    like($nginx->log, qr/\[notice\].*gw_limit_api: 5 units are granted in gw_quota_zone "q": done/,
         'a notice');

    is(reset_('quotas/q/x'), 204, 'a reset');
    is(look('quotas/q/x', qw(used granted)), '200 0 0', 'forgets it, too');

    is(grant('quotas/q/new', '{"grant":9007199254740992}')->{json}{remaining},
       9007199254741002, 'the largest one, to a key never seen');
    is(problem(grant('quotas/q/new', '{"grant":1}')),
       '400 more units would be granted than can be counted', 'no more');
    is(look('quotas/q/new', 'granted'), '200 9007199254740992', 'it stays');

    is(problem(grant('quotas/carry/y', '{"grant":1}')),
       '400 the quota of the zone has variables, add an argument such as '
       . '"quota=1000"', 'what is carried over must be known');
    is(grant('quotas/carry/y?quota=7', '{"grant":1}')->{json}{remaining}, 8,
       'it is');
    is(grant('quotas/free/y', '{"grant":1}')->{json}{granted}, 1,
       'where nothing is carried it need not be');
}


sub concurrency {
    for my $zone (qw(c rc)) {
        my $source = $zone eq 'c' ? 'shm' : 'redis';

        is(look("concurrency/$zone/a", qw(zone policy source current)),
           "200 $zone $zone $source 0", "$zone: none");

        my @requests = map { $hold->begin($nginx, "/$zone?k=a") } 1 .. 3;

        is(look("concurrency/$zone/a", 'current'), '200 3', "$zone: three");
        is(look("concurrency/$zone/a", 'current'), '200 3', "$zone: still");
        is(look("concurrency/$zone/b", 'current'), '200 0', "$zone: not here");

        $hold->answer($_) for @requests;

        ok($nginx->until(5, sub {
            look("concurrency/$zone/a", 'current') eq '200 0'
        }), "$zone: none again");

        is(problem(call('DELETE', "/api/concurrency/$zone/a")),
           '405 the zone has no such method', "$zone: no reset");
    }
}


sub methods {
    my $reply = call('PUT', '/api/quotas/q/a', '{}');
    is(problem($reply), '405 the zone has no such method', 'PUT');
    is($reply->{header}{allow}, 'GET, HEAD, DELETE, POST', 'Allow of a quota');
    is(call('PATCH', '/api/limits/g/a')->{header}{allow}, 'GET, HEAD, DELETE',
       'Allow of a limit');
    is(call('DELETE', '/api/concurrency/c/a')->{header}{allow}, 'GET, HEAD',
       'Allow of concurrency');
    is(problem(call('POST', '/api/limits/g/a', '{}')),
       '405 the zone has no such method', 'a limit is not granted');

    $reply = call('DELETE', '/read/limits/g/a');
    is(problem($reply), '405 there is no "write=on" in this location',
       'read only');
    is($reply->{header}{allow}, 'GET, HEAD', 'Allow');
    is($reply->{header}{'cache-control'}, 'no-store', 'not to be stored');
    is(problem(call('POST', '/read/quotas/q/a', '{"grant":1}',
                    'Content-Type: application/json')),
       '405 there is no "write=on" in this location', 'no grants');
    is(look('quotas/q/a', 'granted'), '200 0', 'none');
    is(call('HEAD', '/api/limits/g/a')->{status}, 200, 'HEAD');
    is(call('DELETE', '/api/limits/nothing/a')->{status}, 404,
       'the zone comes first');

    # a connection goes on after any of them

    my $client = GW::Client->new($nginx->{port});

    for my $request ([ 'DELETE', '/api/limits/g/a', 'x' x 100, 204 ],
                     [ 'GET', '/api/limits/g/a', '{"grant":1}', 200 ],
                     [ 'PUT', '/api/limits/g/a', '{"grant":1}', 405 ],
                     [ 'POST', '/api/quotas/q/a', '{"grant":1}', 415 ],
                     [ 'DELETE', '/api/limits/rg/a', 'x', 204 ],
                     [ 'GET', '/api/limits/rg/a', 'x', 200 ])
    {
        my ($method, $path, $body, $status) = @$request;
        is($client->request($method, $path, $body)->{status}, $status,
           "$method $path with a body");
    }

    # pipelined, with Redis in between

    $client->send(join('', map { "GET /api/limits/$_/a HTTP/1.1\r\nHost: a\r\n\r\n" }
                           qw(rg g rs rf rg)));
    is(join(' ', map { $client->read->{body} =~ /"zone":"(\w+)"/ } 1 .. 5),
       'rg g rs rf rg', 'pipelined');
}


sub paths {
    for my $path ('limits', 'limits/', 'limits//k', 'x/g/k', 'Limits/g/k',
                  'limits/x/k', 'limits/q/k', 'quotas/g/k', 'concurrency/g/k',
                  'limits/g%00/k', 'l', 'limits/G/k')
    {
        my $reply = call('GET', "/api/$path");

        # nginx has refused a NUL before
        is($path =~ /%00/ ? $reply->{status} : problem($reply),
           $path =~ /%00/ ? 400 : '404 there is no such zone', "path $path");
    }

    for my $path ('limits/g', 'limits/g/', 'quotas/q', 'limits/g?key=') {
        is(problem(call('GET', "/api/$path")),
           '400 the key is missing: an empty one is never limited',
           "K3 path $path");
    }

    is(problem(call('GET', '/api/limits/g/k?key=k')),
       '400 there is more than one key', 'two keys');
    is(problem(call('GET', '/api/limits/g?key=a%zz')),
       '400 an argument has a broken percent-encoding', 'no hex');
    is(problem(call('GET', '/api/limits/g?key=a+b')),
       '400 an argument has a "+": write "%2B" or "%20"', 'a plus');
    is(problem(call('GET', '/api/limits/g/k?brust=5')),
       '400 there is an unknown argument', 'a typing error');
    is(problem(call('GET', '/api/limits/g/k?burst=5&burst=6')),
       '400 an argument is given twice', 'twice');

    for my $addr ('', 'x', '127.0.0.256', 'localhost', 'unix:/x', '127.0.0.1:80',
                  '127.0.0.1%00')
    {
        is(problem(call('GET', "/api/limits/ip?addr=$addr")),
           '400 the argument "addr" is no address', "addr \"$addr\"");
    }

    is(call('GET', '/readlimits/g/k')->{status}, 404, 'not the location');

    # every key comes out as the module has it: K1, K2, K17

    my %keys = (
        'a b' => 'a%20b', 'a/b' => 'a%2Fb', 'a/b c' => 'a/b%20c',
        'a//b' => 'a%2F%2Fb', '..' => 'key=..', '%41' => '%2541',
        'a?b#c&d' => 'a%3Fb%23c%26d', "\xff\xfe" => '%FF%fe',
        'a+b' => 'a+b', '{}' => '{}', "*3" => '*3', '~' => '~',
        '"x"' => '%22x%22', 'b' x 64 => 'b' x 64, 'c' x 65 => 'c' x 65,
        'd' x 3000 => 'd' x 3000, 'x/../y' => 'key=x/../y',
    );

    for my $zone (qw(g rg)) {
        for my $key (sort keys %keys) {
            my $name = substr($keys{$key}, 0, 70);
            my $path = $keys{$key} =~ /^key=/ ? "limits/$zone?$keys{$key}"
                                              : "limits/$zone/$keys{$key}";

            $nginx->get("/$zone", header => "K: $key");
            is(look($path, 'used'), '200 1', "$zone: key $name");
            is(reset_($path), 204, "$zone: reset of $name");
            is(look($path, 'used'), '200 0', "$zone: $name is forgotten");
        }
    }

    is($redis->command('KEYS', '*rg*')->[0], undef, 'nothing is left in Redis');

    # a rewrite leaves the decoded URI

    hit('/g?k=r');
    is(call('GET', '/admin/limits/g/r')->{json}{used}, 1, 'a rewritten URI');
    is(call('GET', '/admin/limits/g/%25')->{json}{used}, 0, 'is not decoded again');
    is(call('GET', '/%61pi/limits/g/r')->{json}{used}, 1, 'an encoded prefix');
    is(call('GET', '/api/../api/limits/g/r')->{status}, 404,
       'no detours') or diag(call('GET', '/api/../api/limits/g/r')->{body});
    is(problem(call('GET', '/page/limits/none/k')), '404 there is no such zone',
       'error_page is for other errors');

    unlike($nginx->log, qr/^(?!\d{4}\/)/m, 'K17 no line of its own in the log');
}


sub bodies {
    my $form = '400 the body is no JSON object of the form {"grant":1000}';
    my $units = '400 the body must have one member, "grant", with a number of '
                . 'units from 1 to 9007199254740992';

    my @rows = (
        [ '', $form ], [ '{', $form ], [ '[1]', $form ], [ '1', $form ],
        [ 'null', $form ], [ "\xef\xbb\xbf{\"grant\":1}", $form ],
        [ '{"grant":1}{"grant":1}', $form ], [ '{"grant":1,"grant":2}', $form ],
        [ '{"grant":{"a":1}}', $form ], [ '{"grant":[1]}', $form ],
        [ "{\"grant\":\"\xff\"}", $form ], [ '{"grant":1e999}', $form ],
        [ '{"grant":99999999999999999999}', $form ], [ "{\"gr\0ant\":1}", $form ],
        [ '{"grant":01}', $form ], [ "\0" x 1024, $form ],
        [ '[' x 1024, $form ],
        [ '{}', $units ], [ '{"grant":0}', $units ], [ '{"grant":-5}', $units ],
        [ '{"grant":1.0}', $units ], [ '{"grant":"5"}', $units ],
        [ '{"grant":null}', $units ], [ '{"grant":true}', $units ],
        [ '{"Grant":1}', $units ], [ '{"grant":1,"x":2}', $units ],
        [ '{"grant":9007199254740993}', $units ],
    );

    for my $row (@rows) {
        my $name = $row->[0];
        $name =~ s/[^ -~]/./g;
        is(problem(grant('quotas/q/body', $row->[0])), $row->[1],
           'body ' . substr($name, 0, 40));
    }

    is(look('quotas/q/body', 'granted'), '200 0', 'nothing was granted');

    my $large = '{"grant":1' . ' ' x 1013 . '}';

    is(grant('quotas/q/large', $large)->{status}, 200, '1024 bytes');
    is(problem(grant('quotas/q/large', "$large ")), '413 the body is too large',
       '1025 bytes');
    is(problem(grant('quotas/q/large', ' ' x 200000)),
       '413 the body is too large', 'many bytes');

    for my $size (20, 1100, 5000) {
        my $text = '{"grant":1' . ' ' x ($size - 11) . '}';
        my $client = GW::Client->new($nginx->{port});

        $client->send("POST /api/quotas/q/chunked HTTP/1.1\r\nHost: a\r\n"
                      . "Content-Type: application/json\r\n"
                      . "Transfer-Encoding: chunked\r\n\r\n"
                      . sprintf("%x\r\n%s\r\n0\r\n\r\n", $size, $text));
        is($client->read->{status}, $size < 1024 ? 200 : 413,
           "chunked, $size bytes");
    }

    is(look('quotas/q/chunked', 'granted'), '200 1', 'one is granted');

    for my $type ('', 'Content-Type: text/plain', 'Content-Type:',
                  'Content-Type: application/jsonx',
                  'Content-Type: application/x-www-form-urlencoded')
    {
        is(problem(call('POST', '/api/quotas/q/type', '{"grant":1}',
                        $type ? $type : ())),
           '415 the body must be application/json', "type \"$type\"");
    }

    # bytes that come one by one, and a client that leaves

    my $client = GW::Client->new($nginx->{port});
    my $body = '{"grant":3}';

    $client->send("POST /api/quotas/q/slow HTTP/1.1\r\nHost: a\r\n"
                  . "Content-Type: application/json\r\nContent-Length: "
                  . length($body) . "\r\n\r\n");

    for (split(//, $body)) {
        sleep(0.01);
        $client->send($_);
    }

    is($client->read->{status}, 200, 'byte by byte');

    $client = GW::Client->new($nginx->{port});
    $client->send("POST /api/quotas/q/gone HTTP/1.1\r\nHost: a\r\n"
                  . "Content-Type: application/json\r\nContent-Length: 11\r\n"
                  . "\r\n{\"gr");
    sleep(0.05);
    $client->reset;
    is(look('quotas/q/gone', 'granted'), '200 0', 'a client that leaves');
}


sub redis_zones {
    $redis->command('FLUSHALL');

    is(look('limits/rg/a', qw(source used remaining reset full)),
       '200 redis 0 3 0 0', 'a key never seen');
    is_deeply($redis->command('KEYS', 'gw:1:[^n]*'), [], 'a look writes nothing');
    hit('/rg?k=a', 2);
    is(look('limits/rg/a', qw(source used remaining reset full)),
       '200 redis 2 1 10 20', 'two are used');
    is(look('limits/rg/a?burst=0', 'remaining'), '200 0', 'another burst');
    is(look('limits/rg/a', 'used'), '200 2', 'has changed nothing');
    is(hit('/rg?k=a', 2), '200 429', 'used up');
    is(reset_('limits/rg/a'), 204, 'a reset');
    is($redis->command('EXISTS', 'gw:1:l:rg:{a}'), 0, 'no key in Redis');
    is(hit('/rg?k=a', 4), '200 200 200 429', 'the bucket is full');

    for my $zone (qw(rs rf)) {
        hit("/$zone?k=a", 4);
        is(look("limits/$zone/a", qw(source used remaining)), '200 redis 4 6',
           "$zone: four");
        is(reset_("limits/$zone/a"), 204, "$zone: a reset");
        is($redis->command('EXISTS', "gw:1:s:$zone:{a}"), 0, "$zone: no key");
        is(look("limits/$zone/a", 'used'), '200 0', "$zone: forgotten");
    }

    # what another algorithm has left, and a key of somebody else

    $redis->command('SET', 'gw:1:l:rs:{a}', 1);
    $redis->command('HSET', 'gw:1:s:rs:{a}', 'w', 1);
    is(reset_('limits/rs/a'), 204, 'both keys');
    is_deeply($redis->command('KEYS', '*rs*'), [], 'are gone');

    $redis->command('LPUSH', 'gw:1:l:rg:{list}', 1);
    is(problem(call('GET', '/api/limits/rg/list')),
       '503 WRONGTYPE, somebody else uses the key', 'a list');
    $redis->command('SET', 'gw:1:c:rc:{text}', 1);
    is(problem(call('GET', '/api/concurrency/rc/text')),
       '503 WRONGTYPE, somebody else uses the key', 'no hash');

    # a script that is lost

    $redis->command('SCRIPT', 'FLUSH');
    is(look('limits/rg/b', 'used'), '200 0', 'the script is sent again');
    $redis->command('SCRIPT', 'FLUSH');
    is(look('concurrency/rc/b', 'current'), '200 0', 'that of concurrency, too');

    # requests in progress of hosts that are gone do not count

    my $now = $redis->command('TIME');
    my $usec = $now->[0] * 1000000 + $now->[1];

    $redis->command('HSET', 'gw:1:c:rc:{h}', 'one/1', '4:' . ($usec + 60e6),
                    'two/1', '3:' . ($usec - 1), 'bad', 'x');
    is(look('concurrency/rc/h', 'current'), '200 4', 'those that live');
    is($redis->command('HLEN', 'gw:1:c:rc:{h}'), 3, 'a look writes nothing');
}


sub redis_quotas {
    my @all = qw(source limit used granted carried remaining);

    for my $zone (qw(rq rcarry rown)) {
        my $null = $zone eq 'rcarry' ? 'null' : 0;

        is(look("quotas/$zone/a", @all), "200 redis 10 0 0 $null 10",
           "$zone: a key never seen");
        is(scalar(@{$redis->command('KEYS', "*:$zone:*")}), 0,
           "$zone: a look writes nothing");

        hit("/$zone?k=a&c=4");
        is(look("quotas/$zone/a", @all), "200 redis 10 4 0 $null 6",
           "$zone: four are used");
        is(hit("/$zone?k=a&c=7"), 429, "$zone: not enough");

        my $reply = grant("quotas/$zone/a", '{"grant":5}');
        is($reply->{status}, 200, "$zone: a grant");
        is_deeply([ @{$reply->{json}}{qw(used granted remaining)} ], [ 4, 5, 11 ],
                  "$zone: what is there now");
        is(grant("quotas/$zone/a", '{"grant":2}')->{json}{granted}, 7,
           "$zone: another grant");
        is(hit("/$zone?k=a&c=13"), 200, "$zone: they are used");
        is(look("quotas/$zone/a", @all), "200 redis 10 17 7 $null 0",
           "$zone: up");

        for my $name (@{$redis->command('KEYS', "*:$zone:*")}) {
            cmp_ok($redis->command('TTL', $name), '>', 7 * 86400,
                   "$zone: $name expires after its period");
        }

        is(reset_("quotas/$zone/a"), 204, "$zone: a reset");
        is_deeply($redis->command('KEYS', "*:$zone:*"), [], "$zone: no key");
        is(look("quotas/$zone/a", @all), "200 redis 10 0 0 $null 10",
           "$zone: as if never seen");

        is(grant("quotas/$zone/new", '{"grant":5}')->{json}{remaining}, 15,
           "$zone: a grant to a key never seen");
        is(hit("/$zone?k=new&c=15"), 200, "$zone: all of it");
        is(hit("/$zone?k=new"), 429, "$zone: no more");
        reset_("quotas/$zone/new");
    }

    # what is carried over is in one number with the grants

    my $month = POSIX::strftime('%Y-%m', gmtime);
    my $start = $redis->command('TIME')->[0] - 40 * 86400;

    $redis->command('SET', 'gw:1:q:rcarry:{c}', "$start:old");
    $redis->command('SET', 'gw:1:q:rcarry:{c}:old', 7);
    is(look('quotas/rcarry/c', @all), '200 redis 10 0 3 null 13',
       'three are carried over');
    is(grant('quotas/rcarry/c', '{"grant":1}')->{json}{granted}, 4, 'one more');
    is($redis->command('GET', "gw:1:g:rcarry:{c}:$month"), 4, 'in Redis');
    is(look('quotas/rcarry/c', @all), '200 redis 10 0 4 null 14', 'they stay');

    # arguments

    hit('/rpart?k=p');
    is(problem(call('GET', '/api/quotas/rpart/p')),
       '400 the quota of the zone has variables, add an argument such as '
       . '"quota=1000"', 'the keys depend on the quota');
    is(look('quotas/rpart/p?quota=10', 'used'), '200 1', 'it is given');
    is(call('DELETE', '/api/quotas/rpart/p')->{status}, 400, 'a reset needs it');
    is(reset_('quotas/rpart/p?quota=10'), 204, 'too');
    is(look('quotas/rpart/p?quota=10', 'used'), '200 0', 'forgotten');

    my $since = int(time()) - 3 * 86400;
    hit("/rsince?k=s&since=$since");
    is(look("quotas/rsince/s?anchor=$since", 'used'), '200 1', 'an anchor');
    is(call('DELETE', '/api/quotas/rsince/s')->{status}, 400,
       'a reset needs it');
    is(reset_("quotas/rsince/s?anchor=$since"), 204, 'with an anchor');
    is(look("quotas/rsince/s?anchor=$since", 'used'), '200 0', 'forgotten');

    is(problem(grant('quotas/rq/x', '{"grant":1000000000000001}')),
       '400 more units would be granted than Redis can count', 'too many');
    is(grant('quotas/rq/x', '{"grant":1000000000000000}')->{json}{granted},
       '1000000000000000', 'all that it can');
    grant('quotas/rq/x', '{"grant":1000000000000000}') for 1 .. 4;
    is(look('quotas/rq/x', 'granted'), '200 4503599627370496', 'but no more');

    # a clock that is elsewhere each time

    my $days = 0;
    my $fake = GW::Redis->fake(sub {
        return undef unless $_[0][0] =~ /^EVAL/;
        return sprintf("*2\r\n:2\r\n:%d\r\n",
                       (time() + 86400 * ++$days) * 1000000);
    });
    my $other = GW::Nginx->new(http => <<"END");
    gw_redis main { server @{[$fake->server]}; timeout 5s; stall_timeout 5s; }
    gw_quota_zone \$arg_k zone=rq:1m quota=10 period=day redis=main;
    server { listen 127.0.0.1:%%PORT%%; location /api/ { gw_limit_api; } }
END
    $other->until(5, sub { $other->get('/api/quotas/rq/x')->{body}
                           !~ /Redis is down/ });
    my $asked = grep { /^EVALSHA/ } $fake->received;
    like($other->get('/api/quotas/rq/x')->{body},
         qr/"status":503,"detail":"the period of a quota is over/,
         'no period is that of Redis');
    is((grep { /^EVALSHA/ } $fake->received) - $asked, 3, 'after three calls');

    # hostile keys

    for my $key ('%00', '%ff%fe', '{}', 'x' x 100, '%0d%0a') {
        is(grant("quotas/rq?key=$key", '{"grant":1}')->{json}{granted}, 1,
           "K1 key $key");
        is(reset_("quotas/rq?key=$key"), 204, 'reset');
    }
}


sub redis_away {

    # late

    hit('/rg?k=late', 2);
    $redis->pause;

    my $start = time();
    my $reply = call('GET', '/api/limits/rg/late');
    my $spent = time() - $start;

    is(problem($reply), '503 no reply in time', 'late');
    is($reply->{header}{'cache-control'}, 'no-store', 'not to be stored');
    cmp_ok($spent, '>', 0.15, 'after the timeout');
    cmp_ok($spent, '<', 1, 'and not later');
    $reply = call('DELETE', '/api/limits/rg/late');
    is($reply->{status}, 503, 'a reset without an answer');
    like($nginx->log, qr/\[notice\].*gw_limit_api: a key of gw_limit_zone "rg" is reset: no reply in time/,
         'the log says so');

    # clients that do not wait

    for (1 .. 20) {
        my $client = GW::Client->new($nginx->{port});
        $client->send("DELETE /api/limits/rg/late HTTP/1.1\r\nHost: a\r\n\r\n");
        $client->reset;
    }

    $redis->resume;

    ok($nginx->until(5, sub { look('limits/rg/late', 'used') eq '200 0' }),
       'it answers again, and the reset has come');
    is(look('limits/g/x', 'used'), '200 0', 'the others have never waited');

    # down: what is decided without it is reset, too

    $redis->kill;
    ok($nginx->until(5, sub {
        problem(call('GET', '/api/limits/rg/down')) =~ /^503 .* down/
    }), 'down');

    # each worker finds out by itself

    my $down = '503 Redis is down or its queue is full';

    for my $case ([ 'for quotas', sub { call('GET', '/api/quotas/rq/down') } ],
                  [ 'no grant',
                    sub { grant('quotas/rq/down', '{"grant":1}') } ],
                  [ 'for concurrency',
                    sub { call('GET', '/api/concurrency/rc/down') } ])
    {
        my ($name, $ask) = @$case;
        my $said;

        $nginx->until(5, sub { ($said = problem($ask->())) eq $down });
        is($said, $down, $name);
    }

    ok($nginx->until(5, sub { hit('/rg?k=down') eq '429' }),
       'used up in shared memory');
    is(problem(call('DELETE', '/api/limits/rg/down')), $down,
       'a reset says so');
    is(hit('/rg?k=down'), 200, 'and has reset the shared memory');

    $redis->start;
    ok($nginx->until(10, sub { look('limits/rg/up', 'used') eq '200 0' }),
       'up again');
}


# resets among requests of many workers: never more than was allowed

sub race {
    my $taken = 0;
    my @clients = map { GW::Client->new($nginx->{port}) } 1 .. 8;

    for my $round (1 .. 50) {
        my $n = 0;

        for (@clients) {
            my $path = ++$n == 8 ? '/api/limits/race/r' : '/race?k=r';
            my $method = $n == 8 && $round % 2 ? 'DELETE' : 'GET';
            $_->send("$method $path HTTP/1.1\r\nHost: a\r\n\r\n");
        }

        $taken += grep { $_->read->{status} == 200 } @clients[0 .. 6];
        $clients[7]->read;
    }

    is($taken, 350, 'all requests pass');

    my $used = call('GET', '/api/limits/race/r')->{json}{used};
    cmp_ok($used, '>=', 7, 'those since the last reset are counted');
    cmp_ok($used, '<=', 14, 'those before are not');
    is(look('limits/race/r', 'used'), "200 $used", 'whichever worker is asked');
}


sub inherited {
    is(call('GET', '/except/limits/g/i')->{status}, 200, 'limit_except: GET');
    is(call('DELETE', '/except/limits/g/i')->{status}, 403,
       'limit_except: DELETE');
    is(call('GET', '/if/limits/g/i', undef, 'X-If: 1')->{status}, 200, 'if');
    is(call('DELETE', '/if/limits/g/i', undef, 'X-If: 1')->{status}, 204,
       'if: write=on');
}


sub conf {
    my %rows = (
        'location /a/ { gw_limit_api write=yes; }'
            => 'invalid parameter "write=yes", it must be "write=on" or "write=off"',
        'location /a/ { gw_limit_api; gw_limit_api; }'
            => '"gw_limit_api" directive is duplicate',
        'location /a/ { empty_gif; gw_limit_api; }'
            => '"gw_limit_api" directive conflicts with another content handler',
        'location /a/ { gw_metrics json; gw_limit_api; }'
            => '"gw_limit_api" directive conflicts with another content handler',
        'location = /a { gw_limit_api; }'
            => '"gw_limit_api" directive needs a location given by a prefix',
        'location ~ ^/a/ { gw_limit_api; }'
            => '"gw_limit_api" directive needs a location given by a prefix',
        'location @a { gw_limit_api; }'
            => '"gw_limit_api" directive needs a location given by a prefix',
        'gw_limit_api;' => '"gw_limit_api" directive is not allowed here',
    );

    for my $text (sort keys %rows) {
        my $conf = GW::Nginx->new(stopped => 1, http => <<"END");
    server { listen 127.0.0.1:%%PORT%%; $text }
END
        my ($ok, $out) = $conf->test;
        ok(!$ok, "refused: $text");
        like($out, qr/\[emerg\] .*\Q$rows{$text}\E/, 'and why');
    }

    my $conf = GW::Nginx->new(stopped => 1, http => <<"END");
    server { listen 127.0.0.1:%%PORT%%; location ^~ /a/ { gw_limit_api write=off; } }
END
    my ($ok, $out) = $conf->test;
    ok($ok, 'no zones at all') or diag($out);
}
