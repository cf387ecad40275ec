package GW::Client;

# Copyright (C) the nginx gateway modules developers

# An HTTP/1.1 client on one connection, for tests that care about bytes, time
# and what happens to the connection:
#
#     my $client = GW::Client->new($port);
#     my $reply = $client->get('/path', 'X-Key: 1');
#     $client->send($bytes);  $reply = $client->read;
#     $client->reset;                               # closes with RST
#
# A reply is { status, header {name} (lower case, the last one), headers
# (raw), body, trailer {name}, time }, time in seconds since the request was
# sent.  read() returns undef when the connection ends before a whole reply.

use strict;
use warnings;

use IO::Socket::INET;
use IO::Select;
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time);


sub new {
    my ($class, $port) = @_;

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $port, Timeout => 5)
        or die "no connection: $!";

    return bless { sock => $sock, in => '', start => time() }, $class;
}


sub send {
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';

    $self->{start} = time();

    while (length($bytes)) {
        my $n = syswrite($self->{sock}, $bytes);
        last unless $n;
        substr($bytes, 0, $n, '');
    }
}


sub get {
    my ($self, $path, @headers) = @_;

    return $self->request('GET', $path, undef, @headers);
}


sub request {
    my ($self, $method, $path, $body, @headers) = @_;

    push(@headers, 'Content-Length: ' . length($body)) if defined $body;

    $self->send(join("\r\n", "$method $path HTTP/1.1", 'Host: localhost',
                     @headers, '', defined $body ? $body : ''));

    return $self->read($method eq 'HEAD');
}


# one more piece of input; 0 at the end, or after 10 seconds

sub fill {
    my ($self) = @_;

    return 0 unless IO::Select->new($self->{sock})->can_read(10);

    return sysread($self->{sock}, $self->{in}, 1 << 20,
                   length($self->{in}));
}


sub read {
    my ($self, $head) = @_;

    while ($self->{in} !~ /\r\n\r\n/) {
        $self->fill or return undef;
    }

    $self->{in} =~ s/\A(.*?\r\n)\r\n//s;

    my $reply = { headers => $1, header => {}, body => '' };

    ($reply->{status}) = $reply->{headers} =~ m{\AHTTP/1\.1 (\d+)};
    $reply->{header}{lc($1)} = $2
        while $reply->{headers} =~ /^([^:\r\n]+): *([^\r\n]*)/mg;

    my $length = $reply->{header}{'content-length'};

    if ($head || $reply->{status} =~ /^(1..|204|304)$/) {
        # it has no body

    } elsif (defined $length) {
        while (length($self->{in}) < $length) {
            $self->fill or return undef;
        }

        $reply->{body} = substr($self->{in}, 0, $length, '');

    } elsif (($reply->{header}{'transfer-encoding'} || '') eq 'chunked') {
        for ( ;; ) {
            while ($self->{in} !~ /\r\n/) {
                $self->fill or return undef;
            }

            $self->{in} =~ s/\A([0-9a-f]+)\r\n//;
            my $size = hex($1);

            unless ($size) {
                $self->trailers($reply) or return undef;
                last;
            }

            while (length($self->{in}) < $size + 2) {
                $self->fill or return undef;
            }

            $reply->{body} .= substr($self->{in}, 0, $size, '');
            substr($self->{in}, 0, 2, '');
        }

    } else {
        1 while $self->fill;
        $reply->{body} = $self->{in};
        $self->{in} = '';
    }

    $reply->{time} = time() - $self->{start};

    return $reply;
}


# the fields behind the last chunk, up to an empty line

sub trailers {
    my ($self, $reply) = @_;

    for ( ;; ) {
        while ($self->{in} !~ /\r\n/) {
            $self->fill or return 0;
        }

        $self->{in} =~ s/\A(.*?)\r\n//s;
        my $line = $1;

        return 1 if $line eq '';

        $reply->{trailer}{lc($1)} = $2 if $line =~ /^([^:]+): *(.*)$/;
    }
}


sub close {
    my ($self) = @_;

    CORE::close(delete $self->{sock});
}


sub reset {
    my ($self) = @_;

    setsockopt($self->{sock}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
    $self->close;
}


1;
