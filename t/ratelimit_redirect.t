#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# A request is charged once, whatever way it takes through nginx, and one that
# is refused for another reason is not charged after that.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Nginx;
use Test::More;

my $nginx = GW::Nginx->new(workers => 1, http => <<'END');
    # subrequests and redirects have other arguments
    map $request_uri $k { ~k=(\w+) $1; }

    gw_limit_zone $k zone=all:1m rate=1r/m burst=99;
    gw_limit_zone $arg_p zone=pre:1m rate=1r/m burst=99;
    gw_limit_zone $k zone=one:1m rate=1r/m;
    gw_limit_zone $arg_p zone=preone:1m rate=1r/m;

    server {
        listen 127.0.0.1:%%PORT%%;
        root %%DIR%%/html;
        add_header X-Limit "$gw_limit_status $gw_limit_zone $gw_limit_remaining" always;

        location / { gw_limit zone=all nodelay; gw_limit zone=pre nodelay phase=preaccess; }

        location /plain { gw_limit zone=all nodelay; empty_gif; }

        location /try {
            gw_limit zone=all nodelay;
            gw_limit zone=pre nodelay phase=preaccess;
            try_files /none /nowhere /target;
        }
        location /target {
            gw_limit zone=all nodelay;
            gw_limit zone=pre nodelay phase=preaccess;
            empty_gif;
        }
        location /last {
            rewrite ^ /target last;
            gw_limit zone=all nodelay;
        }
        location /named {
            gw_limit zone=all nodelay;
            try_files /none @named;
        }
        location @named { gw_limit zone=all nodelay; empty_gif; }

        location /accel {
            gw_limit zone=all nodelay;
            proxy_pass http://127.0.0.1:%%PORT%%/answer;
        }
        location /answer { add_header X-Accel-Redirect /target; empty_gif; }

        location /missing {
            gw_limit zone=all nodelay;
            error_page 404 = @named;
        }

        # rejected, with a page of its own that has limits, too

        location /page {
            gw_limit zone=one;
            error_page 429 = @page;
            empty_gif;
        }
        location @page {
            gw_limit zone=all nodelay;
            gw_limit zone=pre nodelay phase=preaccess;
            empty_gif;
        }
        location /prepage {
            gw_limit zone=preone phase=preaccess;
            error_page 429 /pagetarget;
            empty_gif;
        }
        location /pagetarget { gw_limit zone=all nodelay; empty_gif; }

        # refused by the access phase

        location /denied {
            deny all;
            gw_limit zone=all nodelay;
            gw_limit zone=pre nodelay phase=preaccess;
            error_page 403 = /target;
        }
        location /denied2 {
            auth_request /no;
            gw_limit zone=all nodelay;
            error_page 403 = @named;
            empty_gif;
        }
        location = /no { gw_limit zone=all nodelay; return 403; }

        # try_files into a location that refuses

        location /trydenied {
            gw_limit zone=pre nodelay phase=preaccess;
            try_files /none /denied3;
        }
        location /denied3 {
            deny all;
            error_page 403 = /target;
        }

        # subrequests

        location /sub {
            auth_request /auth;
            gw_limit zone=all nodelay;
            mirror /mirror;
            empty_gif;
        }
        location = /auth {
            internal;
            gw_limit zone=all nodelay;
            proxy_pass http://127.0.0.1:%%PORT%%/answer;
        }
        location = /mirror { gw_limit zone=all nodelay; empty_gif; }

        location /subs {
            auth_request /auths;
            empty_gif;
        }
        location = /auths {
            gw_limit_subrequests on;
            gw_limit zone=all nodelay;
            gw_limit zone=one;
            empty_gif;
        }
        location /subd {
            auth_request /authd;
            gw_limit zone=all nodelay;
            empty_gif;
        }
        location = /authd {
            gw_limit_subrequests on;
            gw_limit zone=sub burst=5;
            empty_gif;
        }

        location /satisfy {
            satisfy any;
            deny all;
            auth_request /answer;
            gw_limit zone=all nodelay;
            empty_gif;
        }
    }

    gw_limit_zone $k zone=sub:1m rate=5r/s;
END

mkdir("$nginx->{dir}/html");
chmod(0755, "$nginx->{dir}/html");

for my $name (qw(index.html file.html)) {
    open(my $fh, '>', "$nginx->{dir}/html/$name") or die;
    print $fh "text\n";
    close($fh);
}

my $serial = 0;


# the units that a request took from the two limits

sub charge {
    my ($path, $status, $all, $pre, $name) = @_;

    my $k = 'k' . $serial++;
    my $reply = $nginx->get("$path?k=$k&p=$k");

    is($reply->{status}, $status, "$name: status $status");

    my $left = limit($nginx->get("/plain?k=$k"));
    is(99 - $left->[2], $all, "$name: charged $all");

    $left = limit($nginx->get("/file.html?p=$k"));
    is(99 - $left->[2], $pre, "$name: charged $pre before the access phase");

    return $reply;
}


sub limit {
    my ($reply) = @_;

    return [split(/ /, $reply->{header}{'x-limit'}, -1)];
}


charge('/plain', 200, 1, 0, 'once');
charge('/file.html', 200, 1, 1, 'a file');
charge('/', 200, 1, 1, 'N10 index');
charge('/try', 200, 1, 1, 'N10 try_files');
charge('/last', 200, 1, 1, 'N10 rewrite last');
charge('/named', 200, 1, 0, 'N10 named location');
charge('/accel', 200, 1, 0, 'N10 X-Accel-Redirect');
charge('/missing', 200, 1, 0, 'N10 error_page 404');

for my $path ('/page', '/prepage') {
    my $k = 'p' . $serial++;
    $nginx->get("$path?k=$k&p=$k");
    my $left = limit($nginx->get("/plain?k=$k"))->[2];
    my $pre = limit($nginx->get("/file.html?p=$k"))->[2];

    my $reply = $nginx->get("$path?k=$k&p=$k");
    is($reply->{status}, $path eq '/page' ? 200 : 429,
       "N10 error_page 429 of $path");
    is($reply->{header}{'retry-after'}, 60, 'N10 has Retry-After');
    like($reply->{header}{ratelimit}, qr/^"(pre)?one";r=0;t=60$/,
         'N10 and the limit that rejected');
    like($reply->{header}{'x-limit'}, qr/^REJECTED (pre)?one 0$/,
         'N10 and the first decision');
    is($reply->{header}{'content-type'}, 'image/gif', 'N10 page is used');
    is(limit($nginx->get("/plain?k=$k"))->[2], $left - 1,
       'N10 the page is not charged');
    is(limit($nginx->get("/file.html?p=$k"))->[2], $pre - 1,
       'N10 nor before the access phase');
}

charge('/denied', 200, 0, 1, 'N12 a 403 with a page');
charge('/denied2', 200, 0, 0, 'N12 auth_request refuses');
charge('/trydenied', 200, 0, 1, 'N12 refused after try_files');
charge('/satisfy', 200, 1, 0, 'N12 satisfy any');

charge('/sub', 200, 1, 0, 'N11 subrequests are free');
charge('/subs', 200, 1, 0, 'N11 gw_limit_subrequests');

my @start = map { $nginx->begin('/subd?k=x') } 1 .. 4;
my @replies = map { $nginx->finish($_) } @start;
is(join(' ', map { $_->{status} } @replies), '200 200 200 200',
   'N11 a subrequest may be delayed');
my ($slow) = sort { $b <=> $a } map { $_->{time} } @replies;
cmp_ok($slow, '>', 0.5, 'N11 for its time');

is(scalar(grep { $nginx->get('/subs?k=y')->{status} == 500 } 1 .. 3), 2,
   'N11 and be rejected, which auth_request calls an error')
    or diag($nginx->log);

unlike($nginx->log, qr/\[alert\]|\[crit\]|\[emerg\]/, 'nothing bad is logged');

done_testing();
