package GW::Redis;

# Copyright (C) the nginx gateway modules developers

# A real redis-server for the tests, and a server that speaks RESP by script.
#
#     my $redis = GW::Redis->new(unix => 1, args => ['--requirepass', 'x']);
#     $redis->server;                  # for "server" in gw_redis
#     $redis->command('GET', 'key');   # undef, a string or an array reference
#     $redis->pause; $redis->resume; $redis->kill; $redis->start;
#
#     my $fake = GW::Redis->fake(sub { my ($args, $n) = @_; ... });
#     $fake->received;                 # all commands so far
#
# The handler of a fake gets the words of a command and its number on its
# connection (from 1, the preamble included) and returns actions in order:
# a string to send, { delay => seconds }, { split => string } byte by byte,
# { close => 1 }; an empty list sends nothing, undef is the usual answer.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Scalar::Util qw(weaken);
use POSIX qw(_exit WNOHANG);
use Time::HiRes qw(sleep time);

use GW;

my @running;
my $count = 0;
my $owner = $$;


sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        dir => GW::tmp_dir() . '/redis' . $count++,
        args => $opt{args} || [],
        host => $opt{host} || '127.0.0.1',
        user => $opt{user},
        password => $opt{password},
    }, $class;

    mkdir($self->{dir});
    chmod(0755, $self->{dir});

    if ($opt{unix}) {
        $self->{path} = "$self->{dir}/socket";

    } else {
        $self->{port} = $opt{port} || GW::free_port();
    }

    $self->start unless $opt{stopped};

    return $self;
}


sub server {
    my ($self) = @_;

    return $self->{path} ? "unix:$self->{path}"
                         : "$self->{host}:$self->{port}";
}


sub start {
    my ($self) = @_;

    my @listen = $self->{path}
                 ? ('--port', 0, '--unixsocket', $self->{path},
                    '--unixsocketperm', 777)
                 : ('--port', $self->{port}, '--bind', $self->{host});

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        open(STDOUT, '>>', "$self->{dir}/log");
        open(STDERR, '>&', \*STDOUT);
        exec('redis-server', @listen, '--save', '', '--appendonly', 'no',
             '--daemonize', 'no', '--dir', $self->{dir}, @{$self->{args}})
            or _exit(127);
    }

    $self->{pid} = $pid;
    push(@running, $self);
    weaken($running[-1]);

    for (1 .. 200) {
        my $sock = $self->connect;

        if ($sock) {
            print $sock "PING\r\n";
            my $line = <$sock>;
            return if defined $line && $line !~ /^-LOADING/;
        }

        sleep(0.02);
    }

    die "redis-server does not start, see $self->{dir}/log";
}


sub connect {
    my ($self) = @_;

    return $self->{path}
           ? IO::Socket::UNIX->new(Peer => $self->{path})
           : IO::Socket::INET->new(PeerAddr => $self->{host},
                                   PeerPort => $self->{port}, Timeout => 2);
}


# one command on a connection of its own

sub command {
    my ($self, @args) = @_;

    my $sock = $self->connect or die "no connection to redis: $!";

    if (defined $self->{password}) {
        print $sock pack_command('AUTH', grep { defined }
                                         @$self{qw(user password)});
        read_reply($sock);
    }

    print $sock pack_command(@args);

    return read_reply($sock);
}


sub pack_command {
    return '*' . @_ . "\r\n"
           . join('', map { '$' . length($_) . "\r\n$_\r\n" } @_);
}


# errors are strings that begin with "-"

sub read_reply {
    my ($sock) = @_;

    my $line = <$sock>;
    return '-closed' unless defined $line;

    $line =~ s/\r\n$//;
    my $type = substr($line, 0, 1);
    my $rest = substr($line, 1);

    return $line if $type eq '-';
    return $rest if $type eq '+' || $type eq ':';
    return undef if $rest < 0;

    if ($type eq '$') {
        my $data = '';
        read($sock, $data, $rest + 2);
        return substr($data, 0, $rest);
    }

    return [ map { read_reply($sock) } 1 .. $rest ];
}


sub pause {
    my ($self) = @_;

    CORE::kill('STOP', $self->{pid});
}


sub resume {
    my ($self) = @_;

    CORE::kill('CONT', $self->{pid});
}


sub kill {
    my ($self) = @_;

    return unless $self->{pid};

    CORE::kill('CONT', $self->{pid});
    CORE::kill('KILL', $self->{pid});
    waitpid($self->{pid}, 0);
    delete $self->{pid};

    @running = grep { defined && $_ != $self } @running;
    weaken($_) for @running;
}


# calls of one command since the last CONFIG RESETSTAT, and microseconds of CPU;
# an EVAL with a ZADD in it is a sign of life of a host, not a decision

sub stat {
    my ($self, $name) = @_;

    my $info = $self->command('INFO', 'commandstats');

    my ($beats) = $name eq 'eval' ? $self->stat('zadd') : 0;

    return $info =~ /^cmdstat_\Q$name\E:calls=(\d+),usec=(\d+)/m
           ? ($1 - $beats, $2) : (0, 0);
}


sub fake {
    my ($class, $handler, %opt) = @_;

    my $self = bless {
        dir => GW::tmp_dir() . '/fake' . $count++,
        host => '127.0.0.1',
        port => $opt{port} || GW::free_port(),
        handler => $handler || sub { return undef },
    }, $class;

    mkdir($self->{dir});

    my $listen = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => $self->{port},
        Proto => 'tcp', Listen => defined $opt{backlog} ? $opt{backlog} : 64,
        ReuseAddr => 1,
    ) or die "listen: $!";

    # a listener that never accepts, its queue full

    if ($opt{never_accept}) {
        $self->{held} = [
            $listen,
            map {
                IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $self->{port},
                                      Blocking => 0)
            } 1 .. 4
        ];
        return $self;
    }

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        $self->serve($listen);
        _exit(0);
    }

    close($listen);
    $self->{pid} = $pid;
    push(@running, $self);
    weaken($running[-1]);

    return $self;
}


sub serve {
    my ($self, $listen) = @_;

    my $select = IO::Select->new($listen);
    my (%in, %n);

    open(my $log, '>>', "$self->{dir}/received") or die;
    $log->autoflush(1);
    $SIG{PIPE} = 'IGNORE';

    while (my @ready = $select->can_read) {
        for my $sock (@ready) {

            if ($sock == $listen) {
                my $client = $listen->accept or next;
                setsockopt($client, 6, 1, 1);
                $select->add($client);
                $in{$client} = '';
                $n{$client} = 0;
                print $log "connect\n";
                next;
            }

            my $got = sysread($sock, $in{$sock}, 65536, length($in{$sock}));
            my $open = $got;

            while ($open && defined(my $args = take_command(\$in{$sock}))) {
                print $log join(' ', map { s/[^!-~]/./gr } @$args), "\n";
                $open = $self->act($sock,
                                   [ $self->{handler}->($args, ++$n{$sock}) ],
                                   $args);
            }

            unless ($open) {
                $select->remove($sock);
                close($sock);
            }
        }
    }
}


sub act {
    my ($self, $sock, $actions, $args) = @_;

    for my $do (@$actions) {
        $do = usual($args) unless defined $do;

        if (!ref $do) {
            syswrite($sock, $do);

        } elsif ($do->{delay}) {
            sleep($do->{delay});

        } elsif (defined $do->{split}) {
            for (split(//, $do->{split})) {
                syswrite($sock, $_);
                sleep(0.0005);
            }

        } elsif ($do->{close}) {
            return 0;
        }
    }

    return 1;
}


# what a Redis would say; each limit has just been charged

sub usual {
    my ($args) = @_;

    my $name = uc($args->[0]);

    return "+PONG\r\n" if $name eq 'PING';
    return "\$40\r\n" . ('0' x 40) . "\r\n" if $name eq 'SCRIPT';
    return "+OK\r\n" if $name !~ /^EVAL/;

    # a sign of life, from the only host
    return ":1\r\n" if $args->[3] =~ /1:nodes$/;

    my $n = $args->[2];
    my @numbers = @$args[3 + $n .. $#$args];

    # as take.lua has them when all are plain rates

    @numbers = unpack('d<*', $numbers[0]) if @numbers == 1;

    return '*' . ($n + 1) . "\r\n:" . int(time() * 1e6) . "\r\n"
           . join('', map { ':' . $numbers[3 * $_ - 3] . "\r\n" } 1 .. $n);
}


sub take_command {
    my ($buf) = @_;

    return undef unless $$buf =~ /\A\*(\d+)\r\n/;

    my ($n, $pos, @args) = ($1, $+[0]);

    for (1 .. $n) {
        pos($$buf) = $pos;
        return undef unless $$buf =~ /\G\$(\d+)\r\n/g;

        $pos = pos($$buf) + $1 + 2;
        return undef if length($$buf) < $pos;

        push(@args, substr($$buf, $pos - $1 - 2, $1));
    }

    substr($$buf, 0, $pos) = '';

    return \@args;
}


sub received {
    my ($self) = @_;

    open(my $fh, '<', "$self->{dir}/received") or return ();
    my @lines = <$fh>;
    chomp(@lines);

    return @lines;
}


# what goes out of scope is not needed any longer

sub DESTROY {
    my ($self) = @_;

    local $?;

    $self->kill if $$ == $owner;
}


END {
    if ($$ == $owner) {
        my $status = $?;

        $_->kill for my @left = grep { defined } @running;
        $? = $status;
    }
}


1;
