# Copyright (C) the nginx gateway modules developers

# Key files that change while nginx runs, and those that variables choose.

use strict;
use warnings;

use lib 't/lib';
use GW;
use GW::JOSE;
use GW::Nginx;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);


my $dir = GW::tmp_dir();

my %jwk = map { $_ => GW::JOSE::jwk('oct32', kid => $_,
                                    k => GW::JOSE::b64u($_ x 32)) }
              qw(a b c);


# replaced at once, as operators should

sub put {
    my ($name, $text) = @_;

    GW::JOSE::spew("$dir/$name.new", $text);
    chmod(0644, "$dir/$name.new");
    rename("$dir/$name.new", "$dir/$name") or die;
}


sub token {
    my ($kid) = @_;

    my $text = GW::JOSE::b64u(qq({"alg":"HS256","kid":"$kid"})) . '.'
               . GW::JOSE::b64u('{"exp":9999999999}');

    return "$text." . GW::JOSE::b64u(GW::JOSE::mac('HS256', $kid x 32, $text));
}


my $nginx;

sub status {
    my ($kid, $path) = @_;

    my $reply = $nginx->get($path || '/t',
                            header => 'Authorization: Bearer ' . token($kid));

    return "$reply->{status} $reply->{header}{'x-reason'}";
}


# what it is at last, within some seconds

sub becomes {
    my ($kid, $path, $want, $name) = @_;

    my $got;

    $nginx->until(5, sub { ($got = status($kid, $path)) eq $want });
    is($got, $want, $name);
}


sub count {
    my ($text) = @_;

    return scalar(() = $nginx->log =~ /\Q$text\E/g);
}


sub server {
    my ($keys) = @_;

    return <<"END";
    server {
        listen 127.0.0.1:%%PORT%%;
        gw_jwt_algorithms HS256;
        add_header X-Reason \$gw_auth_reason always;

        location = /t { gw_jwt test; $keys empty_gif; }

        location ~ ^/(?<tenant>.*)/x\$ {
            gw_jwt test;
            gw_jwt_key_file $dir/of-\$tenant.json watch=1s;
            empty_gif;
        }

        location = /arg {
            gw_jwt test;
            gw_jwt_key_file $dir/of-\$arg_t.json;
            empty_gif;
        }
    }
END
}


put('keys.json', $jwk{a});
put('more.json', $jwk{c});

$nginx = GW::Nginx->new(http => server("gw_jwt_key_file $dir/keys.json "
                                       . 'watch=1s;'
                                       . "gw_jwt_key_file $dir/more.json;"));

my @workers = $nginx->workers;

is(status('a'), '200 -', 'the key of the file is used');
is(status('b'), '401 kid', 'another one is unknown');
is(status('c'), '200 -', 'a file that is not watched stands beside it');

put('keys.json', $jwk{b});

becomes('b', '/t', '200 -', 'a file that was replaced is read');
sleep(2.2);
is(status('a'), '401 kid', 'keys that it had before are gone') for 1 .. 6;
is(status('c'), '200 -', 'the other file is untouched');

put('keys.json', '{"keys":[');
sleep(1.2);
is(status('b'), '200 -', 'a bad file leaves the keys before it') for 1 .. 6;
sleep(1.2);
is(status('b'), '200 -', '... for as long as it is there') for 1 .. 6;

is(count('is not JSON at byte'), 1, 'it is told of once');
like($nginx->log,
     qr/keys.json" is not JSON at byte \d+: .*; the keys before it stay/,
     '... and what it does');

put('keys.json', GW::JOSE::jwks($jwk{a}, $jwk{a}));
sleep(1.2);
is(status('b'), '200 -', 'so does one that breaks a rule') for 1 .. 6;
like($nginx->log, qr/key #1 in "\Q$dir\E\/keys.json" is refused/,
     '... which is logged');

unlink("$dir/keys.json");
sleep(1.2);
is(status('b'), '200 -', 'so does one that is gone') for 1 .. 6;
sleep(1.2);
is(status('b'), '200 -', '... for as long as it is gone') for 1 .. 6;
is(count('stat() "'), 1, '... and it is told of once');

POSIX::mkfifo("$dir/keys.json", 0644);
sleep(1.2);

my $start = time();
is(status('b'), '200 -', 'a pipe is not waited for') for 1 .. 6;
cmp_ok(time() - $start, '<', 2, '... not for a moment');
like($nginx->log, qr/"\Q$dir\E\/keys.json" is not a regular file/,
     '... and not read');

unlink("$dir/keys.json");
put('keys.json', GW::JOSE::jwks($jwk{a}, $jwk{b}));
becomes('a', '/t', '200 -', 'a good file ends all that');
sleep(1.2);
is(status($_), '200 -', "key $_ of it is used") for qw(a b a b);

put('keys.json', ' ' x 600_000);
sleep(1.2);
is(status('a'), '200 -', 'a file that is too large is not read') for 1 .. 3;
like($nginx->log, qr/"\Q$dir\E\/keys.json" is larger than 524288 bytes/,
     '... and said so');


# names with variables

put('of-x.json', $jwk{a});
put('of-y.json', $jwk{b});

is(status('a', '/x/x'), '200 -', 'a file is chosen by a variable');
is(status('b', '/y/x'), '200 -', '... another by another value');
is(status('a', '/y/x'), '401 kid', 'R07: keys of one are not those of another');
is(status('b', '/x/x'), '401 kid', 'R07: nor the other way round');
is(status('a', '/z/x'), '401 keyset', 'one that does not exist has no keys');
is(status('a', '/arg?t='), '401 keyset', '... nor has an empty value');

put('of-z.json', $jwk{c});
is(status('c', '/z/x'), '200 -', 'one that is made later is found at once');

put('of-x.json', $jwk{b});
becomes('b', '/x/x', '200 -', 'one that is replaced is read again');

put('of-y.json', 'no keys');
becomes('c', '/y/x', '401 kid', 'a bad one leaves the keys before it');
is(status('b', '/y/x'), '200 -', '... to be used');

unlink("$dir/of-x.json");
becomes('b', '/x/x', '401 keyset', 'who is chosen by a name ends with it');

put('of-w.json', 'no keys');
my $reply = $nginx->get('/w/x', header => 'Authorization: Bearer '
                                          . token('a'));
is($reply->{status}, 503, 'one that was never good is a fault of ours');
like($reply->{header}{'retry-after'}, qr/^\d+$/, '... that may end');
is($reply->{header}{'www-authenticate'}, undef, '... and no challenge');
is($reply->{header}{'x-reason'}, 'keyset_down', '... with its reason');

mkdir("$dir/of-d");
put('of-d/y.json', $jwk{a});
put('secret.json', $jwk{a});
is(status('a', '/arg?t=d/../../' . (split('/', $dir))[-1] . '/secret'),
   '401 keyset', 'a value cannot lead to another directory');
is(status('a', '/arg?t=d/..'), '401 keyset', '... in no way');
is(status('a', '/arg?t=d/y'), '200 -', '... but deeper');

for my $i (1 .. 150) {
    put("of-n$i.json", $jwk{a});
}

is(join(' ', grep { status('a', "/n$_/x") ne '200 -' } 1 .. 150, 1 .. 150),
   '', 'more files than are kept');

is(join(' ', $nginx->workers), join(' ', @workers), 'all workers live');
unlike($nginx->log, qr/\[(?:alert|crit|emerg)\]/, 'the log is clean');


# the user of workers

if ($> == 0) {
    put('keys.json', $jwk{a});

    my $private = "$dir/private";
    mkdir($private);
    chmod(0700, $private);
    GW::JOSE::spew("$private/keys.json", $jwk{a});

    $nginx = GW::Nginx->new(user => 'nobody nogroup',
                            http => server("gw_jwt_key_file $private/keys.json"
                                           . ' watch=1s;'));

    is(status('a'), '200 -', 'what the master has read is used') for 1 .. 2;
    like($nginx->log, qr/workers must be able to read "\Q$private\E/,
         'a file that workers cannot read is told of');
}

is($nginx->stop, 1, 'nginx stops');

done_testing();
