#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# A configuration with limit_req and limit_conn and the same one converted with
# the command of doc/migrating.md, in one nginx: the same requests get the same
# answers, and what the page says that differs does.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Client;
use GW::Hold;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

my $hold = GW::Hold->new;

# %%N%% is in the names of zones: they are two kinds of memory

my $zones = <<'END';
limit_req_zone $arg_k zone=slow%%N%%:1m rate=2r/m;
limit_req_zone $arg_j zone=other%%N%%:1m rate=1r/m;
limit_req_zone "$arg_k$arg_j" zone=fast%%N%%:1m rate=10r/s;
limit_conn_zone $arg_k zone=conn%%N%%:1m;
limit_conn_zone $server_name zone=all%%N%%:1m;
END

my $server = <<"END";
add_header X-S "\$limit_req_status \$limit_conn_status" always;
error_page 509 = /page;

location / { empty_gif; }
location /plain { limit_req zone=slow%%N%%; empty_gif; }
location /burst { limit_req zone=slow%%N%% burst=3 nodelay; empty_gif; }
location /fast { limit_req zone=fast%%N%% burst=4; empty_gif; }
location /delay { limit_req zone=fast%%N%% burst=6 delay=2; empty_gif; }
location /two {
    limit_req zone=slow%%N%% burst=3 nodelay;
    limit_req zone=other%%N%% burst=1 nodelay;
    empty_gif;
}
location /status {
    limit_req_status 598;
    limit_req  zone=slow%%N%%;
    empty_gif;
}
location /page { limit_req zone=slow%%N%%; empty_gif; }
location /redirect {
    limit_req_status 509;
    limit_req zone=slow%%N%% burst=1 nodelay;
    empty_gif;
}
location /dry { limit_req_dry_run on; limit_req zone=slow%%N%%; empty_gif; }
location /late { limit_req_dry_run on; limit_req zone=fast%%N%% burst=9;
    empty_gif; }
location /deny { limit_req zone=slow%%N%% burst=1 nodelay; deny all; }
location /level { limit_req_log_level warn; limit_req zone=slow%%N%%;
    empty_gif; }
location /in/ {
    limit_req zone=slow%%N%% burst=1 nodelay;
    limit_conn conn%%N%% 2;
    proxy_pass http://127.0.0.1:$hold->{port};

    location /in/same { proxy_pass http://127.0.0.1:$hold->{port}; }
    location /in/more {
        limit_req zone=slow%%N%% burst=9 nodelay;
        proxy_pass http://127.0.0.1:$hold->{port};
    }
}
location /conn { limit_conn conn%%N%% 2;
    proxy_pass http://127.0.0.1:$hold->{port}; }
location /conns {
    limit_conn_status 597;
    limit_conn conn%%N%% 3; limit_conn all%%N%% 4;
    proxy_pass http://127.0.0.1:$hold->{port};
}
location /conndry { limit_conn_dry_run on; limit_conn conn%%N%% 1;
    proxy_pass http://127.0.0.1:$hold->{port}; }
location /connlevel { limit_conn_log_level notice; limit_conn conn%%N%% 1;
    proxy_pass http://127.0.0.1:$hold->{port}; }
END


# what the page says, run by the shell

sub convert {
    my ($text) = @_;

    open(my $fh, '<', 'doc/migrating.md') or die;
    my $page = do { local $/; <$fh> };

    my ($command) = $page =~ /^(sed -E '\n[^']+') limits\.conf$/m
        or die 'no command in doc/migrating.md';

    my $name = GW::tmp_dir() . '/limits.conf';

    open($fh, '>', $name) or die;
    print $fh $text;
    close($fh);

    $text = `$command $name`;
    die 'the command failed' if $?;

    return $text;
}


sub name {
    my ($text, $name) = @_;

    return $text =~ s/%%N%%/$name/gr;
}


my @port = (0, GW::free_port());

my ($old_zones, $old) = map { name($_, '_old') } $zones, $server;
my ($new_zones, $new) = map { convert(name($_, '_new')) } $zones, $server;

for my $text ($new_zones, $new) {
    unlike($text =~ s/\bgw_limit_//gr =~ s/\$gw_\w+//gr, qr/limit_req|limit_conn/,
           'nothing is left of it');
}

my $http = <<"END";
$old_zones
$new_zones
    proxy_read_timeout 60s;
    large_client_header_buffers 4 8k;

    server {
        listen 127.0.0.1:%%PORT%%;
        server_name a;
$old
    }

    server {
        listen 127.0.0.1:$port[1];
        server_name a;
        gw_limit_status 503;
        gw_concurrency_status 503;
        gw_limit_body off;
        gw_limit_headers off;
        gw_limit_retry_after off;
$new
    }

    server {
        listen 127.0.0.1:$port[1];
        server_name default;
        location / { gw_limit zone=slow_new phase=preaccess; empty_gif; }
        location /conn { gw_concurrency zone=conn_new limit=0; empty_gif; }
    }
END

my $nginx = GW::Nginx->new(http => $http);

$port[0] = $nginx->{port};

# both servers, for GW::Hold

my @servers = map { bless { port => $_, pid => 0 }, 'GW::Nginx' } @port;


sub ask {
    my ($n, $path) = @_;

    return GW::Client->new($port[$n])->get($path);
}


sub show {
    my ($reply) = @_;

    my $page = $reply->{body} =~ /<title>([^<]*)/ ? $1 : 'gif';

    return "$reply->{status} " . ($reply->{header}{'x-s'} || '-') . " $page";
}


# the same requests to both

sub same {
    my ($name, @paths) = @_;

    my @got = map {
        my $n = $_;
        join(', ', map { show(ask($n, $_)) } @paths)
    } 0 .. 1;

    is($got[1], $got[0], $name) or return;

    return $got[0];
}


like(same('no burst', ('/plain?k=1') x 3),
     qr/^200 PASSED  gif, 503 REJECTED .*, 503 REJECTED/,
     'one in thirty seconds');
like(same('nodelay', ('/burst?k=2') x 6),
     qr/^(200 PASSED  gif, ){4}503 REJECTED .*503 REJECTED/, 'four');
same('two limits', map { "/two?$_" } qw(k=3&j=3 k=3&j=3 k=3&j=3 k=3&j=4 k=3&j=5
                                        k=3&j=6 k=3 j=3 j=7 j=7));
same('what the other one rejected is not charged', '/burst?k=3', '/burst?k=3');
same('no limit', '/');
is(show(ask(1, '/plain')), '200 NOKEY  gif', 'no key has a status of its own');
is(show(ask(0, '/plain')), '200 - gif', 'which was empty');
like(same('limit_req_status', ('/status?k=4') x 2), qr/598/, 'another status');
same('an error page', ('/redirect?k=5') x 4, '/page?k=5');
like(same('a dry run', ('/dry?k=6') x 3), qr/200 REJECTED_DRY_RUN/, 'passes');
like(same('before the access', ('/deny?k=7') x 4), qr/403 .*503/, 'rejected');

same('a mixed load', map {
    my $path = qw(/plain /burst /two /status /dry /deny)[$_ * 7 % 6];
    "$path?k=m" . ($_ % 5) . '&j=m' . ($_ % 3)
} 1 .. 60);

same("K1, K2 key $_", map { "/burst?k=$_" } ($_) x 5)
    for '%00', '%ff%FE', '+', '{}', 'x' x 255, '"', '%0d%0a';


# delays

for my $path ('/fast?k=8', '/delay?k=9', '/late?k=10') {
    my @spent;

    for my $n (0 .. 1) {
        my @clients = map { GW::Client->new($port[$n]) } 1 .. 8;

        # one by one, or limit_req takes them for one moment

        for (@clients) {
            $_->send("GET $path HTTP/1.1\r\nHost: a\r\n\r\n");
            sleep(0.005);
        }

        my @replies = map { $_->read } @clients;

        $spent[$n] = {
            status => join(' ', map { "$_->{status} $_->{header}{'x-s'}" } @replies),
            delay => [ map { $_->{time} } @replies ],
        };
    }

    is($spent[1]{status}, $spent[0]{status}, "$path: statuses");

    my @apart = grep { abs($spent[0]{delay}[$_] - $spent[1]{delay}[$_]) > 0.06 }
                0 .. 7;
    is(scalar(@apart), 0, "$path: times")
        or diag("@{$spent[0]{delay}}\n@{$spent[1]{delay}}");
}


# requests in progress

for my $path ('/conn?k=20', '/conns?k=21', '/conndry?k=22') {
    my @got;

    for my $n (0 .. 1) {
        my @requests = map { $hold->begin($servers[$n], $path) } 1 .. 6;
        my @shown = map { $_->{reply} ? show($_->{reply}) : 'held' } @requests;

        $_->{up} and $hold->answer($_) for @requests;
        push(@shown, map { show($_->{reply}) } @requests);

        # they are free again

        for (1 .. 2) {
            my $request = $hold->begin($servers[$n], $path);
            $hold->answer($request) if $request->{up};
            push(@shown, show($request->{reply}));
        }

        $got[$n] = join(', ', @shown);
    }

    is($got[1], $got[0], $path);
    like($got[0], qr/held, held|held, held, held/, 'some are in progress');
}

# inherited, and both kinds at once

for my $path ('/in/x?k=30', '/in/same?k=31', '/in/more?k=32') {
    my @got;

    for my $n (0 .. 1) {
        my @shown;

        for (1 .. 5) {
            my $request = $hold->begin($servers[$n], $path);
            $hold->answer($request) if $request->{up};
            push(@shown, show($request->{reply}));
        }

        $got[$n] = join(', ', @shown);
    }

    is($got[1], $got[0], "$path inherits as before");
}


# the error log

ask($_, '/level?k=40'), ask($_, '/level?k=40') for 0 .. 1;

for my $n (0 .. 1) {
    my $request = $hold->begin($servers[$n], '/connlevel?k=41');
    ask($n, '/connlevel?k=41');
    $hold->answer($request);
}

my $log = $nginx->log;

is(() = $log =~ /\[warn\].*(?:limiting requests|request rejected), excess/g, 2,
   'log level of requests');
like($log, qr/\[warn\].*limiting requests, excess: [01]\.\d+ by zone "slow_old"/,
     'as it was');
like($log, qr/\[warn\].*request rejected, excess: 0\.\d+, zone "slow_new"/,
     'as it is');
like($log, qr/\[notice\].*limiting connections by zone "conn_old"/, 'as it was');
like($log, qr/\[notice\].*request rejected, in progress: 1, zone "conn_new"/,
     'as it is');


# what differs

my $client = GW::Client->new($port[1]);

$client->send("GET /?k=50 HTTP/1.1\r\nHost: default\r\n\r\n" x 2);
is($client->read->{status}, 200, 'the first one');

my $reply = $client->read;

is($reply->{status}, 429, 'the status unless set');
like($reply->{body}, qr/"violated-policies":\["slow_new"\]/, 'the body');
is($reply->{header}{'retry-after'}, 30, 'Retry-After');
like($reply->{header}{ratelimit}, qr/^"slow_new";r=0;t=30$/, 'RateLimit');

$client->send("GET /conn?k=50 HTTP/1.1\r\nHost: default\r\n\r\n");
is($client->read->{status}, 429, 'of requests in progress, a limit of 0');

my $conf = GW::Nginx->new(stopped => 1, http => <<"END");
    limit_req_zone \$arg_k zone=x:1m rate=1r/m;
    gw_limit_zone \$arg_k zone=x:1m rate=1r/m;
END
my ($ok, $out) = $conf->test;
ok(!$ok, 'a name is that of one kind of zone');
like($out, qr/shared memory zone "x" is already declared for a different use/,
     'nginx says so');

$conf = GW::Nginx->new(stopped => 1, http => convert(<<'END'));
    server { limit_req_dry_run on; limit_conn_dry_run on; }
END
($ok, $out) = $conf->test;
like($out, qr/"gw_limit_dry_run" directive is duplicate/, 'one for both');

my @bad = $log =~ /^(.*\[(?:alert|crit|emerg)\].*)$/mg;
is(scalar(@bad), 0, 'clean log') or diag(@bad);

done_testing();
