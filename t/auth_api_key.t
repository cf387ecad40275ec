
# Copyright (C) the nginx gateway modules developers

# API keys of a file: where they are taken from, which are accepted.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);

use lib 't/lib';
use GW;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup(<<'_EOC_');
        gw_api_key keys;
_EOC_

our %key = map { $_ => "gwk-$_-0123456789abcdef" }
               qw(alice bob old new late local far other);

sub line {
    my ($name, $more) = @_;

    return 'sha256:' . sha256_hex($key{$name}) . " $name"
           . ($more ? " $more" : '') . "\n";
}

GW::Auth::file('keys', "# keys of the tests\n\n"
    . line('alice', 'plan=gold scopes=read,write groups=a,b meta.team=blue'
                    . ' meta.tier=2')
    . line('bob') . line('old', 'exp=2020-01-01')
    . line('late', 'exp=2020-01-01T00:00:00Z nbf=2019-01-01')
    . line('new', 'nbf=4000000000')
    . line('local', 'cidr=10.0.0.0/8,127.0.0.0/8')
    . line('far', 'cidr=10.0.0.0/8,2001:db8::/32'));

GW::Auth::file('more', line('other'));
GW::Auth::file('include.conf', 'file ' . GW::tmp_dir() . "/more;\n");

our $store = <<'_EOC_';
gw_api_keys main {
    file $TEST_NGINX_TMP_DIR/keys;
}
_EOC_

add_block_preprocessor(sub {
    my ($block) = @_;

    my $http = defined $block->http_config ? $block->http_config : '';

    $block->set_value('http_config', $store . $http)
        unless $http =~ /gw_api_keys/;
});

no_shuffle();
run_tests();

__DATA__

=== TEST: K01 a known key is accepted
--- more_auth
--- more_headers eval
"X-API-Key: $main::key{bob}"
--- response_headers
X-Reason: -
!WWW-Authenticate
--- response_body
consumer=bob



=== TEST: K01 absent, unknown, expired and early keys
--- more_auth
--- cases eval
[['X: y', 401, 'missing'],
 ['X-API-Key: gwk-nobody-0123456789abcdef', 401, 'key'],
 ["X-API-Key: $main::key{old}", 401, 'expired'],
 ["X-API-Key: $main::key{late}", 401, 'expired'],
 ["X-API-Key: $main::key{new}", 401, 'nbf']]



=== TEST: K01 they all look the same to the client
--- config
location /t {
    gw_api_key keys;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- request eval
[('GET /t') x 4]
--- more_headers eval
['X: y', map { "X-API-Key: $_" } 'gwk-nobody-0123456789abcdef',
 @main::key{qw(old new)}]
--- error_code eval
[(401) x 4]
--- response_headers eval
[('WWW-Authenticate: ApiKey realm="keys"') x 4]
--- response_body_like eval
[('\A<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n<center><h1>401 Authorization Required</h1></center>\r\n<hr><center>nginx/[\d.]+</center>\r\n</body>\r\n</html>\r\n\z') x 4]



=== TEST: K03 a key twice is 400
--- more_auth
--- more_headers eval
"X-API-Key: $main::key{bob}\nX-Api-Key: $main::key{alice}"
--- error_code: 400
--- response_headers
X-Reason: twice
WWW-Authenticate: ApiKey realm="keys"



=== TEST: K03 in two places with two values is 400
--- auth
gw_api_key keys header=x-key arg=key cookie=key scheme=ApiKey;
--- cases eval
my ($a, $b) = @main::key{qw(alice bob)};
[["X-Key: $b", 200],
 ["X-Key: $b\nX-Key: $b", 400, 'twice'],
 ["X-Key: $b\nX-Key:", 200],
 ["X-Key: $b", 200, '-', "GET /t?key=$b"],
 ["X-Key: $b", 400, 'twice', "GET /t?key=$a"],
 ["X-Key: $b", 400, 'twice', "GET /t?key=x"],
 ["X-Key: $a", 400, 'twice', "GET /t?key=$main::key{local}"],
 ["X-Key: $b\nCookie: key=$a", 400, 'twice'],
 ["X-Key: $b\nAuthorization: ApiKey $a", 400, 'twice'],
 ["X: y", 400, 'twice', "GET /t?key=$a&key=$b"],
 ["X: y", 400, 'twice', "GET /t?key=$a&a=b&KEY=$b"],
 ["Cookie: key=$a; key=$b", 400, 'twice'],
 ["Cookie: key=$a\nCookie: key=$b", 400, 'twice']]



=== TEST: where a key is taken from
--- http_config
underscores_in_headers on;
--- auth
gw_api_key keys header=X_Key-2 arg=key cookie=key scheme=token;
--- cases eval
my $b = $main::key{bob};
(my $hex = $b) =~ s/-/%2d/g;
[["X_key-2: $b", 200],
 ["X-Key: $b", 401, 'missing'],
 ["X-API-Key: $b", 401, 'missing'],
 ["Authorization: Token $b", 200],
 ["Authorization: TOKEN   $b", 200],
 ["Authorization: Token", 401, 'malformed'],
 ["Authorization: Token $b x", 401, 'malformed'],
 ["Authorization: Token $b\tx", 401, 'malformed'],
 ["Authorization: Bearer $b", 401, 'missing'],
 ["Cookie: a=b; key=$b ;c=d", 200],
 ["Cookie: a=b;  KEY=$b", 200],
 ["Cookie: xkey=$b; key", 401, 'missing'],
 ["Cookie: keyx$b; keyx=$b", 401, 'missing'],
 ["Cookie: a=b\nCookie: key=$b", 200],
 ["X: y", 200, '-', "GET /t?key=$b"],
 ["X: y", 200, '-', "GET /t?a=1&key=$hex&b"],
 ["X: y", 401, 'missing', "GET /t?xkey=x&key"],
 ["X: y", 401, 'missing', "GET /t?key=&k=1"]]



=== TEST: K05 a stored digest is no key
--- more_auth
--- cases eval
my $hex = Digest::SHA::sha256_hex($main::key{bob});
[["X-API-Key: $hex", 401, 'key'],
 ["X-API-Key: sha256:$hex", 401, 'key'],
 ["X-API-Key: \U$hex", 401, 'key'],
 ["X-API-Key: " . pack('H*', $hex) =~ s/[\0\r\n]/x/gr, 401, 'key']]



=== TEST: K12 a key of any bytes and of any length
--- more_auth
--- cases eval
[(map { ["X-API-Key: $_", 401, 'key'] }
      'a b', "\$2y\$10\$", '\'"`;--', '%0d%0a', 'GET x', "\x01\x02\x1f\x7f",
      CORE::join('', map { chr } 128 .. 255), 'x' x 1024),
 ["X-API-Key: " . 'x' x 1025, 401, 'size'],
 ["X-API-Key: " . 'x' x 4096, 401, 'size']]



=== TEST: K12 line breaks and a byte 0 in an argument
--- auth
gw_api_key keys arg=key;
--- cases eval
my $b = $main::key{bob};
[(map { ['X: y', 401, 'key', "GET /t?key=$_"] }
     "$b%0d%0a", "$b%00", "%0d%0aSET%20a%20b", '%g1', "$b+"),
 ['X: y', 401, 'missing', "GET /t?key=%"]]



=== TEST: K14 a key of other addresses
--- more_auth
--- cases eval
[["X-API-Key: $main::key{local}", 200],
 ["X-API-Key: $main::key{far}", 401, 'cidr']]



=== TEST: K15 an empty key is absent
--- more_auth
--- more_headers
X-API-Key:
--- error_code: 401
--- response_headers
X-Reason: missing
WWW-Authenticate: ApiKey realm="keys"



=== TEST: an optional key may be absent but not bad
--- auth
gw_api_key keys optional;
--- cases eval
[['X: y', 200, 'missing'],
 ["X-API-Key: $main::key{bob}", 200],
 ["X-API-Key: x", 401, 'key']]



=== TEST: variables of a key
--- config
location /t {
    gw_api_key keys;
    try_files /none @say;
}
location @say {
    return 200 "$gw_consumer|$gw_consumer_plan|$gw_consumer_groups|$gw_consumer_meta_team|$gw_consumer_meta_tier|$gw_consumer_meta_x|$gw_scope|$gw_auth_status|$gw_auth_method|$gw_auth_reason|$gw_jwt_alg|$gw_jwt_claim_sub\n";
}
--- more_headers eval
"X-API-Key: $main::key{alice}"
--- response_body
alice|gold|a,b|blue|2||read write|ok|api_key|-||



=== TEST: the credential id begins the digest
--- more_auth
add_header X-Id $gw_credential_id;
--- more_headers eval
"X-API-Key: $main::key{bob}"
--- response_headers eval
'X-Id: ' . substr(Digest::SHA::sha256_hex($main::key{bob}), 0, 12)



=== TEST: a store is chosen by name, may have several files, may include
--- http_config
gw_api_keys one {
    file $TEST_NGINX_TMP_DIR/keys;
}
gw_api_keys two {
    include $TEST_NGINX_TMP_DIR/include.conf;
}
--- auth
gw_api_key keys store=two;
--- cases eval
[["X-API-Key: $main::key{other}", 200],
 ["X-API-Key: $main::key{bob}", 401, 'key']]



=== TEST: several stores, defined after their use
--- config
location /t {
    gw_api_key keys store=two store=one;
    add_header X-Reason $gw_auth_reason always;
    return 200;
}
location /u {
    gw_api_key keys store=both;
    add_header X-Reason $gw_auth_reason always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- http_config
gw_api_keys both {
    file $TEST_NGINX_TMP_DIR/keys;
    file $TEST_NGINX_TMP_DIR/more;
}
gw_api_keys one {
    file $TEST_NGINX_TMP_DIR/keys;
}
gw_api_keys two {
    file $TEST_NGINX_TMP_DIR/more;
}
--- cases eval
[["X-API-Key: $main::key{other}", 200, '-', 'GET /u'],
 ["X-API-Key: $main::key{bob}", 200, '-', 'GET /u'],
 ["X-API-Key: x", 401, 'key', 'GET /u']]



=== TEST: stores that are defined after the servers
--- http_config
server {
    listen unix:$TEST_NGINX_TMP_DIR/sock;
    location / {
        gw_api_key keys store=late;
        return 204;
    }
}
gw_api_keys late {
    file $TEST_NGINX_TMP_DIR/keys;
}
--- more_auth
--- more_headers eval
"X-API-Key: $main::key{bob}"
--- response_body
consumer=bob



=== TEST: K13 the argument is redacted in $gw_request_uri
--- http_config
log_format gw_uri "$gw_request_uri";
--- auth
gw_api_key keys arg=key;
access_log logs/uri.log gw_uri;
--- request eval
"GET /t/%41?a=1&key=$main::key{bob}&b=2&ACCESS_TOKEN=xyz&key2=z&key"
--- logs eval
["uri.log", "/t/%41?a=1&key=***&b=2&ACCESS_TOKEN=***&key2=z&key\n"]



=== TEST: $gw_request_uri without arguments, or without a credential
--- http_config
log_format gw_uri "$gw_request_uri";
--- auth
gw_api_key keys optional arg=key;
access_log logs/uri.log gw_uri;
--- request eval
['GET /t', 'GET /t?', 'GET /t?key=&a=b', 'GET /t?a=key=1']
--- error_code eval
[(200) x 4]
--- logs eval
["uri.log", "/t\n/t?\n/t?key=&a=b\n/t?a=key=1\n"]
--- contacts



=== TEST: a refusal logs no credential of an argument
--- auth
gw_api_key keys arg=key;
--- request
GET /t?key=gwk-nobody-0123456789abcdef
--- error_code: 401
--- error_log
request refused, credential "api_key", reason "key"
request: "GET /t?key=***"



=== TEST: a refusal logs no credential of the page before
--- auth
gw_api_key keys arg=key;
--- request
GET /t
--- more_headers
Referer: http://localhost/app?key=gwk-nobody-0123456789abcdef&a=b
--- error_code: 401
--- error_log
request refused, credential "api_key", reason "missing"
referrer: "http://localhost/app?key=***&a=b"
--- no_error_log
0123456789abcdef



=== TEST: the tool makes a key and its line
--- http_config eval
my $out = `util/gw-apikey carol plan=gold 2>&1`;
my ($key) = $out =~ /^key: (\S+)$/m;
my ($line) = $out =~ /^(sha256:.*)$/m;
$main::made = $key;
GW::Auth::file('made', "$line\n");
'gw_api_keys main { file ' . GW::tmp_dir() . '/made; }'
--- auth
gw_api_key keys;
add_header X-Plan $gw_consumer_plan;
--- more_headers eval
"X-API-Key: $main::made"
--- response_headers
X-Plan: gold
--- response_body
consumer=carol
