
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the answers of several back ends say about caching, and what may be
 * said about a document that is made of all of them.  Source: RFC 9111.
 */


#ifndef GW_CACHE_CONTROL_H
#define GW_CACHE_CONTROL_H


#include "gw.h"


/* seconds; larger numbers are taken for it, RFC 9111, 1.2.2 */
#define GW_CACHE_SECONDS_MAX  2147483647LL

/* bytes that gw_cache_merge_write() needs */
#define GW_CACHE_MERGE_SIZE   192


/* the lines of Cache-Control of one answer */

typedef struct {
    int64_t   max_age;             /* seconds, -1: not said */
    int64_t   s_maxage;            /* seconds, -1: not said */
    unsigned  no_store:1;
    unsigned  no_cache:1;
    unsigned  is_private:1;
    unsigned  is_public:1;
    unsigned  must_revalidate:1;
    unsigned  proxy_revalidate:1;
    unsigned  no_transform:1;
} gw_cache_control_t;


/* what holds for all of the answers */

typedef struct {
    int64_t   max_age;             /* seconds that are left, -1: not said */
    int64_t   s_maxage;            /* seconds that are left, -1: not said */
    unsigned  no_store:1;
    unsigned  no_cache:1;
    unsigned  is_private:1;
    unsigned  must_revalidate:1;
    unsigned  proxy_revalidate:1;
    unsigned  no_transform:1;
    unsigned  some:1;              /* there was an answer */
    unsigned  silent:1;            /* one says nothing of its lifetime */
    unsigned  not_public:1;        /* one does not say that it is public */
    unsigned  not_shared:1;        /* one must not be kept by a shared cache
                                      when the request is authorized */
} gw_cache_merge_t;


/* Prepares for the lines of an answer. */

void gw_cache_control_init(gw_cache_control_t *cc);


/*
 * Adds the value of a Cache-Control line, RFC 9111, 5.2.  Names do not know
 * case; numbers may be quoted; of several numbers the smallest one counts,
 * and one that is none is 0 (4.2.1); a list of fields is ignored, no-cache and
 * private stand for all of them.  What is unknown is skipped, and what is
 * malformed never hides a directive that follows it.  Cannot fail.
 */

void gw_cache_control_parse(gw_cache_control_t *cc, const u_char *data,
    size_t len);


/*
 * Reads delta-seconds (1.2.2), the value of Age for one.  Returns the number,
 * at most GW_CACHE_SECONDS_MAX, or -1 when it is none.
 */

int64_t gw_cache_seconds(const u_char *data, size_t len);


/* Prepares for the answers. */

void gw_cache_merge_init(gw_cache_merge_t *m);


/*
 * Adds an answer.
 *
 *     cc        its directives
 *     expires   seconds from its date to that of Expires, below 0 becomes 0;
 *               -1: not said
 *     age       seconds since it was made or validated (4.2.3), >= 0
 */

void gw_cache_merge_add(gw_cache_merge_t *m, const gw_cache_control_t *cc,
    int64_t expires, int64_t age);


/*
 * Writes the value of Cache-Control for the whole.  An answer that says
 * nothing of its lifetime is not fresh when others do.
 *
 *     p           where to write, GW_CACHE_MERGE_SIZE bytes
 *     authorized  not 0: the request has Authorization, see 3.5
 *
 * Returns the end; p itself when there is nothing to say.
 */

u_char *gw_cache_merge_write(const gw_cache_merge_t *m, u_char *p,
    int authorized);


/*
 * Adds the fields of a Vary line to a list, each once; "*" replaces all.
 *
 *     list      the list so far, with room for 2 * (n + 1) more bytes
 *     len       in/out: its length
 */

void gw_vary_add(u_char *list, size_t *len, const u_char *data, size_t n);


#endif /* GW_CACHE_CONTROL_H */
