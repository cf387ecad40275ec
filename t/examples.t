# Copyright (C) the nginx gateway modules developers

# Every configuration of examples/, and the one of README.md, is content with
# "nginx -t", starts, and does what its comments say.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use Test::More;
use Time::HiRes qw(sleep);

my $top;

BEGIN {
    $top = abs_path(dirname(__FILE__) . '/..');
}

use lib "$top/t/lib", "$top/util/lib";

use GW;
use GW::Backend;
use GW::Client;
use MIME::Base64 qw(encode_base64);
use Stage;

my %test = (
    'aggregate.conf' => \&aggregate,
    'auth.conf' => \&auth,
    'gateway.conf' => \&gateway,
    'ratelimit.conf' => \&ratelimit,
);

my $items = '[{"id":9007199254740993,"total":19.90},'
          . '{"id":9007199254740995,"total":5.00}]';
my $offers = '["sku-1042","sku-77"]';

$SIG{TERM} = $SIG{INT} = sub { exit(1) };

# back ends, Redis and credentials, for all of them

my $shop = Stage->new(dir => GW::tmp_dir() . '/shop', modules => modules(),
                      nginx => GW::nginx_binary());

my $api = Stage::port();
my %port = map { $_ => Stage::port() } qw(profile orders offers redis ops);
my %pid = map { $_ => $shop->backend($_, $port{$_}) }
          qw(profile orders offers);

$shop->redis($port{redis});

my $jwks = $shop->make_key('issuer', 'test-1');
my ($key, $line) = $shop->api_key('acme');
my $token = $shop->token(claims('alice', 600));

# an identity provider
my $login = GW::Backend->new('/jwks.json' => sub { $_[0]->json($jwks) });

$port{login} = $login->port;


for my $file (sort glob("$top/examples/*.conf")) {
    my $name = basename($file);

    ok(exists $test{$name}, "$name has a test") or next;

    subtest($name => $test{$name});
}

subtest('README.md' => \&readme);
subtest('keys of limits' => \&keys_of_limits);

undef $shop;
done_testing();


# ---------------------------------------------------------------------------


sub auth {
    my ($stage, $pid) = start('auth.conf', addresses(9001 => 'profile',
                                                     9002 => 'login'));

    my $r = $stage->curl(url('/users/alice'));
    is($r->{status}, 401, 'no credential');
    is_deeply($r->{header}{'www-authenticate'}, ['Bearer realm="api"'],
              'its challenge');

    $r = $stage->curl(bearer($token), url('/users/alice'));
    is($r->{status}, 200, 'a good token');
    is($r->{body}, profile('alice'), 'the answer of the service');
    is(last_line('profile'), 'GET /users/alice consumer=alice',
       'the service knows the consumer');

    $r = $stage->curl(bearer($shop->token(claims('alice', -600))),
                      url('/users/alice'));
    is($r->{status}, 401, 'an expired token');

    my $reader = claims('alice', 600) =~ s/\}$/,"scope":"account:read"}/r;
    my $other = $reader =~ s/shop-api/other-api/r;

    for (1 .. 2) {
        $r = $stage->curl(bearer($shop->token($reader)),
                          url('/account/alice'));
        is($r->{status}, 200, 'a token with a scope, keys that are fetched');
    }

    is(last_line('profile'), 'GET /users/alice consumer=alice',
       'the service knows whose account it is');
    is(scalar($login->requests('/jwks.json')), 1, 'the keys, once');

    $r = $stage->curl(bearer($token), url('/account/alice'));
    is($r->{status}, 403, 'a token without the scope');
    is_deeply($r->{header}{'www-authenticate'},
              ['Bearer realm="account", error="insufficient_scope", '
               . 'scope="account:read"'], 'the scope that is needed');

    $r = $stage->curl(bearer($shop->token($other)), url('/account/alice'));
    is($r->{status}, 401, 'a token for another service');

    $r = $stage->curl(bearer($shop->token($reader)), url('/_jwks'));
    is($r->{status}, 404, 'clients do not ask for keys');

    $r = $stage->curl('-H', "X-API-Key: $key", url('/users/alice'));
    is($r->{status}, 401, 'a key where only tokens are taken');

    $r = $stage->curl('-H', "X-API-Key: $key", url('/partner/users/acme'));
    is($r->{status}, 200, 'a good key');
    is(last_line('profile'), 'GET /users/acme consumer=acme',
       'the service knows its consumer');

    $r = $stage->curl('-H', "X-API-Key: x$key", url('/partner/users/acme'));
    is($r->{status}, 401, 'an unknown key');

    $r = $stage->curl(bearer($token), url('/partner/users/alice'));
    is($r->{status}, 200, 'a token where both are taken');

    finish($stage, $pid);
}


# K14: keys of limits are what was verified, in all that a user may copy

sub keys_of_limits {
    my @files = map { glob("$top/$_") }
                qw(doc/*.md examples/* README.md);
    my ($all, @bad) = (0);

    for my $file (@files) {
        open(my $fh, '<', $file) or die "$file: $!";
        my $text = do { local $/; <$fh> };

        while ($text =~ /^[ #]*gw_(?:limit|quota|concurrency)_zone\s+(\S*\$\S+)/mg) {
            my $key = $1;

            $all++;
            push(@bad, "$file: $key")
                if $key !~ /^\$(?:gw_consumer|binary_remote_addr|remote_user)$/;
        }
    }

    cmp_ok($all, '>=', 10, "K14 $all limits are shown");
    is("@bad", '', 'K14 all by a verified key');
}


sub ratelimit {
    my $reports = GW::Backend->new('/reports/slow' => sub { $_[0]->hang },
                                   '*' => sub { $_[0]->json('{}') });

    $port{reports} = $reports->port;

    my ($stage, $pid) = start('ratelimit.conf', addresses(
        9001 => 'reports', 8081 => 'ops'));

    # the user is verified, with a password like his name

    my $get = sub {
        my ($path, $user) = @_;
        $stage->curl('-u', "$user:pass-$user", url($path));
    };
    my $ops = sub {
        my ($path, @args) = @_;
        $stage->curl(@args, "http://127.0.0.1:$port{ops}/limits/$path");
    };
    my $policy = sub { $_[0]->{body} =~ /"violated-policies":\["(\w+)"\]/;
                       "$_[0]->{status} " . ($1 || '') };

    is($stage->curl(url('/orders'))->{status}, 401, 'no user');
    is($stage->curl('-u', 'alice:wrong', url('/orders'))->{status}, 401,
       'K14 one who is not alice');

    my @status = map { $get->('/orders', $_)->{status} }
                 qw(alice alice alice bob);
    is("@status", '200 200 429 200', 'the plan of alice, and bob');

    @status = map { $get->('/orders', 'greta')->{status} } 1 .. 6;
    is("@status", '200 200 200 200 200 200', 'a better plan');

    my $r = $get->('/orders', 'alice');
    is($policy->($r), '429 user', 'rejected');
    like($r->{header}{'retry-after'}[0], qr/^([1-9]|1[0-2])$/, 'Retry-After');
    like($r->{header}{ratelimit}[0], qr/^"user";r=0;t=[0-9]+$/, 'RateLimit');
    is($r->{header}{'content-type'}[0], 'application/problem+json',
       'a problem document');

    like($ops->('limits/user/alice')->{body}, qr/"limit":5,.*"used":2,/,
         'what is used of the rate');
    is($ops->('limits/user/alice?rate=5r/m&burst=1', '-X', 'DELETE')->{status},
       204, 'given back');

    @status = map { $get->('/orders', 'alice')->{status} } 1 .. 2;
    is("@status", '200 200', 'two more');

    $ops->('limits/user/alice', '-X', 'DELETE');
    is($policy->($get->('/orders', 'alice')), '429 daily', 'the quota');

    $r = $ops->('quotas/daily/alice?quota=4', '-H',
                'Content-Type: application/json', '-d', '{"grant":10}');
    like($r->{body}, qr/"used":4,"granted":10,.*"remaining":10,/, 'a grant');
    is($get->('/orders', 'alice')->{status}, 200, 'it is used');

    is($policy->($get->('/reports/x', 'bob')), '429 daily',
       'a report is worth more');
    is($get->('/reports/x', 'greta')->{status}, 200,
       'a better plan has it');

    my $client = GW::Client->new($api);
    $client->send("GET /reports/slow HTTP/1.1\r\nHost: a\r\nAuthorization: "
                  . 'Basic ' . encode_base64('ivan:pass-ivan', '')
                  . "\r\n\r\n");

    for (1 .. 100) {
        $r = $ops->('concurrency/jobs/ivan');
        last if $r->{body} =~ /"current":1/;
        sleep(0.05);
    }

    like($r->{body}, qr/"current":1/, 'a request in progress');
    is($policy->($get->('/reports/x', 'ivan')), '429 jobs',
       'the second one is too many');
    $client->close;

    $r = $stage->curl("http://127.0.0.1:$port{ops}/metrics");
    like($r->{body}, qr/^gw_quota_requests_total\{policy="daily",result="rejected"\} 2$/m,
         'metrics');

    # 20 requests in all
    @status = map { $get->('/orders', 'gina') } 1 .. 20;
    is($policy->($status[-1]), '429 address', 'the shield of an address');

    finish($stage, $pid);
}


sub aggregate {
    my ($stage, $pid) = start('aggregate.conf', addresses(
        9001 => 'profile', 9002 => 'orders', 9003 => 'offers'));

    my $r = $stage->curl(url('/dashboard?user=alice'));
    is($r->{status}, 200, 'composed');
    is($r->{body}, '{"profile":' . profile('alice')
                   . qq(,"orders":$items,"offers":$offers}), 'the document');
    is($r->{header}{'x-gw-completed'}[0], 'true', 'complete');

    my $profile = substr(profile('alice'), 0, -1);
    my $news = substr($items, 0, -1);

    $r = $stage->curl(url('/me?user=alice'));
    is($r->{body}, "$profile,\"news\":$news," . substr($offers, 1) . '}',
       'merged and appended');

    $shop->stop($pid{offers});

    $r = $stage->curl(url('/me?user=alice'));
    is($r->{body}, "$profile,\"news\":$items,\"note\":"
                   . '"some news are missing"}', 'what is left of it');

    $r = $stage->curl(url('/dashboard?user=alice'));
    is($r->{status}, 200, 'partial');
    is($r->{body}, '{"profile":' . profile('alice') . qq(,"orders":$items}),
       'without the member that failed');
    is($r->{header}{'x-gw-completed'}[0], 'false', 'not complete');

    $pid{offers} = $shop->backend('offers', $port{offers});

    $r = $stage->curl(url('/_orders?user=alice'));
    is($r->{status}, 404, 'parts are internal');

    finish($stage, $pid);
}


sub gateway {
    my ($stage, $pid) = start('gateway.conf', addresses(
        9001 => 'profile', 9002 => 'orders', 9003 => 'offers',
        6379 => 'redis', 8081 => 'ops'));

    my $document = '{"profile":' . profile('alice')
                   . qq(,"orders":$items,"offers":$offers});

    my $r = $stage->curl(url('/v1/dashboard'));
    is($r->{status}, 401, 'no credential');
    is(scalar(@{$r->{header}{'www-authenticate'} || []}), 2,
       'a challenge of each kind');

    my $other = claims('alice', 600);
    $other =~ s/shop-api/other-api/;
    $r = $stage->curl(bearer($shop->token($other)), url('/v1/dashboard'));
    is($r->{status}, 401, 'a token for another API');

    my @answers = map { $stage->curl(bearer($token), url('/v1/dashboard')) }
                  1 .. 11;
    is($answers[0]{body}, $document, 'composed');
    is(join(' ', map { $_->{status} } @answers), ('200 ' x 10) . '429',
       'the limit of the dashboard');

    $r = $stage->curl('-H', "X-API-Key: $key", url('/v1/orders'));
    is($r->{status}, 200, 'a good key, a plain location');
    is(last_line('orders'), 'GET /orders?user=acme consumer=acme',
       'the service knows the consumer');

    $r = $stage->curl(bearer($token), url('/_orders?user=alice'));
    is($r->{status}, 404, 'parts are internal');

    $r = $stage->curl("http://127.0.0.1:$port{ops}/metrics");
    like($r->{body}, qr/^gw_\w+(\{.*\})? [0-9.e+]+$/m, 'metrics as text');

    $r = $stage->curl("http://127.0.0.1:$port{ops}/metrics.json");
    is($r->{header}{'content-type'}[0], 'application/json',
       'metrics as JSON');

    like(Stage::slurp("$stage->{dir}/logs/access.log"),
         qr/"consumer":"alice","auth":"ok","method":"jwt"/, 'access log');
    unlike(Stage::slurp("$stage->{dir}/logs/access.log"),
           qr/\Q$token\E|\Q$key\E/, 'without credentials');

    finish($stage, $pid);
}


# the complete http block of README.md, with what has to stand around it

sub readme {
    my ($http) = Stage::slurp("$top/README.md")
                 =~ /^```nginx\n(http \{\n.*?)^```$/ms;

    ok($http, 'there is one') or return;

    $http =~ s,^http \{\n,$&    access_log /var/log/nginx/access.log;\n,;

    my $text = join('', map { "load_module modules/$_;\n" }
                    qw(ngx_http_gw_auth_module.so
                       ngx_http_gw_ratelimit_module.so))
             . "pid /run/nginx.pid;\nerror_log /var/log/nginx/error.log;\n"
             . "events {\n}\n" . $http;

    my ($stage, $pid) = start('readme.conf', {
        8080 => "127.0.0.1:$api",
        '127.0.0.1:9001' => "127.0.0.1:$port{profile}" }, $text);

    my $r = $stage->curl(url('/users/alice'));
    is($r->{status}, 401, 'no credential');

    my @status = map { $stage->curl(bearer($token), url('/users/alice'))
                             ->{status} } 1 .. 21;
    is("@status", join(' ', (200) x 21), 'a good token, within the limit');
    is(last_line('profile'), 'GET /users/alice consumer=alice',
       'the service knows the consumer');

    finish($stage, $pid);
}


# ---------------------------------------------------------------------------


# checks the configuration as a user would, then runs it

sub start {
    my ($name, $replace, $text) = @_;

    my $stage = Stage->new(dir => GW::tmp_dir() . "/$name",
                           modules => modules(), nginx => GW::nginx_binary(),
                           patient => 1);

    $text = $text ? $stage->adapt($text, $replace)
                  : $stage->example($name, $replace);

    $stage->put($name, $text);
    $stage->put('gateway/jwks.json', $jwks);
    $stage->put('gateway/api-keys', $line);
    $stage->put('gateway/users', join('', map { "$_:{PLAIN}pass-$_\n" }
                                          qw(alice bob greta gina ivan)));
    $stage->put('gateway/plans', "greta gold;\ngina gold;\nivan internal;\n");

    my ($out, $ok) = $stage->check($name);
    my @said = grep { !/syntax is ok$|test is successful$/ }
               split(/\n/, $out);

    ok($ok, 'nginx -t');
    is("@said", '', 'without a warning');

    return ($stage, $stage->gateway($name, $api));
}


# addresses of an example, and what is there: a name of %port

sub addresses {
    my (%service) = @_;

    my %replace = map { ("127.0.0.1:$_" => "127.0.0.1:$port{$service{$_}}") }
                  keys %service;

    return { %replace, '127.0.0.1:8080' => "127.0.0.1:$api" };
}


sub finish {
    my ($stage, $pid) = @_;

    ok($stage->stop($pid, 'QUIT'), 'it quits');

    my ($bad) = Stage::slurp("$stage->{dir}/logs/error.log")
                =~ /(.*\[(?:alert|crit|emerg)\].*)/;
    is($bad, undef, 'no alert in the error log');
}


sub modules {
    return dirname(GW::module_path('auth'));
}


sub url {
    return "http://127.0.0.1:$api$_[0]";
}


sub bearer {
    return ('-H', "Authorization: Bearer $_[0]");
}


sub profile {
    return qq({"id":"$_[0]","plan":"gold","since":2019});
}


sub last_line {
    return (split(/\n/, Stage::slurp("$shop->{dir}/logs/$_[0].log")))[-1];
}


sub claims {
    my ($sub, $life) = @_;

    return sprintf('{"iss":"https://login.example.com","aud":"shop-api",'
                   . '"sub":"%s","exp":%d}', $sub, time() + $life);
}
