package GW::TLS;

# Copyright (C) the nginx gateway modules developers

# Certificates for the tests, made when they are needed by openssl.
#
#     my $ca = GW::TLS->ca('one');
#     my $cert = $ca->cert('redis', 'DNS:redis.test,IP:127.0.0.1');
#     my $old = $ca->cert('old', 'DNS:redis.test', expired => 1);
#     $ca->file; $cert->{cert}; $cert->{key};

use strict;
use warnings;

use GW;


my @key = qw(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes);


sub ca {
    my ($class, $name) = @_;

    my $dir = GW::tmp_dir() . "/ca-$name";
    my $self = bless { dir => $dir }, $class;

    mkdir($dir);
    chmod(0755, $dir);

    write_file("$dir/index", '');
    write_file("$dir/serial", "01\n");
    write_file("$dir/conf", <<"END");
[req]
distinguished_name = dn
x509_extensions = root
[dn]
[root]
basicConstraints = critical,CA:true
[ca]
default_ca = main
[main]
dir = $dir
database = $dir/index
serial = $dir/serial
new_certs_dir = $dir
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
END

    openssl(qw(req -x509), @key, '-config', "$dir/conf", '-days', 30,
            '-subj', "/CN=$name", '-keyout', "$dir/ca.key",
            '-out', "$dir/ca.pem");

    return $self;
}


sub file {
    my ($self) = @_;

    return "$self->{dir}/ca.pem";
}


sub cert {
    my ($self, $name, $san, %opt) = @_;

    my $base = "$self->{dir}/$name";

    my @dates = $opt{expired} ? qw(-startdate 20200101000000Z
                                   -enddate 20200201000000Z)
                              : qw(-days 30);

    openssl('req', '-new', @key, '-config', "$self->{dir}/conf", '-subj',
            "/CN=$name", $san ? ('-addext', "subjectAltName=$san") : (),
            '-keyout', "$base.key", '-out', "$base.csr");
    openssl('ca', '-batch', '-notext', '-config', "$self->{dir}/conf",
            @dates, '-in', "$base.csr", '-out', "$base.pem");

    chmod(0644, "$base.key", "$base.pem");

    return { cert => "$base.pem", key => "$base.key" };
}


sub openssl {
    my (@args) = @_;

    my $log = GW::tmp_dir() . '/openssl.log';
    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        open(STDIN, '<', '/dev/null');
        open(STDOUT, '>>', $log);
        open(STDERR, '>&', \*STDOUT);
        exec('openssl', @args) or exit(127);
    }

    waitpid($pid, 0);

    die "openssl @args failed, see $log" if $?;
}


sub write_file {
    my ($file, $text) = @_;

    open(my $fh, '>', $file) or die "$file: $!";
    print $fh $text;
    close($fh);
}


1;
