
# Copyright (C) the nginx gateway modules developers

# Authentication among the other parts of nginx: combinations, satisfy,
# error_page, internal redirects, limit_except, subrequests, inheritance.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);

use lib 't/lib';
use GW;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup();

GW::Auth::file('one.json', GW::JOSE::jwk('oct64', kid => 'o'));
GW::Auth::file('two.json', GW::JOSE::jwk('oct64b', kid => 'o'));

our $key = 'gwk-0123456789abcdef';

GW::Auth::file('keys', 'sha256:' . sha256_hex($key) . " machine plan=gold\n");

# user u, password p
GW::Auth::file('passwd', 'u:{PLAIN}p' . "\n");

our $jwt = GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64',
                                          { sub => 'alice', role => 'r' }));
our $bad = GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64c',
                                          { sub => 'eve' }));
our $second = GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64b',
                                             { sub => 'bob' }));
our $api = "X-API-Key: $key";
our $nokey = 'X-API-Key: gwk-fedcba9876543210';
our $none = 'X: y';
our $basic = 'Authorization: Basic dTpw';

our $http = <<'_EOC_';
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
gw_jwt_algorithms HS256;
_EOC_

our $headers = <<'_EOC_';
add_header X-Reason $gw_auth_reason always;
add_header X-Consumer "<$gw_consumer>" always;
_EOC_

add_block_preprocessor(sub {
    my ($block) = @_;

    my $own = defined $block->http_config ? $block->http_config : '';

    $block->set_value('http_config', $http . $own)
        unless defined $block->own_http;

    $block->set_value('config', $headers
                      . (defined $block->config ? $block->config : ''));
});

no_shuffle();
run_tests();

__DATA__

=== TEST: gw_auth all needs both
--- auth
gw_jwt api;
gw_api_key keys;
--- cases eval
[["$main::jwt\n$main::api", 200],
 [$main::jwt, 401, 'missing'],
 [$main::api, 401, 'missing'],
 ["$main::bad\n$main::api", 401, 'sig'],
 ["$main::jwt\n$main::nokey", 401, 'key'],
 [$main::none, 401, 'missing']]



=== TEST: gw_auth all with both: the key names the consumer
--- auth
gw_jwt api;
gw_api_key keys;
add_header X-All "$gw_consumer,$gw_consumer_plan,$gw_jwt_claim_sub,$gw_auth_method";
--- more_headers eval
"$main::jwt\n$main::api"
--- response_headers
X-All: machine,gold,alice,jwt,api_key
--- response_body
consumer=machine



=== TEST: H03 one challenge for each scheme
--- auth
gw_jwt api;
gw_api_key keys;
--- raw_request eval
"GET /t HTTP/1.0\r\n\r\n"
--- error_code: 401
--- raw_response_headers_like chomp
WWW-Authenticate: Bearer realm="api"\r\nWWW-Authenticate: ApiKey realm="keys"\r\n



=== TEST: H03 the error is that of the token
--- auth
gw_jwt api;
gw_api_key keys;
gw_auth any;
--- raw_request eval
"GET /t HTTP/1.0\r\n$main::bad\r\n\r\n"
--- error_code: 401
--- raw_response_headers_like chomp
WWW-Authenticate: Bearer realm="api", error="invalid_token"\r\nWWW-Authenticate: ApiKey realm="keys"\r\n



=== TEST: gw_auth any needs one, what is presented must be good
--- auth
gw_jwt api;
gw_api_key keys;
gw_auth any;
--- cases eval
[["$main::jwt\n$main::api", 200],
 [$main::jwt, 200],
 [$main::api, 200],
 ["$main::bad\n$main::api", 401, 'sig'],
 ["$main::jwt\n$main::nokey", 401, 'key'],
 [$main::none, 401, 'missing']]



=== TEST: who lacks a right is not asked for an API key
--- auth
gw_jwt api;
gw_jwt_require $gw_jwt_claim_none error=403;
gw_api_key keys;
gw_auth any;
--- raw_request eval
"GET /t HTTP/1.0\r\n$main::jwt\r\n\r\n"
--- error_code: 403
--- raw_response_headers_like chomp
WWW-Authenticate: Bearer realm="api", error="insufficient_scope"\r\n(?!(?s:.*)ApiKey)



=== TEST: gw_auth any with an optional kind
--- auth
gw_jwt api optional;
gw_api_key keys;
gw_auth any;
--- cases eval
[[$main::api, 200],
 [$main::none, 200, 'missing'],
 [$main::bad, 401, 'sig'],
 [$main::nokey, 401, 'key']]



=== TEST: gw_auth all with an optional kind
--- auth
gw_jwt api;
gw_api_key keys optional;
--- cases eval
[[$main::jwt, 200],
 [$main::api, 401, 'missing'],
 [$main::none, 401, 'missing'],
 ["$main::jwt\n$main::nokey", 401, 'key']]



=== TEST: gw_auth off looks at nothing
--- auth
gw_jwt api;
gw_api_key keys;
gw_auth off;
--- more_headers eval
"$main::bad\n$main::nokey"
--- response_headers
X-Reason: -
!WWW-Authenticate
--- response_body
consumer=



=== TEST: satisfy any with an address
--- config
satisfy any;
allow 127.0.0.1;
deny all;
--- auth
gw_jwt api;
gw_api_key keys;
gw_auth any;
--- raw_request eval
"GET /t HTTP/1.0\r\n$main::bad\r\n\r\n"
--- raw_response_headers_unlike chomp
WWW-Authenticate
--- response_body
consumer=



=== TEST: satisfy any with a token instead of an address
--- config
satisfy any;
deny all;
--- auth
gw_jwt api;
--- cases eval
[[$main::jwt, 200],
 [$main::bad, 401, 'sig'],
 [$main::none, 401, 'missing']]



=== TEST: satisfy any goes on after two tokens
--- config
satisfy any;
allow 127.0.0.1;
deny all;
--- auth
gw_jwt api;
--- cases eval
[[$main::jwt, 200, 'twice', 'GET /t?access_token=x']]



=== TEST: satisfy any, two tokens and nothing else: 401, since core knows no 400
--- config
satisfy any;
deny all;
--- auth
gw_jwt api;
--- cases eval
[[$main::jwt, 401, 'twice', 'GET /t?access_token=x']]



=== TEST: satisfy any, a requirement of 403
--- config
satisfy any;
deny all;
--- auth
gw_jwt api;
gw_jwt_require $gw_jwt_claim_none error=403;
--- cases eval
[[$main::jwt, 403, 'require'],
 [$main::none, 401, 'missing']]



=== TEST: satisfy any, an absent optional token satisfies nobody
--- config
satisfy any;
deny all;
--- auth
gw_jwt api optional;
--- cases eval
[[$main::jwt, 200],
 [$main::none, 403, 'missing']]



=== TEST: satisfy any with a password, both challenges
--- config
satisfy any;
--- auth
gw_jwt api;
auth_basic pw;
auth_basic_user_file $TEST_NGINX_TMP_DIR/passwd;
--- raw_request eval
"GET /t HTTP/1.0\r\n\r\n"
--- error_code: 401
--- raw_response_headers_like chomp
WWW-Authenticate: Bearer realm="api"\r\n(?s:.*)WWW-Authenticate: Basic realm="pw"\r\n



=== TEST: satisfy any with a password, which is good
--- config
satisfy any;
--- auth
gw_jwt api;
auth_basic pw;
auth_basic_user_file $TEST_NGINX_TMP_DIR/passwd;
--- more_headers eval
$main::basic
--- response_headers
!WWW-Authenticate
X-Reason: missing



=== TEST: satisfy all with an address: both are needed
--- config
deny all;
--- auth
gw_jwt api;
--- cases eval
[[$main::jwt, 403],
 [$main::none, 401, 'missing']]



=== TEST: error_page 401 to a page, the challenge stays
--- config
error_page 401 /login;
location /login {
    return 200 "please log in\n";
}
--- auth
gw_jwt api;
--- more_headers eval
$main::bad
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="api", error="invalid_token"
X-Reason: sig
X-Consumer: <>
--- response_body
please log in



=== TEST: error_page 401 to a location that is protected in the same way
--- config
gw_jwt api;
error_page 401 /login;
location /login {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /u {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- raw_request eval
"GET /u HTTP/1.0\r\n\r\n"
--- error_code: 401
--- raw_response_headers_unlike chomp
WWW-Authenticate(?s:.*)WWW-Authenticate
--- response_body_like: 401 Authorization Required



=== TEST: a refusal that satisfy any has passed over is one with satisfy all
--- config
gw_jwt api;
location /t {
    satisfy any;
    allow all;
    try_files /none /inner;
}
location /inner {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- raw_request eval
"GET /t HTTP/1.0\r\n$main::bad\r\n\r\n"
--- error_code: 401
--- raw_response_headers_like chomp
\A(?s:.*)WWW-Authenticate: Bearer realm="api", error="invalid_token"\r\n(?!(?s:.*)WWW-Auth)



=== TEST: a name for refused requests has no identity
--- config
error_page 401 403 = @refused;
location @refused {
    return 200 "<$gw_consumer$gw_jwt_payload> $gw_auth_reason\n";
}
location /u {
    gw_jwt api;
    gw_jwt_require $gw_jwt_claim_none error=403;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- request
GET /u
--- more_headers eval
$main::jwt
--- response_body
<> require



=== TEST: the identity survives internal redirects, one verification
--- config
location /t {
    gw_jwt api;
    try_files /none /inner;
}
location /inner {
    gw_jwt off;
    error_page 404 = @named;
    root html;
}
location @named {
    return 200 "$gw_consumer $gw_auth_status\n";
}
location /m {
    gw_metrics prometheus;
}
--- request eval
['GET /t', 'GET /m']
--- more_headers eval
[$main::jwt, $main::none]
--- response_body_like eval
['\Aalice ok\n\z',
 'gw_auth_requests_total\{method="jwt",result="ok",reason="-"\} 1\n']



=== TEST: a location with other settings decides by its own
--- config
location /t {
    gw_jwt api;
    rewrite ^ /x break;
    try_files /none /inner;
}
location /inner {
    gw_jwt other;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/two.json;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::jwt, 401, 'sig'],
 [$main::second, 401, 'sig']]



=== TEST: any setting of its own makes a location decide for itself
--- config
gw_jwt api;
gw_jwt_leeway 1d;
gw_jwt_validate_exp off;
location /t {
    try_files /none /inner$arg_to;
}
location /inner {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    location /inner/key_file {
        gw_jwt_key_file $TEST_NGINX_TMP_DIR/two.json;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /inner/algorithms {
        gw_jwt_algorithms HS512;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /inner/leeway {
        gw_jwt_leeway 0;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /inner/exp {
        gw_jwt_validate_exp on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /inner/max_size {
        gw_jwt_max_size 10;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /inner/require {
        gw_jwt_require $gw_jwt_claim_none;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /inner/api_key {
        gw_api_key keys;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
}
--- cases eval
my $token = GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64',
    { sub => 'alice', exp => 1, nbf => time() + 7200 }));
[map { [$token, @$_] }
     [200, '-', 'GET /t'],
     [401, 'sig', 'GET /t?to=/key_file'],
     [401, 'alg', 'GET /t?to=/algorithms'],
     [401, 'nbf', 'GET /t?to=/leeway'],
     [401, 'expired', 'GET /t?to=/exp'],
     [401, 'size', 'GET /t?to=/max_size'],
     [401, 'require', 'GET /t?to=/require'],
     [401, 'missing', 'GET /t?to=/api_key']]



=== TEST: of two refusals the challenge of the last stays
--- config
location /t {
    gw_jwt first;
    error_page 401 = /inner;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /inner {
    gw_jwt second;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/two.json;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- raw_request eval
"GET /t HTTP/1.0\r\n$main::bad\r\n\r\n"
--- error_code: 401
--- raw_response_headers_like chomp
\A(?!.*first)(?s:.*)WWW-Authenticate: Bearer realm="second", error="invalid_token"\r\n



=== TEST: a second location may accept what the first has refused
--- config
location /t {
    gw_jwt first;
    error_page 401 = /inner;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /inner {
    gw_jwt second;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/two.json;
    add_header X-Reason $gw_auth_reason always;
    add_header X-Consumer "<$gw_consumer>" always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- more_headers eval
$main::second
--- response_headers
X-Reason: -
X-Consumer: <bob>
!WWW-Authenticate



=== TEST: values made of an identity live as long as the request
--- http_config
map $gw_jwt_claim_sub $made {
    ~^(?<part>.+)$  $part;
}
--- config
location /t {
    gw_jwt api;
    gw_jwt_require $made;
    try_files /none /inner;
}
location /inner {
    set $who $gw_consumer;
    set $what $gw_jwt_payload;
    gw_jwt other optional;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
    gw_jwt_require $gw_jwt_claim_none;
    error_page 401 = @named;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location @named {
    return 200 "$who $made $part <$gw_consumer> $what\n";
}
--- more_headers eval
$main::jwt
--- response_body
alice alice alice <> {"exp":4000000000,"role":"r","sub":"alice"}



=== TEST: what is required may depend on the URI of a redirect
--- http_config
map "$uri:$gw_jwt_claim_role" $may {
    volatile;
    default    1;
    /admin:r   0;
}
--- config
gw_jwt api;
gw_jwt_require $may error=403;
location /t {
    try_files /none /admin;
}
location /admin {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::jwt, 403, 'require']]
--- response_headers
X-Consumer: <>



=== TEST: limit_except
--- config
location /t {
    limit_except GET {
        gw_jwt api;
    }
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::none, 200],
 [$main::none, 401, 'missing', 'POST /t'],
 [$main::jwt, 200, '-', 'POST /t'],
 [$main::bad, 401, 'sig', 'DELETE /t']]



=== TEST: a request inside of if is protected as its location
--- config
location /t {
    gw_jwt api;
    if ($arg_a) {
        set $b 1;
    }
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::none, 401, 'missing', 'GET /t?a=1'],
 [$main::jwt, 200, '-', 'GET /t?a=1']]



=== TEST: a subrequest has the identity of its request, and is not asked
--- config
location /t {
    gw_jwt api;
    auth_request /check;
    auth_request_set $seen $upstream_http_x_seen;
    add_header X-Seen $seen;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location = /check {
    internal;
    gw_jwt other;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/two.json;
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/seen?who=$gw_consumer;
}
location = /seen {
    add_header X-Seen $arg_who;
    return 200;
}
--- more_headers eval
$main::jwt
--- response_headers
X-Seen: alice



=== TEST: settings are inherited from http, server and location
--- own_http
--- http_config
gw_jwt outer;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/two.json;
gw_jwt_algorithms HS256;
gw_jwt_leeway 1h;
gw_jwt_validate_exp off;
gw_jwt_max_size 4k;
gw_jwt_require $gw_jwt_claim_sub error=403;
gw_auth_challenge 'Bearer realm="http"';
gw_auth any;
--- config
location /t {
    location /t/a {
        return 200;
    }
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    location /t/b {
        gw_jwt_require $gw_jwt_claim_role;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        location /t/b/c {
            gw_jwt_validate_exp on;
            gw_jwt_max_size 100;
            proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
        location /t/b/d {
            gw_jwt off;
            proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
        location /t/b/e {
            gw_auth off;
            proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
}
location /u {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
my $old = GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64', { sub => 'x',
    exp => 1 }));
my $nosub = GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64', { role => 'r' }));
[[$main::jwt, 200],
 [$main::jwt, 401, 'sig', 'GET /u'],
 [$main::second, 200, '-', 'GET /u'],
 [$main::second, 401, 'sig'],
 [$old, 200],
 [$nosub, 403, 'require'],
 [$nosub, 200, '-', 'GET /t/b'],
 [$old, 401, 'require', 'GET /t/b'],
 [$main::jwt, 200, '-', 'GET /t/b'],
 [$main::jwt, 401, 'size', 'GET /t/b/c'],
 [$main::bad, 200, '-', 'GET /t/b/d'],
 [$main::bad, 200, '-', 'GET /t/b/e']]



=== TEST: a challenge is inherited
--- own_http
--- http_config
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
gw_jwt_algorithms HS256;
gw_auth_challenge 'Bearer realm="http"';
--- config
location /u {
    gw_jwt x;
    gw_auth_challenge on;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /t {
    gw_jwt x;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- request eval
['GET /t', 'GET /u']
--- error_code eval
[401, 401]
--- response_headers eval
['WWW-Authenticate: Bearer realm="http"', 'WWW-Authenticate: Bearer realm="x"']



=== TEST: keys of the locations of a server that has none
--- own_http
--- http_config
server {
    listen $TEST_NGINX_SERVER_PORT;
    server_name other;
    gw_jwt api;
    gw_jwt_algorithms HS256;
    add_header X-Reason $gw_auth_reason always;
    location /t {
        gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
}
--- raw_request eval
"GET /t HTTP/1.0\r\nHost: other\r\n$main::jwt\r\n\r\n"
--- response_headers
X-Reason: -



=== TEST: outside of all locations nobody passes without keys
--- own_http
--- http_config
server {
    listen $TEST_NGINX_SERVER_PORT;
    server_name other;
    gw_jwt api;
    add_header X-Reason $gw_auth_reason always;
    location /u {
        gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
        gw_jwt_algorithms HS256;
    }
}
--- raw_request eval
"GET /v HTTP/1.0\r\nHost: other\r\n$main::jwt\r\n\r\n"
--- error_code: 401
--- response_headers
X-Reason: keyset



=== TEST: counters by method, result and reason
--- config
location /t {
    gw_jwt api optional;
    gw_api_key keys optional;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /m {
    gw_metrics prometheus;
}
--- request eval
['GET /t', 'GET /t', 'GET /t', 'GET /t', 'GET /t', 'GET /t',
 'GET /m']
--- more_headers eval
[$main::jwt, $main::api, "$main::jwt\n$main::api", $main::bad, $main::nokey,
 $main::none, $main::none]
--- error_code eval
[200, 200, 200, 401, 401, 200, 200]
--- response_body_like eval
[('') x 6, CORE::join('(?s:.*)', map { quotemeta(
     'gw_auth_requests_total{method="' . $_->[0] . '",result="' . $_->[1]
     . '",reason="' . $_->[2] . '"} 1') . '\n' }
     ['-', 'missing', 'missing'], ['jwt', 'ok', '-'], ['jwt', 'denied', 'sig'],
     ['api_key', 'ok', '-'], ['api_key', 'denied', 'key'],
     ['jwt,api_key', 'ok', '-'])]
