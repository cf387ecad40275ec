package GW::Backend;

# Copyright (C) the nginx gateway modules developers

# An HTTP back end that does what a test tells it to, faults included:
#
#     my $be = GW::Backend->new(
#         '/ok'   => sub { $_[0]->json('{"x":1}') },
#         '/hang' => sub { $_[0]->hang },
#         '*'     => sub { my ($conn, $req) = @_; ... },
#     );
#     $be->port; $be->requests('/ok'); $be->events; $be->clear;
#
# Each connection is served by a process of its own.  A handler is found by
# the path of the request without arguments; '*' is for all others.  $req is
# { method, uri, path, args, head (raw), header {name} (lower case), body }.
# A handler sends what it likes; the connection stays open for the next
# request unless it calls close, rst or hang.
#
# What happens is written to a log, a line an event:
#
#     REQUEST time connection request-line
#     CLOSED  time connection path      (the peer closed in a hang)

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep time);

use GW;

my @running;
my $count = 0;
my $owner = $$;


sub new {
    my ($class, %handlers) = @_;

    my $listen = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => 0, Proto => 'tcp',
        Listen => 511, ReuseAddr => 1,
    ) or die "cannot listen: $!";

    my $self = bless {
        port => $listen->sockport(),
        file => GW::tmp_dir() . '/backend' . $count++ . '.log',
        handlers => \%handlers,
    }, $class;

    open(my $fh, '>', $self->{file}) or die;
    close($fh);

    my $pid = fork();
    die "cannot fork: $!" unless defined $pid;

    if ($pid == 0) {
        $self->_serve($listen);
        POSIX::_exit(0);
    }

    close($listen);
    $self->{pid} = $pid;
    push(@running, $self);

    return $self;
}


sub port {
    my ($self) = @_;

    return $self->{port};
}


# the lines of the log

sub events {
    my ($self) = @_;

    open(my $fh, '<', $self->{file}) or return ();
    my @lines = <$fh>;
    chomp(@lines);

    return @lines;
}


# raw heads of the requests for a path, or of all

sub requests {
    my ($self, $path) = @_;

    my @heads;

    for my $line ($self->events) {
        next unless $line =~ /^REQUEST \S+ \S+ (.*)$/;
        my $text = $1;
        $text =~ s/\\x([0-9a-f]{2})/chr(hex($1))/ge;
        push(@heads, $text)
            if !defined $path || $text =~ /^\S+ \Q$path\E[? ]/;
    }

    return @heads;
}


# times at which nginx closed hanging connections of a path

sub closed {
    my ($self, $path) = @_;

    return map { /^CLOSED (\S+) \S+ \Q$path\E$/ ? $1 : () } $self->events;
}


sub clear {
    my ($self) = @_;

    truncate($self->{file}, 0);
}


sub stop {
    my ($self) = @_;

    return unless $self->{pid};

    kill('TERM', $self->{pid});
    waitpid($self->{pid}, 0);
    delete $self->{pid};
    @running = grep { $_ != $self } @running;
}


# the process that accepts

sub _serve {
    my ($self, $listen) = @_;

    require POSIX;

    my %children;

    # a handler of its own: Test::More must not end here
    $SIG{TERM} = sub {
        kill('KILL', keys %children);
        POSIX::_exit(0);
    };
    $SIG{CHLD} = 'DEFAULT';
    $SIG{PIPE} = 'IGNORE';

    my $n = 0;

    for ( ;; ) {
        while ((my $pid = waitpid(-1, POSIX::WNOHANG())) > 0) {
            delete $children{$pid};
        }

        next unless IO::Select->new($listen)->can_read(1);

        my $sock = $listen->accept() or next;
        $n++;

        my $pid = fork();
        next unless defined $pid;

        if ($pid == 0) {
            $SIG{TERM} = 'DEFAULT';
            close($listen);
            eval { GW::Backend::Connection->new($self, $sock, $n)->run };
            POSIX::_exit(0);
        }

        $children{$pid} = 1;
        close($sock);
    }
}


sub _log {
    my ($self, $text) = @_;

    open(my $fh, '>>', $self->{file}) or return;
    syswrite($fh, "$text\n");
    close($fh);
}


END {
    if ($$ == $owner) {
        my $status = $?;

        $_->stop for my @left = @running;
        $? = $status;
    }
}


package GW::Backend::Connection;

use Time::HiRes qw(sleep time);


sub new {
    my ($class, $backend, $sock, $n) = @_;

    setsockopt($sock, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1);

    return bless { be => $backend, sock => $sock, n => $n, in => '' }, $class;
}


sub run {
    my ($self) = @_;

    while (my $req = $self->_read) {
        my $handlers = $self->{be}{handlers};
        my $handler = $handlers->{$req->{path}} || $handlers->{'*'};

        $self->{path} = $req->{path};

        if ($handler) {
            $handler->($self, $req);

        } else {
            $self->answer(404, 'text/html', '<html>no such page</html>');
        }

        return unless $self->{sock};
    }
}


sub _read {
    my ($self) = @_;

    while ($self->{in} !~ /\r\n\r\n/) {
        return undef
            unless sysread($self->{sock}, $self->{in}, 65536,
                           length($self->{in}));
    }

    $self->{in} =~ s/\A(.*?\r\n)\r\n//s;
    my $head = $1;

    my ($line, @lines) = split(/\r\n/, $head);
    my ($method, $uri) = split(/ /, $line);
    my ($path, $args) = split(/\?/, $uri, 2);
    my %header;

    for (@lines) {
        my ($name, $value) = split(/: */, $_, 2);
        $header{lc($name)} = $value;
    }

    my $body = '';
    my $length = $header{'content-length'} || 0;

    while (length($self->{in}) < $length) {
        return undef
            unless sysread($self->{sock}, $self->{in}, 65536,
                           length($self->{in}));
    }

    $body = substr($self->{in}, 0, $length, '');

    (my $text = $head)
        =~ s/([^ -\[\]-~])/sprintf('\\x%02x', ord($1))/ge;
    $self->{be}->_log(sprintf('REQUEST %.4f %d %s', time(), $self->{n},
                              $text));

    return { method => $method, uri => $uri, path => $path, args => $args,
             head => $head, header => \%header, body => $body };
}


# bytes as they are

sub send {
    my ($self, $bytes) = @_;

    while (length($bytes) && $self->{sock}) {
        my $n = syswrite($self->{sock}, $bytes, 65536);

        unless (defined $n) {
            close(delete $self->{sock});
            return;
        }

        substr($bytes, 0, $n, '');
    }
}


sub delay {
    my ($self, $seconds) = @_;

    sleep($seconds);
}


sub head {
    my ($self, $status, @lines) = @_;

    $self->send(join("\r\n", "HTTP/1.1 $status X", @lines, '', ''));
}


sub answer {
    my ($self, $status, $type, $body, @lines) = @_;

    push(@lines, "Content-Type: $type") if defined $type;

    $self->send(join("\r\n", "HTTP/1.1 $status X", @lines,
                     'Content-Length: ' . length($body), '', $body));
}


sub json {
    my ($self, $body, @lines) = @_;

    $self->answer(200, 'application/json', $body, @lines);
}


# HTTP/1.0, the end of the connection ends the body

sub http10 {
    my ($self, $body) = @_;

    $self->send("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
                . $body);
    $self->close;
}


sub chunked {
    my ($self, @chunks) = @_;

    $self->head(200, 'Content-Type: application/json',
                'Transfer-Encoding: chunked');
    $self->chunk($_) for @chunks;
    $self->chunk('');
}


sub chunk {
    my ($self, $bytes) = @_;

    $self->send(sprintf("%x\r\n%s\r\n", length($bytes), $bytes));
}


sub close {
    my ($self) = @_;

    CORE::close(delete $self->{sock}) if $self->{sock};
}


sub rst {
    my ($self) = @_;

    setsockopt($self->{sock}, Socket::SOL_SOCKET(), Socket::SO_LINGER(),
               pack('ii', 1, 0));
    $self->close;
}


# waits until the peer closes, and notes when

sub hang {
    my ($self) = @_;

    my $buf;

    1 while sysread($self->{sock}, $buf, 65536);

    $self->{be}->_log(sprintf('CLOSED %.4f %d %s', time(), $self->{n},
                              $self->{path}));
    $self->close;
}


1;
