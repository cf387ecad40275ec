
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

add_block_preprocessor(sub {
    my ($block) = @_;

    return if defined $block->must_die;

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
