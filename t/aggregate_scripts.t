#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: parts whose content is made by scripts, and those that include
# other requests.  util/compat leaves this out for any nginx but the installed
# one, for which the distribution has built its modules.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

my $binary = GW::nginx_binary();
my ($path) = `$binary -V 2>&1` =~ /--modules-path=(\S+)/;
my $ours = $ENV{TEST_NGINX_LOAD_MODULES} || '';

$path ||= '/usr/lib/nginx/modules';

my %modules = (
    lua => "$path/ndk_http_module.so $path/ngx_http_lua_module.so",
    njs => "$path/ngx_http_js_module.so",
);

my $whole = '{"a":{"x":1},"b":[1,2]}';

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/b' => sub { $_[0]->json('[1,2]') },
    # njs reads to the end
    '/once' => sub { $_[0]->json('[1,2]'); $_[0]->close },
    '/never' => sub { $_[0]->hang },
    '/large' => sub { $_[0]->json('"' . 'x' x 300_000 . '"') },
);


sub location {
    my ($name, $text) = @_;

    return <<"END";
        location = /of/$name {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /l/$name optional timeout=300ms;
        }
        location = /l/$name {
            internal;
            default_type application/json;
            $text
        }
END
}

my %lua = (
    content => 'content_by_lua_block { ngx.print("[1,", "2]") }',
    sleep => 'content_by_lua_block { ngx.sleep(0.05) ngx.print("[1,2]") }',
    capture => 'content_by_lua_block {
                    local res = ngx.location.capture("/p/b")
                    ngx.print(res.body)
                }',
    several => 'content_by_lua_block {
                    local one, two = ngx.location.capture_multi {
                        { "/p/b" }, { "/p/a" }
                    }
                    ngx.print(two.status == 200 and one.body or "0")
                }',
    socket => 'content_by_lua_block {
                    local sock = ngx.socket.tcp()
                    sock:connect("127.0.0.1", ' . $be->port . ')
                    sock:send("GET /b HTTP/1.0\r\n\r\n")
                    repeat local line = sock:receive() until line == ""
                    ngx.print(sock:receive(5))
                }',
    rewrite => 'rewrite_by_lua_block { ngx.exec("/p/b") }
                proxy_pass http://be/a;',
    filter => 'proxy_pass http://be/a;
               header_filter_by_lua_block { ngx.header.content_length = nil }
               body_filter_by_lua_block {
                   ngx.arg[1] = ngx.arg[2] and "[1,2]" or ""
               }',
    variable => 'set_by_lua_block $x { return 2 }
                 return 200 "[1,$x]";',
    error => 'content_by_lua_block { error("no") }',
    exit => 'content_by_lua_block { ngx.exit(404) }',
    bad => 'content_by_lua_block { ngx.print("[1,2") }',
    never => 'content_by_lua_block { ngx.sleep(0.6) ngx.print("[1,2]") }',
    waits => 'content_by_lua_block {
                  ngx.print(ngx.location.capture("/q/never").body)
              }',
);

my %njs = (
    content => 'js_content main.content;',
    sleep => 'js_content main.sleep;',
    subrequest => 'js_content main.subrequest;',
    several => 'js_content main.several;',
    large => 'js_content main.large;',
    fetch => 'js_content main.fetch;',
    redirect => 'js_content main.redirect;',
    variable => 'js_set $x main.two; return 200 "[1,$x]";',
    error => 'js_content main.error;',
    never => 'js_content main.never;',
    waits => 'js_content main.waits;',
);

my $script = <<'END';
function content(r) {
    r.return(200, '[1,2]');
}

function sleep(r) {
    setTimeout(function () { r.return(200, '[1,2]'); }, 50);
}

function never(r) {
    setTimeout(function () { r.return(200, '[1,2]'); }, 600);
}

async function subrequest(r) {
    let reply = await r.subrequest('/p/b');
    r.return(reply.status, reply.responseText);
}

async function several(r) {
    let replies = await Promise.all([r.subrequest('/p/b'),
                                     r.subrequest('/p/a')]);
    r.return(replies[1].status, replies[0].responseText);
}

async function large(r) {
    let reply = await r.subrequest('/p/large');
    r.return(reply.status, reply.responseText);
}

async function waits(r) {
    let reply = await r.subrequest('/q/never');
    r.return(reply.status, reply.responseText);
}

async function fetch(r) {
    let reply = await ngx.fetch('http://127.0.0.1:PORT/once');
    let text = await reply.text();
    r.return(reply.status, text);
}

function redirect(r) {
    r.internalRedirect('/p/b');
}

function two(r) {
    return '2';
}

function error(r) {
    throw new Error('no');
}

export default { content, sleep, never, subrequest, several, large, waits,
                 fetch, redirect, two, error };
END

$script =~ s/PORT/$be->port/e;

# what is not the whole answer; njs redirects only requests of clients
my %degraded = (
    error => 'status', exit => 'status', bad => 'invalid_json',
    never => 'timeout', waits => 'timeout', large => 'too_large',
    redirect => 'status',
);

for my $language ('lua', 'njs') {
    my $parts = $language eq 'lua' ? \%lua : \%njs;
    my $file = GW::tmp_dir() . '/main.js';

    open(my $fh, '>', $file) or die;
    print $fh $script;
    close($fh);
    chmod(0644, $file);

    # its filters before and after ours
    for my $order ("$modules{$language} $ours", "$ours $modules{$language}") {
        my $name = 'C109 ' . ($order =~ /^\Q$modules{$language}\E/
                              ? $language : "$language, loaded last");

        local $ENV{TEST_NGINX_LOAD_MODULES} = $order;

        my $nginx = GW::Nginx->new(http => agg_server($be,
            http => $language eq 'lua' ? '' : "js_import main from $file;",
            server => join('', map { location($_, $parts->{$_}) }
                               sort keys %$parts) . <<'END'));
        location /q/ {
            internal;
            proxy_pass http://be/;
            proxy_read_timeout 500ms;
        }
END

        for my $part (sort keys %$parts) {
            my $client = GW::Client->new($nginx->{port});
            my $start = time();
            my $reply = $client->get("/of/$part");

            if ($degraded{$part}) {
                degraded($reply, $degraded{$part}, "$name: $part");

            } else {
                complete($reply, $whole, "$name: $part");
            }

            within($reply->{time}, 0.3, 0.35, "$name: $part, in time")
                if ($degraded{$part} || '') eq 'timeout';
            complete(GW::Client->new($nginx->{port})->get('/agg?a=a&b=b'),
                     $whole, "$name: after $part");
        }

        # what could not be stopped
        sleep(0.5);
        sane($nginx, $name);
        $nginx->stop;
    }
}

done_testing();
