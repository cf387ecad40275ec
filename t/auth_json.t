#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# J06: each text of JSONTestSuite as the signed payload of a token, as a claim
# of one, and as a member of the header.  A text that must be accepted (y_) is,
# one that must not (n_) is not, and nothing ends the worker.

use strict;
use warnings;

use lib 't/lib';

use Encode ();
use GW;
use GW::Client;
use GW::JOSE;
use GW::Nginx;
use GW::Node;
use Test::More;

# what RFC 8259 leaves open and we have decided: a name occurs once in an
# object, and no text holds U+0000

my %refused = map { $_ => 1 } qw(
    y_object_duplicated_key.json
    y_object_duplicated_key_and_value.json
    y_object_escaped_null_in_key.json
    y_string_null_escape.json
);

# bytes that no JavaScript string can hold, and a byte order mark

my @bytes = (
    "\xff", "\xfe\xff", "\xc3", "\xc3(", "\xa0\xa1", "\xe2\x82", "\xe2\x28\xa1",
    "\xe2\x82\x28", "\xf0\x28\x8c\xbc", "\xf0\x90\x28\xbc", "\xf0\x90\x8c",
    "\xf0\x80\x80\xaf", "\xe0\x80\xaf", "\xc0\xaf", "\xc0\x80", "\xc1\xbf",
    "\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\xbd\xed\xb2\xa9",
    "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80",
    "\xfc\x84\x80\x80\x80\x80", "\x80", "\xbf", "\xe9",
);

my $dir = GW::tmp_dir();

GW::JOSE::spew("$dir/oct.json", GW::JOSE::jwk('oct32', kid => 'o'));
chmod(0644, "$dir/oct.json");

my $nginx = GW::Nginx->new(http => <<"END");
    large_client_header_buffers 4 512k;

    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Reason \$gw_auth_reason always;
        error_page 404 =200 /ok;

        gw_jwt api;
        gw_jwt_key_file $dir/oct.json;
        gw_jwt_algorithms HS256;
        gw_jwt_max_size 400k;

        location = /ok { gw_jwt off; return 200 ok; }
        location / { gw_jwt_validate_exp off; }
        location = /exp { }
    }
END

my $client;


# status and reason for a token of this header and this payload, bytes

sub ask {
    my ($path, $header, $payload) = @_;

    my $token = GW::JOSE::token('HS256', 'oct32', $header, $payload);

    for (1 .. 2) {
        $client ||= GW::Client->new($nginx->{port});

        my $reply = $client->get($path, "Authorization: Bearer $token");

        unless (defined $reply) {
            undef $client;
            next;
        }

        undef $client if lc($reply->{header}{connection} || '') eq 'close';

        return "$reply->{status} " . ($reply->{header}{'x-reason'} || '');
    }

    return 'closed';
}


sub payload {
    return ask('/', '{"alg":"HS256"}', $_[0]);
}


sub claim {
    return ask('/exp', '{"alg":"HS256"}', qq({"exp":4000000000,"a":$_[0]}));
}


sub header {
    return ask('/', qq({"alg":"HS256","a":$_[0]}), '{}');
}


my $cases = GW::Node::run('json.js', {});
my %count;

# whoever answers is there
is(payload('{}'), '200 -', 'an empty object');

my @workers = $nginx->workers;

# === J06, what must be accepted, must be refused, may be either

for my $case (@$cases) {
    my ($name, $kind) = $case->{name} =~ /^((y|n|i)_.*)/;
    my $text = Encode::encode('UTF-8', $case->{input});
    my $object = $text =~ /^[ \t\r\n]*\{/;
    my $either = '(?:200 -|401 json)';

    $count{$kind}++;

    my $want = $kind eq 'i' ? $either
             : $kind eq 'y' && $object && !$refused{$name} ? '200 -'
             : '401 json';

    like(payload($text), qr/^$want$/, "$name as the payload");

    # a header has its limit; within an object a text may become another one
    $want = $kind eq 'i' ? $either
          : $case->{member} && !$refused{$name} ? '200 -' : '401 json';

    like(claim($text), qr/^$want$/, "$name as a claim");

    $want = '401 header' if length($text) > 2000;
    like(header($text), qr/^(?:$want|401 size)$/, "$name in the header");
}

is_deeply(\%count, { y => 95, n => 188, i => 35 }, 'all of its files');


# === J06, bytes that are not UTF-8

for my $bytes (@bytes) {
    my $name = unpack('H*', $bytes);

    is(payload(qq({"a":"$bytes"})), '401 json', "$name in a string");
    is(payload(qq({"$bytes":1})), '401 json', "$name in a name");
    is(payload(qq({"a":$bytes})), '401 json', "$name as a value");
    is(header(qq("$bytes")), '401 json', "$name in the header");
}

is(payload("\xef\xbb\xbf{}"), '401 json', 'a byte order mark');
is(payload(Encode::encode('UTF-16LE', '{}')), '401 json', 'UTF-16LE');
is(payload(Encode::encode('UTF-16BE', '{}')), '401 json', 'UTF-16BE');
is(payload("{}\0"), '401 json', 'a zero byte behind the object');
is(payload("{}\n"), '200 -', 'but an end of line');


# === nothing has happened to the worker

is(join(' ', $nginx->workers), "@workers", 'the worker is the same');
unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'the log is clean');

$nginx->stop;

done_testing();
