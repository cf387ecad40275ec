package GW::Hold;

# Copyright (C) the nginx gateway modules developers

# Requests that stay in progress until the test ends them.
#
#     my $hold = GW::Hold->new;                 # proxy_pass to $hold->{port}
#     my $request = $hold->begin($nginx, '/path');
#     $request->{held}                          # it waits for its upstream
#     $request->{reply}                         # or it was answered at once
#     $hold->answer($request);                  # 200, returns the reply
#     $hold->abort($request);                   # the client goes away

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;


sub new {
    my ($class) = @_;

    my $sock = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 511,
                                     ReuseAddr => 1) or die "listen: $!";

    return bless { sock => $sock, port => $sock->sockport }, $class;
}


# upstream connections come in any order: nobody else may be waiting

sub begin {
    my ($self, $nginx, $path, %opt) = @_;

    my $request = $nginx->begin($path, %opt);
    my $select = IO::Select->new($self->{sock}, $request->{sock});

    $request->{nginx} = $nginx;

    for my $ready ($select->can_read(10)) {
        if ($ready == $self->{sock}) {
            $request->{up} = $self->{sock}->accept;
            $request->{held} = 1;

        } else {
            $request->{reply} = $nginx->finish($request);
        }
    }

    return $request;
}


sub answer {
    my ($self, $request) = @_;

    sysread($request->{up}, my $head, 65536);
    syswrite($request->{up}, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
    close($request->{up});

    return $request->{reply} = $request->{nginx}->finish($request);
}


sub abort {
    my ($self, $request) = @_;

    close($request->{sock});

    # nginx closes its side when it has seen that
    IO::Select->new($request->{up})->can_read(10);
    1 while sysread($request->{up}, my $bytes, 65536);
    close($request->{up});
}


1;
