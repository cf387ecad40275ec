
# Copyright (C) the nginx gateway modules developers

# JSON of header and payload, dates, requirements, variables.

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
GW::Auth::file('rsa.json', GW::JOSE::jwk('rsa', kid => 'r'));

our $deep = '{"exp":4000000000,"a":' . '[' x 31 . ']' x 31 . '}';
our $too_deep = '{"exp":4000000000,"a":' . '[' x 32 . ']' x 32 . '}';


sub payloads {
    my ($code, $reason, @payloads) = @_;

    return map { [GW::Auth::bearer(GW::JOSE::token('HS256', 'oct64',
                      '{"alg":"HS256"}', $_)), $code, $reason] } @payloads;
}


sub headers {
    my ($code, $reason, @headers) = @_;

    return map { [GW::Auth::bearer(GW::JOSE::token('HS256', 'oct64', $_,
                      '{"exp":4000000000}')), $code, $reason] } @headers;
}


sub claims {
    my (%claims) = @_;

    return GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64', \%claims));
}


sub json {
    my ($text) = @_;

    return \$text;
}

no_shuffle();
run_tests();

__DATA__

=== TEST: J09 exp within the leeway of 30 seconds (first: tokens age meanwhile)
--- more_auth
--- cases eval
[[main::claims(exp => time() - 5), 200],
 [main::claims(exp => time() - 31), 401, 'expired']]



=== TEST: J09 exp on the second, without a leeway
--- more_auth
gw_jwt_leeway 0;
--- cases eval
[[main::claims(exp => time()), 401, 'expired'],
 [main::claims(exp => time() - 1), 401, 'expired'],
 [main::claims(exp => time() + 1000), 200]]



=== TEST: J09 exp within a leeway of one's own
--- more_auth
gw_jwt_leeway 1h;
--- cases eval
[[main::claims(exp => time() - 3000), 200],
 [main::claims(exp => time() - 3601), 401, 'expired']]



=== TEST: J01 a member that appears twice
--- more_auth
--- cases eval
[main::payloads(401, 'json', '{"exp":4000000000,"sub":"a","sub":"b"}',
     '{"exp":4000000000,"sub":"a","sub":"a"}',
     '{"exp":4000000000,"sub":"a","\u0073ub":"b"}',
     '{"exp":4000000000,"a":{"b":1,"b":2}}'),
 main::headers(401, 'json', '{"alg":"HS256","alg":"HS256"}',
     '{"alg":"none","alg":"HS256"}', '{"alg":"HS256","\u0061lg":"none"}'),
 main::payloads(200, '-', '{"exp":4000000000,"sub":"a","Sub":"b"}')]



=== TEST: J02 a payload that is not one JSON object
--- more_auth
--- cases eval
[main::payloads(401, 'json', '[]', '"x"', '1', '', 'null', '{', '{}}',
     "\xef\xbb\xbf{\"exp\":4000000000}", '{"exp":4000000000}x',
     '{"exp":4000000000}{}', "{\"exp\":4000000000}\0",
     "{\"exp\":4000000000,\"a\":\"\xff\"}",
     "{\"exp\":4000000000,\"a\":\"\xc0\x80\"}",
     "{\"exp\":4000000000,\"a\":\"\xed\xa0\x80\"}",
     '{"exp":4000000000,"a":"\ud800"}',
     '{"exp":4000000000,"a":"\u0000"}', '{"exp":4000000000,"a":"' . "\n"
     . '"}', '{exp:4000000000}', '{"exp":4000000000,}',
     "{'exp':4000000000}", '{"exp":4000000000/**/}'),
 main::headers(401, 'json', '[]', '"x"', '{"alg":"HS256"}x'),
 main::headers(401, 'malformed', ''),
 main::payloads(200, '-', " {\r\n\"exp\" : 4000000000\t} ")]



=== TEST: J03 nesting has a limit
--- more_auth
--- cases eval
[main::payloads(200, '-', $main::deep),
 main::payloads(401, 'json', $main::too_deep, '[' x 5000,
                '{"a":' x 800, '{"a":' . '[' x 4000)]



=== TEST: J04 a header of more than 2 KiB
--- more_auth
--- cases eval
[main::headers(401, 'size', '{"alg":"HS256","x":"' . 'a' x 2100 . '"}')]



=== TEST: J07 forms of exp
--- more_auth
--- cases eval
[(map { [main::claims(exp => main::json($_)), 200] }
      '1e10', '9999999999', '9999999999.5', '253402300799'),
 (map { [main::claims(exp => main::json($_)), 401, 'expired'] }
      '-1', '0', '-0', '1', '1.5', '-1e10'),
 (map { [main::claims(exp => main::json($_)), 401, 'type'] }
      '"9999999999"', 'null', 'true', '[]', '{}', '253402300800',
      '9007199254740993', '1e300'),
 (map { [main::claims(exp => main::json($_)), 401, 'json'] }
      '1e400', '9223372036854775808', '-9223372036854775809', 'NaN',
      'Infinity', '0x7fffffff', '01')]



=== TEST: J08 exp is needed
--- more_auth
--- cases eval
[[main::claims(exp => undef), 401, 'claim']]



=== TEST: J08 exp is not needed where it is not validated
--- more_auth
gw_jwt_validate_exp off;
--- cases eval
[[main::claims(exp => undef), 200],
 [main::claims(exp => 1), 200],
 [main::claims(exp => main::json('"1"')), 401, 'type'],
 [main::claims(exp => undef, nbf => time() + 100), 401, 'nbf']]



=== TEST: J10 nbf, J11 iat
--- more_auth
--- cases eval
[[main::claims(nbf => time() - 5), 200],
 [main::claims(nbf => time() + 25), 200],
 [main::claims(nbf => time() + 1000), 401, 'nbf'],
 [main::claims(nbf => main::json('"' . time() . '"')), 401, 'type'],
 [main::claims(nbf => main::json('null')), 401, 'type'],
 [main::claims(iat => time() + 1000), 401, 'iat'],
 [main::claims(iat => time() - 1000), 200],
 [main::claims(iat => main::json('"x"')), 401, 'type']]



=== TEST: J16 crit is enforced
--- more_auth
--- cases eval
[main::headers(401, 'crit',
     map { qq({"alg":"HS256",$_}) } '"crit":["exp"],"exp":4000000000',
     '"crit":["x"],"x":1', '"crit":[]', '"crit":"x"',
     '"b64":false,"crit":["b64"]', '"b64":true,"crit":["b64"]',
     '"crit":["b64","b64"],"b64":true', '"crit":null', '"crit":{}',
     '"crit":[1]'),
 main::headers(401, 'json', '{"alg":"HS256","crit":["x"],"crit":[],"x":1}')]



=== TEST: J17 b64 without crit
--- more_auth
--- cases eval
[main::headers(401, 'header', '{"alg":"HS256","b64":false}')]



=== TEST: gw_jwt_require takes every value that is neither empty nor 0
--- http_config
map $gw_jwt_claim_role $allowed {
    admin    1;
    guest    0;
    default  "";
}
--- more_auth
gw_jwt_require $allowed $gw_jwt_claim_sub;
--- cases eval
[[main::claims(sub => 'a', role => 'admin'), 200],
 [main::claims(sub => 'a', role => 'guest'), 401, 'require'],
 [main::claims(sub => 'a', role => 'x'), 401, 'require'],
 [main::claims(sub => 'a'), 401, 'require'],
 [main::claims(role => 'admin'), 401, 'require'],
 [main::claims(sub => 'a', role => main::json('"0"')), 401, 'require'],
 [main::claims(sub => main::json('0'), role => 'admin'), 401, 'require'],
 [main::claims(sub => '00', role => 'admin'), 200]]



=== TEST: gw_jwt_require with 403 says insufficient_scope
--- more_auth
gw_jwt_require $gw_jwt_claim_sub;
gw_jwt_require $gw_jwt_claim_role error=403;
--- more_headers eval
main::claims(sub => 'a')
--- error_code: 403
--- response_headers
X-Reason: require
WWW-Authenticate: Bearer realm="api", error="insufficient_scope"



=== TEST: gw_jwt_require with 401 says invalid_token, the first one decides
--- more_auth
gw_jwt_require $gw_jwt_claim_sub error=401;
gw_jwt_require $gw_jwt_claim_role error=403;
--- more_headers eval
main::claims(x => 'a')
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="api", error="invalid_token"



=== TEST: the consumer is client_id, azp or sub
--- more_auth
add_header X-Consumer "<$gw_consumer>" always;
--- cases eval
[map { [main::claims(@{ $_->[0] }), 200] }
     [[client_id => 'c', azp => 'z', sub => 's']],
     [[azp => 'z', sub => 's']], [[sub => 's']], [[]],
     [[client_id => main::json('["c"]'), sub => 's']],
     [[client_id => main::json('null'), sub => 's']],
     [[sub => main::json('5')]], [[sub => main::json('"a\nb"')]]]
--- response_headers eval
[map { "X-Consumer: <$_>" } 'c', 'z', 's', '', '', 's', '', '']



=== TEST: variables of a verified token
--- http_config
gw_jwt_claim_set $deep realm_access roles;
gw_jwt_claim_set $dotted https://x.example/y;
gw_jwt_header_set $cty cty;
--- config
location /v {
    gw_jwt api;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
    gw_jwt_algorithms HS256;
    try_files /none @say;
}
location @say {
    return 200 "$gw_consumer|$gw_credential_id|$gw_scope|$gw_jwt_kid|$gw_jwt_alg|$gw_auth_status|$gw_auth_method
$gw_jwt_claim_sub|$gw_jwt_claim_n|$gw_jwt_claim_r|$gw_jwt_claim_b|$gw_jwt_claim_l|$gw_jwt_claim_o|$gw_jwt_claim_none
$gw_jwt_header_typ|$gw_jwt_header_none|$deep|$dotted|$cty
";
}
--- request
GET /v
--- more_headers eval
GW::Auth::bearer(GW::JOSE::jwt('HS256', 'oct64', { sub => 'me', jti => 'j1',
    scope => 'a b', n => 5, r => main::json('1.5'), b => main::json('true'),
    l => main::json('["x",1,["y"]]'), o => main::json('{"k":"v"}'),
    realm_access => main::json('{"roles":["p","q"]}'),
    'https://x.example/y' => 'd' }, kid => 'o', cty => 'JWT2'))
--- response_body
me|j1|a b|o|HS256|ok|jwt
me|5|1.5|true|x,1,["y"]|{"k":"v"}|
JWT||p,q|d|JWT2
--- no_error_log
[error]



=== TEST: the payload is JSON on one line
--- more_auth
add_header X-Payload $gw_jwt_payload;
--- cases eval
[main::payloads(200, '-', "{\r\n \"exp\":4000000000,\r\n \"a\":\"b c\"}")]
--- response_headers
X-Payload: {   "exp":4000000000,   "a":"b c"}



=== TEST: scope as a string or scp as an array
--- more_auth
add_header X-Scope "<$gw_scope>" always;
--- cases eval
[map { [main::claims(@$_), 200] }
     [scope => 'read write'], [scp => 'read'],
     [scp => main::json('["read","write"]')],
     [scp => main::json('["a",1,null,{},"b"]')], [scp => main::json('[1]')],
     [scp => main::json('{}')], [scope => main::json('5')], []]
--- response_headers eval
[map { "X-Scope: <$_>" } 'read write', 'read', 'read write', 'a b', '', '',
 '', '']



=== TEST: seconds until a token ends
--- more_auth
add_header X-Left $gw_jwt_exp_in;
--- request
GET /t
--- more_headers eval
main::claims(exp => time() + 100000)
--- response_headers_like
X-Left: (?:99\d\d\d|100000)



=== TEST: J20 a claim that could end a header is empty
--- more_auth
add_header X-Claim "<$gw_jwt_claim_x>";
--- cases eval
[map { [main::claims(x => main::json($_)), 200] }
     '"a\r\nX-Evil: 1"', '"a\u007f"', '"a\tb"', '"a\"b"',
     '["a\r\nX-Evil: 1"]', '["a"]']
--- response_headers eval
[map { "X-Claim: <$_>" } '', '', '', 'a"b', '', 'a']



=== TEST: J05 ten thousand members
# see t/unit/gw_json_flood.c for names that collide
--- http_config
large_client_header_buffers 4 512k;
--- more_auth
--- core_logs
--- cases eval
my $many = join(',', map { qq("n$_":1) } 1 .. 10000);
[main::payloads(401, 'size', qq({"exp":4000000000,$many})),
 main::headers(401, 'size', qq({"alg":"HS256",$many}))]



=== TEST: J05 ten thousand members that are not too large
--- http_config
large_client_header_buffers 4 512k;
--- more_auth
gw_jwt_max_size 512k;
--- core_logs
--- cases eval
my $many = join(',', map { qq("n$_":1) } 1 .. 10000);
[main::payloads(200, undef, qq({"exp":4000000000,$many})),
 main::payloads(401, 'json', qq({"exp":4000000000,$many,"n1":2})),
 main::headers(401, 'size', qq({"alg":"HS256",$many}))]



=== TEST: J22 a claim of 64 KB
# the search for a credential in the log takes minutes for one so large
--- http_config
large_client_header_buffers 4 128k;
--- more_auth
--- core_logs
--- cases eval
[[main::claims(sub => 'a' x 65536), 401, 'size']]



=== TEST: a large claim
--- more_auth
add_header X-Claim "<$gw_jwt_claim_x>";
--- request
GET /t
--- more_headers eval
main::claims(x => main::json('[' . CORE::join(',', 1000 .. 1200) . ']'))
--- response_headers eval
'X-Claim: <' . CORE::join(',', 1000 .. 1200) . '>'



=== TEST: J21 variables that are read early are those of a good token
--- config
location /t {
    set $early "$gw_jwt_claim_sub$gw_consumer$gw_jwt_payload";
    gw_jwt api;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
    gw_jwt_algorithms HS256;
    add_header X-Early "<$early>" always;
    add_header X-Late "<$gw_jwt_claim_sub>" always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- more_headers eval
main::claims(sub => 'a')
--- response_headers
X-Early: <aa{"exp":4000000000,"sub":"a"}>
X-Late: <a>



=== TEST: J21 a refused token leaves nothing to the log phase
--- http_config
log_format gw_claims "claims=<$gw_jwt_claim_sub$gw_consumer$gw_jwt_payload$gw_jwt_kid> reason=$gw_auth_reason";
--- more_auth
access_log logs/claims.log gw_claims;
gw_jwt_require $gw_jwt_claim_sub$gw_consumer$gw_jwt_payload$gw_jwt_kid;
gw_jwt_require $gw_jwt_claim_role;
add_header X-Claims "<$gw_jwt_claim_sub$gw_consumer$gw_jwt_payload>" always;
--- cases eval
[[main::claims(sub => 'alice'), 401, 'require']]
--- response_headers
X-Claims: <>
--- logs eval
['claims.log', "claims=<----> reason=require\n"]



=== TEST: J21 a request that is answered early, what is logged
--- http_config
log_format gw_early "$gw_consumer $gw_auth_status";
--- config
location /t {
    if ($gw_consumer) {
        return 500;
    }
    set $early $gw_auth_status;
    gw_jwt api;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
    gw_jwt_algorithms HS256;
    access_log logs/early.log gw_early;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- more_headers eval
main::claims(sub => 'alice')
--- logs eval
['early.log', "alice ok\n"]
--- error_code: 500
