
# Copyright (C) the nginx gateway modules developers

# gw_jwt_require_claim, gw_jwt_require_header.

use strict;
use warnings;

use lib 't/lib';
use GW;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup(<<'_EOC_');
        gw_jwt api;
        gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
        gw_jwt_algorithms HS256;
_EOC_

GW::Auth::file('oct.json', GW::JOSE::jwk('oct64', kid => 'o'));
GW::Auth::file('keys', 'sha256:' . '0' x 64 . " machine\n");

our $api = <<'_EOC_';
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
gw_jwt_algorithms HS256;
add_header X-Reason $gw_auth_reason always;
proxy_set_header X-Consumer $gw_consumer;
_EOC_


# members of a payload

sub payload {
    my ($members) = @_;

    return GW::Auth::bearer(GW::JOSE::token('HS256', 'oct64',
        '{"alg":"HS256"}', '{"exp":4000000000' . ($members ? ",$members" : '')
        . '}'));
}


# members of a header

sub header {
    my ($members) = @_;

    return GW::Auth::bearer(GW::JOSE::token('HS256', 'oct64',
        '{"alg":"HS256"' . ($members ? ",$members" : '') . '}',
        '{"exp":4000000000}'));
}


# [requirement, [what satisfies it], [what does not]], a location for each

sub locations {
    my ($directive, @rows) = @_;

    my $config = $api;

    for my $i (0 .. $#rows) {
        $config .= "location /r$i/ {\n    $directive $rows[$i][0];\n"
                   . "    proxy_pass "
                   . "http://127.0.0.1:\$TEST_NGINX_BACKEND_PORT;\n}\n";
    }

    return $config;
}


sub requests {
    my ($token, @rows) = @_;

    my @cases;

    for my $i (0 .. $#rows) {
        push @cases, map { [$token->($_), 200, '-', "GET /r$i/"] }
                         @{ $rows[$i][1] };
        push @cases, map { [$token->($_), 401, 'require', "GET /r$i/"] }
                         @{ $rows[$i][2] };
    }

    return \@cases;
}


our @equal = (
    ['role eq admin', ['"role":"admin"'],
     ['', '"role":"Admin"', '"role":"admins"', '"role":"admi"', '"role":""',
      '"role":null', '"role":5', '"role":true', '"role":["admin"]',
      '"role":{"admin":1}', '"roles":"admin"']],
    ['role ne admin', ['"role":"user"', '"role":5', '"role":["admin"]'],
     ['"role":"admin"', '', '"role":null']],
    ['role !eq admin', ['"role":"user"', '"role":5'],
     ['"role":"admin"', '', '"role":null']],
    ['role !ne admin', ['"role":"admin"'], ['"role":"user"', '']],
    ['n eq 5', ['"n":"5"'], ['"n":5', '"n":5.0', '']],
    ['n eq json=5', ['"n":5'], ['"n":5.0', '"n":"5"', '"n":6', '']],
    ['n eq json=5.0', ['"n":5.0', '"n":50e-1'], ['"n":5', '"n":"5.0"']],
    ['n eq json=true', ['"n":true'], ['"n":1', '"n":"true"', '"n":false']],
    ["n eq 'json={\"a\":[1,{}]}'", ['"n":{"a":[1,{}]}'],
     ['"n":{"a":[1.0,{}]}', '"n":{"a":[1]}', '"n":{}']],
    ['n eq json="5"', ['"n":"5"'], ['"n":5']],
    ['n eq ""', ['"n":""'], ['"n":"a"', '', '"n":null']],
);

our @order = (
    ['n gt json=5', ['"n":6', '"n":5.5', '"n":9223372036854775807'],
     ['"n":5', '"n":5.0', '"n":4', '"n":"6"', '"n":[6]', '"n":true', '']],
    ['n ge json=5', ['"n":5', '"n":5.0', '"n":6'], ['"n":4.9', '"n":"5"']],
    ['n lt json=5', ['"n":4', '"n":-1', '"n":4.99'], ['"n":5', '"n":"4"',
     '']],
    ['n le json=5', ['"n":5', '"n":5.0'], ['"n":5.01', '']],
    ['n !gt json=5', ['"n":5', '"n":4'], ['"n":6', '"n":"4"', '',
     '"n":null']],
    ['n gt json=9007199254740992.0', ['"n":9007199254740993'],
     ['"n":9007199254740992']],
    ['n lt json=9223372036854775808.0', ['"n":9223372036854775807'],
     ['"n":9223372036854775808.0']],
    ['since ge 2026-01-01', ['"since":"2026-01-01"', '"since":"2027"'],
     ['"since":"2025-12-31"', '"since":2027', '']],
);

our @sets = (
    ['role in json=["admin","ops"]', ['"role":"admin"', '"role":"ops"'],
     ['"role":"user"', '"role":["admin"]', '"role":["admin","ops"]', '']],
    ['role in admin', ['"role":"admin"'], ['"role":"a"', '']],
    ['role !in json=["banned",5]', ['"role":"user"', '"role":"5"'],
     ['"role":"banned"', '"role":5', '', '"role":null']],
    ['role any json=["admin","ops"]',
     ['"role":["x","ops"]', '"role":"admin"'],
     ['"role":["x","y"]', '"role":[]', '"role":"x"', '"role":{"admin":1}',
      '']],
    ['role any admin', ['"role":["x","admin"]', '"role":"admin"'],
     ['"role":"x admin"', '"role":[["admin"]]', '']],
    ['role !any json=["banned"]', ['"role":["x"]', '"role":[]',
     '"role":"y"'], ['"role":["x","banned"]', '"role":"banned"', '']],
    ['role all json=["a","b"]', ['"role":["b","x","a"]'],
     ['"role":["a"]', '"role":"a"', '"role":[]', '']],
    ['role all a', ['"role":["a","b"]', '"role":"a"'], ['"role":["b"]']],
    ['role !all json=["a","b"]', ['"role":["a"]', '"role":[]'],
     ['"role":["a","b"]', '']],
);

our @present = (
    ['role present', ['"role":""', '"role":0', '"role":false', '"role":[]'],
     ['', '"role":null', '"Role":1']],
    ['role !present', ['', '"role":null'], ['"role":""', '"role":0']],
    ['role present error=401', ['"role":1'], ['']],
);

our @patterns = (
    ['sub match ^svc-[a-z]+$', ['"sub":"svc-abc"'],
     ['"sub":"svc-"', '"sub":"xsvc-abc"', '"sub":"svc-abc1"', '"sub":5',
      '"sub":["svc-abc"]', '"sub":null', '']],
    ['sub match (?i)ADMIN', ['"sub":"an admin here"'], ['"sub":"user"']],
    ['sub !match ^guest', ['"sub":"alice"', '"sub":""'],
     ['"sub":"guest1"', '"sub":5', '"sub":["alice"]', '']],
    ["sub match '^a{2}\$'", ['"sub":"aa"'], ['"sub":"aaa"']],
    ['sub match $var|json=x', ['"sub":"json=x"'], ['"sub":"var"']],
);

our @paths = (
    ['https://example.com/roles any admin',
     ['"https://example.com/roles":["admin"]'],
     ['"https://example.com/role":["admin"]', '']],
    ['a.b eq x', ['"a.b":"x"'], ['"a":{"b":"x"}']],
    ['.a.b eq x', ['"a":{"b":"x"}'], ['"a.b":"x"', '"a":{"b":["x"]}']],
    ['.a.b[0]."dotted.key" eq x', ['"a":{"b":[{"dotted.key":"x"}]}'],
     ['"a":{"b":[{"dotted":{"key":"x"}}]}',
      '"a":{"b":[1,{"dotted.key":"x"}]}', '"a":{"b":{"dotted.key":"x"}}']],
    # nginx takes one level of backslashes away
    [q('."a \\\\"q\\\\" \\\\\\\\b"' eq x), ['"a \"q\" \\\\b":"x"'],
     ['"a q b":"x"']],
    ['.a[1][0] eq json=7', ['"a":[1,[7]]'], ['"a":[7]', '"a":[1,7]']],
);

our @deep = (
    # a role claim that is an object
    ['role eq admin', ['"role":"admin"'], ['"role":{"name":"admin"}',
     '"role":{"admin":true}', '"role":{}']],
    ['role any admin', ['"role":["admin"]'], ['"role":{"admin":true}',
     '"role":[{"admin":true}]']],

    # a name does not look into the elements of an array
    ['.groups.name eq admin', ['"groups":{"name":"admin"}'],
     ['"groups":[{"name":"admin"}]', '"groups":[]', '"groups":"admin"']],
    ['.groups[0].name eq admin', ['"groups":[{"name":"admin"}]'],
     ['"groups":[{"name":"x"},{"name":"admin"}]',
      '"groups":{"0":{"name":"admin"}}', '"groups":[]']],

    # something on the way is missing, or of another type
    ['.a.b.c.d eq x', ['"a":{"b":{"c":{"d":"x"}}}'],
     ['"a":{"b":{"d":"x"}}', '"a":{"c":{"d":"x"}}', '"a":{"b":null}',
      '"a":null', '"a":5', '"a":"b"', '"a":true', '"a":[]', '']],
    ['.a.b.c.d !in x', ['"a":{"b":{"c":{"d":"y"}}}'],
     ['"a":{"b":null}', '"a":[]', '']],
    ['.a[65535] present', [], ['"a":[1]', '"a":{}', '']],
);

our @headers = (
    ['typ eq at+jwt', ['"typ":"at+jwt"'], ['"typ":"JWT"', '']],
    ['alg in json=["HS256","RS256"]', ['', '"typ":"x"'], []],
    ['cty !present', [''], ['"cty":"JWT"']],
    ['.x.y[0] ge json=2', ['"x":{"y":[2]}'], ['"x":{"y":[1]}', '']],
    ['ver match ^2026-', ['"ver":"2026-01"', '"ver":"2026-"'], ['']],
);

no_shuffle();
run_tests();

__DATA__

=== TEST: eq and ne
--- config eval: main::locations('gw_jwt_require_claim', @main::equal)
--- cases eval: main::requests(\&main::payload, @main::equal)



=== TEST: gt, ge, lt and le
--- config eval: main::locations('gw_jwt_require_claim', @main::order)
--- cases eval: main::requests(\&main::payload, @main::order)



=== TEST: in, any and all
--- config eval: main::locations('gw_jwt_require_claim', @main::sets)
--- cases eval: main::requests(\&main::payload, @main::sets)



=== TEST: present
--- config eval: main::locations('gw_jwt_require_claim', @main::present)
--- cases eval: main::requests(\&main::payload, @main::present)



=== TEST: match
--- config eval: main::locations('gw_jwt_require_claim', @main::patterns)
--- cases eval: main::requests(\&main::payload, @main::patterns)



=== TEST: paths
--- config eval: main::locations('gw_jwt_require_claim', @main::paths)
--- cases eval: main::requests(\&main::payload, @main::paths)



=== TEST: J19 objects, deep paths through arrays, missing nodes
--- config eval: main::locations('gw_jwt_require_claim', @main::deep)
--- cases eval: main::requests(\&main::payload, @main::deep)



=== TEST: J19 with error=403 it is insufficient_scope
--- more_auth
gw_jwt_require_claim .realm_access.roles any admin error=403;
--- cases eval
[[main::payload('"realm_access":{"roles":["x","admin"]}'), 200],
 (map { [main::payload($_), 403, 'require'] }
      '"realm_access":{"roles":{"admin":true}}',
      '"realm_access":[{"roles":["admin"]}]', '"realm_access":{}', '')]
--- response_headers eval
['X-Reason: -',
 map { qq(X-Reason: require\nWWW-Authenticate: Bearer realm="api", )
       . qq(error="insufficient_scope") } 1 .. 4]



=== TEST: members of the header
--- config eval: main::locations('gw_jwt_require_header', @main::headers)
--- cases eval: main::requests(\&main::header, @main::headers)



=== TEST: a header and a claim of the same name
--- more_auth
gw_jwt_require_claim typ eq claim;
gw_jwt_require_header typ eq header error=403;
--- cases eval
[map { [GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64',
            { typ => $_->[0] }, typ => $_->[1])), $_->[2], $_->[3]] }
     ['claim', 'header', 200, '-'], ['header', 'claim', 401, 'require'],
     ['claim', 'claim', 403, 'require'], ['header', 'header', 401, 'require']]



=== TEST: values with variables
--- more_auth
gw_jwt_require_claim tenant eq $arg_v;
--- cases eval
[(map { [main::payload('"tenant":' . $_->[0]), 200, '-', "GET /t?v=$_->[1]"] }
     ['"a"', 'a'], ['"a"', '"a"'], ['5', '5'], ['true', 'true'],
     ['["a",1]', '["a",1]'], ['{"a":1}', '{"a":1}'], ['"tru"', 'tru'],
     ['"[a"', '[a'], ['""', ''], ['"5x"', '5x']),
 (map { [main::payload('"tenant":' . $_->[0]), 401, 'require',
         "GET /t?v=$_->[1]"] }
     ['"a"', 'b'], ['"5"', '5'], ['5', '"5"'], ['5', '5.0'],
     ['"true"', 'true'], ['null', 'null'], ['"null"', 'null'], ['"a"', ''],
     ['["a",1]', '["a"]'], ['5', '5x']),
 [main::payload(''), 401, 'require', 'GET /t?v='],
 [main::payload(''), 401, 'require', 'GET /t'],
 [main::payload('"tenant":""'), 200, '-', 'GET /t']]



=== TEST: values that consist of text and variables
--- more_auth
gw_jwt_require_claim aud any '["https://$host/","x-$arg_v"]';
--- cases eval
[[main::payload('"aud":["https://localhost/"]'), 200, '-', 'GET /t?v=1'],
 [main::payload('"aud":"x-1"'), 200, '-', 'GET /t?v=1'],
 [main::payload('"aud":"x-2"'), 401, 'require', 'GET /t?v=1'],
 [main::payload('"aud":"x-\""'), 401, 'require', 'GET /t?v="']]



=== TEST: values of other claims
--- more_auth
gw_jwt_require_claim azp eq $gw_jwt_claim_client_id;
--- cases eval
[[main::payload('"azp":"a","client_id":"a"'), 200],
 [main::payload('"azp":"a","client_id":"b"'), 401, 'require'],
 [main::payload('"azp":"a"'), 401, 'require'],
 [main::payload('"client_id":"a"'), 401, 'require']]



=== TEST: a value that is too long
--- http_config
map $arg_v $long {
    volatile;
    default $arg_v;
    long    $arg_v$arg_a$arg_a$arg_a$arg_a$arg_a;
}
--- more_auth
gw_jwt_require_claim x ne $long;
--- cases eval
[[main::payload('"x":"a"'), 200, '-', 'GET /t?v=short&a=a'],
 [main::payload('"x":"a"'), 401, 'require',
  'GET /t?v=long&a=' . 'a' x 4000]]



=== TEST: all of several are needed, the first that fails decides
--- more_auth
gw_jwt_require_claim a eq 1;
gw_jwt_require_claim b eq 2 error=403;
gw_jwt_require_claim c present error=401;
--- cases eval
[[main::payload('"a":"1","b":"2","c":3'), 200],
 [main::payload('"a":"1","b":"2"'), 401, 'require'],
 [main::payload('"a":"1","c":3'), 403, 'require'],
 [main::payload('"b":"2","c":3'), 401, 'require'],
 [main::payload(''), 401, 'require']]



=== TEST: after the dates, before gw_jwt_require
--- more_auth
gw_jwt_require $gw_jwt_claim_never error=403;
gw_jwt_require_claim role eq admin;
--- cases eval
[[main::payload('"role":"x"'), 401, 'require'],
 [main::payload('"role":"admin"'), 403, 'require'],
 [GW::Auth::bearer(GW::JOSE::token('HS256', 'oct64', '{"alg":"HS256"}',
  '{"exp":1,"role":"x"}')), 401, 'expired'],
 [GW::Auth::bearer(GW::JOSE::token('HS256', 'oct64b', '{"alg":"HS256"}',
  '{"exp":4000000000,"role":"admin"}')), 401, 'sig']]



=== TEST: the challenge of 401 is invalid_token, the variables are empty
--- more_auth
gw_jwt_require_claim role eq admin;
add_header X-Claim "<$gw_jwt_claim_role$gw_consumer>" always;
--- cases eval
[[main::payload('"role":"x","sub":"a"'), 401, 'require']]
--- response_headers
X-Claim: <>
WWW-Authenticate: Bearer realm="api", error="invalid_token"



=== TEST: inheritance, of each directive by itself
--- config eval
$main::api . <<'_EOC_';
gw_jwt_require_claim role eq admin;
gw_jwt_require_header typ eq JWT;
location /t/same {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /t/claim {
    gw_jwt_require_claim role eq user;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    location /t/claim/in {
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
}
location /t/header {
    gw_jwt_require_header typ present;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /t/limit {
    limit_except GET {
        gw_jwt_require_claim role eq writer error=403;
    }
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
_EOC_
--- cases eval
[map { [GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64',
            { role => $_->[1] }, typ => $_->[2])),
        $_->[3], $_->[3] == 200 ? '-' : 'require', $_->[0]] }
     ['GET /t/same', 'admin', 'JWT', 200],
     ['GET /t/same', 'user', 'JWT', 401],
     ['GET /t/same', 'admin', 'x', 401],
     ['GET /t/claim', 'user', 'JWT', 200],
     ['GET /t/claim', 'admin', 'JWT', 401],
     ['GET /t/claim', 'user', 'x', 401],
     ['GET /t/claim/in', 'user', 'JWT', 200],
     ['GET /t/claim/in', 'admin', 'JWT', 401],
     ['GET /t/header', 'admin', 'x', 200],
     ['GET /t/header', 'user', 'x', 401],
     ['GET /t/limit', 'admin', 'JWT', 200],
     ['POST /t/limit', 'admin', 'JWT', 403],
     ['POST /t/limit', 'writer', 'JWT', 200],
     ['POST /t/limit', 'writer', 'x', 401]]



=== TEST: a request without a token is not asked
--- http_config
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- auth
gw_jwt api optional;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
gw_jwt_algorithms HS256;
gw_jwt_require_claim role eq admin;
--- cases eval
[['X: y', 200, 'missing'],
 [main::payload('"role":"admin"'), 200],
 [main::payload(''), 401, 'require']]



=== TEST: internal redirects: the value may depend on the new URI
--- config eval
$main::api . <<'_EOC_';
gw_jwt_require_claim paths any $uri error=403;
location /t {
    try_files /none /next;
}
location /next {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
_EOC_
--- cases eval
[[main::payload('"paths":["/t","/next"]'), 200],
 [main::payload('"paths":["/t"]'), 403, 'require'],
 [main::payload('"paths":["/next"]'), 403, 'require']]



=== TEST: internal redirects: another requirement in the other location
--- config eval
$main::api . <<'_EOC_';
location /t {
    gw_jwt_require_claim role present;
    try_files /none /next;
}
location /next {
    gw_jwt_require_claim role eq admin error=403;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
_EOC_
--- cases eval
[[main::payload('"role":"admin"'), 200],
 [main::payload('"role":"user"'), 403, 'require'],
 [main::payload(''), 401, 'require']]



=== TEST: internal redirects: a location that requires something else decides anew
--- config eval
$main::api . <<'_EOC_';
gw_jwt_require_claim role eq admin error=403;
gw_jwt_require_header typ eq JWT error=403;
location /t/claim {
    error_page 403 = /claim;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /t/header {
    error_page 403 = /header;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /t/same {
    error_page 403 = /same;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /claim {
    gw_jwt_require_claim role eq user error=401;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /header {
    gw_jwt_require_header typ eq x error=401;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /same {
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
_EOC_
--- cases eval
[map { [GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64',
            { role => $_->[1] }, typ => $_->[2])),
        $_->[3], $_->[3] == 200 ? '-' : 'require', $_->[0]] }
     ['GET /t/claim', 'admin', 'JWT', 200],
     ['GET /t/claim', 'user', 'JWT', 200],
     ['GET /t/claim', 'guest', 'JWT', 401],
     ['GET /t/header', 'admin', 'x', 200],
     ['GET /t/header', 'admin', 'y', 401],
     ['GET /t/same', 'user', 'JWT', 403],
     ['GET /t/same', 'admin', 'x', 403]]



=== TEST: a pattern that backtracks is a refusal, not a stalled worker
--- main_config
pcre_jit off;
--- more_auth
gw_jwt_require_claim sub match ^(([a-z])+.)+[A-Z]([a-z])+$;
--- cases eval
[[main::payload('"sub":"' . 'a' x 1000 . '!"'), 401, 'require'],
 [main::payload('"sub":"' . 'a' x 60 . '!"'), 401, 'require']]
--- timeout: 2
--- error_log
pcre2_match() failed: -47 on the value of "sub"



=== TEST: a pattern that backtracks is a refusal, not a stalled worker: what it can tell
--- main_config
pcre_jit off;
--- more_auth
gw_jwt_require_claim sub match ^(([a-z])+.)+[A-Z]([a-z])+$;
--- cases eval
[[main::payload('"sub":"abCd"'), 200]]
--- no_error_log
[error]



=== TEST: the same negated: nobody could tell, so nobody passes
--- main_config
pcre_jit off;
--- more_auth
gw_jwt_require_claim sub !match ^(([a-z])+.)+[A-Z]([a-z])+$;
--- cases eval
[[main::payload('"sub":"' . 'a' x 1000 . '!"'), 401, 'require']]
--- timeout: 2
--- error_log
pcre2_match() failed: -47 on the value of "sub"



=== TEST: the same negated: nobody could tell, so nobody passes: what it can tell
--- main_config
pcre_jit off;
--- more_auth
gw_jwt_require_claim sub !match ^(([a-z])+.)+[A-Z]([a-z])+$;
--- cases eval
[[main::payload('"sub":"abCd"'), 401, 'require'],
 [main::payload('"sub":"5"'), 200]]
--- no_error_log
[error]



=== TEST: and with JIT
--- main_config
pcre_jit on;
--- more_auth
gw_jwt_require_claim sub !match ^(([a-z])+.)+[A-Z]([a-z])+$;
--- cases eval
[[main::payload('"sub":"' . 'a' x 1000 . '!"'), 401, 'require'],
 [main::payload('"sub":"' . 'a' x 60 . '!"'), 401, 'require']]
--- timeout: 2
--- error_log
pcre2_match() failed:



=== TEST: and with JIT: what it can tell
--- main_config
pcre_jit on;
--- more_auth
gw_jwt_require_claim sub !match ^(([a-z])+.)+[A-Z]([a-z])+$;
--- cases eval
[[main::payload('"sub":"abCd"'), 401, 'require'],
 [main::payload('"sub":"5"'), 200]]
--- no_error_log
[error]



=== TEST: a pattern cannot raise the limit
--- main_config
pcre_jit off;
--- more_auth
gw_jwt_require_claim sub match (*LIMIT_MATCH=900000000)^(([a-z])+.)+[A-Z]([a-z])+$;
--- cases eval
[[main::payload('"sub":"' . 'a' x 1000 . '!"'), 401, 'require']]
--- timeout: 2
--- error_log
pcre2_match() failed: -47



=== TEST: a pattern cannot raise the limit: what it can tell
--- main_config
pcre_jit off;
--- more_auth
gw_jwt_require_claim sub match (*LIMIT_MATCH=900000000)^(([a-z])+.)+[A-Z]([a-z])+$;
--- cases eval
[[main::payload('"sub":"abCd"'), 200]]
--- no_error_log
[error]



=== TEST: a subject that is too long to match
--- more_auth
gw_jwt_require_claim sub !match ^b;
--- cases eval
[[main::payload('"sub":"' . 'a' x 1025 . '"'), 401, 'require']]
--- error_log
the value of "sub" is too large to test it



=== TEST: a subject that is too long to match: what it can tell
--- more_auth
gw_jwt_require_claim sub !match ^b;
--- cases eval
[[main::payload('"sub":"' . 'a' x 1024 . '"'), 200]]
--- no_error_log
[error]



=== TEST: sets that are too large to compare
--- more_auth
gw_jwt_require_claim g !any $arg_v;
--- cases eval
[[main::payload('"g":[' . CORE::join(',', (1) x 1500) . ']'), 401, 'require',
  'GET /t?v=[' . CORE::join(',', (2) x 100) . ']']]
--- error_log
the value of "g" is too large to test it



=== TEST: sets that are too large to compare: what it can tell
--- more_auth
gw_jwt_require_claim g !any $arg_v;
--- cases eval
[[main::payload('"g":[' . CORE::join(',', (1) x 1500) . ']'), 200, '-',
  'GET /t?v=[' . CORE::join(',', (2) x 80) . ']']]
--- no_error_log
[error]



=== TEST: an unknown operator
--- config
location /x {
    gw_jwt_require_claim role equals admin;
}
--- must_die
--- error_log
unknown operator "equals", it must be present, eq, ne, gt, ge, lt, le, in, any, all or match, or one of them after "!"



=== TEST: no value
--- config
location /x {
    gw_jwt_require_claim role eq;
}
--- must_die
--- error_log
"eq" needs a value to compare with



=== TEST: no value, but a code
--- config
location /x {
    gw_jwt_require_claim role !in error=403;
}
--- must_die
--- error_log
"!in" needs a value to compare with



=== TEST: a value of present
--- config
location /x {
    gw_jwt_require_claim role present admin;
}
--- must_die
--- error_log
"present" takes no value, only "error=" may follow it



=== TEST: two parameters of present
--- config
location /x {
    gw_jwt_require_header typ !present error=403 x;
}
--- must_die
--- error_log
"!present" takes no value, only "error=" may follow it



=== TEST: another code
--- config
location /x {
    gw_jwt_require_claim role eq admin error=500;
}
--- must_die
--- error_log
invalid parameter "error=500", it must be "error=401" or "error=403"



=== TEST: two values
--- config
location /x {
    gw_jwt_require_claim role in admin user;
}
--- must_die
--- error_log
invalid parameter "user", it must be "error=401" or "error=403"



=== TEST: one argument
--- config
location /x {
    gw_jwt_require_claim role;
}
--- must_die
--- error_log
invalid number of arguments in "gw_jwt_require_claim" directive



=== TEST: paths that are malformed
--- config
location /x {
    gw_jwt_require_claim .a..b present;
}
--- must_die
--- error_log
invalid path ".a..b" at byte 3: a name is empty or has more than 255 bytes; a path is like .a.b[0]."dotted.key"



=== TEST: a path with an index that is none
--- config
location /x {
    gw_jwt_require_header .a[x] present;
}
--- must_die
--- error_log
invalid path ".a[x]" at byte 3: an index must be a number from 0 to 65535 in [ ], and be followed by ".", "[" or nothing



=== TEST: an empty path
--- config
location /x {
    gw_jwt_require_claim "" present;
}
--- must_die
--- error_log
invalid path "" at byte 0: the path is empty, give the name of a claim



=== TEST: json= that is none
--- config
location /x {
    gw_jwt_require_claim role in json=[admin];
}
--- must_die
--- error_log
invalid JSON in "json=[admin]": the text is not JSON; a string or a variable is written without "json="



=== TEST: json= of a variable
--- config
location /x {
    gw_jwt_require_claim role eq json=$arg_x;
}
--- must_die
--- error_log
a string or a variable is written without "json="



=== TEST: json= of nothing
--- config
location /x {
    gw_jwt_require_claim role eq json=;
}
--- must_die
--- error_log
invalid JSON in "json=": the text is empty



=== TEST: json=null
--- config
location /x {
    gw_jwt_require_claim role eq json=null;
}
--- must_die
--- error_log
a claim that is null counts as absent, use "!present" instead of "json=null"



=== TEST: a number that is compared as a string
--- config
location /x {
    gw_jwt_require_claim level ge 5;
}
--- must_die
--- error_log
"5" is compared as a string, write json=5 for a number or json="5" for a string



=== TEST: the order of an array
--- config
location /x {
    gw_jwt_require_claim level lt json=[5];
}
--- must_die
--- error_log
"json=[5]" has no order, compare with a number or a string



=== TEST: an empty set
--- config
location /x {
    gw_jwt_require_claim role !any json=[];
}
--- must_die
--- error_log
"json=[]" is an empty set, give it an element



=== TEST: an unknown variable
--- config
location /x {
    gw_jwt_require_claim role eq $nothing_here;
}
--- must_die
--- error_log
unknown "nothing_here" variable



=== TEST: a pattern that is malformed
--- config
location /x {
    gw_jwt_require_claim role match "a(b";
}
--- must_die
--- error_log
the pattern must be a regular expression: pcre2_compile() failed: missing closing parenthesis



=== TEST: an empty pattern
--- config
location /x {
    gw_jwt_require_claim role match "";
}
--- must_die
--- error_log
the pattern is empty and matches everything, use "present"
