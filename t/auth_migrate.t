
# Copyright (C) the nginx gateway modules developers

# A configuration for auth_jwt, converted with the command of
# doc/migrating.md, does what it did.

use strict;
use warnings;

use lib 't/lib';
use GW;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup('');

GW::Auth::file('rsa.json', GW::JOSE::jwks(GW::JOSE::jwk('rsa', kid => 'r')));


# what the page says, run by the shell

sub convert {
    my ($conf) = @_;

    my ($command) = GW::JOSE::slurp('doc/migrating.md')
                    =~ /^(sed -E '[^']+') gateway\.conf$/m;

    die 'no command in doc/migrating.md' unless defined $command;

    my $name = GW::tmp_dir() . '/gateway.conf';
    GW::JOSE::spew($name, $conf);

    my $text = `$command $name`;
    die "$command failed" if $?;

    return $text;
}

our $http = <<'_EOC_';
    auth_jwt_claim_set $email info e-mail;
    auth_jwt_header_set $type typ;

    map $jwt_claim_role $is_admin {
        admin 1;
    }
_EOC_

our $config = <<'_EOC_';
    location /api/ {
        auth_jwt "closed site";
        auth_jwt_key_file $TEST_NGINX_TMP_DIR/rsa.json;
        auth_jwt_leeway 60s;
        auth_jwt_type signed;

        add_header X-Reason $gw_auth_reason always;
        add_header X-Seen "$jwt_claim_sub $email $type $jwt_header_alg";
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;

        location /api/admin/ {
            auth_jwt_require $is_admin error=403;

            add_header X-Reason $gw_auth_reason always;
            proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }

        location /api/cookie/ {
            auth_jwt "closed site" token=$cookie_auth_token;

            add_header X-Reason $gw_auth_reason always;
            proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }

        location /api/open/ {
            auth_jwt off;

            add_header X-Reason $gw_auth_reason always;
            proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        }
    }
_EOC_


sub jwt {
    my (%claims) = @_;

    return GW::JOSE::jwt('RS256', 'rsa', \%claims, kid => 'r');
}

no_shuffle();
run_tests();

__DATA__

=== TEST: what auth_jwt let in and what it refused
--- http_config eval: main::convert($main::http)
--- config eval: main::convert($main::config)
--- cases eval
[['', 401, 'missing', 'GET /api/'],
 [GW::Auth::bearer(main::jwt(sub => 'me')), 200, '-', 'GET /api/'],
 [GW::Auth::bearer(main::jwt(sub => 'me', exp => time() - 50)), 200, '-',
  'GET /api/'],
 [GW::Auth::bearer(main::jwt(sub => 'me', exp => time() - 70)), 401,
  'expired', 'GET /api/'],
 [GW::Auth::bearer(main::jwt(role => 'admin')), 200, '-',
  'GET /api/admin/'],
 [GW::Auth::bearer(main::jwt(role => 'user')), 403, 'require',
  'GET /api/admin/'],
 ['Cookie: auth_token=' . main::jwt(), 200, '-', 'GET /api/cookie/'],
 ['', 401, 'missing', 'GET /api/cookie/'],
 ['', 200, '-', 'GET /api/open/']]



=== TEST: the variables of auth_jwt
--- http_config eval: main::convert($main::http)
--- config eval: main::convert($main::config)
--- more_headers eval
GW::Auth::bearer(main::jwt(sub => 'me', info => { 'e-mail' => 'a@b' }))
--- request
GET /api/
--- response_headers
X-Seen: me a@b JWT RS256
