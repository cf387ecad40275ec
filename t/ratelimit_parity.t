#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# The same requests meet limit_req and gw_limit: their decisions are the same.
# The pauses keep half an interval away from the moments where a decision
# changes, as limit_req counts in milliseconds.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

my %kinds = (
    plain => '',
    nodelay => 'burst=4 nodelay',
    delay => 'burst=6 delay=2',
    burst => 'burst=3',
);

my ($zones, $locations) = ('', '');

for my $kind (sort keys %kinds) {
    $zones .= <<"END";
    limit_req_zone \$arg_k zone=r_$kind:1m rate=10r/s;
    gw_limit_zone \$arg_k zone=g_$kind:1m rate=10r/s;
END
    $locations .= <<"END";
        location /r/$kind { limit_req zone=r_$kind $kinds{$kind}; empty_gif; }
        location /g/$kind { gw_limit zone=g_$kind $kinds{$kind}; empty_gif; }
END
}

my $nginx = GW::Nginx->new(http => <<"END");
$zones
    limit_req_zone \$arg_k zone=r_one:1m rate=10r/s;
    limit_req_zone \$arg_j zone=r_two:1m rate=60r/m;
    gw_limit_zone \$arg_k zone=g_one:1m rate=10r/s;
    gw_limit_zone \$arg_j zone=g_two:1m rate=60r/m;

    server {
        listen 127.0.0.1:%%PORT%%;
        limit_req_status 429;
        add_header X-Time \$request_time always;
        add_header X-Status \$limit_req_status\$gw_limit_status always;
$locations
        location /r/multi {
            limit_req zone=r_one burst=5 nodelay;
            limit_req zone=r_two burst=2 nodelay;
            empty_gif;
        }

        location /g/multi {
            gw_limit zone=g_one burst=5 nodelay;
            gw_limit zone=g_two burst=2 nodelay;
            empty_gif;
        }

        location /r/dry {
            limit_req_dry_run on;
            limit_req zone=r_burst burst=1;
            empty_gif;
        }

        location /g/dry {
            gw_limit_dry_run on;
            gw_limit zone=g_burst burst=1;
            empty_gif;
        }
    }
END

# requests at once, then a pause in ms

my @pattern = ([8, 250], [5, 50], [1, 350], [6, 1250], [9, 150], [3, 0]);

for my $kind (sort keys %kinds) {
    same($kind, @pattern);
}

same('multi', [5, 550], [3, 1200], [4, 150], [2, 0]);
same('dry', [4, 250], [3, 450], [3, 0]);

done_testing();


# a machine that stands still in a pause moves one side over the edge: such a
# difference does not come again

sub same {
    my ($kind, @steps) = @_;

    my ($got, $wait);

    for my $try (1 .. 3) {
        ($got, $wait) = meet($kind, $try, @steps);

        last unless grep { $got->{g}[$_] ne $got->{r}[$_]
                           || far($wait, $_) } 0 .. $#steps;
    }

    for my $i (0 .. $#steps) {
        my $name = "$kind, step " . ($i + 1);

        is($got->{g}[$i], $got->{r}[$i], $name);
        is(far($wait, $i), 0, "$name, waits")
            or diag("@{$wait->{g}[$i]} | @{$wait->{r}[$i]}");
    }
}


sub far {
    my ($wait, $i) = @_;

    return scalar(grep { abs($wait->{g}[$i][$_] - $wait->{r}[$i][$_]) > 0.06 }
                  0 .. $#{$wait->{r}[$i]});
}


sub meet {
    my ($kind, $key, @steps) = @_;

    my (%got, %wait);
    my $n = 0;

    for my $step (@steps) {
        my ($count, $pause) = @$step;
        my $start = time();
        my %sent;

        for (1 .. $count) {
            push(@{$sent{$_}}, $nginx->begin("/$_/$kind?k=$key&j=$key"))
                for qw(r g);
        }

        for my $side (qw(r g)) {
            my @replies = map { $nginx->finish($_) } @{$sent{$side}};

            # delayed ones end in the order of their delays
            $got{$side}[$n] = join(' ', sort map {
                "$_->{status}:$_->{header}{'x-status'}" } @replies);
            $wait{$side}[$n] = [sort { $a <=> $b }
                                map { $_->{header}{'x-time'} } @replies];
        }

        my $left = $start + $pause / 1000 - time();
        sleep($left) if $left > 0;
        $n++;
    }

    return (\%got, \%wait);
}
