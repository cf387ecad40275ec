#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Limits of requests in progress, in shared memory: what is decided, what the
# client is told, what is logged and counted.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Hold;
use GW::Nginx;
use Test::More;

my $hold = GW::Hold->new;
my $vars = '$gw_concurrency_status $gw_concurrency_current';

my $nginx = GW::Nginx->new(workers => 2, http => <<"END");
    map \$arg_plan \$limit { default 2; gold 4; none unlimited; stop 0;
                             empty ""; wrong 2x; }

    limit_conn_zone \$arg_k zone=n:1m;
    limit_conn_status 429;
    gw_concurrency_zone \$arg_k zone=g:1m;

    gw_concurrency_zone \$arg_k zone=k:1m;
    gw_concurrency_zone \$arg_j zone=j:1m policy=jobs;
    gw_concurrency_zone \$arg_k zone=dry:1m;
    gw_concurrency_zone \$arg_k zone=last:1m;
    gw_limit_zone \$arg_r zone=rate:1m rate=60r/m burst=1;
    gw_limit_zone \$arg_k zone=free:1m rate=1000r/s burst=999;

    server {
        listen 127.0.0.1:%%PORT%%;
        proxy_read_timeout 60s;
        add_header X-C "$vars" always;
        gw_limit_body off;
        set \$up http://127.0.0.1:$hold->{port};

        location /limit_conn {
            limit_conn n 3;
            proxy_pass \$up;
        }
        location /like {
            gw_concurrency zone=g limit=3 phase=preaccess;
            proxy_pass \$up;
        }

        location /two { gw_concurrency zone=k limit=2; proxy_pass \$up; }
        location /plan { gw_concurrency zone=k limit=\$limit; proxy_pass \$up; }
        location /strict {
            gw_limit_on_error reject=509;
            gw_concurrency zone=k limit=\$limit;
            proxy_pass \$up;
        }
        location /both {
            gw_concurrency zone=k limit=5;
            gw_concurrency zone=j limit=1;
            proxy_pass \$up;
        }
        location /one { gw_concurrency zone=k limit=1; proxy_pass \$up;
            location /one/off { gw_concurrency off; proxy_pass \$up; }
        }
        location /body { gw_concurrency zone=j limit=1; gw_limit_body problem;
            gw_concurrency_status 503; proxy_pass \$up; }
        location /if { gw_concurrency zone=k limit=1 if=\$arg_on;
            proxy_pass \$up; }
        location /shadow {
            gw_concurrency zone=dry limit=1 shadow;
            gw_concurrency zone=k limit=3;
            proxy_pass \$up;
        }
        location /dry {
            gw_limit_dry_run on;
            gw_limit_log_level notice;
            gw_concurrency zone=dry limit=1;
            gw_concurrency zone=k limit=3;
            proxy_pass \$up;
        }
        location /quiet { gw_limit_headers off; gw_concurrency zone=k limit=2;
            proxy_pass \$up; }
        location /rated {
            gw_limit zone=rate;
            gw_concurrency zone=k limit=2;
            proxy_pass \$up;
        }
        location /fields {
            gw_limit zone=free nodelay;
            gw_concurrency zone=k limit=2;
            gw_concurrency zone=j limit=4;
            proxy_pass \$up;
        }

        # internal redirects

        location /redirect { gw_concurrency zone=k limit=1;
            try_files /none /one; }
        location /page { gw_concurrency zone=k limit=1;
            error_page 429 = /two; proxy_pass \$up; }
        location /missing { gw_concurrency zone=k limit=2;
            error_page 404 = /one; }
        location /denied { deny all; gw_concurrency zone=k limit=1;
            error_page 403 = /errors; }
        location /errors { gw_concurrency zone=j limit=0; empty_gif; }
        location /limited { gw_limit zone=rate nodelay;
            gw_concurrency zone=k limit=1; error_page 429 = /errors; }

        # subrequests

        location /parent { gw_concurrency zone=k limit=1; auth_request /sub;
            proxy_pass \$up; }
        location /sub { gw_concurrency zone=k limit=1; empty_gif; }

        location = /m { gw_metrics prometheus; }
        location /current { gw_concurrency zone=k limit=100; empty_gif; }
    }
END


sub begin {
    my ($path) = @_;

    return $hold->begin($nginx, $path);
}


# how many of a key are held in zone k

sub current {
    my ($key) = @_;

    my ($n) = $nginx->get("/current?k=$key")->{header}{'x-c'} =~ /(\d+)$/;

    return $n - 1;
}


sub metric {
    my ($name) = @_;

    my ($n) = $nginx->get('/m')->{body} =~ /^\Q$name\E (\d+)/m;

    return $n;
}


parity();
limits();
plans();
levels();
silent();
told();
order();
redirects();
metrics();

unlike($nginx->log, qr/\[(alert|crit|emerg)\]/, 'clean log');
done_testing();


# the same requests meet limit_conn and gw_concurrency

sub parity {
    my (%held, $different, $rejected);
    my $seed = 4711;

    $different = $rejected = 0;

    for my $step (1 .. 120) {
        $seed = ($seed * 1103515245 + 12345) % 2147483648;
        my $key = ($seed >> 12) % 3;
        my $pairs = $held{$key} ||= [];

        if (@$pairs && ($seed >> 20) % 5 < 2) {
            my $pair = splice(@$pairs, ($seed >> 8) % @$pairs, 1);

            if ($seed >> 24 & 1) {
                $hold->answer($_) for @$pair;
            } else {
                $hold->abort($_) for @$pair;
            }

            next;
        }

        my @pair = (begin("/limit_conn?k=$key"), begin("/like?k=$key"));
        my @status = map { $_->{held} ? 'held' : $_->{reply}{status} } @pair;

        if ($status[0] ne $status[1]) {

            # another worker may still be about to end what was answered

            $hold->abort($_) for grep { $_->{held} } @pair;
            select(undef, undef, undef, 0.3);

            @pair = (begin("/limit_conn?k=$key"), begin("/like?k=$key"));
            @status = map { $_->{held} ? 'held' : $_->{reply}{status} } @pair;
        }

        $different++ if $status[0] ne $status[1];
        $rejected++ if $status[1] eq '429';
        push(@$pairs, \@pair) if $status[0] eq 'held';
    }

    is($different, 0, 'decisions are those of limit_conn');
    cmp_ok($rejected, '>', 10, "of 120 requests $rejected were rejected");

    for my $pair (map { @$_ } values %held) {
        $hold->abort($_) for @$pair;
    }
}


sub limits {
    my @held = map { begin('/two?k=l') } 1, 2;

    ok($held[0]{held} && $held[1]{held}, 'two are in progress');

    my $reply = begin('/two?k=l')->{reply};
    is($reply->{status}, 429, 'the third is rejected');
    is($reply->{header}{'x-c'}, 'REJECTED 2', 'and says how many');
    like($nginx->log, qr/\[error\].*request rejected, in progress: 2, zone "k"/,
         'it is logged');

    ok(begin('/two?k=other')->{held}, 'another key');
    ok(begin('/two')->{held}, 'no key, no limit') for 1 .. 3;

    $reply = $hold->answer(shift @held);
    is($reply->{header}{'x-c'}, 'PASSED 1', 'the first one was alone');
    ok($nginx->until(5, sub { current('l') == 1 }), 'it is out');

    push(@held, begin('/two?k=l'));
    ok($held[-1]{held}, 'another one passes');

    $hold->abort($_) for @held;
    ok($nginx->until(5, sub { current('l') == 0 }), 'aborted ones are out');

    # a reply that is long over does not count on a connection kept alive

    is($nginx->get('/current?k=l')->{header}{'x-c'}, 'PASSED 1',
       'nothing is left');
}


sub plans {
    my @held = map { begin('/plan?k=p') } 1, 2;

    is(begin('/plan?k=p')->{reply}{status}, 429, 'the default plan');
    push(@held, begin('/plan?k=p&plan=gold'));
    ok($held[-1]{held}, 'a larger one');
    push(@held, map { begin("/plan?k=p&plan=$_") } qw(none none empty));
    is(scalar(grep { $_->{held} } @held), 6, 'no limit');
    is(current('p'), 6, 'which count, too');
    is(begin('/plan?k=p&plan=gold')->{reply}{header}{'x-c'}, 'REJECTED 6',
       'for those who have one');
    is(begin('/plan?k=fresh&plan=stop')->{reply}{status}, 429, '0 rejects all');

    push(@held, begin('/plan?k=p&plan=wrong'));
    ok($held[-1]{held}, 'a limit that is no number is none');
    push(@held, map { begin('/plan?k=p&plan=wrong') } 1 .. 5);
    my @said = $nginx->log =~ /\[error\].*the limit of a gw_concurrency of zone "k" is not a number, the request is not limited/g;
    like(scalar(@said), qr/^[12]$/, 'which is told once by each worker');
    is(begin('/strict?k=p&plan=wrong')->{reply}{status}, 509,
       'or as gw_limit_on_error says');

    $hold->abort($_) for @held;
}


sub levels {
    my $first = begin('/one?k=i');

    ok(begin('/one/off?k=i')->{held}, 'gw_concurrency off');
    is(begin('/one/x?k=i')->{reply}{status}, 429, 'inherited');
    $hold->abort($first);

    my @held = (begin('/both?k=b&j=1'), begin('/both?k=b&j=2'));
    is(begin('/both?k=b&j=1')->{reply}{header}{'x-c'}, 'REJECTED 1',
       'the second limit rejects');
    is(current('b'), 2, 'the first one holds nothing of that');
    $hold->abort($_) for @held;

    my $held = begin('/if?k=c&on=1');
    is(begin('/if?k=c&on=yes')->{reply}{status}, 429, 'if= applies');
    my @free = map { begin("/if?k=c&on=$_") } '', 0;
    ok($free[0]{held} && $free[1]{held}, 'if= does not apply');
    is(current('c'), 1, 'and nothing is counted');
    $hold->abort($_) for $held, @free;

    $held = begin('/body?j=body');
    my $reply = begin('/body?j=body')->{reply};
    is($reply->{status}, 503, 'gw_concurrency_status');
    is($reply->{header}{'content-type'}, 'application/problem+json', 'a body');
    like($reply->{body}, qr/#quota-exceeded".*"status":503,"violated-policies":\["jobs"\]\}$/,
         'of the policy');
    is($reply->{header}{'retry-after'}, undef, 'nobody knows when to retry');
    $hold->abort($held);
}


sub silent {
    my @held = map { begin('/shadow?k=s') } 1 .. 3;

    is(scalar(grep { $_->{held} } @held), 3, 'shadow rejects nothing');
    is(begin('/shadow?k=s')->{reply}{header}{'x-c'}, 'REJECTED 3',
       'the other limit does');
    my $reply = $hold->answer($held[1]);
    is($reply->{header}{'x-c'}, 'REJECTED_DRY_RUN 1', 'but it is told');
    is($reply->{header}{'ratelimit-policy'},
       '"k";q=3;qu="concurrent-requests"', 'not to the client');
    like($nginx->log, qr/\[error\].*request rejected, shadow, in progress: 1, zone "dry"/,
         'it is logged');
    $hold->abort($_) for @held[0, 2];

    @held = map { begin('/dry?k=d') } 1 .. 3;
    is(scalar(grep { $_->{held} } @held), 3, 'a dry run rejects nothing');
    is(current('d'), 1, 'what it would reject is not in progress');
    like($nginx->log, qr/\[notice\].*request rejected, dry run, in progress: 1, zone "dry"/,
         'it is logged at the level');
    $reply = $hold->answer($held[2]);
    is($reply->{header}{'x-c'}, 'REJECTED_DRY_RUN 1', 'dry run');
    is($reply->{header}{ratelimit}, undef, 'no field');
    $hold->abort($_) for @held[0, 1];
}


sub told {
    my @held = begin('/fields?k=f&j=f');
    my $reply = $hold->answer(begin('/fields?k=f&j=g'));

    is($reply->{header}{'ratelimit-policy'},
       '"free";q=1000;w=1;gw-burst=999, "k";q=2;qu="concurrent-requests", '
       . '"jobs";q=4;qu="concurrent-requests"', 'all policies');
    is($reply->{header}{ratelimit}, '"k";r=0', 'the nearest limit');

    push(@held, begin('/two?k=f'));
    $reply = begin('/fields?k=f&j=h')->{reply};
    is($reply->{header}{ratelimit}, '"k";r=0', 'of a rejection');
    is($reply->{header}{'retry-after'}, undef, 'without a time');
    is(begin('/quiet?k=f')->{reply}{header}{ratelimit}, undef, 'headers off');

    $hold->abort($_) for @held;
}


sub order {
    my $held = begin('/rated?k=o&r=o');

    # this one waits for its turn of the rate; it is not in progress yet

    my $waiting = $nginx->begin('/rated?k=o&r=o');
    is($nginx->get('/rated?k=o&r=o')->{status}, 429, 'a rate rejects first');
    is(current('o'), 1, 'a delayed request is not in progress');
    ok(IO::Select->new($hold->{sock})->can_read(10), 'its turn comes');
    $waiting->{up} = $hold->{sock}->accept;
    is(current('o'), 2, 'then it is');

    $hold->abort($_) for $held, $waiting;
}


sub redirects {
    my $held = begin('/redirect?k=r');
    ok($held->{held}, 'a redirect to a location with the limit');
    is(current('r'), 1, 'counts once');
    $hold->abort($held);

    $held = begin('/missing?k=m');
    is(current('m'), 1, 'an error page that is a location counts once')
        if ok($held->{held}, 'error_page 404');
    $hold->abort($held);

    $held = begin('/page?k=e');
    my $page = begin('/page?k=e');
    ok($page->{held}, 'the page of a rejection is not limited');
    is(current('e'), 1, 'and not counted');
    is($hold->answer($page)->{header}{'x-c'}, 'REJECTED 1',
       'the status is that of the rejection');
    $hold->abort($held);

    is($nginx->get('/denied?j=d')->{status}, 200,
       'the page of a refusal is not limited');
    $nginx->get('/limited?r=once&k=x') for 1 .. 2;
    is($nginx->get('/limited?r=once&k=x&j=d')->{status}, 200,
       'nor that of another limit');

    $held = begin('/parent?k=sub');
    ok($held->{held}, 'subrequests are not limited');
    is(current('sub'), 1, 'and not counted');
    $hold->abort($held);
}


sub metrics {
    my $held = begin('/body?j=metrics');

    begin('/body?j=metrics') for 1, 2;

    is(metric('gw_concurrency_in_progress{policy="jobs"}'), 1,
       'requests in progress');
    cmp_ok(metric('gw_concurrency_requests_total{policy="jobs",result="rejected"}'),
           '>=', 3, 'rejections');
    cmp_ok(metric('gw_concurrency_requests_total{policy="jobs",result="passed"}'),
           '>=', 3, 'passed');
    cmp_ok(metric('gw_concurrency_requests_total{policy="dry",result="rejected_dry_run"}'),
           '==', 5, 'dry runs');
    cmp_ok(metric('gw_concurrency_requests_total{policy="k",result="error_passed"}'),
           '==', 6, 'limits that are no number');
    is(metric('gw_concurrency_requests_total{policy="k",result="error_rejected"}'),
       1, 'of a strict location');
    cmp_ok(metric('gw_zone_slots{zone="j"}'), '>', 20000, 'slots');
    cmp_ok(metric('gw_zone_keys{zone="j"}'), '>', 0, 'keys');
    is(metric('gw_concurrency_uncounted_total{zone="j"}'), 0, 'uncounted');

    $hold->abort($held);
}
