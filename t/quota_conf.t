
# Copyright (C) the nginx gateway modules developers

# What the directives of quotas accept and refuse.

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
gw_quota_zone $arg_a zone=a:32k quota=10 period=month timezone=Europe/Berlin
              anchor=31 carry=10% policy=other;
gw_quota_zone $arg_a zone=b:1m quota=$arg_q period=week anchor=wed
              timezone=-03:30 carry=1000;
gw_quota_zone $arg_a zone=c:1m quota=unlimited period=30d anchor=$arg_s;
gw_quota_zone $arg_a zone=d:1m quota=0 period=minute timezone=UTC;
gw_quota_zone $arg_a zone=e:1m quota=1 period=hour;
gw_quota_zone $arg_a zone=f:1m quota=1 period=day;
gw_quota_zone $arg_a zone=g:1m quota=1 period=year anchor=$arg_s carry=100%;
--- config
gw_quota zone=a phase=preaccess;
location /t {
    gw_quota zone=a cost=$arg_c warn=80% overage if=$arg_i;
    gw_quota zone=b cost=2 shadow phase=postaccess;
    gw_quota_status 403;
    return 200;
}
location /u { gw_quota off; return 200; }
--- error_code: 200



=== TEST: a zone may be defined after its use
--- http_config
server { listen unix:$TEST_NGINX_TMP_DIR/later.sock; gw_quota zone=later; }
gw_quota_zone $arg_a zone=later:1m quota=1 period=day;
--- config
gw_quota zone=later;
location /t { return 200; }
--- error_code: 200



=== TEST: gw_quota_zone without a zone
--- http_config
gw_quota_zone $arg_a quota=1 period=day;
--- refused
"gw_quota_zone" must have "zone" parameter



=== TEST: gw_quota_zone without a quota
--- http_config
gw_quota_zone $arg_a zone=a:1m period=day;
--- refused
"gw_quota_zone" must have "quota" parameter



=== TEST: gw_quota_zone without a period
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1;
--- refused
"gw_quota_zone" must have "period" parameter



=== TEST: gw_quota_zone, a zone that is too small
--- http_config
gw_quota_zone $arg_a zone=a:1k quota=1 period=day;
--- refused
is too small, it must have 32k at least



=== TEST: gw_quota_zone, a quota that is no number
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=many period=day;
--- refused
invalid value "quota=many", the quota must be a number of at most 9007199254740992 or "unlimited"



=== TEST: gw_quota_zone, a quota that is too large
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=9007199254740993 period=day;
--- refused
invalid value "quota=9007199254740993"



=== TEST: gw_quota_zone, the period decade
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=decade;
--- refused
invalid value "period=decade", the period must be "minute", "hour", "day", "week", "month", "year", or a time of one minute to 3660 days such as "30d"



=== TEST: gw_quota_zone, the period 10s
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=10s;
--- refused
invalid value "period=10s", the period must be "minute", "hour", "day", "week", "month", "year", or a time of one minute to 3660 days such as "30d"



=== TEST: gw_quota_zone, the period 3661d
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=3661d;
--- refused
invalid value "period=3661d", the period must be "minute", "hour", "day", "week", "month", "year", or a time of one minute to 3660 days such as "30d"



=== TEST: gw_quota_zone, the period 1.5h
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=1.5h;
--- refused
invalid value "period=1.5h", the period must be "minute", "hour", "day", "week", "month", "year", or a time of one minute to 3660 days such as "30d"



=== TEST: gw_quota_zone, the timezone Europe
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day timezone=Europe;
--- refused
invalid value "timezone=Europe", the timezone must be "UTC", an offset such as "+02:00", or a name in /usr/share/zoneinfo/ such as "Europe/Berlin"



=== TEST: gw_quota_zone, the timezone Mars/Olympus
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day timezone=Mars/Olympus;
--- refused
invalid value "timezone=Mars/Olympus", the timezone must be "UTC", an offset such as "+02:00", or a name in /usr/share/zoneinfo/ such as "Europe/Berlin"



=== TEST: gw_quota_zone, the timezone ../../etc/passwd
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day timezone=../../etc/passwd;
--- refused
invalid value "timezone=../../etc/passwd", the timezone must be "UTC", an offset such as "+02:00", or a name in /usr/share/zoneinfo/ such as "Europe/Berlin"



=== TEST: gw_quota_zone, the timezone /etc/localtime
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day timezone=/etc/localtime;
--- refused
invalid value "timezone=/etc/localtime", the timezone must be "UTC", an offset such as "+02:00", or a name in /usr/share/zoneinfo/ such as "Europe/Berlin"



=== TEST: gw_quota_zone, the timezone +25:00
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day timezone=+25:00;
--- refused
invalid value "timezone=+25:00", the timezone must be "UTC", an offset such as "+02:00", or a name in /usr/share/zoneinfo/ such as "Europe/Berlin"



=== TEST: gw_quota_zone, the timezone :UTC
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day timezone=:UTC;
--- refused
invalid value "timezone=:UTC", the timezone must be "UTC", an offset such as "+02:00", or a name in /usr/share/zoneinfo/ such as "Europe/Berlin"



=== TEST: gw_quota_zone, the timezone utc
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day timezone=utc;
--- refused
invalid value "timezone=utc", the timezone must be "UTC", an offset such as "+02:00", or a name in /usr/share/zoneinfo/ such as "Europe/Berlin"



=== TEST: gw_quota_zone, the anchor 32 of month
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 anchor=32 period=month;
--- refused
invalid value "anchor=32", the anchor of a month is a day from 1 to 31



=== TEST: gw_quota_zone, the anchor mon of month
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 anchor=mon period=month;
--- refused
invalid value "anchor=mon", the anchor of a month is a day from 1 to 31



=== TEST: gw_quota_zone, the anchor 8 of week
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 anchor=8 period=week;
--- refused
invalid value "anchor=8", the anchor of a month is a day from 1 to 31



=== TEST: gw_quota_zone, the anchor 1 of day
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 anchor=1 period=day;
--- refused
invalid value "anchor=1", the anchor of a month is a day from 1 to 31



=== TEST: gw_quota_zone, the anchor $arg_s of day
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 anchor=$arg_s period=day;
--- refused
invalid value "anchor=$arg_s", the anchor of a month is a day from 1 to 31



=== TEST: gw_quota_zone, the anchor 5 of 30d
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 anchor=5 period=30d;
--- refused
invalid value "anchor=5", the anchor of a month is a day from 1 to 31



=== TEST: gw_quota_zone, the anchor 5 of year
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 anchor=5 period=year;
--- refused
invalid value "anchor=5", the anchor of a month is a day from 1 to 31



=== TEST: gw_quota_zone, carry=101%
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day carry=101%;
--- refused
invalid value "carry=101%", it must be a number of units, or a percentage of the quota such as "10%"



=== TEST: gw_quota_zone, carry=%
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day carry=%;
--- refused
invalid value "carry=%", it must be a number of units, or a percentage of the quota such as "10%"



=== TEST: gw_quota_zone, carry=-1
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day carry=-1;
--- refused
invalid value "carry=-1", it must be a number of units, or a percentage of the quota such as "10%"



=== TEST: gw_quota_zone, carry=unlimited
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day carry=unlimited;
--- refused
invalid value "carry=unlimited", it must be a number of units, or a percentage of the quota such as "10%"



=== TEST: gw_quota_zone, carry=x%
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day carry=x%;
--- refused
invalid value "carry=x%", it must be a number of units, or a percentage of the quota such as "10%"



=== TEST: gw_quota_zone, an empty policy
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day policy=;
--- refused
it must be 1 to 128 characters of printable ASCII



=== TEST: gw_quota_zone, a name that is no policy
--- http_config
gw_quota_zone $arg_a zone=ä:1m quota=1 period=day;
--- refused
it must be 1 to 128 characters of printable ASCII



=== TEST: gw_quota_zone, an unknown parameter
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day burst=1;
--- refused
invalid parameter "burst=1"



=== TEST: gw_quota_zone in Redis
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_quota_zone $arg_a zone=a:32k quota=1000000000000000 period=day redis=main
              carry=1000000000000000;
gw_quota_zone $arg_a zone=b:32k quota=$arg_q period=30d redis=main
              mode=strict carry=100%;
gw_limit_zone $arg_a zone=l:1m rate=1r/s redis=main;
--- config
location /t { gw_quota zone=a; gw_quota zone=b; gw_limit zone=l; return 200; }
--- error_code: 200


=== TEST: gw_quota_zone, an unknown gw_redis
--- http_config
gw_quota_zone $arg_a zone=a:32k quota=1 period=day redis=main;
--- refused: gw_quota_zone "a" uses the unknown gw_redis "main"


=== TEST: gw_quota_zone, an empty name of a gw_redis
--- http_config
gw_quota_zone $arg_a zone=a:32k quota=1 period=day redis=;
--- refused: invalid redis name "redis="


=== TEST: gw_quota_zone, mode=strict without redis
--- http_config
gw_quota_zone $arg_a zone=a:32k quota=1 period=day mode=strict;
--- refused: "mode=strict" needs the "redis" parameter


=== TEST: gw_quota_zone, mode=leased
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_quota_zone $arg_a zone=a:32k quota=1 period=day redis=main mode=leased;
--- refused: invalid parameter "mode=leased"


=== TEST: gw_quota_zone, a quota that is too large for Redis
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_quota_zone $arg_a zone=a:32k quota=1000000000000001 period=day redis=main;
--- refused: the quota or the carry of zone "a" is above 1000000000000000, too much for "redis"


=== TEST: gw_quota_zone, a carry that is too large for Redis
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_quota_zone $arg_a zone=a:32k quota=1 period=day redis=main
              carry=1000000000000001;
--- refused: the quota or the carry of zone "a" is above 1000000000000000, too much for "redis"


=== TEST: gw_quota and gw_limit of two gw_redis
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_redis other { server 127.0.0.1:1; }
gw_quota_zone $arg_a zone=a:32k quota=1 period=day redis=main;
gw_limit_zone $arg_a zone=l:1m rate=1r/s redis=other;
--- config
gw_quota zone=a;
location /t { gw_limit zone=l; return 200; }
--- refused: gw_quota of zone "a" uses the gw_redis "main" while another quota or limit of the same request and phase uses "other" in


=== TEST: gw_quota and gw_limit of two gw_redis in two phases
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_redis other { server 127.0.0.1:1; }
gw_quota_zone $arg_a zone=a:32k quota=1 period=day redis=main;
gw_limit_zone $arg_a zone=l:1m rate=1r/s redis=other;
--- config
gw_quota zone=a;
location /t { gw_limit zone=l phase=preaccess; return 200; }
--- error_code: 200


=== TEST: two gw_quota of two gw_redis
--- http_config
gw_redis main { server 127.0.0.1:1; }
gw_redis other { server 127.0.0.1:1; }
gw_quota_zone $arg_a zone=a:32k quota=1 period=day redis=main;
gw_quota_zone $arg_a zone=b:32k quota=1 period=day redis=other;
--- config
location /t { gw_quota zone=a; gw_quota zone=b; return 200; }
--- refused: gw_quota of zone "b" uses the gw_redis "other" while another quota or limit of the same request and phase uses "main" in


=== TEST: too many gw_limit and gw_quota in Redis
--- http_config eval
"gw_redis main { server 127.0.0.1:1; }\n"
. join('', map { "gw_limit_zone \$arg_a zone=l$_:32k rate=1r/s redis=main;\n" } 1 .. 16)
. "gw_quota_zone \$arg_a zone=a:32k quota=1 period=day redis=main;\n"
--- config eval
"location /t { gw_quota zone=a; "
. join('', map { "gw_limit zone=l$_; " } 1 .. 16) . "return 200; }\n"
--- refused: more than 16 limits and quotas in Redis for one request and phase in


=== TEST: gw_quota_zone, two of one name
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
gw_quota_zone $arg_b zone=a:1m quota=1 period=day;
--- refused
the zone "a" of "gw_quota_zone" is already defined, use another name



=== TEST: gw_quota_zone, the name of a gw_limit_zone
--- http_config
gw_limit_zone $arg_a zone=a:1m rate=1r/s;
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- refused
the shared memory zone "a" is already declared for a different use



=== TEST: gw_quota without a zone
--- config
location /t { gw_quota cost=1; return 200; }
--- refused
"gw_quota" must have "zone" parameter



=== TEST: gw_quota with an empty zone name
--- config
location /t { gw_quota zone=; return 200; }
--- refused
invalid zone name "zone="



=== TEST: gw_quota with an unknown zone
--- config
location /t { gw_quota zone=none; return 200; }
--- refused
unknown gw_quota_zone "none" in



=== TEST: gw_quota, cost=-1
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota zone=a cost=-1; return 200; }
--- refused
invalid cost value "cost=-1"



=== TEST: K11 gw_quota with a final_cost below 0
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota zone=a final_cost=-1; return 200; }
--- refused
invalid final_cost value "final_cost=-1"



=== TEST: gw_quota, cost=x
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota zone=a cost=x; return 200; }
--- refused
invalid cost value "cost=x"



=== TEST: gw_quota, cost=unlimited
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota zone=a cost=unlimited; return 200; }
--- refused
invalid cost value "cost=unlimited"



=== TEST: gw_quota, warn=80
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota zone=a warn=80; return 200; }
--- refused
invalid value "warn=80", it must be a percentage from "1%" to "100%"



=== TEST: gw_quota, warn=0%
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota zone=a warn=0%; return 200; }
--- refused
invalid value "warn=0%", it must be a percentage from "1%" to "100%"



=== TEST: gw_quota, warn=101%
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota zone=a warn=101%; return 200; }
--- refused
invalid value "warn=101%", it must be a percentage from "1%" to "100%"



=== TEST: gw_quota, warn=%
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota zone=a warn=%; return 200; }
--- refused
invalid value "warn=%", it must be a percentage from "1%" to "100%"



=== TEST: gw_quota, an unknown parameter
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota zone=a burst=1; return 200; }
--- refused
invalid parameter "burst=1"



=== TEST: gw_quota, one zone twice
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota zone=a; gw_quota zone=a; return 200; }
--- refused
"gw_quota" directive is duplicate



=== TEST: gw_quota off with others
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota zone=a; gw_quota off; return 200; }
--- refused
"gw_quota" directive "off" is not allowed with other quotas



=== TEST: gw_quota after off
--- http_config
gw_quota_zone $arg_a zone=a:1m quota=1 period=day;
--- config
location /t { gw_quota off; gw_quota zone=a; return 200; }
--- refused
"gw_quota" directive is not allowed after "gw_quota off"



=== TEST: gw_quota_status is no error
--- config
location /t { gw_quota_status 200; return 200; }
--- refused
value must be between 400 and 599
