# Copyright (C) the nginx gateway modules developers

# Limits in a real Redis: decisions, keys, the connection and its life cycle.

use strict;
use warnings;

use lib 't/lib';
use GW;
use GW::Nginx;
use GW::Redis;
use Test::More;
use Time::HiRes qw(sleep time);


sub http {
    my ($redis, $more) = @_;

    my $server = $redis->server;
    $more ||= '';

    return <<"END";
    gw_node_id test-node;

    gw_redis main {
        server $server;
        timeout 300ms;
        $more
    }

    gw_limit_zone \$arg_k zone=five:1m rate=1r/m burst=4 redis=main;
    gw_limit_zone \$key zone=any:1m rate=1r/m burst=4 redis=main;
    gw_limit_zone \$arg_k zone=wide:1m rate=1000r/s burst=999 redis=main;
    gw_limit_zone \$arg_k zone=one:1m rate=1r/m redis=main;
    gw_limit_zone \$binary_remote_addr zone=ip:1m rate=10r/s burst=99
                  redis=main;

    add_header X-Status \$gw_limit_status always;
    add_header X-Source \$gw_limit_source always;
    add_header X-State \$gw_redis_state_main always;

    server {
        listen 127.0.0.1:%%PORT%%;

        location = /five { gw_limit zone=five nodelay; empty_gif; }
        location = /wide { gw_limit zone=wide nodelay; empty_gif; }
        location = /ip { gw_limit zone=ip nodelay; empty_gif; }

        location = /three {
            gw_limit zone=five nodelay;
            gw_limit zone=wide nodelay;
            gw_limit zone=one nodelay;
            empty_gif;
        }

        location ~ "(?s)^/any/(?<key>.*)\$" {
            gw_limit zone=any nodelay;
            empty_gif;
        }

        location = /metrics { gw_metrics prometheus; }
    }
END
}


# what became of a request, in one word each

sub fate {
    my ($reply) = @_;

    return join(' ', $reply->{status},
                map { defined $_ ? $_ : '-' }
                    @{$reply->{header}}{qw(x-status x-source)});
}


sub metric {
    my ($nginx, $name) = @_;

    my $body = $nginx->get('/metrics')->{body};

    return $body =~ /^\Q$name\E(?:\{[^}]*\})? (\S+)$/m ? $1 : -1;
}


my $passed = '200 PASSED redis';
my $rejected = '429 REJECTED redis';


for my $unix (0, 1) {
    my $redis = GW::Redis->new(unix => $unix);
    my $nginx = GW::Nginx->new(http => http($redis));
    my $kind = $unix ? 'unix socket' : 'TCP';

    my @fates = map { fate($nginx->get('/five?k=a')) } 1 .. 6;

    is_deeply(\@fates, [ ($passed) x 5, $rejected ],
              "the burst passes, the next is rejected, over $kind");

    my $reply = $nginx->get('/five?k=a');

    like($reply->{header}{'retry-after'}, qr/^(59|60)$/,
         "Retry-After, over $kind");
    is($reply->{header}{'x-state'}, 'up', "\$gw_redis_state_, over $kind");
    like($redis->command('GET', 'gw:1:l:five:{a}'), qr/^\d{16}$/,
         "the TAT is an integer of microseconds, over $kind");

    my $ttl = $redis->command('PTTL', 'gw:1:l:five:{a}');

    ok($ttl > 290000 && $ttl <= 300002, "the key expires, over $kind");

    like($redis->command('CLIENT', 'LIST'),
         qr/ name=gw:test-node:\d+ /, "the connection is named, over $kind");

    ok($nginx->stop, "nginx ends with the link open, over $kind");
    $redis->kill;
}


# user, password file, database, prefix and the least rights, as documented

{
    my $redis = GW::Redis->new;

    is($redis->command(qw(ACL SETUSER gw on >s3cret resetkeys resetchannels
                          -@all ~app:* +@read +@write +evalsha +eval
                          +script|load +time +ping +select)),
       'OK', 'a user with few rights');

    my $file = GW::tmp_dir() . '/password';

    open(my $fh, '>', $file) or die;
    print $fh "s3cret\n";
    close($fh);
    chmod(0600, $file);

    my $nginx = GW::Nginx->new(http => http($redis,
        "user gw; password_file $file; database 3; prefix app:;"));

    is(fate($nginx->get('/five?k=a')), $passed,
       'R17 the rights in the hint suffice');
    is($redis->command('DBSIZE'), 0, 'database 0 is empty');
    is($redis->command('EVAL', 'redis.call("SELECT", 3)
                                return redis.call("EXISTS", KEYS[1])', 1,
                       'app:1:l:five:{a}'),
       1, 'the key is in database 3 with the prefix');
    unlike($nginx->log, qr/s3cret/, 'no password in the log');
}


my $redis = GW::Redis->new;
my $nginx = GW::Nginx->new(http => http($redis));


# K1, K2

{
    my %keys = (
        'plain-Key_1.2@x:y' => 'plain-Key_1.2@x:y',
        'a%7d%7bb' => '#', 'a%7b' => '#', 'with%20space' => '#',
        'a%0d%0a*3%0d%0a$3%0d%0aDEL%0d%0a' => '#', '%ff%fe' => '#',
        'a"b' => '#', ('x' x 64) => ('x' x 64), ('x' x 65) => '#',
        ('y' x 6000) => '#',
    );

    for my $key (sort keys %keys) {
        $redis->command('FLUSHALL');

        my $short = length($key) > 40 ? length($key) . ' bytes' : $key;
        my $fate = fate($nginx->get("/any/$key"));
        my $names = $redis->command('KEYS', '*{*');

        my $want = $keys{$key} eq '#'
                   ? qr/^gw:1:l:any:\{#[0-9a-f]{32}\}$/
                   : qr/^gw:1:l:any:\{\Q$keys{$key}\E\}$/;

        ok($fate eq $passed && @$names == 1 && $names->[0] =~ $want,
           "K1, K2 key $short: one key, safe in the protocol and the tag");
    }

    $redis->command('FLUSHALL');
    $nginx->get('/any/%ff%fe') for 1 .. 5;

    is(fate($nginx->get('/any/%ff%fe')), $rejected,
       'K1 a hashed key is one bucket');
    is(fate($nginx->get('/any/%ff%fd')), $passed,
       'K1 another hashed key is another bucket');

    $redis->command('FLUSHALL');
    $nginx->get('/ip');

    like($redis->command('KEYS', '*{*')->[0], qr/^gw:1:l:ip:\{#[0-9a-f]{32}\}$/,
         'K1 a key with NUL is hashed');
    is(fate($nginx->get('/five')), '200 NOKEY -', 'K3 an empty key');
}


# A11

{
    $redis->command('FLUSHALL');

    is(fate($nginx->get('/three?k=t')), $passed, 'A11 three limits pass');

    my @names = map { "gw:1:l:$_:{t}" } qw(five wide one);
    my @before = map { $redis->command('GET', $_) } @names[0, 2];

    $redis->command('CONFIG', 'RESETSTAT');

    is(fate($nginx->get('/three?k=t')), $rejected, 'A11 the third rejects');
    is_deeply([ map { $redis->command('GET', $_) } @names[0, 2] ], \@before,
              'A11 nothing was charged for the others');
    is(($redis->stat('evalsha'))[0], 1, 'A11 it was one call');
    is(($redis->stat('set'))[0], 0, 'A11 nothing was written');
}


# two gateways share one limit

{
    $redis->command('FLUSHALL');

    my $other = GW::Nginx->new(http => http($redis));

    my @fates = map { fate($_->get('/five?k=s')) }
                    $nginx, $other, $nginx, $other, $nginx, $other, $nginx;

    is_deeply(\@fates, [ ($passed) x 5, ($rejected) x 2 ],
              'two gateways share one limit');
}


# a larger limit leaves a debt that a smaller one cuts, denied or not

{
    $redis->command('FLUSHALL');

    my ($s, $us) = @{$redis->command('TIME')};

    $redis->command('SET', 'gw:1:l:five:{c}', ($s + 86400) . '000000');

    is(fate($nginx->get('/five?k=c')), $rejected, 'a debt of a day');

    my $left = $redis->command('GET', 'gw:1:l:five:{c}')
               - ($s * 1000000 + $us);

    ok($left > 299e6 && $left < 303e6,
       'the debt is cut to one bucket by the denial');
}


# the commands of one turn of the event loop leave in one write

{
    $redis->command('FLUSHALL');

    my $writes = metric($nginx, 'gw_redis_writes_total');
    my ($worker) = $nginx->workers;
    my @socks = map { $nginx->connect } 1 .. 30;

    sleep(0.2);
    kill('STOP', $worker);

    print $_ "GET /wide?k=w HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        for @socks;

    sleep(0.05);
    kill('CONT', $worker);

    my @replies = map { $nginx->finish({ sock => $_, start => time() }) }
                      @socks;

    is(scalar(grep { fate($_) eq $passed } @replies), 30,
       '30 requests at once');

    $writes = metric($nginx, 'gw_redis_writes_total') - $writes;

    ok($writes >= 1 && $writes <= 5, "30 commands in $writes writes");
}


# N8

{
    $redis->pause;

    for my $i (1 .. 3) {
        my $request = $nginx->begin('/wide?k=n8');
        sleep(0.005);
        close($request->{sock});
    }

    sleep(0.1);
    $redis->resume;

    ok($nginx->until(5, sub {
        fate($nginx->get('/wide?k=n8')) eq $passed
    }), 'N8 clients that go away while they wait');

    ok(metric($nginx, 'gw_redis_commands_total{name="main",'
                      . 'result="canceled"}') >= 3,
       'N8 their commands are canceled');
}


# N1 in small: reload with the link up

{
    my @old = $nginx->workers;

    $nginx->reload;

    ok($nginx->until(5, sub {
        my @now = $nginx->workers;
        @now == 1 && $now[0] != $old[0]
    }), 'N1 the old worker exits');

    is(fate($nginx->get('/wide?k=n1')), $passed, 'N1 the new one asks Redis');
}


# N2

{
    $redis->pause;

    my @requests = map { $nginx->begin('/wide?k=n2') } 1 .. 3;

    sleep(0.005);

    my $start = time();
    my ($old) = $nginx->workers;

    $nginx->reload;

    my @replies = map { $nginx->finish($_) } @requests;

    is(scalar(grep { $_->{status} == 200 } @replies), 3,
       'N2 parked requests are answered over a reload');
    ok($nginx->until(2, sub {
        my @now = $nginx->workers;
        @now == 1 && $now[0] != $old
    }),
       'N2 the old worker exits while Redis is stopped');
    cmp_ok(time() - $start, '<', 1.5, 'N2 in time');

    $redis->resume;
}


# N14

{
    my $single = GW::Nginx->new(http => http($redis),
                                main => 'master_process off;');

    is(fate($single->get('/wide?k=n14')), $passed, 'N14 without a master');
    ok($single->stop, 'N14 it ends');
    unlike($single->log, qr/\[(alert|emerg|crit)\]/, 'N14 without an alert');

    my $many = GW::Nginx->new(http => http($redis), workers => 8);

    is(scalar(grep { fate($many->get('/wide?k=n14')) eq $passed } 1 .. 40),
       40, 'N14 eight workers');

    # one link for each, none for the master

    ok($many->until(5, sub {
        my $list = $redis->command('CLIENT', 'LIST');
        my $names = () = $list =~ / name=gw:test-node:/g;
        $names == 9
    }), 'N14 a connection for each worker, and that of the other nginx');
}


# a connection that is idle is kept alive, a new one repeats the preamble

{
    # the sign of life is sent as text
    my $scripts = grep { !/beat/ } glob('src/scripts/*.lua');
    my $preamble = 4 + $scripts;

    my $fake = GW::Redis->fake(sub {
        my ($args, $n) = @_;
        return { close => 1 } if $n == $preamble + 5;
        return undef;
    });

    my $other = GW::Nginx->new(http => http($fake,
        'user u; password p; database 7; keepalive_interval 50ms;'));

    ok($other->until(5, sub {
        2 * $scripts == grep { /^SCRIPT.LOAD/ } $fake->received
    }), 'a connection that is lost is made again');

    my @received = map { s/^(SCRIPT.LOAD|CLIENT.SETNAME) .*/$1/r }
                       $fake->received;

    my @first = splice(@received, 0, $preamble);

    is_deeply(\@first,
              [ 'connect', 'AUTH u p', 'SELECT 7', 'CLIENT SETNAME',
                ('SCRIPT LOAD') x $scripts ], 'H14 the preamble');
    is(shift(@received), 'INFO stats', 'R29 INFO on a new link');
    is_deeply([ grep { !/^(PING|INFO stats)$/ } @received ], \@first,
              'H14 the preamble again, before anything else');
    is(scalar(grep { $_ eq 'PING' } @received[0 .. 3]), 4,
       'PING on an idle link');
}


unlike($nginx->log, qr/\[(alert|emerg|crit)\]/, 'no alert in the log');
ok($nginx->stop, 'nginx ends');

done_testing();
