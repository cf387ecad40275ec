#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Tokens and keys of a JOSE implementation that we have not written, and ours
# for it: our tools and our module could share a mistake.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::JOSE;
use GW::Nginx;
use GW::Node;
use Test::More;
use Time::HiRes qw(sleep time);

# name of the key => alg of its tokens, curve, what GW::JOSE calls such a key

my @kinds = (
    (map { [$_, $_, undef, 'rsa'] } qw(RS256 RS384 RS512 PS256 PS384 PS512)),
    ['ES256', 'ES256', undef, 'p256'],
    ['ES384', 'ES384', undef, 'p384'],
    ['ES512', 'ES512', undef, 'p521'],
    ['ES256K', 'ES256K', undef, 'k256'],
    ['EdDSA', 'EdDSA', 'Ed25519', 'ed25519'],
    ['Ed448', 'EdDSA', 'Ed448', 'ed448'],
    ['Ed25519', 'Ed25519', undef, 'ed25519'],
    (map { ["HS$_", "HS$_", undef, 'oct' . $_ / 8] } 256, 384, 512),
);

my %alg = map { $_->[0] => $_->[1] } @kinds;
my @names = map { $_->[0] } @kinds;

# the claims and times of the tokens of each key

my %claims = (sub => 'jose', name => "caf\x{e9} \x{1f511} \"\\\n",
              n => [1, 2.5, JSON::PP::true, undef, { deep => {} }]);

my %times = (
    good => { exp => '1h', iat => '0s' },
    'not yet' => { exp => '2h', nbf => '1h' },
    expired => { exp => '-1h' },
    'no exp' => {},
    'of the future' => { exp => '2h', iat => '1h' },
);

my (@steps, %jwk, %pem, %token);

for my $kind (@kinds) {
    my ($name, $alg, $crv) = @$kind;

    push @steps, { op => 'key', name => $name, alg => $alg,
                   ($crv ? (crv => $crv) : ()),
                   jwk => { kid => $name, alg => $alg } };

    push @steps, map { { op => 'sign', key => $name, claims => \%claims,
                         header => { alg => $alg, kid => $name,
                                     typ => 'JWT' },
                         %{ $times{$_} } } } sort keys %times;
}

my @answers = GW::Node::jose(@steps);

for my $name (@names) {
    my $key = shift @answers;

    $jwk{$name} = $key->{jwk};
    $pem{$name} = $key->{pem};
    $token{$name}{$_} = (shift @answers)->{token} for sort keys %times;
}


# files with the keys as jose exports them

sub set {
    my ($file, @jwks) = @_;

    GW::JOSE::spew(GW::tmp_dir() . "/$file",
                   JSON::PP::encode_json({ keys => \@jwks }));
    chmod(0644, GW::tmp_dir() . "/$file");
}

my @public = grep { !/^HS/ } @names;

set("$_.json", $jwk{$_}) for @names;
set('all.json', @jwk{@public});

for my $name (@public) {
    # as somebody's tool may write it: neither alg nor kid nor order
    my %bare = %{ $jwk{$name} };
    delete @bare{qw(alg kid)};

    GW::JOSE::spew(GW::tmp_dir() . "/bare-$name.json",
                   JSON::PP::encode_json(\%bare));
    GW::JOSE::spew(GW::tmp_dir() . "/$name.pem", $pem{$name});
}

GW::JOSE::spew(GW::tmp_dir() . '/oct.json', GW::JOSE::jwk('oct32'));

my $dir = GW::tmp_dir();
my $locations = '';

for my $name (@names) {
    my $algs = "gw_jwt_algorithms $alg{$name};";

    $locations .= <<"END";
        location = /$name { gw_jwt api; gw_jwt_key_file $dir/$name.json;
                            $algs }
END

    $locations .= <<"END" unless $name =~ /^HS/;
        location = /bare-$name { gw_jwt api;
            gw_jwt_key_file $dir/bare-$name.json; $algs }
        location = /pem-$name { gw_jwt api;
            gw_jwt_key_file $dir/$name.pem pem; $algs }
END
}

# every one but the symmetric ones
my $every = join(' ', grep { my $n = $_; !/^HS/ } do {
    my %seen; grep { !$seen{$_}++ } values %alg });

my $nginx = GW::Nginx->new(http => <<"END");
    server {
        listen 127.0.0.1:%%PORT%%;
        root html;
        error_page 404 =200 /ok;
        add_header X-Reason \$gw_auth_reason always;
        add_header X-Sub \$gw_jwt_claim_sub always;

        location = /ok { internal; return 200 ok; }
        location = /exact { gw_jwt api; gw_jwt_key_file $dir/oct.json;
                            gw_jwt_algorithms HS256; gw_jwt_leeway 0; }
        location = /all { gw_jwt api; gw_jwt_key_file $dir/all.json;
                          gw_jwt_algorithms $every; }
$locations
    }
END

my $client;


sub ask {
    my ($path, $token) = @_;

    $client ||= GW::Client->new($nginx->{port});

    my $reply = $client->get($path, "Authorization: Bearer $token");

    unless (defined $reply) {
        $client = GW::Client->new($nginx->{port});
        $reply = $client->get($path, "Authorization: Bearer $token")
                 || { status => 0, header => {} };
    }

    undef $client
        if lc($reply->{header}{connection} || '') eq 'close';

    return $reply->{status} . ' ' . ($reply->{header}{'x-reason'} || '');
}


# the token with bit $bit of byte $i of part $part changed

sub flip {
    my ($token, $part, $i, $bit) = @_;

    my @parts = split(/\./, $token);
    my $bytes = GW::JOSE::b64u_decode($parts[$part]);

    substr($bytes, $i, 1) = chr(ord(substr($bytes, $i, 1)) ^ 1 << $bit);
    $parts[$part] = GW::JOSE::b64u($bytes);

    return join('.', @parts);
}


# === what jose has signed

for my $name (@names) {
    my %t = %{ $token{$name} };

    my @paths = ("/$name");
    push @paths, "/bare-$name", "/pem-$name", '/all' unless $name =~ /^HS/;

    for my $path (@paths) {
        is(ask($path, $t{good}), '200 -', "$name of jose at $path");
    }

    is(ask($paths[0], $t{expired}), '401 expired', "$name, expired");
    is(ask($paths[0], $t{'not yet'}), '401 nbf', "$name, not yet valid");
    is(ask($paths[0], $t{'of the future'}), '401 iat', "$name, iat to come");
    is(ask($paths[0], $t{'no exp'}), '401 claim', "$name, without exp");

    my $length = length(GW::JOSE::b64u_decode((split(/\./, $t{good}))[2]));
    my %wrong;

    # every byte of a short signature, each 7th of a long one
    for (my $i = 0; $i < $length; $i += $length > 140 ? 7 : 1) {
        my $got = ask("/$name", flip($t{good}, 2, $i, $i % 8));
        push @{ $wrong{$got} }, $i unless $got eq '401 sig';
    }

    my $got = ask("/$name", flip($t{good}, 2, $length - 1, 0));
    push @{ $wrong{$got} }, 'last' unless $got eq '401 sig';

    is_deeply(\%wrong, {}, "$name with one bit of its signature changed");

    my $payload = (split(/\./, $t{good}))[1];
    my $other = (split(/\./, $t{expired}))[1];

    is(ask("/$name", $t{good} =~ s/\Q$payload\E/$other/r), '401 sig',
       "$name with the payload of another token");
    is(ask("/$name", flip($t{good}, 1, 12, 3)), '401 sig',
       "$name with one bit of its payload changed");
}


# === each key verifies its own tokens only

{
    my @wrong;

    for my $path (@names) {
        for my $name (grep { $_ ne $path } @names) {
            my $got = ask("/$path", $token{$name}{good});
            push @wrong, "$name at $path: $got" unless $got =~ /^401 /;
        }
    }

    is("@wrong", '', 'a token is refused wherever its key is not');
}


# === claims come through as they were put in

{
    my $reply = GW::Client->new($nginx->{port})->get('/ES256',
                    "Authorization: Bearer $token{ES256}{good}");

    is($reply->{header}{'x-sub'}, 'jose', 'a claim of jose in a variable');
}


# === J09 the part of a second that has gone by counts

{
    # in the second half of one; if it is over at once, both hold as well
    sleep(0.01) while time() - int(time()) < 0.5;

    my $now = int(time());

    for ([$now + 0.2, '401 expired'], [$now + 30.5, '200 -']) {
        my ($exp, $want) = @$_;
        my $token = GW::JOSE::jwt('HS256', 'oct32', { exp => \"$exp" });

        is(ask('/exact', $token), $want, "J09 exp $want");
    }
}


# === what our tools have signed, for jose

{
    my (@steps, @what);

    for my $kind (@kinds) {
        my ($name, $alg, $crv, $ours) = @$kind;

        my $jwk = JSON::PP::decode_json(GW::JOSE::jwk($ours));
        my $good = GW::JOSE::jwt($alg, $ours, { sub => 'ours' }, kid => 'k');
        my $length = length(GW::JOSE::b64u_decode(
                                (split(/\./, $good))[2]));

        for (['good', $good], ['one bit', flip($good, 2, $length / 2, 0)],
             ['expired', GW::JOSE::jwt($alg, $ours, { exp => 1 })])
        {
            push @what, "$name: $_->[0]";
            push @steps, { op => 'verify', jwk => $jwk, alg => $alg,
                           token => $_->[1] };
        }
    }

    my %want = (good => '', 'one bit' => 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
                expired => 'ERR_JWT_EXPIRED');

    for my $answer (GW::Node::jose(@steps)) {
        my $what = shift @what;
        my ($kind) = $what =~ /: (.*)/;

        is($answer->{error} || '', $want{$kind}, "jose on ours, $what");
        is($answer->{payload}{sub}, 'ours', "$what, the payload")
            if $kind eq 'good';
    }
}


unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'the log is clean');
$nginx->stop;


# ML-DSA, where libcrypto has it; elsewhere nginx -t says what is missing

my $has = `openssl list -signature-algorithms 2>&1` =~ /ML-DSA-44/;
my $data = "$ENV{TEST_NGINX_TOP_DIR}/t/data/jose";

$nginx = GW::Nginx->new(stopped => 1, http => <<"END");
    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Reason \$gw_auth_reason always;
        large_client_header_buffers 4 16k;

        location / {
            gw_jwt             test;
            gw_jwt_key_file    $data/p256.jwks;
            gw_jwt_key_file    $data/@{[$has ? 'ml-dsa-44' : 'p384']}.jwks;
            gw_jwt_algorithms  ES256 ML-DSA-44;
            empty_gif;
        }
    }
END

if ($has) {
    my ($token) = GW::JOSE::slurp("$data/ml-dsa-44.token") =~ /(\S+)/;

    $nginx->start;

    is($nginx->get('/', header => "Authorization: Bearer $token")->{status},
       200, 'ML-DSA-44: good');
    is($nginx->get('/', header => 'Authorization: Bearer '
                   . flip($token, 2, 9, 1))->{header}{'x-reason'},
       'sig', 'ML-DSA-44: another signature');

} else {
    my ($ok, $out) = $nginx->test;

    ok(!$ok, 'ML-DSA-44: not with this OpenSSL');
    like($out, qr/the algorithm "ML-DSA-44" needs OpenSSL 3\.5 or newer/,
         '... which is said');
}

done_testing();
