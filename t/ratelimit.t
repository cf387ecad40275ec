#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Rate limits in shared memory: what is decided, what the client is told, what
# is logged and counted.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

my $names = join(' ', qw(status source zone policy limit remaining reset
                         retry_after cost delay time));
my $vars = join(' ', map { "\$gw_limit_$_" } split(' ', $names));

my $nginx = GW::Nginx->new(workers => 2, http => <<"END");
    gw_limit_zone \$arg_k zone=min:1m rate=1r/m;
    gw_limit_zone \$arg_k zone=ten:1m rate=10r/s;
    gw_limit_zone \$arg_k zone=two:1m rate=2r/m burst=1 policy=second;
    gw_limit_zone \$arg_z zone=third:1m rate=1r/m;
    gw_limit_zone \$arg_k zone=cost:1m rate=1r/m burst=9;
    gw_limit_zone \$arg_key zone=keys:1m rate=1r/m;
    gw_limit_zone \$http_x_key zone=header:1m rate=1r/m;
    gw_limit_zone "all" zone=late:1m rate=20r/s;
    gw_limit_delay_max 8;

    server {
        listen 127.0.0.1:%%PORT%%;
        large_client_header_buffers 4 128k;
        add_header X-Limit "$vars" always;

        location /min { gw_limit zone=min; empty_gif; }
        location /pre { gw_limit zone=min phase=preaccess; empty_gif; }
        location /burst { gw_limit zone=min burst=2 nodelay; empty_gif; }
        location /inherit { gw_limit zone=two nodelay; empty_gif;
            location /inherit/off { gw_limit off; empty_gif; }
            location /inherit/same { empty_gif; }
        }
        location /zero { gw_limit zone=two burst=0; empty_gif; }

        location /three {
            gw_limit zone=cost nodelay;
            gw_limit zone=two nodelay;
            gw_limit zone=third;
            empty_gif;
        }

        location /delay { gw_limit zone=ten burst=5; empty_gif; }
        location /partly { gw_limit zone=ten burst=5 delay=2; empty_gif; }
        location /late { gw_limit zone=late burst=100; empty_gif; }

        location /cost { gw_limit zone=cost cost=\$arg_c nodelay; empty_gif; }
        location /fixed { gw_limit zone=cost cost=4 nodelay; empty_gif; }

        location /keys { gw_limit zone=keys; empty_gif; }
        location /header { gw_limit zone=header; empty_gif; }

        location /quiet {
            gw_limit zone=min;
            gw_limit_headers off;
            gw_limit_body off;
            gw_limit_retry_after off;
            gw_limit_status 503;
            gw_limit_log_level warn;
            empty_gif;
        }

        location /444 { gw_limit zone=min; gw_limit_status 444; empty_gif; }

        location /dry {
            gw_limit_dry_run on;
            gw_limit zone=min burst=1;
            empty_gif;
        }

        location /drydelay {
            gw_limit_dry_run on;
            gw_limit zone=ten burst=5;
            empty_gif;
        }

        location = /m { gw_metrics prometheus; }
    }
END

basics();
several();
delays();
costs();
keys_();
answers();
dry_run();
metrics();
log_levels();

done_testing();


sub limit {
    my ($reply) = @_;

    my %v;
    @v{split(' ', $names)} = split(/ /, $reply->{header}{'x-limit'} || ' ', -1);

    return \%v;
}


sub statuses {
    return join(' ', map { $nginx->get($_)->{status} } @_);
}


# spaces in values that are empty

sub basics {
    my $r = $nginx->get('/min?k=b1');

    is($r->{status}, 200, 'the first request passes');
    is($r->{header}{'ratelimit-policy'}, '"min";q=1;w=60', 'its policy');
    is($r->{header}{ratelimit}, '"min";r=0;t=60', 'nothing is left');
    ok(!exists $r->{header}{'retry-after'}, 'no Retry-After');

    my $v = limit($r);
    is($v->{status}, 'PASSED', '$gw_limit_status');
    is($v->{source}, 'shm', '$gw_limit_source');
    is("$v->{zone} $v->{policy}", 'min min', '$gw_limit_zone, _policy');
    is("$v->{limit} $v->{remaining} $v->{reset}", '1 0 60',
       '$gw_limit_limit, _remaining, _reset');
    is("$v->{cost} $v->{retry_after}", '1 ', '$gw_limit_cost, _retry_after');
    is($v->{delay}, '0.000', '$gw_limit_delay');

    $r = $nginx->get('/min?k=b1');

    is($r->{status}, 429, 'the second one is rejected');
    is($r->{header}{'retry-after'}, 60, 'Retry-After');
    is($r->{header}{ratelimit}, '"min";r=0;t=60', 'RateLimit');
    is($r->{header}{'content-type'}, 'application/problem+json',
       'problem document');
    is($r->{body}, '{"type":"https://iana.org/assignments/http-problem-types'
       . '#quota-exceeded","title":"Request cannot be satisfied as assigned '
       . 'quota has been exceeded","status":429,"violated-policies":["min"]}',
       'its text');

    $v = limit($r);
    is("$v->{status} $v->{zone} $v->{retry_after}", 'REJECTED min 60',
       'variables of a rejection');

    is(statuses('/pre?k=b1', '/pre?k=b2', '/min?k=b2'), '429 200 429',
       'the limit of a key is the same in both phases');
    is(statuses(map { '/burst?k=b3' } 1 .. 4), '200 200 200 429', 'burst');
    is(statuses(map { '/inherit?k=b4' } 1 .. 3), '200 200 429',
       'burst of the zone');
    is(statuses('/inherit/same?k=b4', '/inherit/off?k=b4'), '429 200',
       'inherited, and off');
    is(statuses('/zero?k=b5', '/zero?k=b5'), '200 429',
       'burst=0 overrides the zone');

    $r = $nginx->get('/inherit?k=b4');
    is($r->{header}{'ratelimit-policy'}, '"second";q=2;w=60;gw-burst=1',
       'policy has another name, and a burst');
    like($r->{body}, qr/"violated-policies":\["second"\]/, 'in the body, too');

    is(limit($nginx->get('/inherit/off?k=b4'))->{status}, '',
       'no status without a limit');

    my $client = GW::Client->new($nginx->{port});
    is($client->request('HEAD', '/min?k=b1')->{status}, 429, 'HEAD');
    is($client->request('POST', '/min?k=b1', 'x' x 10000)->{status}, 429,
       'a body is discarded');
    is($client->get('/inherit/off')->{status}, 200, 'connection is kept');
}


sub several {
    my $r = $nginx->get('/three?k=s1&z=s1');

    is($r->{status}, 200, 'three limits');
    is($r->{header}{'ratelimit-policy'},
       '"cost";q=1;w=60;gw-burst=9, "second";q=2;w=60;gw-burst=1, '
       . '"third";q=1;w=60', 'policies of all');
    is($r->{header}{ratelimit}, '"third";r=0;t=60', 'the one that is spent');

    is($nginx->get('/three?k=s1&z=s1')->{status}, 429, 'the third rejects')
        for 1 .. 3;

    $r = $nginx->get('/three?k=s1&z=s2');
    is($r->{status}, 200,
       'A11 a rejected request took nothing from the first two');
    is(limit($r)->{remaining}, 0, 'second is spent now');
    is($nginx->get('/cost?k=s1&c=8')->{status}, 200,
       'A11 first has exactly the rest');
    is($nginx->get('/cost?k=s1&c=1')->{status}, 429, 'and no more');

    $r = $nginx->get('/three?z=s3');
    is($r->{header}{'ratelimit-policy'}, '"third";q=1;w=60',
       'a limit with an empty key is not there');
    is($nginx->get('/three?k=s4')->{header}{ratelimit}, '"second";r=1;t=30',
       'nearest to exhaustion: a half is less than nine tenths');
}


sub delays {
    my @start = map { $nginx->begin('/delay?k=d1') } 1 .. 7;
    my @r = map { $nginx->finish($_) } @start;
    my @ok = sort { $a->{time} <=> $b->{time} }
             grep { $_->{status} == 200 } @r;

    is(scalar(@ok), 6, 'one and the burst pass');
    is(scalar(grep { $_->{status} == 429 } @r), 1, 'the others do not')
        or diag(join(' ', map { $_->{status} } @r));

    cmp_ok($ok[5]{time}, '>', 0.4, 'the last one waits for its turn');

    like(limit($ok[5])->{status}, qr/^DELAYED$/, 'DELAYED');
    like(limit($ok[5])->{delay}, qr/^0\.[345]\d\d$/, '$gw_limit_delay');

    @start = map { $nginx->begin('/partly?k=d2') } 1 .. 4;
    @r = map { $nginx->finish($_) } @start;

    is(join(' ', sort map { limit($_)->{status} } @r),
       'DELAYED PASSED PASSED PASSED', 'delay=2 lets two pass at once');

    # K10

    @start = map { $nginx->begin('/late') } 1 .. 40;
    @r = map { $nginx->finish($_) } @start;

    my %n;
    $n{limit($_)->{status}}++ for @r;

    cmp_ok($n{DELAYED} || 0, '<=', 2 * 8 + 4, 'K10 few are parked at a time');
    cmp_ok($n{DELAYED} || 0, '>=', 8, 'but some are');
    cmp_ok($n{REJECTED} || 0, '>=', 15, 'the others are rejected');

    my ($rejected) = grep { $_->{status} == 429 } @r;
    is($rejected->{header}{'retry-after'}, 1, 'with Retry-After');

    sleep(1.1);
    is(limit($nginx->get('/late'))->{status}, 'PASSED',
       'the rejected ones took nothing');
}


sub costs {
    my $get = sub {
        my ($k, $c) = @_;
        my $r = $nginx->get("/cost?k=$k&c=$c");
        return "$r->{status} " . limit($r)->{remaining};
    };

    is($get->('c1', 4), '200 6', 'K11 cost 4');
    is($get->('c1', 0), '200 6', 'K11 cost 0 takes nothing');
    is($get->('c1', 6), '200 0', 'the rest');
    is($get->('c1', 0), '429 0', 'K11 cost 0 is rejected when nothing is left');
    is($get->('c2', 11), '429 10', 'K11 more than the bucket');

    for my $c (11, 1000000000, '9223372036854775808', '9' x 40) {
        my $r = $nginx->get("/cost?k=c2&c=$c");
        is($r->{status}, 429, "K11 cost $c never fits");
        ok(!exists $r->{header}{'retry-after'}, 'so no Retry-After');
        is($r->{header}{ratelimit}, '"cost";r=10', 'the bucket is full');
    }

    is($get->('c3', ''), '200 9', 'no cost is 1');

    my $bad = 0;

    for my $c (qw(-1 abc 1e9 1.5 0x10 +1), '%201') {
        $bad++ if $get->('c4', $c) =~ /^200/;
    }

    is($bad, 7, 'K11 what is no number costs 1');
    is($get->('c4', 3), '200 0', 'and is charged');

    my @lines = $nginx->log =~ /(\[error\].*cost of a gw_limit.*)/g;
    cmp_ok(scalar(@lines), '<=', 2, 'K11 one line a minute and worker');
    cmp_ok(scalar(@lines), '>=', 1, 'at least');

    is(join(' ', map { $nginx->get('/fixed?k=c5')->{status} } 1 .. 3),
       '200 200 429', 'a constant cost');
    is($nginx->get('/fixed?k=c5')->{header}{'retry-after'}, 120,
       'Retry-After of two units');
}


sub keys_ {
    my $line = sub {
        my ($key) = @_;
        my $c = GW::Client->new($nginx->{port});
        $c->send("GET /header HTTP/1.1\r\nHost: x\r\nX-Key: $key\r\n\r\n");
        return $c->read;
    };

    # K1, those that a request line may have

    my @odd = ('%00', '%0d%0a', '}{', '%ff', '%20', '*3%5cr%5cn', '%25s%25n',
               'a:b', '%E2%82%AC', '"');

    is(statuses(map { "/keys?key=$_" } @odd), join(' ', (200) x @odd),
       'K1 odd keys are keys');
    is(statuses(map { "/keys?key=$_" } @odd), join(' ', (429) x @odd),
       'K1 each its own');
    is($line->("a\xff\x01b;c\td")->{status}, 200, 'K1 bytes');
    is($line->("a\xff\x01b;c\td")->{status}, 429, 'K1 the same bytes');
    is($line->("a\xff\x01b;c\te")->{status}, 200, 'K1 other bytes');

    # K2

    my $long = 'k' x 65000;

    is($line->($long)->{status}, 200, 'K2 a key of 64 kB');
    is($line->($long)->{status}, 429, 'K2 is limited');
    is($line->(('k' x 64999) . 'j')->{status}, 200, 'K2 to its last byte');
    unlike($nginx->log, qr/k{200}.*zone/, 'K2 and is not logged by us');

    # K3

    my $r = $nginx->get('/keys');
    is($r->{status}, 200, 'K3 an empty key is not limited');
    is($nginx->get('/keys')->{status}, 200, 'K3 never');
    is(limit($r)->{status}, 'NOKEY', 'K3 NOKEY');
    ok(!exists $r->{header}{ratelimit}, 'K3 no fields');
}


sub answers {
    $nginx->get('/quiet?k=q');
    my $r = $nginx->get('/quiet?k=q');

    is($r->{status}, 503, 'gw_limit_status');
    like($r->{body}, qr/<html>/, 'gw_limit_body off');
    is(join(' ', grep { /rate|retry/ } keys(%{$r->{header}})), '',
       'no fields');

    $nginx->get('/444?k=q4');
    $r = $nginx->get('/444?k=q4');
    is($r->{text}, '', '444 closes the connection');
}


sub dry_run {
    my @r = map { $nginx->get('/dry?k=y') } 1 .. 4;

    is(join(' ', map { $_->{status} } @r), '200 200 200 200',
       'dry run: all pass');
    is(join(' ', map { limit($_)->{status} } @r),
       'PASSED DELAYED_DRY_RUN REJECTED_DRY_RUN REJECTED_DRY_RUN',
       'but it is known');
    is(join(' ', map { grep { /rate|retry/ } keys(%{$_->{header}}) } @r), '',
       'the client is told nothing');
    cmp_ok($r[1]{time}, '<', 1, 'and does not wait');
    is(limit($r[3])->{remaining}, 0, 'variables are there');
}


sub metrics {
    my $value = sub {
        my ($policy, $result) = @_;
        my ($n) = $nginx->get('/m')->{body} =~
            /^gw_limit_requests_total\{policy="$policy",result="$result",source="shm"\} (\d+)/m;
        return defined $n ? $n : -1;
    };

    my $before = $value->('keys', 'rejected');
    my $passes = $value->('keys', 'passed');

    statuses('/keys?key=m', '/keys?key=m', '/keys?key=m');

    is($value->('keys', 'passed') - $passes, 1, 'passed is counted');
    is($value->('keys', 'rejected') - $before, 2, 'rejected is counted');
    cmp_ok($value->('min', 'rejected_dry_run'), '==', 2, 'so is a dry run');
    cmp_ok($value->('ten', 'delayed'), '>=', 5, 'and a delay');
}


sub log_levels {
    my $log = $nginx->log;

    like($log, qr/\[error\].*request rejected, excess: 0\.\d{3}, zone "min"/,
         'a rejection is an error');
    like($log, qr/\[warn\].*request delayed for \d+ ms, excess: [\d.]+, /,
         'a delay is one level lower');
    like($log, qr/\[warn\].*request rejected, excess: [\d.]+, zone "min".*quiet/,
         'gw_limit_log_level');
    like($log, qr/\[error\].*request rejected, dry run, excess: /, 'dry run');
    unlike($log, qr/\[alert\]|\[emerg\]|\[crit\]/, 'nothing worse');
}
