package GW::Clock;

# Copyright (C) the nginx gateway modules developers

# A wall clock for the processes of a test that are started in run(); their
# monotonic clock is the real one.
#
#     my $clock = GW::Clock->new;
#     my $redis = $clock->run(sub { GW::Redis->new });
#     $clock->set($time);      # seconds since 1970, it goes on from there
#     $clock->add(3600);       # seconds
#     $clock->time;

use strict;
use warnings;

use Time::HiRes ();

use GW;

my $count = 0;
my $library;


sub new {
    my ($class) = @_;

    $library ||= library();

    my $self = bless {
        file => GW::tmp_dir() . '/clock' . $count++,
        ahead => 0,
    }, $class;

    $self->put;

    return $self;
}


# glibc's gettimeofday(), later by what the file says

sub library {
    my $name = GW::tmp_dir() . '/clock';

    open(my $fh, '>', "$name.c") or die "$name.c: $!";
    print $fh <<'END';
#define _GNU_SOURCE

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>


static volatile int64_t  *ahead;


/* before the environment is changed; the mapping is kept in children */

static void __attribute__((constructor))
start(void)
{
    int    fd;
    void  *p;

    fd = open(getenv("GW_CLOCK"), O_RDONLY|O_CLOEXEC);
    p = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);

    if (fd == -1 || p == MAP_FAILED) {
        abort();
    }

    ahead = p;
}


int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    int64_t          usec;
    struct timespec  ts;

    (void) tz;

    clock_gettime(CLOCK_REALTIME, &ts);

    usec = (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000
           + (ahead != NULL ? *ahead : 0);

    tv->tv_sec = usec / 1000000;
    tv->tv_usec = usec % 1000000;

    return 0;
}
END
    close($fh);

    system($ENV{CC} || 'cc', '-O', '-shared', '-fPIC', '-o', "$name.so",
           "$name.c") == 0
        or die 'the clock cannot be compiled';

    return "$name.so";
}


sub run {
    my ($self, $code) = @_;

    local $ENV{GW_CLOCK} = $self->{file};
    local $ENV{LD_PRELOAD} = $library;
    local $ENV{ASAN_OPTIONS} = join(':', grep { defined } $ENV{ASAN_OPTIONS},
                                    'verify_asan_link_order=0');

    return $code->();
}


sub time {
    my ($self) = @_;

    return Time::HiRes::time() + $self->{ahead};
}


sub set {
    my ($self, $time) = @_;

    $self->{ahead} = $time - Time::HiRes::time();
    $self->put;
}


sub add {
    my ($self, $seconds) = @_;

    $self->{ahead} += $seconds;
    $self->put;
}


# in one write: the processes have the file in their memory

sub put {
    my ($self) = @_;

    my $mode = -e $self->{file} ? '+<' : '>';

    open(my $fh, $mode, $self->{file}) or die "$self->{file}: $!";
    syswrite($fh, pack('q', int($self->{ahead} * 1e6)));
    close($fh);
}


1;
