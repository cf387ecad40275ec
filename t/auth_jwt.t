
# Copyright (C) the nginx gateway modules developers

# Signed tokens: which are accepted, where they are taken from, how a refusal
# looks.

use strict;
use warnings;

use lib 't/lib';
use GW;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup();

my @names = qw(rsa p256 p384 p521 k256 ed25519 ed448);

GW::Auth::file('all.json',
               GW::JOSE::jwks(map { GW::JOSE::jwk($_, kid => $_) } @names));
GW::Auth::file('nokid.json', GW::JOSE::jwks(map { GW::JOSE::jwk($_) } @names));
GW::Auth::file('oct.json', GW::JOSE::jwks(GW::JOSE::jwk('oct64')));
GW::Auth::file('one.json', GW::JOSE::jwk('rsa'));
GW::Auth::file('rsa.pem', GW::JOSE::pem('rsa'));
GW::Auth::file('three.pem', GW::JOSE::pem('rsa2') x 3);
GW::Auth::file('rsa_rsa3.pem', GW::JOSE::pem('rsa') . GW::JOSE::pem('rsa3'));
GW::Auth::file('five.pem', GW::JOSE::pem('rsa2') x 3 . GW::JOSE::pem('rsa')
                           . GW::JOSE::pem('rsa3'));
GW::Auth::file('kid_and_none.json', GW::JOSE::jwks(
    GW::JOSE::jwk('rsa2', kid => 'k'), GW::JOSE::jwk('rsa')));
GW::Auth::file('kid_rsa.json', GW::JOSE::jwk('rsa', kid => 'k'));
GW::Auth::file('kid_p256.json', GW::JOSE::jwk('p256', kid => 'k'));
GW::Auth::file('kid_enc.json', GW::JOSE::jwks(
    GW::JOSE::jwk('rsa2', kid => 'k', use => 'enc'), GW::JOSE::jwk('p384')));
GW::Auth::file('public.json', GW::JOSE::object({
    one => GW::JOSE::pem('rsa') =~ s/\n/\\n/gr,
    two => GW::JOSE::pem('p256') =~ s/\n/\\n/gr }) =~ s/\\\\n/\\n/gr);
GW::Auth::file('secrets.json',
               GW::JOSE::object({ s => 'text of a secret ' x 2 }));
GW::Auth::file('two.pem', GW::JOSE::pem('rsa2') . GW::JOSE::pem('p256'));


# signed with the text of a secret

sub secret_token {
    my ($kid) = @_;

    my $data = GW::JOSE::b64u(qq({"alg":"HS256","kid":"$kid"})) . '.'
               . GW::JOSE::b64u('{"exp":4000000000}');

    return GW::Auth::bearer($data . '.' . GW::JOSE::b64u(
               Digest::SHA::hmac_sha256($data, 'text of a secret ' x 2)));
}

our @asymmetric = (
    (map { ["${_}256", 'rsa'], ["${_}384", 'rsa'], ["${_}512", 'rsa'] }
         qw(RS PS)),
    ['ES256', 'p256'], ['ES384', 'p384'], ['ES512', 'p521'],
    ['EdDSA', 'ed25519'], ['EdDSA', 'ed448'],
    ['Ed25519', 'ed25519'], ['Ed448', 'ed448'],
);

our $good = GW::JOSE::jwt('RS256', 'rsa', { sub => 'alice' });
our $other = GW::JOSE::jwt('RS256', 'rsa', { sub => 'bob' });

sub signed {
    my ($kid, @list) = @_;

    return [map { [GW::Auth::bearer(GW::JOSE::jwt($_->[0], $_->[1],
                      { sub => 'alice' }, $kid ? (kid => $_->[1]) : ())),
                   200] } @list];
}

no_shuffle();
run_tests();

__DATA__

=== TEST: a token of each default algorithm is accepted, chosen by kid
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/all.json;
--- cases eval
main::signed(1, @main::asymmetric)



=== TEST: a token of each default algorithm is accepted without a kid
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/nokid.json jwks;
--- cases eval
main::signed(0, @main::asymmetric)



=== TEST: HS256, HS384, HS512 are accepted where they are named
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
gw_jwt_algorithms HS256 HS384 HS512;
--- cases eval
main::signed(0, map { [$_, 'oct64'] } qw(HS256 HS384 HS512))



=== TEST: ES256K is refused by default
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/all.json;
--- more_headers eval
GW::Auth::bearer(GW::JOSE::jwt('ES256K', 'k256', { sub => 'alice' }))
--- error_code: 401
--- response_headers
X-Reason: alg



=== TEST: ES256K is accepted where it is named
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/all.json;
gw_jwt_algorithms ES256K;
--- cases eval
main::signed(1, ['ES256K', 'k256'])



=== TEST: an algorithm that is not named is refused although a key has it
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/all.json;
gw_jwt_algorithms ES256;
--- cases eval
[@{ main::signed(1, ['ES256', 'p256']) },
 map { [$_->[0], 401, 'alg'] } @{ main::signed(1, ['RS256', 'rsa'],
                                               ['ES384', 'p384']) }]



=== TEST: a key file may be one JWK
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- more_headers eval
GW::Auth::bearer($main::good)
--- response_headers
X-Reason: -
!WWW-Authenticate
--- response_body
consumer=alice



=== TEST: a key file may be PEM, with several keys
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/two.pem pem;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa2', {}, kid => 'x')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('ES256', 'p256', {})), 200],
 [GW::Auth::bearer($main::good), 401, 'sig']]



=== TEST: several key files of one location
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/two.pem pem;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa2', {})), 200],
 [GW::Auth::bearer($main::good), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('ES384', 'p384', {})), 401, 'alg_key'],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa3', {})), 401, 'sig']]



=== TEST: one kid in two files, of two types of keys or of an unusable key
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/kid_rsa.json;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/kid_p256.json;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/kid_enc.json;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', {}, kid => 'k')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('ES256', 'p256', {}, kid => 'k')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa2', {}, kid => 'k')), 401,
  'sig']]



=== TEST: A23 four keys are tried for one token, over all files
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/three.pem pem;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa_rsa3.pem pem;
--- cases eval
[[GW::Auth::bearer($main::good), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa3', {})), 401, 'sig']]



=== TEST: A23 four keys are tried for one token, in one file
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/five.pem pem;
--- cases eval
[[GW::Auth::bearer($main::good), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa3', {})), 401, 'sig']]



=== TEST: A23 a kid that is there is not looked for in keys without one
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/kid_and_none.json;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa2', {}, kid => 'k')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', {}, kid => 'k')), 401, 'sig'],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', {}, kid => 'other')), 200],
 [GW::Auth::bearer($main::good), 200]]



=== TEST: secrets and public keys in two files, when both are named
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.pem pem;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
gw_jwt_algorithms RS256 HS256;
--- cases eval
[[GW::Auth::bearer($main::good), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64', {})), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('HS256', GW::JOSE::pem('rsa'), {})), 401,
  'sig']]



=== TEST: no token is 401 with a challenge that names no error
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- error_code: 401
--- response_headers
X-Reason: missing
WWW-Authenticate: Bearer realm="api"



=== TEST: a token of another key is 401 with the error of RFC 6750
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- more_headers eval
GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa2', { sub => 'eve' }))
--- error_code: 401
--- response_headers
X-Reason: sig
WWW-Authenticate: Bearer realm="api", error="invalid_token"
--- error_log
request refused, credential "jwt", reason "sig"



=== TEST: H01 the scheme is case-insensitive, one or more spaces follow
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- cases eval
[(map { ["Authorization: $_$main::good", 200] }
      'bearer ', 'BEARER ', 'bEaReR  ', 'Bearer     '),
 ["Authorization: Bearer", 401, 'malformed'],
 ["Authorization: Bearer ", 401, 'malformed'],
 ["Authorization: Bearer$main::good", 401, 'malformed'],
 ["Authorization: Bearer\t$main::good", 401, 'malformed'],
 ["Authorization: Bearer $main::good $main::good", 401, 'malformed'],
 ["Authorization: Bearer $main::good\tx", 401, 'malformed'],
 ["Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", 401, 'missing'],
 ["Authorization: $main::good", 401, 'missing'],
 ["Authorization:", 401, 'missing']]



=== TEST: H02 a second token is 400 invalid_request
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- more_headers eval
GW::Auth::bearer($main::good)
--- request eval
"GET /t?x=1&access_token=$main::other"
--- error_code: 400
--- response_headers
X-Reason: twice
WWW-Authenticate: Bearer realm="api", error="invalid_request"



=== TEST: H02 a token twice, an empty one, one that is not asked for
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- cases eval
[[GW::Auth::bearer($main::good), 200, '-', 'GET /t?access_token='],
 [GW::Auth::bearer($main::good), 400, 'twice',
  "GET /t?a&ACCESS_token=$main::good"],
 [GW::Auth::bearer($main::good), 400, 'twice',
  "GET /t?access_token=$main::good&access_token=$main::good"],
 [GW::Auth::bearer($main::good), 200, '-', "GET /t?my_access_token=x"],
 ['X: y', 401, 'missing', "GET /t?access_token=$main::good"]]



=== TEST: two Authorization headers are refused by core
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- more_headers eval
GW::Auth::bearer($main::good) . "\n" . GW::Auth::bearer($main::other)
--- error_code: 400
--- core_logs



=== TEST: a token from a variable
--- auth
gw_jwt api token=$http_x_token;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- cases eval
[["X-Token: $main::good", 200],
 ["X-Token: $main::good\n" . GW::Auth::bearer($main::good), 200],
 ["X-Token: $main::good\n" . GW::Auth::bearer($main::other), 400, 'twice'],
 ["X-Token: x", 401, 'malformed'],
 ["X-Token:", 401, 'missing'],
 ["X: y", 401, 'missing']]



=== TEST: H02 an argument that is named by token= beside the header
--- auth
gw_jwt api token=$arg_access_token;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- cases eval
[['X: y', 200, '-', "GET /t?access_token=$main::good"],
 [GW::Auth::bearer($main::good), 200, '-', "GET /t?access_token=$main::good"],
 [GW::Auth::bearer($main::other), 400, 'twice',
  "GET /t?access_token=$main::good"]]



=== TEST: H03 a realm is quoted
--- auth
gw_jwt 'a "b" \\c';
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="a \"b\" \\c"



=== TEST: H03 a realm from a variable cannot end the header
--- auth
gw_jwt $arg_realm$uri;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- request
GET /t%0d%0aX-Evil:1?realm=%22a
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="%22a/tX-Evil:1"
!X-Evil



=== TEST: H03 no challenge
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
gw_auth_challenge off;
--- error_code: 401
--- response_headers
!WWW-Authenticate



=== TEST: H03 a challenge of one's own
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
gw_auth_challenge 'Bearer realm="x", scope="read"';
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="x", scope="read"



=== TEST: an optional token may be absent but not bad
--- auth
gw_jwt api optional;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
add_header X-Status $gw_auth_status always;
--- cases eval
[[GW::Auth::bearer($main::good), 200],
 ['X: y', 200, 'missing'],
 ['Authorization: Basic dTpw', 200, 'missing'],
 ['Authorization: Bearer', 401, 'malformed'],
 [GW::Auth::bearer("$main::good.x"), 401, 'malformed']]



=== TEST: gw_jwt off
--- auth
gw_jwt off;
--- more_headers
Authorization: Bearer x
--- response_headers
X-Reason: -
--- response_body
consumer=



=== TEST: J04 a token larger than gw_jwt_max_size
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
gw_jwt_max_size 1k;
--- cases eval
[[GW::Auth::bearer($main::good), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', { sub => 'a' x 600 })), 401,
  'size']]



=== TEST: pipelined requests do not share an identity
--- auth
gw_jwt api optional;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
--- pipelined_requests eval
['GET /t', 'GET /t', 'GET /t']
--- more_headers eval
[GW::Auth::bearer($main::good), 'X: y', GW::Auth::bearer($main::other)]
--- response_body eval
["consumer=alice\n", "consumer=\n", "consumer=bob\n"]



=== TEST: keys by their ID, in PEM and as secrets
--- config
location /s {
    gw_jwt api;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/secrets.json keyval;
    gw_jwt_algorithms HS256;
    add_header X-Reason $gw_auth_reason always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/public.json keyval;
--- cases eval
[[GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', {}, kid => 'one')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa', {}, kid => 'two')), 401,
  'alg_key'],
 [GW::Auth::bearer(GW::JOSE::jwt('ES256', 'p256', {}, kid => 'two')), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64', {}, kid => 'one')), 401,
  'alg'],
 [main::secret_token('s'), 200, '-', 'GET /s'],
 [main::secret_token('t'), 401, 'kid', 'GET /s']]
