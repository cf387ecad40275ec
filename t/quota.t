#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# Quotas in shared memory: what is decided, what the client is told, what is
# logged and counted.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Hold;
use GW::Nginx;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

my $hold = GW::Hold->new;


sub http {
    my (%opt) = @_;

    my $key = $opt{key} || '$arg_k';
    my $quota = $opt{quota} || 3;

    return <<"END";
    map \$arg_plan \$plan { default 2; gold 5; none unlimited; stop 0;
                            empty ""; wrong 2x; }

    gw_quota_zone $key zone=three:1m quota=$quota period=month;
    gw_quota_zone \$arg_k zone=plan:1m quota=\$plan period=day
                  timezone=Europe/Berlin policy=daily;
    gw_quota_zone \$arg_j zone=j:1m quota=1 period=year;
    gw_quota_zone \$arg_k zone=ten:1m quota=10 period=week;
    gw_quota_zone \$arg_k zone=billing:1m quota=10 period=month
                  anchor=\$arg_since;
    gw_quota_zone \$arg_k zone=fixed:1m quota=10 period=30d;
    gw_quota_zone \$arg_k zone=race:1m quota=200 period=year;
    gw_limit_zone \$arg_k zone=rate:1m rate=1r/m burst=9;
    gw_concurrency_zone \$arg_k zone=c:1m;

    server {
        listen 127.0.0.1:%%PORT%%;
        proxy_read_timeout 60s;
        add_header X-Q "\$gw_quota_status \$gw_quota_used \$gw_quota_remaining" always;
        add_header X-W "\$gw_quota_warning" always;
        add_header X-R "\$gw_quota_reset" always;
        add_header X-L "\$gw_limit_remaining" always;

        location /three { gw_quota zone=three; empty_gif;
            location /three/off { gw_quota off; empty_gif; } }
        location /pre { gw_quota zone=three phase=preaccess; empty_gif; }
        location /plan { gw_quota zone=plan; empty_gif; }
        location /strict { gw_limit_on_error reject=509; gw_quota zone=plan;
            empty_gif; }
        location /both { gw_quota zone=three; gw_quota zone=j; empty_gif; }
        location /cost { gw_quota zone=ten cost=\$arg_c; empty_gif; }
        location /warn { gw_quota zone=ten warn=80%; empty_gif; }
        location /over { gw_quota zone=three overage warn=50%; empty_gif; }
        location /if { gw_quota zone=three if=\$arg_on; empty_gif; }
        location /shadow { gw_quota zone=three shadow; empty_gif; }
        location /dry { gw_limit_dry_run on; gw_quota zone=three; empty_gif; }
        location /forbid { gw_quota zone=three; gw_quota_status 403;
            gw_limit_headers off; empty_gif; }
        location /billing { gw_quota zone=billing; empty_gif; }
        location /fixed { gw_quota zone=fixed; empty_gif; }
        location /race { gw_quota zone=race; empty_gif; }
        location /rate { gw_limit zone=rate nodelay; gw_quota zone=three;
            empty_gif; }
        location /shield { gw_limit zone=rate nodelay phase=preaccess;
            gw_quota zone=three; empty_gif; }
        location /held { gw_concurrency zone=c limit=1; gw_quota zone=three;
            proxy_pass http://127.0.0.1:$hold->{port}; }
        location /current { gw_concurrency zone=c limit=1; empty_gif; }
        location /page { gw_quota zone=three; error_page 429 = /errors; empty_gif; }
        location /errors { gw_quota zone=j; empty_gif; }
        location /denied { deny all; gw_quota zone=three; }
        location /try { gw_quota zone=three; try_files /none /three; }
        location = /m { gw_metrics prometheus; }
    }
END
}

my $nginx = GW::Nginx->new(workers => 2, http => http());


sub q_ {
    my ($path) = @_;

    my $reply = $nginx->get($path);

    return "$reply->{status} " . ($reply->{header}{'x-q'} || '');
}


sub metric {
    my ($name) = @_;

    my ($n) = $nginx->get('/m')->{body} =~ /^\Q$name\E (\d+)/m;

    return $n;
}


# it counts

is(q_('/three?k=a'), '200 OK 1 2', 'one');
is(q_('/three?k=a'), '200 OK 2 1', 'two');
is(q_('/pre?k=a'), '200 OK 3 0', 'three');

my $reply = $nginx->get('/three?k=a');
my @now = gmtime;
my $end;
{
    local $ENV{TZ} = 'UTC';
    POSIX::tzset();
    $end = POSIX::mktime(0, 0, 0, 1, $now[4] + 1, $now[5]);
}
my $left = $end - time();

is("$reply->{status} $reply->{header}{'x-q'}", '429 EXCEEDED 3 0', 'not four');
cmp_ok(abs($reply->{header}{'retry-after'} - $left), '<', 5,
       'until the end of the month');
cmp_ok(abs($reply->{header}{'x-r'} - $left), '<', 5, 'so says the variable');
like($reply->{header}{'ratelimit-policy'}, qr/^"three";q=3;w=(24|25|26)\d{5}$/,
     'policy');
like($reply->{header}{ratelimit}, qr/^"three";r=0;t=\d+$/, 'state');
like($reply->{body}, qr/#quota-exceeded".*"status":429,"violated-policies":\["three"\]\}$/,
     'a problem');
like($nginx->log, qr/\[error\].*request rejected, 3 of quota 3 used, zone "three"/,
     'it is logged');
is(q_('/three?k=b'), '200 OK 1 2', 'another key');
is(q_('/three'), '200 ', 'no key');
is(q_('/three/off?k=a'), '200 ', 'gw_quota off');
is(q_('/three/x?k=a'), '429 EXCEEDED 3 0', 'inherited');
$reply = $nginx->get('/forbid?k=a');
is($reply->{status}, 403, 'gw_quota_status');
is($reply->{header}{ratelimit}, undef, 'no headers');

# plans

is(q_('/plan?k=p'), '200 OK 1 1', 'a plan');
q_('/plan?k=p');
is(q_('/plan?k=p'), '429 EXCEEDED 2 0', 'used up');
is(q_('/plan?k=p&plan=gold'), '200 OK 3 2', 'a better one works at once');
is(q_('/plan?k=p&plan=none'), '200 ', 'no limit');
is(q_('/plan?k=p&plan=empty'), '200 ', 'an empty one');
is(q_('/plan?k=z&plan=stop'), '429 EXCEEDED 0 0', 'none at all');
is($nginx->get('/plan?k=z&plan=stop')->{header}{'retry-after'}, undef,
   'and never');
is(q_('/plan?k=p&plan=wrong'), '200 ', 'what is no number is no limit');
is(q_('/strict?k=p&plan=wrong'), '509 ', 'unless errors are to be rejected');
q_('/plan?k=p&plan=wrong') for 1 .. 5;
my @said = $nginx->log =~ /\[error\].*the quota of a gw_quota_zone "plan" is not a number/g;
like(scalar(@said), qr/^[12]$/, 'it is told once by each worker');

{
    local $ENV{TZ} = 'Europe/Berlin';
    POSIX::tzset();
    my @local = localtime;
    my $next = POSIX::mktime(0, 0, 0, $local[3] + 1, $local[4], $local[5],
                             0, 0, -1);
    my $reply = $nginx->get('/plan?k=tz');
    cmp_ok(abs($reply->{header}{'x-r'} - ($next - time())), '<', 5,
           'a day of its time zone');
}
POSIX::tzset();

# costs

is(q_('/cost?k=c&c=4'), '200 OK 4 6', 'a cost');
is(q_('/cost?k=c&c=7'), '429 EXCEEDED 4 6', 'that does not fit takes nothing');
is(q_('/cost?k=c&c=0'), '200 OK 4 6', '0 looks');
is(q_('/cost?k=c'), '200 OK 5 5', 'empty is 1');
is(q_('/cost?k=c&c=x'), '200 OK 6 4', 'so is what is no number');
is(q_('/cost?k=c&c=4'), '200 OK 10 0', 'all');
is(q_('/cost?k=c&c=0'), '429 EXCEEDED 10 0', '0 needs one');
is($nginx->get('/cost?k=d&c=11')->{header}{'retry-after'}, undef,
   'what never fits need not be tried');

# warnings, overage

q_('/warn?k=w') for 1 .. 7;
$reply = $nginx->get('/warn?k=w');
is("$reply->{header}{'x-q'} $reply->{header}{'x-w'}", 'WARN 8 2 ten',
   'a warning');
is(q_('/over?k=o'), '200 OK 1 2', 'below');
is(q_('/over?k=o'), '200 WARN 2 1', 'warned');
q_('/over?k=o');
is(q_('/over?k=o'), '200 OVERAGE 4 0', 'above passes');
is(q_('/three?k=o'), '429 EXCEEDED 4 0', 'where it may');

# all or nothing

is(q_('/both?k=n&j=n'), '200 OK 1 0', 'two quotas');
is(q_('/both?k=n&j=n'), '429 EXCEEDED 1 0', 'the second rejects');
is(q_('/three?k=n'), '200 OK 2 1', 'the first took nothing of it');

q_('/three?k=r') for 1 .. 3;
is($nginx->get('/rate?k=r')->{status}, 429, 'a quota rejects');
is($nginx->get('/rate?k=r2')->{header}{'x-l'}, 9, 'a rate of another key');
$nginx->get('/rate?k=r') for 1 .. 20;
is($nginx->get('/rate?k=r')->{header}{'x-q'}, 'EXCEEDED 3 0',
   'the rate is not used up by what a quota rejects');

is($nginx->get('/shield?k=r')->{header}{'x-l'}, 9, 'the first of ten');
$nginx->get('/shield?k=r') for 1 .. 9;
is($nginx->get('/shield?k=r')->{header}{'x-q'}, '',
   'that of an earlier phase is, and rejects first');

q_('/three?k=h') for 1 .. 3;
is($nginx->get('/held?k=h')->{status}, 429, 'a quota rejects');
is($nginx->get('/current?k=h')->{status}, 200, 'and nothing is in progress');
my $held = $hold->begin($nginx, '/held?k=i');
is($nginx->get('/held?k=i')->{status}, 429, 'too many in progress');
is(q_('/three?k=i'), '200 OK 2 1', 'take nothing of a quota');
$hold->abort($held);

# exceptions

is(q_('/if?k=e'), '200 ', 'if=');
is(q_('/if?k=e&on=1'), '200 OK 1 2', 'if=1');
q_('/three?k=s') for 1 .. 3;
$reply = $nginx->get('/shadow?k=s');
is("$reply->{status} $reply->{header}{'x-q'}", '200 EXCEEDED 3 0', 'shadow');
is($reply->{header}{ratelimit}, undef, 'is not told to the client');
like($nginx->log, qr/request rejected, shadow, 3 of quota 3 used/, 'but logged');
is(q_('/dry?k=s'), '200 EXCEEDED 3 0', 'dry run');
is(q_('/dry?k=fresh'), '200 OK 1 2', 'counts');

# internal redirects

is(q_('/try?k=t'), '200 OK 1 2', 'a redirect counts once');
q_('/three?k=g') for 1 .. 3;
is($nginx->get('/page?k=g&j=g')->{status}, 200, 'the page of a rejection');
is(q_('/both?k=g2&j=g'), '200 OK 1 0', 'takes nothing');
is($nginx->get('/denied?k=den')->{status}, 403, 'N12 who is refused');
is(q_('/three?k=den'), '200 OK 1 2', 'N12 takes nothing');

# anchors

my $since = time() - 40 * 86400;
my $day = (gmtime($since))[3];
$reply = $nginx->get("/billing?k=1&since=" . int($since));
my $starts = strftime('%d', gmtime(time() + $reply->{header}{'x-r'} + 2));
ok($starts == $day || $starts >= 28, "a billing month begins at day $day");
$reply = $nginx->get('/fixed?k=1');
is($reply->{header}{'x-r'}, 30 * 86400, '30 days from the first use');
sleep(1.1);
cmp_ok($nginx->get('/fixed?k=1')->{header}{'x-r'}, '<', 30 * 86400, 'go on');

# A10: a race on the last unit

my @pids = map {
    my $pid = fork();
    if ($pid == 0) {
        my $client = GW::Client->new($nginx->{port});
        my $passed = grep { $client->get('/race?k=x')->{status} == 200 }
                     1 .. 100;
        POSIX::_exit($passed);
    }
    $pid;
} 1 .. 4;
my $passed = 0;
for (@pids) { waitpid($_, 0); $passed += $? >> 8; }
is($passed, 200, 'A10 exactly the quota, of 400 by 4 clients');

# metrics

cmp_ok(metric('gw_quota_requests_total{policy="three",result="passed"}'), '>',
       20, 'passed');
cmp_ok(metric('gw_quota_requests_total{policy="three",result="rejected"}'),
       '>', 5, 'rejected');
is(metric('gw_quota_requests_total{policy="three",result="overage"}'), 1,
   'overage');
is(metric('gw_quota_requests_total{policy="ten",result="warned"}'), 1,
   'warned');
is(metric('gw_quota_requests_total{policy="three",result="rejected_dry_run"}'),
   2, 'dry runs');
is(metric('gw_quota_requests_total{policy="race",result="rejected"}'), 200,
   'A10 rejected');
is(metric('gw_zone_keys{zone="race"}'), 1, 'keys');

# reloads, killed workers

my %old = map { $_ => 1 } $nginx->workers;
$nginx->configure(http(quota => 4));
$nginx->reload;
$nginx->until(5, sub { !grep { $old{$_} } $nginx->workers });
is(q_('/three?k=a'), '200 OK 4 0', 'N3 a reload keeps what was used');
kill('KILL', $nginx->workers);
ok($nginx->until(5, sub { q_('/three?k=a') eq '429 EXCEEDED 4 0' }),
   'N5 so does a killed worker');
$nginx->configure(http(key => '$arg_other'));
$nginx->reload;
ok($nginx->until(3, sub {
    $nginx->log =~ /gw_quota_zone "three" uses the "\$arg_other" key while previously it used the "\$arg_k" key/
}), 'N4 another key is refused');

my @bad = grep { !/exited on signal 9|while previously/ }
          $nginx->log =~ /^(.*\[(?:alert|crit|emerg)\].*)$/mg;
is(scalar(@bad), 0, 'clean log') or diag(@bad);
$nginx->stop;

done_testing();
