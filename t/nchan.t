# Copyright (C) the nginx gateway modules developers

# Beside nchan, which carries and exports a hiredis of its own: both talk to
# Redis, in either order of loading, and no call of ours ends in its copy.

use strict;
use warnings;

use lib 't/lib';
use GW;
use GW::Nginx;
use GW::Redis;
use Test::More;

# it is built for the installed nginx, as the modules must be: util/compat
# leaves this test out for the others

my $binary = GW::nginx_binary();
my ($path) = `$binary -V 2>&1` =~ /--modules-path=(\S+)/;
my $ours = $ENV{TEST_NGINX_LOAD_MODULES};
my $nchan = ($path || '/usr/lib/nginx/modules') . '/ngx_nchan_module.so';

my $redis = GW::Redis->new;
my $server = $redis->server;

my $http = <<"END";
    upstream nchan_redis { nchan_redis_server redis://$server; }

    gw_redis main { server $server; timeout 1s; }
    gw_limit_zone \$arg_k zone=five:1m rate=1r/m burst=4 redis=main;
    add_header X-Source \$gw_limit_source always;

    server {
        listen 127.0.0.1:%%PORT%%;

        location = /five { gw_limit zone=five nodelay; empty_gif; }

        location = /pub {
            nchan_publisher;
            nchan_channel_id \$arg_id;
            nchan_redis_pass nchan_redis;
        }

        location = /sub {
            nchan_subscriber longpoll;
            nchan_subscriber_first_message oldest;
            nchan_channel_id \$arg_id;
            nchan_redis_pass nchan_redis;
        }
    }
END

for my $first ('nchan', 'ours') {
    my $out = GW::tmp_dir() . "/ld-$first";

    local $ENV{TEST_NGINX_LOAD_MODULES} =
        $first eq 'nchan' ? "$nchan $ours" : "$ours $nchan";
    local $ENV{LD_BIND_NOW} = 1;
    local $ENV{LD_DEBUG} = 'bindings';
    local $ENV{LD_DEBUG_OUTPUT} = $out;

    $redis->command('FLUSHALL');

    my $nginx = GW::Nginx->new(http => $http);

    delete @ENV{qw(LD_DEBUG LD_DEBUG_OUTPUT)};

    my @fates = map {
        my $reply = $nginx->get("/five?k=$first");
        "$reply->{status} " . ($reply->{header}{'x-source'} || '-')
    } 1 .. 6;

    is_deeply(\@fates, [ ('200 redis') x 5, '429 redis' ],
              "$first first: our limits are decided by Redis");

    ok($nginx->until(5, sub {
        @{$redis->command('PUBSUB', 'CHANNELS', '*')} > 0
    }), "$first first: nchan subscribes in Redis");

    my $sock = $nginx->connect;

    print $sock "POST /pub?id=$first HTTP/1.1\r\nHost: a\r\n"
                . "Connection: close\r\nContent-Length: 5\r\n\r\nhello";

    like($nginx->finish({ sock => $sock, start => time() })->{status},
         qr/^20[12]$/, "$first first: nchan publishes");
    ok((grep { /$first/ } @{$redis->command('KEYS', '*')}),
       "$first first: nchan writes to Redis");
    is($nginx->get("/sub?id=$first")->{body}, 'hello',
       "$first first: nchan delivers from Redis");

    my ($bound, @stray) = (0);

    for my $file (glob("$out.*")) {
        open(my $fh, '<', $file) or die;

        while (<$fh>) {
            next unless /binding file \S*ngx_http_gw_\w+_module\.so/;
            $bound++;
            push(@stray, $_) if m{ to \S*ngx_nchan_module\.so};
        }
    }

    cmp_ok($bound, '>', 100, "$first first: the bindings are seen");
    is_deeply(\@stray, [], "$first first: none of ours ends in nchan");

    ok($nginx->stop, "$first first: nginx ends");
    unlike($nginx->log, qr/\[(?:alert|emerg)\]|exited on signal/,
           "$first first: no alert");
}

done_testing();
