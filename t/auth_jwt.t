
# Copyright (C) the nginx gateway modules developers

# Signed tokens: which are accepted, how a refusal looks.

use strict;
use warnings;

use lib 't/lib';
use GW;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup();

GW::Auth::file('keys.json', GW::JOSE::jwks(
    GW::JOSE::jwk('rsa', kid => 'r1', alg => 'RS256'),
    GW::JOSE::jwk('p256', kid => 'e1')));

our $good = GW::JOSE::jwt('RS256', 'rsa', { sub => 'alice' }, kid => 'r1');

no_shuffle();
run_tests();

__DATA__

=== TEST: a signed token is accepted
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- more_headers eval
GW::Auth::bearer($main::good)
--- response_headers
X-Reason: -
!WWW-Authenticate
--- response_body
consumer=alice



=== TEST: no token is 401 with a challenge that names no error
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- error_code: 401
--- response_headers
X-Reason: missing
WWW-Authenticate: Bearer realm="api"



=== TEST: a token of another key is 401 with the error of RFC 6750
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- more_headers eval
GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa2', { sub => 'eve' }, kid => 'r1'))
--- error_code: 401
--- response_headers
X-Reason: sig
WWW-Authenticate: Bearer realm="api", error="invalid_token"
