#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_metrics answers well-formed documents with the samples of all modules
# that are loaded, whichever of them reads the directive.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Nginx;
use JSON::PP;
use Test::More;

my $http = <<'END';
    gw_node_id edge-1;

    server {
        listen 127.0.0.1:%%PORT%%;

        location = /json {
            gw_metrics json;
        }

        location = /prometheus {
            gw_metrics prometheus;
        }

        location / {
            return 204;
        }
    }
END

# a static build has one order, that of its configure
my @orders = $ENV{TEST_NGINX_LOAD_MODULES}
             ? ([ qw(auth ratelimit aggregate) ],
                [ qw(aggregate auth ratelimit) ],
                [ qw(ratelimit aggregate auth) ],
                [ 'auth' ], [ 'ratelimit' ], [ 'aggregate' ])
             : ([]);

for my $order (@orders) {
    local $ENV{TEST_NGINX_LOAD_MODULES} =
        join(' ', map { GW::module_path($_) } @$order);

    my $name = "@$order" || 'static';
    my $nginx = GW::Nginx->new(http => $http);

    $nginx->get('/');

    my $json = $nginx->get('/json');
    my $text = $nginx->get('/prometheus');

    is($json->{status}, 200, "$name: JSON, status");
    is($json->{header}{'content-type'}, 'application/json',
       "$name: JSON, type");
    is(json_error($json->{body}), '', "$name: JSON, well-formed");

    is($text->{status}, 200, "$name: Prometheus, status");
    is($text->{header}{'content-type'},
       'text/plain; version=0.0.4; charset=utf-8', "$name: Prometheus, type");
    is(prometheus_error($text->{body}), '', "$name: Prometheus, well-formed");

    like($text->{body},
         qr/^gw_info\{version="[\d.]+",nginx="[\d.]+",node="edge-1"\} 1$/m,
         "$name: tells version and node");
    is(join(' ', sort keys %{decode_json($json->{body})}),
       join(' ', sort $text->{body} =~ /^# TYPE (\w+)/mg),
       "$name: the same families in both");

    ok($nginx->stop, "$name: ends");
    unlike($nginx->log, qr/\[(?:alert|emerg|crit|error)\]/,
           "$name: no error logged");
}

methods();
planted();

done_testing();


sub methods {
    my $nginx = GW::Nginx->new(http => $http);

    for my $path ('/json', '/prometheus') {
        my $get = $nginx->get($path);
        my $head = request($nginx, 'HEAD', $path);
        my $post = request($nginx, 'POST', $path);

        is($head->{status}, 200, "HEAD $path: status");
        is($head->{body}, '', "HEAD $path: no body");
        is($head->{header}{'content-length'}, length($get->{body}),
           "HEAD $path: length");
        is($post->{status}, 405, "POST $path: not allowed");
    }
}


sub request {
    my ($nginx, $method, $path) = @_;

    my $request = { sock => $nginx->connect, start => time() };

    print {$request->{sock}} "$method $path HTTP/1.1\r\nHost: localhost\r\n"
                             . "Connection: close\r\n\r\n";

    return $nginx->finish($request);
}


# what is wrong with a document: an object of arrays of samples

sub json_error {
    my ($text) = @_;

    my $value = eval { decode_json($text) };
    return $@ if $@;
    return 'not an object' if ref($value) ne 'HASH';

    for my $name (sort keys %$value) {
        return "bad name $name" if $name !~ /^gw_[a-z0-9_]+$/;
        return "$name is no array" if ref($value->{$name}) ne 'ARRAY';

        for my $sample (@{$value->{$name}}) {
            return "$name has a sample without a value"
                unless defined $sample->{value}
                       && $sample->{value} =~ /^\d+(\.\d+)?$/;
        }
    }

    return '';
}


# what is wrong with a text: each family has HELP and TYPE once, before its
# samples, which are together and differ in their labels

sub prometheus_error {
    my ($text) = @_;

    my (%help, %type, %series);
    my $family = '';

    return 'no newline at the end' if length($text) && $text !~ /\n\z/;

    for (split(/\n/, $text)) {

        if (/^# HELP (gw_[a-z0-9_]+) \S.*$/) {
            return "HELP $1 twice" if $help{$1}++;
            $family = $1;

        } elsif (/^# TYPE (\w+) (counter|gauge)$/) {
            my ($name, $type) = ($1, $2);

            return "TYPE $name twice" if $type{$name};
            return "TYPE $name is apart from HELP" if $name ne $family;
            return "counter $name is no _total"
                if $type eq 'counter' && $name !~ /_total$/;

            $type{$name} = $type;

        } elsif (/^(\w+)(\{[a-z_]+="(?:[^"\\]|\\[\\n"])*"
                           (?:,[a-z_]+="(?:[^"\\]|\\[\\n"])*")*\})?
                  \ \d+(?:\.\d+)?$/x)
        {
            my ($name, $labels) = ($1, defined $2 ? $2 : '');

            return "$name has no TYPE" unless $type{$name};
            return "samples of $name are apart" if $name ne $family;
            return "$name$labels twice" if $series{"$name$labels"}++;

        } else {
            return "bad line: $_";
        }
    }

    return '';
}


# the two functions above do find errors

sub planted {
    my $head = "# HELP gw_x_total Help.\n# TYPE gw_x_total counter\n";

    is(prometheus_error("${head}gw_x_total{a=\"b\"} 1\n"), '', 'a good text');

    for my $bad ("${head}gw_x_total{a=\"b\"} 1", "gw_x_total 1\n",
                 $head . $head, "${head}gw_x_total 1\ngw_x_total 1\n",
                 "${head}gw_x_total{a=\"b\",} 1\n", "${head}gw_x_total -\n",
                 "${head}gw_x_total{a=\"b\"c\"} 1\n",
                 "# HELP gw_x Help.\n# TYPE gw_x counter\n",
                 "# TYPE gw_x gauge\n")
    {
        isnt(prometheus_error($bad), '', 'a bad text: '
                                         . $bad =~ s/\n/ /gr);
    }

    is(json_error('{"gw_x":[{"a":"b","value":1}]}'), '', 'a good document');
    isnt(json_error($_), '', "a bad document: $_")
        for '', '[]', '{"gw_x":1}', '{"x":[]}', '{"gw_x":[{"value":"a"}]}',
            '{"gw_x":[{}]}', '{"gw_x":[]';
}
