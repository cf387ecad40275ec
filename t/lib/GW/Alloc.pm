package GW::Alloc;

# Copyright (C) the nginx gateway modules developers

# Allocations of nginx that fail, see t/stress/failmalloc.c.
#
#     my $alloc = GW::Alloc->new;
#     my %env = $alloc->env;               # of the nginx that is started
#     local @ENV{keys %env} = values %env;
#     my $nginx = GW::Nginx->new(main => $alloc->main, ...);
#     $alloc->fail($n, $more);  # the n-th from now on, and as many behind it
#     $alloc->failed;           # how many have
#     $alloc->off;
#
# The nginx with sanitizers has the allocator linked in, and there each
# ngx_palloc() is an allocation of its own.

use strict;
use warnings;

use GW;

my $count = 0;


sub new {
    my ($class) = @_;

    my $self = bless { file => GW::tmp_dir() . '/failmalloc' . $count++ },
                     $class;

    my $cc = $ENV{CC} || 'cc';

    system("$cc -shared -fPIC -O1 -o $self->{file}.so"
           . ' t/stress/failmalloc.c') == 0
        or die 'the failing allocator is not built';

    open(my $fh, '>', $self->{file}) or die "$self->{file}: $!";
    print $fh pack('iiii', 0, 0, 0, 0);
    close($fh);
    chmod(0666, $self->{file});

    return $self;
}


sub env {
    my ($self) = @_;

    return (FAILMALLOC => $self->{file})
        if ($ENV{GW_VARIANT} || '') =~ /asan/;

    return (FAILMALLOC => $self->{file}, LD_PRELOAD => "$self->{file}.so");
}


sub main {
    return 'env FAILMALLOC;';
}


sub fail {
    my ($self, $n, $more) = @_;

    open(my $fh, '+<', $self->{file}) or die "$self->{file}: $!";
    syswrite($fh, pack('iiii', $n, $more || 0, 0, 0));
}


sub off {
    my ($self) = @_;

    $self->fail(0);
}


sub failed {
    my ($self) = @_;

    open(my $fh, '<', $self->{file}) or die "$self->{file}: $!";
    read($fh, my $data, 16);

    return (unpack('iiii', $data))[2];
}


1;
