#!/usr/bin/perl

# Copyright (C) the nginx gateway modules developers

# gw_aggregate: what is refused when the configuration is read.

use lib 't/lib';
use GW;
use Test::Nginx::Socket;

repeat_each(1);
no_shuffle();
log_level('warn');
plan('no_plan');

run_tests();

__DATA__

=== TEST: gw_aggregate has a closed set of values
--- config
location / { gw_aggregate list; gw_aggregate_part a /a; }
--- must_die
--- error_log
invalid value "list", it must be "object", "array" or "off"



=== TEST: gw_aggregate is given once
--- config
location / { gw_aggregate object; gw_aggregate off; gw_aggregate_part a /a; }
--- must_die
--- error_log
"gw_aggregate" directive is duplicate



=== TEST: a second content handler before
--- config
location / {
    proxy_pass http://127.0.0.1:1;
    gw_aggregate object;
    gw_aggregate_part a /a;
}
--- must_die
--- error_log
"gw_aggregate" directive conflicts with another content handler



=== TEST: a second content handler after
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    proxy_pass http://127.0.0.1:1;
}
--- must_die
--- error_log
"gw_aggregate" and another content handler are in the same location "/"



=== TEST: type= is unknown
--- config
location / { gw_aggregate object; gw_aggregate_part a /a type=xml; }
--- must_die
--- error_log
invalid type "xml" of part "a", it must be "json", "text" or "base64"



=== TEST: at= of a text
--- config
location / { gw_aggregate object; gw_aggregate_part a /a type=text at=/x; }
--- must_die
--- error_log
parameter "at" of part "a" needs "type=json"



=== TEST: an aggregate needs parts
--- config
location /x { gw_aggregate object; }
--- must_die
--- error_log
"gw_aggregate" has no "gw_aggregate_part" in location "/x"



=== TEST: parts need an aggregate
--- config
location /x { gw_aggregate_part a /a; }
--- must_die
--- error_log
"gw_aggregate_part" needs "gw_aggregate object" or "array" in location "/x"



=== TEST: parts of an aggregate that is off
--- config
location /x { gw_aggregate off; gw_aggregate_part a /a; }
--- must_die
--- error_log
"gw_aggregate_part" needs "gw_aggregate object" or "array" in location "/x"



=== TEST: names of parts are unique
--- config
location / {
    gw_aggregate object; gw_aggregate_part a /a; gw_aggregate_part A /b;
}
--- must_die
--- error_log
duplicate part "A"



=== TEST: names of parts have plain characters
--- config
location / { gw_aggregate object; gw_aggregate_part "a b" /a; }
--- must_die
--- error_log
invalid part name "a b"



=== TEST: names of parts have an end
--- config eval
"location / { gw_aggregate object; gw_aggregate_part " . 'a' x 65 . " /a; }"
--- must_die
--- error_log
invalid part name "aaaa



=== TEST: a URI begins with a slash
--- config
location / { gw_aggregate object; gw_aggregate_part a http://other/; }
--- must_die
--- error_log
URI "http://other/" of part "a" must begin with "/"



=== TEST: an unsafe URI
--- config
location / { gw_aggregate object; gw_aggregate_part a /x/%2e%2e/y; }
--- must_die
--- error_log
URI "/x/%2e%2e/y" of part "a" is unsafe



=== TEST: unsafe arguments
--- config
location / { gw_aggregate object; gw_aggregate_part a "/x?a b"; }
--- must_die
--- error_log
URI "/x?a b" of part "a" is unsafe



=== TEST: a variable that is unknown
--- config
location /x { gw_aggregate object; gw_aggregate_part a /x/$no_such; }
--- must_die
--- error_log
unknown "no_such" variable



=== TEST: an unknown parameter
--- config
location / { gw_aggregate object; gw_aggregate_part a /a retry=2; }
--- must_die
--- error_log
invalid parameter "retry=2"



=== TEST: a flag has no value
--- config
location / { gw_aggregate object; gw_aggregate_part a /a optional=1; }
--- must_die
--- error_log
invalid parameter "optional=1"



=== TEST: a parameter without its value
--- config
location / { gw_aggregate object; gw_aggregate_part a /a at=; }
--- must_die
--- error_log
parameter "at=" has no value



=== TEST: a parameter is given once
--- config
location / { gw_aggregate object; gw_aggregate_part a /a at=/x at=/y; }
--- must_die
--- error_log
duplicate parameter "at=/y"



=== TEST: required or optional
--- config
location / { gw_aggregate object; gw_aggregate_part a /a optional required; }
--- must_die
--- error_log
parameters "required" and "optional" of part "a" exclude each other



=== TEST: omit or default
--- config
location / { gw_aggregate object; gw_aggregate_part a /a omit default=1; }
--- must_die
--- error_log
parameters "omit" and "default" of part "a" exclude each other



=== TEST: default is JSON
--- config
location / { gw_aggregate object; gw_aggregate_part a /a default=[1,]; }
--- must_die
--- error_log
default "[1,]" of part "a" is not JSON at byte 3



=== TEST: at is a pointer
--- config
location / { gw_aggregate object; gw_aggregate_part a /a at=x; }
--- must_die
--- error_log
invalid pointer "x" of part "a": must begin with "/"



=== TEST: at names one value
--- config
location / { gw_aggregate object; gw_aggregate_part a /a at=/x/*/y; }
--- must_die
--- error_log
pointer "/x/*/y" of part "a" must name one value



=== TEST: as is a pointer
--- config
location / { gw_aggregate object; gw_aggregate_part a /a as=x; }
--- must_die
--- error_log
invalid pointer "x" of part "a": must begin with "/"



=== TEST: elements of an array have no place of their own
--- config
location / { gw_aggregate array; gw_aggregate_part a /a as=/x; }
--- must_die
--- error_log
place "/x" of part "a" is not possible in an array



=== TEST: two parts in one place
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b as=/a;
}
--- must_die
--- error_log
part "b" takes the same place as part "a" in



=== TEST: a part inside of another part
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b as=/a/b;
}
--- must_die
--- error_log
part "b" takes a place inside that of part "a" in



=== TEST: the member for errors in the place of a part
--- config
location / {
    gw_aggregate object;
    gw_aggregate_errors code member=/a;
    gw_aggregate_part a /a;
}
--- must_die
--- error_log
member "/a" of "gw_aggregate_errors" takes the same place as part "a"



=== TEST: an invalid time
--- config
location / { gw_aggregate object; gw_aggregate_part a /a timeout=x; }
--- must_die
--- error_log
invalid time "x" of part "a"



=== TEST: an invalid size
--- config
location / { gw_aggregate object; gw_aggregate_part a /a max_size=0; }
--- must_die
--- error_log
invalid size "0" of part "a"



=== TEST: an invalid method of a part
--- config
location / { gw_aggregate object; gw_aggregate_part a /a method=HEAD; }
--- must_die
--- error_log
invalid method "HEAD" of part "a"



=== TEST: content_type belongs to a text
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a body=inherit content_type=text/plain;
}
--- must_die
--- error_log
parameter "content_type" of part "a" needs "body=" with a text



=== TEST: a body that is not JSON
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a method=POST 'body={"id":$arg_id,}';
}
--- must_die
--- error_log
"body" of part "a" is not JSON at byte 11



=== TEST: variables in a body of another type
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a method=POST body=id=$arg_id
                           content_type=application/x-www-form-urlencoded;
}
--- must_die
--- error_log
variables in "body" of part "a" need a content type of JSON



=== TEST: invalid status codes
--- config
location / { gw_aggregate object; gw_aggregate_part a /a ok=200,99; }
--- must_die
--- error_log
invalid status codes "200,99"



=== TEST: status codes that mean two things
--- config
location / {
    gw_aggregate object; gw_aggregate_part a /a ok=200-299 null=204;
}
--- must_die
--- error_log
the same status is in "ok" and "null" of part "a"



=== TEST: an invalid status
--- config
location / { gw_aggregate object; gw_aggregate_part a /a status=keep; }
--- must_die
--- error_log
invalid status "keep" of part "a", it must be "pass" or "hide"



=== TEST: no size of 0
--- config
gw_aggregate_max_size 0;
--- must_die
--- error_log
"gw_aggregate_max_size" directive must not be 0



=== TEST: no size of 0 for parts
--- config
gw_aggregate_part_max_size 0;
--- must_die
--- error_log
"gw_aggregate_part_max_size" directive must not be 0



=== TEST: no buffers of 0
--- config
gw_aggregate_buffer_size 0;
--- must_die
--- error_log
"gw_aggregate_buffer_size" directive must not be 0



=== TEST: depth has a limit
--- config
gw_aggregate_max_depth 1025;
--- must_die
--- error_log
value must be between 1 and 1024



=== TEST: subrequests have a limit
--- config
gw_aggregate_max_subrequests 201;
--- must_die
--- error_log
value must be between 1 and 200



=== TEST: more parts than subrequests
--- config
location / {
    gw_aggregate object;
    gw_aggregate_max_subrequests 1;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b;
}
--- must_die
--- error_log
2 parts are more than "gw_aggregate_max_subrequests" 1 allows



=== TEST: nesting has a limit
--- config
gw_aggregate_max_nesting 17;
--- must_die
--- error_log
value must be between 1 and 16



=== TEST: types are given once
--- config
gw_aggregate_types text/a; gw_aggregate_types text/b;
--- must_die
--- error_log
"gw_aggregate_types" directive is duplicate



=== TEST: a type that is none
--- config
gw_aggregate_types json;
--- must_die
--- error_log
"json" is not a media type without parameters



=== TEST: a type with two wildcards
--- config
gw_aggregate_types application/*+*;
--- must_die
--- error_log
media type "application/*+*" has two wildcards



=== TEST: an unknown method
--- config
gw_aggregate_methods GET TRACE;
--- must_die
--- error_log
invalid method "TRACE"



=== TEST: a method twice
--- config
gw_aggregate_methods GET GET;
--- must_die
--- error_log
duplicate method "GET"



=== TEST: methods are given once
--- config
gw_aggregate_methods GET; gw_aggregate_methods POST;
--- must_die
--- error_log
"gw_aggregate_methods" directive is duplicate



=== TEST: gw_aggregate_require has a closed set of values
--- config
gw_aggregate_require some;
--- must_die
--- error_log
invalid value "some", it must be "any", "all", "none" or a number



=== TEST: gw_aggregate_require is given once
--- config
gw_aggregate_require all; gw_aggregate_require any;
--- must_die
--- error_log
"gw_aggregate_require" directive is duplicate



=== TEST: more successful parts than there are
--- config
location / {
    gw_aggregate object;
    gw_aggregate_require 2;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b optional;
}
--- must_die
--- error_log
"gw_aggregate_require 2" can never be met by 1 optional parts



=== TEST: a partial answer is no partial content
--- config
gw_aggregate_partial_status 206;
--- must_die
--- error_log
invalid value "206", it must be 200 to 299 and not 204, 205 or 206



=== TEST: gw_aggregate_partial_status is given once
--- config
gw_aggregate_partial_status 203; gw_aggregate_partial_status 207;
--- must_die
--- error_log
"gw_aggregate_partial_status" directive is duplicate



=== TEST: gw_aggregate_errors has a closed set of values
--- config
gw_aggregate_errors all;
--- must_die
--- error_log
invalid value "all", it must be "off", "name", "code", "status" or "body"



=== TEST: gw_aggregate_errors is given once
--- config
gw_aggregate_errors off; gw_aggregate_errors code;
--- must_die
--- error_log
"gw_aggregate_errors" directive is duplicate



=== TEST: gw_aggregate_errors has one parameter
--- config
gw_aggregate_errors code at=/errors;
--- must_die
--- error_log
invalid parameter "at=/errors"



=== TEST: no member for errors that are off
--- config
gw_aggregate_errors off member=/errors;
--- must_die
--- error_log
"member" needs errors that are not "off"



=== TEST: the member for errors is a pointer
--- config
gw_aggregate_errors code member=errors;
--- must_die
--- error_log
invalid pointer "errors": must begin with "/"



=== TEST: the header of completion is a header
--- config
gw_aggregate_complete_header "X Done";
--- must_die
--- error_log
invalid header name "X Done"



=== TEST: gw_aggregate_complete_header is given once
--- config
gw_aggregate_complete_header off; gw_aggregate_complete_header X-Done;
--- must_die
--- error_log
"gw_aggregate_complete_header" directive is duplicate



=== TEST: a header to strip is a header
--- config
gw_aggregate_strip_header X-A "X:B";
--- must_die
--- error_log
invalid header name "X:B"



=== TEST: gw_aggregate is no directive of a server
--- config
gw_aggregate object;
--- must_die
--- error_log
"gw_aggregate" directive is not allowed here



=== TEST: gw_aggregate_cache_control has a closed set of values
--- config
gw_aggregate_cache_control on;
--- must_die
--- error_log
invalid value "on"



=== TEST: gw_aggregate_cache_control is given once
--- config
gw_aggregate_cache_control off; gw_aggregate_cache_control merge;
--- must_die
--- error_log
"gw_aggregate_cache_control" directive is duplicate



=== TEST: gw_aggregate_etag is a flag
--- config
gw_aggregate_etag strong;
--- must_die
--- error_log
invalid value "strong" in "gw_aggregate_etag" directive



=== TEST: gw_aggregate_server_timing is a flag
--- config
gw_aggregate_server_timing all;
--- must_die
--- error_log
invalid value "all" in "gw_aggregate_server_timing" directive



=== TEST: a header to pass is a header
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_pass_header "X A";
}
--- must_die
--- error_log
invalid header name "X A"



=== TEST: a header of a connection is not passed
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_pass_header Transfer-Encoding;
}
--- must_die
--- error_log
"Transfer-Encoding" cannot be passed: it belongs to the connection of the part



=== TEST: a header of a body is not passed
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_pass_header content-length all;
}
--- must_die
--- error_log
"content-length" cannot be passed: it belongs to the body of the part



=== TEST: a header that nginx makes is not passed
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_pass_header Date a;
}
--- must_die
--- error_log
"Date" cannot be passed: it is made by nginx for the whole



=== TEST: a header that is merged is not passed
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_pass_header Cache-Control a;
}
--- must_die
--- error_log
"Cache-Control" cannot be passed in location "/": it is merged from all parts, unless "gw_aggregate_cache_control" is off



=== TEST: cookies are passed from parts that are named
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_pass_header set-cookie;
}
--- must_die
--- error_log
cookies of which parts are passed must be said: "set-cookie" needs the name of a part, or "all"



=== TEST: a header is passed once
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_pass_header X-A a;
    gw_aggregate_pass_header x-a all;
}
--- must_die
--- error_log
"x-a" is passed already



=== TEST: a header is passed from a part
--- config
location / {
    gw_aggregate object;
    gw_aggregate_pass_header X-A b;
    gw_aggregate_part a /a;
}
--- must_die
--- error_log
"X-A" is passed from "b" in location "/", which must be a part of it, "first" or "all"



=== TEST: headers are passed in an aggregate
--- config
location / { gw_aggregate_pass_header X-A; }
--- must_die
--- error_log
"gw_aggregate_pass_header" needs "gw_aggregate object" or "array" in location "/"
=== TEST: C135 a cycle
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a after=b;
    gw_aggregate_part b /b after=c;
    gw_aggregate_part c /c after=a;
}
--- must_die
--- error_log eval
qr/parts wait for each other and none can start, a -> b -> c -> a, in \S+nginx\.conf:\d+/



=== TEST: C135 a cycle of values
--- config
location / { gw_aggregate object;
    gw_aggregate_part d /d;
    gw_aggregate_part a /a/$x after=d;
    gw_aggregate_part b /b/$y;
    gw_aggregate_set $y a /id;
    gw_aggregate_set $x b /id;
}
--- must_die
--- error_log eval
qr/parts wait for each other and none can start, a -> b -> a, in \S+nginx\.conf:\d+/



=== TEST: C135 an unknown name
--- config
location / { gw_aggregate object; gw_aggregate_part a /a after=a1; }
--- must_die
--- error_log eval
qr/part "a" is to start after part "a1", and there is no such part in \S+nginx\.conf:\d+/



=== TEST: C135 an empty name
--- config
location / { gw_aggregate object; gw_aggregate_part a /a; gw_aggregate_part b /b after=a,; }
--- must_die
--- error_log eval
qr/part "b" is to start after part "", and there is no such part in \S+nginx\.conf:\d+/



=== TEST: C135 itself
--- config
location / { gw_aggregate object; gw_aggregate_part a /a after=a; }
--- must_die
--- error_log eval
qr/part "a" waits for itself in \S+nginx\.conf:\d+/



=== TEST: C135 a value of itself
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a if=$x;
    gw_aggregate_set $x a /id;
}
--- must_die
--- error_log eval
qr/part "a" waits for itself in \S+nginx\.conf:\d+/



=== TEST: C135 a value of an unknown part
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_set $x b /id;
}
--- must_die
--- error_log eval
qr/"gw_aggregate_set \$x" takes a value from part "b", and there is no such part in \S+nginx\.conf:\d+/



=== TEST: gw_aggregate_set names a variable
--- config
location / { gw_aggregate object; gw_aggregate_set x a /id; }
--- must_die
--- error_log eval
qr/invalid variable name "x", it must begin with "\$"/



=== TEST: gw_aggregate_set has a pointer
--- config
location / { gw_aggregate object; gw_aggregate_set $x a id; }
--- must_die
--- error_log eval
qr/invalid pointer "id" of "gw_aggregate_set": must begin with "\/"/



=== TEST: gw_aggregate_set names one value
--- config
location / { gw_aggregate object; gw_aggregate_set $x a /a/*; }
--- must_die
--- error_log eval
qr/pointer "\/a\/\*" of "gw_aggregate_set" must name one value, a literal "\*" is written "~2"/



=== TEST: gw_aggregate_set has no other parameters
--- config
location / { gw_aggregate object; gw_aggregate_set $x a /a b=c; }
--- must_die
--- error_log eval
qr/invalid or duplicate parameter "b=c"/



=== TEST: gw_aggregate_set has each parameter once
--- config
location / { gw_aggregate object; gw_aggregate_set $x a /a join=, join=; }
--- must_die
--- error_log eval
qr/invalid or duplicate parameter "join="/



=== TEST: gw_aggregate_set joins items
--- config
location / { gw_aggregate object; gw_aggregate_set $x a /a item=/id; }
--- must_die
--- error_log eval
qr/"gw_aggregate_set" directive needs "join=" with "item="/



=== TEST: a variable is set once in a location
--- config
location / { gw_aggregate object; gw_aggregate_set $x a /a; gw_aggregate_set $X a /b; }
--- must_die
--- error_log eval
qr/variable "\$X" is set twice in this location/



=== TEST: a variable of nginx is not set
--- config
location / { gw_aggregate object; gw_aggregate_set $host a /a; }
--- must_die
--- error_log eval
qr/the duplicate "host" variable/



=== TEST: a variable of another module is not set
--- config
set $x 1;
location / { gw_aggregate object; gw_aggregate_part a /a; gw_aggregate_set $gw_aggregate_cost a /a; }
--- must_die
--- error_log eval
qr/the duplicate "gw_aggregate_cost" variable/



=== TEST: gw_aggregate_set needs gw_aggregate
--- config
location / { gw_aggregate_set $x a /a; }
--- must_die
--- error_log eval
qr/"gw_aggregate_set" needs "gw_aggregate object" or "array" in location "\/"/



=== TEST: gw_aggregate_set is no directive of a server
--- config
gw_aggregate_set $x a /a;
--- must_die
--- error_log eval
qr/"gw_aggregate_set" directive is not allowed here/



=== TEST: gw_aggregate_concurrency is a number
--- config
gw_aggregate_concurrency many;
--- must_die
--- error_log eval
qr/invalid number/



=== TEST: gw_aggregate_stream has a closed set of values
--- config
gw_aggregate_stream on;
--- must_die
--- error_log
invalid value "on"



=== TEST: gw_aggregate_stream is given once
--- config
gw_aggregate_stream off; gw_aggregate_stream ordered;
--- must_die
--- error_log
"gw_aggregate_stream" directive is duplicate



=== TEST: a status of partial answers that are streamed
--- config
gw_aggregate_partial_status 203;
location / {
    gw_aggregate object;
    gw_aggregate_stream ordered;
    gw_aggregate_part a /a optional;
}
--- must_die
--- error_log
"gw_aggregate_stream ordered" in location "/" does not go with "gw_aggregate_partial_status": the status is sent before it is known whether all parts are there



=== TEST: a place of a part that has a line
--- config
location / {
    gw_aggregate object;
    gw_aggregate_stream ndjson;
    gw_aggregate_part a /a as=/x/y;
}
--- must_die
--- error_log
"gw_aggregate_stream ndjson" in location "/" does not go with "as", "root" or "append" of a part: each part has a line of its own



=== TEST: a member for errors between lines
--- config
location / {
    gw_aggregate object;
    gw_aggregate_stream ndjson;
    gw_aggregate_errors code member=/errors;
    gw_aggregate_part a /a;
}
--- must_die
--- error_log
"gw_aggregate_stream ndjson" in location "/" does not go with "member" of "gw_aggregate_errors": each line tells of its own error



=== TEST: gw_aggregate_each has a part, a source and a pointer
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a;
}
--- must_die
--- error_log eval
qr/"gw_aggregate_each" directive needs a part, its source and a pointer/



=== TEST: gw_aggregate_each names a part
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each c a /x;
}
--- must_die
--- error_log eval
qr/"gw_aggregate_each" names part "c", and there is no such part in \S+nginx\.conf:\d+/



=== TEST: gw_aggregate_each names a source
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b d /x;
}
--- must_die
--- error_log eval
qr/"gw_aggregate_each" names part "d", and there is no such part in \S+nginx\.conf:\d+/



=== TEST: C135 gw_aggregate_each of itself
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b b /x;
}
--- must_die
--- error_log eval
qr/part "b" waits for itself in \S+nginx\.conf:\d+/



=== TEST: C135 gw_aggregate_each in a cycle
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a after=b;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x;
}
--- must_die
--- error_log eval
qr/parts wait for each other and none can start, a -> b -> a, in \S+nginx\.conf:\d+/



=== TEST: a part has gw_aggregate_each once
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x; gw_aggregate_each b a /y;
}
--- must_die
--- error_log eval
qr/part "b" has "gw_aggregate_each" twice/



=== TEST: gw_aggregate_each has one source of one answer
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x;
    gw_aggregate_part c /c/$gw_item;
    gw_aggregate_each c b /x;
}
--- must_die
--- error_log eval
qr/part "b" has many answers, it cannot be the source of "gw_aggregate_each c" in \S+nginx\.conf:\d+/



=== TEST: gw_aggregate_set takes from one answer
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x;
    gw_aggregate_set $x b /x;
}
--- must_die
--- error_log eval
qr/part "b" has many answers, "gw_aggregate_set \$x" cannot take a value from it in \S+nginx\.conf:\d+/



=== TEST: gw_aggregate_each has a pointer
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a x;
}
--- must_die
--- error_log eval
qr/invalid pointer "x" of "gw_aggregate_each": must begin with "\/"/



=== TEST: items of gw_aggregate_each have a pointer
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x item=id;
}
--- must_die
--- error_log eval
qr/invalid pointer "id" of "gw_aggregate_each": must begin with "\/"/



=== TEST: gw_aggregate_each has a number of items
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x max=0;
}
--- must_die
--- error_log eval
qr/invalid parameter "max=0", it must be 1 to 200/



=== TEST: gw_aggregate_each has not too many at a time
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x concurrency=201;
}
--- must_die
--- error_log eval
qr/invalid parameter "concurrency=201", it must be 1 to 200/



=== TEST: gw_aggregate_each has a closed set of results
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x result=list;
}
--- must_die
--- error_log eval
qr/invalid result "list", it must be "array", "object" or "embed:\/name"/



=== TEST: gw_aggregate_each embeds a member
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x result=embed:;
}
--- must_die
--- error_log eval
qr/invalid pointer "" to embed at, it must name one member of the elements, such as "\/author"/



=== TEST: gw_aggregate_each embeds one member
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x result=embed:/a/b;
}
--- must_die
--- error_log eval
qr/invalid pointer "\/a\/b" to embed at, it must name one member/



=== TEST: gw_aggregate_each has each parameter once
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x distinct distinct;
}
--- must_die
--- error_log eval
qr/invalid or duplicate parameter "distinct"/



=== TEST: gw_aggregate_each has no other parameters
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x distinctly;
}
--- must_die
--- error_log eval
qr/invalid or duplicate parameter "distinctly"/



=== TEST: $gw_item needs gw_aggregate_each
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    }
--- must_die
--- error_log eval
qr/part "b" has \$gw_item and no "gw_aggregate_each" in \S+nginx\.conf:\d+/



=== TEST: if= is not decided for each item
--- config
location / { gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b if=$gw_item;
    gw_aggregate_each b a /x;
}
--- must_die
--- error_log eval
qr/"if=" of part "b" is decided once, before there are items, in \S+nginx\.conf:\d+/



=== TEST: gw_aggregate_each needs gw_aggregate
--- config
location / { gw_aggregate_each b a /x; }
--- must_die
--- error_log eval
qr/"gw_aggregate_each" needs "gw_aggregate object" or "array" in location "\/"/



=== TEST: nothing is embedded in a part that is streamed
--- config
location / {
    gw_aggregate object;
    gw_aggregate_stream ordered;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a "" result=embed:/b;
}
--- must_die
--- error_log eval
qr/"embed" of "gw_aggregate_each" does not go with "gw_aggregate_stream": the source is sent before its items are there, in \S+nginx\.conf:\d+/



=== TEST: no value is taken from a text
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a type=text;
    gw_aggregate_part b /b/$x;
    gw_aggregate_set $x a "";
}
--- must_die
--- error_log eval
qr/no value can be taken from part "a", which is not JSON, in \S+nginx\.conf:\d+/



=== TEST: gw_aggregate_drop names a part
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_drop b /x;
}
--- must_die
--- error_log eval
qr/"gw_aggregate_drop" names part "b", and there is no such part in \S+:\d+/



=== TEST: gw_aggregate_pick has a pointer
--- config
location / { gw_aggregate object; gw_aggregate_pick a x; }
--- must_die
--- error_log
invalid pointer "x" of "gw_aggregate_pick": must begin with "/"



=== TEST: gw_aggregate_pick of all
--- config
location / { gw_aggregate object; gw_aggregate_pick a ""; }
--- must_die
--- error_log
"gw_aggregate_pick" needs a pointer to a member, "" is the whole value



=== TEST: gw_aggregate_rename of all members
--- config
location / { gw_aggregate object; gw_aggregate_rename a /x/* y; }
--- must_die
--- error_log
pointer "/x/*" of "gw_aggregate_rename" must end with a name, it would rename all members



=== TEST: gw_aggregate_rename to what is no text
--- config eval
"location / { gw_aggregate object; gw_aggregate_rename a /x \xff; }"
--- must_die
--- error_log
of "gw_aggregate_rename" is not valid UTF-8



=== TEST: gw_aggregate_pick of what is dropped
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_pick a /x/y;
    gw_aggregate_drop a /*;
}
--- must_die
--- error_log eval
qr/"gw_aggregate_pick" of "\/x\/y" of part "a" never applies, "gw_aggregate_drop" of "\/\*" comes first in \S+:\d+/



=== TEST: gw_aggregate_drop twice
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_drop a /x;
    gw_aggregate_drop a /y /x;
}
--- must_die
--- error_log eval
qr/"gw_aggregate_drop" of "\/x" of part "a" is given twice in \S+:\d+/



=== TEST: gw_aggregate_rename of what is not picked
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_pick a /x;
    gw_aggregate_rename a /y z;
}
--- must_die
--- error_log eval
qr/"gw_aggregate_rename" of "\/y" of part "a" never applies, no "gw_aggregate_pick" picks it in \S+:\d+/



=== TEST: more pointers than a part may have
--- config eval
"location / { gw_aggregate object; gw_aggregate_part a /a;"
. " gw_aggregate_drop a " . join(' ', map { "/x$_" } 1 .. 64) . "; }"
--- must_die
--- error_log eval
qr/part "a" has more than 63 pointers in \S+:\d+/



=== TEST: gw_aggregate_drop without an aggregate
--- config
location / { gw_aggregate_drop a /x; }
--- must_die
--- error_log
"gw_aggregate_pick, drop or rename" needs "gw_aggregate object" or "array" in location "/"



=== TEST: gw_aggregate_drop needs JSON
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a type=text;
    gw_aggregate_drop a /x;
}
--- must_die
--- error_log eval
qr/"gw_aggregate_drop" of part "a" needs "type=json" in \S+:\d+/



=== TEST: gw_aggregate_drop of a part that others are put into
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b/$gw_item;
    gw_aggregate_each b a /x item=/id result=embed:/b;
    gw_aggregate_drop a /x/*/secret;
}
--- must_die
--- error_log eval
qr/"gw_aggregate_drop" of part "a" is not possible, "gw_aggregate_each" embeds into it in \S+:\d+/



=== TEST: root and append
--- config
location / { gw_aggregate object; gw_aggregate_part a /a root append; }
--- must_die
--- error_log
"gw_aggregate_part" directive has both "root" and "append", which exclude each other



=== TEST: append and root
--- config
location / { gw_aggregate object; gw_aggregate_part a /a append root; }
--- must_die
--- error_log
"gw_aggregate_part" directive has both "root" and "append", which exclude each other



=== TEST: root in an array
--- config
location / { gw_aggregate array; gw_aggregate_part a /a root; }
--- must_die
--- error_log
parameter "root" of part "a" needs "gw_aggregate object", an array has no members in



=== TEST: root and as=
--- config
location / { gw_aggregate object; gw_aggregate_part a /a root as=/x; }
--- must_die
--- error_log
parameter "root" of part "a" does not go with "as", which names another place in



=== TEST: root of a text
--- config
location / { gw_aggregate object; gw_aggregate_part a /a root type=text; }
--- must_die
--- error_log
parameter "root" of part "a" needs "type=json", there is nothing in a text in



=== TEST: append of bytes
--- config
location / { gw_aggregate array; gw_aggregate_part a /a append type=base64; }
--- must_die
--- error_log
parameter "append" of part "a" needs "type=json", there is nothing in a text in



=== TEST: append to a place in an array
--- config
location / { gw_aggregate array; gw_aggregate_part a /a append as=/x; }
--- must_die
--- error_log
place "/x" of part "a" is not possible in an array in



=== TEST: root of what is embedded
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b root;
    gw_aggregate_each b a "" result=embed:/b;
}
--- must_die
--- error_log
parameter "root" of part "b" does not go with "result=embed" of "gw_aggregate_each", which names another place in



=== TEST: append of what is embedded
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b append;
    gw_aggregate_each b a "" result=embed:/b;
}
--- must_die
--- error_log
parameter "append" of part "b" does not go with "result=embed" of "gw_aggregate_each", which names another place in



=== TEST: root of an array of answers
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b root;
    gw_aggregate_each b a "";
}
--- must_die
--- error_log
parameter "root" of part "b" needs "result=object" of "gw_aggregate_each", an array has no members in



=== TEST: append of an object of answers
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a;
    gw_aggregate_part b /b append;
    gw_aggregate_each b a "" result=object;
}
--- must_die
--- error_log
parameter "append" of part "b" needs "result=array" of "gw_aggregate_each", an object has no elements in



=== TEST: a default that cannot be merged
--- config
location / { gw_aggregate object; gw_aggregate_part a /a root optional default=[]; }
--- must_die
--- error_log
default "[]" of part "a" must be an object, its members are merged in



=== TEST: a default that cannot be appended
--- config
location / { gw_aggregate object; gw_aggregate_part a /a append optional default=null; }
--- must_die
--- error_log
default "null" of part "a" must be an array, its elements are appended in



=== TEST: append and a value at one place
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a as=/x append;
    gw_aggregate_part b /b as=/x;
}
--- must_die
--- error_log
part "b" takes the same place as part "a" in



=== TEST: a value inside of what is appended to
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a as=/x append;
    gw_aggregate_part b /b as=/x/0;
}
--- must_die
--- error_log
part "b" takes a place inside that of part "a" in



=== TEST: gw_aggregate_conflict has a closed set of values
--- config
location / { gw_aggregate object; gw_aggregate_part a /a root; gw_aggregate_conflict merge; }
--- must_die
--- error_log
invalid value "merge"



=== TEST: gw_aggregate_conflict is given once
--- config
location / { gw_aggregate_conflict last; gw_aggregate_conflict first; }
--- must_die
--- error_log
"gw_aggregate_conflict" directive is duplicate



=== TEST: conflicts that come too late for a stream
--- config
location / {
    gw_aggregate object;
    gw_aggregate_stream ordered;
    gw_aggregate_conflict error;
    gw_aggregate_part a /a root;
    gw_aggregate_part b /b optional;
}
--- must_die
--- error_log
"gw_aggregate_stream ordered" in location "/" does not go with "gw_aggregate_conflict error": the status is sent before it is known whether parts with "root" conflict



=== TEST: root in lines
--- config
location / {
    gw_aggregate object;
    gw_aggregate_stream ndjson;
    gw_aggregate_part a /a root;
}
--- must_die
--- error_log
"gw_aggregate_stream ndjson" in location "/" does not go with "as", "root" or "append" of a part: each part has a line of its own



=== TEST: append in lines
--- config
location / {
    gw_aggregate object;
    gw_aggregate_stream ndjson;
    gw_aggregate_part a /a append;
}
--- must_die
--- error_log
"gw_aggregate_stream ndjson" in location "/" does not go with "as", "root" or "append" of a part: each part has a line of its own



=== TEST: gw_aggregate_static in lines
--- config
location / {
    gw_aggregate object;
    gw_aggregate_stream ndjson;
    gw_aggregate_part a /a;
    gw_aggregate_static /x 1;
}
--- must_die
--- error_log
"gw_aggregate_stream ndjson" in location "/" does not go with "gw_aggregate_static": each line is that of a part



=== TEST: gw_aggregate_static without an aggregate
--- config
location /x { gw_aggregate_static /x 1; }
--- must_die
--- error_log
"gw_aggregate_static" needs "gw_aggregate object" or "array" in location "/x"



=== TEST: gw_aggregate_static in an array
--- config
location / { gw_aggregate array; gw_aggregate_part a /a; gw_aggregate_static /x 1; }
--- must_die
--- error_log
"gw_aggregate_static" needs "gw_aggregate object", an array has no members, in



=== TEST: gw_aggregate_static alone
--- config
location /x { gw_aggregate object; gw_aggregate_static /x 1; }
--- must_die
--- error_log
"gw_aggregate" has no "gw_aggregate_part" in location "/x"



=== TEST: gw_aggregate_static with a bad pointer
--- config
location / { gw_aggregate object; gw_aggregate_static x 1; }
--- must_die
--- error_log
invalid pointer "x" of "gw_aggregate_static": must begin with "/"



=== TEST: gw_aggregate_static for the whole document
--- config
location / { gw_aggregate object; gw_aggregate_part a /a; gw_aggregate_static "" "{}"; }
--- must_die
--- error_log
"gw_aggregate_static" of "" is the whole document in



=== TEST: gw_aggregate_static with what is not JSON
--- config
location / { gw_aggregate object; gw_aggregate_static /x text; }
--- must_die
--- error_log
value "text" of "gw_aggregate_static" is not JSON at byte 1, a string is written '"text"'



=== TEST: gw_aggregate_static with a bad parameter
--- config
location / { gw_aggregate object; gw_aggregate_static /x 1 when=never; }
--- must_die
--- error_log
invalid parameter "when=never", it must be "when=always", "when=complete" or "when=partial"



=== TEST: gw_aggregate_static in the place of a part
--- config
location / { gw_aggregate object; gw_aggregate_part a /a; gw_aggregate_static /a 1; }
--- must_die
--- error_log
"gw_aggregate_static" of "/a" takes the same place as part "a", give it another pointer in



=== TEST: a part in the place of what is static
--- config
location / { gw_aggregate object; gw_aggregate_static /a 1; gw_aggregate_part a /a; }
--- must_die
--- error_log
part "a" takes the same place as "gw_aggregate_static" of "/a", give it another pointer in



=== TEST: gw_aggregate_static inside of what is appended to
--- config
location / { gw_aggregate object; gw_aggregate_part a /a append; gw_aggregate_static /a/0 1; }
--- must_die
--- error_log
"gw_aggregate_static" of "/a/0" takes a place inside that of part "a", give it another pointer in



=== TEST: gw_aggregate_static around a part
--- config
location / { gw_aggregate object; gw_aggregate_part a /a as=/x/y; gw_aggregate_static /x 1; }
--- must_die
--- error_log
"gw_aggregate_static" of "/x" takes a place around that of part "a", give it another pointer in



=== TEST: gw_aggregate_static twice
--- config
location / { gw_aggregate object; gw_aggregate_part a /a; gw_aggregate_static /x 1; gw_aggregate_static /x 2 when=partial; }
--- must_die
--- error_log
"gw_aggregate_static" of "/x" takes the same place as "gw_aggregate_static" of "/x", give it another pointer in



=== TEST: the member for errors in the place of what is static
--- config
location / { gw_aggregate object; gw_aggregate_errors code member=/x; gw_aggregate_part a /a; gw_aggregate_static /x 1; }
--- must_die
--- error_log
member "/x" of "gw_aggregate_errors" takes the same place as "gw_aggregate_static" of "/x"



=== TEST: too many members that are static
--- config eval
"location / { gw_aggregate object; gw_aggregate_part a /a; "
. join(' ', map { "gw_aggregate_static /s$_ 0;" } 1 .. 256) . '}'
--- must_die
--- error_log
"gw_aggregate_static" of "/s256" is one too many in



=== TEST: hedge of a method that may change something
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a hedge=50ms method=POST;
}
--- must_die
--- error_log eval
qr/parameter "hedge" of part "a" needs "method=GET": a request that is sent twice must change nothing in \S+:\d+/



=== TEST: hedge of a method that the client chooses
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a method=inherit hedge=50ms;
}
--- must_die
--- error_log
parameter "hedge" of part "a" needs "method=GET"



=== TEST: hedge after no time
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a hedge=0;
}
--- must_die
--- error_log
invalid hedge "0" of part "a", it must be a time



=== TEST: hedge of what is no time
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part a /a hedge=soon;
}
--- must_die
--- error_log
invalid hedge "soon" of part "a", it must be a time



=== TEST: hedge when the part has no time left
--- config
location / {
    gw_aggregate object;
    gw_aggregate_part_timeout 50ms;
    gw_aggregate_part a /a hedge=50ms;
}
--- must_die
--- error_log eval
qr/parameter "hedge" of part "a" must be shorter than the time that the part has in \S+:\d+/



=== TEST: hedge when no part has time left
--- config
location / {
    gw_aggregate object;
    gw_aggregate_timeout 50ms;
    gw_aggregate_part a /a hedge=60ms timeout=5s;
}
--- must_die
--- error_log
parameter "hedge" of part "a" must be shorter than the time that the part has
