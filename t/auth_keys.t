# Copyright (C) the nginx gateway modules developers

# Key sets that are requested from an identity provider: one fetch for all,
# rotation, failures, and requests that wait.

use strict;
use warnings;

use lib 't/lib';
use GW;
use GW::Client;
use GW::JOSE;
use GW::Keys;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);


# the first fetch, and everything that follows from it

keys_of('main', jwk('a'));
start(1);

is(status('a'), '200 -', 'a key that is requested');
is(status('a'), '200 -', '... is used again') for 1 .. 3;
is(fetches(), 1, '... and was fetched once');
is(status('x'), '401 kid', 'an unknown key ID') for 1 .. 3;
is(fetches(), 2, '... is looked for once');

keys_of('main', jwk('a'), jwk('b'));
is(status('b'), '401 kid', 'not again before the cooldown is over');
sleep(1.1);
is(status('b'), '200 -', 'R01: a new key ID is found by the request itself');
is(fetches(), 3, 'R01: ... with one fetch');

keys_of('main', jwk('a', 'z'), jwk('b'));
is(status('a', '/t', 'z'), '401 sig', 'a bad signature within the cooldown');
sleep(1.1);
is(status('a', '/t', 'z'), '200 -', 'R04: another key of the same ID');
is(fetches(), 4, 'R04: ... with one fetch');
is(status('a'), '401 sig', '... and the key before it is gone');

my ($head) = $be->requests('/main');
$head =~ s/\r//g;
unlike($head, qr/^(?:Authorization|Cookie|Accept|User-Agent|Range):/mi,
       'R16: nothing of the client is sent');

sleep(1.1);
$be->clear;
my $reply = $nginx->get('/t?a=secret', header =>
    join("\r\n", bearer('c'), 'Cookie: a=b', 'Range: bytes=0-1',
         'If-None-Match: "x"', 'If-Modified-Since: now', 'Accept: x/y',
         'Accept-Encoding: gzip', 'User-Agent: me', 'X-Any: thing',
         'Referer: http://secret/', 'Content-Type: a/b'));
is($reply->{status}, 401, 'a request with many headers');
($head) = $be->requests('/main');
# nginx before 1.29.7 adds this
$head =~ s/^Connection: close\r\n//m;
is($head, "GET /main HTTP/1.1\r\nHost: 127.0.0.1:$port\r\n",
   'R16: none of them is sent');
clean('first');


# many at a time, in several workers; a worker that finds no keys may see the
# fetch of another one end before it takes the next

for (1 .. 8) {
    keys_of('main', jwk('a'));
    start(4);
    $reply = [map { $nginx->begin('/t', header => bearer('a')) } 1 .. 60];
    is(join(' ', grep { $nginx->finish($_)->{status} != 200 } @$reply), '',
       'a crowd before the first fetch');
    is(fetches(), 1, '... waits for one');
}

my @kids = map { "random$_" } 1 .. 1000;
my @tokens = map { bearer($_, 'a') } @kids;
my $begin = time();

while (my @some = splice(@tokens, 0, 50)) {
    my @running = map { $nginx->begin('/t', header => $_) } @some;
    my @not = grep { $nginx->finish($_)->{status} != 401 } @running;
    fail('R02: a random key ID is refused') if @not;
}

my $allowed = 1 + int(time() - $begin + 0.99);
cmp_ok(fetches() - 1, '<=', $allowed,
       'R02: 1000 random key IDs, 4 workers, one fetch a cooldown');
cmp_ok(fetches(), '>=', 2, 'R02: ... but one');

keys_of('main', jwk('a'), jwk('b'));
sleep(1.1);
$be->clear;
$reply = [map { $nginx->begin('/t', header => bearer('b')) } 1 .. 40];
is(join(' ', grep { $nginx->finish($_)->{status} != 200 } @$reply), '',
   'R01: a crowd with a new key ID, in 4 workers');
is(fetches(), 1, 'R01: ... waits for one fetch');
is(join(' ', grep { status($_) ne '200 -' } ('a', 'b') x 10), '',
   '... which serves all workers');
clean('many');


# the first fetch fails

provide('main', "status 500\n");
start(2);
$reply = $nginx->get('/t', header => bearer('a'));
is($reply->{status}, 503, 'R06: the first fetch fails');
like($reply->{header}{'retry-after'}, qr/^[1-9]\d*$/,
     'R06: ... and may succeed later');
is($reply->{header}{'www-authenticate'}, undef, 'R06: ... without a challenge');
is($reply->{header}{'x-reason'}, 'keyset_down', 'R06: ... and its reason');
is(status('a'), '503 keyset_down', 'R06: others need not wait') for 1 .. 20;
is(fetches(), 1, 'R06: ... the provider is left alone');

keys_of('main', jwk('a'));
becomes('200 -', 'R06: until it is back', 'a');
cmp_ok(fetches(), '<=', 3, 'R06: ... with few fetches');
is(scalar(() = $nginx->log =~ /are not there/g), 1, '... told of once');
is(scalar(() = $nginx->log =~ /are there again/g), 1, '... and its end');
clean('down');


# what a provider may answer instead of keys

my $jwks = GW::JOSE::jwks(jwk('a'), jwk('b'));
my %bad = (
    'status 500' => 'the status of its answer is 500',
    'status 404' => 'the status of its answer is 404',
    'status 204' => 'the status of its answer is 204',
    'status 301' => 'the status of its answer is 301',
    'html' => 'not JSON at byte 0',
    'short' => 'cut short',
    'short_chunked' => 'cut short',
    'gzip' => 'compressed, use "gunzip on"',
    'rst' => 'the status of its answer is 502',
    'hang' => 'the status of its answer is 504',
);

my $stale = <<'END';
        location = /s {
            gw_jwt test;
            gw_jwt_key_request /jwks/stale;
            gw_jwt_key_cache 1s cooldown=1s max_stale=60s;
            empty_gif;
        }

        location = /m {
            gw_jwt test;
            gw_jwt_key_request /jwks/max;
            gw_jwt_key_cache 1s cooldown=1s max_stale=1s;
            empty_gif;
        }
END

for my $how (sort keys %bad) {
    keys_of('stale', jwk('a'));
    start(1, $stale);
    is(status('a', '/s'), '200 -', "R05: $how: keys are there");
    provide('stale', "$how\n$jwks");
    sleep(1.1);
    is(status('a', '/s'), '200 -', "R05: $how: they stay") for 1 .. 3;
    $nginx->until(5, sub { $nginx->log =~ /are not there/ });
    like($nginx->log, qr/are not there: .*\Q$bad{$how}\E.*; the keys before/,
         "R05: $how: told of");
    is(status('a', '/s'), '200 -', "R05: $how: they still stay");
    clean($how);
}

my %refused = (
    'an empty set' => ['{"keys":[]}', 'no key can verify a signature'],
    'an empty answer' => ['', 'not JSON'],
    'no set' => ['{"a":1}', 'no array "keys"'],
    'a large set' => [GW::JOSE::jwks(jwk('a')) . ' ' x 2_000_000,
                      'larger than 512 KiB'],
    'A14: secrets beside public keys' =>
        [GW::JOSE::jwks(jwk('b'), GW::JOSE::jwk('rsa', kid => 'r')),
         'secrets beside public keys'],
    'A15: a key ID twice' => [GW::JOSE::jwks(jwk('b'), jwk('b')),
                              'the same "kid"'],
    'A16: a weak key' => [GW::JOSE::jwk('rsa1024', kid => 'b'), '2048'],
    'A16: an exponent of 1' => [GW::JOSE::jwk('rsa', e => 'AQ'), 'exponent'],
    'A17: a short secret' =>
        [GW::JOSE::jwk('oct31', kid => 'b'), 'shorter than 32 bytes'],
    'A18: a point off the curve' =>
        [GW::JOSE::jwk('p256', y => GW::JOSE::b64u('a' x 32)),
         'not on the curve'],
);

for my $what (sort keys %refused) {
    keys_of('stale', jwk('a'));
    start(1, $stale);
    is(status('a', '/s'), '200 -', "R05: $what: keys are there");
    provide('stale', "json\n$refused{$what}[0]");
    sleep(1.1);
    is(status('a', '/s'), '200 -', "R05: $what: they stay");
    $nginx->until(5, sub { $nginx->log =~ /are not there/ });
    like($nginx->log, qr/are not there: .*\Q$refused{$what}[1]/,
         "R05: $what: told of");
    is(status('a', '/s'), '200 -', "R05: $what: they still stay");
    clean($what);
}

keys_of('max', jwk('a'));
start(1, $stale);
is(status('a', '/m'), '200 -', 'R05: keys are there');
provide('max', "status 500\n");
sleep(1.1);
is(status('a', '/m'), '200 -', 'R05: they are used when they are stale');
sleep(1.1);
is(status('a', '/m'), '503 keyset_down', 'R05: ... until max_stale');
keys_of('max', jwk('b'));
becomes('200 -', 'R05: ... or until there are others', 'b', '/m');
is(status('a', '/m'), '401 kid', '... which replace them');
clean('max_stale');


# a part of gw_aggregate that is decided before the access phase waits for keys

sub part {
    my ($kid) = @_;

    my $reply = $nginx->get('/parts', header => bearer($kid));

    return "$reply->{status} $reply->{body}";
}

keys_of('main', jwk('a'));
start(2, <<'END');
        location = /parts {
            gw_aggregate object;
            gw_aggregate_part one /part timeout=2s;
            gw_aggregate_part two /part optional timeout=2s;
        }

        location = /part {
            internal;
            gw_jwt test;
            gw_auth_phase preaccess;
            gw_jwt_key_request /jwks/main;
            gw_jwt_key_cache 10m cooldown=1s;
            try_files /none @json;
        }

        location @json {
            default_type application/json;
            return 200 '1';
        }
END

is(part('a'), '200 {"one":1,"two":1}', 'parts that wait for the first keys');
is(fetches(), 1, '... of one fetch');
like(part('b'), qr/^401 .*"one":"status"/, 'a part with an unknown key');
keys_of('main', jwk('a'), jwk('b'));
sleep(1.1);
is(part('b'), '200 {"one":1,"two":1}', 'parts that wait for keys anew');
is(fetches(), 3, '... of one fetch');
provide('main', "hang\n");
sleep(1.1);
like(part('c'), qr/^504 .*"one":"timeout"/, 'a part that waits for too long');
is(part('a'), '200 {"one":1,"two":1}', '... and one that has keys');
clean('parts');


# a key that cannot do what it says is not used, its set is

sub es {
    my ($alg, $kid, $key) = @_;

    return $nginx->get('/es', header => 'Authorization: Bearer '
                       . GW::JOSE::jwt($alg, $key, { exp => 9999999999 },
                                       kid => $kid));
}

keys_of('main', GW::JOSE::jwk('p256', kid => 'good', alg => 'ES256'),
        GW::JOSE::jwk('p384', kid => 'bad', alg => 'ES256'));
start(1, <<'END');
        location = /es {
            gw_jwt test;
            gw_jwt_algorithms ES256 ES384;
            gw_jwt_key_request /jwks/main;
            empty_gif;
        }
END

is(es('ES256', 'good', 'p256')->{status}, 200,
   'A13: keys beside one of another curve');
is(join(' ', @{es($$_[0], 'bad', $$_[1])->{header}}{'x-reason'}),
   'key_unusable', "A13: $$_[0] by the key of another curve")
    for (['ES256', 'p256'], ['ES384', 'p384']);
clean('A13');


# forms of good answers

my @rsa = map { GW::JOSE::jwk('rsa', kid => "k$_") } 1 .. 60;
my $large = GW::JOSE::jwks(@rsa);
$large .= ' ' x 450_000;

for my $how ('json', 'chunked', 'http10') {
    provide('main', "$how\n$large");
    start(1);
    is($nginx->get('/t', header => 'Authorization: Bearer '
                   . GW::JOSE::jwt('RS256', 'rsa', { exp => 9999999999 },
                                   kid => 'k60'))->{status},
       200, "a set of 480 KB, $how") or diag $nginx->log;
    clean($how);
}

GW::JOSE::spew("$dir/jwks.json", $large);
chmod(0644, "$dir/jwks.json");
keys_of('main', jwk('a'));
provide('other', "status 500\n");
start(2, <<"END");
        location = /static { internal; alias $dir/jwks.json; }
        location = /return { internal; return 200 '$jwks'; }
        location = /fallback {
            internal;
            proxy_pass http://127.0.0.1:$port/other;
            proxy_intercept_errors on;
            error_page 500 = \@file;
        }
        location \@file { root $dir; try_files /jwks.json =404; }

        location = /open { proxy_pass http://127.0.0.1:$port/main; }

        location = /u/static { gw_jwt t; gw_jwt_key_request /static; empty_gif; }
        location = /u/return { gw_jwt t; gw_jwt_key_request /return; empty_gif; }
        location = /u/none { gw_jwt t; gw_jwt_key_request /none; empty_gif; }
        location = /u/open { gw_jwt t; gw_jwt_key_request /open; empty_gif; }
        location = /u/both {
            gw_jwt t;
            gw_jwt_key_request /none;
            gw_jwt_key_request /return;
            empty_gif;
        }
        location = /u/fallback {
            gw_jwt t;
            gw_jwt_key_request /fallback;
            empty_gif;
        }
END
my $rs = 'Authorization: Bearer ' . GW::JOSE::jwt('RS256', 'rsa',
                                                  { exp => 9999999999 },
                                                  kid => 'k1');
is($nginx->get('/u/static', header => $rs)->{status}, 200, 'keys of a file');
is($nginx->get('/u/fallback', header => $rs)->{status}, 200,
   'keys of error_page');
is(status('a', '/u/return'), '200 -', 'keys of the configuration');
is(status('a', '/u/none'), '503 keyset_down', 'no such location');
is(status('b', '/u/both'), '200 -', 'one of two sources is down');
is(status('x', '/u/both'), '503 keyset_down', '... which may know the key');
is(status('a', '/u/open'), '200 -', 'a location that is not internal');
like($nginx->log, qr/"\/open" is open to clients, add "internal"/,
     '... is told of');
is($nginx->get('/t', header => bearer('a'))->{status}, 200, 'the proxied one');
like($nginx->get('/gw')->{body},
     qr/^gw_auth_key_fetches_total\{result="ok"\} 5$/m, 'fetches are counted');
like($nginx->get('/gw')->{body}, qr/^gw_auth_key_sets 5$/m, '... and sets');
clean('forms');


# nor is anything of the client in variables of the location

keys_of('leak', jwk('a'));
start(1, <<"END");
        location = /leak {
            set \$mine secret-\$http_x_any-\$http_cookie-\$cookie_a;
            gw_jwt test;
            gw_jwt_key_request /ask;
            empty_gif;
        }

        location = /ask {
            internal;
            proxy_set_header X-Seen "<\$http_authorization|\$http_cookie|\$cookie_a|\$http_x_any|\$http_host|\$host|\$mine|\$remote_user|\$content_type>";
            proxy_pass http://127.0.0.1:$port/leak;
        }
END
is($nginx->get('/leak', header => join("\r\n", bearer('a'), 'X-Any: thing',
                                       'Cookie: a=b', 'Content-Type: a/b'))
   ->{status}, 200, 'R16: a location with variables');
($head) = $be->requests('/leak');
like($head, qr/^X-Seen: <\|\|\|\|\|\|\|\|>\r?$/m, 'R16: ... which are empty');
clean('leak');


# tenants

keys_of('x', jwk('a', 'x'));
keys_of('y', jwk('a', 'y'));
provide('z', "status 404\n");
start(4, <<'END');
        location ~ ^/of/(?<tenant>[^/]*)$ {
            gw_jwt test;
            gw_jwt_key_request /jwks/$tenant;
            gw_jwt_key_cache 10m cooldown=1s;
            empty_gif;
        }

        location = /arg {
            gw_jwt test;
            gw_jwt_key_request $arg_u;
            empty_gif;
        }
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        server_name other;
        gw_jwt_algorithms HS256;

        location = /jwks/main {
            internal;
            proxy_pass http://127.0.0.1:%%PROVIDER%%/y;
        }

        location = /t {
            gw_jwt test;
            gw_jwt_key_request /jwks/main;
            empty_gif;
        }
END
my %want = (x => 200, y => 401, z => 503);
my @all = map { [$_, $nginx->begin("/of/$_", header => bearer('a', 'x'))] }
              ('x', 'y', 'z') x 20;
is(join(' ', grep { $nginx->finish($_->[1])->{status} != $want{$_->[0]} }
                  @all),
   '', 'R07: no keys of one tenant are those of another');
is(status('a', '/of/y', 'y'), '200 -', 'R07: ... which has its own');
is(status('a', '/of/x', 'y'), '401 sig', 'R07: ... only');
is(status('a', '/arg?u=/jwks/x', 'x'), '200 -', 'a URI in a variable');
is(status('a', '/arg?u=x', 'x'), '401 keyset', '... is a path');
is(status('a', '/arg', 'x'), '401 keyset', '... is not empty');
is(status('a', "/arg?u=$_", 'x'), '401 keyset', "... leads nowhere else: $_")
    for '/jwks/../x', '/jwks/a/../x', '/jwks/./../x', '/../jwks/x',
        '/jwks/..', '/jwks/..?x';
keys_of('..x', jwk('a', 'x'));
is(status('a', '/arg?u=/jwks/..x', 'x'), '200 -', '... has dots in a name');
is(status('a', '/arg?u=/jwks/x?/../', 'x'), '200 -', '... and in arguments');

$reply = $nginx->get('/t', header => bearer('a'));
is($reply->{status}, 200, 'one server has its keys');

for my $secret ('a', 'y') {
    my $c = GW::Client->new($nginx->{port});
    $c->send("GET /t HTTP/1.1\r\nHost: other\r\nConnection: close\r\n"
             . bearer('a', $secret) . "\r\n\r\n");
    my $r = $c->read;
    is($r->{status}, $secret eq 'y' ? 200 : 401,
       "R07: another server has others for the same URI: $secret");
}

for my $n (1 .. 150) {
    keys_of("n$n", jwk('a', $n));
}

is(join(' ', grep { status('a', "/of/n$_", $_) ne '200 -' }
                  1 .. 150, 1 .. 150), '', 'more tenants than are kept');
clean('tenants');


# tenants that nobody has ever had keys of take no place of others

my $of = <<'END';
        location ~ ^/of/(?<tenant>[^/]*)$ {
            gw_jwt test;
            gw_jwt_key_request /jwks/$tenant;
            gw_jwt_key_cache 10m cooldown=1s;
            empty_gif;
        }
END

keys_of('good', jwk('a'));
provide("i$_", "status 404\n") for 1 .. 200;
start(1, $of);
is(status('a', '/of/good'), '200 -', 'a tenant');
is(join(' ', grep { status('a', "/of/i$_") ne '503 keyset_down' } 1 .. 200),
   '', '... and many that do not exist');
is(status('a', '/of/good'), '200 -', '... the keys of the first are there');
is(fetches('good'), 1, '... still');

provide("h$_", "hang\n") for 1 .. 130;
my @hang = map { $nginx->begin("/of/h$_", header => bearer('a')) } 1 .. 130;
is(join(' ', grep { $nginx->finish($_)->{status} != 503 } @hang), '',
   'more fetches than there are places');
clean('invented');


# a full zone: the name of a set needs a place, too

my $long = 'n' x 200;

provide($_, "json\n" . GW::JOSE::jwks(jwk('a')) . ' ' x 3500)
    for 1 .. 60, $long;
start(1, $of, http => 'gw_auth_zone small:128k;');
is(join(' ', grep { status('a', "/of/$_") ne '200 -' } 1 .. 60, $long), '',
   'a full zone fails no request');
clean('full');

done_testing();
