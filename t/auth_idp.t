#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# A real identity provider, which we have not written: its access tokens, its
# set of keys, and what it does with them.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Idp;
use GW::JOSE;
use GW::Nginx;
use HTTP::Tiny;
use Test::More;

my $dir = GW::tmp_dir();
my @algs = qw(ES256 RS256 PS256 EdDSA);

# two providers whose keys have the same names
my $idp = GW::Idp->new(@algs);
my $other = GW::Idp->new(@algs);


# status and reason

sub ask {
    my ($nginx, $path, $token) = @_;

    my $reply = $nginx->get($path, header => "Authorization: Bearer $token");

    return "$reply->{status} " . ($reply->{header}{'x-reason'} || '');
}


# a location that says who the token is of

sub location {
    my ($path, $text) = @_;

    return <<"END";
        location = $path {
            $text
            add_header X-Reason \$gw_auth_reason always;
            add_header X-Consumer \$gw_consumer;
            add_header X-Issuer \$gw_jwt_issuer;
            empty_gif;
        }
END
}


# === tokens of each algorithm, keys in a file

for ([$idp, 'idp'], [$other, 'other']) {
    my ($who, $name) = @$_;

    GW::JOSE::spew("$dir/$name.json",
                   HTTP::Tiny->new->get($who->issuer . '/jwks')->{content});
    chmod(0644, "$dir/$name.json");
}

{
    my $issuers = join('', map { <<"END" } ['idp', $idp], ['other', $other]);
    gw_jwt_issuer $_->[0] {
        issuer ${\$_->[1]->issuer};
        audience https://api.example/orders https://api.example/all;
        algorithms @algs;
        typ at+jwt;
        require scope .client_id;
        max_lifetime 1h;
        key_file $dir/$_->[0].json;
    }
END

    my $nginx = GW::Nginx->new(http => $issuers . <<"END");
    server {
        listen 127.0.0.1:%%PORT%%;
${\location('/', 'gw_jwt api issuer=idp;')}
${\location('/two', 'gw_jwt api issuer=idp issuer=other;')}
    }
END

    for my $alg (@algs) {
        my $token = $idp->token($alg, 'orders', scope => 'read write');
        my $theirs = $other->token($alg, 'all', scope => 'read');

        is(ask($nginx, '/', $token), '200 -', "$alg of a provider");
        is(ask($nginx, '/', $theirs), '401 iss',
           "A24 $alg of another provider");
        is(ask($nginx, '/two', $_), '200 -', "A25 $alg, two providers")
            for $token, $theirs;
    }

    my $reply = $nginx->get('/two', header => 'Authorization: Bearer '
                            . $other->token('ES256', 'all', scope => 'read'));

    is($reply->{header}{'x-consumer'}, 'machine', 'its client');
    is($reply->{header}{'x-issuer'}, 'other', 'the name of its issuer');

    # neither the key nor the issuer is what makes these wrong
    is(ask($nginx, '/', $idp->token('ES256', 'users', scope => 'read')),
       '401 aud', 'J13 a token for another resource');
    is(ask($nginx, '/', $idp->token('ES256', 'orders')), '401 claim',
       'a token without a scope');

    # the claims of one, the signature of the other
    my @mine = split(/\./, $idp->token('ES256', 'orders', scope => 'read'));
    my @theirs = split(/\./, $other->token('ES256', 'orders',
                                           scope => 'read'));

    is(ask($nginx, '/two', "$theirs[0].$mine[1].$theirs[2]"), '401 sig',
       'A26 a token that names another issuer');

    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'the log is clean');
    $nginx->stop;
}


done_testing();
