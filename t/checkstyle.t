#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# util/checkstyle finds each error that is planted here, and nothing in what
# is well written.

use strict;
use warnings;

use lib 't/lib';

use Cwd qw(getcwd);
use File::Path qw(make_path remove_tree);
use GW qw(tmp_dir);
use Test::More;

my $tool = getcwd() . '/util/checkstyle';
my $dir = tmp_dir() . '/style';
my $head = "\n/*\n * Copyright (C) the developers\n */\n\n\n";
my $good = "int\nf(void)\n{\n    return 0;\n}\n";

# words that the tool looks for in this file too
my $todo = 'TO' . 'DO';
my $tmp = '/' . 'tmp';
my $skip = '--- SK' . 'IP';

# file, text after the head of 6 lines, line, what is said (none: nothing)
my @rows = (
    [ 'lib/gw_x.c', $good ],
    [ 'lib/gw_x.c', "$good\n\n$good" ],
    [ 'lib/gw_x.c', "$good\n\n/* why */\n\n$good" ],
    [ 'lib/gw_x.c', "$good\n$good", 13, 'no two blank lines before f()' ],
    [ 'lib/gw_x.c', "$good\n\n\n$good", 14, 'more than two blank lines' ],
    [ 'lib/gw_x.c', "int f(void)\n{\n}\n", 7, 'the type of f()' ],
    [ 'lib/gw_x.c', "int  x;\t\n", 7, 'tab' ],
    [ 'lib/gw_x.c', "int  x; \n", 7, 'space at the end' ],
    [ 'lib/gw_x.c', "int  x;\r\n", 7, 'carriage return' ],
    [ 'lib/gw_x.c', "int  x;", 7, 'no newline at the end' ],
    [ 'lib/gw_x.c', "int  x;\n\n", 8, 'blank line at the end' ],
    [ 'lib/gw_x.c', 'int  ' . 'x' x 80 . ";\n", 7, 'more than 79' ],
    [ 'lib/gw_x.c', "/* \xe9 */\n", 7, 'byte outside of ASCII' ],
    [ 'lib/gw_x.c', "int  x;    // count\n", 7, '// comment' ],
    [ 'lib/gw_x.c', "/* $todo: more */\n", 7, 'unfinished' ],
    [ 'lib/gw_x.c', "char  *x = \"$tmp/x\";\n", 7, 'path of one machine' ],
    [ 'lib/gw_x.c', "    x = 0xFF;\n", 7, 'upper-case digit' ],
    [ 'lib/gw_x.c', "    if(x) {\n", 7, 'no space after if' ],
    [ 'lib/gw_x.c', "    x = sizeof (y);\n", 7, 'space after sizeof' ],
    [ 'lib/gw_x.c', "    for (;;) {\n", 7, '"for ( ;; )"' ],
    [ 'lib/gw_x.c', "    for (int i = 0; i < n; i++) {\n", 7,
      'declaration in for' ],
    [ 'lib/gw_x.c', "    if (x){\n", 7, 'no space before {' ],
    [ 'lib/gw_x.c', "    f(a,b);\n", 7, 'no space after a comma' ],
    [ 'lib/gw_x.c', "    x = \"a,b\";\n" ],
    [ 'lib/gw_x.c', "    return (x);\n", 7, 'parentheses around' ],
    [ 'lib/gw_x.c', "    return (a == b) ? 1 : 0;\n" ],
    [ 'lib/gw_x.c', "    char* x;\n", 7, 'asterisk of a pointer' ],
    [ 'lib/gw_x.c', "    x = (int)y;\n", 7, 'no space after a cast' ],
    [ 'lib/gw_x.c', "    x = (char *)y;\n", 7, 'no space after a cast' ],
    [ 'lib/gw_x.c', "    x = (char *) y;\n" ],
    [ 'lib/gw_x.c', "    while (x++ < 5);\n", 7, 'empty body' ],
    [ 'lib/gw_x.c', "    do {\n        x++;\n    } while (x < 5);\n" ],
    [ 'lib/gw_x.c', "    if (x)\n        y();\n", 7, 'without a brace' ],
    [ 'lib/gw_x.c', "    if (x\n        && y) {\n", 8,
      'stands on its own line' ],
    [ 'lib/gw_x.c', "    if (x\n        && y)\n    {\n    }\n" ],
    [ 'lib/gw_x.c', "    }\n    else {\n", 8, '"} else" is one line' ],
    [ 'lib/gw_x.c', "    } else\n        x();\n" ],
    [ 'lib/gw_x.c', "    } else x();\n", 7, 'else without braces' ],
    [ 'lib/gw_x.c', "    if (x = y) {\n", 7, 'assignment inside' ],
    [ 'lib/gw_x.c', "    while ((x = y()) != 0) {\n", 7,
      'assignment inside' ],
    [ 'lib/gw_x.c', "    if (x == y && x <= z) {\n" ],
    [ 'lib/gw_x.c', "    switch (x) {\n        case 1:\n    }\n", 8,
      'case does not stand under' ],
    [ 'lib/gw_x.c', "    switch (x) {\n    case 1:\n    }\n" ],
    [ 'lib/gw_x.c', "    size_t  len = f();\n", 7, 'an initializer' ],
    [ 'lib/gw_x.c', "    gw_x_t  *x = conf;\n" ],
    [ 'lib/gw_x.c', "#include <ngx_core.h>\n", 7, 'knows nothing of nginx' ],
    [ 'lib/gw_x.c', "    ngx_memcpy(a, b, n);\n", 7, 'nothing of nginx' ],
    [ 'lib/gw_x.c', "    x = time(NULL);\n", 7, 'does not call time()' ],
    [ 'lib/gw_x.c', "    strcpy(a, b);\n", 7, 'strcpy() is not used' ],
    [ 'src/ngx_http_gw_x.c', "    m = &ngx_http_gw_auth_module;\n", 7,
      'src/ names no module' ],
    [ 'src/ngx_http_gw_x.c', "    m = \"ngx_http_gw_auth_module\";\n" ],
    [ 'src/ngx_http_gw_x.c', "static int  x;\n", 7, 'not constant' ],
    [ 'src/ngx_http_gw_x.c', "    static int  x;\n", 7, 'not constant' ],
    [ 'src/ngx_http_gw_x.c', "static const char  *x[] = {\n", 7,
      'not constant' ],
    [ 'src/ngx_http_gw_x.c', "static const char *const  x[] = {\n" ],
    [ 'src/ngx_http_gw_x.c', "static int f(void);\n" ],
    [ 'ngx_http_gw_x_module.c', "static int  x;\n" ],
    [ 'lib/gw_x.c', "int\nf(void)\n{\n" . "    x++;\n" x 76 . "}\n" ],
    [ 'lib/gw_x.c', "int\nf(void)\n{\n" . "    x++;\n" x 77 . "}\n", 7,
      'f() takes 81 lines' ],
    [ 'src/ngx_http_gw_x.c', "int\nf(void)\n{\n" . "    x++;\n" x 137
      . "}\n", 7, 'f() takes 141 lines' ],
    [ 'lib/gw_x.c', "/* x */\n" x 995, 1, 'the file has 1001 lines' ],
    [ 'ngx_http_gw_x_module.c', "/* x */\n" x 1295, 1,
      'the file has 1301 lines' ],
    [ 't/x.t', "$skip\n", 7, 'a test that is skipped' ],
    [ 'util/x', "#!/bin/sh\n\necho\tx\n", 9, 'tab' ],
    [ 'util/x.sh', "# " . 'x' x 78 . "\n", 7, 'more than 79' ],
    [ 'util/x.sh', "cat <<END\n" . 'x' x 80 . "\nEND\n" ],
    [ 'Makefile', "all:\n\techo\n" ],
);

plan tests => 3 + @rows;

for my $row (@rows) {
    my ($file, $text, $line, $said) = @$row;
    my ($status, $out) = style($file, $head . $text);

    my $name = defined $said ? "$said: found" : "nothing in $file";
    my $example = (split(/\n/, $text))[0];

    if (defined $said) {
        ok($status == 1 && index($out, "$file:$line: ") >= 0
           && $out =~ /^\Q$file\E:$line: .*\Q$said\E/m,
           $name) or diag("\"$example\" gave $status: $out");

    } else {
        is($out, "checkstyle: 1 files, 0 errors\n", "$name: $example");
    }
}

my ($status, $out) = style('lib/gw_x.c', "int  x;\n");
like($out, qr/^lib\/gw_x\.c:1: no copyright/m, 'no copyright: found');

remove_tree($dir);
make_path($dir);
$out = qx{perl $tool --root $dir 2>&1};
is($? >> 8, 2, 'no files at all is an error');

$out = qx{perl $tool 2>&1};
is($?, 0, 'the repository is clean') or diag($out);


sub style {
    my ($file, $text) = @_;

    remove_tree($dir);
    make_path("$dir/" . ($file =~ s{/[^/]*$}{}r)) if $file =~ m{/};
    make_path($dir);

    open(my $fh, '>:raw', "$dir/$file") or die "$dir/$file: $!";
    print $fh $text;
    close($fh);

    my $out = qx{perl $tool --root $dir 2>&1};

    return ($? >> 8, $out);
}
