package Stage;

# Copyright (C) the nginx gateway modules developers

# Real servers on loopback for the demo and for the tests of the examples:
# back ends, Redis, nginx with a configuration of examples/, tokens and keys.
# Perl core modules, openssl and redis-server only.  Everything is written
# below one directory, and every process ends with the stage.
#
#     my $stage = Stage->new(dir => ..., modules => ..., nginx => ...);
#     $stage->put('nginx.conf', $stage->example('auth.conf', \%replace));
#     $stage->gateway('nginx.conf');

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Path qw(make_path);
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64url);
use POSIX qw(:sys_wait_h setsid _exit);
use Time::HiRes qw(sleep time);

my $top = abs_path(dirname(__FILE__) . '/../..');
my %given;


# dir: what it may write to; nginx: a binary; modules: where the .so are, none
# of them for an nginx that has the modules linked in; patient: no deadline of
# a part may be missed because the machine is busy

sub new {
    my ($class, %arg) = @_;

    my $self = bless { %arg, owner => $$, running => {} }, $class;

    make_path(map { "$self->{dir}/$_" } qw(conf logs redis tmp));

    # load_module is relative to the prefix
    unlink("$self->{dir}/modules");
    symlink($self->{modules}, "$self->{dir}/modules");

    return $self;
}


# a TCP port on 127.0.0.1 that nobody listens on, given once in this process

sub port {
    for (1 .. 100) {
        my $sock = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1', LocalPort => 0, Proto => 'tcp',
            Listen => 1, ReuseAddr => 1) or next;

        my $port = $sock->sockport();
        close($sock);

        return $port unless $given{$port}++;
    }

    die "no free port\n";
}


# ---------------------------------------------------------------------------
# processes


# starts a program, its output goes to logs/NAME.log

sub spawn {
    my ($self, $name, @cmd) = @_;

    my $log = "$self->{dir}/logs/$name.log";
    my $pid = fork();

    die "fork() failed: $!\n" unless defined $pid;

    if ($pid == 0) {
        # Ctrl-C is for the one who started us
        setsid();
        open(STDIN, '<', '/dev/null');
        open(STDOUT, '>>', $log);
        open(STDERR, '>&', \*STDOUT);
        exec { $cmd[0] } @cmd or do {
            print STDERR "exec $cmd[0]: $!\n";
            _exit(127);
        };
    }

    $self->{running}{$pid} = $name;

    return $pid;
}


# waits until a process that was started listens

sub wait_port {
    my ($self, $pid, $port) = @_;

    my $name = $self->{running}{$pid};

    for (1 .. 200) {
        if (waitpid($pid, WNOHANG) == $pid) {
            delete $self->{running}{$pid};
            die "$name does not start:\n" . tail("$self->{dir}/logs/$name.log")
                . tail("$self->{dir}/logs/error.log");
        }

        return if IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                        PeerPort => $port, Timeout => 1);
        sleep(0.05);
    }

    die "$name does not listen on port $port\n";
}


# ends a process by its id and waits for it; true if it went by itself

sub stop {
    my ($self, $pid, $signal) = @_;

    return 1 unless delete $self->{running}{$pid};

    kill('CONT', $pid);
    kill($signal || 'TERM', $pid);

    for (1 .. 100) {
        return 1 if waitpid($pid, WNOHANG) != 0;
        sleep(0.05);
    }

    # setsid() made it the leader of a group: its workers end as well
    kill('KILL', $pid, -$pid);
    waitpid($pid, 0);

    return 0;
}


sub stop_all {
    my ($self) = @_;

    return unless $self->{owner} == $$;

    local $?;
    $self->stop($_) for reverse sort { $a <=> $b } keys %{$self->{running}};
}


sub DESTROY {
    $_[0]->stop_all();
}


sub redis {
    my ($self, $port) = @_;

    my $pid = $self->spawn('redis', find('redis-server'), '--port', $port,
                           '--bind', '127.0.0.1', '--save', '',
                           '--appendonly', 'no', '--daemonize', 'no',
                           '--dir', "$self->{dir}/redis");
    $self->wait_port($pid, $port);

    return $pid;
}


# profile, orders or offers, see util/demo-backend

sub backend {
    my ($self, $name, $port) = @_;

    my $pid = $self->spawn($name, $^X, "$top/util/demo-backend", $name, $port);
    $self->wait_port($pid, $port);

    return $pid;
}


# nginx with conf/NAME; the port is one that it listens on

sub gateway {
    my ($self, $name, $port) = @_;

    my $pid = $self->spawn(basename($name, '.conf'), $self->nginx($name),
                           '-g', 'daemon off;');
    $self->wait_port($pid, $port);

    return $pid;
}


# "nginx -t" with conf/NAME: what it said, and whether it is content

sub check {
    my ($self, $name) = @_;

    my $cmd = join(' ', map { "'$_'" } $self->nginx($name), '-t');
    my $out = `$cmd 2>&1`;

    return ($out, $? == 0);
}


sub nginx {
    my ($self, $name) = @_;

    my $dir = $self->{dir};

    return ($self->{nginx}, '-p', $dir, '-c', "$dir/conf/$name",
            '-e', "$dir/logs/error.log");
}


# ---------------------------------------------------------------------------
# files


sub put {
    my ($self, $name, $text) = @_;

    make_path(dirname("$self->{dir}/conf/$name"));

    open(my $fh, '>', "$self->{dir}/conf/$name")
        or die "$self->{dir}/conf/$name: $!\n";
    print $fh $text;
    close($fh) or die "$self->{dir}/conf/$name: $!\n";

    return "$self->{dir}/conf/$name";
}


# a configuration of examples/ as it runs here

sub example {
    my ($self, $name, $replace) = @_;

    return $self->adapt(slurp("$top/examples/$name"), $replace);
}


# Addresses are replaced as the caller says, each must be there; paths of the
# system by those of the stage.

sub adapt {
    my ($self, $text, $replace) = @_;

    my $dir = $self->{dir};
    my %replace = %$replace;

    for my $from (keys %replace) {
        die "the configuration has no \"$from\"\n"
            unless $text =~ /(?<![\w.:])\Q$from\E(?![\w.])/;
    }

    # in one pass: a port that was put must not be replaced again
    my $any = join('|', map { quotemeta } keys %replace);
    $text =~ s/(?<![\w.:])($any)(?![\w.])/$replace{$1}/g if length $any;

    $text =~ s,/var/log/nginx/,$dir/logs/,g;
    $text =~ s,/run/nginx\.pid,$dir/nginx.pid,g;
    $text =~ s,/etc/nginx/,$dir/conf/,g;

    # a machine that runs tests stalls for longer than a gateway should wait
    $text =~ s/\btimeout +20ms;/timeout 1s;/;
    $text =~ s/\b(timeout=|gw_aggregate_timeout )\w+/${1}20s/g
        if $self->{patient};

    # an ordinary user has no other user's workers
    $text =~ s/^user .*\n//m;
    $text =~ s/^load_module .*\n//mg
        unless -f "$self->{modules}/ngx_http_gw_auth_module.so";

    # nor the directories of the system
    my $paths = join('', map { "    ${_}_temp_path $dir/tmp/$_;\n" }
                         qw(client_body proxy fastcgi uwsgi scgi));
    $text =~ s/^http \{\n/http {\n$paths/m;

    return $text;
}


sub slurp {
    my ($file) = @_;

    open(my $fh, '<', $file) or die "$file: $!\n";
    local $/;

    return scalar <$fh>;
}


sub tail {
    my ($file) = @_;

    return '' unless -f $file;

    my @lines = split(/^/, slurp($file));
    splice(@lines, 0, -10) if @lines > 10;

    return join('', @lines);
}


# a program, also when the path of an ordinary user lacks sbin

sub find {
    my ($name) = @_;

    for my $dir (split(/:/, $ENV{PATH}), '/usr/local/sbin', '/usr/sbin',
                 '/sbin')
    {
        return "$dir/$name" if -x "$dir/$name";
    }

    die "there is no $name: run util/deps demo\n";
}


# ---------------------------------------------------------------------------
# credentials


# a new RSA key in conf/NAME.pem, and its public half as a JWK set

sub make_key {
    my ($self, $name, $kid) = @_;

    my $file = "$self->{dir}/conf/$name.pem";

    system(find('openssl') . " genrsa -out '$file' 2048 2> /dev/null") == 0
        or die "openssl genrsa failed\n";
    chmod(0600, $file);

    my $modulus = `openssl rsa -in '$file' -noout -modulus 2> /dev/null`;

    $modulus =~ /^Modulus=([0-9A-F]+)$/m or die "openssl rsa failed\n";

    my $n = encode_base64url(pack('H*', $1));

    $self->{key} = $file;
    $self->{kid} = $kid;

    return qq({"keys": [{"kty": "RSA", "kid": "$kid", "alg": "RS256",\n)
         . qq(  "use": "sig", "e": "AQAB",\n  "n": "$n"}]}\n);
}


# a token signed with that key; claims is JSON text

sub token {
    my ($self, $claims) = @_;

    my $head = qq({"alg":"RS256","typ":"JWT","kid":"$self->{kid}"});
    my $input = encode_base64url($head) . '.' . encode_base64url($claims);
    my $file = "$self->{dir}/tmp/token";

    open(my $fh, '>', $file) or die "$file: $!\n";
    print $fh $input;
    close($fh);

    my $signature = `openssl dgst -sha256 -sign '$self->{key}' '$file'`;

    unlink($file);
    die "openssl dgst failed\n" unless $? == 0;

    return $input . '.' . encode_base64url($signature);
}


# a new API key, and the line of its digest for a file of keys

sub api_key {
    my ($self, @field) = @_;

    my $fields = join(' ', map { "'$_'" } @field);
    my $out = `'$top/util/gw-apikey' $fields 2>&1`;

    my ($key) = $out =~ /^key: (\S+)$/m;
    my ($line) = $out =~ /^(sha256:.*\n)/m;

    die "util/gw-apikey failed: $out\n" unless $key && $line;

    return ($key, $line);
}


# ---------------------------------------------------------------------------
# requests


# One request by curl; the arguments are those of the command line.
# Returns { status, line, head, header => { name => [values] }, body, time }.

sub curl {
    my ($self, @args) = @_;

    my @cmd = (find('curl'), '-q', '-s', '-S', '-i', '--noproxy', '*',
               '--max-time', 10, @args);
    my $start = time();

    open(my $fh, '-|', @cmd) or die "curl: $!\n";
    binmode($fh);

    my $text = do { local $/; <$fh> };

    close($fh) or die "curl failed (exit " . ($? >> 8) . "): @args\n";

    my %answer = (time => time() - $start);

    ($answer{head}, $answer{body}) = split(/\r\n\r\n/, $text, 2);

    my ($line, @fields) = split(/\r\n/, $answer{head});

    $answer{line} = $line;
    ($answer{status}) = $line =~ /^HTTP\/[0-9.]+ ([0-9]{3})/;

    for (@fields) {
        my ($name, $value) = /^([^:]+): *(.*)$/ or next;
        push @{$answer{header}{lc $name}}, $value;
    }

    return \%answer;
}


1;
