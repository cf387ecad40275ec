
# Copyright (C) the nginx gateway modules developers

# What the directives of concurrency limits accept and refuse.

use strict;
use warnings;

use lib 't/lib';

use GW;
use Test::Nginx::Socket 'no_plan';

no_shuffle();

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('config', 'location /t { return 200; }')
        unless defined $block->config;

    $block->set_value('must_die', '') if defined $block->refused;

    if (defined $block->refused) {
        $block->set_value('error_log', $block->refused);
    }

    unless (defined $block->refused) {
        $block->set_value('request', 'GET /t') unless defined $block->request;
        $block->set_value('no_error_log', "[alert]\n[emerg]")
            unless defined $block->no_error_log;
    }
});

run_tests();

__DATA__

=== TEST: every parameter is accepted
--- http_config
gw_concurrency_zone $arg_a zone=a:32k;
gw_concurrency_zone $arg_a$arg_b zone=b:1m "policy=a \"name\"";
gw_limit_zone $arg_a zone=c:1m rate=1r/s;
--- config
gw_concurrency zone=a limit=10 phase=preaccess;
location /t {
    gw_concurrency zone=a limit=$arg_l shadow if=$arg_i;
    gw_concurrency zone=b limit=unlimited phase=postaccess;
    gw_concurrency_status 503;
    return 200;
}
location /u { gw_concurrency off; return 200; }
location /v { gw_concurrency zone=a limit=0; return 200; }
--- error_code: 200



=== TEST: a zone may be defined after its use
--- config
gw_concurrency zone=later limit=1;
location /t { return 200; }
--- http_config
server {
    listen unix:$TEST_NGINX_TMP_DIR/later.sock;
    gw_concurrency zone=later limit=2;
}
gw_concurrency_zone $arg_a zone=later:1m;
--- error_code: 200



=== TEST: gw_concurrency_zone without a zone
--- http_config
gw_concurrency_zone $arg_a policy=a;
--- refused
"gw_concurrency_zone" must have "zone" parameter



=== TEST: gw_concurrency_zone, a zone without a size
--- http_config
gw_concurrency_zone $arg_a zone=a policy=a;
--- refused
invalid zone size "zone=a", it must be like "zone=name:1m"



=== TEST: gw_concurrency_zone, a size that is no size
--- http_config
gw_concurrency_zone $arg_a zone=a:1x policy=a;
--- refused
invalid zone size "zone=a:1x", it must be like "zone=name:1m"



=== TEST: gw_concurrency_zone, a zone that is too small
--- http_config
gw_concurrency_zone $arg_a zone=a:16k policy=a;
--- refused
zone "zone=a:16k" is too small, it must have 32k at least



=== TEST: gw_concurrency_zone, an unknown parameter
--- http_config
gw_concurrency_zone $arg_a zone=a:1m rate=1r/s;
--- refused
invalid parameter "rate=1r/s"



=== TEST: gw_concurrency_zone, an empty policy
--- http_config
gw_concurrency_zone $arg_a zone=a:1m policy=;
--- refused
invalid policy "policy=", it must be 1 to 128 characters of printable ASCII



=== TEST: gw_concurrency_zone, a name that is no policy
--- http_config
gw_concurrency_zone $arg_a zone=ä:1m;
--- refused
it must be 1 to 128 characters of printable ASCII



=== TEST: gw_concurrency_zone, two of one name
--- http_config
gw_concurrency_zone $arg_a zone=a:1m;
gw_concurrency_zone $arg_b zone=a:1m;
--- refused
the zone "a" of "gw_concurrency_zone" is already defined, use another name



=== TEST: gw_concurrency_zone, the name of a gw_limit_zone
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s;
gw_concurrency_zone $arg_b zone=a:1m;
--- refused
the shared memory zone "a" is already declared for a different use



=== TEST: gw_concurrency with a gw_limit_zone
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s;
--- config
location /t { gw_concurrency zone=a limit=1; return 200; }
--- refused
the shared memory zone "a" is already declared for a different use



=== TEST: gw_concurrency without a zone
--- config
location /t { gw_concurrency limit=1; return 200; }
--- refused
"gw_concurrency" must have "zone" parameter



=== TEST: gw_concurrency without a limit
--- http_config
gw_concurrency_zone $arg_a zone=a:1m;
--- config
location /t { gw_concurrency zone=a; return 200; }
--- refused
"gw_concurrency" must have "limit" parameter



=== TEST: gw_concurrency with an unknown zone
--- config
location /t { gw_concurrency zone=none limit=1; return 200; }
--- refused
unknown gw_concurrency_zone "none" in



=== TEST: gw_concurrency with an empty zone name
--- config
location /t { gw_concurrency zone= limit=1; return 200; }
--- refused
invalid zone name "zone="



=== TEST: gw_concurrency, a limit that is no number
--- http_config
gw_concurrency_zone $arg_a zone=a:1m;
--- config
location /t { gw_concurrency zone=a limit=-1; return 200; }
--- refused
invalid value "limit=-1", the limit must be a number of at most 1000000000 or "unlimited"



=== TEST: gw_concurrency, a limit that is too large
--- http_config
gw_concurrency_zone $arg_a zone=a:1m;
--- config
location /t { gw_concurrency zone=a limit=1000000001; return 200; }
--- refused
invalid value "limit=1000000001"



=== TEST: gw_concurrency, an unknown parameter
--- http_config
gw_concurrency_zone $arg_a zone=a:1m;
--- config
location /t { gw_concurrency zone=a limit=1 burst=1; return 200; }
--- refused
invalid parameter "burst=1"



=== TEST: gw_concurrency, an unknown phase
--- http_config
gw_concurrency_zone $arg_a zone=a:1m;
--- config
location /t { gw_concurrency zone=a limit=1 phase=access; return 200; }
--- refused
invalid parameter "phase=access"



=== TEST: gw_concurrency, one zone twice
--- http_config
gw_concurrency_zone $arg_a zone=a:1m;
--- config
location /t {
    gw_concurrency zone=a limit=1;
    gw_concurrency zone=a limit=2;
    return 200;
}
--- refused
"gw_concurrency" directive is duplicate



=== TEST: gw_concurrency off with others
--- http_config
gw_concurrency_zone $arg_a zone=a:1m;
--- config
location /t {
    gw_concurrency zone=a limit=1;
    gw_concurrency off;
    return 200;
}
--- refused
"gw_concurrency" directive "off" is not allowed with other limits



=== TEST: gw_concurrency after off
--- http_config
gw_concurrency_zone $arg_a zone=a:1m;
--- config
location /t {
    gw_concurrency off;
    gw_concurrency zone=a limit=1;
    return 200;
}
--- refused
"gw_concurrency" directive is not allowed after "gw_concurrency off"



=== TEST: gw_concurrency_status is no error
--- config
location /t { gw_concurrency_status 200; return 200; }
--- refused
value must be between 400 and 599



=== TEST: a zone in Redis
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_concurrency_zone $arg_a zone=a:1m redis=main;
gw_concurrency_zone $arg_a zone=b:1m redis=main heartbeat=100ms;
gw_concurrency_zone $arg_a zone=c:1m redis=main heartbeat=60s;
--- config
location /t { gw_concurrency zone=a limit=1; return 200; }
--- error_code: 200



=== TEST: gw_concurrency_zone with an unknown gw_redis
--- http_config
gw_concurrency_zone $arg_a zone=a:1m redis=none;
--- refused
gw_concurrency_zone "a" uses the unknown gw_redis "none"



=== TEST: gw_concurrency_zone with an empty gw_redis
--- http_config
gw_concurrency_zone $arg_a zone=a:1m redis=;
--- refused
invalid redis name "redis="



=== TEST: gw_concurrency_zone, a heartbeat without Redis
--- http_config
gw_concurrency_zone $arg_a zone=a:1m heartbeat=1s;
--- refused
the parameter "heartbeat" of "gw_concurrency_zone" needs the "redis" parameter



=== TEST: gw_concurrency_zone, a heartbeat that is too short
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_concurrency_zone $arg_a zone=a:1m redis=main heartbeat=99ms;
--- refused
invalid value "heartbeat=99ms", the heartbeat must be a time from 100ms to 60s



=== TEST: gw_concurrency_zone, a heartbeat that is too long
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_concurrency_zone $arg_a zone=a:1m redis=main heartbeat=61s;
--- refused
invalid value "heartbeat=61s"
