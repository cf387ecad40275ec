package GW::HTTP3;

# Copyright (C) the nginx gateway modules developers

# Requests on one connection of HTTP/3, by the client of t/http3, and resets
# at any moment:
#
#     my $h3 = GW::HTTP3->new($port);
#     my @streams = $h3->request('/path', [POST => '/path', 'body', %header]);
#     $h3->stop($stream);                      # STOP_SENDING
#     $h3->reset($stream);                     # RESET_STREAM
#     $h3->cancel($stream);                    # both, as browsers do
#     my @replies = $h3->replies($seconds, @streams);   # undef: none in time
#     $reply->{status}, $reply->{header}{name}, $reply->{trailer}{name},
#     $reply->{body}
#     my @parts = $h3->parts($seconds, $stream);  # [ seconds, bytes so far ]
#     $h3->close;  $h3->vanish;                # without a word
#
# A body "..." never ends.  GW::HTTP3::listen($port) is the directives of a
# server for it.

use strict;
use warnings;

use File::Basename qw(dirname);
use IO::Handle;
use IO::Select;
use IPC::Open2;
use Time::HiRes qw(time);

use GW;
use GW::TLS;


sub listen {
    my ($port) = @_;

    my $cert = GW::TLS->ca('http3')->cert('localhost', 'DNS:localhost');

    return "listen 127.0.0.1:$port quic reuseport;\n"
           . "        ssl_certificate $cert->{cert};\n"
           . "        ssl_certificate_key $cert->{key};\n"
           . "        ssl_protocols TLSv1.3;\n";
}


sub new {
    my ($class, $port) = @_;

    my $pid = open2(my $out, my $in,
                    dirname(GW::nginx_binary()) . '/http3-client', $port);

    $in->autoflush(1);

    my $self = bless { pid => $pid, in => $in, out => $out, buf => '',
                       next => 0, stream => {}, start => time() }, $class;

    my $end = time() + 5;

    1 while !$self->{connected} && $self->fill($end);

    return $self->{connected} ? $self : undef;
}


# several at once leave together

sub request {
    my ($self, @requests) = @_;

    my (@streams, $out);

    for my $request (@requests) {
        my ($method, $path, $body, %header) =
            ref $request ? @$request : (GET => $request);

        $out .= join(' ', 'request', $method, $path,
                     defined $body ? $body : '-',
                     map { "$_=" . $header{$_} =~ tr/ /\t/r }
                         sort keys %header) . "\n";

        push(@streams, $self->{next});
        $self->{stream}{$self->{next}} = { body => '', header => {},
                                           trailer => {}, parts => [] };
        $self->{next} += 4;
    }

    $self->command($out);

    return wantarray ? @streams : $streams[0];
}


sub stop {
    my ($self, @streams) = @_;

    $self->command(join('', map { "stop $_\n" } @streams));
}


sub reset {
    my ($self, @streams) = @_;

    $self->command(join('', map { "reset $_\n" } @streams));
}


sub cancel {
    my ($self, @streams) = @_;

    $self->command(join('', map { "cancel $_\n" } @streams));
}


sub command {
    my ($self, $text) = @_;

    local $SIG{PIPE} = 'IGNORE';

    $self->{start} = time();
    syswrite($self->{in}, $text);
}


sub replies {
    my ($self, $seconds, @streams) = @_;

    my $end = time() + $seconds;

    1 while grep({ !$self->{stream}{$_}{ended} } @streams)
            && $self->fill($end);

    return map { $self->{stream}{$_}{ended} ? $self->{stream}{$_} : undef }
               @streams;
}


# when the client has said that the stream is closed, and its code

sub closed {
    my ($self, $seconds, $stream) = @_;

    my $end = time() + $seconds;

    1 while !$self->{stream}{$stream}{closed} && $self->fill($end);

    return $self->{stream}{$stream}{closed};
}


sub fill {
    my ($self, $end) = @_;

    my $left = $end - time();

    return 0 unless $left > 0
                    && IO::Select->new($self->{out})->can_read($left);
    return 0 unless sysread($self->{out}, $self->{buf}, 1 << 20,
                            length($self->{buf}));

    while ($self->{buf} =~ s/\A([^\n]*)\n//) {
        $self->take(split(/ /, $1, 4));
    }

    return 1;
}


sub take {
    my ($self, $what, $id, $name, $value) = @_;

    if ($what eq 'connected') {
        $self->{connected} = 1;
        return;
    }

    if ($what eq 'failed') {
        $self->{failed} = join(' ', grep { defined } $id, $name, $value);
        return;
    }

    my $stream = $self->{stream}{$id};

    if ($what eq 'header') {
        $name eq ':status' ? $stream->{status} = $value
                           : ($stream->{header}{$name} = $value);

    } elsif ($what eq 'trailer') {
        $stream->{trailer}{$name} = $value;

    } elsif ($what eq 'data') {
        $stream->{body} .= pack('H*', $name);
        push(@{ $stream->{parts} },
             [ time() - $self->{start}, $stream->{body} ]);

    } elsif ($what eq 'end') {
        $stream->{ended} = 1;
        $stream->{time} = time() - $self->{start};

    } elsif ($what eq 'closed') {
        $stream->{closed} = $name;
    }
}


sub close {
    my ($self) = @_;

    return unless $self->{pid};

    CORE::close($self->{in});
    CORE::close($self->{out});
    waitpid(delete $self->{pid}, 0);
}


sub vanish {
    my ($self) = @_;

    kill('KILL', $self->{pid}) if $self->{pid};
    $self->close;
}


sub DESTROY {
    my ($self) = @_;

    local $?;

    $self->close;
}


1;
