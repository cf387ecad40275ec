package GW::Rotation;

# Copyright (C) the nginx gateway modules developers

# A provider rotates its keys while clients use a gateway.
#
#     my $got = GW::Rotation::run(seconds => 2, rotations => 3,
#                                 clients => 4, rate => 150);
#
# The gateway has four workers; "seconds" is how long it serves before the
# first rotation.  Each of them publishes a key, signs with it, lets clients
# send tokens of the old and of the new one, and removes the old one.  The
# result:
#
#     fetches   how often the provider was asked for its keys
#     failed    [when, seconds, status, number of the list of tokens]
#     steady    seconds that each request took before the rotations
#     rotation  since the first of them
#     change    in the quarter of a second since tokens of a new key came
#     alerts    lines of the log that are worse than errors
#     p50, p99, max            milliseconds, each of [steady, rotation,
#                              change]

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use GW;
use GW::Idp;
use GW::Load;
use GW::Nginx;

# different tokens at a time; seconds between the steps of a rotation, of
# which there are two, so that the cooldown passes
my $TOKENS = 40;
my $STEP = 0.6;
my $CHANGE = 0.25;


sub run {
    my (%opt) = @_;

    my $idp = GW::Idp->new('ES256');

    my $nginx = GW::Nginx->new(workers => 4, http => <<"END");
    access_log off;
    keepalive_requests 1000000;

    gw_jwt_issuer idp {
        issuer ${\$idp->issuer};
        audience https://api.example/orders;
        typ at+jwt;
        key_request /_jwks;
        key_cache 10m cooldown=1s;
    }

    server {
        listen 127.0.0.1:%%PORT%%;

        location = / {
            gw_jwt api issuer=idp;
            empty_gif;
        }

        location = /_jwks {
            internal;
            proxy_pass http://127.0.0.1:${\$idp->port}/jwks;
        }
    }
END

    my @tokens = tokens($idp);

    my $load = GW::Load->new(port => $nginx->{port}, path => '/',
                             tokens => \@tokens, clients => $opt{clients},
                             rate => $opt{rate});

    # what is cold is measured by nobody
    sleep(0.5);
    my $start = time();
    sleep($opt{seconds});
    my $rotation = time();
    my @changes;

    for (1 .. $opt{rotations}) {
        $idp->control('publish');
        $idp->control('use');

        my @new = tokens($idp);

        push @changes, time();
        $load->tokens(@tokens, @new);
        sleep($STEP);
        $load->tokens(@new);
        sleep($STEP);
        $idp->control('remove');

        @tokens = @new;
    }

    my $samples = $load->stop;
    my @warm = grep { $_->[0] >= $start } @$samples;

    my $got = {
        fetches => $idp->control('state')->{fetches},
        failed => [grep { $_->[2] != 200 } @$samples],
        steady => [map { $_->[1] } grep { $_->[0] < $rotation } @warm],
        rotation => [map { $_->[1] } grep { $_->[0] >= $rotation } @warm],
        change => [map { my $s = $_;
                         map { $s->[1] }
                             grep { $s->[0] >= $_ && $s->[0] < $_ + $CHANGE }
                                  @changes } @warm],
        alerts => [$nginx->log =~ /^.*\[(?:alert|crit|emerg)\].*$/mg],
    };

    for my $part ([p50 => 0.5], [p99 => 0.99], [max => 1]) {
        $got->{$part->[0]} = [map { 1000 * GW::Load::quantile($part->[1],
                                                              @{ $got->{$_} }) }
                                  qw(steady rotation change)];
    }

    $nginx->stop;
    $idp->stop;

    return $got;
}


sub tokens {
    my ($idp) = @_;

    return map { $idp->token('ES256', 'orders') } 1 .. $TOKENS;
}


1;
