
# Copyright (C) the nginx gateway modules developers

# What the auth module refuses, and what it warns of, when a configuration is
# read.

use strict;
use warnings;

use lib 't/lib';
use GW;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup();

my $digest = 'sha256:' . 'ab' x 32;

my %file = (
    'rsa.json' => GW::JOSE::jwks(GW::JOSE::jwk('rsa', kid => 'a')),
    'rsab.json' => GW::JOSE::jwks(GW::JOSE::jwk('rsa2', kid => 'a')),
    'p256.json' => GW::JOSE::jwk('p256', kid => 'a'),
    'k256.json' => GW::JOSE::jwk('k256'),
    'oct.json' => GW::JOSE::jwk('oct64'),
    'oct31.json' => GW::JOSE::jwk('oct31'),
    'hs512.json' => GW::JOSE::jwk('oct63', alg => 'HS512'),
    'hs512b.json' => GW::JOSE::jwk('oct64', alg => 'HS512'),
    'empty.json' => '',
    'nokeys.json' => '{"keys":[]}',
    'enc.json' => GW::JOSE::jwk('rsa', use => 'enc'),
    'bad.json' => '{"keys":[}',
    'nojwk.json' => '{"key":1}',
    'mixed.json' => GW::JOSE::jwks(GW::JOSE::jwk('rsa'),
                                   GW::JOSE::jwk('oct64')),
    'twice.json' => GW::JOSE::jwks(GW::JOSE::jwk('rsa', kid => 'a'),
                                   GW::JOSE::jwk('rsa2', kid => 'a')),
    'rsa1024.json' => GW::JOSE::jwk('rsa1024'),
    'e1.json' => GW::JOSE::jwk('rsa', e => 'AQ'),
    'point.json' => GW::JOSE::jwk('p256', y => GW::JOSE::b64u('a' x 32)),
    'short.json' => GW::JOSE::jwk('p256', y => GW::JOSE::b64u('a' x 31)),
    'alg.json' => GW::JOSE::jwk('p384', alg => 'ES256'),
    'private.json' => GW::JOSE::jwk('rsa', d => 'AQAB'),
    'private.pem' => GW::JOSE::slurp(GW::JOSE::private_key('rsa')),
    'bad.pem' => "-----BEGIN PUBLIC KEY-----\nAAAA\n"
                 . "-----END PUBLIC KEY-----\n",
    'large.json' => ' ' x 600_000,
    'keys' => "$digest alice\n",
    'raw' => "$digest alice\nthe-key-itself bob\n",
    'two' => "$digest alice\n$digest bob\n",
    'cidr' => "$digest alice cidr=10.0.0.0/8,10.0.0/33\n",
    'none' => "# nothing\n",
);

GW::Auth::file($_, $file{$_}) for keys %file;

chmod(0640, GW::tmp_dir() . '/hs512b.json');

no_shuffle();
run_tests();

__DATA__

=== TEST: gw_jwt twice
--- config
location /x {
    gw_jwt a;
    gw_jwt b;
}
--- must_die
--- error_log
"gw_jwt" directive is duplicate



=== TEST: gw_jwt off with a parameter
--- config
location /x {
    gw_jwt off optional;
}
--- must_die
--- error_log
"gw_jwt" directive cannot have parameters when it is "off"



=== TEST: gw_jwt with an unknown parameter
--- config
location /x {
    gw_jwt a issuers=x;
}
--- must_die
--- error_log
invalid parameter "issuers=x"



=== TEST: gw_jwt with two tokens
--- config
location /x {
    gw_jwt a token=$arg_a token=$arg_b;
}
--- must_die
--- error_log
invalid parameter "token=$arg_b"



=== TEST: gw_jwt with a token that is no variable
--- config
location /x {
    gw_jwt a token=abc;
}
--- must_die
--- error_log
"token=abc" is not a variable



=== TEST: gw_jwt with an empty token
--- config
location /x {
    gw_jwt a token=;
}
--- must_die
--- error_log
"token=" is not a variable



=== TEST: gw_jwt with a bad realm
--- config
location /x {
    gw_jwt "a${b";
}
--- must_die
--- error_log
the closing bracket in "b" variable is missing



=== TEST: gw_jwt without keys
--- config
location /x {
    gw_jwt a;
}
--- must_die
--- error_log
has no keys, add "gw_jwt_key_file"



=== TEST: a key file that is not there
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/nowhere.json;
}
--- must_die
--- error_log
nowhere.json" failed (2: No such file or directory)



=== TEST: a key file that is a directory
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR;
}
--- must_die
--- error_log
" is not a regular file



=== TEST: a key file that is too large
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/large.json;
}
--- must_die
--- error_log
large.json" is larger than 524288 bytes



=== TEST: a key file of unknown format
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json xml;
}
--- must_die
--- error_log
invalid parameter "xml", it must be "jwks", "keyval" or "pem"



=== TEST: keys requested from what is no URI
--- config
location /x {
    gw_jwt_key_request https://example.com/jwks.json;
}
--- must_die
--- error_log
invalid URI "https://example.com/jwks.json", it must begin with "/": name a location with "internal" and "proxy_pass"



=== TEST: keys requested from an empty URI
--- config
location /x {
    gw_jwt_key_request "";
}
--- must_die
--- error_log
invalid URI "", it must begin with "/"



=== TEST: keys requested in a format that is none
--- config
location /x {
    gw_jwt_key_request /jwks pem;
}
--- must_die
--- error_log
invalid parameter "pem", it must be "jwks" or "keyval"



=== TEST: keys requested twice
--- config
location /x {
    gw_jwt x;
    gw_jwt_key_request /jwks;
    gw_jwt_key_request /jwks;
}
--- must_die
--- error_log
key set "/jwks" is requested twice for "gw_jwt" in



=== TEST: keys requested 17 times
--- config eval
"location /x {\n"
. CORE::join('', map { "gw_jwt_key_request /jwks$_;\n" } 1 .. 17) . "}\n"
--- must_die
--- error_log
"gw_jwt_key_request" directive is repeated too often, put the keys together



=== TEST: gw_jwt_key_cache twice
--- config
gw_jwt_key_cache 1m;
gw_jwt_key_cache 1m;
--- must_die
--- error_log
"gw_jwt_key_cache" directive is duplicate



=== TEST: gw_jwt_key_cache with an unknown parameter
--- config
gw_jwt_key_cache 1m stale=1m;
--- must_die
--- error_log
invalid parameter "stale=1m"



=== TEST: gw_jwt_key_cache with no time at all
--- config
gw_jwt_key_cache 0;
--- must_die
--- error_log
invalid parameter "0", it must be a time of at least 1s



=== TEST: gw_jwt_key_cache with a cooldown that is too short
--- config
gw_jwt_key_cache 1m cooldown=10ms;
--- must_die
--- error_log
invalid parameter "cooldown=10ms", it must be a time of at least 1s



=== TEST: gw_jwt_key_cache with a time that is none
--- config
gw_jwt_key_cache 1m max_stale=long;
--- must_die
--- error_log
invalid parameter "max_stale=long", it must be a time of at least 1s



=== TEST: a key file with two formats
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json jwks pem;
}
--- must_die
--- error_log
invalid parameter "pem"



=== TEST: a key file with an interval that is too short
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json watch=100ms;
}
--- must_die
--- error_log
invalid parameter "watch=100ms", it must be a time of at least 1s



=== TEST: a key file with an interval that is none
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json watch=often;
}
--- must_die
--- error_log
invalid parameter "watch=often", it must be a time of at least 1s



=== TEST: a key file with two intervals
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json watch=1s watch=2s;
}
--- must_die
--- error_log
invalid parameter "watch=2s", it must be "jwks", "keyval" or "pem"



=== TEST: too many key files
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
}
--- must_die
--- error_log
"gw_jwt_key_file" directive is repeated too often, put the keys together



=== TEST: a key file that is not JSON
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/bad.json;
}
--- must_die
--- error_log
bad.json" is not JSON at byte



=== TEST: an empty key file
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/empty.json;
}
--- must_die
--- error_log
empty.json" is not JSON



=== TEST: key file: no set of keys
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/nojwk.json;
}
--- must_die
--- error_log
nojwk.json" is refused:



=== TEST: key file: no keys
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/nokeys.json;
}
--- must_die
--- error_log
nokeys.json" is refused:



=== TEST: key file: no usable key
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/enc.json;
}
--- must_die
--- error_log
enc.json" is refused:



=== TEST: key file: A14 secrets and public keys
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/mixed.json;
}
--- must_die
--- error_log
mixed.json" is refused:



=== TEST: key file: A15 one kid twice
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/twice.json;
}
--- must_die
--- error_log
twice.json" is refused:



=== TEST: key file: A16 RSA of 1024 bits
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa1024.json;
}
--- must_die
--- error_log
rsa1024.json" is refused:



=== TEST: key file: A16 RSA with e = 1
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/e1.json;
}
--- must_die
--- error_log
e1.json" is refused:



=== TEST: key file: A17 a short secret
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct31.json;
}
--- must_die
--- error_log
oct31.json" is refused:



=== TEST: key file: A17 a secret shorter than SHA-512
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/hs512.json;
}
--- must_die
--- error_log
hs512.json" is refused:



=== TEST: key file: A18 a point off the curve
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/point.json;
}
--- must_die
--- error_log
point.json" is refused:



=== TEST: key file: A18 a coordinate of another length
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/short.json;
}
--- must_die
--- error_log
short.json" is refused:



=== TEST: key file: A13 an alg of another curve
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/alg.json;
}
--- must_die
--- error_log
alg.json" is refused:



=== TEST: key file: a private JWK
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/private.json;
}
--- must_die
--- error_log
private.json" is refused:



=== TEST: key file: a private PEM
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/private.pem pem;
}
--- must_die
--- error_log
private.pem" is refused:



=== TEST: key file: PEM without a key
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/bad.pem pem;
}
--- must_die
--- error_log
bad.pem" is refused:



=== TEST: key file: JWK as PEM
--- config
location /x {
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json pem;
}
--- must_die
--- error_log
rsa.json" is refused:



=== TEST: one key file twice
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
}
--- must_die
--- error_log
rsa.json" is named twice for "gw_jwt" in



=== TEST: A15 one kid in two files
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsab.json;
}
--- must_die
--- error_log
rsab.json" hold two keys with the same "kid", for "gw_jwt" in



=== TEST: A14 secrets where no HS is named
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
}
--- must_die
--- error_log
oct.json" holds secrets and no HMAC algorithm is allowed, name one as in "gw_jwt_algorithms HS256"



=== TEST: A14 secrets and public keys in two files
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
    gw_jwt_algorithms HS256 ES256;
}
--- must_die
--- error_log
no key in "



=== TEST: A14 both, where only one is named
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/k256.json;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
    gw_jwt_algorithms ES256K;
}
--- must_die
--- error_log
holds secrets and no HMAC algorithm is allowed



=== TEST: no key for an allowed algorithm
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/k256.json;
}
--- must_die
--- error_log
no key in "



=== TEST: no key for a named algorithm
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_algorithms ES256 HS256;
}
--- must_die
--- error_log
can verify an allowed algorithm, change "gw_jwt_algorithms" for "gw_jwt" in



=== TEST: no key for the algorithms of an inner location
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    location /x/y {
        gw_jwt_algorithms ES256;
    }
}
--- must_die
--- error_log
rsa.json" can verify an allowed algorithm



=== TEST: no key in the file of an inner location
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    location /x/y {
        gw_jwt_key_file $TEST_NGINX_TMP_DIR/k256.json;
    }
}
--- must_die
--- error_log
k256.json" can verify an allowed algorithm



=== TEST: gw_jwt_algorithms twice
--- config
location /x {
    gw_jwt_algorithms RS256;
    gw_jwt_algorithms ES256;
}
--- must_die
--- error_log
"gw_jwt_algorithms" directive is duplicate



=== TEST: the algorithm none
--- config
location /x {
    gw_jwt_algorithms RS256 none;
}
--- must_die
--- error_log
"gw_jwt_algorithms" directive cannot be "none": the signature is always verified



=== TEST: the algorithm None
--- config
location /x {
    gw_jwt_algorithms RS256 None;
}
--- must_die
--- error_log
"gw_jwt_algorithms" directive cannot be "none": the signature is always verified



=== TEST: an unknown algorithm
--- config
location /x {
    gw_jwt_algorithms rs256;
}
--- must_die
--- error_log
unknown algorithm "rs256"



=== TEST: gw_jwt_leeway twice
--- config
location /x {
    gw_jwt_leeway 1s;
    gw_jwt_leeway 1s;
}
--- must_die
--- error_log
"gw_jwt_leeway" directive is duplicate



=== TEST: gw_jwt_leeway that is no time
--- config
location /x {
    gw_jwt_leeway -1;
}
--- must_die
--- error_log
"gw_jwt_leeway" directive invalid value



=== TEST: gw_jwt_leeway of more than a day
--- config
location /x {
    gw_jwt_leeway 86401s;
}
--- must_die
--- error_log
"gw_jwt_leeway" directive cannot be longer than a day



=== TEST: gw_jwt_validate_exp that is no flag
--- config
location /x {
    gw_jwt_validate_exp maybe;
}
--- must_die
--- error_log
invalid value "maybe" in "gw_jwt_validate_exp" directive, it must be "on" or "off"



=== TEST: gw_jwt_max_size of 0
--- config
location /x {
    gw_jwt_max_size 0;
}
--- must_die
--- error_log
"gw_jwt_max_size" directive cannot be 0



=== TEST: gw_jwt_max_size that is no size
--- config
location /x {
    gw_jwt_max_size x;
}
--- must_die
--- error_log
"gw_jwt_max_size" directive invalid value



=== TEST: gw_jwt_require with another code
--- config
location /x {
    gw_jwt_require $a error=500;
}
--- must_die
--- error_log
invalid parameter "error=500", it must be "error=401" or "error=403"



=== TEST: gw_jwt_require with a code only
--- config
location /x {
    gw_jwt_require error=401;
}
--- must_die
--- error_log
"gw_jwt_require" directive needs a value to check



=== TEST: gw_jwt_require of a constant
--- config
location /x {
    gw_jwt_require 1;
}
--- must_die
--- error_log
"1" has no variable, it would always be the same



=== TEST: gw_jwt_require of an unknown variable
--- config
location /x {
    gw_jwt_require $nothing_here;
}
--- must_die
--- error_log
unknown "nothing_here" variable



=== TEST: gw_jwt_claim_set of no variable
--- http_config
gw_jwt_claim_set a b;
--- config
--- must_die
--- error_log
invalid variable name "a"



=== TEST: gw_jwt_header_set of no variable
--- http_config
gw_jwt_header_set $ b;
--- config
--- must_die
--- error_log
invalid variable name "$"



=== TEST: gw_jwt_claim_set twice
--- http_config
gw_jwt_claim_set $a b;
gw_jwt_claim_set $a c;
--- config
--- must_die
--- error_log
the duplicate "a" variable



=== TEST: gw_jwt_claim_set without a name
--- http_config
gw_jwt_claim_set $a;
--- config
--- must_die
--- error_log
invalid number of arguments in "gw_jwt_claim_set" directive



=== TEST: gw_jwt_claim_set in a location
--- config
location /x {
    gw_jwt_claim_set $a b;
}
--- must_die
--- error_log
"gw_jwt_claim_set" directive is not allowed here



=== TEST: gw_api_key twice
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a;
    gw_api_key b;
}
--- must_die
--- error_log
"gw_api_key" directive is duplicate



=== TEST: gw_api_key off with a parameter
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key off optional;
}
--- must_die
--- error_log
"gw_api_key" directive cannot have parameters when it is "off"



=== TEST: gw_api_key with an unknown parameter
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a query=x;
}
--- must_die
--- error_log
invalid parameter "query=x"



=== TEST: gw_api_key with an empty store
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a store=;
}
--- must_die
--- error_log
invalid parameter "store="



=== TEST: gw_api_key without a store
--- config
location /x {
    gw_api_key a;
}
--- must_die
--- error_log
has no store, define one with "gw_api_keys"



=== TEST: gw_api_key with an unknown store
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a store=b;
}
--- must_die
--- error_log
"gw_api_key" names the store "b" in



=== TEST: gw_api_key where there are two stores
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
gw_api_keys b {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a;
}
--- must_die
--- error_log
must name one of several stores with "store="



=== TEST: gw_api_key with an empty header
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a header=;
}
--- must_die
--- error_log
invalid name in "header="



=== TEST: gw_api_key with a bad header
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a "header=a b";
}
--- must_die
--- error_log
invalid name in "header=a b"



=== TEST: gw_api_key with two names of header
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a header=a header=b;
}
--- must_die
--- error_log
duplicate parameter "header=b"



=== TEST: gw_api_key with an empty arg
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a arg=;
}
--- must_die
--- error_log
invalid name in "arg="



=== TEST: gw_api_key with a bad arg
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a "arg=a b";
}
--- must_die
--- error_log
invalid name in "arg=a b"



=== TEST: gw_api_key with two names of arg
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a arg=a arg=b;
}
--- must_die
--- error_log
duplicate parameter "arg=b"



=== TEST: gw_api_key with an empty cookie
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a cookie=;
}
--- must_die
--- error_log
invalid name in "cookie="



=== TEST: gw_api_key with a bad cookie
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a "cookie=a b";
}
--- must_die
--- error_log
invalid name in "cookie=a b"



=== TEST: gw_api_key with two names of cookie
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a cookie=a cookie=b;
}
--- must_die
--- error_log
duplicate parameter "cookie=b"



=== TEST: gw_api_key with an empty scheme
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a scheme=;
}
--- must_die
--- error_log
invalid name in "scheme="



=== TEST: gw_api_key with a bad scheme
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a "scheme=a b";
}
--- must_die
--- error_log
invalid name in "scheme=a b"



=== TEST: gw_api_key with two names of scheme
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a scheme=a scheme=b;
}
--- must_die
--- error_log
duplicate parameter "scheme=b"



=== TEST: gw_api_key from the Authorization header
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a header=Authorization;
}
--- must_die
--- error_log
"gw_api_key" directive takes a key from the Authorization header by its scheme, use "scheme="



=== TEST: gw_api_key and gw_jwt from one header
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a scheme=bearer;
    gw_jwt b;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
}
--- must_die
--- error_log
would take the same header



=== TEST: gw_api_keys twice
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
--- must_die
--- error_log
API-key store "main" is already defined in



=== TEST: gw_api_keys that is empty
--- http_config
gw_api_keys a { }
--- config
--- must_die
--- error_log
API-key store "a" is empty, add "file" to it



=== TEST: gw_api_keys with an unknown directive
--- http_config
gw_api_keys a { redis b; }
--- config
--- must_die
--- error_log
unknown parameter "redis" in "gw_api_keys", it may have "file" and "include"



=== TEST: gw_api_keys with arguments of file
--- http_config
gw_api_keys a { file a watch=1s; }
--- config
--- must_die
--- error_log
invalid number of arguments in "file"



=== TEST: gw_api_keys with arguments of include
--- http_config
gw_api_keys a { include a b; }
--- config
--- must_die
--- error_log
invalid number of arguments in "include"



=== TEST: gw_api_keys with a file that is not there
--- http_config
gw_api_keys a { file $TEST_NGINX_TMP_DIR/nowhere; }
--- config
--- must_die
--- error_log
nowhere" failed (2: No such file or directory)



=== TEST: a raw key in a file
--- http_config
gw_api_keys a { file $TEST_NGINX_TMP_DIR/raw; }
--- config
--- must_die
--- error_log
line 2 of "



=== TEST: one digest twice
--- http_config
gw_api_keys a { file $TEST_NGINX_TMP_DIR/two; }
--- config
--- must_die
--- error_log
line 2 of "



=== TEST: K14 a bad address of a key
--- http_config
gw_api_keys a { file $TEST_NGINX_TMP_DIR/cidr; }
--- config
--- must_die
--- error_log
invalid address "10.0.0/33" in "cidr=" of consumer "alice" in



=== TEST: gw_auth of another value
--- config
location /x {
    gw_auth some;
}
--- must_die
--- error_log
invalid value "some"



=== TEST: gw_auth_challenge twice
--- config
location /x {
    gw_auth_challenge on;
    gw_auth_challenge off;
}
--- must_die
--- error_log
"gw_auth_challenge" directive is duplicate



=== TEST: gw_auth_challenge that is empty
--- config
location /x {
    gw_auth_challenge "";
}
--- must_die
--- error_log
"gw_auth_challenge" directive cannot be empty, use "off"



=== TEST: gw_auth_challenge with a line feed
--- config
location /x {
    gw_auth_challenge "a\nb";
}
--- must_die
--- error_log
"gw_auth_challenge" directive cannot have control characters



=== TEST: a warning: a credential in an argument
--- config
location /x {
    gw_jwt a token=$arg_tok;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
}
location /t {
    return 200;
}
--- error_log
[warn]
a credential in the argument "tok" gets into logs, use "$gw_request_uri" in "log_format"



=== TEST: a warning: a key in an argument
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- config
location /x {
    gw_api_key a arg=k;
}
location /t {
    return 200;
}
--- error_log
[warn]
a credential in the argument "k" gets into logs



=== TEST: a warning: an algorithm without a key
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
    gw_jwt_algorithms RS256 HS256;
}
location /t {
    return 200;
}
--- error_log
[warn]
"gw_jwt_algorithms" names HS256 and no key can verify it, for "gw_jwt" in



=== TEST: a warning: a store without keys
--- http_config
gw_api_keys a { file $TEST_NGINX_TMP_DIR/none; }
--- config
location /x {

}
location /t {
    return 200;
}
--- error_log
[warn]
there is no key in "



=== TEST: a warning: gw_auth any without a credential
--- config
location /x {
    gw_auth any;
}
location /t {
    return 200;
}
--- error_log
[warn]
"gw_auth any" without "gw_jwt" and "gw_api_key" lets every request pass



=== TEST: gw_auth_zone twice
--- http_config
gw_auth_zone a:1m;
gw_auth_zone b:1m;
--- config
--- must_die
--- error_log
"gw_auth_zone" directive is duplicate



=== TEST: gw_auth_zone without a size
--- http_config
gw_auth_zone a;
--- config
--- must_die
--- error_log
invalid zone size "a", it must be like "name:1m"



=== TEST: gw_auth_zone without a name
--- http_config
gw_auth_zone :8m;
--- config
--- must_die
--- error_log
invalid zone size ":8m", it must be like "name:1m"



=== TEST: gw_auth_zone with a bad size
--- http_config
gw_auth_zone a:8x;
--- config
--- must_die
--- error_log
invalid zone size "a:8x", it must be like "name:1m"



=== TEST: gw_auth_zone that is too small
--- http_config
gw_auth_zone a:127k;
--- config
--- must_die
--- error_log
zone "a:127k" is too small, it must have 128k at least



=== TEST: gw_auth_zone with the name of another zone
--- http_config
limit_req_zone $uri zone=a:1m rate=1r/s;
gw_auth_zone a:1m;
--- config
--- must_die
--- error_log
the shared memory zone "a" is already declared for a different use



=== TEST: gw_auth_zone in a server
--- config
gw_auth_zone a:1m;
--- must_die
--- error_log
"gw_auth_zone" directive is not allowed here



=== TEST: gw_auth_zone of the smallest size
--- http_config
gw_auth_zone a:128k;
--- config
location /t {
    return 200;
}



=== TEST: gw_api_key with a header that nginx drops
--- config
location /x {
    gw_api_key a header=X.Key;
}
--- must_die
--- error_log
nginx drops headers with a "." in their names, "header=X.Key" would never be seen, use another name



=== TEST: gw_api_key with a header that nginx drops unless told not to
--- http_config
gw_api_keys k { file $TEST_NGINX_TMP_DIR/keys; }
--- config
location /x {
    gw_api_key a header=x_key;
}
location /y {
    return 200;
}
--- request
GET /y
--- error_log
is never seen, set "underscores_in_headers on" or name it with "-"



=== TEST: gw_api_key with a header that nginx has been told not to drop
--- http_config
gw_api_keys k { file $TEST_NGINX_TMP_DIR/keys; }
underscores_in_headers on;
--- config
location /x {
    gw_api_key a header=x_key;
}
location /y {
    return 200;
}
--- request
GET /y
--- no_error_log
never seen



=== TEST: gw_jwt with a token that has its scheme
--- config
location /x {
    gw_jwt a token=$http_authorization;
}
--- must_die
--- error_log
takes the header "Authorization" without "token=": the variable has the word "Bearer", too



=== TEST: gw_jwt_cache twice
--- config
location /x {
    gw_jwt_cache off;
    gw_jwt_cache on;
}
--- must_die
--- error_log
"gw_jwt_cache" directive is duplicate



=== TEST: gw_jwt_cache with another value
--- config
location /x {
    gw_jwt_cache yes;
}
--- must_die
--- error_log
invalid value "yes", it must be "on" or "off"



=== TEST: gw_jwt_cache off with a parameter
--- config
location /x {
    gw_jwt_cache off max=1h;
}
--- must_die
--- error_log
"gw_jwt_cache" directive cannot have parameters when it is "off"



=== TEST: gw_jwt_cache with another parameter
--- config
location /x {
    gw_jwt_cache on size=1;
}
--- must_die
--- error_log
invalid parameter "size=1"



=== TEST: gw_jwt_cache with a bad time
--- config
location /x {
    gw_jwt_cache on max=1x;
}
--- must_die
--- error_log
invalid time in "max=1x", it must be a second or more



=== TEST: gw_jwt_cache without time
--- config
location /x {
    gw_jwt_cache on max=0;
}
--- must_die
--- error_log
invalid time in "max=0", it must be a second or more



=== TEST: gw_auth_budget twice
--- config
location /x {
    gw_auth_budget off;
    gw_auth_budget key=$remote_addr rate=1r/s;
}
--- must_die
--- error_log
"gw_auth_budget" directive is duplicate



=== TEST: gw_auth_budget off with a parameter
--- config
location /x {
    gw_auth_budget off rate=1r/s;
}
--- must_die
--- error_log
"gw_auth_budget" directive cannot have parameters when it is "off"



=== TEST: gw_auth_budget without a key
--- config
location /x {
    gw_auth_budget rate=1r/s;
}
--- must_die
--- error_log
"gw_auth_budget" directive must have "key" parameter



=== TEST: gw_auth_budget without a rate
--- config
location /x {
    gw_auth_budget key=$remote_addr burst=1;
}
--- must_die
--- error_log
"gw_auth_budget" directive must have "rate" parameter



=== TEST: gw_auth_budget with a bad rate
--- config
location /x {
    gw_auth_budget key=$remote_addr rate=10;
}
--- must_die
--- error_log
invalid rate "rate=10", it must be like "10r/s" or "10r/5m", at most 10000000 a second



=== TEST: gw_auth_budget with a bad burst
--- config
location /x {
    gw_auth_budget key=$remote_addr rate=10r/s burst=x;
}
--- must_die
--- error_log
invalid burst value "burst=x"



=== TEST: gw_auth_budget with a burst that is too large
--- config
location /x {
    gw_auth_budget key=$remote_addr rate=1r/d burst=1000000000;
}
--- must_die
--- error_log
"gw_auth_budget" directive has a burst that is too large for its rate



=== TEST: gw_auth_budget of everybody together
--- config
location /x {
    gw_auth_budget key=all rate=10r/s;
}
--- must_die
--- error_log
"key=all" has no variable, one client could spend the budget of all



=== TEST: gw_auth_budget with another parameter
--- config
location /x {
    gw_auth_budget key=$remote_addr rate=10r/s nodelay;
}
--- must_die
--- error_log
invalid parameter "nodelay"



=== TEST: a file with secrets that everybody may read
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
    gw_jwt_algorithms HS256;
}
location /y {
    return 200;
}
--- request
GET /y
--- error_log
take that right away with "chmod o-r"



=== TEST: a file with secrets of the group only, and one with public keys
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/hs512b.json;
    gw_jwt_algorithms HS512;
}
location /z {
    gw_jwt a;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
}
location /y {
    return 200;
}
--- request
GET /y
--- no_error_log
chmod



=== TEST: keys that come from another host without TLS
--- config
location /x {
    gw_jwt a;
    gw_jwt_key_request /keys/a?b=c;
}
location /keys/ {
    internal;
    proxy_pass http://192.0.2.1/jwks;
}
location = /y {
    return 200;
}
--- request
GET /y
--- error_log
the keys of "/keys/a?b=c" come from "192.0.2.1" without TLS, who is on the way can replace them, use "proxy_pass https://..." and "proxy_ssl_verify on" in location "/keys/"



=== TEST: keys that come from another host without TLS, on another port
--- http_config
upstream idp {
    server 127.0.0.1:8080;
    server 192.0.2.1:8080 backup;
}
gw_jwt_issuer i {
    issuer       https://id.example;
    audience     a;
    key_request  /keys;
}
--- config
location /x {
    gw_jwt a issuer=i;
}
location = /keys {
    internal;
    proxy_pass http://idp/jwks;
}
location = /y {
    return 200;
}
--- request
GET /y
--- error_log
the keys of "/keys" come from "idp" without TLS



=== TEST: keys that come from this host, over TLS, or nobody knows
--- http_config
upstream idp {
    server 127.0.0.1:8080;
    server unix:/run/idp.sock backup;
}
--- config
location /a {
    gw_jwt a;
    gw_jwt_key_request /keys/a;
}
location /b {
    gw_jwt a;
    gw_jwt_key_request /keys/b;
}
location /c {
    gw_jwt a;
    gw_jwt_key_request /keys/c;
}
location /d {
    gw_jwt a;
    gw_jwt_key_request /keys/d$arg_x;
}
location = /keys/a {
    internal;
    proxy_pass http://idp/jwks;
}
location = /keys/b {
    internal;
    proxy_pass https://192.0.2.1/jwks;
}
location = /keys/c {
    internal;
    proxy_pass http://$arg_c/jwks;
}
location /keys/ {
    internal;
    proxy_pass http://192.0.2.1/jwks;
}
location = /y {
    return 200;
}
--- request
GET /y
--- no_error_log
without TLS
