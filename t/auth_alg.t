
# Copyright (C) the nginx gateway modules developers

# The key decides which algorithms it verifies, never the token.

use strict;
use warnings;

use lib 't/lib';
use GW;
use IO::Select;
use IO::Socket::INET;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup();

GW::Auth::file('rsa.json', GW::JOSE::jwks(GW::JOSE::jwk('rsa', kid => 'r')));
GW::Auth::file('rsa.pem', GW::JOSE::pem('rsa'));
GW::Auth::file('p256.json', GW::JOSE::jwk('p256', kid => 'e'));
GW::Auth::file('p384.json', GW::JOSE::jwk('p384', kid => 'e'));
GW::Auth::file('ed448.json', GW::JOSE::jwk('ed448', kid => 'e'));
GW::Auth::file('ed25519.json', GW::JOSE::jwk('ed25519', kid => 'e'));
GW::Auth::file('oct.json', GW::JOSE::jwk('oct64', kid => 'o'));
GW::Auth::file('rsa_enc.json', GW::JOSE::jwk('rsa', kid => 'enc'));
GW::Auth::file('rs384.json', GW::JOSE::jwk('rsa', alg => 'RS384'));
GW::Auth::file('enc.json', GW::JOSE::jwks(
    GW::JOSE::jwk('rsa', kid => 'enc', use => 'enc'),
    GW::JOSE::jwk('rsa2', kid => 'sig', use => 'sig')));

# tokens with these headers, each with a signature of the RSA key

sub headers {
    my ($reason, @headers) = @_;

    return [map { [GW::Auth::bearer(GW::JOSE::token('RS256', 'rsa', $_,
                      '{"sub":"eve","exp":4000000000}')), 401, $reason] }
                @headers];
}


# tokens with HS* and a MAC whose secret is public

sub macs {
    my ($reason, $header, @secrets) = @_;

    my @cases;

    for my $alg (qw(HS256 HS384 HS512)) {
        for my $secret (@secrets) {
            my $data = GW::JOSE::b64u(sprintf($header, $alg)) . '.'
                       . GW::JOSE::b64u('{"sub":"eve","exp":4000000000}');

            push @cases, [GW::Auth::bearer($data . '.'
                . GW::JOSE::b64u(GW::JOSE::mac($alg, $secret, $data))), 401,
                $reason];
        }
    }

    return @cases;
}


# all the texts that somebody might take for the secret

our @texts = do {
    my ($spki, $pkcs1) = (GW::JOSE::pem('rsa'), GW::JOSE::pkcs1_pem('rsa'));
    my @list;

    for my $pem ($spki, $pkcs1) {
        (my $chomped = $pem) =~ s/\n\z//;
        (my $crlf = $pem) =~ s/\n/\r\n/g;
        push @list, $pem, $chomped, " $pem", "$pem\n", $crlf;
    }

    @list;
};

our @bytes = (GW::JOSE::jwk('rsa'), GW::JOSE::jwk('rsa', kid => 'r'),
              GW::JOSE::jwks(GW::JOSE::jwk('rsa', kid => 'r')),
              GW::JOSE::spki('rsa'), GW::JOSE::modulus('rsa'),
              GW::JOSE::b64u(GW::JOSE::modulus('rsa')), 'AQAB', '');

# a key of the attacker's own, offered in the header

our $own_jwk = GW::JOSE::jwk('rsa2', kid => 'r');
our ($own_cert) = do {
    GW::JOSE::openssl('req -new -x509 -days 1 -subj /CN=r -key '
                      . GW::JOSE::private_key('rsa2') . ' -out '
                      . GW::JOSE::tmp('cert.pem'));
    GW::JOSE::slurp(GW::JOSE::tmp('cert.pem'))
        =~ /-----BEGIN CERTIFICATE-----\n(.*?)\n-----END/s;
};

$own_cert =~ s/\n//g;

# whoever is told of by a URL; nobody may connect
our $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5)
    or die "cannot listen: $!";
our $url = 'http://127.0.0.1:' . $listener->sockport . '/keys';


sub own {
    my ($header) = @_;

    return GW::Auth::bearer(GW::JOSE::token('RS256', 'rsa2', $header,
                                '{"sub":"eve","exp":4000000000}'));
}

no_shuffle();
run_tests();

ok(!IO::Select->new($listener)->can_read(0.2),
   'A20 nobody has been asked for a key');

__DATA__

=== TEST: A01 alg none with an empty signature is refused
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
--- cases eval
[map { [GW::Auth::bearer(GW::JOSE::b64u($_) . '.'
         . GW::JOSE::b64u('{"sub":"eve","exp":4000000000}') . '.'), 401,
         'alg'] }
     '{"alg":"none"}', '{"alg":"none","typ":"JWT"}',
     '{"alg":"none","kid":"r"}']



=== TEST: A02 alg none in other cases, with a signature, is refused
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
--- cases eval
main::headers('alg', map { qq({"alg":"$_","kid":"r"}) }
              qw(none None NONE nOnE), 'none ', 'rs256', 'RS257', 'RS256 ',
              'RSA1_5', 'dir')



=== TEST: A03 a header without a usable alg is refused
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
--- cases eval
main::headers('header', '{}', '{"typ":"JWT"}',
              map { qq({"alg":$_}) } qw(5 null [] {} "" true ["RS256"]))



=== TEST: A04 a MAC with the PEM text of the public key is refused
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
--- cases eval
[main::macs('alg', '{"alg":"%s","kid":"r"}', @main::texts),
 main::macs('alg', '{"alg":"%s"}', $main::texts[0])]



=== TEST: A04 also where the key is PEM and HS is allowed
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.pem pem;
gw_jwt_algorithms RS256 HS256 HS384 HS512;
--- cases eval
[main::macs('alg_key', '{"alg":"%s"}', @main::texts)]



=== TEST: A05 a MAC with the JWK, the DER or the modulus is refused
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
gw_jwt_algorithms RS256 HS256 HS384 HS512;
--- cases eval
[main::macs('alg_key', '{"alg":"%s","kid":"r"}', @main::bytes)]



=== TEST: A06 a MAC with the point of an EC key is refused
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/p256.json;
gw_jwt_algorithms ES256 HS256 HS384 HS512;
--- cases eval
[main::macs('alg_key', '{"alg":"%s","kid":"e"}',
            CORE::join('', GW::JOSE::point('p256')), GW::JOSE::pem('p256'))]



=== TEST: A07 a JWK without alg serves its own family only
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
gw_jwt_algorithms RS256 HS256;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64', {}, kid => 'o')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', {}, kid => 'o')), 401,
  'alg_key']]



=== TEST: A07 an HS256 token for a JWK without alg is refused
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
gw_jwt_algorithms RS256 HS256;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', {}, kid => 'r')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64', {}, kid => 'r')), 401,
  'alg_key'],
 [GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64', {})), 401, 'alg_key']]



=== TEST: A08 PS256 where only RS256 is allowed
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
gw_jwt_algorithms RS256;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('PS256', 'rsa', {}, kid => 'r')), 401,
  'alg']]



=== TEST: A09 a key with alg verifies nothing else
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rs384.json;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('RS384', 'rsa', {})), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', {})), 401, 'alg_key'],
 [GW::Auth::bearer(GW::JOSE::jwt('PS384', 'rsa', {})), 401, 'alg_key']]



=== TEST: A10 the curve of the key must be that of the algorithm, P-384
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/p384.json;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('ES384', 'p384', {}, kid => 'e')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('ES256', 'p384', {}, kid => 'e')), 401,
  'alg_key'],
 [GW::Auth::bearer(GW::JOSE::jwt('ES512', 'p384', {}, kid => 'e')), 401,
  'alg_key']]



=== TEST: A10 the curve of the key must be that of the algorithm, P-256
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/p256.json;
gw_jwt_algorithms ES256 ES384 ES512 ES256K;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('ES256', 'p256', {}, kid => 'e')), 200],
 map { [GW::Auth::bearer(GW::JOSE::jwt($_, 'p256', {}, kid => 'e')), 401,
        'alg_key'] } qw(ES256K ES512 ES384)]



=== TEST: A11 EdDSA means Ed25519 where only that is allowed
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/ed25519.json;
gw_jwt_algorithms Ed25519;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('EdDSA', 'ed25519', {}, kid => 'e')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('Ed25519', 'ed25519', {}, kid => 'e')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('Ed448', 'ed448', {}, kid => 'e')), 401,
  'alg']]



=== TEST: A11 Ed25519 is not Ed448
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/ed448.json;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('EdDSA', 'ed448', {}, kid => 'e')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('Ed25519', 'ed448', {}, kid => 'e')), 401,
  'alg_key']]



=== TEST: A12 a key for encryption verifies nothing
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/enc.json;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa2', {}, kid => 'sig')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', {}, kid => 'enc')), 401,
  'key_unusable']]



=== TEST: A15 a key ID twice in two files, of keys of two kinds
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/ed25519.json;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/p256.json;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('ES256', 'p256', {}, kid => 'e')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('EdDSA', 'ed25519', {}, kid => 'e')), 200]]



=== TEST: A15 a key ID twice in two files, one is not for signatures
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/enc.json;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa_enc.json;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', {}, kid => 'enc')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa2', {}, kid => 'sig')), 200]]



=== TEST: A22 a kid is compared as bytes and leads nowhere
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
--- cases eval
main::headers('kid', map { qq({"alg":"RS256","kid":$_}) }
              '"R"', '"r "', '""', '"../../../dev/null"',
              '"/proc/self/environ"', q("' OR 1=1--"), '"|id"', '"%00"',
              '"r\r\nX: y"', 5, '{}', 'null', '"' . 'r' x 2000 . '"')



=== TEST: A22 a kid of 8 KB
--- http_config
large_client_header_buffers 4 32k;
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
gw_jwt_max_size 32k;
--- cases eval
main::headers('size', '{"alg":"RS256","kid":"' . 'r' x 8192 . '"}')



=== TEST: A19 a key in the header of the token is not used
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
--- cases eval
[[main::own(qq({"alg":"RS256","jwk":$main::own_jwk})), 401, 'sig'],
 [main::own(qq({"alg":"RS256","kid":"r","jwk":$main::own_jwk})), 401, 'sig'],
 [main::own(qq({"alg":"RS256","kid":"x","jwk":$main::own_jwk})), 401, 'kid']]



=== TEST: A20 the URL of a key in the header is not asked
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
--- cases eval
[map { my $member = $_;
       ([main::own(qq({"alg":"RS256","kid":"x","$member":"$main::url"})), 401,
         'kid'],
        [main::own(qq({"alg":"RS256","kid":"r","$member":"$main::url"})), 401,
         'sig'],
        [main::own(qq({"alg":"RS256","$member":"$main::url"})), 401, 'sig']) }
     qw(jku x5u)]



=== TEST: A20 a good token with a URL needs nobody else
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', {}, kid => 'r',
      jku => $main::url, x5u => $main::url)), 200]]



=== TEST: A21 a certificate in the header is not used
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
--- cases eval
[[main::own(qq({"alg":"RS256","kid":"r","x5c":["$main::own_cert"]})), 401,
  'sig'],
 [main::own(qq({"alg":"RS256","x5c":["$main::own_cert"]})), 401, 'sig'],
 [main::own(qq({"alg":"RS256","kid":"x","x5c":["$main::own_cert"]})), 401,
  'kid']]
