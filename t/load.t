#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# The modules load alone, in every pair and together, in every order; what
# they share belongs to all that are loaded; builds are not mixed; a loaded
# module adds no name to the process but the three that nginx looks up.

use strict;
use warnings;

use lib 't/lib';

use GW qw(build_dir free_port module_path nginx_binary tmp_dir);
use Test::More;

my @NAMES = qw(auth ratelimit aggregate);

# a static build has nothing to load, but the directives are the same
my $dynamic = -f module_path('auth');
my $shared = ($ENV{GW_HIREDIS} || '') eq 'shared';

my $dir = tmp_dir();
my $nginx = nginx_binary();
my $serial = 0;

mkdir("$dir/logs");

my $good = <<'END';
    gw_redis one { server 127.0.0.1:6379; }
    gw_node_id edge-1;

    server {
        listen unix:%DIR%/x.sock;

        location = /json {
            gw_metrics json;
        }

        location = /prometheus {
            gw_metrics prometheus;
        }
    }
END

orders();
mixed();
twice() if $dynamic;
builds() if $dynamic;
errors();
tls();
symbols() if $dynamic;

done_testing();


# nginx -t on a configuration: the modules to load, the text of http{}

sub nginx_t {
    my ($modules, $http) = @_;

    my $file = "$dir/nginx-" . ++$serial . '.conf';
    my $load = join('', map { 'load_module '
                              . (m{/} ? $_ : module_path($_)) . ";\n" }
                        $dynamic ? @$modules : ());

    $http =~ s/%DIR%/$dir/g;

    open(my $fh, '>', $file) or die "$file: $!";
    print $fh <<"END";
$load
daemon off;
pid $dir/nginx.pid;
error_log stderr;

events {
}

http {
    access_log off;
$http
}
END
    close($fh);

    my $out = qx{$nginx -t -p $dir -c $file 2>&1};

    return ($?, $out);
}


sub passes {
    my ($modules, $http, $name) = @_;

    my ($status, $out) = nginx_t($modules, $http);

    ok($status == 0 && $out =~ /test is successful/, $name) or diag($out);
}


sub fails {
    my ($modules, $http, $expected, $name) = @_;

    my ($status, $out) = nginx_t($modules, $http);

    ok($status >> 8 == 1 && $out =~ /\[emerg\] .*$expected/m, $name)
        or diag("expected: $expected\n$out");
}


sub permutations {
    my ($n, @from) = @_;

    return [] if $n == 0;

    return map {
        my $first = $_;
        map { [ $first, @$_ ] }
            permutations($n - 1, grep { $_ ne $first } @from)
    } @from;
}


# TLS to Redis is that of nginx

sub tls {
    my $text = 'gw_redis one { server 127.0.0.1:1; ssl on; ssl_verify off; }';

    if (qx{$nginx -V 2>&1} =~ /http_ssl_module|stream_ssl_module/) {
        passes([ 'ratelimit' ], $text, 'TLS to Redis');

    } else {
        fails([ 'ratelimit' ], $text,
              '"ssl" of gw_redis "one" needs an nginx that was built with SSL',
              'no TLS to Redis without that of nginx');
    }
}


sub orders {
    for my $n (1 .. 3) {
        for my $order (permutations($n, @NAMES)) {
            passes($order, $good, "@$order: load");

            # each finds what the first of them has read
            fails($order, $good . 'gw_redis one { server 127.0.0.1:1; }',
                  '"one" is already defined in \S*nginx-\d+\.conf:\d+',
                  "@$order: a service is defined once");
        }
    }
}


# a service may be used by a module that did not read it, and before it is
# defined

sub mixed {
    my $zone = 'gw_limit_zone $binary_remote_addr zone=z:1m rate=1r/s';

    for my $order ([ 'auth', 'ratelimit' ], [ 'ratelimit', 'auth' ],
                   [ 'aggregate', 'auth', 'ratelimit' ])
    {
        passes($order, "$zone redis=one mode=strict;\n$good",
               "@$order: a service is found by the module that uses it");

        fails($order, "$zone redis=two mode=strict;\n$good",
              'redis.*"two"',
              "@$order: a service that is nowhere is refused");
    }
}


sub twice {
    for my $name (@NAMES) {
        fails([ $name, $name ], $good,
              "module \"ngx_http_gw_${name}_module\" is already loaded",
              "$name: loaded once only");
    }
}


# the text that tells builds apart is changed in a copy of one module

sub builds {
    for my $name (@NAMES) {
        my $other = $name eq 'auth' ? 'ratelimit' : 'auth';
        my $copy = "$dir/ngx_http_gw_${name}_module.so";

        open(my $in, '<:raw', module_path($name)) or die $!;
        local $/;
        my $text = <$in>;

        is($text =~ s/gateway modules 0\.(\d)/gateway modules 9.$1/g, 1,
           "$name: tells its build once");

        open(my $out, '>:raw', $copy) or die $!;
        print $out $text;
        close($out);

        my $said = 'are of different builds, '
                   . 'load gateway modules of one build only';

        passes([ $copy ], $good, "$name: of another build, alone");
        fails([ $copy, $other ], $good, $said, "$name: another build, first");
        fails([ $other, $copy ], $good, $said, "$name: another build, last");
    }
}


# what the shared directives refuse, whichever module reads them

sub errors {
    my $long = 'x' x 65;
    my $node = 'gw_node_id must have 1 to 64 characters';
    my $location = 'server { listen unix:%DIR%/x.sock; location / { %s } }';

    my @rows = (
        [ 'gw_node_id "";', $node ],
        [ "gw_node_id $long;", $node ],
        [ 'gw_node_id "a b";', 'gw_node_id "a b" has a character that is '
                               . 'not printable ASCII' ],
        [ "gw_node_id \xc3\xa9;", 'has a character that is not printable' ],
        [ 'gw_node_id a; gw_node_id b;', '"gw_node_id" directive is dup' ],
        [ 'gw_metrics json;', '"gw_metrics" directive is not allowed here' ],
        [ '{gw_metrics xml;}', 'invalid gw_metrics format "xml", it must be '
                               . '"json" or "prometheus"' ],
        [ '{gw_metrics json; gw_metrics prometheus;}',
          '"gw_metrics" directive is duplicate' ],
        [ '{proxy_pass http://127.0.0.1:1; gw_metrics json;}',
          '"gw_metrics" directive conflicts with another content handler' ],
        [ '{gw_metrics;}', 'invalid number of arguments in "gw_metrics"' ],
        [ '{gw_redis x { }}', '"gw_redis" directive is not allowed here' ],
        [ '{gw_node_id x;}', '"gw_node_id" directive is not allowed here' ],
        [ 'gw_redis { }', 'invalid number of arguments in "gw_redis"' ],
    );

    for my $row (@rows) {
        my ($text, $said) = @$row;

        my $name = $text;
        $name =~ s/x{65}/xxx.../;
        $name =~ s/[^ -~]+/(bytes)/g;

        if ($text =~ /^\{(.*)\}$/) {
            my $inner = $1;
            $text = $location =~ s/%s/$inner/r;
        }

        fails([ $_ ], $text, $said, "$_: refused: $name") for @NAMES;
    }

    passes([ 'auth' ], 'gw_node_id ' . 'x' x 64 . ';',
           'gw_node_id of 64 characters');
}


sub symbols {
    for my $name (@NAMES) {
        my $file = module_path($name);

        my @names = sort map { (split(' '))[-1] }
                    qx{nm -D --defined-only $file};

        is("@names", 'ngx_module_names ngx_module_order ngx_modules',
           "$name: exports what nginx looks up and nothing else");

        my @open = map { /\bU (gw_\w+|ngx_http_gw_\w+)/ ? $1 : () }
                   qx{nm -D --undefined-only $file};

        is("@open", '', "$name: wants none of our names from elsewhere");

        my @needed = map { /\(NEEDED\).*\[(.*)\]/ ? $1 : () }
                     qx{readelf -d $file};

        cmp_ok(scalar @needed, '>', 0, "$name: needs libraries");

        my $hiredis = grep { /hiredis/ } @needed;

        is($hiredis, $shared && $name eq 'ratelimit' ? 1 : 0,
           "$name: needs " . ($shared ? '' : 'no ') . 'libhiredis.so');

        is(scalar(grep { /lib(ssl|event|uv|rt)\b/ } @needed), 0,
           "$name: needs no other event loop or TLS");
    }
}
