#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: answers of parts that are no JSON.

use strict;
use warnings;

use lib 't/lib';

use GW;
use GW::Aggregate;
use GW::Backend;
use GW::Client;
use GW::Nginx;
use JSON::PP;
use MIME::Base64;
use Test::More;

my $all = join('', map { chr } 0 .. 127);
my $utf8 = "\xc3\xa4\xe2\x82\xac\xf0\x9d\x84\x9e";
my $random = join('', map { pack('N', ($_ * 2654435761) & 0xffffffff) }
                      1 .. 262144);

my $be = GW::Backend->new(
    '/a' => sub { $_[0]->json('{"x":1}') },
    '/text' => sub { $_[0]->answer(200, 'text/plain', "a \"b\"\\\n") },
    '/json' => sub { $_[0]->json('{"x":1}') },
    '/all' => sub { $_[0]->answer(200, 'text/plain', $all) },
    '/utf8' => sub { $_[0]->answer(200, 'text/html', $utf8) },
    '/cut' => sub { $_[0]->chunked($utf8 =~ /(.)/gs) },
    '/invalid' => sub { $_[0]->answer(200, 'text/plain', "a\xff") },
    '/short' => sub { $_[0]->answer(200, 'text/plain', "a\xe2\x82") },
    '/empty' => sub { $_[0]->answer(200, 'text/plain', '') },
    '/none' => sub { $_[0]->chunked() },
    '/204' => sub { $_[0]->head(204) },
    '/404' => sub { $_[0]->answer(404, 'text/plain', 'none') },
    '/truncated' => sub {
        $_[0]->head(200, 'Content-Type: text/plain', 'Content-Length: 9');
        $_[0]->send('a');
        $_[0]->close;
    },
    '/random' => sub { $_[0]->answer(200, 'image/png', $random) },
    '/zeros' => sub { $_[0]->answer(200, 'text/plain', "\0" x 1_000_000) },
    map { my $n = $_;
          ("/n$n" => sub { $_[0]->chunked(substr($random, 0, $n)
                                          =~ /(.{1,2})/gs) }) } 0 .. 9,
);

my $nginx = GW::Nginx->new(http => agg_server($be, b => 'type=text',
                                              server => <<'END'));
        location = /base64 {
            gw_aggregate object;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional type=base64 max_size=2m;
        }
        location = /buffers {
            gw_aggregate object;
            gw_aggregate_buffer_size 1k;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/$arg_b optional type=base64 max_size=2m;
        }
        location = /small {
            gw_aggregate object;
            gw_aggregate_max_size 2m;
            gw_aggregate_part a /p/a;
            gw_aggregate_part b /p/zeros optional type=text;
        }
        location = /stream {
            gw_aggregate object;
            gw_aggregate_stream ordered;
            gw_aggregate_part t /p/text type=text;
            gw_aggregate_part b /p/utf8 optional type=base64;
        }
END

my $client = GW::Client->new($nginx->{port});

sub text { return $client->get("/agg?a=a&b=$_[0]") }
sub whole { return "{\"a\":{\"x\":1},\"b\":$_[0]}" }

complete(text('text'), whole('"a \"b\"\\\\\n"' =~ s/\n/\\n/r),
         'C51 quotes and lines');
complete(text('json'), whole('"{\"x\":1}"'), 'C51 JSON as a text');
is(JSON::PP->new->decode(text('all')->{body})->{b}, $all,
   'C51 every character of ASCII');
unlike(text('all')->{body}, qr/[\x00-\x1f]/, 'C51 ... none of control');
complete(text('utf8'), whole("\"$utf8\""), 'C51 UTF-8');
complete(text('cut'), whole("\"$utf8\""), 'C51 ... in single bytes');
degraded(text('invalid'), 'invalid_utf8', 'C51 no UTF-8');
degraded(text('short'), 'invalid_utf8', 'C51 a character that is cut');
complete(text('empty'), whole('""'), 'no text');
complete(text('none'), whole('""'), '... of unknown length');
complete(text('204'), whole('null'), 'no content');
degraded(text('404'), 'status', 'a status that is no success');
degraded(text('truncated'), 'truncated', 'a text that is cut');

my $base64 = encode_base64($random, '');

for my $path ('/base64', '/buffers') {
    my $reply = $client->get("$path?b=random");
    ok($reply->{body} eq whole("\"$base64\""), "C52 1 MB of bytes, $path");

    complete($client->get("$path?b=n$_"),
             whole('"' . encode_base64(substr($random, 0, $_), '') . '"'),
             "C52 $_ bytes, $path") for 0 .. 9;
}

failed($client->get('/small'), 502, { a => 'too_large', b => 'too_large' },
       'a text that grows beyond gw_aggregate_max_size');
is($client->get('/stream')->{body},
   '{"t":"a \"b\"\\\\\n","b":"' =~ s/\n/\\n/r . encode_base64($utf8, '')
   . '"}', 'a stream of texts');

$client->close;
sane($nginx, 'texts');

done_testing();
