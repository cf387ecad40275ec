package GW::Nginx;

# Copyright (C) the nginx gateway modules developers

# An nginx for the tests that need steps in time (a dependency dies, a reload,
# a client that goes away) and several instances; Test::Nginx starts one nginx
# for each block.
#
#     my $nginx = GW::Nginx->new(http => $text, workers => 1);
#     my $reply = $nginx->get('/path', header => 'X-Key: 1');
#     $reply->{status}, $reply->{body}, $reply->{header}{'retry-after'},
#     $reply->{time}
#     $nginx->log;  $nginx->reload;  $nginx->stop;
#
# In the texts, %%PORT%% is the port of the server and %%DIR%% its prefix.

use strict;
use warnings;

use IO::Socket::INET;
use Scalar::Util qw(weaken);
use Time::HiRes qw(sleep time);

use GW;

my @running;
my $count = 0;
my $owner = $$;


sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        dir => GW::tmp_dir() . '/nginx' . $count++,
        port => GW::free_port(),
        workers => $opt{workers} || 1,
        level => $opt{level} || 'info',
        main => $opt{main} || '',
        events => $opt{events} || '',
        connections => $opt{connections} || 512,
        user => $opt{user} || 'root',
    }, $class;

    mkdir($self->{dir});
    mkdir("$self->{dir}/logs");
    chmod(0777, $self->{dir}, "$self->{dir}/logs");

    $self->configure($opt{http});
    $self->start unless $opt{stopped};

    return $self;
}


sub configure {
    my ($self, $http) = @_;

    my $load = join('', map { "load_module $_;\n" }
                        split(' ', $ENV{TEST_NGINX_LOAD_MODULES} || ''));

    # as Test::Nginx: the tree may be where nobody else can read
    my $user = $> == 0 ? "user $self->{user};\n" : '';

    $http =~ s/%%PORT%%/$self->{port}/g;
    $http =~ s/%%DIR%%/$self->{dir}/g;

    open(my $fh, '>', "$self->{dir}/nginx.conf") or die;
    print $fh <<"END";
$load
${user}worker_processes $self->{workers};
pid $self->{dir}/nginx.pid;
error_log $self->{dir}/logs/error.log $self->{level};
$self->{main}
events { worker_connections $self->{connections}; $self->{events} }
http {
    access_log $self->{dir}/logs/access.log;
    client_body_temp_path $self->{dir}/client;
    proxy_temp_path $self->{dir}/proxy;
    fastcgi_temp_path $self->{dir}/fastcgi;
    uwsgi_temp_path $self->{dir}/uwsgi;
    scgi_temp_path $self->{dir}/scgi;
$http
}
END
    close($fh);
}


sub command {
    my ($self, @args) = @_;

    # GW_VALGRIND: valgrind and its options
    return (split(' ', $ENV{GW_VALGRIND} || ''), GW::nginx_binary(), '-p', $self->{dir}, '-e',
            "$self->{dir}/logs/error.log", '-c', "$self->{dir}/nginx.conf",
            @args);
}


sub start {
    my ($self) = @_;

    system($self->command) == 0
        or die "nginx does not start: " . $self->log;

    push(@running, $self);
    weaken($running[-1]);

    for (1 .. ($ENV{GW_VALGRIND} ? 1500 : 250)) {
        $self->{pid} = $self->pid;
        return if $self->{pid} && $self->connect && $self->ready;
        sleep(0.02);
    }

    die "nginx does not answer: " . $self->log;
}


# connections are accepted before there are workers

sub ready {
    my ($self) = @_;

    return 1 if $self->{workers} !~ /^\d+$/
                || $self->{main} =~ /\bmaster_process\s+off/;

    return $self->workers >= $self->{workers};
}


# what "nginx -t" says, and whether it succeeds

sub test {
    my ($self) = @_;

    my $out = join(' ', map { quotemeta } $self->command('-t'));
    $out = `$out 2>&1`;

    return ($? == 0, $out . $self->log);
}


sub pid {
    my ($self) = @_;

    open(my $fh, '<', "$self->{dir}/nginx.pid") or return undef;
    my $pid = <$fh>;
    chomp($pid) if defined $pid;

    return $pid;
}


# pids of the workers, those that shut down included; not of the processes
# that a cache has

sub workers {
    my ($self) = @_;

    my @pids;

    for my $stat (glob('/proc/[0-9]*/stat')) {
        open(my $fh, '<', $stat) or next;
        my $line = <$fh>;
        next unless defined $line;

        next unless $line =~ /^(\d+) \(.*\) (\S) (\d+) /
                    && $3 == $self->{pid} && $2 ne 'Z';

        my $pid = $1;

        open($fh, '<', "/proc/$pid/cmdline") or next;
        my $title = <$fh>;

        push(@pids, $pid)
            unless defined $title && $title =~ /cache (?:manager|loader)/;
    }

    @pids = sort { $a <=> $b } @pids;

    return @pids;
}


sub reload {
    my ($self) = @_;

    kill('HUP', $self->{pid});
}


sub stop {
    my ($self, $signal) = @_;

    return 1 unless $self->{pid};

    kill($signal || 'QUIT', $self->{pid});
    @running = grep { defined && $_ != $self } @running;
    weaken($_) for @running;

    for (1 .. 500) {
        unless (alive($self->{pid})) {
            delete $self->{pid};
            return 1;
        }

        sleep(0.02);
    }

    return 0;
}


# not one that only waits to be reaped

sub alive {
    my ($pid) = @_;

    open(my $fh, '<', "/proc/$pid/stat") or return 0;
    my $line = <$fh>;

    return defined $line && $line !~ /^\d+ \(.*\) Z/;
}


sub connect {
    my ($self) = @_;

    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $self->{port}, Timeout => 5);
}


# sends a request and leaves the reply to finish()

sub begin {
    my ($self, $path, %opt) = @_;

    my $sock = $self->connect or die "no connection to nginx: $!";
    my $header = $opt{header} ? "$opt{header}\r\n" : '';

    print $sock "GET $path HTTP/1.1\r\nHost: localhost\r\n"
                . "Connection: close\r\n$header\r\n";

    return { sock => $sock, start => time() };
}


sub finish {
    my ($self, $request) = @_;

    my $sock = $request->{sock};
    my $text = '';

    eval {
        local $SIG{ALRM} = sub { die "timeout\n" };
        alarm(15);
        1 while sysread($sock, $text, 65536, length($text));
        alarm(0);
    };

    my $reply = { time => time() - $request->{start}, text => $text,
                  header => {} };

    my ($head, $body) = split(/\r\n\r\n/, $text, 2);

    if (defined $head && $head =~ s{\AHTTP/1\.\d (\d+)[^\r\n]*}{}) {
        $reply->{status} = $1;
        $reply->{header}{lc($1)} = $2
            while $head =~ /^([^:\r\n]+): *([^\r\n]*)/mg;
    }

    $reply->{status} ||= 0;
    $reply->{body} = defined $body ? $body : '';

    return $reply;
}


sub get {
    my ($self, $path, %opt) = @_;

    return $self->finish($self->begin($path, %opt));
}


sub log {
    my ($self) = @_;

    open(my $fh, '<', "$self->{dir}/logs/error.log") or return '';
    local $/;

    return scalar(<$fh>) || '';
}


# waits until a condition holds; false after $seconds

sub until {
    my ($self, $seconds, $condition) = @_;

    my $end = time() + $seconds;

    while (time() < $end) {
        return 1 if $condition->();
        sleep(0.02);
    }

    return 0;
}


# what goes out of scope is not needed any longer

sub DESTROY {
    my ($self) = @_;

    local $?;

    $self->stop('TERM') if $$ == $owner;
}


END {
    if ($$ == $owner) {
        my $status = $?;

        # a copy: stop() takes from @running; nothing may stay behind
        for my $nginx (my @left = grep { defined } @running) {
            my @pids = ($nginx->{pid}, $nginx->workers);

            $nginx->stop('TERM') or kill('KILL', grep { alive($_) } @pids);
        }

        $? = $status;
    }
}


1;
