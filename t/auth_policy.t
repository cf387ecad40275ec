
# Copyright (C) the nginx gateway modules developers

# Scopes, consumers and groups, dry runs, preflights.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);

use lib 't/lib';
use GW;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup();

GW::Auth::file('one.json', GW::JOSE::jwk('oct64', kid => 'o'));

our $key = 'gwk-0123456789abcdef';
our $other = 'gwk-123456789abcdef0';

GW::Auth::file('keys',
    'sha256:' . sha256_hex($key)
    . " machine plan=gold scopes=read,write groups=staff,ops\n"
    . 'sha256:' . sha256_hex($other) . " robot scopes=reader\n");

sub jwt {
    return GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64', { @_ }));
}

our $jwt = jwt(sub => 'alice', scope => 'read write');
our $bad = GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64c',
                                          { sub => 'eve' }));
our $api = "X-API-Key: $key";
our $robot = "X-API-Key: $other";
our $nokey = 'X-API-Key: gwk-fedcba9876543210';
our $none = 'X: y';

our $http = <<'_EOC_';
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
gw_jwt_key_file $TEST_NGINX_TMP_DIR/one.json;
gw_jwt_algorithms HS256;
_EOC_

our $issuer = <<'_EOC_';
gw_jwt_issuer who {
    issuer https://id.example.com;
    audience api;
    algorithms HS256;
    key_file $TEST_NGINX_TMP_DIR/one.json;
    scope_claim .realm.roles;
    groups claim=.teams;
}
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

=== TEST: J18 scopes of a token: exact, separated by spaces, or an array
--- auth
gw_jwt api;
gw_auth_scope read;
--- cases eval
[[$main::jwt, 200],
 [main::jwt(scope => 'read'), 200],
 [main::jwt(scope => 'a  read'), 200],
 [main::jwt(scp => ['read']), 200],
 [main::jwt(scp => [1, {}, 'read', undef]), 200],
 [main::jwt(scp => 'write read'), 200],
 [main::jwt(scope => 'reader'), 403, 'scope'],
 [main::jwt(scope => 'READ'), 403, 'scope'],
 [main::jwt(scope => \'"read\twrite"'), 403, 'scope'],
 [main::jwt(scope => 'read,write'), 403, 'scope'],
 [main::jwt(scope => 'write', scp => 'read'), 403, 'scope'],
 [main::jwt(scp => [1, 2]), 403, 'scope'],
 [main::jwt(scope => 7), 403, 'scope'],
 [main::jwt(scope => { read => 1 }), 403, 'scope'],
 [main::jwt(sub => 'x'), 403, 'scope']]



=== TEST: J18 what a client is told (RFC 6750, 3)
--- auth
gw_jwt api;
gw_auth_scope read admin:all;
--- more_headers eval
$main::jwt
--- error_code: 403
--- response_headers
WWW-Authenticate: Bearer realm="api", error="insufficient_scope", scope="read admin:all"
X-Status: denied
X-Consumer: <>



=== TEST: J18 the scope is not told to who has no token
--- auth
gw_jwt api;
gw_auth_scope read;
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="api"



=== TEST: gw_auth_scope all, any
--- config
location /all {
    gw_jwt api;
    gw_auth_scope all read write;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /any {
    gw_jwt api;
    gw_auth_scope any read write;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /none {
    gw_jwt api;
    gw_auth_scope any execute delete;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
my $read = main::jwt(scope => 'read');
[[$main::jwt, 200, '-', 'GET /all'],
 [$read, 403, 'scope', 'GET /all'],
 [$read, 200, '-', 'GET /any'],
 [$main::jwt, 403, 'scope', 'GET /none']]



=== TEST: scopes of an API key, no challenge
--- auth
gw_api_key keys;
gw_auth_scope write;
--- cases eval
[[$main::api, 200],
 [$main::robot, 403, 'scope'],
 [$main::none, 401, 'missing']]
--- response_headers eval
["!WWW-Authenticate", "!WWW-Authenticate",
 'WWW-Authenticate: ApiKey realm="keys"']



=== TEST: with both verified the scopes are those of the token
--- auth
gw_jwt api;
gw_api_key keys;
gw_auth_scope write;
--- cases eval
[["$main::jwt\n$main::robot", 200],
 [main::jwt(scope => 'read') . "\n$main::api", 403, 'scope']]



=== TEST: who has not presented an optional credential has no scope
--- auth
gw_jwt api optional;
gw_auth_scope read;
--- cases eval
[[$main::jwt, 200],
 [$main::none, 401, 'missing']]



=== TEST: the issuer says where scopes and groups are
--- http_config eval: $main::issuer
--- auth
gw_jwt api issuer=who;
gw_auth_scope read;
gw_auth_allow group=blue;
--- cases eval
my %id = (iss => 'https://id.example.com', aud => 'api');
[[main::jwt(%id, realm => { roles => ['read'] }, teams => ['blue', 'red']),
  200],
 [main::jwt(%id, realm => { roles => ['read'] }, teams => 'red blue'), 200],
 [main::jwt(%id, scope => 'read', teams => ['blue']), 403, 'scope'],
 [main::jwt(%id, realm => { roles => ['read'] }, teams => ['BLUE']),
  403, 'consumer'],
 [main::jwt(%id, realm => { roles => ['read'] }, groups => ['blue']),
  403, 'consumer']]



=== TEST: K02 a consumer that is not allowed here
--- auth
gw_api_key keys;
gw_auth_allow consumer=machine;
--- cases eval
[[$main::api, 200],
 [$main::robot, 403, 'consumer'],
 [$main::nokey, 401, 'key'],
 [$main::none, 401, 'missing']]



=== TEST: K02 a refused consumer has no identity and no challenge
--- auth
gw_jwt api optional;
gw_api_key keys;
gw_auth any;
gw_auth_deny consumer=robot;
--- more_headers eval
$main::robot
--- error_code: 403
--- response_headers
!WWW-Authenticate
X-Consumer: <>
X-Status: denied



=== TEST: gw_auth_allow, gw_auth_deny: the first match decides
--- config
location /a {
    gw_api_key keys;
    gw_auth_deny consumer=machine;
    gw_auth_allow group=staff consumer=robot;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /b {
    gw_api_key keys;
    gw_auth_allow group=ops;
    gw_auth_deny consumer=machine;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /c {
    gw_api_key keys;
    gw_auth_deny group=ops;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /d {
    gw_api_key keys;
    gw_auth_deny consumer=robot;
    gw_auth_allow all;
    gw_auth_deny all;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /e {
    gw_api_key keys;
    gw_auth_deny all;
    gw_auth_allow all;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::api, 403, 'consumer', 'GET /a'],
 [$main::robot, 200, '-', 'GET /a'],
 [$main::api, 200, '-', 'GET /b'],
 [$main::robot, 403, 'consumer', 'GET /b'],
 [$main::api, 403, 'consumer', 'GET /c'],
 [$main::robot, 200, '-', 'GET /c'],
 [$main::api, 200, '-', 'GET /d'],
 [$main::robot, 403, 'consumer', 'GET /d'],
 [$main::api, 403, 'consumer', 'GET /e']]



=== TEST: names of consumers and groups are exact
--- config
location /a {
    gw_jwt api;
    gw_auth_allow consumer=alice;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /b {
    gw_api_key keys;
    gw_auth_allow group=op group=STAFF group=staff,ops consumer=MACHINE;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::jwt, 200, '-', 'GET /a'],
 [main::jwt(sub => 'alicE'), 403, 'consumer', 'GET /a'],
 [main::jwt(sub => 'alice2'), 403, 'consumer', 'GET /a'],
 [main::jwt(sub => ['alice']), 403, 'consumer', 'GET /a'],
 [main::jwt(sub => ''), 403, 'consumer', 'GET /a'],
 [main::jwt(groups => ['x']), 403, 'consumer', 'GET /a'],
 [$main::api, 403, 'consumer', 'GET /b']]



=== TEST: who has not presented an optional credential is not a consumer
--- config
location /a {
    gw_jwt api optional;
    gw_auth_allow consumer=alice;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /b {
    gw_jwt api optional;
    gw_auth_deny consumer=eve;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /c {
    gw_jwt api optional;
    gw_auth_deny consumer=alice;
    gw_auth_allow all;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::none, 401, 'missing', 'GET /a'],
 [$main::none, 200, 'missing', 'GET /b'],
 [$main::none, 200, 'missing', 'GET /c'],
 [$main::jwt, 403, 'consumer', 'GET /c']]



=== TEST: scope and consumers are inherited, and decide anew where they differ
--- config
gw_api_key keys;
gw_auth_scope read;
gw_auth_allow consumer=machine;
location /t {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    location /t/scope {
        gw_auth_scope execute;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /t/who {
        gw_auth_scope reader;
        gw_auth_allow consumer=robot;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /t/go {
        try_files /none /t/scope;
    }
}
--- cases eval
[[$main::api, 200],
 [$main::robot, 403, 'scope'],
 [$main::api, 403, 'scope', 'GET /t/scope'],
 [$main::robot, 200, '-', 'GET /t/who'],
 [$main::api, 403, 'scope', 'GET /t/who'],
 [$main::api, 403, 'scope', 'GET /t/go']]



=== TEST: satisfy any, a scope is missing: an address may do
--- config
satisfy any;
allow 127.0.0.1;
deny all;
--- auth
gw_jwt api;
gw_auth_scope admin;
--- cases eval
[[$main::jwt, 200, 'scope']]



=== TEST: gw_auth_dry_run lets pass what would be refused
--- auth
gw_jwt api;
gw_auth_scope read;
gw_auth_dry_run on;
--- cases eval
[[$main::jwt, 200],
 [$main::bad, 200, 'sig'],
 [$main::none, 200, 'missing'],
 [main::jwt(sub => 'bob'), 200, 'scope'],
 [$main::jwt, 200, 'twice', 'GET /t?access_token=x']]
--- response_headers eval
["X-Status: ok\nX-Consumer: <alice>\nX-Reason: -",
 "X-Status: dry\nX-Consumer: <>\nX-Reason: sig\n!WWW-Authenticate",
 "X-Status: dry\nX-Consumer: <>\nX-Reason: missing",
 "X-Status: dry\nX-Consumer: <>\nX-Reason: scope",
 "X-Status: dry\nX-Consumer: <>\nX-Reason: twice"]



=== TEST: a dry run is logged as one
--- auth
gw_jwt api;
gw_auth_dry_run on;
--- more_headers eval
$main::bad
--- error_log
request passes a dry run, credential "jwt", reason "sig"



=== TEST: a dry run has counters of its own
--- config
location /t {
    gw_jwt api;
    gw_auth_dry_run on;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /u {
    gw_jwt api;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /m {
    gw_metrics prometheus;
}
--- request eval
['GET /t', 'GET /t', 'GET /u', 'GET /m']
--- more_headers eval
[$main::bad, $main::jwt, $main::bad, $main::none]
--- error_code eval
[200, 200, 401, 200]
--- response_body_like eval
['', '', '',
 CORE::join('(?s:.*)', map { quotemeta(
     'gw_auth_requests_total{method="jwt",result="' . $_->[0]
     . '",reason="' . $_->[1] . '"} 1') . '\n' }
     ['ok', '-'], ['denied', 'sig'], ['dry', 'sig'])]



=== TEST: a dry run opens nothing that another check closes
--- config
satisfy any;
deny all;
--- auth
gw_jwt api;
gw_auth_dry_run on;
--- cases eval
[[$main::jwt, 200],
 [$main::bad, 403, 'sig'],
 [$main::none, 403, 'missing']]



=== TEST: a dry run stays one after an internal redirect
--- config
gw_jwt api;
gw_auth_dry_run on;
location /t {
    try_files /none /inner;
}
location /inner {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /u {
    try_files /none /closed;
}
location /closed {
    gw_auth_dry_run off;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- cases eval
[[$main::bad, 200, 'sig'],
 [$main::jwt, 200],
 [$main::bad, 401, 'sig', 'GET /u']]



=== TEST: gw_jwt_type signed; S11 a JWE is none
--- auth
gw_jwt api;
gw_jwt_type signed;
--- cases eval
[[$main::jwt, 200],
 [$main::jwt . '.YWJj.YWJj', 401, 'type']]



=== TEST: gw_auth_scope without a scope
--- config
location /x {
    gw_jwt a;
    gw_auth_scope any;
}
--- must_die
--- error_log
"gw_auth_scope" directive needs a scope



=== TEST: gw_auth_scope twice
--- config
location /x {
    gw_auth_scope a;
    gw_auth_scope b;
}
--- must_die
--- error_log
"gw_auth_scope" directive is duplicate, name all scopes in one



=== TEST: gw_auth_scope with several scopes in one parameter
--- config
location /x {
    gw_auth_scope "a b";
}
--- must_die
--- error_log
"a b" is no scope: name each as a parameter of its own



=== TEST: gw_auth_scope with too many scopes
--- config eval
'location /x { gw_auth_scope ' . join(' ', 1 .. 65) . '; }'
--- must_die
--- error_log
"gw_auth_scope" directive has more than 64 scopes, ask for fewer



=== TEST: gw_auth_scope where nobody is asked
--- config
location /x {
    gw_auth_scope a;
}
--- must_die
--- error_log
protects nothing, add "gw_jwt" or "gw_api_key" to the location



=== TEST: gw_auth_deny where nobody is asked
--- config
location /x {
    gw_auth_deny all;
}
--- must_die
--- error_log
"gw_auth_deny" in



=== TEST: gw_auth_allow with an unknown parameter
--- config
location /x {
    gw_auth_allow user=a;
}
--- must_die
--- error_log
invalid parameter "user=a", it must be "all", "consumer=name" or "group=name"



=== TEST: gw_auth_allow all with a parameter
--- config
location /x {
    gw_auth_allow all consumer=a;
}
--- must_die
--- error_log
"gw_auth_allow" directive cannot have parameters beside "all"



=== TEST: gw_auth_allow without a name
--- config
location /x {
    gw_auth_allow consumer=;
}
--- must_die
--- error_log
"consumer=" needs a name



=== TEST: gw_auth_allow with a variable
--- config
location /x {
    gw_auth_allow consumer=$arg_a;
}
--- must_die
--- error_log
"consumer=$arg_a" cannot have variables



=== TEST: gw_auth_allow with too many names
--- config eval
"location /x { gw_jwt a;\n"
. join('', map { "gw_auth_allow consumer=c$_;\n" } 1 .. 1025) . '}'
--- must_die
--- error_log
names more than 1024 consumers and groups, put consumers into groups



=== TEST: gw_jwt_type twice
--- config
location /x {
    gw_jwt_type signed;
    gw_jwt_type signed;
}
--- must_die
--- error_log
"gw_jwt_type" directive is duplicate



=== TEST: gw_jwt_type encrypted
--- config
location /x {
    gw_jwt_type encrypted;
}
--- must_die
--- error_log
this release cannot decrypt tokens, "gw_jwt_type encrypted" has to wait



=== TEST: gw_jwt_type nested
--- config
location /x {
    gw_jwt_type nested;
}
--- must_die
--- error_log
this release cannot decrypt tokens, "gw_jwt_type nested" has to wait



=== TEST: gw_jwt_type with another word
--- config
location /x {
    gw_jwt_type plain;
}
--- must_die
--- error_log
invalid parameter "plain", it must be "signed"
