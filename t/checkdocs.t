#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# util/checkdocs finds each error that is planted here, and nothing in a tree
# that is complete.

use strict;
use warnings;

use lib 't/lib';

use Cwd qw(getcwd);
use File::Path qw(make_path remove_tree);
use GW qw(tmp_dir);
use Test::More;

my $tool = getcwd() . '/util/checkdocs';
my $dir = tmp_dir() . '/docs';

my %tree = (
    'ngx_http_gw_x_module.c' => <<'END',
static ngx_command_t  ngx_http_gw_x_commands[] = {

    { ngx_string("gw_x"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF
                        |NGX_CONF_TAKE1,
      ngx_conf_set_flag_slot,
      0,
      0,
      NULL },

      ngx_null_command
};

static ngx_http_variable_t  ngx_http_gw_x_variables[] = {

    { ngx_string("gw_x_state"), NULL,
      ngx_http_gw_x_variable, 0, 0, 0 },

    { ngx_string("gw_x_of_"), NULL,
      ngx_http_gw_x_variable, 0, 0, 0 },

      ngx_http_null_variable
};

static const gw_metric_desc_t  ngx_http_gw_x_count = {
    "gw_x_total", "Uses.", GW_METRIC_COUNTER
};
END
    'src/ngx_http_gw_x_conf.c' => <<'END',
static const ngx_http_gw_param_t  ngx_http_gw_x_params[] = {
    { ngx_string("depth"), ngx_http_gw_x_depth },
    { ngx_null_string, NULL }
};

        if (ngx_strncmp(value[i].data, "burst=", 6) == 0) {
END
    'doc/x.md' => <<'END',
# The module

## gw_x

```
Syntax:  gw_x on | off [burst=number];
Default: gw_x off;
Context: http, location, if in location
```

Switches it, see `$gw_x_state` and `lib/gw_none.c`.

| parameter | |
|---|---|
| `depth number;` | how deep |

## Variables

* `$gw_x_state`: one
* `$gw_x_of_name`: of a name

## Metrics

| `gw_x_total` | uses |
END
    'README.md' => "`gw_x on;`, all of gw_x_*, \$gw_x_of_me.\n",
    'examples/x.conf' => "gw_x on;\nset \$a /\$gw_x_state;\n",
    't/examples.t' => "--- example: x.conf\n",
);

# file, what is replaced, by what, what is said
my @rows = (
    [ 'doc/x.md', '## gw_x', '## gw_y', 'no entry of the directive gw_x' ],
    [ 'doc/x.md', '## gw_x', '## gw_y', 'there is no directive gw_y' ],
    [ 'doc/x.md', 'http, location, if in location', 'http, location',
      'gw_x has the context "http, location", it must be '
      . '"http, location, if in location"' ],
    [ 'doc/x.md', 'Default: gw_x off;', '', 'gw_x has no Default' ],
    [ 'doc/x.md', 'Syntax:  gw_x', 'Syntax:  gw_z', 'gw_x has no Syntax' ],
    [ 'doc/x.md', '* `$gw_x_state`', '`$gw_x_state`',
      'no entry of the variable $gw_x_state' ],
    [ 'doc/x.md', '* `$gw_x_of_name`', '* none',
      'no entry of the variable $gw_x_of_' ],
    [ 'doc/x.md', '`depth', '`width', 'no entry of the parameter depth' ],
    [ 'doc/x.md', '[burst=number]', '', 'no word about burst=' ],
    [ 'doc/x.md', '| `gw_x_total`', '| `gw_x_state`',
      'no entry of the metric gw_x_total' ],
    [ 'doc/x.md', 'Switches it', 'Switches gw_w', 'there is no gw_w' ],
    [ 'doc/x.md', 'Switches it', 'Switches $gw_w', 'there is no $gw_w' ],
    [ 'README.md', 'gw_x on', 'gw_w on', 'README.md:1: there is no gw_w' ],
    [ 'README.md', '*', '', '' ],
    [ 'README.md', 'gw_x_*', 'gw_w_*', 'there is no gw_w_' ],
    [ 'README.md', '$gw_x_of_me', '$gw_x', 'there is no $gw_x' ],
    [ 'examples/x.conf', 'gw_x on', 'gw_w on',
      'examples/x.conf:1: there is no gw_w' ],
    [ 'examples/x.conf', '$gw_x_state', '$gw_x_stat',
      'examples/x.conf:2: there is no $gw_x_stat' ],
    [ 't/examples.t', 'x.conf', 'y.conf', 'x.conf: not in t/examples.t' ],
    [ 'ngx_http_gw_x_module.c', 'gw_x"', 'x"', 'no directives' ],
);

plan tests => 1 + @rows;

my ($status, $out) = docs();
is("$status $out", "0 checkdocs: 1 directives, 2 variables, 1 metrics, "
                   . "0 errors\n", 'nothing in a tree that is complete');

for my $row (@rows) {
    my ($file, $from, $to, $said) = @$row;

    ($status, $out) = docs($file, $from, $to);

    if ($said eq '') {
        is($status, 0, "$file: \"$from\" changed: nothing") or diag($out);

    } else {
        ok($status != 0 && $out =~ /\Q$said\E/, "$said: found")
            or diag("$status $out");
    }
}


sub docs {
    my ($changed, $from, $to) = @_;

    remove_tree($dir);

    for my $file (keys %tree) {
        my $text = $tree{$file};

        if (defined $changed && $changed eq $file) {
            $text =~ s/\Q$from\E/$to/ or die "$file: no \"$from\"";
        }

        make_path("$dir/" . ($file =~ m{^(.*)/} ? $1 : ''));
        open(my $fh, '>', "$dir/$file") or die "$dir/$file: $!";
        print $fh $text;
        close($fh);
    }

    my $out = qx{perl $tool --root $dir 2>&1};

    return ($? >> 8, $out);
}
