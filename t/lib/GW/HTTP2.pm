package GW::HTTP2;

# Copyright (C) the nginx gateway modules developers

# As much of HTTP/2 as tests of streams need: requests without a body, on one
# connection in clear text, and resets at any moment.
#
#     my $h2 = GW::HTTP2->new($port);
#     my $stream = $h2->request('/path');
#     $h2->reset($stream);
#     my @replies = $h2->replies($seconds, @streams);   # undef: none in time
#     $reply->{status}, $reply->{body}

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);


sub new {
    my ($class, $port) = @_;

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $port) or return undef;

    # windows of flow control that no test fills
    syswrite($sock, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                    . frame(4, 0, 0, pack('nN', 4, 1 << 30))
                    . frame(8, 0, 0, pack('N', 1 << 30)));

    return bless { sock => $sock, in => '', next => 1, stream => {} }, $class;
}


# RFC 9113, 4.1

sub frame {
    my ($type, $flags, $stream, $data) = @_;

    return substr(pack('N', length($data)), 1)
           . pack('CCN', $type, $flags, $stream) . $data;
}


# several at once are one write; header fields without a table, RFC 7541

sub request {
    my ($self, @paths) = @_;

    my (@streams, $out);

    for my $path (@paths) {
        push @streams, $self->{next};
        $out .= frame(1, 5, $self->{next}, "\x82\x86\x04" . chr(length($path))
                                           . $path . "\x01\x09localhost");
        $self->{next} += 2;
    }

    syswrite($self->{sock}, $out);

    return wantarray ? @streams : $streams[0];
}


sub reset {
    my ($self, @streams) = @_;

    syswrite($self->{sock}, join('', map { frame(3, 0, $_, pack('N', 8)) }
                                         @streams));
}


sub replies {
    my ($self, $seconds, @streams) = @_;

    my $end = time() + $seconds;

    while (grep { !$self->{stream}{$_}{ended} } @streams) {
        my $left = $end - time();

        last unless $left > 0
                    && IO::Select->new($self->{sock})->can_read($left);
        last unless sysread($self->{sock}, $self->{in}, 65536,
                            length($self->{in}));
        $self->take;
    }

    return map { $self->{stream}{$_}{ended} ? $self->{stream}{$_} : undef }
               @streams;
}


sub take {
    my ($self) = @_;

    # static table of RFC 7541, A
    my %status = (8 => 200, 9 => 204, 10 => 206, 11 => 304, 12 => 400,
                  13 => 404, 14 => 500);

    while (length($self->{in}) >= 9) {
        my ($high, $low, $type, $flags, $id) = unpack('nCCCN', $self->{in});
        my $length = $high << 8 | $low;

        last if length($self->{in}) < 9 + $length;

        substr($self->{in}, 0, 9, '');
        my $data = substr($self->{in}, 0, $length, '');
        my $stream = $self->{stream}{$id} ||= { body => '' };

        if ($type == 1 && !defined $stream->{status}) {
            # nginx writes the status first: indexed, or a literal of 3 digits
            my $first = ord($data);

            $stream->{status} = $first & 0x80 ? $status{$first & 0x7f}
                                              : substr($data, 2, 3);
        }

        $stream->{body} .= $data if $type == 0;
        $stream->{ended} = 1 if $type <= 1 && $flags & 1;
    }
}


1;
