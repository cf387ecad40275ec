
# Copyright (C) the nginx gateway modules developers

# Metadata of protected resources (RFC 9728), and the challenges that lead to
# them.

use strict;
use warnings;

use lib 't/lib';
use GW;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup();

GW::Auth::file('one.json', GW::JOSE::jwk('oct64', kid => 'o'));

our $jwt = GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64',
                                          { sub => 'alice' }));
our $bad = GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64c',
                                          { sub => 'eve' }));
our $none = 'X: y';

our $http = <<'_EOC_';
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
gw_jwt_algorithms HS256;
_EOC_

add_block_preprocessor(sub {
    my ($block) = @_;

    return if defined $block->must_die;

    my $own = defined $block->http_config ? $block->http_config : '';

    $block->set_value('http_config', $http . $own);

    # an URI is as long as a credential, and core logs it
    $block->set_value('core_logs', '');
});

no_shuffle();
run_tests();

__DATA__

=== TEST: metadata, all members
--- config
gw_jwt api;
location = /.well-known/oauth-protected-resource/v1 {
    gw_auth_metadata resource=https://api.example.com/v1
                     authorization_server=https://id.example.com
                     authorization_server=https://id.example.org/t
                     scope=read scope=write
                     jwks_uri=https://api.example.com/jwks
                     "name=An \"API\" \\ ü"
                     documentation=https://example.com/doc?a=1;
}
--- request
GET /.well-known/oauth-protected-resource/v1
--- response_headers
Content-Type: application/json
Cache-Control: max-age=3600
!WWW-Authenticate
--- response_body
{"resource":"https://api.example.com/v1","authorization_servers":["https://id.example.com","https://id.example.org/t"],"scopes_supported":["read","write"],"jwks_uri":"https://api.example.com/jwks","resource_name":"An \"API\" \\ ü","resource_documentation":"https://example.com/doc?a=1","bearer_methods_supported":["header"]}



=== TEST: metadata, the least
--- config
location = /.well-known/oauth-protected-resource {
    gw_auth_metadata resource=https://api.example.com;
}
--- request eval
['GET /.well-known/oauth-protected-resource',
 'HEAD /.well-known/oauth-protected-resource',
 'POST /.well-known/oauth-protected-resource',
 'OPTIONS /.well-known/oauth-protected-resource']
--- error_code eval
[200, 200, 405, 405]
--- response_headers eval
['!Allow', 'Content-Length: 77', 'Allow: GET, HEAD', 'Allow: GET, HEAD']
--- response_body_like eval
['^\{"resource":"https://api.example.com",'
 . '"bearer_methods_supported":\["header"\]\}\n$', '^$', '405', '405']



=== TEST: metadata inside of if and limit_except, and behind a token if asked for
--- config
location = /.well-known/oauth-protected-resource {
    gw_auth_metadata resource=https://api.example.com;
    if ($arg_a) {
        set $b 1;
    }
    limit_except GET {
        gw_jwt api;
    }
}
location /.well-known/ {
    gw_auth_metadata resource=https://api.example.com/y;
    location /.well-known/y {
        gw_jwt api;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
}
location = /.well-known/oauth-protected-resource/x {
    gw_jwt api;
    gw_auth_metadata resource=https://api.example.com/x;
}
--- request eval
['GET /.well-known/oauth-protected-resource?a=1',
 'POST /.well-known/oauth-protected-resource',
 'POST /.well-known/oauth-protected-resource',
 'GET /.well-known/oauth-protected-resource/x',
 'GET /.well-known/oauth-protected-resource/x',
 'GET /.well-known/y', 'GET /.well-known/z']
--- more_headers eval
[$main::none, $main::none, $main::jwt, $main::none, $main::jwt,
 $main::none, $main::none]
--- error_code eval
[200, 401, 405, 401, 200, 401, 200]



=== TEST: a location inside of that of metadata has what the server has
--- config
gw_jwt api;
gw_auth_scope read;
location /.well-known/ {
    gw_auth_metadata resource=https://api.example.com/y;
    location /.well-known/y {
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
}
--- request eval
['GET /.well-known/y', 'GET /.well-known/z']
--- error_code eval
[401, 200]



=== TEST: the challenge leads to the metadata (RFC 9728, 5.1)
--- config
location /t {
    gw_jwt api;
    gw_auth_scope read;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /.well-known/oauth-protected-resource {
    gw_auth_metadata resource=https://api.example.com/;
}
--- request eval
['GET /t', 'GET /t', 'GET /t/a']
--- more_headers eval
[$main::none, $main::bad, $main::jwt]
--- error_code eval
[401, 401, 403]
--- response_headers eval
my $m = 'resource_metadata="https://api.example.com/.well-known/'
        . 'oauth-protected-resource"';
["WWW-Authenticate: Bearer realm=\"api\", $m",
 "WWW-Authenticate: Bearer realm=\"api\", error=\"invalid_token\", $m",
 'WWW-Authenticate: Bearer realm="api", error="insufficient_scope", '
 . "scope=\"read\", $m"]



=== TEST: the resource with the longest path, by whole segments
--- config
gw_jwt api;
location /v {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /.well-known/oauth-protected-resource/v {
    gw_auth_metadata resource=https://api.example.com/v;
}
location /.well-known/oauth-protected-resource/v/2/ {
    gw_auth_metadata resource=https://api.example.com/v/2/?x=1;
}
--- request eval
['GET /v', 'GET /v/1', 'GET /v/2', 'GET /v/2/a', 'GET /v2']
--- error_code eval
[401, 401, 401, 401, 401]
--- response_headers eval
my $b = 'WWW-Authenticate: Bearer realm="api"';
my $m = "$b, resource_metadata=\"https://api.example.com/.well-known/"
        . 'oauth-protected-resource/v';
["$m\"", "$m\"", "$m\"", "$m/2/?x=1\"", $b]



=== TEST: another server has other resources
--- http_config
server {
    listen $TEST_NGINX_SERVER_PORT;
    server_name other;
    location = /.well-known/oauth-protected-resource {
        gw_auth_metadata resource=https://other.example.com;
    }
}
--- config
location /t {
    gw_jwt api;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="api"



=== TEST: nginx -t tells of a location where clients do not look
--- config
location = /metadata {
    gw_auth_metadata resource=https://api.example.com/v1;
}
--- request
GET /metadata
--- error_log
clients look for the metadata of "https://api.example.com/v1" at "/.well-known/oauth-protected-resource/v1", which the location "/metadata" does not serve



=== TEST: nginx -t says nothing of a place that is right
--- config
location /.well-known/ {
    gw_auth_metadata resource=https://api.example.com/v1;
}
--- request
GET /.well-known/oauth-protected-resource/v1
--- no_error_log
clients look for



=== TEST: gw_auth_metadata without a resource
--- config
location /x {
    gw_auth_metadata scope=a;
}
--- must_die
--- error_log
"gw_auth_metadata" directive needs "resource=" with the URI that clients use



=== TEST: gw_auth_metadata twice
--- config
location /.well-known/ {
    gw_auth_metadata resource=https://a.example.com;
    gw_auth_metadata resource=https://a.example.com;
}
--- must_die
--- error_log
"gw_auth_metadata" directive is duplicate



=== TEST: gw_auth_metadata of one resource twice
--- config
location /.well-known/ {
    gw_auth_metadata resource=https://a.example.com;
}
location /.well-known/oauth-protected-resource {
    gw_auth_metadata resource=https://a.example.com;
}
--- must_die
--- error_log
names a resource that another location of the server has, remove one



=== TEST: gw_auth_metadata with http
--- config
location /x {
    gw_auth_metadata resource=http://a.example.com;
}
--- must_die
--- error_log
"resource=http://a.example.com" must be a URI that begins with "https://"



=== TEST: gw_auth_metadata without a host
--- config
location /x {
    gw_auth_metadata resource=https:///a;
}
--- must_die
--- error_log
"resource=https:///a" has no host



=== TEST: gw_auth_metadata with a fragment
--- config
location /x {
    gw_auth_metadata resource=https://a.example.com/#a;
}
--- must_die
--- error_log
cannot have a fragment



=== TEST: gw_auth_metadata with a quote in a URI
--- config
location /x {
    gw_auth_metadata 'resource=https://a.example.com/"';
}
--- must_die
--- error_log
has a character that a URI cannot have, write it as "%XX"



=== TEST: gw_auth_metadata with an unknown parameter
--- config
location /x {
    gw_auth_metadata resource=https://a.example.com realm=x;
}
--- must_die
--- error_log
invalid parameter "realm=x", use "resource="



=== TEST: gw_auth_metadata with an empty parameter
--- config
location /x {
    gw_auth_metadata resource=https://a.example.com name=;
}
--- must_die
--- error_log
invalid parameter "name=", use "resource="



=== TEST: gw_auth_metadata with a parameter twice
--- config
location /x {
    gw_auth_metadata resource=https://a.example.com name=a name=b;
}
--- must_die
--- error_log
duplicate parameter "name=b"



=== TEST: gw_auth_metadata that is not UTF-8
--- config eval
"location /x {\n    gw_auth_metadata resource=https://a.example.com name=\xff;\n}\n"
--- must_die
--- error_log
is not valid UTF-8
