package GW;

# Copyright (C) the nginx gateway modules developers

# What every test file of the gateway modules shares: the nginx and the
# modules to test, a server root of its own, free ports.  Load it before
# Test::Nginx::Socket:
#
#     use lib 't/lib';
#     use GW;
#     use Test::Nginx::Socket;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(basename dirname);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;

our @EXPORT_OK = qw(free_port build_dir module_path nginx_binary tmp_dir);

my ($top, $build, $variant, $root, $owner);
my %given;


# a TCP port on 127.0.0.1 that nobody listens on, given once in this process

sub free_port {
    for (1 .. 100) {
        my $sock = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1', LocalPort => 0, Proto => 'tcp',
            Listen => 1, ReuseAddr => 1,
        ) or next;

        my $port = $sock->sockport();
        close($sock);

        return $port unless $given{$port}++;
    }

    die "no free port";
}


# the build directory; $variant, the directory of the nginx under test, in it

sub build_dir {
    return $build;
}


# file name of a module: module_path('auth')

sub module_path {
    my ($name) = @_;

    return "$build/$variant/ngx_http_gw_${name}_module.so";
}


sub nginx_binary {
    return $ENV{TEST_NGINX_BINARY};
}


# a directory for this test file, removed when it ends well

sub tmp_dir {
    return $root;
}


# runs when the file is loaded, hence before Test::Nginx::Socket is

{
    $top = abs_path(dirname(__FILE__) . '/../..');
    $build = abs_path($ENV{GW_BUILD} || "$top/build");
    $variant = $ENV{GW_VARIANT} || 'modules';
    $owner = $$;

    my $name = basename($0, '.t') . "-$$";

    $root = "$build/t/$name";
    make_path($root);
    # nginx workers run as nobody when the tests are run by root
    chmod(0777, "$build/t", $root);

    $ENV{TEST_NGINX_BINARY} ||= "$build/$variant/nginx";
    $ENV{TEST_NGINX_SERVROOT} ||= "$root/servroot";
    $ENV{TEST_NGINX_SERVER_PORT} ||= free_port();

    # GW_LOAD: names of modules in the order to load, none for static builds
    unless (defined $ENV{TEST_NGINX_LOAD_MODULES}) {
        my @names = split(' ', $ENV{GW_LOAD}
                               || 'auth ratelimit aggregate');
        my @files = grep { -f } map { module_path($_) } @names;

        $ENV{TEST_NGINX_LOAD_MODULES} = join(' ', @files) if @files;
    }

    # a test that is interrupted still ends what it started, in END
    $SIG{$_} = sub { exit(130) } for qw(INT TERM HUP);

    $ENV{TEST_NGINX_HTML_DIR} = "$ENV{TEST_NGINX_SERVROOT}/html";
    $ENV{TEST_NGINX_DATA_DIR} = "$top/t/data";
    $ENV{TEST_NGINX_TOP_DIR} = $top;
    $ENV{TEST_NGINX_TMP_DIR} = $root;
}


END {
    if (defined $owner && $$ == $owner && $? == 0
        && !$ENV{TEST_NGINX_NO_CLEAN})
    {
        remove_tree($root);
    }
}


1;
