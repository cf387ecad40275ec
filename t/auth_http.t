
# Copyright (C) the nginx gateway modules developers

# Authentication and HTTP: preflights, the headers that the upstream sees,
# subrequests, connections.

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

our $token = GW::JOSE::jwt('HS256', 'oct64', { sub => 'alice' });
our $jwt = GW::Auth::bearer($token);
our $bad = GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64c',
                                          { sub => 'eve' }));
our $second = GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64b',
                                             { sub => 'bob' }));
our $api = "X-API-Key: $key";
our $none = 'X: y';
our $cors = "Origin: https://a.example.com\n"
            . 'Access-Control-Request-Method: GET';

our $http = <<'_EOC_';
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
gw_jwt_algorithms HS256;
_EOC_

our $headers = <<'_EOC_';
add_header X-Status $gw_auth_status always;
add_header X-Consumer "<$gw_consumer>" always;
_EOC_

# a back end that tells what it has got
our $echo = <<'_EOC_';
server {
    listen 127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    server_name echo;

    location / {
        set $cookies "$http_cookie";
        return 200 "auth=<$http_authorization> key=<$http_x_api_key> cookie=<$cookies> other=<$http_x_other> uri=<$request_uri> consumer=<$http_x_consumer>\n";
    }
    location = /raw {
        return 200 "$http_x_other\n";
    }
    location = /418 {
        return 418;
    }
    location = /seen {
        add_header X-Seen $http_x_other;
        return 200;
    }
}
_EOC_

add_block_preprocessor(sub {
    my ($block) = @_;

    return if defined $block->must_die;

    # to that back end
    $block->set_value('auth', "proxy_set_header Host echo;\n" . $block->auth)
        if defined $block->echo;

    my $own = defined $block->http_config ? $block->http_config : '';

    $block->set_value('http_config', $http . $own);
    $block->set_value('auth', $headers . $block->auth)
        if defined $block->auth;
    $block->set_value('config',
                      "add_header X-Reason \$gw_auth_reason always;\n$headers"
                      . (defined $block->config ? $block->config : ''));
});

no_shuffle();
run_tests();

__DATA__

=== TEST: H04 a preflight passes without a credential, other OPTIONS do not
--- auth
gw_jwt api;
gw_auth_preflight on;
--- cases eval
my $origin = 'Origin: https://a.example.com';
my $method = 'Access-Control-Request-Method: GET';
[[$main::cors, 200, 'preflight', 'OPTIONS /t'],
 [$main::none, 401, 'missing', 'OPTIONS /t'],
 [$origin, 401, 'missing', 'OPTIONS /t'],
 [$method, 401, 'missing', 'OPTIONS /t'],
 ["$origin\nAccess-Control-Request-Method:", 401, 'missing', 'OPTIONS /t'],
 ["Origin:\n$method", 401, 'missing', 'OPTIONS /t'],
 [$main::cors, 401, 'missing', 'GET /t'],
 [$main::cors, 401, 'missing', 'POST /t'],
 [$main::jwt, 200, '-', 'OPTIONS /t']]



=== TEST: H04 a preflight has no identity, whatever it presents
--- auth
gw_jwt api;
gw_auth_preflight on;
--- request
OPTIONS /t
--- more_headers eval
"$main::cors\n$main::jwt"
--- response_headers
X-Status: missing
X-Reason: preflight
X-Consumer: <>



=== TEST: H04 without gw_auth_preflight a preflight is asked
--- auth
gw_jwt api;
--- cases eval
[[$main::cors, 401, 'missing', 'OPTIONS /t']]



=== TEST: H04 a preflight, an internal redirect and satisfy any
--- config
gw_jwt api;
gw_auth_preflight on;
satisfy any;
deny all;
location /t {
    try_files /none /inner;
}
location /inner {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::cors, 200, 'preflight', 'OPTIONS /t'],
 [$main::none, 401, 'missing', 'OPTIONS /t']]



=== TEST: H04 preflights are counted
--- config
location /t {
    gw_jwt api;
    gw_auth_preflight on;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /m {
    gw_metrics prometheus;
}
--- request eval
['OPTIONS /t', 'GET /m']
--- more_headers eval
[$main::cors, $main::none]
--- response_body_like eval
['', 'method="-",result="missing",reason="preflight"\} 1\n']



=== TEST: gw_auth_strip: the header of a token, all others stay
--- http_config eval: $main::echo
--- auth
gw_jwt api;
gw_auth_strip on;
--- echo
--- more_headers eval
"$main::jwt\nX-Other: 1"
--- response_body
auth=<> key=<> cookie=<> other=<1> uri=</t> consumer=<alice>



=== TEST: gw_auth_strip off
--- http_config eval: $main::echo
--- auth
gw_jwt api;
--- echo
--- more_headers eval
$main::jwt
--- response_body eval
"auth=<Bearer $main::token> key=<> cookie=<> other=<> uri=</t> consumer=<alice>\n"



=== TEST: gw_auth_strip: the Authorization header of another scheme stays
--- http_config eval: $main::echo
--- auth
gw_jwt api token=$http_x_token;
gw_auth_strip on;
--- echo
--- more_headers eval
"X-Token: $main::token\nAuthorization: Basic dTpw\nX-API-Key: mine"
--- response_body
auth=<Basic dTpw> key=<mine> cookie=<> other=<> uri=</t> consumer=<alice>



=== TEST: gw_auth_strip: the header of an API key
--- http_config eval: $main::echo
--- auth
gw_api_key keys;
gw_auth_strip on;
--- echo
--- more_headers eval
"$main::api\nAuthorization: Bearer mine"
--- response_body
auth=<Bearer mine> key=<> cookie=<> other=<> uri=</t> consumer=<machine>



=== TEST: gw_auth_strip: the scheme of an API key
--- http_config eval: $main::echo
--- auth
gw_api_key keys scheme=ApiKey;
gw_auth_strip on;
--- echo
--- more_headers eval
"Authorization: apikey $main::key"
--- response_body
auth=<> key=<> cookie=<> other=<> uri=</t> consumer=<machine>



=== TEST: gw_auth_strip: a cookie goes, the others stay
--- http_config eval: $main::echo
--- auth
gw_api_key keys cookie=k;
gw_auth_strip on;
add_header X-Cookie "<$cookie_a$cookie_k>";
--- echo
--- request eval
['GET /t', 'GET /t', 'GET /t']
--- more_headers eval
["Cookie: a=1; k=$main::key; b=2", "Cookie: k=$main::key",
 "Cookie: k=$main::key; kk=3\nCookie: c=4"]
--- response_body eval
["auth=<> key=<> cookie=<a=1; b=2> other=<> uri=</t> consumer=<machine>\n",
 "auth=<> key=<> cookie=<> other=<> uri=</t> consumer=<machine>\n",
 "auth=<> key=<> cookie=<kk=3; c=4> other=<> uri=</t> consumer=<machine>\n"]
--- response_headers eval
["X-Cookie: <1>", "X-Cookie: <>", "X-Cookie: <>"]



=== TEST: gw_auth_strip: an argument goes, the bytes of the others stay
--- http_config eval: $main::echo
--- auth
gw_api_key keys arg=key;
gw_auth_strip on;
add_header X-Arg "<$arg_a$arg_key> <$args> <$request_uri>";
--- echo
--- request eval
["GET /t?key=$main::key", "GET /t/%2f%41?a=%31&key=$main::key&b=2",
 "GET /t?KEY=$main::key&a=1&&b"]
--- response_body eval
["auth=<> key=<> cookie=<> other=<> uri=</t> consumer=<machine>\n",
 "auth=<> key=<> cookie=<> other=<> uri=</t/%2f%41?a=%31&b=2>"
 . " consumer=<machine>\n",
 "auth=<> key=<> cookie=<> other=<> uri=</t?a=1&&b> consumer=<machine>\n"]
--- response_headers eval
['X-Arg: <> <> </t>', 'X-Arg: <%31> <a=%31&b=2> </t/%2f%41?a=%31&b=2>',
 'X-Arg: <1> <a=1&&b> </t?a=1&&b>']



=== TEST: K13 a key in the query is not in the access log
--- http_config
log_format uri '$gw_request_uri $args $request_uri';
--- config
access_log logs/uri.log uri;
--- auth
gw_api_key keys arg=key;
gw_auth_strip on;
--- request eval
["GET /t?key=$main::key&a=1", "GET /t?a=1&key=$main::key"]
--- logs eval
["uri.log", "/t?a=1 a=1 /t?a=1\n" x 2]



=== TEST: gw_auth_strip: both of two credentials, many headers
--- http_config eval: $main::echo
--- auth
gw_jwt api;
gw_api_key keys;
gw_auth_strip on;
--- echo
--- more_headers eval
CORE::join("\n", (map { "X-H$_: $_" } 1 .. 40), $main::jwt, $main::api,
     'X-Other: last')
--- response_body
auth=<> key=<> cookie=<> other=<last> uri=</t> consumer=<machine>



=== TEST: gw_auth_strip: what is bad goes too when satisfy any lets it pass
--- http_config eval: $main::echo
--- config
satisfy any;
allow all;
--- auth
gw_jwt api;
gw_api_key keys optional;
gw_auth_strip on;
--- echo
--- more_headers eval
"$main::bad\nX-API-Key: bad"
--- response_body
auth=<> key=<> cookie=<> other=<> uri=</t> consumer=<>



=== TEST: gw_auth_strip: a variable that was read before is made again
--- http_config eval: $main::echo
--- config
set $early "$http_authorization$http_cookie";
--- auth
gw_jwt api;
gw_api_key keys cookie=k optional;
gw_auth_strip on;
if ($http_authorization) {
    set $seen yes;
}
proxy_set_header X-Other $seen$http_authorization$cookie_k;
--- echo
--- more_headers eval
"$main::jwt\nCookie: k=$main::key"
--- response_body
auth=<> key=<> cookie=<> other=<yes> uri=</t> consumer=<machine>



=== TEST: gw_auth_strip: the decision is found after an internal redirect
--- http_config eval: $main::echo
--- config
gw_jwt api;
gw_auth_strip on;
location /t {
    try_files /none /inner;
}
location /inner {
    proxy_set_header X-Consumer $gw_consumer;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/echo;
}
--- more_headers eval
$main::jwt
--- response_body
auth=<> key=<> cookie=<> other=<> uri=</echo> consumer=<alice>



=== TEST: gw_auth_strip: another policy after a redirect sees the credentials
--- http_config eval: $main::echo
--- config
gw_auth_strip on;
location /t {
    gw_jwt api;
    gw_api_key keys cookie=k arg=k;
    try_files /none /inner?a=1;
}
location /inner {
    gw_jwt api;
    gw_api_key keys cookie=k;
    gw_jwt_leeway 1s;
    add_header X-Reason $gw_auth_reason always;
    proxy_set_header X-Consumer $gw_consumer,$gw_jwt_claim_sub;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/echo;
}
location /u {
    gw_api_key keys arg=k;
    try_files /none /arg?a=1;
}
location /arg {
    gw_api_key keys arg=k optional;
    proxy_set_header X-Consumer $gw_consumer;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/echo;
}
location /v {
    gw_jwt api;
    try_files /none /two;
}
location /two {
    gw_jwt api;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/two.json;
    add_header X-Reason $gw_auth_reason always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/echo;
}
--- request eval
['GET /t', "GET /u?k=$main::key", 'GET /v']
--- more_headers eval
["$main::jwt\nCookie: a=1; k=$main::key", $main::none, $main::jwt]
--- error_code eval
[200, 200, 401]
--- response_body_like eval
['^auth=<> key=<> cookie=<a=1> other=<> uri=</echo\?a=1> '
 . 'consumer=<machine,alice>$',
 '^auth=<> key=<> cookie=<> other=<> uri=</echo\?a=1> consumer=<machine>$',
 '401']



=== TEST: H06 gw_auth_header sets a header, what the client sends is removed
--- http_config eval: $main::echo
--- auth
gw_jwt api optional;
gw_auth_header X-Other "<$gw_consumer>";
gw_auth_header X-API-Key $gw_jwt_claim_none;
--- echo
--- request eval
['GET /t', 'GET /t']
--- more_headers eval
["$main::jwt\nX-Other: root\nx-other: admin\nX-OTHER: \nX-API-Key: 1",
 "X-Other: root\nx-api-key: 2"]
--- response_body eval
["auth=<Bearer $main::token> key=<> cookie=<> other=<<alice>> uri=</t> "
 . "consumer=<alice>\n",
 "auth=<> key=<> cookie=<> other=<> uri=</t> consumer=<>\n"]



=== TEST: H06 underscores and dashes
--- http_config eval: "underscores_in_headers on;\n$main::echo"
--- config
location /t {
    gw_jwt api optional;
    gw_auth_header X-Other $gw_consumer;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/raw;
}
--- more_headers
X_Other: root
X-other: root
x_OTHER: root
X-Other-2: mine
--- response_body_like eval
'^(?!.*root).*$'



=== TEST: H06 without authentication the header is removed all the same
--- http_config eval: $main::echo
--- config
gw_auth_header X-Other $gw_consumer;
location /t {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/echo;
}
location /u {
    gw_jwt api;
    gw_auth off;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/echo;
}
location /v {
    gw_jwt api;
    gw_auth_header X-None $gw_consumer;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/echo;
}
--- request eval
['GET /t', 'GET /u', 'GET /v']
--- more_headers eval
['X-Other: root', "$main::jwt\nX-Other: root", "$main::jwt\nX-Other: mine"]
--- response_body_like eval
['other=<> uri', 'other=<> uri', 'other=<mine> uri']



=== TEST: J20 no header from a claim with a line feed
--- http_config
map $gw_jwt_claim_ok $made {
    ~^(.*)$  "a
X-API-Key: 1";
}
server {
    listen 127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    server_name echo;
    location / {
        return 200 "key=<$http_x_api_key> other=<$http_x_other>\n";
    }
}
--- auth
gw_jwt api;
gw_auth_header X-Other $gw_jwt_claim_evil;
gw_auth_header X-API-Key $made;
proxy_set_header Host echo;
--- more_headers eval
GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64',
    { sub => 'alice', ok => 'x', evil => \'"a\r\nX-API-Key: 2"' }))
--- response_body
key=<> other=<>



=== TEST: H06 the header of a subrequest, of mirrored requests, of redirects
--- http_config eval: $main::echo
--- config
gw_auth_header X-Other $gw_consumer;
location /t {
    gw_jwt api;
    auth_request /check;
    auth_request_set $seen $upstream_http_x_seen;
    error_page 418 = @next;
    proxy_intercept_errors on;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/418;
}
location = /check {
    internal;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/seen;
}
location @next {
    add_header X-Seen $seen;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- more_headers eval
"$main::jwt\nX-Other: root"
--- response_headers
X-Seen: alice
--- response_body_like: other=<alice> uri



=== TEST: H06 a subrequest does not change the headers of its request
--- http_config eval: $main::echo
--- config
location /t {
    gw_jwt api;
    gw_api_key keys cookie=k;
    mirror /mirror;
    auth_request /check;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/echo;
}
location = /check {
    internal;
    gw_jwt api;
    gw_api_key keys cookie=k;
    gw_auth_strip on;
    gw_auth_header X-Other check;
    gw_auth_header User-Agent check;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/ok;
}
location = /mirror {
    internal;
    gw_auth_header X-Other mirror;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/ok;
}
--- more_headers eval
"$main::jwt\nX-Other: mine\nCookie: a=1; k=$main::key"
--- response_body eval
"auth=<Bearer $main::token> key=<> cookie=<a=1; k=$main::key> other=<mine> "
. "uri=</echo> consumer=<>\n"



=== TEST: gw_auth_header Authorization for the upstream
--- http_config eval: $main::echo
--- config
location /t {
    gw_jwt api;
    gw_auth_strip on;
    gw_auth_header Authorization "Basic $gw_consumer";
    try_files /none /inner;
}
location /inner {
    gw_jwt api;
    gw_jwt_leeway 2s;
    gw_auth_header Authorization "Basic 2 $gw_consumer";
    gw_auth_strip on;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/echo;
}
--- more_headers eval
$main::jwt
--- response_body_like: ^auth=<Basic 2 alice>



=== TEST: gw_auth_header with a name that nginx needs
--- config
location /x {
    gw_auth_header Content-Length 0;
}
--- must_die
--- error_log
the header "Content-Length" has a meaning for nginx itself, use "proxy_set_header"



=== TEST: gw_auth_header with a bad name
--- config
location /x {
    gw_auth_header "X Y" 0;
}
--- must_die
--- error_log
"X Y" cannot be the name of a header, use letters, digits and "-"



=== TEST: gw_auth_header twice for one name
--- config
location /x {
    gw_auth_header X-Y 0;
    gw_auth_header x_y 1;
}
--- must_die
--- error_log
the header "x_y" is set twice



=== TEST: gw_auth_header too often
--- config eval
"location /x {\n" . CORE::join('', map { "gw_auth_header X-$_ $_;\n" } 1 .. 33)
. "}\n"
--- must_die
--- error_log
is repeated more than 32 times, put values into one header



=== TEST: gw_auth_strip with a token of nobody knows where
--- http_config
map $arg_a $made {
    default x;
}
--- config
location /x {
    gw_jwt api token=$made;
    gw_auth_strip on;
}
--- request
GET /
--- error_log
"gw_auth_strip" does not know where the token of "gw_jwt" in



=== TEST: H08 a subrequest into a protected location is not asked by default
--- config
location /t {
    auth_request /check;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location = /check {
    internal;
    gw_jwt api;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::none, 200]]



=== TEST: H08 with gw_auth_phase preaccess it is: auth_request
--- config
location /t {
    auth_request /check;
    proxy_set_header X-Consumer $gw_consumer;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location = /check {
    internal;
    gw_jwt api;
    gw_auth_phase preaccess;
    return 204;
}
location = /check2 {
    internal;
    gw_jwt api;
    gw_auth_phase preaccess;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /u {
    auth_request /check2;
    proxy_set_header X-Consumer $gw_consumer;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::jwt, 200, '-', 'GET /u'],
 [$main::bad, 401, '-', 'GET /u'],
 [$main::none, 401, '-', 'GET /u']]
--- contacts
--- response_body_like eval
['^consumer=$', '401', '401']



=== TEST: H08 the challenge of a subrequest of auth_request
--- config
location /t {
    auth_request /check;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location = /check {
    internal;
    gw_jwt api;
    gw_auth_phase preaccess;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- more_headers eval
$main::bad
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="api", error="invalid_token"



=== TEST: H08 ssi: each subrequest is asked by its own policy
--- config
location = /t {
    gw_api_key keys;
    ssi on;
    ssi_types *;
    proxy_set_header Accept-Encoding "";
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/page;
}
location = /page {
    return 200 '<!--#include virtual="/one" --><!--#include virtual="/two" -->';
}
location = /one {
    gw_jwt api;
    gw_auth_phase preaccess;
    gw_auth_header X-Consumer $gw_consumer,$gw_auth_method;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location = /two {
    gw_auth_header X-Consumer $gw_consumer,$gw_auth_method;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- request eval
['GET /t', 'GET /t']
--- more_headers eval
["$main::api\n$main::jwt", "$main::api\n$main::bad"]
--- response_body_like eval
['^consumer=alice,jwt\nconsumer=machine,api_key\n',
 '401 Authorization Required(?s:.*)consumer=machine,api_key\n']



=== TEST: H08 a subrequest of a request whose credentials were stripped
--- config
location = /t {
    gw_jwt api;
    gw_auth_strip on;
    ssi on;
    ssi_types *;
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/page;
}
location = /page {
    return 200 '<!--#include virtual="/one" -->';
}
location = /one {
    gw_jwt other;
    gw_jwt_leeway 5s;
    gw_auth_phase preaccess;
    proxy_set_header X-Consumer $gw_consumer$http_authorization;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- more_headers eval
$main::jwt
--- response_body
consumer=alice



=== TEST: gw_auth_phase preaccess comes before limit_req
--- http_config
limit_req_zone $gw_consumer zone=c:1m rate=1r/m;
--- config
location /t {
    gw_jwt api;
    gw_auth_phase preaccess;
    limit_req zone=c;
    limit_req_status 429;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::bad, 401, 'sig'],
 [$main::bad, 401, 'sig'],
 [$main::jwt, 200],
 [$main::jwt, 429]]



=== TEST: gw_auth_phase preaccess after an internal redirect, all phases
--- config
gw_jwt api;
location /t {
    gw_auth_phase preaccess;
    try_files /none /inner;
}
location /inner {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::jwt, 200],
 [$main::bad, 401, 'sig'],
 [$main::none, 401, 'missing']]



=== TEST: a variable on demand: limit_req with gw_auth_phase access
--- http_config
limit_req_zone $gw_consumer zone=c:1m rate=1r/m;
--- config
location /t {
    gw_jwt api;
    limit_req zone=c;
    limit_req_status 429;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::bad, 401, 'sig'],
 [$main::bad, 401, 'sig'],
 [$main::jwt, 200],
 [$main::jwt, 429]]



=== TEST: a variable on demand is counted and logged once
--- config
location /t {
    set $early $gw_consumer,$gw_auth_status,$gw_auth_reason;
    gw_jwt api;
    add_header X-Early $early always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /m {
    gw_metrics prometheus;
}
--- request eval
['GET /t', 'GET /t', 'GET /m']
--- more_headers eval
[$main::jwt, $main::bad, $main::none]
--- error_code eval
[200, 401, 200]
--- response_headers eval
['X-Early: alice,ok,-', 'X-Early: ,denied,sig', '!X-Early']
--- response_body_like eval
['', '', 'method="jwt",result="ok",reason="-"\} 1\n'
 . '(?s:.*)method="jwt",result="denied",reason="sig"\} 1\n']



=== TEST: a variable on demand: rewrite to another location decides again
--- config
gw_jwt api;
set $first $gw_consumer;
location /t {
    gw_jwt api;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/two.json;
    set $second $gw_consumer;
    rewrite ^ /inner last;
}
location /inner {
    set $third $gw_consumer;
    add_header X-Seen "$first,$second,$third,$gw_consumer" always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /u {
    rewrite ^ /open last;
}
location /open {
    gw_jwt off;
    set $open $gw_consumer;
    add_header X-Seen "$first,$open,$gw_consumer,$gw_auth_status" always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- request eval
['GET /t', 'GET /t', 'GET /u']
--- more_headers eval
[$main::jwt, $main::second, $main::jwt]
--- error_code eval
[200, 401, 200]
--- response_headers eval
['X-Seen: alice,,alice,alice', 'X-Seen: ,bob,,', 'X-Seen: alice,,,-']



=== TEST: a variable on demand: if, map, return
--- http_config
map $gw_consumer $who {
    alice    a;
    default  other;
}
--- config
location /t {
    gw_jwt api;
    if ($who = a) {
        return 200 "$who $gw_consumer $gw_auth_status\n";
    }
    return 200 "$who <$gw_consumer>\n";
}
--- request eval
['GET /t', 'GET /t', 'GET /t']
--- more_headers eval
[$main::jwt, $main::bad, $main::none]
--- response_body eval
["a alice ok\n", "other <>\n", "other <>\n"]



=== TEST: a variable on demand: what is required may be set later
--- config
location /t {
    set $early $gw_consumer;
    set $may 0;
    if ($early = alice) {
        set $may 1;
    }
    if ($arg_no) {
        set $may 0;
    }
    gw_jwt api;
    gw_jwt_require $may error=403;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /u {
    set $may 1;
    set $early $gw_consumer;
    set $may 0;
    gw_jwt api;
    gw_jwt_require $may error=403;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /v {
    set $may 0;
    set $early $gw_consumer;
    set $may 1;
    gw_jwt api;
    gw_jwt_require $may error=403;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::jwt, 403, 'require', 'GET /u'],
 [$main::jwt, 200, '-', 'GET /v']]



=== TEST: a variable on demand never makes a loop
--- http_config
map $gw_jwt_claim_sub$gw_consumer$gw_auth_status $loop {
    default $http_x_token;
}
--- config
location /t {
    set $early $gw_consumer;
    gw_jwt api token=$loop;
    gw_jwt_require $gw_consumer$loop;
    add_header X-Early "<$early>" always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- request eval
['GET /t', 'GET /t']
--- more_headers eval
["X-Token: $main::token", $main::none]
--- error_code eval
[200, 401]
--- response_headers eval
['X-Early: <alice>', 'X-Early: <>']



=== TEST: a variable is not verified for the log of a request that was limited
--- http_config
limit_req_zone $server_port zone=p:1m rate=1r/m;
log_format who "$status <$gw_consumer>";
--- config
access_log logs/who.log who;
location /t {
    gw_jwt api;
    limit_req zone=p;
    limit_req_status 429;
    add_header X-None "";
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- request eval
['GET /t', 'GET /t']
--- more_headers eval
[$main::jwt, $main::jwt]
--- error_code eval
[200, 429]
--- logs eval
['who.log', "200 <alice>\n429 <->\n"]



=== TEST: a variable on demand and gw_auth_dry_run
--- config
location /t {
    set $early "$gw_consumer,$gw_auth_status";
    gw_jwt api;
    gw_auth_dry_run on;
    add_header X-Early $early;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- more_headers eval
$main::bad
--- response_headers
X-Early: ,dry



=== TEST: gw_auth_phase preaccess and satisfy any
--- config
location /x {
    satisfy any;
    gw_api_key keys;
    gw_auth_phase preaccess;
}
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- must_die
--- error_log
"satisfy any" cannot combine "gw_api_key" in



=== TEST: gw_auth_phase with another phase
--- config
location /x {
    gw_auth_phase content;
}
--- must_die
--- error_log
invalid value "content"



=== TEST: H05 pipelined requests of 200 clients over one connection
--- config
location /t {
    gw_jwt api optional;
    gw_auth_header X-Consumer $gw_consumer;
    set $early $gw_consumer;
    error_page 401 = @refused;
    add_header X-Seen "<$early,$gw_jwt_claim_sub>" always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location @refused {
    return 200 "refused=<$gw_consumer>\n";
}
--- pipelined_requests eval
[map { "GET /t?$_" } 0 .. 199]
--- more_headers eval
[map { $_ % 4 == 2 ? $main::none : $_ % 4 == 3 ? $main::bad
       : GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64',
                                        { sub => "client$_" })) } 0 .. 199]
--- response_body eval
[map { $_ % 4 == 2 ? "consumer=\n" : $_ % 4 == 3 ? "refused=<>\n"
       : "consumer=client$_\n" } 0 .. 199]
