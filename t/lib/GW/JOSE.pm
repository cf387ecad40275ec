package GW::JOSE;

# Copyright (C) the nginx gateway modules developers

# Keys and tokens for the tests, made when a test runs: nothing here is a
# secret of anybody.  Signatures are made by the openssl program, everything
# else by hand, so that a token may break any rule.
#
#     GW::JOSE::jwks(GW::JOSE::jwk('rsa', kid => 'a'))
#     GW::JOSE::jwt('RS256', 'rsa', { sub => 'me' })
#     GW::JOSE::token('RS256', 'rsa', '{"alg":"RS256"}', '{"sub":1}')

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256 hmac_sha384 hmac_sha512);
use File::Temp qw(tempdir);
use MIME::Base64 qw(encode_base64 decode_base64);

my %genpkey = (
    (map { $_ => '-algorithm RSA -pkeyopt rsa_keygen_bits:2048' }
         qw(rsa rsa2 rsa3)),
    rsa1024 => '-algorithm RSA -pkeyopt rsa_keygen_bits:1024',
    p256 => '-algorithm EC -pkeyopt ec_paramgen_curve:P-256',
    p256b => '-algorithm EC -pkeyopt ec_paramgen_curve:P-256',
    p384 => '-algorithm EC -pkeyopt ec_paramgen_curve:P-384',
    p521 => '-algorithm EC -pkeyopt ec_paramgen_curve:P-521',
    k256 => '-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1',
    ed25519 => '-algorithm ed25519',
    ed448 => '-algorithm ed448',
);

my %ec = (
    p256 => ['P-256', 32], p256b => ['P-256', 32], p384 => ['P-384', 48],
    p521 => ['P-521', 66], k256 => ['secp256k1', 32],
);

my %okp = (ed25519 => ['Ed25519', 32], ed448 => ['Ed448', 57]);

my ($dir, %der);


sub b64u {
    my ($bytes) = @_;

    my $text = encode_base64($bytes, '');
    $text =~ tr{+/}{-_};
    $text =~ s/=+$//;

    return $text;
}


sub b64u_decode {
    my ($text) = @_;

    $text =~ tr{-_}{+/};

    return decode_base64($text . '=' x (-length($text) % 4));
}


sub tmp {
    my ($name) = @_;

    $dir ||= tempdir(CLEANUP => 1);

    return "$dir/$name";
}


sub slurp {
    my ($name) = @_;

    open(my $fh, '<:raw', $name) or die "$name: $!";
    local $/;
    my $bytes = <$fh>;

    return $bytes;
}


sub spew {
    my ($name, $bytes) = @_;

    open(my $fh, '>:raw', $name) or die "$name: $!";
    print $fh $bytes;
    close($fh) or die "$name: $!";

    return $name;
}


sub openssl {
    my ($args) = @_;

    system("openssl $args 2>/dev/null") == 0 or die "openssl $args failed";
}


# the file with a private key, made when it is first asked for

sub private_key {
    my ($name) = @_;

    my $file = tmp("$name.pem");

    if (!-f $file) {
        die "no key $name" unless $genpkey{$name};
        openssl("genpkey $genpkey{$name} -out $file");
    }

    return $file;
}


sub pem {
    my ($name) = @_;

    openssl('pkey -pubout -in ' . private_key($name) . ' -out ' . tmp('pub'));

    return slurp(tmp('pub'));
}


sub pkcs1_pem {
    my ($name) = @_;

    openssl('rsa -RSAPublicKey_out -in ' . private_key($name)
            . ' -out ' . tmp('pub'));

    return slurp(tmp('pub'));
}


sub spki {
    my ($name) = @_;

    $der{$name} ||= do {
        openssl('pkey -pubout -outform DER -in ' . private_key($name)
                . ' -out ' . tmp('der'));
        slurp(tmp('der'));
    };

    return $der{$name};
}


sub modulus {
    my ($name) = @_;

    openssl('rsa -modulus -noout -in ' . private_key($name)
            . ' -out ' . tmp('n'));

    my ($hex) = slurp(tmp('n')) =~ /=([0-9A-F]+)/;

    return pack('H*', $hex);
}


# x and y

sub point {
    my ($name) = @_;

    my $n = $ec{$name}[1];

    return (substr(spki($name), -2 * $n, $n), substr(spki($name), -$n));
}


# the secret of "oct32", "oct48b": that many bytes, always the same

sub secret {
    my ($name) = @_;

    my ($n, $seed) = $name =~ /^oct(\d+)(.*)$/ or die "no secret $name";

    return substr(hmac_sha512('1', $name) . hmac_sha512('2', $name), 0, $n);
}


# a JWK as text: jwk('rsa', kid => 'a', alg => 'RS256'), undef drops a member

sub jwk {
    my ($name, %more) = @_;

    my %m;

    if ($name =~ /^rsa/) {
        %m = (kty => 'RSA', n => b64u(modulus($name)), e => 'AQAB');

    } elsif ($ec{$name}) {
        my ($x, $y) = point($name);
        %m = (kty => 'EC', crv => $ec{$name}[0], x => b64u($x),
              y => b64u($y));

    } elsif ($okp{$name}) {
        my ($crv, $n) = @{ $okp{$name} };
        %m = (kty => 'OKP', crv => $crv, x => b64u(substr(spki($name), -$n)));

    } else {
        %m = (kty => 'oct', k => b64u(secret($name)));
    }

    %m = (%m, %more);

    return '{' . join(',', map { qq("$_":"$m{$_}") }
                           grep { defined $m{$_} } sort keys %m) . '}';
}


sub jwks {
    return '{"keys":[' . join(',', @_) . ']}';
}


# raw bytes of a signature

sub sign {
    my ($alg, $name, $data) = @_;

    my ($type, $bits) = $alg =~ /^(HS|RS|PS|ES)(\d+)K?$/;

    if (!$type) {
        spew(tmp('data'), $data);
        openssl('pkeyutl -sign -rawin -inkey ' . private_key($name)
                . ' -in ' . tmp('data') . ' -out ' . tmp('sig'));
        return slurp(tmp('sig'));
    }

    if ($type eq 'HS') {
        my $key = $name =~ /^oct\d/ ? secret($name) : $name;
        return mac($alg, $key, $data);
    }

    my $pss = $type eq 'PS'
              ? '-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest'
              : '';

    spew(tmp('data'), $data);
    openssl("dgst -sha$bits $pss -sign " . private_key($name)
            . ' -out ' . tmp('sig') . ' ' . tmp('data'));

    my $sig = slurp(tmp('sig'));

    return $type eq 'ES' ? raw_ecdsa($sig, $ec{$name}[1]) : $sig;
}


sub mac {
    my ($alg, $key, $data) = @_;

    return $alg eq 'HS256' ? hmac_sha256($data, $key)
         : $alg eq 'HS384' ? hmac_sha384($data, $key)
                           : hmac_sha512($data, $key);
}


# SEQUENCE { INTEGER r, INTEGER s } as two numbers of n bytes

sub raw_ecdsa {
    my ($der, $n) = @_;

    my $pos = ord(substr($der, 1, 1)) & 0x80 ? 3 : 2;
    my $out = '';

    for (1 .. 2) {
        my $len = ord(substr($der, $pos + 1, 1));
        my $int = substr($der, $pos + 2, $len);

        $int =~ s/^\0+//;
        $out .= "\0" x ($n - length($int)) . $int;
        $pos += 2 + $len;
    }

    return $out;
}


# a signed token of these very bytes

sub token {
    my ($alg, $name, $header, $payload) = @_;

    my $data = b64u($header) . '.' . b64u($payload);

    return $data . '.' . b64u(sign($alg, $name, $data));
}


# the same with a header that fits; members of the payload are JSON values
# where they are references to text, else strings, numbers, arrays or hashes

sub jwt {
    my ($alg, $name, $claims, %header) = @_;

    my %h = (alg => $alg, typ => 'JWT', %header);
    my %p = (exp => 4000000000, %{ $claims || {} });

    return token($alg, $name, object(\%h), object(\%p));
}


sub object {
    my ($m) = @_;

    return '{' . join(',', map { qq("$_":) . value($m->{$_}) }
                           grep { defined $m->{$_} } sort keys %$m) . '}';
}


sub value {
    my ($v) = @_;

    return 'null' unless defined $v;
    return $$v if ref($v) eq 'SCALAR';
    return object($v) if ref($v) eq 'HASH';
    return '[' . join(',', map { value($_) } @$v) . ']' if ref($v) eq 'ARRAY';
    return $v if $v =~ /^-?(?:0|[1-9]\d*)$/;

    $v =~ s/(["\\])/\\$1/g;

    return qq("$v");
}


1;
