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
use Time::HiRes qw(sleep time);

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


# the answers to as many requests at once, each different one a time

sub at_once {
    my ($nginx, $path, @tokens) = @_;

    my @requests = map { $nginx->begin($path,
                             header => "Authorization: Bearer $_\r\n"
                                       . 'Cookie: of=the-client') } @tokens;
    my %seen = map { my $reply = $nginx->finish($_);
                     ("$reply->{status} "
                      . ($reply->{header}{'x-reason'} || '')) => 1 }
               @requests;

    return join(', ', sort keys %seen);
}


sub tokens {
    my ($n, $alg) = @_;

    return map { $idp->token($alg, 'orders', scope => 'read') } 1 .. $n;
}


sub fetches {
    return $idp->control('state')->{fetches};
}


# a gateway that asks the provider for its keys

sub gateway {
    my ($cache, %opt) = @_;

    return GW::Nginx->new(%opt, http => <<"END");
    gw_jwt_issuer idp {
        issuer ${\$idp->issuer};
        audience https://api.example/orders;
        algorithms @algs;
        typ at+jwt;
        key_request /_jwks;
        key_cache $cache;
    }

    server {
        listen 127.0.0.1:%%PORT%%;
${\location('/', 'gw_jwt api issuer=idp;')}
        location = /_jwks {
            internal;
            proxy_pass http://127.0.0.1:${\$idp->port}/jwks;
        }
    }
END
}


# === R01, R02, R04: workers that ask for the keys

{
    my $nginx = gateway('10m cooldown=1s', workers => 4);
    my $before = fetches();

    is(at_once($nginx, '/', tokens(20, 'ES256')), '200 -',
       'R01 twenty requests before there is a key');
    is(fetches() - $before, 1, 'R01 ask once');

    my $headers = $idp->control('state')->{headers};

    is(join(' ', grep { exists $headers->{$_} } qw(authorization cookie)), '',
       'without what the client has sent');

    my @first = tokens(1, 'ES256');

    is(at_once($nginx, '/', map { tokens(5, $_) } @algs), '200 -',
       'tokens of all algorithms');
    is(fetches() - $before, 1, 'have their keys');

    $idp->control('publish');
    is(at_once($nginx, '/', tokens(5, 'RS256')), '200 -',
       'R01 a new key is published');

    sleep(1.1);
    $idp->control('use');
    is(at_once($nginx, '/', map { tokens(5, $_) } @algs), '200 -',
       'R01 tokens of a key that was not there');
    is(fetches() - $before, 2, 'R01 are waited for once');
    is(at_once($nginx, '/', @first), '200 -', 'R01 the old key serves');

    my @old = tokens(1, 'ES256');

    sleep(1.1);
    $idp->control('replace');
    is(at_once($nginx, '/', tokens(20, 'ES256')), '200 -',
       'R04 another key of the same name');
    is(fetches() - $before, 3, 'R04 is fetched once');
    is(at_once($nginx, '/', @old), '401 sig', 'R04 the key it was is none');

    my $start = time();
    my $n = fetches();

    my ($token) = tokens(1, 'ES256');

    is(at_once($nginx, '/', map {
           GW::JOSE::b64u(qq({"alg":"ES256","typ":"at+jwt","kid":"r-$_"}))
           . $token =~ s/^[^.]*//r } 1 .. 100),
       '401 kid', 'R02 a hundred tokens with random key IDs');
    cmp_ok(fetches() - $n, '<=', 1 + time() - $start,
           'R02 cost a fetch a second');

    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'the log is clean');
    $nginx->stop;
}


# === R03, R05: what the provider says later

{
    my $nginx = gateway('1s cooldown=1s', workers => 2);
    my @mine = tokens(4, 'ES256');

    $idp->control('publish');
    $idp->control('use');

    my @new = tokens(4, 'ES256');

    is(at_once($nginx, '/', @mine, @new), '200 -', 'R03 two keys are there');

    $idp->control('remove');

    ok($nginx->until(10, sub {
        return at_once($nginx, '/', @mine) eq '401 kid';
    }), 'R03 tokens of a removed key are refused, cached or not');

    is(at_once($nginx, '/', @mine), '401 kid', 'R03 by all workers');
    is(at_once($nginx, '/', @new), '200 -', 'R03 and no others');

    for my $mode (qw(error html hang)) {
        my $n = fetches();

        $idp->control("jwks/$mode");

        ok($nginx->until(15, sub {
            return at_once($nginx, '/', @new) ne '200 -' || fetches() > $n;
        }) && at_once($nginx, '/', @new) eq '200 -',
           "R05 keys are kept, the provider answers: $mode");
    }

    $idp->control('jwks/ok');
    $idp->control('down');
    sleep(2.5);
    is(at_once($nginx, '/', @new), '200 -', 'R05 nor when it is down');
    $idp->control('up');

    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'the log is clean');
    $nginx->stop;
}


# === R05, R06: no keys, or too old ones

{
    my $nginx = gateway('1s cooldown=1s max_stale=1s', workers => 2);
    my @tokens = tokens(4, 'ES256');

    $idp->control('down');

    my $reply = $nginx->get('/', header => "Authorization: Bearer $tokens[0]");

    is($reply->{status}, 503, 'R06 the provider was never up');
    is($reply->{header}{'x-reason'}, 'keyset_down', 'R06 its reason');
    like($reply->{header}{'retry-after'} || '', qr/^\d+$/,
         'R06 when to try again');

    $idp->control('up');

    ok($nginx->until(15, sub {
        return at_once($nginx, '/', @tokens) eq '200 -';
    }), 'R06 now it is');

    $idp->control('down');

    ok($nginx->until(15, sub {
        return at_once($nginx, '/', @tokens) eq '503 keyset_down';
    }), 'R05 keys that are too old are not used');

    $idp->control('up');

    ok($nginx->until(15, sub {
        return at_once($nginx, '/', @tokens) eq '200 -';
    }), 'R05 until there are others');

    unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'the log is clean');
    $nginx->stop;
}


done_testing();
