# Copyright (C) the nginx gateway modules developers

# Every message of the block gw_redis, and what it accepts.

use lib 't/lib';
use GW;
use GW::TLS;
use Test::Nginx::Socket;

repeat_each(1);

plan tests => 2 * blocks() + 6;

write_file('good', "s3cret\n", 0600);
write_file('crlf', "s3cret\r\n", 0640);
write_file('world', "s3cret\n", 0604);
write_file('group', "s3cret\n", 0620);
write_file('empty', "\n", 0600);
write_file('lines', "s3cret\nword\n", 0600);
write_file('long', 'x' x 4097, 0600);
write_file('part.conf', "server 127.0.0.1:6379;\ntimeout 5ms;\n", 0644);

my $ca = GW::TLS->ca('conf');

$ca->cert('client', '');
$ca->cert('else', '');

run_tests();


sub write_file {
    my ($name, $text, $mode) = @_;

    my $file = GW::tmp_dir() . "/$name";

    open(my $fh, '>', $file) or die "$file: $!";
    print $fh $text;
    close($fh);
    chmod($mode, $file);
}

__DATA__

=== TEST: all parameters
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        mode standalone;
        user gw;
        password x;
        database 3;
        prefix "x:";
        connect_timeout 1s;
        timeout 5ms;
        stall_timeout 2s;
        queue 64;
        max_fails 0;
        fail_timeout 500ms;
        keepalive_interval 1m;
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: a server without a port
--- http_config
    gw_redis main {
        server 127.0.0.1;
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: an IPv6 address
--- http_config
    gw_redis main {
        server [::1]:6379;
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: a unix socket
--- http_config
    gw_redis main {
        server unix:/run/redis/none.sock;
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: a name is resolved when the configuration is read
--- http_config
    gw_redis main {
        server localhost:6379;
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: a password file
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        user gw;
        password_file $TEST_NGINX_TMP_DIR/good;
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: a password file with CR LF
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password_file $TEST_NGINX_TMP_DIR/crlf;
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: an empty prefix
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        prefix "";
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: include works inside the block
--- http_config
    gw_redis main {
        include $TEST_NGINX_TMP_DIR/part.conf;
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: connections 0 is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        connections 0;
    }
--- config
--- must_die
--- error_log
invalid value "0" of "connections" in gw_redis "main", it must be a number from 1 to 16


=== TEST: connections 17 is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        connections 17;
    }
--- config
--- must_die
--- error_log
invalid value "17" of "connections" in gw_redis "main", it must be a number from 1 to 16


=== TEST: commands increx is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        commands increx;
    }
--- config
--- must_die
--- error_log
invalid commands "increx" of gw_redis "main", it must be "auto" or "eval"; "increx" is not supported in this release


=== TEST: commands twice is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        commands auto;
        commands eval;
    }
--- config
--- must_die
--- error_log
"commands" is duplicate in gw_redis "main"


=== TEST: exit_timeout is unknown is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        exit_timeout 1s;
    }
--- config
--- must_die
--- error_log
unknown directive "exit_timeout" in "gw_redis"


=== TEST: a prefix of a name is unknown is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        time 1s;
    }
--- config
--- must_die
--- error_log
unknown directive "time" in "gw_redis"


=== TEST: a server is needed is refused
--- http_config
    gw_redis main {
        database 1;
    }
--- config
--- must_die
--- error_log
no "server" in gw_redis "main"


=== TEST: a second server is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        server 127.0.0.1:6380;
    }
--- config
--- must_die
--- error_log
gw_redis "main" has more than one server, which is not supported in this release


=== TEST: another parameter of a server is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379 backup;
    }
--- config
--- must_die
--- error_log
invalid parameter "backup" of "server" in "gw_redis"


=== TEST: a third parameter of a server is refused
--- http_config
    gw_redis main {
        server redis.gw.test:6379 resolve again;
    }
--- config
--- must_die
--- error_log
invalid parameter "again" of "server" in "gw_redis"


=== TEST: a name with resolve is not resolved by nginx -t
--- http_config
    resolver 127.0.0.1:1;
    gw_redis main {
        server no-such-host.invalid resolve;
    }
    gw_limit_zone $arg_k zone=one:1m rate=1r/s redis=main;
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: resolve without a resolver is refused
--- http_config
    gw_redis main {
        server no-such-host.invalid resolve;
    }
    gw_limit_zone $arg_k zone=one:1m rate=1r/s redis=main;
--- config
    resolver 127.0.0.1:1;
--- must_die
--- error_log
"resolve" of gw_redis "main" needs a "resolver" in the http block in


=== TEST: resolve of an address is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379 resolve;
    }
--- config
--- must_die
--- error_log
server "127.0.0.1:6379" of gw_redis "main" is no name, it does not need "resolve"


=== TEST: resolve of an IPv6 address is refused
--- http_config
    gw_redis main {
        server [::1] resolve;
    }
--- config
--- must_die
--- error_log
server "[::1]" of gw_redis "main" is no name, it does not need "resolve"


=== TEST: resolve of a unix socket is refused
--- http_config
    gw_redis main {
        server unix:/run/redis/none.sock resolve;
    }
--- config
--- must_die
--- error_log
server "unix:/run/redis/none.sock" of gw_redis "main" is no name, it does not need "resolve"


=== TEST: a server with an invalid port is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:66000;
    }
--- config
--- must_die
--- error_log
invalid port in server "127.0.0.1:66000" of gw_redis "main"


=== TEST: a server that is a URL is refused
--- http_config
    gw_redis main {
        server redis://127.0.0.1;
    }
--- config
--- must_die
--- error_log
invalid host in server "redis://127.0.0.1" of gw_redis "main"


=== TEST: a server without a host is refused
--- http_config
    gw_redis main {
        server :6379;
    }
--- config
--- must_die
--- error_log
no host in server ":6379" of gw_redis "main"


=== TEST: a unix socket without a path is refused
--- http_config
    gw_redis main {
        server unix:;
    }
--- config
--- must_die
--- error_log
no path in the unix domain socket in server "unix:" of gw_redis "main"


=== TEST: a name that does not resolve is refused
--- http_config
    gw_redis main {
        server no-such-host.invalid:6379;
    }
--- config
--- must_die
--- error_log
host not found in server "no-such-host.invalid:6379" of gw_redis "main"


=== TEST: mode cluster is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        mode cluster;
    }
--- config
--- must_die
--- error_log
mode "cluster" of gw_redis "main" is not supported in this release, use "standalone"


=== TEST: mode sentinel is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        mode sentinel master=m;
    }
--- config
--- must_die
--- error_log
mode "sentinel" of gw_redis "main" is not supported in this release, use "standalone"


=== TEST: an unknown mode is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        mode ring;
    }
--- config
--- must_die
--- error_log
invalid mode of gw_redis "main", it must be "standalone"


=== TEST: mode standalone with a parameter is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        mode standalone x;
    }
--- config
--- must_die
--- error_log
invalid mode of gw_redis "main", it must be "standalone"


=== TEST: mode twice is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        mode standalone;
        mode standalone;
    }
--- config
--- must_die
--- error_log
"mode" is duplicate in gw_redis "main"


=== TEST: a parameter without a value is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        timeout;
    }
--- config
--- must_die
--- error_log
invalid number of arguments in "timeout" of "gw_redis"


=== TEST: a parameter with two values is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password s3cret word;
    }
--- config
--- must_die
--- error_log
invalid number of arguments in "password" of "gw_redis"
--- no_error_log
s3cret


=== TEST: a block inside is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379; pool { }
    }
--- config
--- must_die
--- error_log
unexpected "{"


=== TEST: user twice is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        user a;
        user b;
        password x;
    }
--- config
--- must_die
--- error_log
"user" is duplicate in gw_redis "main"


=== TEST: password twice is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password s3cret;
        password s3cret;
    }
--- config
--- must_die
--- error_log
"password" is duplicate in gw_redis "main"
--- no_error_log
s3cret


=== TEST: an empty password is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password "";
    }
--- config
--- must_die
--- error_log
"password" of gw_redis "main" is empty


=== TEST: an empty user is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        user "";
        password x;
    }
--- config
--- must_die
--- error_log
"user" of gw_redis "main" is empty


=== TEST: a user without a password is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        user gw;
    }
--- config
--- must_die
--- error_log
"user" of gw_redis "main" needs "password" or "password_file"


=== TEST: password and password_file is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password s3cret;
        password_file $TEST_NGINX_TMP_DIR/good;
    }
--- config
--- must_die
--- error_log
gw_redis "main" has both "password" and "password_file"
--- no_error_log
s3cret


=== TEST: password_file twice is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password_file a;
        password_file b;
    }
--- config
--- must_die
--- error_log
"password_file" is duplicate in gw_redis "main"


=== TEST: a password file that is missing is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password_file $TEST_NGINX_TMP_DIR/none;
    }
--- config
--- must_die
--- error_log
No such file or directory


=== TEST: a password file that others can read is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password_file $TEST_NGINX_TMP_DIR/world;
    }
--- config
--- must_die
--- error_log
must be a regular file of this user or root that others cannot read
--- no_error_log
s3cret


=== TEST: a password file that its group can write is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password_file $TEST_NGINX_TMP_DIR/group;
    }
--- config
--- must_die
--- error_log
that its group cannot write, as with mode 0600
--- no_error_log
s3cret


=== TEST: a password file that is a directory is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password_file $TEST_NGINX_TMP_DIR;
    }
--- config
--- must_die
--- error_log
must be a regular file of this user or root


=== TEST: a password file that is empty is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password_file $TEST_NGINX_TMP_DIR/empty;
    }
--- config
--- must_die
--- error_log
empty" must have one line of 1 to 4096 bytes


=== TEST: a password file of two lines is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password_file $TEST_NGINX_TMP_DIR/lines;
    }
--- config
--- must_die
--- error_log
lines" must have one line of 1 to 4096 bytes
--- no_error_log
s3cret


=== TEST: a password file that is too long is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        password_file $TEST_NGINX_TMP_DIR/long;
    }
--- config
--- must_die
--- error_log
long" must have one line of 1 to 4096 bytes


=== TEST: prefix twice is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        prefix a;
        prefix b;
    }
--- config
--- must_die
--- error_log
"prefix" is duplicate in gw_redis "main"


=== TEST: a brace in the prefix is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        prefix "a{b";
    }
--- config
--- must_die
--- error_log
prefix "a{b" of gw_redis "main" has a brace


=== TEST: a closing brace in the prefix is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        prefix "a}b";
    }
--- config
--- must_die
--- error_log
prefix "a}b" of gw_redis "main" has a brace


=== TEST: database -1 is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        database -1;
    }
--- config
--- must_die
--- error_log
invalid value "-1" of "database" in gw_redis "main", it must be a number from 0 to 65535


=== TEST: database 65536 is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        database 65536;
    }
--- config
--- must_die
--- error_log
invalid value "65536" of "database" in gw_redis "main", it must be a number from 0 to 65535


=== TEST: queue 7 is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        queue 7;
    }
--- config
--- must_die
--- error_log
invalid value "7" of "queue" in gw_redis "main", it must be a number from 8 to 65536


=== TEST: queue 65537 is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        queue 65537;
    }
--- config
--- must_die
--- error_log
invalid value "65537" of "queue" in gw_redis "main", it must be a number from 8 to 65536


=== TEST: max_fails 1001 is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        max_fails 1001;
    }
--- config
--- must_die
--- error_log
invalid value "1001" of "max_fails" in gw_redis "main", it must be a number from 0 to 1000


=== TEST: max_fails many is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        max_fails many;
    }
--- config
--- must_die
--- error_log
invalid value "many" of "max_fails" in gw_redis "main", it must be a number from 0 to 1000


=== TEST: queue twice is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        queue 8;
        queue 8;
    }
--- config
--- must_die
--- error_log
"queue" is duplicate in gw_redis "main"


=== TEST: timeout 0 is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        timeout 0;
    }
--- config
--- must_die
--- error_log
invalid value "0" of "timeout" in gw_redis "main", it must be a time from 1ms to 1h


=== TEST: connect_timeout 2h is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        connect_timeout 2h;
    }
--- config
--- must_die
--- error_log
invalid value "2h" of "connect_timeout" in gw_redis "main", it must be a time from 1ms to 1h


=== TEST: stall_timeout soon is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        stall_timeout soon;
    }
--- config
--- must_die
--- error_log
invalid value "soon" of "stall_timeout" in gw_redis "main", it must be a time from 1ms to 1h


=== TEST: fail_timeout -1s is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        fail_timeout -1s;
    }
--- config
--- must_die
--- error_log
invalid value "-1s" of "fail_timeout" in gw_redis "main", it must be a time from 1ms to 1h


=== TEST: keepalive_interval 0ms is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        keepalive_interval 0ms;
    }
--- config
--- must_die
--- error_log
invalid value "0ms" of "keepalive_interval" in gw_redis "main", it must be a time from 1ms to 1h


=== TEST: timeout twice is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        timeout 1s;
        timeout 1s;
    }
--- config
--- must_die
--- error_log
"timeout" is duplicate in gw_redis "main"


=== TEST: stall_timeout below timeout is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        timeout 2s;
    }
--- config
--- must_die
--- error_log
"stall_timeout" of gw_redis "main" must not be less than "timeout"


=== TEST: an invalid name is refused
--- http_config
    gw_redis a-b { server 127.0.0.1:6379; }
--- config
--- must_die
--- error_log
invalid name "a-b" of gw_redis, it may have letters, digits and "_" only


=== TEST: an empty name is refused
--- http_config
    gw_redis "" { server 127.0.0.1:6379; }
--- config
--- must_die
--- error_log
invalid name "" of gw_redis


=== TEST: a service defined twice is refused
--- http_config
    gw_redis main { server 127.0.0.1:6379; }
    gw_redis main { server 127.0.0.1:6379; }
--- config
--- must_die
--- error_log
gw_redis "main" is already defined in


=== TEST: all parameters of ssl
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
        ssl_protocols TLSv1 TLSv1.1 TLSv1.2 tlsv1.3;
        ssl_ciphers HIGH:!aNULL;
        ssl_certificate $TEST_NGINX_TMP_DIR/ca-conf/client.pem;
        ssl_certificate_key $TEST_NGINX_TMP_DIR/ca-conf/client.key;
        ssl_trusted_certificate $TEST_NGINX_TMP_DIR/ca-conf/ca.pem;
        ssl_verify on;
        ssl_verify_depth 2;
        ssl_name redis.test;
        ssl_server_name off;
        ssl_session_reuse off;
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: ssl off
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl off;
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: ssl that verifies nothing
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
        ssl_verify off;
    }
--- config
    location /t { return 200 "fine"; }
--- request
GET /t
--- response_body chomp
fine


=== TEST: ssl_protocols without ssl is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl_protocols TLSv1.2;
    }
--- config
--- must_die
--- error_log
"ssl_protocols" of gw_redis "main" needs "ssl on"


=== TEST: ssl_ciphers without ssl is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl_ciphers HIGH;
    }
--- config
--- must_die
--- error_log
"ssl_ciphers" of gw_redis "main" needs "ssl on"


=== TEST: ssl_certificate without ssl is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl_certificate x;
    }
--- config
--- must_die
--- error_log
"ssl_certificate" of gw_redis "main" needs "ssl on"


=== TEST: ssl_certificate_key without ssl is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl_certificate_key x;
    }
--- config
--- must_die
--- error_log
"ssl_certificate_key" of gw_redis "main" needs "ssl on"


=== TEST: ssl_trusted_certificate without ssl is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl_trusted_certificate x;
    }
--- config
--- must_die
--- error_log
"ssl_trusted_certificate" of gw_redis "main" needs "ssl on"


=== TEST: ssl_verify without ssl is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl_verify off;
    }
--- config
--- must_die
--- error_log
"ssl_verify" of gw_redis "main" needs "ssl on"


=== TEST: ssl_verify_depth without ssl is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl_verify_depth 1;
    }
--- config
--- must_die
--- error_log
"ssl_verify_depth" of gw_redis "main" needs "ssl on"


=== TEST: ssl_name without ssl is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl_name x;
    }
--- config
--- must_die
--- error_log
"ssl_name" of gw_redis "main" needs "ssl on"


=== TEST: ssl_server_name without ssl is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl_server_name on;
    }
--- config
--- must_die
--- error_log
"ssl_server_name" of gw_redis "main" needs "ssl on"


=== TEST: ssl_session_reuse without ssl is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl_session_reuse on;
    }
--- config
--- must_die
--- error_log
"ssl_session_reuse" of gw_redis "main" needs "ssl on"


=== TEST: ssl off with ssl_verify is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl off;
        ssl_verify on;
    }
--- config
--- must_die
--- error_log
"ssl_verify" of gw_redis "main" needs "ssl on"


=== TEST: ssl without trusted certificates is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
    }
--- config
--- must_die
--- error_log
"ssl" of gw_redis "main" needs "ssl_trusted_certificate" to verify Redis, or "ssl_verify off"


=== TEST: a certificate without its key is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
        ssl_verify off;
        ssl_certificate $TEST_NGINX_TMP_DIR/ca-conf/client.pem;
    }
--- config
--- must_die
--- error_log
"ssl_certificate" and "ssl_certificate_key" of gw_redis "main" need each other


=== TEST: a key without its certificate is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
        ssl_verify off;
        ssl_certificate_key $TEST_NGINX_TMP_DIR/ca-conf/client.key;
    }
--- config
--- must_die
--- error_log
"ssl_certificate" and "ssl_certificate_key" of gw_redis "main" need each other


=== TEST: a key of another certificate is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
        ssl_verify off;
        ssl_certificate $TEST_NGINX_TMP_DIR/ca-conf/client.pem;
        ssl_certificate_key $TEST_NGINX_TMP_DIR/ca-conf/else.key;
    }
--- config
--- must_die
--- error_log
key values mismatch


=== TEST: a certificate that does not exist is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
        ssl_verify off;
        ssl_certificate $TEST_NGINX_TMP_DIR/ca-conf/none.pem;
        ssl_certificate_key $TEST_NGINX_TMP_DIR/ca-conf/else.key;
    }
--- config
--- must_die
--- error_log
cannot load certificate


=== TEST: trusted certificates that do not exist are refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
        ssl_trusted_certificate $TEST_NGINX_TMP_DIR/ca-conf/none.pem;
    }
--- config
--- must_die
--- error_log
ca-conf/none.pem"


=== TEST: an unknown protocol is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
        ssl_protocols TLSv1.2 SSLv3;
    }
--- config
--- must_die
--- error_log
invalid value "SSLv3" of "ssl_protocols" in gw_redis "main", it must be "TLSv1", "TLSv1.1", "TLSv1.2" or "TLSv1.3"


=== TEST: ssl_protocols twice is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl_protocols TLSv1.2;
        ssl_protocols TLSv1.3;
    }
--- config
--- must_die
--- error_log
"ssl_protocols" is duplicate in gw_redis "main"


=== TEST: ssl twice is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
        ssl off;
    }
--- config
--- must_die
--- error_log
"ssl" is duplicate in gw_redis "main"


=== TEST: ssl that is neither on nor off is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl yes;
    }
--- config
--- must_die
--- error_log
invalid value "yes" of "ssl" in gw_redis "main", it must be "on" or "off"


=== TEST: an unknown cipher is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
        ssl_verify off;
        ssl_ciphers NONSENSE;
    }
--- config
--- must_die
--- error_log
no cipher match


=== TEST: an invalid depth is refused
--- http_config
    gw_redis main {
        server 127.0.0.1:6379;
        ssl on;
        ssl_verify_depth 101;
    }
--- config
--- must_die
--- error_log
invalid value "101" of "ssl_verify_depth" in gw_redis "main", it must be a number from 0 to 100


=== TEST: ssl on a unix socket is refused
--- http_config
    gw_redis main {
        server unix:/run/redis/none.sock;
        ssl on;
    }
--- config
--- must_die
--- error_log
gw_redis "main" has a unix socket, which does not need "ssl"
