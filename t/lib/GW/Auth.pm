package GW::Auth;

# Copyright (C) the nginx gateway modules developers

# What the tests of the auth module share.  A block may have
#
#     --- auth           directives of "location /t", which proxies to a back
#                        end that answers "consumer=..."
#     --- more_auth      the same after the directives given to setup()
#     --- logs eval      ["name", "text"]: what a log in logs/ must hold
#     --- core_logs      core writes a credential to the error log
#     --- cases eval     [[headers, status, reason, request], ...]: one request
#                        each; request is "GET /t" if it is left out
#
# After every refused request the back end must not have been contacted;
# after every request the error log has neither an alert nor a credential.

use strict;
use warnings;

use GW ();
use GW::JOSE ();
use Test::More ();
use Test::Nginx::Socket;

our $backend = GW::free_port();

$ENV{TEST_NGINX_BACKEND_PORT} = $backend;

my %seen;


# writes a file into the directory of this test, readable for the workers

sub file {
    my ($name, $text) = @_;

    GW::JOSE::spew(GW::tmp_dir() . "/$name", $text);
    chmod(0644, GW::tmp_dir() . "/$name");

    return;
}


sub bearer {
    my ($token) = @_;

    return "Authorization: Bearer $token";
}


my $servers = <<'_EOC_';
    log_format gw_test '$request';

    server {
        listen 127.0.0.1:$TEST_NGINX_BACKEND_PORT;
        access_log logs/backend.log gw_test;

        location / {
            return 200 "consumer=$http_x_consumer\n";
        }
    }
_EOC_

my $location = <<'_EOC_';
        add_header X-Reason $gw_auth_reason always;
        proxy_set_header X-Consumer $gw_consumer;
        proxy_pass http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
_EOC_


sub setup {
    my ($common) = @_;

    log_level('info');

    add_block_preprocessor(sub {
        my ($block) = @_;

        my $http = $block->http_config;
        $http = '' unless defined $http;
        $block->set_value('http_config', $http . $servers);

        $block->set_value('auth', $common . $block->more_auth)
            if defined $block->more_auth;

        if (defined $block->auth) {
            my $config = defined $block->config ? $block->config : '';
            my $auth = $block->auth;

            $block->set_value('config',
                "$config\n    location /t {\n$auth\n$location\n    }\n");
        }

        if (defined $block->cases) {
            my @cases = @{ $block->cases };

            $block->set_value('more_headers', [map { $_->[0] } @cases]);
            $block->set_value('error_code', [map { $_->[1] } @cases]);
            $block->set_value('response_headers',
                [map { 'X-Reason: ' . ($_->[2] || '-') } @cases])
                unless defined $block->response_headers;
            $block->set_value('request',
                [map { $_->[3] || 'GET /t' } @cases]);
        }

        if (defined $block->must_die) {
            # without this Test::Nginx prints what is expected
            $block->set_value('error_log', "[emerg]\n" . $block->error_log);
            $block->set_value('suppress_stderr', '');
            $block->set_value('config', '') unless defined $block->config;

        } elsif (!defined $block->request) {
            $block->set_value('request', 'GET /t');
        }
    });

    add_response_body_check(\&check);
}


sub pick {
    my ($value, $i) = @_;

    return ref($value) eq 'ARRAY' ? $value->[$i] : $value;
}


sub all {
    my ($value) = @_;

    return ref($value) eq 'ARRAY' ? @$value : $value;
}


sub check {
    my ($block, $body, $i) = @_;

    my $name = $block->name . " (request $i)";
    my $code = pick($block->error_code, $i) || 200;
    my $logs = "$Test::Nginx::Util::ServRoot/logs";

    my $log = "$logs/backend.log";
    my ($inode, $size) = (stat($log))[1, 7];
    my $key = defined $inode ? $inode : '';
    my $before = $seen{$key} || 0;

    $before = 0 if $i == 0;
    $seen{$key} = $size || 0;

    if ($code >= 400 && !defined $block->contacts) {
        Test::More::is($size || 0, $before,
                       "$name - the back end was not contacted");
    }

    my $errors = GW::JOSE::slurp("$logs/error.log");

    Test::More::unlike($errors, qr/\[(?:alert|crit|emerg)\]/,
                       "$name - nothing is wrong in the error log");

    if (defined $block->logs && $i == $#{ [all($block->request)] }) {
        my ($file, $text) = @{ $block->logs };

        # a client has its answer before it is logged
        for (1 .. 20) {
            last if GW::JOSE::slurp("$logs/$file") eq $text;
            select(undef, undef, undef, 0.05);
        }

        Test::More::is(GW::JOSE::slurp("$logs/$file"), $text,
                       "$name - $file");
    }

    # core itself may write a header down, as for the second of one kind
    return if defined $block->core_logs;

    my $text = (pick($block->more_headers, $i) || '') . "\n"
               . join("\n", map { split(/[?& ]/, $_) }
                                pick($block->request, $i) || '');

    for my $secret ($text =~ /([\w+\/=-]{16,})\s*$/gm) {
        Test::More::is(index($errors, $secret), -1,
                       "$name - no credential in the error log");
    }
}


1;
