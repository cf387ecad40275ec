
# Copyright (C) the nginx gateway modules developers

# gw_jwt_issuer: the choice of the issuer, what its tokens have to say.

use strict;
use warnings;

use lib 't/lib';
use GW;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup('');

my %file = (
    'a.json' => GW::JOSE::jwks(GW::JOSE::jwk('rsa', kid => 'k'),
                               GW::JOSE::jwk('p256', kid => 'only-a')),
    'b.json' => GW::JOSE::jwks(GW::JOSE::jwk('rsa2', kid => 'k'),
                               GW::JOSE::jwk('rsa3', kid => 'only-b')),
    'c.json' => GW::JOSE::jwk('rsa3'),
    'oct.json' => GW::JOSE::jwk('oct64'),
    'ed.pem' => GW::JOSE::pem('ed25519'),
);

GW::Auth::file($_, $file{$_}) for keys %file;

our $a = 'https://a.example';
our $b = 'https://b.example/tenant';

our $two = <<'_EOC_';
    gw_jwt_issuer a {
        issuer    https://a.example;
        audience  api reports;
        key_file  $TEST_NGINX_TMP_DIR/a.json;
    }

    gw_jwt_issuer b {
        issuer    https://b.example/tenant;
        audience  api;
        key_file  $TEST_NGINX_TMP_DIR/b.json jwks;
    }
_EOC_


sub claims {
    my (%claims) = @_;

    return { aud => 'api', exp => 4000000000, %claims };
}


# signed by a key of a, unless the header says otherwise

sub a {
    my ($claims, %header) = @_;

    return GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa',
               claims(iss => $main::a, %$claims), kid => 'k', %header));
}


sub b {
    my ($claims, %header) = @_;

    return GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa2',
               claims(iss => $main::b, %$claims), kid => 'k', %header));
}


# the payload as it is written

sub raw {
    my ($payload) = @_;

    return GW::Auth::bearer(GW::JOSE::token('RS256', 'rsa',
                                '{"alg":"RS256","kid":"k"}', $payload));
}


# a block with one issuer, and what is added to it

sub one {
    my ($more) = @_;

    return "
    gw_jwt_issuer a {
        issuer    https://a.example;
        key_file  \$TEST_NGINX_TMP_DIR/a.json;
        $more
    }
";
}

no_shuffle();
run_tests();

__DATA__

=== TEST: A25 the same key ID in two issuers, each with its own keys
--- http_config eval: $main::two
--- auth
gw_jwt api issuer=a issuer=b;
add_header X-Issuer $gw_jwt_issuer;
--- more_headers eval
[main::a({}), main::b({})]
--- request eval
['GET /t', 'GET /t']
--- error_code eval
[200, 200]
--- response_headers eval
['X-Issuer: a', 'X-Issuer: b']



=== TEST: A24 a key of another issuer
--- http_config eval: $main::two
--- auth
gw_jwt api issuer=a issuer=b;
--- cases eval
[[main::a({}, kid => 'only-b'), 401, 'kid'],
 [main::b({}, kid => 'only-a'), 401, 'kid'],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa3',
      main::claims(iss => $main::a), kid => 'only-b')), 401, 'kid'],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa3',
      main::claims(iss => $main::b), kid => 'only-b')), 200]]



=== TEST: A25 an issuer whose name another one begins with
--- http_config eval
$main::two . 'gw_jwt_issuer c {
    issuer https://a.example/c; audience api;
    key_file $TEST_NGINX_TMP_DIR/b.json; }'
--- auth
gw_jwt api issuer=a issuer=c;
--- cases eval
[[main::a({}), 200],
 [main::b({ iss => 'https://a.example/c' }), 200],
 [main::a({ iss => 'https://a.example/c' }), 401, 'sig'],
 [main::b({ iss => 'https://a.example' }), 401, 'sig'],
 [main::a({ iss => 'https://a.example/' }), 401, 'iss']]



=== TEST: an issuer and its algorithms above the server
--- http_config eval
$main::two . 'gw_jwt api issuer=a; gw_jwt_algorithms RS256 RS384;'
--- config
location = /t {
    add_header X-Reason $gw_auth_reason always;
    empty_gif;
}
--- cases eval
[[main::a({}), 200], [main::b({}), 401, 'iss'],
 [GW::Auth::bearer(GW::JOSE::jwt('RS512', 'rsa',
      main::claims(iss => $main::a), kid => 'k')), 401, 'alg']]



=== TEST: A26 iss forged to select the keys of another issuer
--- http_config eval: $main::two
--- auth
gw_jwt api issuer=a issuer=b;
--- cases eval
[[main::a({ iss => $main::b }), 401, 'sig'],
 [main::b({ iss => $main::a }), 401, 'sig']]



=== TEST: A26 another issuer first and the true one behind, or the reverse
--- http_config eval: $main::two
--- auth
gw_jwt api issuer=a issuer=b;
--- cases eval
[[main::raw('{"iss":"https://b.example/tenant","iss":"https://a.example",'
            . '"aud":"api","exp":4000000000}'), 401, 'sig'],
 [main::raw('{"iss":"https://a.example","iss":"https://b.example/tenant",'
            . '"aud":"api","exp":4000000000}'), 401, 'json'],
 [main::raw('{"x":{"iss":"https://b.example/tenant"},'
            . '"iss":"https://a.example","aud":"api","exp":4000000000}'), 200]]



=== TEST: J14 iss is compared byte by byte
--- http_config eval: $main::two
--- auth
gw_jwt api issuer=a issuer=b;
--- cases eval
[(map { [main::a({ iss => $_ }), 401, 'iss'] }
      'https://a.example/', 'https://A.example', 'HTTPS://a.example',
      'https://a.exampl', 'https://a.example ', '', 'https://%61.example',
      "https://\xd0\xb0.example", ['https://a.example'],
      { a => 'https://a.example' }, 1),
 [main::raw('{"aud":"api","exp":4000000000}'), 401, 'iss'],
 [main::raw('{"iss":null,"aud":"api","exp":4000000000}'), 401, 'iss'],
 [main::raw('{"iss":"https:\/\/a.exampl\u0065","aud":"api",'
            . '"exp":4000000000}'), 200]]



=== TEST: J14 one issuer, too, is asked for
--- http_config eval: main::one('audience api;')
--- auth
gw_jwt api issuer=a;
--- cases eval
[[main::a({}), 200],
 [main::a({ iss => 'https://a.example/' }), 401, 'iss'],
 [main::raw('{"aud":"api","exp":4000000000}'), 401, 'iss']]



=== TEST: J14 a payload that is no JSON
--- http_config eval: $main::two
--- auth
gw_jwt api issuer=a issuer=b;
--- cases eval
[[main::raw('{"iss":"https://a.example","aud":"api","exp":4000000000'),
  401, 'json'],
 [main::raw('{"iss":"https://a.example"'), 401, 'json'],
 [main::raw('{"iss":"https://a.example'), 401, 'iss'],
 [main::raw('["iss","https://a.example"]'), 401, 'iss'],
 [main::raw('"iss"'), 401, 'iss']]



=== TEST: J13 aud, a string or an array of strings
--- http_config eval: main::one('audience api reports; audience third;')
--- auth
gw_jwt api issuer=a;
--- cases eval
[(map { [main::a({ aud => $_ }), 200] }
      'api', 'reports', 'third', ['api'], ['x', 'reports'],
      ['x', 'y', 'third']),
 (map { [main::a({ aud => $_ }), 401, 'aud'] }
      [], 'ap', 'apis', 'API', 'api ', '', 1, [['api']], ['x'], ['api', 1],
      { api => 1 }, 'api reports', 'api,reports'),
 [main::raw('{"iss":"https://a.example","aud":null,"exp":4000000000}'),
  401, 'aud'],
 [main::raw('{"iss":"https://a.example","exp":4000000000}'), 401, 'aud']]



=== TEST: J15 typ of the header
--- http_config eval: main::one('audience api; typ at+jwt;')
--- auth
gw_jwt api issuer=a;
--- cases eval
[(map { [main::a({ sub => 'me', client_id => 'c', iat => 1000, jti => '1' },
                 typ => $_), 200] }
      'at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/at+JWT'),
 (map { [main::a({ sub => 'me', client_id => 'c', iat => 1000, jti => '1' },
                 typ => $_), 401, 'typ'] }
      'JWT', 'dpop+jwt', 'logout+jwt', '', 'at+jwt ', 'text/at+jwt'),
 [main::a({ sub => 'me', client_id => 'c', iat => 1000, jti => '1' },
          typ => undef), 401, 'typ']]



=== TEST: J15 an access token of RFC 9068 has all its claims
--- http_config eval: main::one('audience api; typ at+jwt JWT;')
--- auth
gw_jwt api issuer=a;
--- cases eval
[[main::a({ sub => 'me', client_id => 'c', iat => 1000, jti => '1' },
          typ => 'at+jwt'), 200],
 [main::a({ client_id => 'c', iat => 1000, jti => '1' }, typ => 'at+jwt'),
  401, 'claim'],
 [main::a({ sub => 'me', iat => 1000, jti => '1' }, typ => 'at+jwt'),
  401, 'claim'],
 [main::a({ sub => 'me', client_id => 'c', jti => '1' }, typ => 'at+jwt'),
  401, 'claim'],
 [main::a({ sub => 'me', client_id => 'c', iat => 1000 }, typ => 'at+jwt'),
  401, 'claim'],
 [main::a({ sub => \'null', client_id => 'c', iat => 1000, jti => '1' },
          typ => 'at+jwt'), 401, 'claim'],
 [main::a({}, typ => 'JWT'), 200],
 [main::a({}, typ => 'JWS'), 401, 'typ']]



=== TEST: J12 a lifetime that is too long
--- http_config eval: main::one('audience api; max_lifetime 1h;')
--- auth
gw_jwt api issuer=a;
--- cases eval
[[main::a({ iat => time(), exp => time() + 3600 }), 200],
 [main::a({ iat => time(), exp => time() + 3601 }), 401, 'lifetime'],
 [main::a({ exp => time() + 3000 }), 200],
 [main::a({ exp => time() + 3700 }), 401, 'lifetime']]



=== TEST: J12 a lifetime needs exp
--- http_config eval: main::one('audience api; max_lifetime 1h;')
--- auth
gw_jwt api issuer=a;
gw_jwt_validate_exp off;
--- cases eval
[[main::raw('{"iss":"https://a.example","aud":"api","iat":1}'), 401,
  'lifetime'],
 [main::raw('{"iss":"https://a.example","aud":"api","iat":1,"exp":3601}'),
  200]]



=== TEST: J12 issued too long ago
--- http_config eval: main::one('audience api; max_age 1h; leeway 5m;')
--- auth
gw_jwt api issuer=a;
--- cases eval
[[main::a({ iat => time() - 3600 }), 200],
 [main::a({ iat => time() - 4000 }), 401, 'age'],
 [main::a({}), 401, 'claim']]



=== TEST: J09 the leeway of an issuer comes before that of the location
--- http_config eval: main::one('audience api; leeway 1h;')
--- auth
gw_jwt api issuer=a;
gw_jwt_leeway 0;
--- cases eval
[[main::a({ exp => time() - 3000 }), 200],
 [main::a({ exp => time() - 3700 }), 401, 'expired']]



=== TEST: claims that an issuer has to send
--- http_config eval: main::one('audience api; require sub .realm.user ;')
--- auth
gw_jwt api issuer=a;
--- cases eval
[[main::a({ sub => 'me', realm => { user => 0 } }), 200],
 [main::a({ sub => 'me' }), 401, 'claim'],
 [main::a({ realm => { user => 'x' } }), 401, 'claim'],
 [main::a({ sub => undef, realm => { user => 'x' } }), 401, 'claim'],
 [main::a({ sub => \'null', realm => { user => 'x' } }), 401, 'claim'],
 [main::a({ sub => 'x', realm => { user => \'null' } }), 401, 'claim'],
 [main::a({ sub => 'me', realm => ['user'] }), 401, 'claim']]



=== TEST: algorithms of an issuer and of a location
--- http_config eval: main::one('audience api; algorithms RS256 ES256;')
--- config
location /less {
    gw_jwt api issuer=a;
    gw_jwt_algorithms ES256 PS256;
    add_header X-Reason $gw_auth_reason always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- auth
gw_jwt api issuer=a;
--- cases eval
[[main::a({}), 200],
 [main::a({}), 401, 'alg', 'GET /less'],
 [GW::Auth::bearer(GW::JOSE::jwt('ES256', 'p256',
      main::claims(iss => $main::a), kid => 'only-a')), 200, '-',
  'GET /less'],
 [GW::Auth::bearer(GW::JOSE::jwt('PS256', 'rsa',
      main::claims(iss => $main::a), kid => 'k')), 401, 'alg'],
 [GW::Auth::bearer(GW::JOSE::jwt('PS256', 'rsa',
      main::claims(iss => $main::a), kid => 'k')), 401, 'alg', 'GET /less']]



=== TEST: keys in the block itself, and in PEM
--- http_config eval
"gw_jwt_issuer a {
    issuer https://a.example;
    audience api;
    key jwks '" . GW::JOSE::jwk('rsa', kid => 'k') . "';
    key pem '" . GW::JOSE::pem('ed25519') . "';
}
"
--- auth
gw_jwt api issuer=a;
--- cases eval
[[main::a({}), 200],
 [GW::Auth::bearer(GW::JOSE::jwt('EdDSA', 'ed25519',
      main::claims(iss => $main::a))), 200],
 [main::a({}, kid => 'other'), 401, 'alg_key']]



=== TEST: who the consumer is, its scopes and groups
--- http_config eval
main::one('audience api; consumer claim=.act.sub claim=email;
           scope_claim permissions .realm.roles; groups claim=teams;')
--- auth
gw_jwt api issuer=a;
add_header X-Got "$gw_consumer|$gw_scope|$gw_consumer_groups";
--- more_headers eval
[main::a({ act => { sub => 'bob' }, email => 'a@b', sub => 'x',
           permissions => ['read', 'write'], teams => ['x', 'y'] }),
 main::a({ email => 'a@b', realm => { roles => 'one two' }, teams => 'x' }),
 main::a({ sub => 'x', scope => 'read' })]
--- request eval
['GET /t', 'GET /t', 'GET /t']
--- error_code eval
[200, 200, 200]
--- response_headers eval
['X-Got: bob|read write|x,y', 'X-Got: a@b|one two|x', 'X-Got: ||']



=== TEST: a block may follow its use and may be included
--- user_files eval
[['issuer.conf', 'audience api;']]
--- config
location /in {
    gw_jwt api issuer=a;
    add_header X-Reason $gw_auth_reason always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- http_config eval
"server { listen 127.0.0.1:" . GW::free_port() . "; gw_jwt api issuer=a;
          location / { } location /x/ { gw_jwt_leeway 1s; } }"
. main::one('include ../html/issuer.conf;')
--- cases eval
[[main::a({}), 200, '-', 'GET /in'],
 [main::a({ aud => 'x' }), 401, 'aud', 'GET /in']]



=== TEST: an issuer of http for all locations but one
--- http_config eval
main::one('audience api;') . 'gw_jwt api issuer=a;'
--- config
location /none {
    gw_jwt off;
    add_header X-Reason $gw_auth_reason always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
location /own {
    gw_jwt api;
    gw_jwt_key_file $TEST_NGINX_TMP_DIR/c.json;
    add_header X-Reason $gw_auth_reason always;
    proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
}
--- auth
--- cases eval
[['', 401, 'missing'], [main::a({}), 200], ['', 200, '-', 'GET /none'],
 [main::a({}), 401, 'sig', 'GET /own'],
 [GW::Auth::bearer(GW::JOSE::jwt('RS256', 'rsa3', main::claims())), 200, '-',
  'GET /own']]



=== TEST: no audience is warned of
--- http_config eval: main::one('')
--- auth
gw_jwt api issuer=a;
--- cases eval
[[main::a({ aud => 'anything' }), 200]]
--- error_log
gw_jwt_issuer "a" accepts tokens that were issued for other services, add "audience" to it



=== TEST: an issuer that is not defined
--- auth
gw_jwt api issuer=none;
--- must_die
--- error_log
names the issuer "none", define it with "gw_jwt_issuer none { ... }"



=== TEST: an empty name of an issuer
--- auth
gw_jwt api issuer=;
--- must_die
--- error_log
invalid parameter "issuer="



=== TEST: gw_jwt_issuer without a name
--- http_config
gw_jwt_issuer '' { }
--- must_die
--- error_log
"gw_jwt_issuer" directive needs a name



=== TEST: gw_jwt_issuer twice
--- http_config eval: main::one('') . main::one('')
--- must_die
--- error_log
gw_jwt_issuer "a" is already defined in



=== TEST: gw_jwt_issuer without issuer
--- http_config
gw_jwt_issuer a { key_file $TEST_NGINX_TMP_DIR/a.json; }
--- must_die
--- error_log
gw_jwt_issuer "a" needs "issuer" with the exact bytes of "iss" in its tokens



=== TEST: gw_jwt_issuer with two of issuer
--- http_config eval: main::one('issuer https://x.example;')
--- must_die
--- error_log
has more than one "issuer", write a block for each



=== TEST: gw_jwt_issuer with an empty issuer
--- http_config
gw_jwt_issuer a { issuer ''; }
--- must_die
--- error_log
has an empty "issuer"



=== TEST: gw_jwt_issuer without keys
--- http_config
gw_jwt_issuer a { issuer https://a.example; }
--- must_die
--- error_log
gw_jwt_issuer "a" has no keys, add "key_file" to it



=== TEST: gw_jwt_issuer with an unknown parameter
--- http_config eval: main::one('keyfile x;')
--- must_die
--- error_log
unknown parameter "keyfile" in "gw_jwt_issuer", see its table in doc/auth.md



=== TEST: gw_jwt_issuer with an include of two files
--- http_config eval: main::one('include a b;')
--- must_die
--- error_log
needs the name of one file in "include"



=== TEST: gw_jwt_issuer with a parameter without a value
--- http_config eval: main::one('audience;')
--- must_die
--- error_log
invalid number of arguments of "audience" in "gw_jwt_issuer"



=== TEST: gw_jwt_issuer with too many values of a parameter
--- http_config eval: main::one('leeway 1s 2s;')
--- must_die
--- error_log
invalid number of arguments of "leeway" in "gw_jwt_issuer"



=== TEST: gw_jwt_issuer with an empty audience
--- http_config eval: main::one('audience "";')
--- must_die
--- error_log
empty value of "audience" in "gw_jwt_issuer"



=== TEST: gw_jwt_issuer with 65 audiences
--- http_config eval: main::one('audience ' . CORE::join(' ', 1 .. 65) . ';')
--- must_die
--- error_log
too many values in gw_jwt_issuer "a", there may be 64



=== TEST: gw_jwt_issuer with 17 keys
--- http_config eval
main::one(CORE::join(' ', map { "key pem '" . GW::JOSE::pem('ed25519') . "';" }
                        1 .. 16))
--- must_die
--- error_log
directive is repeated too often, put the keys together



=== TEST: gw_jwt_issuer with algorithms twice
--- http_config eval: main::one('algorithms RS256; algorithms ES256;')
--- must_die
--- error_log
has more than one "algorithms", put them on one line



=== TEST: gw_jwt_issuer with an unknown algorithm
--- http_config eval: main::one('algorithms RS255;')
--- must_die
--- error_log
unknown algorithm "RS255", name one of RFC 7518 as RS256, PS256, ES256, EdDSA or HS256



=== TEST: gw_jwt_issuer without a key for its algorithms
--- http_config eval: main::one('algorithms ES384;')
--- must_die
--- error_log
a.json" can verify an allowed algorithm, change "algorithms" for "gw_jwt_issuer" in



=== TEST: gw_jwt_issuer with secrets that no algorithm is for
--- http_config
gw_jwt_issuer a {
    issuer https://a.example;
    key_file $TEST_NGINX_TMP_DIR/oct.json;
}
--- must_die
--- error_log
oct.json" holds secrets and no HMAC algorithm is allowed, name one as in "algorithms HS256", for "gw_jwt_issuer" in



=== TEST: gw_jwt_issuer with a key of an unknown format
--- http_config eval: main::one('key raw abc;')
--- must_die
--- error_log
invalid parameter "raw", it must be "jwks", "keyval" or "pem"



=== TEST: gw_jwt_issuer with a key that is none
--- http_config eval: main::one(q(key jwks '{"kty":"RSA"}';))
--- must_die
--- error_log
key #0 in "a" is refused



=== TEST: gw_jwt_issuer with a bad path
--- http_config eval: main::one('scope_claim .a[;')
--- must_die
--- error_log
invalid path ".a[" at character 3



=== TEST: gw_jwt_issuer with a consumer that is no claim
--- http_config eval: main::one('consumer sub;')
--- must_die
--- error_log
invalid parameter "sub" of "consumer" in "gw_jwt_issuer", it must be "claim=path"



=== TEST: gw_jwt_issuer with a time that is none
--- http_config eval: main::one('max_age soon;')
--- must_die
--- error_log
invalid time "soon" of "max_age" in "gw_jwt_issuer"



=== TEST: gw_jwt_issuer with a lifetime of 0
--- http_config eval: main::one('max_lifetime 0;')
--- must_die
--- error_log
"max_lifetime" in "gw_jwt_issuer" cannot be 0, leave it out for no limit



=== TEST: gw_jwt_issuer with a leeway of two days
--- http_config eval: main::one('leeway 2d;')
--- must_die
--- error_log
cannot have a "leeway" longer than a day



=== TEST: two issuers that are the same
--- http_config eval
main::one('') . "gw_jwt_issuer again { issuer https://a.example;
                 key_file \$TEST_NGINX_TMP_DIR/b.json; }"
--- auth
gw_jwt api issuer=a issuer=again;
--- must_die
--- error_log
are both "https://a.example", name one of them



=== TEST: no algorithm in common
--- http_config eval: main::one('algorithms RS256;')
--- auth
gw_jwt api issuer=a;
gw_jwt_algorithms ES256;
--- must_die
--- error_log
has none of the algorithms of the issuer "a"



=== TEST: keys of a location beside issuers
--- http_config eval: main::one('')
--- auth
gw_jwt api issuer=a;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/c.json;
--- must_die
--- error_log
"gw_jwt_key_file" is of no use to "gw_jwt" with "issuer="
