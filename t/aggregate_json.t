#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: what is JSON and what is not, byte for byte, however it
# arrives.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use Test::More;

# a table of documents, see t/unit/gw_json_table.h

sub table {
    my ($name) = @_;

    my @rows;

    open(my $fh, '<', "t/data/json/$name.txt") or die "$name: $!";

    while (<$fh>) {
        chomp;
        next if /^#/ || $_ eq '';
        my @fields = split(/\t/, $_, -1);
        s/%([0-9A-Fa-f]{2})/chr(hex($1))/ge for @fields;
        push(@rows, \@fields);
    }

    return @rows;
}


my @invalid = table('invalid');
my @valid = table('valid');

my @splits = (
    '{"key":[1,-2.5e+3,"x\u00e9\ud83d\ude00\n",{"a":null,"b":true}]}',
    "\xef\xbb\xbf [\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\", false , 0 ] \r\n",
);

my %good = (
    number => '[9007199254740993,18446744073709551616,1' . '0' x 400
              . ',1.0,1e6,-0,1.10,1E+2,1e9999,-0.0]',
    string => '["\u0000","\"\\\\\/\b\f\n\r\t","</script>",'
              . "\"\xe2\x80\xa8\xe2\x80\xa9\",\"\\ud800\",\"\x7f\"]",
    keys => '{"k":1,"k":2,"":3,"\u0000":4,"a":5,"\u0061":6}',
    deep512 => '[' x 512 . ']' x 512,
    deep_objects => '{"a":' x 512 . '1' . '}' x 512,
    scalar => '42',
    text => '"s"',
    true => 'true',
    null => 'null',
);

my %bad = (
    deep513 => ['[' x 513 . ']' x 513, 'too_deep'],
    deep_wide => ['[1,' x 513 . '1' . ']' x 513, 'too_deep'],
    deep100000 => ['[' x 100_000, 'too_deep'],
    garbage => ['{"x":1}x', 'invalid_json'],
    two => ['{"x":1}{"x":1}', 'invalid_json'],
    two_lines => ["[1]\n[2]", 'invalid_json'],
    comma => ['[1],', 'invalid_json'],
    nul => ["[1]\0", 'invalid_json'],
);

my $type = 'Content-Type: application/json';

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/split' => sub {
        my ($conn, $req) = @_;
        my ($doc, $at) = $req->{args} =~ /(\d+),(\d+)/;

        $conn->head(200, $type, 'Content-Length: '
                                . length($splits[$doc]));
        $conn->send(substr($splits[$doc], 0, $at));
        $conn->delay(0.002);
        $conn->send(substr($splits[$doc], $at));
    },
    '/bytes' => sub {
        my ($conn, $req) = @_;
        my $doc = $splits[$req->{args}];

        $conn->head(200, $type, 'Content-Length: ' . length($doc));

        for (split(//, $doc)) {
            $conn->send($_);
            $conn->delay(0.002);
        }
    },
    '/chunks' => sub {
        my ($conn, $req) = @_;
        my $doc = $splits[$req->{args}];

        $conn->head(200, $type, 'Transfer-Encoding: chunked');

        for (split(//, $doc)) {
            $conn->chunk($_);
            $conn->delay(0.001);
        }

        $conn->chunk('');
    },
    '*' => sub {
        my ($conn, $req) = @_;
        my ($kind, $name) = $req->{path} =~ m{^/([a-z]+)\.(\w+)};

        $conn->json($kind eq 'invalid' ? $invalid[$name][2]
                    : $kind eq 'valid' ? $valid[$name][1]
                    : $kind eq 'good' ? $good{$name}
                    : $bad{$name}[0]);
    },
);

my $nginx = GW::Nginx->new(http => agg_server($be, server => <<'END'));
        location = /split {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/split?$arg_doc,$arg_at;
        }
        location = /bytes {
            gw_aggregate object;
            gw_aggregate_part a /p/bytes?$arg_doc;
            gw_aggregate_part b /p/chunks?$arg_doc;
        }
        location = /unbuffered {
            gw_aggregate object;
            gw_aggregate_part a /u/bytes?$arg_doc;
            gw_aggregate_part b /u/chunks?$arg_doc;
        }
        location = /at {
            gw_aggregate object;
            gw_aggregate_part a /p/split?0,$arg_at at=/key/3/b;
            gw_aggregate_part b /p/split?0,$arg_at at=/key/2 optional;
            gw_aggregate_part c /p/split?0,$arg_at at=/key/4 optional;
        }
        location /u/ {
            internal;
            proxy_pass http://be/;
            proxy_buffering off;
        }
END

my $client = GW::Client->new($nginx->{port});
my ($reply, $n, $body, @wrong);

sub get {
    my ($b) = @_;

    return $client->get("/agg?a=a&b=$b");
}


ok(@invalid >= 120, 'C40 at least 120 documents');

for $n (0 .. $#invalid) {
    my ($what, $code) = @{$invalid[$n]};

    $reply = get("invalid.$n");
    push(@wrong, "$what, $n: $reply->{status} $reply->{body} "
                 . ($reply->{header}{'x-b-error'} || ''))
        unless $reply->{body} eq '{"a":{"x":1},"b":null}'
               && $reply->{header}{'x-b-error'} eq $code;
}

is(join("\n", @wrong), '', 'C40 all of them are refused');
@wrong = ();

ok(@valid >= 80, 'C41 at least 80 documents');

for $n (0 .. $#valid) {
    my ($what, $text, $want) = @{$valid[$n]};

    $reply = get("valid.$n");
    push(@wrong, "$what, $n: $reply->{status} $reply->{body}")
        unless $reply->{body} eq "{\"a\":{\"x\":1},\"b\":$want}"
               && $reply->{header}{'x-gw-completed'} eq 'true';
}

is(join("\n", @wrong), '', 'C41, C42 all of them are taken, byte for byte');

complete(get("good.$_"), "{\"a\":{\"x\":1},\"b\":$good{$_}}",
         $_ eq 'number' ? 'C43 numbers' : "C41 $_")
    for sort keys %good;

degraded(get("bad.$_"), $bad{$_}[1],
         /deep/ ? "C40, C48 $_" : "C47 $_") for sort keys %bad;

for my $doc (0, 1) {
    (my $want = $splits[$doc]) =~ s/\A\xef\xbb\xbf|\A | \r\n\z//g;
    $want =~ s/\A //;

    my @bad;

    for my $at (1 .. length($splits[$doc]) - 1) {
        $reply = $client->get("/split?doc=$doc&at=$at");
        push(@bad, "at $at: $reply->{body}")
            unless $reply->{body} eq "{\"a\":{\"x\":1},\"b\":$want}";
    }

    is(join("\n", @bad), '', "C53 document $doc in two pieces");
    $reply = $client->get("/bytes?doc=$doc");
    is($reply->{body}, "{\"a\":$want,\"b\":$want}",
       "C53 document $doc byte by byte");
    $reply = $client->get("/unbuffered?doc=$doc");
    is($reply->{body}, "{\"a\":$want,\"b\":$want}",
       "C53, C68 document $doc byte by byte, not buffered");
}

for my $at (1 .. length($splits[0]) - 1) {
    $reply = $client->get("/at?at=$at");
    push(@wrong, "at $at: $reply->{body}")
        unless $reply->{body} eq '{"a":true,'
                                 . '"b":"x\u00e9\ud83d\ude00\n","c":null}'
               && $reply->{header}{'x-gw-failed'} eq 'c';
}

is(join("\n", @wrong), '', 'C53 at= in two pieces');

$client->close;
sane($nginx, 'JSON');

done_testing();
