package GW::Idp;

# Copyright (C) the nginx gateway modules developers

# A real identity provider for the tests, see t/node/provider.js.
#
#     my $idp = GW::Idp->new('ES256', 'RS256');
#     $idp->issuer;  $idp->port;              # its set of keys is at /jwks
#     my $token = $idp->token('ES256', 'orders', scope => 'read');
#     $idp->control('publish');               # the state: fetches, kids, ...
#     $idp->stop;

use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP ();
use POSIX qw(_exit);
use Scalar::Util qw(weaken);

use GW;
use GW::Node;

my @running;
my $owner = $$;
my $count = 0;


sub new {
    my ($class, @algs) = @_;

    my $self = bless { log => GW::tmp_dir() . '/idp' . $count++ }, $class;
    my @command = GW::Node::command('provider.js', @algs);

    pipe(my $in, $self->{stdin}) or die "pipe: $!";
    pipe(my $out, my $write) or die "pipe: $!";

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        open(STDIN, '<&', $in);
        open(STDOUT, '>&', $write);
        open(STDERR, '>', $self->{log});
        exec(@command) or _exit(127);
    }

    close($in);
    close($write);

    $self->{pid} = $pid;
    push(@running, $self);
    weaken($running[-1]);

    my $line = <$out>;

    die "the provider does not start: " . $self->log
        unless defined $line && $line =~ /^(\d+) (\d+)$/;

    @$self{qw(port control stdout)} = ($1, $2, $out);
    $self->{issuer} = $self->control('state')->{issuer};

    return $self;
}


sub port { return $_[0]{port} }
sub issuer { return $_[0]{issuer} }


sub log {
    my ($self) = @_;

    open(my $fh, '<', $self->{log}) or return '';
    local $/;

    return scalar(<$fh>) || '';
}


# an access token by the credentials of a client

sub token {
    my ($self, $alg, $name, %form) = @_;

    my $reply = HTTP::Tiny->new(timeout => 10)->post_form(
        "http://machine:of-the-machine\@127.0.0.1:$self->{port}/token",
        { grant_type => 'client_credentials',
          resource => "https://api.example/$name/$alg", %form });

    die "no token: $reply->{content}" unless $reply->{status} == 200;

    return JSON::PP::decode_json($reply->{content})->{access_token};
}


sub control {
    my ($self, $action) = @_;

    my $reply = HTTP::Tiny->new(timeout => 30)->post(
        "http://127.0.0.1:$self->{control}/$action");

    die "the provider cannot $action: $reply->{content}"
        unless $reply->{status} == 200;

    return JSON::PP::decode_json($reply->{content});
}


sub stop {
    my ($self) = @_;

    return unless $self->{pid} && $$ == $owner;

    local $?;

    kill('TERM', $self->{pid});
    waitpid($self->{pid}, 0);
    delete $self->{pid};
}


sub DESTROY {
    my ($self) = @_;

    $self->stop;
}


END {
    if ($$ == $owner) {
        $_->stop for grep { defined } @running;
    }
}


1;
