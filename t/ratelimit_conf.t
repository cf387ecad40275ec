
# Copyright (C) the nginx gateway modules developers

# What the directives of the rate-limit module accept and refuse.

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

=== TEST: every parameter of gw_limit_zone and gw_limit is accepted
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_limit_zone $arg_a zone=a:32k rate=10r/s;
gw_limit_zone $arg_a$arg_b zone=b:1m rate=30r/5m burst=7 policy=other;
gw_limit_zone "x:$arg_c" zone=c:1m rate=1r/d "policy=a \"name\"" redis=main
              mode=strict;
gw_limit_zone $arg_d zone=d:1m rate=$arg_rate rate=1r/s burst=$arg_burst
              burst=3;
gw_limit_zone $arg_a zone=e:1m rate=5r/m algorithm=sliding;
gw_limit_zone $arg_a zone=f:1m rate=5r/m algorithm=fixed;
gw_limit_zone $arg_a zone=g:1m rate=5r/m algorithm=gcra;
gw_limit_delay_max 0;
gw_limit_deny_cache 1h;
--- config
gw_limit zone=a phase=preaccess;
gw_limit_on_error reject=599;
location /t {
    gw_limit zone=a burst=3 delay=2 cost=2 final_cost=0
             penalty=1;
    gw_limit zone=b nodelay final_cost=$bytes_sent penalty=$arg_p cost=$arg_cost phase=postaccess;
    gw_limit_on_error pass;
    gw_limit_dry_run on;
    gw_limit_status 503;
    gw_limit_log_level info;
    gw_limit_headers off;
    gw_limit_body off;
    gw_limit_retry_after off;
    gw_limit_subrequests on;
    return 200;
}
location /w { gw_limit zone=d burst=$arg_b delay=$arg_d cost=$arg_c
             shadow if=$arg_i;
    gw_limit_bypass $arg_x $arg_y;
    gw_limit_dry_run 0%;
    gw_limit_retry_jitter 100%;
    gw_limit zone=e nodelay; gw_limit zone=f; gw_limit zone=g burst=2; }
location /u { gw_limit off; gw_limit_on_error local; return 200; }
location /v { gw_limit_on_error reject; return 200; }
--- error_code: 200



=== TEST: a zone may be defined after its use
--- config
gw_limit zone=later;
location /t { return 200; }
--- http_config
server { listen unix:$TEST_NGINX_TMP_DIR/later.sock; gw_limit zone=later; }
gw_limit_zone $arg_a zone=later:1m rate=1r/s;
--- error_code: 200



=== TEST: gw_limit_zone without a zone
--- http_config
gw_limit_zone $arg_a rate=1r/s burst=1;
--- refused
"gw_limit_zone" must have "zone" parameter



=== TEST: gw_limit_zone without a rate
--- http_config
gw_limit_zone $arg_a zone=a:1m burst=1;
--- refused
"gw_limit_zone" must have "rate" parameter



=== TEST: a zone without a size
--- http_config
gw_limit_zone $arg_a zone=a rate=1r/s;
--- refused
invalid zone size "zone=a"



=== TEST: a zone without a name
--- http_config
gw_limit_zone $arg_a zone=:1m rate=1r/s;
--- refused
invalid zone size "zone=:1m"



=== TEST: a size that is no size
--- http_config
gw_limit_zone $arg_a zone=a:big rate=1r/s;
--- refused
invalid zone size "zone=a:big"



=== TEST: a zone that is too small
--- http_config
gw_limit_zone $arg_a zone=a:31k rate=1r/s;
--- refused
zone "zone=a:31k" is too small



=== TEST: a rate that is no rate
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=10;
--- refused
invalid rate "rate=10", it must be like "10r/s" or "10r/5m", at most 10000000 a second



=== TEST: a rate that is too large
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=10000001r/s;
--- refused
invalid rate "rate=10000001r/s"



=== TEST: two rates with variables
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=$arg_rate rate=$arg_other;
--- refused
"rate=$arg_other" is the second rate with variables, the default must have none



=== TEST: two rates without variables
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s rate=2r/s;
--- refused
duplicate rate "rate=2r/s", only a rate with variables has a default



=== TEST: two bursts without variables
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s burst=1 burst=2;
--- refused
duplicate burst "burst=2", only a burst with variables has a default



=== TEST: two bursts with variables
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s burst=$arg_a burst=$arg_b;
--- refused
duplicate burst "burst=$arg_b", only a burst with variables has a default



=== TEST: a default rate that is too large for the burst
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=$arg_rate rate=1r/366d burst=100000;
--- config
gw_limit zone=a;
--- refused
burst 100000 is too large for the rate of gw_limit_zone "a" in



=== TEST: a burst that is no number
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s burst=many;
--- refused
invalid burst value "burst=many"



=== TEST: a burst that is negative
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s burst=-1;
--- refused
invalid burst value "burst=-1"



=== TEST: a burst above what a bucket holds
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s burst=1000000001;
--- refused
invalid burst value "burst=1000000001"



=== TEST: an empty name of a Redis
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s redis=;
--- refused
invalid redis name "redis="



=== TEST: an unknown Redis
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_limit_zone $arg_a zone=a:1m rate=1r/s redis=other;
--- refused
gw_limit_zone "a" uses the unknown gw_redis "other"



=== TEST: a mode without a Redis
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s mode=strict;
--- refused
"mode=strict" needs the "redis" parameter



=== TEST: a rate that is too large for Redis
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_limit_zone $arg_a zone=a:1m rate=100001r/s redis=main;
--- refused
the rate of zone "a" is above 100000 a second, too much for "redis"



=== TEST: an empty policy
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s policy=;
--- refused
invalid policy "policy=", it must be 1 to 128 characters of printable ASCII



=== TEST: a policy that a structured field cannot have
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s policy=é;
--- refused
it must be 1 to 128 characters of printable ASCII



=== TEST: a zone name that cannot be the policy
--- http_config
gw_limit_zone $arg_a zone=é:1m rate=1r/s;
--- refused
it must be 1 to 128 characters of printable ASCII



=== TEST: parameters of a zone that do not exist
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s color=red;
--- refused
invalid parameter "color=red"



=== TEST: an algorithm that does not exist
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s algorithm=leaky;
--- refused
invalid algorithm "algorithm=leaky", it must be "gcra", "sliding" or "fixed"



=== TEST: a window with the burst of its zone
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s algorithm=fixed burst=3;
--- refused
a window has no "burst", only "algorithm=gcra" has one in zone "a"



=== TEST: a window with a burst
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s algorithm=fixed;
--- config
gw_limit zone=a burst=3;
--- refused
"burst" and "delay" need "algorithm=gcra" in gw_limit_zone "a", remove them in



=== TEST: a window with a delay
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s algorithm=sliding;
--- config
gw_limit zone=a delay=3;
--- refused
"burst" and "delay" need "algorithm=gcra" in gw_limit_zone "a", remove them in



=== TEST: a window of too many units
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=268435456r/d algorithm=sliding;
--- refused
a window of zone "a" has more than 268435455 units, use "algorithm=gcra" or a shorter period



=== TEST: mode=leased does not exist
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_limit_zone $arg_a zone=a:1m rate=1r/s redis=main mode=leased;
--- refused
"mode=leased" is not supported in this release, which has only "mode=strict"



=== TEST: error= goes with leases
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_limit_zone $arg_a zone=a:1m rate=1r/s redis=main error=2%;
--- refused
"error=2%" is not supported in this release, which has only "mode=strict"



=== TEST: ttl= goes with leases
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_limit_zone $arg_a zone=a:1m rate=1r/s redis=main ttl=1s;
--- refused
"ttl=1s" is not supported in this release, which has only "mode=strict"



=== TEST: full= that does not exist
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s full=wait;
--- refused
invalid parameter "full=wait", it must be "full=evict", "full=reject", "scope=shared" or "scope=location"



=== TEST: scope= that does not exist
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s scope=server;
--- refused
invalid parameter "scope=server", it must be "full=evict", "full=reject", "scope=shared" or "scope=location"



=== TEST: unit= that does not exist
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s unit=kilobytes;
--- refused
invalid unit "unit=kilobytes", it must be "requests" or "content-bytes"



=== TEST: unit= of a quota that does not exist
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day unit=tokens;
--- refused
invalid unit "unit=tokens", it must be "requests" or "content-bytes"



=== TEST: two zones of one name
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s;
gw_limit_zone $arg_b zone=a:1m rate=1r/s;
--- refused
gw_limit_zone "a" is already bound to key "$arg_a"



=== TEST: gw_limit without a zone
--- config
gw_limit nodelay;
--- refused
"gw_limit" must have "zone" parameter



=== TEST: gw_limit with an empty zone
--- config
gw_limit zone= nodelay;
--- refused
invalid zone name "zone="



=== TEST: gw_limit with an unknown zone names its place
--- config
gw_limit zone=nowhere;
--- refused
unknown gw_limit_zone "nowhere" in



=== TEST: gw_limit with the zone of another module
--- http_config
limit_req_zone $arg_a zone=req:1m rate=1r/s;
--- config
gw_limit zone=req;
--- refused
the shared memory zone "req" is already declared for a different use



=== TEST: gw_limit with a burst that is no number
--- config
gw_limit zone=a burst=x;
--- refused
invalid burst value "burst=x"



=== TEST: gw_limit with a delay of zero
--- config
gw_limit zone=a delay=0;
--- refused
invalid delay value "delay=0"



=== TEST: gw_limit with an unknown phase
--- config
gw_limit zone=a phase=access;
--- refused
invalid parameter "phase=access"



=== TEST: gw_limit with a cost that is no number
--- config
gw_limit zone=a cost=two;
--- refused
invalid cost value "cost=two"



=== TEST: K11 gw_limit with a final_cost that is no number
--- config
gw_limit zone=a final_cost=-1;
--- refused
invalid final_cost value "final_cost=-1"



=== TEST: K11 gw_limit with a final_cost above every bucket
--- config
gw_limit zone=a final_cost=1000000002;
--- refused
invalid final_cost value "final_cost=1000000002"



=== TEST: gw_limit with an empty final_cost
--- config
gw_limit zone=a final_cost=;
--- refused
invalid final_cost value "final_cost="



=== TEST: gw_limit with a final_cost of an unknown variable
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s;
--- config
gw_limit zone=a final_cost=$nothing;
--- refused
unknown "nothing" variable



=== TEST: K11 gw_limit with a penalty that is no number
--- config
gw_limit zone=a penalty=two;
--- refused
invalid penalty value "penalty=two"



=== TEST: K11 gw_limit with a penalty above every bucket
--- config
gw_limit zone=a penalty=1000000002;
--- refused
invalid penalty value "penalty=1000000002"



=== TEST: gw_limit with a cost above every bucket
--- config
gw_limit zone=a cost=1000000002;
--- refused
invalid cost value "cost=1000000002"



=== TEST: parameters of gw_limit that do not exist
--- config
gw_limit zone=a final=1;
--- refused
invalid parameter "final=1"



=== TEST: one zone twice
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s;
--- config
gw_limit zone=a;
gw_limit zone=a phase=preaccess;
--- refused
"gw_limit" directive is duplicate



=== TEST: off after another limit
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s;
--- config
gw_limit zone=a;
gw_limit off;
--- refused
"gw_limit" directive "off" is not allowed with other limits



=== TEST: a limit after off
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s;
--- config
gw_limit off;
gw_limit zone=a;
--- refused
"gw_limit" directive is not allowed after "gw_limit off"



=== TEST: a bucket that would last for longer than the clock
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/366d burst=100000;
--- config
gw_limit zone=a;
--- refused
burst 100000 is too large for the rate of gw_limit_zone "a" in



=== TEST: a bucket that is too large for Redis
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_limit_zone $arg_a zone=a:1m rate=1r/366d burst=1000 redis=main;
--- config
gw_limit zone=a;
--- refused
burst 1000 is too large for the rate of gw_limit_zone "a" in



=== TEST: limits of one request in two Redis
--- http_config
gw_redis one { server 127.0.0.1:1; }
gw_redis two { server 127.0.0.1:2; }
gw_limit_zone $arg_a zone=a:1m rate=1r/s redis=one;
gw_limit_zone $arg_a zone=b:1m rate=1r/s redis=two;
--- config
gw_limit zone=a;
gw_limit zone=b;
--- refused
gw_limit of zone "b" uses the gw_redis "two" while another limit of the same request and phase uses "one" in



=== TEST: two Redis in two phases
--- http_config
gw_redis one { server 127.0.0.1:1; }
gw_redis two { server 127.0.0.1:2; }
gw_limit_zone $arg_a zone=a:1m rate=1r/s redis=one;
gw_limit_zone $arg_a zone=b:1m rate=1r/s redis=two;
--- config
gw_limit zone=a phase=preaccess;
gw_limit zone=b;
location /t { return 200; }
--- error_code: 200



=== TEST: more limits in Redis than one call has
--- http_config eval
"gw_redis one { server 127.0.0.1:1; }\n"
. CORE::join('', map { "gw_limit_zone \$arg_a zone=z$_:32k rate=1r/s redis=one;\n" }
           1 .. 17)
--- config eval
CORE::join('', map { "gw_limit zone=z$_;\n" } 1 .. 17)
--- refused
more than 16 limits in Redis for one request and phase in



=== TEST: an unknown gw_limit_on_error
--- config
gw_limit_on_error retry;
--- refused
invalid value "retry", it must be "local", "pass", "reject" or "reject=code" with a code between 400 and 599



=== TEST: gw_limit_on_error with a code that is no error
--- config
gw_limit_on_error reject=302;
--- refused
invalid value "reject=302"



=== TEST: gw_limit_on_error with an empty code
--- config
gw_limit_on_error reject=;
--- refused
invalid value "reject="



=== TEST: gw_limit_on_error twice
--- config
gw_limit_on_error pass;
gw_limit_on_error local;
--- refused
"gw_limit_on_error" directive is duplicate



=== TEST: gw_limit_status that is no error
--- config
gw_limit_status 200;
--- refused
value must be between 400 and 599



=== TEST: gw_limit_log_level that does not exist
--- config
gw_limit_log_level debug;
--- refused
invalid value "debug"



=== TEST: gw_limit_headers that do not exist
--- config
gw_limit_headers draft=12;
--- refused
invalid parameter "draft=12", it must be "off" alone, or some of "ratelimit", "draft=next"



=== TEST: gw_limit_headers of the next draft without those of this one
--- config
gw_limit_headers x-ratelimit draft=next;
--- refused
only the fields of "ratelimit" have a place for "pk", "all" and "draft=next", add it



=== TEST: gw_limit_headers off with others
--- config
gw_limit_headers ratelimit off;
--- refused
invalid parameter "off", it must be "off" alone



=== TEST: gw_limit_headers with a parameter twice
--- config
gw_limit_headers pk ratelimit pk;
--- refused
duplicate parameter "pk"



=== TEST: gw_limit_headers with two meanings of one field
--- config
gw_limit_headers x-ratelimit x-ratelimit=epoch;
--- refused
"x-ratelimit" and "x-ratelimit=epoch" are the same fields, use one of them



=== TEST: gw_limit_headers pk without a place for it
--- config
gw_limit_headers x-ratelimit pk;
--- refused
only the fields of "ratelimit" have a place for "pk", "all" and "draft=next", add it



=== TEST: gw_limit_headers all without a place for it
--- config
gw_limit_headers all ratelimit-triple;
--- refused
only the fields of "ratelimit" have a place for "pk", "all" and "draft=next", add it



=== TEST: gw_limit_headers replace without anything to replace with
--- config
gw_limit_headers replace;
--- refused
"replace" needs the fields that replace, such as "ratelimit"



=== TEST: gw_limit_headers twice
--- config
gw_limit_headers ratelimit;
gw_limit_headers ratelimit;
--- refused
"gw_limit_headers" directive is duplicate



=== TEST: gw_limit_deny_cache without a time
--- http_config
gw_limit_deny_cache on;
--- refused
invalid time "on", it must be 0, or a time of at most 1h for which a denial by Redis is believed



=== TEST: gw_limit_deny_cache of too long a time
--- http_config
gw_limit_deny_cache 61m;
--- refused
invalid time "61m", it must be 0, or a time of at most 1h



=== TEST: gw_limit_deny_cache twice
--- http_config
gw_limit_deny_cache 1s;
gw_limit_deny_cache 1s;
--- refused
"gw_limit_deny_cache" directive is duplicate



=== TEST: gw_limit_body that does not exist
--- config
gw_limit_body html;
--- refused
invalid value "html"



=== TEST: gw_limit_dry_run above 100 percent
--- config
gw_limit_dry_run 101%;
--- refused
invalid value "101%", it must be "on", "off" or the percentage of the keys that are limited, such as "10%"



=== TEST: gw_limit_dry_run without a percent sign
--- config
gw_limit_dry_run 10;
--- refused
invalid value "10", it must be "on", "off" or



=== TEST: gw_limit_dry_run twice
--- config
gw_limit_dry_run 10%;
gw_limit_dry_run on;
--- refused
"gw_limit_dry_run" directive is duplicate



=== TEST: gw_limit_retry_jitter that is no percentage
--- config
gw_limit_retry_jitter 5s;
--- refused
invalid value "5s", it must be a percentage from "0%" to "100%"



=== TEST: gw_limit_retry_jitter twice
--- config
gw_limit_retry_jitter 5%;
gw_limit_retry_jitter 0%;
--- refused
"gw_limit_retry_jitter" directive is duplicate



=== TEST: gw_limit_delay_max above its bound
--- http_config
gw_limit_delay_max 1000001;
--- refused
value must be between 0 and 1000000
