package GW::Node;

# Copyright (C) the nginx gateway modules developers

# Programs of t/node, with the packages that util/node has installed.
#
#     my ($key, $token) = GW::Node::jose(
#         { op => 'key', name => 'a', alg => 'RS256', jwk => { kid => 'k' } },
#         { op => 'sign', key => 'a', header => { alg => 'RS256' } });
#
# The steps are described in t/node/mint.js.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP ();

use GW;

my $scripts = abs_path(dirname(__FILE__) . '/../../node');
my $count = 0;


# the command line of a program, ready for exec; the environment is set

sub command {
    my ($script, @args) = @_;

    $ENV{GW_NODE} = GW::build_dir() . '/node';

    die "the packages of t/node are not installed, run util/node\n"
        unless -f "$ENV{GW_NODE}/stamp";

    return ('node', "$scripts/$script", @args);
}


# what a program answers to a text, both JSON

sub run {
    my ($script, $input) = @_;

    my @command = command($script);
    my $file = GW::tmp_dir() . '/node' . $count++;

    open(my $out, '>:raw', $file) or die "$file: $!";
    print $out JSON::PP::encode_json($input);
    close($out) or die "$file: $!";

    my $text = join(' ', map { quotemeta } @command);
    $text = qx{$text < \Q$file\E};
    die "$script failed\n" if $? != 0;

    return JSON::PP::decode_json($text);
}


sub jose {
    return @{ run('mint.js', [@_]) };
}


1;
