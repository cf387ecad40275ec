package GW::Load;

# Copyright (C) the nginx gateway modules developers

# A bounded load of requests with tokens, by clients that are processes of
# their own; what is sent can change while they run.
#
#     my $load = GW::Load->new(port => 1, path => '/', tokens => \@tokens,
#                              clients => 4, rate => 200);   # each, a second
#     $load->tokens(@others);
#     my $samples = $load->stop;     # [[when, seconds, status, token], ...]
#     GW::Load::quantile(0.99, @seconds)
#
# "token" is the number of the list that the token came from, from 0.

use strict;
use warnings;

use POSIX qw(_exit);
use Scalar::Util qw(weaken);
use Time::HiRes qw(sleep time);

use GW;
use GW::Client;

my @running;
my $owner = $$;
my $count = 0;

# seconds; a test that hangs does not leave clients behind
my $longest = 60;


sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        file => GW::tmp_dir() . '/load' . $count++,
        list => 0, pids => [],
    }, $class;

    $self->tokens(@{ $opt{tokens} });

    push(@running, $self);
    weaken($running[-1]);

    for my $n (1 .. $opt{clients}) {
        my $pid = fork();
        die "fork: $!" unless defined $pid;

        if ($pid == 0) {
            $SIG{$_} = 'DEFAULT' for qw(INT HUP);
            $self->client($n, \%opt);
            _exit(0);
        }

        push(@{ $self->{pids} }, $pid);
    }

    return $self;
}


# from now on these are sent

sub tokens {
    my ($self, @tokens) = @_;

    open(my $fh, '>', "$self->{file}.new") or die "$self->{file}: $!";
    print $fh join("\n", $self->{list}++, @tokens) . "\n";
    close($fh) or die "$self->{file}: $!";

    rename("$self->{file}.new", $self->{file}) or die "$self->{file}: $!";
}


sub client {
    my ($self, $n, $opt) = @_;

    my $ended = 0;
    my $end = time() + $longest;
    my ($client, $list, @tokens, @out);
    my $inode = -1;
    my $next = time();

    local $SIG{TERM} = sub { $ended = 1 };

    while (!$ended && time() < $end) {

        my $now = (stat($self->{file}))[1];

        if (defined $now && $now != $inode) {
            open(my $fh, '<', $self->{file}) or die;
            ($list, @tokens) = <$fh>;
            chomp(@tokens, $list);
            $inode = $now;
        }

        my $token = $tokens[rand(@tokens)];
        my $start = time();

        $client ||= eval { GW::Client->new($opt->{port}) };

        my $reply = $client && $client->get($opt->{path},
                                        "Authorization: Bearer $token");
        my $status = $reply ? $reply->{status} : 0;

        # a signal while it waits is no failure
        last if $ended && !$reply;

        push @out, join(' ', $start, time() - $start, $status, $list);

        undef $client
            if !$reply || ($reply->{header}{connection} || '') eq 'close';

        $next += 1 / $opt->{rate};
        my $wait = $next - time();

        if ($wait > 0) {
            sleep($wait);

        } else {
            # what was missed is not made up for
            $next = time();
        }
    }

    open(my $fh, '>', "$self->{file}.$n") or die;
    print $fh map { "$_\n" } @out;
    close($fh);
}


sub stop {
    my ($self) = @_;

    my @samples;
    my $n = 0;

    kill('TERM', @{ $self->{pids} });

    for my $pid (@{ $self->{pids} }) {
        waitpid($pid, 0);
        $n++;

        open(my $fh, '<', "$self->{file}.$n") or die "no client $n: $!";
        push @samples, map { chomp; [split(' ', $_)] } <$fh>;
    }

    $self->{pids} = [];
    @samples = sort { $a->[0] <=> $b->[0] } @samples;

    return \@samples;
}


sub quantile {
    my ($part, @values) = @_;

    return undef unless @values;

    @values = sort { $a <=> $b } @values;

    return $values[int($part * $#values)];
}


END {
    if ($$ == $owner) {
        for my $load (grep { defined } @running) {
            kill('KILL', @{ $load->{pids} }) if @{ $load->{pids} };
        }
    }
}


1;
