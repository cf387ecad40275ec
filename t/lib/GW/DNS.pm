package GW::DNS;

# Copyright (C) the nginx gateway modules developers

# A name server for the tests: one name, by what a file says.
#
#     my $dns = GW::DNS->new(addresses => [ '127.0.0.1' ], ttl => 1);
#     $dns->server;                       # for "resolver"
#     $dns->say(addresses => [ '127.0.0.2' ]);
#     $dns->say(code => 3);               # NXDOMAIN
#     $dns->say(silent => 1);
#     $dns->questions;                    # how many so far

use strict;
use warnings;

use IO::Socket::INET;
use POSIX qw(_exit);
use Scalar::Util qw(weaken);
use Socket qw(inet_aton);

use GW;

my @running;
my $count = 0;
my $owner = $$;


sub new {
    my ($class, %opt) = @_;

    my $self = bless { base => GW::tmp_dir() . '/dns' . $count++ }, $class;

    my $sock = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                                     Proto => 'udp') or die "udp: $!";

    $self->{port} = $sock->sockport;
    $self->say(%opt);

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        $self->serve($sock);
        _exit(0);
    }

    $self->{pid} = $pid;
    push(@running, $self);
    weaken($running[-1]);

    return $self;
}


sub server {
    my ($self) = @_;

    return "127.0.0.1:$self->{port}";
}


sub say {
    my ($self, %opt) = @_;

    my $text = join("\n", $opt{ttl} || 1, $opt{code} || 0,
                    $opt{silent} || 0, @{$opt{addresses} || []});

    open(my $fh, '>', "$self->{base}.new") or die;
    print $fh $text;
    close($fh);
    rename("$self->{base}.new", $self->{base}) or die;
}


sub questions {
    my ($self) = @_;

    return -s "$self->{base}.log" || 0;
}


sub serve {
    my ($self, $sock) = @_;

    open(my $log, '>>', "$self->{base}.log") or die;
    $log->autoflush(1);

    while (defined(my $from = recv($sock, my $query, 512, 0))) {
        print $log '.';

        open(my $fh, '<', $self->{base}) or next;
        chomp(my ($ttl, $code, $silent, @addresses) = <$fh>);
        next if $silent;

        @addresses = () if $code;

        # RFC 1035, 4.1: the question is repeated, names point to it

        my $end = index($query, "\0", 12) + 5;

        my $reply = substr($query, 0, 2)
                    . pack('nnnnn', 0x8180 | $code, 1, scalar @addresses, 0, 0)
                    . substr($query, 12, $end - 12)
                    . join('', map { pack('nnnNn', 0xc00c, 1, 1, $ttl, 4)
                                     . inet_aton($_) } @addresses);

        send($sock, $reply, 0, $from);
    }
}


sub DESTROY {
    my ($self) = @_;

    local $?;

    if ($$ == $owner && $self->{pid}) {
        kill('KILL', $self->{pid});
        waitpid($self->{pid}, 0);
        delete $self->{pid};
    }
}


END {
    if ($$ == $owner) {
        my $status = $?;

        $_->DESTROY for grep { defined } @running;
        $? = $status;
    }
}


1;
