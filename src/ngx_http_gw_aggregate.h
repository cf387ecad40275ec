
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the files of the aggregate module share: the configuration of a
 * location and of its parts, and the state of a request.
 */


#ifndef NGX_HTTP_GW_AGGREGATE_H
#define NGX_HTTP_GW_AGGREGATE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_json_scan.h"
#include "gw_json_shape.h"
#include "gw_json_splice.h"
#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_joint.h"
#include "ngx_http_gw_template.h"


/* bytes of an answer that is not used, read to keep its connection */
#define NGX_HTTP_GW_DRAIN_SIZE       (64 * 1024)

/* msec that its end is waited for */
#define NGX_HTTP_GW_DRAIN_TIME       50

/* bytes of a back end's own text in a problem document */
#define NGX_HTTP_GW_DETAIL_SIZE      1024

/* bytes of what is told of a failed part beside its name and text */
#define NGX_HTTP_GW_ERROR_LEN        96

/* bytes; a smaller chunk of a body is copied instead of kept in place */
#define NGX_HTTP_GW_IN_PLACE_SIZE    1024

/* bytes; less room in a buffer is not worth a system call */
#define NGX_HTTP_GW_READ_SIZE        2048

/* "blocked" of a request has 8 bits, each waiting part takes one */
#define NGX_HTTP_GW_MAX_SUBREQUESTS  200

/* core's own limit of recursion is 50 */
#define NGX_HTTP_GW_MAX_NESTING      16

#define NGX_HTTP_GW_MIN_STATUS       100
#define NGX_HTTP_GW_MAX_STATUS       599


typedef enum {
    NGX_HTTP_GW_PART_OK = 0,
    NGX_HTTP_GW_PART_UNREACHABLE,
    NGX_HTTP_GW_PART_TIMEOUT,
    NGX_HTTP_GW_PART_STATUS,
    NGX_HTTP_GW_PART_TYPE,
    NGX_HTTP_GW_PART_ENCODING,
    NGX_HTTP_GW_PART_INVALID_JSON,
    NGX_HTTP_GW_PART_INVALID_UTF8,
    NGX_HTTP_GW_PART_TRUNCATED,
    NGX_HTTP_GW_PART_TOO_LARGE,
    NGX_HTTP_GW_PART_TOO_DEEP,
    NGX_HTTP_GW_PART_MISSING,
    NGX_HTTP_GW_PART_NOT_OBJECT,
    NGX_HTTP_GW_PART_DEPENDENCY,
    NGX_HTTP_GW_PART_LIMIT,
    NGX_HTTP_GW_PART_LOOP,
    NGX_HTTP_GW_PART_NOT_INTERNAL,
    NGX_HTTP_GW_PART_NESTED_OUTPUT,
    NGX_HTTP_GW_PART_INTERNAL,
    NGX_HTTP_GW_PART_ERRORS             /* their number */
} ngx_http_gw_part_error_e;


typedef enum {
    NGX_HTTP_GW_MODE_OFF = 0,
    NGX_HTTP_GW_MODE_OBJECT,
    NGX_HTTP_GW_MODE_ARRAY
} ngx_http_gw_mode_e;


typedef enum {
    NGX_HTTP_GW_ERRORS_OFF = 0,
    NGX_HTTP_GW_ERRORS_NAME,
    NGX_HTTP_GW_ERRORS_CODE,
    NGX_HTTP_GW_ERRORS_STATUS,
    NGX_HTTP_GW_ERRORS_BODY
} ngx_http_gw_errors_e;


typedef enum {
    NGX_HTTP_GW_REQUIRE_ANY = 0,
    NGX_HTTP_GW_REQUIRE_ALL,
    NGX_HTTP_GW_REQUIRE_NONE,
    NGX_HTTP_GW_REQUIRE_NUMBER
} ngx_http_gw_require_e;


typedef enum {
    NGX_HTTP_GW_STATE_RUNNING = 0,
    NGX_HTTP_GW_STATE_COMPLETE,
    NGX_HTTP_GW_STATE_PARTIAL,
    NGX_HTTP_GW_STATE_FAILED
} ngx_http_gw_state_e;


/* type= of a part */

typedef enum {
    NGX_HTTP_GW_PART_JSON = 0,
    NGX_HTTP_GW_PART_TEXT,
    NGX_HTTP_GW_PART_BASE64
} ngx_http_gw_part_type_e;


/* bytes in the name of a part */
#define NGX_HTTP_GW_PART_NAME_LEN    64


/* bounds of times that parts are counted by, and one for the others */
#define NGX_HTTP_GW_TIMES            11


typedef struct ngx_http_gw_shape_conf_s  ngx_http_gw_shape_conf_t;
typedef struct ngx_http_gw_shape_s       ngx_http_gw_shape_t;
typedef struct ngx_http_gw_merge_s       ngx_http_gw_merge_t;


/* gw_aggregate_conflict */

typedef enum {
    NGX_HTTP_GW_CONFLICT_LAST = 0,
    NGX_HTTP_GW_CONFLICT_FIRST,
    NGX_HTTP_GW_CONFLICT_ERROR
} ngx_http_gw_conflict_e;


/* when= of gw_aggregate_static */

typedef enum {
    NGX_HTTP_GW_WHEN_ALWAYS = 0,
    NGX_HTTP_GW_WHEN_COMPLETE,
    NGX_HTTP_GW_WHEN_PARTIAL
} ngx_http_gw_when_e;


/* members of a part that is merged into the document */
#define NGX_HTTP_GW_MAX_MEMBERS      16384


/* a set of status codes */

typedef struct {
    uint64_t                         bits[NGX_HTTP_GW_MAX_STATUS / 64 + 1];
} ngx_http_gw_codes_t;


/* a media type, or with a wildcard what it begins and ends with */

typedef struct {
    ngx_str_t                        prefix;
    ngx_str_t                        suffix;
    ngx_uint_t                       wildcard;
} ngx_http_gw_type_t;


typedef enum {
    NGX_HTTP_GW_EACH_ARRAY = 0,
    NGX_HTTP_GW_EACH_OBJECT,
    NGX_HTTP_GW_EACH_EMBED
} ngx_http_gw_each_result_e;


/* gw_aggregate_each */

typedef struct {
    ngx_str_t                        name;      /* of the part */
    ngx_str_t                        source;    /* name of a part */
    ngx_uint_t                       part;      /* number of the source */
    ngx_str_t                        pointer;
    ngx_uint_t                       mark;      /* among those of the source */
    gw_json_trie_t                  *item;      /* item= */
    ngx_uint_t                       max;       /* requests */
    ngx_uint_t                       concurrency;
    ngx_http_gw_each_result_e        result;
    ngx_str_t                        member;    /* embed: "name": as JSON */
    u_char                          *file;
    ngx_uint_t                       line;
    ngx_uint_t                       seen;      /* parameters, a bit each */
    unsigned                         distinct:1;
    unsigned                         truncate:1;
} ngx_http_gw_each_conf_t;


typedef struct {
    ngx_str_t                        name;
    ngx_http_gw_template_t           uri;
    ngx_str_t                        path;      /* of a constant URI */
    ngx_str_t                        args;
    ngx_http_gw_template_t          *body;      /* body=string */
    ngx_http_complex_value_t        *condition;
    ngx_uint_t                       method;    /* 0: inherit */
    ngx_str_t                        method_name;
    ngx_str_t                        content_type;
    ngx_str_t                        value;     /* default=, JSON */
    ngx_str_t                        as;
    ngx_str_t                        at;
    gw_json_trie_t                  *trie;      /* of at= */
    ngx_msec_t                       timeout;
    ngx_msec_t                       hedge;     /* 0: none */
    size_t                           max_size;
    ngx_http_gw_codes_t              ok;
    ngx_http_gw_codes_t              null;
    u_char                          *file;      /* of the directive */
    ngx_uint_t                       line;
    ngx_uint_t                       seen;      /* parameters, a bit each */
    ngx_http_gw_part_type_e          type;
    unsigned                         required:1;        /* said so */
    unsigned                         optional:1;
    unsigned                         omit:1;
    unsigned                         has_default:1;
    unsigned                         hide:1;
    unsigned                         inherit_body:1;
    unsigned                         encoded:1; /* path is not decoded */

    /* what it waits for, and what others take from it */
    ngx_str_t                        after;     /* as written */
    ngx_array_t                     *deps;      /* ngx_uint_t: numbers of
                                                   parts; NULL: none */
    uint64_t                         own;       /* values it needs, a bit
                                                   each */
    gw_json_trie_t                  *marks;     /* of what is taken from it */
    ngx_uint_t                       nmarks;
    ngx_http_gw_each_conf_t         *each;      /* it is fetched for items */
    unsigned                         embeds:1;  /* others are put into it */

    /* pick, drop, rename; then the trie has their pointers, too */
    ngx_http_gw_shape_conf_t        *shape;

    /* root and append; what is put there of the default */
    gw_json_splice_place_e           place;
    ngx_str_t                        elements;
    gw_json_member_t                *members;
    gw_json_text_t                  *names;     /* of the members */
    ngx_uint_t                       nmembers;
} ngx_http_gw_part_conf_t;


/* gw_aggregate_static */

typedef struct {
    ngx_str_t                        pointer;
    ngx_str_t                        value;     /* JSON */
    ngx_uint_t                       part;      /* it stands before that */
    ngx_http_gw_when_e               when;
    u_char                          *file;
    ngx_uint_t                       line;
} ngx_http_gw_static_conf_t;


/* gw_aggregate_set */

typedef struct {
    ngx_str_t                        name;      /* lower case, without "$" */
    ngx_str_t                        source;    /* name of a part */
    ngx_uint_t                       part;      /* its number */
    ngx_str_t                        pointer;
    ngx_uint_t                       mark;      /* among those of the part */
    ngx_str_t                        value;     /* default= */
    gw_json_trie_t                  *item;      /* item= */
    ngx_str_t                        join;
    u_char                          *file;
    ngx_uint_t                       line;
    unsigned                         has_default:1;
    unsigned                         joined:1;
} ngx_http_gw_set_conf_t;


/* the values of a location that are made by parts, by their number */

#define NGX_HTTP_GW_OWN_ITEM         0
#define NGX_HTTP_GW_OWN_INDEX        1
#define NGX_HTTP_GW_OWN_SETS         2

/* gw_aggregate_set of a location: with the items a bit each */
#define NGX_HTTP_GW_MAX_SETS         62


/* the location's configuration of the module */

typedef struct {
    ngx_http_handler_pt              handler;   /* makes the content */
    ngx_uint_t                       mode;
    ngx_array_t                     *parts;     /* ngx_http_gw_part_conf_t */
    gw_json_splice_t                *splice;
    ngx_msec_t                       timeout;
    ngx_msec_t                       part_timeout;
    size_t                           max_size;
    size_t                           part_max_size;
    size_t                           buffer_size;
    ngx_uint_t                       max_depth;
    ngx_uint_t                       max_subrequests;
    ngx_uint_t                       max_nesting;
    ngx_array_t                     *types;     /* ngx_http_gw_type_t */
    ngx_array_t                     *strip_headers;     /* ngx_str_t */
    ngx_hash_t                       strip;
    ngx_uint_t                       methods;
    ngx_str_t                        allow;
    ngx_uint_t                       require;
    ngx_uint_t                       require_number;
    ngx_flag_t                       fail_fast;
    ngx_uint_t                       partial_status;
    ngx_uint_t                       errors;
    ngx_str_t                        errors_member;
    ngx_str_t                        complete_header;   /* empty: off */
    ngx_flag_t                       internal_only;
    ngx_flag_t                       ignore_client_abort;
    unsigned                         inherit_body:1;

    /* the header of the answer */

    ngx_uint_t                       cache_control;     /* 1: merge */
    ngx_flag_t                       etag;
    ngx_flag_t                       server_timing;
    ngx_array_t                     *pass_headers;
    ngx_uint_t                       stream;    /* gw_aggregate_stream */

    /* dependencies */
    ngx_array_t                     *sets;      /* ngx_http_gw_set_conf_t */
    ngx_array_t                     *eaches;    /* ngx_http_gw_each_conf_t */
    ngx_uint_t                       concurrency;

    /* pick, drop and rename, of all parts */
    ngx_array_t                     *shapes;

    /*
     * Slots of the document: the parts, the member for errors, and what is
     * static; members of the document that parts cannot have, a byte each.
     */
    ngx_array_t                     *statics;   /* ngx_http_gw_static_conf_t */
    ngx_uint_t                       nslots;
    ngx_uint_t                       conflict;  /* gw_aggregate_conflict */
    u_char                          *reserved;
    unsigned                         merges:1;  /* some part has "root" */
    unsigned                         varies:1;  /* slots may be left out */
} ngx_http_gw_aggregate_conf_t;


typedef struct {
    ngx_http_gw_joint_t      joint;     /* must be first */
    ngx_http_gw_counters_t  *counters;
    ngx_uint_t               used;      /* some location aggregates */
} ngx_http_gw_aggregate_main_conf_t;


typedef struct ngx_http_gw_gather_s  ngx_http_gw_gather_t;
typedef struct ngx_http_gw_part_s    ngx_http_gw_part_t;
typedef struct ngx_http_gw_stream_s  ngx_http_gw_stream_t;


/* the module's counters: the parts by their error, from 0, and these */

typedef enum {
    NGX_HTTP_GW_COUNT_SKIPPED = NGX_HTTP_GW_PART_ERRORS,
    NGX_HTTP_GW_COUNT_CANCELLED,
    NGX_HTTP_GW_COUNT_DETACHED,
    NGX_HTTP_GW_COUNT_HEDGED,
    NGX_HTTP_GW_COUNT_HEDGES_WON,
    NGX_HTTP_GW_COUNT_BYTES,
    NGX_HTTP_GW_COUNT_COMPLETE,
    NGX_HTTP_GW_COUNT_PARTIAL,
    NGX_HTTP_GW_COUNT_FAILED,
    NGX_HTTP_GW_COUNT_MSEC,             /* that parts took */
    NGX_HTTP_GW_COUNT_TIME,             /* parts by their time, first bound */
    NGX_HTTP_GW_COUNT_SLOW = NGX_HTTP_GW_COUNT_TIME + NGX_HTTP_GW_TIMES,
    NGX_HTTP_GW_COUNTERS                /* their number */
} ngx_http_gw_count_e;


/* an element of the array that a part is fetched for */

typedef struct {
    gw_json_range_t                  range;     /* in the source's answer */
    ngx_http_gw_part_t              *item;      /* NULL: nothing to fetch */
    unsigned                         object:1;
    unsigned                         empty:1;
} ngx_http_gw_element_t;


typedef struct {
    ngx_http_gw_element_t           *elements;
    ngx_uint_t                       nelements;
    ngx_http_gw_part_t              *items;     /* a request each */
    ngx_uint_t                       nitems;
    ngx_uint_t                       running;
    unsigned                         cut:1;     /* truncate */
} ngx_http_gw_each_t;


struct ngx_http_gw_part_s {
    ngx_http_gw_gather_t            *gather;
    ngx_http_gw_part_conf_t         *conf;
    ngx_http_request_t              *request;   /* NULL: not started */
    ngx_http_post_subrequest_t       post;
    ngx_http_post_subrequest_t       guard;     /* of requests inside of it */
    ngx_http_postponed_request_t    *nested;    /* children taken off it */
    ngx_http_gw_gather_t            *inner;     /* it is an aggregate too */
    ngx_str_t                        path;
    ngx_str_t                        args;
    ngx_str_t                        body;

    ngx_http_gw_part_error_e         error;
    ngx_uint_t                       status;
    ngx_msec_t                       deadline;
    ngx_msec_t                       time;      /* it took */
    off_t                            expect;    /* Content-Length or -1 */
    size_t                           size;      /* of the body so far */
    ngx_chain_t                     *out;       /* the body */
    ngx_chain_t                     *last_out;
    u_char                          *kept;      /* end of what is in place */
    gw_json_scan_t                   scan;
    gw_json_range_t                  range;     /* of at= */
    ngx_http_gw_shape_t             *shape;     /* what is left of it */
    ngx_uint_t                       name;      /* first one that is merged */

    unsigned                         done:1;    /* not pending any more */
    unsigned                         kill:1;    /* stop it at top level */
    unsigned                         has_deadline:1;
    unsigned                         skipped:1;
    unsigned                         cancelled:1;
    unsigned                         header:1;  /* seen */
    unsigned                         last:1;    /* end of the body seen */
    unsigned                         keep:1;    /* the body is wanted */
    unsigned                         null:1;    /* it counts as null */
    unsigned                         partial:1; /* as an aggregate */
    unsigned                         encoded:1; /* path is not decoded */
    unsigned                         allowed:1; /* its location is internal */
    unsigned                         in_place:1;        /* it may be kept so */

    /* of waiting and of what is taken from it */
    ngx_http_gw_part_t              *next;      /* of all of the gather */
    ngx_msec_t                       start;
    gw_json_range_t                 *marks;
    unsigned                         waiting:1; /* not started yet */
    unsigned                         running:1; /* its request is */
    unsigned                         collected:1;       /* marks are set */

    /* of an answer that is streamed */
    ngx_array_t                     *blocks;    /* void *, what was read in
                                                   place, to be given back */

    /* gw_aggregate_each */
    ngx_http_gw_each_t              *each;      /* the part is fetched so */
    ngx_http_gw_part_t              *base;      /* of an item: the part */
    ngx_http_gw_own_t                item;
    ngx_uint_t                       index;     /* of its first element */
    ngx_http_gw_part_error_e         why;       /* it is partial */

    /* hedge= */
    ngx_http_gw_part_t              *twin;      /* has the other request, as
                                                   long as either may win */
    ngx_msec_t                       hedge;     /* when the second is sent */
    unsigned                         has_hedge:1;
    unsigned                         due:1;     /* it waits for room */
    unsigned                         second:1;  /* its request is */
    unsigned                         copy:1;    /* has the request that the
                                                   part itself has not */
};


struct ngx_http_gw_gather_s {
    ngx_http_request_t              *request;
    ngx_http_gw_aggregate_conf_t    *conf;
    ngx_http_gw_counters_t          *counters;
    ngx_http_event_handler_pt        handler;   /* of request, for writing */
    ngx_http_gw_part_t              *parts;
    ngx_uint_t                       nparts;
    ngx_uint_t                       pending;
    ngx_http_gw_part_t              *outer;     /* that request is */
    ngx_http_gw_gather_t            *root;
    ngx_uint_t                       level;     /* 1: the client's request */
    ngx_uint_t                       subrequests;       /* of the root */
    size_t                           size;      /* of all bodies, those that
                                                   are announced included */
    ngx_event_t                      timer;
    ngx_http_posted_request_t        wake;      /* of request */
    ngx_msec_t                       start;
    ngx_msec_t                       time;
    ngx_http_gw_state_e              state;
    ngx_http_gw_part_t              *failed;    /* the first one required */
    unsigned                         done:1;    /* has answered or died */
    unsigned                         overflow:1;        /* max_size */

    /* parts that wait */
    ngx_array_t                     *headers;   /* that parts are given */
    ngx_http_gw_part_t              *first;     /* of all parts */
    ngx_http_gw_part_t             **last;
    ngx_http_gw_own_t               *own;       /* by their number */
    ngx_uint_t                       running;
    unsigned                         refused:1; /* a value of the client */
    unsigned                         due:1;     /* of some part */
    unsigned                         gone:1;    /* the client, and that does
                                                   not matter */

    /* of an answer that is streamed */
    ngx_http_gw_stream_t            *stream;    /* NULL: it is not */
    unsigned                         begun:1;   /* the header was sent */

    ngx_http_gw_merge_t             *merge;     /* NULL: not yet, or never */
};


#define ngx_http_gw_codes_has(codes, status)                                  \
    ((status) <= NGX_HTTP_GW_MAX_STATUS                                       \
     && ((codes)->bits[(status) / 64] >> ((status) % 64) & 1))


#endif /* NGX_HTTP_GW_AGGREGATE_H */
