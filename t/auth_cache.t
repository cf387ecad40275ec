#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# The cache of verified tokens: what it spares, what it must never decide, how
# long it lasts, that it is bounded.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::JOSE;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

my $dir = GW::tmp_dir();

# the second key file has neither the key nor its ID
file('one.json', GW::JOSE::jwks(GW::JOSE::jwk('rsa', kid => 'r'),
                                GW::JOSE::jwk('p256', kid => 'e')));
file('two.json', GW::JOSE::jwks(GW::JOSE::jwk('rsa2', kid => 'other')));
file('same.json', GW::JOSE::jwks(GW::JOSE::jwk('rsa2', kid => 'r')));
file('hs.json', GW::JOSE::jwks(GW::JOSE::jwk('oct64', kid => 'h')));
file('x', '');

my $headers = <<'END';
    add_header X-Reason $gw_auth_reason always;
    add_header X-Cache $gw_auth_cache always;
    add_header X-Sub "<$gw_jwt_claim_sub>" always;
END

basics();
early();
policies();
issuers();
dates();
removed();
moving();
reloads();
workers();
entries();
bytes();

done_testing();


sub file {
    my ($name, $text) = @_;

    GW::JOSE::spew("$dir/$name", $text);
    chmod(0644, "$dir/$name");
}


# a gateway with locations: name => directives

sub gateway {
    my ($http, %location) = @_;

    my %opt = ref($http) ? %$http : (http => $http);
    my $text = locations($opt{http}, %location);

    my $nginx = GW::Nginx->new(%opt, http => $text);

    $nginx->until(5, sub { $nginx->{workers} == $nginx->workers });

    return $nginx;
}


sub locations {
    my ($http, %location) = @_;

    my $list = join('', map { "location /$_ { $location{$_} empty_gif; }\n" }
                        sort keys %location);

    return <<"END";
    $http

    server {
        listen 127.0.0.1:%%PORT%%;
        gw_jwt_key_file $dir/one.json;
        $headers
        $list
        location = /open { $headers empty_gif; }
        location = /metrics { gw_metrics prometheus; }
    }
END
}


# what a request with a token is told: status, reason, cache

sub ask {
    my ($nginx, $path, $token) = @_;

    my $r = $nginx->get($path, header => "Authorization: Bearer $token");

    return join(' ', $r->{status}, map { defined $_ ? $_ : '' }
                                       $r->{header}{'x-reason'},
                                       $r->{header}{'x-cache'});
}


sub told {
    my ($nginx, $path, $token, $expected, $name) = @_;

    is(ask($nginx, $path, $token), $expected, $name);
}


sub metric {
    my ($nginx, $name, $label) = @_;

    my ($n) = $nginx->get('/metrics')->{body}
              =~ /^gw_auth_\Q$name\E\{[^}]*"$label"[^}]*\} (\d+)$/m;

    return defined $n ? $n : 0;
}


sub clean {
    my ($nginx, $name, @pids) = @_;

    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, "$name: clean log");
    is(join(' ', $nginx->workers), "@pids", "$name: the same workers") if @pids;
}


# a variable that is read before the access phase makes no second token

sub early {
    my $nginx = gateway('', a => 'set $early $gw_consumer; gw_jwt a;',
                        b => 'set $early $gw_consumer; gw_jwt a;
                              gw_auth_phase preaccess;',
                        var => 'set $t $arg_t; set $early $gw_consumer;
                                set $t $arg_u; gw_jwt a token=$t;');
    my $good = GW::JOSE::jwt('RS256', 'rsa', { sub => 'alice' }, kid => 'r');
    my $other = GW::JOSE::jwt('RS256', 'rsa', { sub => 'bob' }, kid => 'r');
    my $bad = GW::JOSE::jwt('RS256', 'rsa2', { sub => 'alice' }, kid => 'r');

    told($nginx, '/a', $good, '200 - MISS', 'early: good');
    told($nginx, '/a', $good, '200 - HIT', 'early: known');
    told($nginx, '/b', $good, '200 - HIT', 'early: known, preaccess');
    is(metric($nginx, 'token_cache_total', 'hit'), 2, 'early: two hits');
    is(metric($nginx, 'token_cache_total', 'miss'), 1, 'early: one miss');

    told($nginx, '/a', $bad, '401 sig MISS', 'early: bad');
    told($nginx, '/b', $bad, '401 sig MISS', 'early: bad, preaccess');
    is(metric($nginx, 'token_cache_total', 'miss'), 3, 'early: two more');

    my $r = $nginx->get("/var?t=$good&u=$other");
    is($r->{header}{'x-sub'}, '<bob>', 'early: another token since');
    $r = $nginx->get("/var?t=$good&u=$bad");
    is($r->{status}, 401, 'early: ... which is bad');
    is(metric($nginx, 'token_cache_total', 'miss'), 5, 'early: and two');
    is(metric($nginx, 'token_cache_total', 'hit'), 2, 'early: no more hits');

    clean($nginx, 'early');
    $nginx->stop;
}


sub basics {
    my $nginx = gateway('', a => 'gw_jwt a;', off => 'gw_jwt a;
                        gw_jwt_cache off;',
                        hs => "gw_jwt a; gw_jwt_key_file $dir/hs.json;
                               gw_jwt_algorithms HS256;",
                        key => 'gw_jwt a optional;');
    my @pids = $nginx->workers;

    my $rs = GW::JOSE::jwt('RS256', 'rsa', { sub => 'alice' }, kid => 'r');
    my $es = GW::JOSE::jwt('ES256', 'p256', { sub => 'bob' }, kid => 'e');
    my $hs = GW::JOSE::jwt('HS256', 'oct64', { sub => 'carol' }, kid => 'h');

    for my $case ([RS256 => '/a', $rs], [ES256 => '/a', $es],
                  [HS256 => '/hs', $hs])
    {
        my ($alg, $path, $token) = @$case;

        told($nginx, $path, $token, '200 - MISS', "$alg: verified once");
        told($nginx, $path, $token, '200 - HIT', "$alg: then known");
        told($nginx, $path, $token, '200 - HIT', "$alg: and again");
    }

    is(metric($nginx, 'token_cache_total', 'hit'), 6, 'hits are counted');
    is(metric($nginx, 'token_cache_total', 'miss'), 3, 'misses are counted');

    my $r = $nginx->get('/a', header => "Authorization: Bearer $es");
    is($r->{header}{'x-sub'}, '<bob>', 'claims of a known token');

    told($nginx, '/off', $rs, '200 - -', 'gw_jwt_cache off: nobody looks');
    told($nginx, '/off', $rs, '200 - -', 'gw_jwt_cache off: nor keeps');

    is($nginx->get('/a')->{header}{'x-cache'}, '-', 'no token, no cache');
    is($nginx->get('/key')->{header}{'x-cache'}, '-', 'optional, no token');
    is($nginx->get('/open')->{header}{'x-cache'}, '-', 'no gw_jwt, no cache');

    # what is refused is never known

    my $forged = GW::JOSE::jwt('RS256', 'rsa2', { sub => 'eve' }, kid => 'r');

    told($nginx, '/a', $forged, '401 sig MISS', 'a forged token')
        for 1 .. 3;

    for my $i (1, 20, length($rs) / 2, length($rs)) {
        my $bad = $rs;
        substr($bad, -$i, 1) =~ tr/A-Za-z0-9_-/B-ZAb-za1-90_-/;
        $bad .= 'A' if $bad eq $rs;

        like(ask($nginx, '/a', $bad), qr/^401 \w+ MISS$/,
             "a known token with byte -$i changed");
    }

    told($nginx, '/a', "${rs}A", '401 sig MISS', 'one byte more');
    told($nginx, '/a', substr($rs, 0, -1), '401 malformed MISS',
         'one byte less');

    # RFC 7515: the text is what was signed, another spelling is another token
    told($nginx, '/a', $rs, '200 - HIT', 'and the token itself is still known');

    # R13: neither is the refusal of one request the pass of the next
    told($nginx, '/a', "$rs.", '401 malformed MISS', 'R13 a bad one');
    told($nginx, '/a', $forged, '401 sig MISS', 'R13 then a forged one');

    # H05: on one connection each request has its own

    my $client = GW::Client->new($nginx->{port});

    for my $t ([$rs, 'alice'], [$es, 'bob'], [$rs, 'alice'],
               [$forged, ''], [$es, 'bob'])
    {
        my $got = $client->get('/a', "Authorization: Bearer $t->[0]");
        is($got->{header}{'x-sub'}, "<$t->[1]>", 'H05 one connection');
    }

    clean($nginx, 'basics', @pids);
    $nginx->stop;
}


# the same token under other policies: nothing but the signature is cached

sub policies {
    my $issuer = '%s { issuer i; audience %s; key_file ' . "$dir/one.json; }\n";
    my $http = join('', map { 'gw_jwt_issuer ' . sprintf($issuer, $_->[0],
                                                         $_->[1]) }
                            ['A', 'a'], ['B', 'b']);
    $http .= "gw_jwt_issuer typ { issuer i; audience a; typ at+jwt;
                                  key_file $dir/one.json; }
              map \$uri \$path { ~/no 0; default 1; }\n";

    my $nginx = gateway($http,
        a => 'gw_jwt x issuer=A;', b => 'gw_jwt x issuer=B;',
        typ => 'gw_jwt x issuer=typ;',
        two => "gw_jwt x; gw_jwt_key_file $dir/two.json;",
        same => "gw_jwt x; gw_jwt_key_file $dir/same.json;",
        ps => 'gw_jwt x; gw_jwt_algorithms PS256;',
        rs => 'gw_jwt x; gw_jwt_algorithms RS256;',
        restrict => 'gw_jwt x issuer=A; gw_jwt_algorithms ES256;',
        small => 'gw_jwt x; gw_jwt_max_size 100;',
        require => 'gw_jwt x; gw_jwt_require $path error=403;',
        any => 'gw_jwt x;');

    my $rs = GW::JOSE::jwt('RS256', 'rsa', { iss => 'i', aud => 'a' },
                           kid => 'r');

    told($nginx, '/a', $rs, '200 - MISS', 'R08 the audience of /a');
    told($nginx, '/b', $rs, '401 aud HIT', 'R08 is not that of /b');
    told($nginx, '/a', $rs, '200 - HIT', 'R08 and still that of /a');
    told($nginx, '/typ', $rs, '401 typ HIT', 'nor has it another type');
    told($nginx, '/any', $rs, '200 - HIT', 'another location, the same keys');
    told($nginx, '/two', $rs, '401 kid MISS', 'R03 other keys, other ID');
    told($nginx, '/same', $rs, '401 sig MISS', 'R03 other key, the same ID');
    told($nginx, '/any', $rs, '200 - HIT', 'and back');
    told($nginx, '/rs', $rs, '200 - HIT', 'an algorithm that is allowed');
    told($nginx, '/ps', $rs, '401 alg MISS', 'R13 one that is not');
    told($nginx, '/a', $rs, '200 - HIT', 'R13 one of the issuer') for 1 .. 2;
    told($nginx, '/restrict', $rs, '401 alg MISS',
         'R13 one that the location takes from its issuer');
    told($nginx, '/rs', $rs, '200 - HIT', 'R13 allowed as before');
    told($nginx, '/small', $rs, '401 size -', 'too large here');
    told($nginx, '/require', $rs, '200 - HIT', 'what is required');
    told($nginx, '/require/no', $rs, '403 require HIT',
         'is asked each time');

    clean($nginx, 'policies');
    $nginx->stop;
}


# several issuers in one location: the one that "iss" names has to have the key

sub issuers {
    my $http = "gw_jwt_issuer one { issuer one; audience a;
                                    key_file $dir/one.json; }
                gw_jwt_issuer two { issuer two; audience a;
                                    key_file $dir/two.json; }
                gw_jwt_issuer three { issuer one; audience a;
                                      key_file $dir/two.json; }\n";

    my $nginx = gateway($http,
        both => 'gw_jwt x issuer=one issuer=two;',
        back => 'gw_jwt x issuer=two issuer=one;',
        only => 'gw_jwt x issuer=two;',
        three => 'gw_jwt x issuer=three;');

    my $one = GW::JOSE::jwt('RS256', 'rsa', { iss => 'one', aud => 'a' },
                            kid => 'r');
    my $two = GW::JOSE::jwt('RS256', 'rsa2', { iss => 'two', aud => 'a' },
                            kid => 'other');

    for my $path ('/both', '/back') {
        my $first = $path eq '/both' ? 'MISS' : 'HIT';

        told($nginx, $path, $one, "200 - $first", "A25 $path, one");
        told($nginx, $path, $two, "200 - $first", "A25 $path, two");
        told($nginx, $path, $one, '200 - HIT', "A25 $path, one again")
            for 1 .. 2;
        told($nginx, $path, $two, '200 - HIT', "A25 $path, two again");
    }

    told($nginx, '/only', $one, '401 iss MISS', 'A25 not an issuer of /only');
    told($nginx, '/only', $two, '200 - HIT', 'A25 an issuer of /only');
    told($nginx, '/three', $one, '401 kid MISS',
         'A25 the same "iss", but not the keys');
    told($nginx, '/both', $one, '200 - HIT', 'A25 and back');

    $nginx->stop;
}


sub dates {
    my $nginx = gateway('', a => 'gw_jwt a; gw_jwt_leeway 0;',
                        late => 'gw_jwt a; gw_jwt_leeway 2s;',
                        off => 'gw_jwt a; gw_jwt_validate_exp off;',
                        max => 'gw_jwt a; gw_jwt_cache on max=1s;',
                        long => 'gw_jwt a; gw_jwt_cache on max=1h;');

    my $exp = int(time()) + 3;
    my $token = GW::JOSE::jwt('ES256', 'p256', { exp => $exp }, kid => 'e');

    told($nginx, '/a', $token, '200 - MISS', 'R09 good until exp');
    told($nginx, '/a', $token, '200 - HIT', 'R09 cached');

    sleep($exp - time() - 0.3);
    told($nginx, '/a', $token, '200 - HIT', 'R09 just before exp');
    told($nginx, '/late', $token, '200 - HIT', 'R09 with a leeway as well');

    sleep($exp - time() + 0.1);
    like(ask($nginx, '/a', $token), qr/^401 expired/, 'R09 just after exp');
    like(ask($nginx, '/late', $token), qr/^200 /, 'R09 within the leeway');
    told($nginx, '/late', $token, '200 - HIT', 'R09 which is cached too');

    sleep($exp + 2 - time() - 0.3);
    like(ask($nginx, '/late', $token), qr/^200 /, 'R09 just before its end');

    sleep($exp + 2 - time() + 0.1);
    like(ask($nginx, '/late', $token), qr/^401 expired/,
         'R09 after exp and leeway');

    my $past = GW::JOSE::jwt('ES256', 'p256', { exp => $exp - 90 },
                             kid => 'e');

    told($nginx, '/a', $past, '401 expired MISS', 'an old one is not kept');
    told($nginx, '/off', $past, '200 - MISS', 'exp is not asked for');
    told($nginx, '/off', $past, '200 - HIT', 'and not by the cache');
    told($nginx, '/a', $past, '401 expired HIT', 'who asks is told');

    # "max=" is that of the location that asks

    my $far = GW::JOSE::jwt('ES256', 'p256', { sub => 'x' }, kid => 'e');

    told($nginx, '/long', $far, '200 - MISS', 'max=1h keeps it');
    told($nginx, '/max', $far, '200 - HIT', 'max=1s at first');
    sleep(2);
    told($nginx, '/long', $far, '200 - HIT', 'max=1h has it still');
    told($nginx, '/max', $far, '200 - MISS', 'max=1s wants it verified');
    told($nginx, '/max', $far, '200 - HIT', 'which lasts again');
    sleep(2);
    told($nginx, '/long', $far, '200 - MISS',
         'an entry ends as the one wanted that has made it');

    $nginx->stop;
}


# R03: what was signed by a key that is gone

sub removed {
    file('turn.json', GW::JOSE::jwks(GW::JOSE::jwk('rsa', kid => 'r'),
                                     GW::JOSE::jwk('p256', kid => 'e')));

    my $nginx = gateway('', a => "gw_jwt a; gw_jwt_key_file $dir/turn.json;");

    my $rs = GW::JOSE::jwt('RS256', 'rsa', { sub => 'a' }, kid => 'r');
    my $es = GW::JOSE::jwt('ES256', 'p256', { sub => 'b' }, kid => 'e');

    for my $token ($rs, $es) {
        told($nginx, '/a', $token, '200 - MISS', 'R03 verified');
        told($nginx, '/a', $token, '200 - HIT', 'R03 cached');
    }

    file('turn.json', GW::JOSE::jwks(GW::JOSE::jwk('rsa2', kid => 'r'),
                                     GW::JOSE::jwk('p256', kid => 'e')));
    turn($nginx);

    told($nginx, '/a', $rs, '401 sig MISS', 'R03 its key was replaced');
    told($nginx, '/a', $es, '200 - L2', 'R03 the other one lives');

    file('turn.json', GW::JOSE::jwks(GW::JOSE::jwk('p256', kid => 'e')));
    turn($nginx);

    told($nginx, '/a', $rs, '401 kid MISS', 'R03 its key has gone');
    told($nginx, '/a', $es, '200 - L2', 'R03 the other one lives');

    clean($nginx, 'keys');
    $nginx->stop;
}


# the same without a reload: a file that is watched, one that variables choose

sub moving {
    file('turn.json', GW::JOSE::jwks(GW::JOSE::jwk('rsa', kid => 'r'),
                                     GW::JOSE::jwk('p256', kid => 'e')));

    my $nginx = gateway('',
        a => "gw_jwt a; gw_jwt_key_file $dir/turn.json watch=1s;",
        t => "gw_jwt t; gw_jwt_key_file $dir/\$arg_t.json;");

    my $rs = GW::JOSE::jwt('RS256', 'rsa', { sub => 'a' }, kid => 'r');
    my $es = GW::JOSE::jwt('ES256', 'p256', { sub => 'b' }, kid => 'e');

    for my $token ($rs, $es) {
        told($nginx, '/a', $token, '200 - MISS', 'R03 watch: verified');
        told($nginx, '/a', $token, '200 - HIT', 'R03 watch: cached');
    }

    told($nginx, '/t?t=one', $rs, '200 - HIT', 'R07 the file of a tenant');
    told($nginx, '/t?t=one', $rs, '200 - HIT', 'R07 which is not noted');
    told($nginx, '/t?t=two', $rs, '401 kid MISS', 'R07 another tenant');
    told($nginx, '/t?t=same', $rs, '401 sig MISS', 'R07 with the same ID');
    told($nginx, '/t?t=one', $rs, '200 - HIT', 'R07 and back');

    file('turn.json', GW::JOSE::jwks(GW::JOSE::jwk('rsa2', kid => 'r'),
                                     GW::JOSE::jwk('p256', kid => 'e')));

    ok($nginx->until(5, sub { ask($nginx, '/a', $rs) =~ /^401 sig/ }),
       'R03 watch: its key was replaced');
    told($nginx, '/a', $es, '200 - HIT', 'R03 watch: the other one lives');

    clean($nginx, 'moving');
    $nginx->stop;
}


# reloads, and waits until only new workers answer

sub turn {
    my ($nginx) = @_;

    my @old = $nginx->workers;

    $nginx->reload;
    renewed($nginx, 'reloaded', @old);
}


sub renewed {
    my ($nginx, $name, @pids) = @_;

    my %old = map { $_ => 1 } @pids;

    ok($nginx->until(10, sub {
        my @now = $nginx->workers;
        return @now == $nginx->{workers} && !grep { $old{$_} } @now;
    }), $name);
}


sub reloads {
    my %location = (a => 'gw_jwt a;',
                    hs => "gw_jwt a; gw_jwt_key_file $dir/hs.json;
                           gw_jwt_algorithms HS256;",
                    max => 'gw_jwt a; gw_jwt_cache on max=2s;');
    my $nginx = gateway('gw_auth_zone mine:1m;', %location);

    my $rs = GW::JOSE::jwt('RS256', 'rsa', { sub => 'alice' }, kid => 'r');
    my $hs = GW::JOSE::jwt('HS256', 'oct64', { sub => 'carol' }, kid => 'h');
    my $exp = int(time()) + 3;
    my $short = GW::JOSE::jwt('RS256', 'rsa', { exp => $exp - 30 },
                              kid => 'r');

    told($nginx, '/a', $rs, '200 - MISS', 'before a reload');
    told($nginx, '/a', $short, '200 - MISS', 'one that ends soon');
    told($nginx, '/hs', $hs, '200 - MISS', 'a MAC');

    turn($nginx);

    told($nginx, '/a', $rs, '200 - L2', 'warm after a reload');
    told($nginx, '/a', $rs, '200 - HIT', 'then in the worker as well');
    is(metric($nginx, 'token_cache_total', 'l2'), 1, 'which is counted');
    is($nginx->get('/a', header => "Authorization: Bearer $rs")
             ->{header}{'x-sub'}, '<alice>', 'with its claims');
    told($nginx, '/hs', $hs, '200 - MISS', 'a MAC is as cheap as to ask');

    # not a second use of a life that is over

    sleep($exp - time() + 0.1) if $exp > time();
    like(ask($nginx, '/a', $short), qr/^401 expired/, 'R09 over a reload');
    told($nginx, '/max', $rs, '200 - MISS', 'older than max=');

    turn($nginx);
    told($nginx, '/max', $rs, '200 - L2', 'verified anew, that is known');

    my $bad = $rs;
    substr($bad, -20, 1) =~ tr/A-Za-z0-9_-/B-ZAb-za1-90_A/;
    told($nginx, '/a', $bad, '401 sig MISS', 'a forged one is not');

    # another size

    $nginx->configure(locations('gw_auth_zone mine:2m;', %location));
    turn($nginx);

    told($nginx, '/a', $rs, '200 - MISS', 'another size: empty');
    like($nginx->log, qr/gw_auth_zone "mine" has another size and starts/,
         'another size: the log says so');

    clean($nginx, 'reloads');
    $nginx->stop;
}


# what one worker has verified all of them know

sub workers {
    my $nginx = gateway({ workers => 3, http => '' }, a => 'gw_jwt a;');

    my %seen;

    for my $n (1 .. 60) {
        my $token = GW::JOSE::jwt('ES256', 'p256', { n => int($n / 20) },
                                  kid => 'e');

        $token = $seen{token}[int($n / 20)] ||= $token;
        $seen{ask($nginx, '/a', $token)}++;
    }

    is($seen{'200 - MISS'}, 4, 'each token is verified once');
    is(($seen{'200 - HIT'} || 0) + ($seen{'200 - L2'} || 0), 56,
       'whichever worker it comes to');

    # a worker that is killed takes nothing with it

    my $token = $seen{token}[0];
    my @old = $nginx->workers;

    kill('KILL', @old);
    renewed($nginx, 'new workers', @old);
    like(ask($nginx, '/a', $token), qr/^200 - (?:L2|HIT)$/,
         'killed workers: what they knew is known');

    $nginx->stop;
}


# HS256 by hand: there are many of them

sub mint {
    my ($claims) = @_;

    our $head ||= GW::JOSE::b64u('{"alg":"HS256","kid":"h"}');
    our $secret ||= GW::JOSE::secret('oct64');

    my $text = "$head." . GW::JOSE::b64u($claims);

    return "$text." . GW::JOSE::b64u(GW::JOSE::mac('HS256', $secret, $text));
}


# more tokens than a worker keeps; the last ones are those it knows

sub entries {
    my $nginx = gateway('', a => "gw_jwt a; gw_jwt_key_file $dir/hs.json;
                                  gw_jwt_algorithms HS256;");
    my @pids = $nginx->workers;
    my $n = 4096 + 904;
    my (@token, %status);

    my $client = GW::Client->new($nginx->{port});

    for my $i (0 .. $n - 1) {
        $token[$i] = mint("{\"exp\":4000000000,\"sub\":\"$i\"}");

        my $r = $client->get('/a', "Authorization: Bearer $token[$i]");
        $status{"$r->{status} $r->{header}{'x-cache'} "
                . ($r->{header}{'x-sub'} eq "<$i>")}++;

        # one that is in use stays

        $client->get('/a', "Authorization: Bearer $token[0]") if $i % 500 == 0;
        $client = GW::Client->new($nginx->{port}) if $i % 400 == 0;
    }

    is_deeply(\%status, { '200 MISS 1' => $n }, "$n tokens: all pass");
    is(metric($nginx, 'token_cache_evictions_total', 'worker'), 904,
       'no more than 4096 are kept');
    told($nginx, '/a', $token[0], '200 - HIT', 'the one in use');
    told($nginx, '/a', $token[$n - 1], '200 - HIT', 'the last one');
    told($nginx, '/a', $token[$n - 4000], '200 - HIT', 'one before');
    told($nginx, '/a', $token[1], '200 - MISS', 'not the first one');

    clean($nginx, 'entries', @pids);
    $nginx->stop;
}


# few tokens whose trees are large: bytes are bounded as well

sub bytes {
    my $nginx = gateway('large_client_header_buffers 4 16k;',
                        a => "gw_jwt a; gw_jwt_key_file $dir/hs.json;
                              gw_jwt_algorithms HS256;
                              gw_jwt_max_size 16k;");
    my @pids = $nginx->workers;

    # 240 bytes each
    my $trees = join(',', ('{}') x 900);
    my @token = map { mint("{\"exp\":4000000000,\"n\":$_,\"t\":[$trees]}") }
                    1 .. 120;

    my %status;
    $status{ask($nginx, '/a', $_)}++ for @token;

    is_deeply(\%status, { '200 - MISS' => 120 }, 'large trees pass');

    my $evicted = metric($nginx, 'token_cache_evictions_total', 'worker');

    cmp_ok($evicted, '>', 20, 'large trees push others out');
    cmp_ok($evicted, '<', 70, 'but not before they have to');
    told($nginx, '/a', $token[119], '200 - HIT', 'large trees: the last one');

    # one that would push out too many is not kept at all

    my $huge = mint('{"exp":4000000000,"t":['
                    . join(',', ('{}') x 1200) . ']}');

    told($nginx, '/a', $huge, '200 - MISS', 'a huge one passes')
        for 1 .. 2;
    is(metric($nginx, 'token_cache_evictions_total', 'worker'), $evicted,
       'a huge one pushes nothing out');

    clean($nginx, 'bytes', @pids);
    $nginx->stop;
}
