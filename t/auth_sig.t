
# Copyright (C) the nginx gateway modules developers

# Encodings of tokens and signatures: one text for one token.

use strict;
use warnings;

use lib 't/lib';
use Digest::SHA ();
use GW;
use Math::BigInt;
use Test::Nginx::Socket 'no_plan';
use GW::Auth;

GW::Auth::setup();

GW::Auth::file('keys.json', GW::JOSE::jwks(
    map { GW::JOSE::jwk($_, kid => $_) } qw(rsa p256 p384 p521)));
GW::Auth::file('ed25519.json', GW::JOSE::jwk('ed25519'));
GW::Auth::file('oct.json', GW::JOSE::jwk('oct64', kid => 'oct64'));

our %order = (
    p256 => 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
    p384 => 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf'
            . '581a0db248b0a77aecec196accc52973',
    p521 => '01ff' . 'ff' x 30 . 'fffa51868783bf2f966b7fcc0148f709a5d03bb5c9'
            . 'b8899c47aebb6fb71e91386409',
);

our ($header, $payload, $sig) =
    split(/\./, GW::JOSE::jwt('RS256', 'rsa', { sub => 'a' }, kid => 'rsa'));

our $es = GW::JOSE::jwt('ES256', 'p256', { sub => 'a' }, kid => 'p256');


# a token with these bytes as its signature

sub forged {
    my ($alg, $kid, $bytes) = @_;

    return GW::Auth::bearer(
        GW::JOSE::b64u(qq({"alg":"$alg","kid":"$kid"})) . '.'
        . GW::JOSE::b64u('{"sub":"eve","exp":4000000000}') . '.'
        . GW::JOSE::b64u($bytes));
}


# r and s from 0, 1, n - 1 and n

sub psychic {
    my ($alg, $kid) = @_;

    my $n = pack('H*', $order{$kid});
    my $zero = "\0" x length($n);
    (my $one = $zero) =~ s/.\z/\x01/s;
    my $less = $n;
    substr($less, -1) = chr(ord(substr($n, -1)) - 1);

    return map { my $r = $_; map { [forged($alg, $kid, $r . $_), 401, 'sig'] }
                                 ($zero, $one, $less, $n) }
               ($zero, $one, $less, $n);
}


# the signature of $es in other encodings

sub der {
    my ($r, $s) = map { s/^\0+//r } unpack('a32a32',
        GW::JOSE::b64u_decode((split(/\./, $es))[2]));

    $_ = "\0$_" =~ s/^\0(?=[\0-\x7f])//r for $r, $s;

    my $ints = pack('CC/a CC/a', 2, $r, 2, $s);

    return pack('CC/a', 0x30, $ints);
}

sub es {
    my ($bytes) = @_;

    my ($h, $p) = split(/\./, $es);

    return [GW::Auth::bearer("$h.$p." . GW::JOSE::b64u($bytes)), 401, 'sig'];
}


# RFC 8032, 5.1.7: S is less than L; S and a multiple of L is the same number
# to who does not look

sub more_of_s {
    my ($token, $n) = @_;

    my ($h, $p, $s) = split(/\./, $token);
    my $bytes = GW::JOSE::b64u_decode($s);
    my $l = Math::BigInt->new(2)->bpow(252)->badd(
                '27742317777372353535851937790883648493');
    my $sum = Math::BigInt->from_hex(unpack('H*', reverse(substr($bytes, 32))))
              ->badd($l->bmul($n));
    my $hex = substr($sum->as_hex, 2);

    return "$h.$p." . GW::JOSE::b64u(substr($bytes, 0, 32)
               . reverse(pack('H*', '0' x (64 - length($hex)) . $hex)));
}


# the input of all that is signed below

sub input {
    my ($alg) = @_;

    return GW::JOSE::b64u(qq({"alg":"$alg","kid":"rsa"})) . '.'
           . GW::JOSE::b64u('{"sub":"eve","exp":4000000000}');
}


# RSA of a block of 256 bytes that somebody else has padded

sub rsa_block {
    my ($alg, $block, $code) = @_;

    my ($in, $out) = map { GW::JOSE::tmp($_) } qw(block signed);

    die 'a block has ' . length($block) . ' bytes' if length($block) != 256;

    GW::JOSE::spew($in, $block);
    GW::JOSE::openssl('pkeyutl -decrypt -pkeyopt rsa_padding_mode:none -inkey '
                      . GW::JOSE::private_key('rsa') . " -in $in -out $out");

    return [GW::Auth::bearer(input($alg) . '.'
                . GW::JOSE::b64u(GW::JOSE::slurp($out))),
            $code || 401, $code ? '-' : 'sig'];
}


# RFC 8017, 9.2, and ways to leave it: 00 01 FF .. FF 00 DigestInfo

sub pkcs1 {
    my ($change) = @_;

    my %part = (
        head => "\x00\x01", fill => "\xff", zero => "\0", tail => '',
        info => pack('H*', '3031300d060960864801650304020105000420'),
        hash => Digest::SHA::sha256(input('RS256')),
    );

    $change->(\%part);

    my $end = join('', @part{qw(zero info hash tail)});
    my $n = 256 - length($part{head}) - length($end);

    return $part{head} . $part{fill} x $n . $end;
}


# PS256 with a salt of this length

sub pss {
    my ($salt, $code) = @_;

    my ($in, $out) = map { GW::JOSE::tmp($_) } qw(data signed);

    GW::JOSE::spew($in, input('PS256'));
    GW::JOSE::openssl('dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt '
                      . "rsa_pss_saltlen:$salt -sign "
                      . GW::JOSE::private_key('rsa') . " -out $out $in");

    return [GW::Auth::bearer(input('PS256') . '.'
                . GW::JOSE::b64u(GW::JOSE::slurp($out))),
            $code || 401, $code ? '-' : 'sig'];
}


# these bytes as the signature

sub rsa_bytes {
    my ($alg, $bytes) = @_;

    return [GW::Auth::bearer(input($alg) . '.' . GW::JOSE::b64u($bytes)),
            401, 'sig'];
}

our $modulus = GW::JOSE::modulus('rsa');


# a good token with each of its parts changed

sub each_part {
    my ($change) = @_;

    my @parts = ($header, $payload, $sig);

    return map {
        my @p = @parts;
        $p[$_] = $change->($p[$_]);
        [GW::Auth::bearer(join('.', @p)), 401, 'malformed'];
    } 0 .. 2;
}

no_shuffle();
run_tests();

__DATA__

=== TEST: S01 signatures of 0, 1, n - 1 and n
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
[main::psychic('ES256', 'p256'), main::psychic('ES384', 'p384'),
 main::psychic('ES512', 'p521')]



=== TEST: S02 an ECDSA signature is R and S, of that length
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
my $raw = GW::JOSE::b64u_decode((split(/\./, $main::es))[2]);
[[GW::Auth::bearer($main::es), 200],
 main::es(main::der()),
 main::es(substr($raw, 0, 63)),
 main::es($raw . "\0"),
 main::es("\0" . $raw),
 main::es("\0" x 32 . substr($raw, 0, 32) . "\0" x 32 . substr($raw, 32)),
 main::es($raw . "\0" x 64),
 main::es($raw . $raw)]



=== TEST: S07 an empty signature
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
[map { [main::forged($_->[0], $_->[1], ''), 401, 'sig'] }
     ['RS256', 'rsa'], ['PS256', 'rsa'], ['ES256', 'p256'],
     ['ES512', 'p521']]



=== TEST: S07 an empty signature, S08 a part of one, for HMAC
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/oct.json;
gw_jwt_algorithms HS256 HS384 HS512;
--- cases eval
my $good = GW::JOSE::jwt('HS256', 'oct64', {}, kid => 'oct64');
my ($h, $p, $s) = split(/\./, $good);
my $mac = GW::JOSE::b64u_decode($s);
[[GW::Auth::bearer($good), 200],
 (map { [main::forged($_, 'oct64', ''), 401, 'sig'] }
      qw(HS256 HS384 HS512)),
 (map { [GW::Auth::bearer("$h.$p." . GW::JOSE::b64u(substr($mac, 0, $_))),
         401, 'sig'] } 1 .. 31),
 [GW::Auth::bearer("$h.$p." . GW::JOSE::b64u("$mac\0")), 401, 'sig']]



=== TEST: S05 an RSA signature of another length
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
my $raw = GW::JOSE::b64u_decode($main::sig);
[map { [GW::Auth::bearer("$main::header.$main::payload."
                         . GW::JOSE::b64u($_)), 401, 'sig'] }
     substr($raw, 1), substr($raw, 0, 255), "\0$raw", "$raw\0", "\0" x 256,
     "\xff" x 256]



=== TEST: S06 S of Ed25519 and L added to it
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/ed25519.json;
--- cases eval
my $good = GW::JOSE::jwt('EdDSA', 'ed25519', { sub => 'a' });
[[GW::Auth::bearer($good), 200],
 map { [GW::Auth::bearer(main::more_of_s($good, $_)), 401, 'sig'] } 1 .. 7]



=== TEST: S09 padding, white space and other alphabets in each segment
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
[map { my $c = $_; main::each_part(sub { "$_[0]$c" }) }
     '=', '==', '==garbage', '=garbage', '+', '/', '?', '#', '%00', "\x01",
     "\x7f", "\xc3\xa9", '*', ',']



=== TEST: S09 bytes that are no part of the alphabet inside
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
[map { my $c = $_;
       main::each_part(sub { my $t = $_[0]; substr($t, 4, 1) = $c; $t }) }
     '=', '+', '/', ' ', "\t", '~']



=== TEST: S09 bits behind the last byte, an impossible length
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
[(map { my $t = $_;
        map { my $s = $t; substr($s, -1) = $_;
              [GW::Auth::bearer($s), 401,
               $s eq $main::es ? '-' : 'malformed'] } qw(B C D -) }
      "$main::header.$main::payload.$main::sig"),
 main::each_part(sub { my $t = $_[0];
                       $t . 'A' x ((1 - length($t)) % 4 || 4 ) })]



=== TEST: S10 other numbers of segments
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
my ($h, $p, $s) = ($main::header, $main::payload, $main::sig);
[(map { [GW::Auth::bearer($_), 401, 'malformed'] }
     "$h.$p", "$h.$p.$s.$s", '..', '.', '...', "$h.$p.$s.$s.$s.$s",
     ".$h.$p.$s", "$h..$p.$s", "$h.$p.$s.", "$h.$p..$s", ".$p.$s",
     '{"payload":"' . $p . '","signatures":[{"protected":"' . $h
     . '","signature":"' . $s . '"}]}',
     '{"payload":"' . $p . '","protected":"' . $h . '","signature":"' . $s
     . '"}', 'x', "$h"),
 [GW::Auth::bearer("$h.."), 401, 'sig']]



=== TEST: S11 five segments are a JWE
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
[[GW::Auth::bearer(CORE::join('.', $main::header, $main::payload, $main::sig,
                              'AAAA', 'AAAA')), 401, 'type']]



=== TEST: S09 a byte 0 in a token is refused by core
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- raw_request eval
"GET /t HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
. "Authorization: Bearer $main::header.$main::payload.$main::sig\0\r\n\r\n"
--- error_code: 400



=== TEST: S03 PKCS #1 padding, which is to be as the RFC says
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
[main::rsa_block('RS256', main::pkcs1(sub { }), 200),
 map { main::rsa_block('RS256', main::pkcs1($_)) }
     sub { $_[0]{head} = "\x00\x02" }, sub { $_[0]{head} = "\x00\x00" },
     sub { $_[0]{head} = "\x00\x03" },
     sub { $_[0]{fill} = "\xfe" }, sub { $_[0]{fill} = "\x00" },
     sub { $_[0]{zero} = "\x01" }, sub { $_[0]{zero} = '' },
     sub { $_[0]{zero} = "\0\0" },
     # no NULL, NULL of another length, another hash, a longer form
     sub { $_[0]{info} = pack('H*', '302f300b0609608648016503040201'
                                    . '0420') },
     sub { $_[0]{info} = pack('H*', '3032300e06096086480165030402010501'
                                    . '000420') },
     sub { $_[0]{info} = pack('H*', '3031300d060960864801650304020205000420') },
     sub { $_[0]{info} = pack('H*', '308131300d060960864801650304020105000420') },
     sub { $_[0]{info} = '' },
     sub { substr($_[0]{hash}, -1) ^= "\x01" },
     # CVE-2006-4339: bytes behind the hash, few bytes of padding before
     sub { $_[0]{tail} = "\0" }, sub { $_[0]{tail} = 'x' x 100 },
     sub { $_[0]{tail} = 'x' x (256 - 2 - 8 - 1 - 19 - 32) },
     sub { $_[0]{hash} .= 'x' }]



=== TEST: S03 RSA numbers that no signature has
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
[map { my $alg = $_;
       map { main::rsa_bytes($alg, $_) }
           "\0" x 256, "\0" x 255 . "\x01", $main::modulus,
           $main::modulus & "\xff" x 255 . "\xfe", "\xff" x 256 }
     'RS256', 'PS256']



=== TEST: S04 the salt of PSS is as long as the hash
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
[main::pss(32, 200), map { main::pss($_) } 0, 1, 20, 31, 33, 64, 'max']



=== TEST: S04 PSS is not PKCS #1, nor the reverse
--- auth
gw_jwt api;
gw_jwt_key_file $TEST_NGINX_TMP_DIR/keys.json;
--- cases eval
[main::rsa_block('PS256', main::pkcs1(sub { $_[0]{hash} =
     Digest::SHA::sha256(main::input('PS256')) })),
 do { my $case = main::pss(32, 200);
      my ($sig) = $case->[0] =~ /([^.]+)$/;
      [GW::Auth::bearer(main::input('RS256') . ".$sig"), 401, 'sig'] }]
