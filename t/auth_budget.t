#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_auth_budget: who fails too often is not verified any more, and nobody
# else notices.

use strict;
use warnings;

use lib 't/lib';

use Digest::SHA qw(sha256_hex);
use GW;
use GW::JOSE;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

my $dir = GW::tmp_dir();

file('one.json', GW::JOSE::jwks(GW::JOSE::jwk('rsa', kid => 'r'),
                                GW::JOSE::jwk('p256', kid => 'e')));
file('hs.json', GW::JOSE::jwks(GW::JOSE::jwk('oct64', kid => 'h')));
file('keys', 'sha256:' . sha256_hex('gwk-0123456789abcdef') . " machine\n"
             . 'sha256:' . sha256_hex('gwk-expired') . " old exp=1\n"
             . 'sha256:' . sha256_hex('gwk-elsewhere')
             . " far cidr=192.0.2.0/24\n");

my $good = bearer(GW::JOSE::jwt('RS256', 'rsa', { sub => 'alice' },
                                kid => 'r'));
my $fresh = bearer(GW::JOSE::jwt('RS256', 'rsa', { sub => 'bob' },
                                 kid => 'r'));
my $mac = bearer(GW::JOSE::jwt('HS256', 'oct64', { sub => 'carol' },
                               kid => 'h'));
my $forged = bearer(GW::JOSE::jwt('RS256', 'rsa2', { sub => 'eve' },
                                  kid => 'r'));
my $expired = bearer(GW::JOSE::jwt('ES256', 'p256', { exp => 1 },
                                   kid => 'e'));

# three failures, and one more in ten seconds
my $spec = 'rate=6r/m burst=2';
my $budget = "gw_auth_budget key=\$arg_k $spec;";

b01();
causes();
keys_of_api();
places();
lives();
refill();

done_testing();


sub file {
    my ($name, $text) = @_;

    GW::JOSE::spew("$dir/$name", $text);
    chmod(0644, "$dir/$name");
}


sub bearer {
    my ($token) = @_;

    return "Authorization: Bearer $token";
}


sub http {
    my ($http, %location) = @_;

    my $list = join('', map { "location /$_ { $location{$_} empty_gif; }\n" }
                        sort keys %location);

    return <<"END";
    $http
    gw_api_keys main { file $dir/keys; }

    server {
        listen 127.0.0.1:%%PORT%%;
        gw_jwt_key_file $dir/one.json;
        add_header X-Reason \$gw_auth_reason always;
        add_header X-Cache \$gw_auth_cache always;
        $list
        location = /metrics { gw_metrics prometheus; }
    }
END
}


sub gateway {
    my ($http, %location) = @_;

    my %opt = ref($http) ? %$http : (http => $http);

    return GW::Nginx->new(%opt, http => http($opt{http}, %location));
}


sub ask {
    my ($nginx, $path, $header) = @_;

    my $r = $nginx->get($path, header => $header);

    return join(' ', $r->{status}, map { defined $_ ? $_ : '' }
                                       $r->{header}{'x-reason'},
                                       $r->{header}{'x-cache'});
}


sub told {
    my ($nginx, $path, $header, $expected, $name) = @_;

    is(ask($nginx, $path, $header), $expected, $name);
}


# spends all of it: three failures

sub spend {
    my ($nginx, $path) = @_;

    like(ask($nginx, $path, $forged), qr/^401 sig/, "$path: spent")
        for 1 .. 3;
}


sub turn {
    my ($nginx) = @_;

    my %old = map { $_ => 1 } $nginx->workers;

    $nginx->reload;

    ok($nginx->until(10, sub {
        my @now = $nginx->workers;
        return @now == $nginx->{workers} && !grep { $old{$_} } @now;
    }), 'reloaded');
}


sub clean {
    my ($nginx, $name) = @_;

    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, "$name: clean log");
}


sub b01 {
    my $nginx = gateway('', a => "gw_jwt a; $budget",
                        rate => 'gw_jwt a;
                             gw_auth_budget key=$arg_k rate=10r/s burst=20;');

    told($nginx, '/a?k=1', $good, '200 - MISS', 'B01 a good token');

    spend($nginx, '/a?k=1');

    my $r = $nginx->get('/a?k=1', header => $forged);

    is($r->{status}, 429, 'B01 then 429');
    is($r->{header}{'x-reason'}, 'budget', 'B01 the reason');
    like($r->{header}{'retry-after'}, qr/^(?:[1-9]|10)$/, 'B01 Retry-After');
    is($r->{header}{'www-authenticate'}, undef, 'B01 no challenge');

    told($nginx, '/a?k=1', $good, '200 - HIT', 'B01 the good token passes');
    told($nginx, '/a?k=1', $fresh, '429 budget MISS',
         'B01 one that nobody knows is not looked at');
    told($nginx, '/a?k=2', $fresh, '200 - MISS', 'B01 but from elsewhere');
    told($nginx, '/a?k=1', $fresh, '200 - HIT', 'B01 then it is known');
    told($nginx, '/a?k=2', $forged, '401 sig MISS', 'B01 another budget');
    told($nginx, '/a', $forged, '401 sig MISS', 'B01 an empty key')
        for 1 .. 5;

    is($nginx->get('/a?k=1')->{status}, 401, 'B01 no token: 401 as ever');

    like($nginx->get('/metrics')->{body},
         qr/^gw_auth_requests_total\{[^}]*reason="budget"[^}]*\} 2$/m,
         'B01 it is counted');

    # 100 a second: the rate and the burst, and no more

    my ($start, %status) = (time());

    for my $n (0 .. 99) {
        my $wait = $start + $n / 100 - time();
        sleep($wait) if $wait > 0;

        my ($status) = ask($nginx, '/rate?k=1', $forged) =~ /^(\d+)/;
        $status{$status}++;
    }

    my $most = 21 + 10 * (time() - $start) + 1;

    cmp_ok($status{401}, '>=', 21, 'B01 100 bad ones: the burst fails');
    cmp_ok($status{401}, '<=', $most, 'B01 100 bad ones: as many as may');
    is($status{401} + $status{429}, 100, 'B01 100 bad ones: then 429');
    like(ask($nginx, '/rate?k=1', $good), qr/^200/, 'B01 a good one: 200');

    clean($nginx, 'B01');
    $nginx->stop;
}


# what spends it, and what does not

sub causes {
    my $nginx = gateway("map \$uri \$no { default 0; }
        gw_jwt_issuer strict { issuer x; audience a;
                               key_file $dir/one.json; }",
        a => "gw_jwt a; $budget",
        b => "gw_jwt a; gw_jwt_require \$no error=403; $budget",
        c => "gw_jwt a; gw_jwt_require \$no; $budget",
        off => "gw_jwt a; gw_jwt_cache off; gw_jwt_require \$no error=403;
                $budget",
        key => "gw_api_key a; gw_auth_deny all; $budget",
        down => "gw_jwt a; gw_jwt_key_request /none; $budget",
        strict => "gw_jwt a issuer=strict; $budget");

    my %case = (
        none => 'X: y',
        twice => "$good\nX: y",
        lacking => $good,
        forged => $forged,
        malformed => bearer('abc'),
        'no key' => bearer(GW::JOSE::jwt('RS256', 'rsa', {}, kid => 'zz')),
        'not allowed' => bearer(GW::JOSE::jwt('HS256', 'oct64', {})),
        expired => $expired,
        'of nobody' => $good,
        'not all that is required' => bearer(
            GW::JOSE::jwt('RS256', 'rsa', { sub => 'dan' }, kid => 'r')),
    );

    my %path = (twice => '/a', lacking => '/b', 'of nobody' => '/strict',
                'not all that is required' => '/c');

    for my $name (sort keys %case) {
        my $k = $name =~ s/ //gr;
        my $path = ($path{$name} || '/a') . "?k=$k";
        my $free = $name =~ /^(?:none|twice|lacking)$/;

        $path .= '&access_token=x' if $name eq 'twice';

        my @status = map { (ask($nginx, $path, $case{$name}) =~ /^(\d+)/)[0] }
                         1 .. 5;

        my $first = $name eq 'twice' ? 400 : $name eq 'lacking' ? 403 : 401;

        # accepted once, a token is known: to refuse it is cheap
        $free = 1 if $name =~ /required/;

        is("@status", $free ? join(' ', ($first) x 5)
                            : '401 401 401 429 429', "a token, $name");
    }

    # what a client cannot help, and who is known but not allowed

    for my $case (['off', $good, 403], ['down', $good, 503],
                  ['key', 'X-API-Key: gwk-0123456789abcdef', 403])
    {
        my ($path, $header, $status) = @$case;

        like(ask($nginx, "/$path?k=free$path", $header), qr/^$status /,
             "$path: $status is free") for 1 .. 5;
    }

    clean($nginx, 'causes');
    $nginx->stop;
}


sub keys_of_api {
    my $nginx = gateway('', a => "gw_api_key a; $budget",
        any => "gw_api_key a; gw_jwt a; gw_auth any; $budget");

    my $key = 'X-API-Key: gwk-0123456789abcdef';

    for my $bad ('gwk-unknown', 'gwk-expired', 'gwk-elsewhere') {
        my $path = "/a?k=$bad";

        like(ask($nginx, $path, "X-API-Key: $bad"), qr/^401/, "$bad: 401")
            for 1 .. 3;

        told($nginx, $path, "X-API-Key: $bad", '429 budget -', "$bad: 429");
        told($nginx, $path, $key, '200 - -', "$bad: a valid key passes");
        is($nginx->get($path)->{status}, 401, "$bad: none is 401");
    }

    # one budget for both kinds

    like(ask($nginx, '/any?k=x', 'X-API-Key: z'), qr/^401 key/, 'any: a key')
        for 1 .. 2;
    told($nginx, '/any?k=x', $forged, '401 sig MISS', 'any: a token');
    told($nginx, '/any?k=x', $forged, '429 budget MISS', 'any: spent');
    told($nginx, '/any?k=x', 'X-API-Key: z', '429 budget -', 'any: a key');
    told($nginx, '/any?k=x', $key, '200 - -', 'any: a valid key');
    told($nginx, '/any?k=x', "$key\r\n$fresh", '429 budget MISS',
         'any: a token beside it');

    clean($nginx, 'keys');
    $nginx->stop;
}


# one budget or several, and the other parts of nginx

sub places {
    my $any = 'satisfy any; allow 127.0.0.1; deny all;';
    my $never = 'satisfy any; deny all;';

    my $nginx = gateway('',
        a => "gw_jwt a; $budget",
        same => "gw_jwt b; $budget",
        other => 'gw_jwt a; gw_auth_budget key=$arg_k rate=7r/m burst=2;',
        more => 'gw_jwt a; gw_auth_budget key=$arg_k rate=6r/m burst=3;',
        name => "gw_jwt a; gw_auth_budget key=x\$arg_k $spec;",
        any => "gw_jwt a; $budget $any",
        never => "gw_jwt a; $budget $never",
        page => "gw_jwt a; $budget error_page 429 =503 /open;",
        open => 'add_header X-Page 1 always;',
        dry => "gw_jwt a; $budget gw_auth_dry_run on;",
        early => "set \$early \$gw_consumer; gw_jwt a; $budget",
        back => "set \$early \$gw_consumer; gw_jwt a; $budget return 204;",
        kid => "set \$early \$gw_consumer; gw_jwt a;
                gw_jwt_key_request /none; $budget",
        'in' => "gw_jwt a; $budget
                 location /in/off { gw_auth_budget off; empty_gif; }
                 location /in/on { empty_gif; }");

    spend($nginx, '/a?k=1');

    like(ask($nginx, '/same?k=1', $forged), qr/^429/, 'the same words');
    like(ask($nginx, "/$_?k=1", $forged), qr/^401/, "other words: $_")
        for 'other', 'more', 'name';
    like(ask($nginx, '/in/on?k=1', $forged), qr/^429/, 'inherited');
    like(ask($nginx, '/in/off?k=1', $forged), qr/^401/, 'off');

    # satisfy any: core goes on after 401 only

    my $r = $nginx->get('/any?k=1', header => $forged);

    is($r->{status}, 200, 'satisfy any: the other check decides');
    is($r->{header}{'retry-after'}, undef, 'satisfy any: no Retry-After');
    is($r->{header}{'www-authenticate'}, undef, 'satisfy any: no challenge');

    $r = $nginx->get('/never?k=1', header => $forged);

    like($r->{status}, qr/^40[13]$/, 'satisfy any: nobody lets it in');
    is($r->{header}{'x-reason'}, 'budget', 'satisfy any: the reason');

    like(ask($nginx, '/dry?k=1', $forged), qr/^200 budget/, 'dry run');

    # a variable is read before the access phase, which may never come

    spend($nginx, '/early?k=2');
    like(ask($nginx, '/early?k=2', $forged), qr/^429 budget/,
         'early: then 429');
    like(ask($nginx, '/back?k=3', $forged), qr/^204/, 'early: answered')
        for 1 .. 3;
    like(ask($nginx, '/a?k=3', $forged), qr/^429 budget/,
         'early: paid for all the same');
    like(ask($nginx, '/kid?k=4', $good), qr/^503 /, 'early: no keys is free')
        for 1 .. 5;

    $r = $nginx->get('/page?k=1', header => $forged);

    is("$r->{status} $r->{header}{'x-page'}", '503 1', 'error_page');
    is(() = $r->{text} =~ /^Retry-After:/mg, 1, 'error_page: Retry-After');

    clean($nginx, 'places');
    $nginx->stop;
}


# over workers, reloads and the cache of the zone

sub lives {
    my %location = (
        a => "gw_jwt a; $budget",
        hs => "gw_jwt a; gw_jwt_key_file $dir/hs.json;
               gw_jwt_algorithms HS256; $budget",
        off => "gw_jwt a; gw_jwt_cache off; $budget");
    my $nginx = gateway({ workers => 2, http => '' }, %location);

    told($nginx, '/a?k=0', $good, '200 - MISS', 'a good token');
    told($nginx, '/hs?k=0', $mac, '200 - MISS', 'a good MAC');

    spend($nginx, '/a?k=1');
    like(ask($nginx, '/a?k=1', $forged), qr/^429/, 'whichever worker')
        for 1 .. 6;

    turn($nginx);

    like(ask($nginx, '/a?k=1', $forged), qr/^429/, 'spent after a reload');
    told($nginx, '/a?k=1', $good, '200 - L2', 'what is known passes');
    told($nginx, '/hs?k=1', $mac, '200 - L2', 'a MAC is known as well');
    like(ask($nginx, '/off?k=1', $good), qr/^429/,
         'without the cache nothing is known');

    clean($nginx, 'lives');
    $nginx->stop;
}


sub refill {
    my $nginx = gateway('', a => 'gw_jwt a;
                            gw_auth_budget key=$arg_k rate=1r/s;');

    like(ask($nginx, '/a?k=1', $forged), qr/^401/, 'one a second');

    my $r = $nginx->get('/a?k=1', header => $forged);

    is($r->{status}, 429, 'not two');
    is($r->{header}{'retry-after'}, 1, 'the next one in a second');

    sleep(1.1);
    told($nginx, '/a?k=1', $fresh, '200 - MISS', 'a good one takes nothing');
    like(ask($nginx, '/a?k=1', $forged), qr/^401/, 'a bad one does');
    like(ask($nginx, '/a?k=1', $forged), qr/^429/, 'again');

    $nginx->stop;
}
