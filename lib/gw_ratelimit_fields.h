
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The response fields of a rate limit, a table for each generation of them:
 * draft-ietf-httpapi-ratelimit-headers -08 to -11, structured fields of
 * RFC 9651,
 *
 *     RateLimit-Policy: "ip";q=50;w=1;gw-burst=100
 *     RateLimit: "ip";r=12;t=1
 *
 * what is proposed for the draft after them (pull request 166 of its authors),
 *
 *     RateLimit: "ip";a=12;w=1;c=1
 *
 * its drafts -00 to -06, three numbers, and those that came before it, three
 * numbers with X-; and the body of a rejection, RFC 9457.
 */


#ifndef GW_RATELIMIT_FIELDS_H
#define GW_RATELIMIT_FIELDS_H


#include "gw.h"


/* the largest integer of a structured field, RFC 9651, 3.3.1 */
#define GW_RATELIMIT_INTEGER_MAX  999999999999999LL

/* bytes of a policy name */
#define GW_RATELIMIT_NAME_MAX     128

/* bytes of a partition key, a multiple of 3 */
#define GW_RATELIMIT_PARTITION    9


typedef struct {
    const u_char  *name;       /* of the policy, valid as a name */
    size_t         name_len;
    const char    *unit;       /* of the quota, NULL: requests */
    int64_t        quota;      /* units in one window */
    int64_t        window;     /* seconds, 0: not shown */
    int64_t        burst;      /* units above the quota, 0: not shown */
    int64_t        capacity;   /* units when nothing was taken, > 0 */
    int64_t        remaining;  /* units */
    int64_t        reset;      /* usec until more is available, 0: not shown */
    int64_t        cost;       /* units that were taken, 0: not shown */

    const u_char  *text;       /* the policy as it was written, NULL: none */
    size_t         text_len;
    size_t         quoted;     /* bytes of it that are the quoted name */
    const u_char  *partition;  /* GW_RATELIMIT_PARTITION bytes, NULL: none */
} gw_ratelimit_item_t;


/*
 * Writes the value of a field, or one member of it, without a separator.
 *
 *     p       has gw_ratelimit_item_size(item) bytes
 *     now     seconds since 1970
 *
 * Returns the end, which is p if there is nothing to tell.
 */

typedef u_char *(*gw_ratelimit_write_pt)(u_char *p,
    const gw_ratelimit_item_t *item, int64_t now);


/* what a field of somebody else says */

typedef struct {
    int64_t        remaining;  /* units */
    int64_t        reset;      /* seconds, 0: not told */
} gw_ratelimit_told_t;


/*
 * Reads what remains from the value of a field.
 *
 *     told    out: of the limit of the list that has least remaining
 *
 * Returns GW_OK; or GW_DECLINED if the value is not what the field should
 * have, told is unchanged then.
 */

typedef gw_status_e (*gw_ratelimit_read_pt)(const u_char *data, size_t len,
    gw_ratelimit_told_t *told);


/* which limits a field tells of */

typedef enum {
    GW_RATELIMIT_EACH = 0,     /* a list of all */
    GW_RATELIMIT_NEAREST,      /* a list: the nearest to exhaustion, or all */
    GW_RATELIMIT_PLAIN         /* a number of requests: the nearest of those */
} gw_ratelimit_scope_e;


typedef struct {
    const char             *name;
    size_t                  len;
    gw_ratelimit_scope_e    scope;
    gw_ratelimit_write_pt   write;
    gw_ratelimit_read_pt    read;     /* NULL: it does not say what remains */
} gw_ratelimit_field_t;


/* generations of fields */

typedef enum {
    GW_RATELIMIT_DRAFT_08 = 0, /* RateLimit-Policy, RateLimit */
    GW_RATELIMIT_DRAFT_00,     /* RateLimit-Limit, -Remaining, -Reset */
    GW_RATELIMIT_X,            /* the same with X-RateLimit */
    GW_RATELIMIT_X_EPOCH,      /* -Reset is the time, seconds since 1970 */
    GW_RATELIMIT_NEXT,         /* RateLimit-Policy, RateLimit as proposed */
    GW_RATELIMIT_SETS
} gw_ratelimit_set_e;


/* Returns the fields of a generation, ended by one without a name. */

const gw_ratelimit_field_t *gw_ratelimit_set(gw_ratelimit_set_e set);


/*
 * gw_ratelimit_read_pt of RateLimit, a List of RFC 9651 whose members have
 * the parameter "r", or "a" as proposed; and of the fields that are a number.
 */

gw_status_e gw_ratelimit_read_list(const u_char *data, size_t len,
    gw_ratelimit_told_t *told);
gw_status_e gw_ratelimit_read_number(const u_char *data, size_t len,
    gw_ratelimit_told_t *told);


/* Returns the bytes of the name of a policy as it is written, in quotes. */

size_t gw_ratelimit_name_size(const u_char *data, size_t len);


/*
 * Makes the partition key that stands for a key: a hash of it, so that
 * nobody learns the key, nor in which place of the store it is.
 *
 *     seed       the secret of the store
 *     key        the hash that the store has of the key
 *     partition  out: GW_RATELIMIT_PARTITION bytes
 */

void gw_ratelimit_partition(const uint64_t seed[2], const uint64_t key[2],
    u_char *partition);


/*
 * Returns 1 if the text may name a policy: 1 to GW_RATELIMIT_NAME_MAX bytes
 * of printable ASCII, which a structured field String is made of.
 */

int gw_ratelimit_name_valid(const u_char *data, size_t len);


/* Returns the room that any of the items of the functions below needs. */

size_t gw_ratelimit_item_size(const gw_ratelimit_item_t *item);


/*
 * Write one member of the list RateLimit-Policy or RateLimit, without a
 * separator; return the end.
 */

u_char *gw_ratelimit_policy(u_char *p, const gw_ratelimit_item_t *item,
    int64_t now);
u_char *gw_ratelimit_state(u_char *p, const gw_ratelimit_item_t *item,
    int64_t now);
u_char *gw_ratelimit_next(u_char *p, const gw_ratelimit_item_t *item,
    int64_t now);


/*
 * Writes the value of Retry-After or the parameter t: whole seconds, rounded
 * up, at least 1; returns the end.  Needs 15 bytes.
 */

u_char *gw_ratelimit_seconds(u_char *p, int64_t usec);


/*
 * Compares how near two limits are to exhaustion.
 *
 * Returns 1 if "a" is nearer than "b": by the share of the bucket that is
 * left, then by the units left, then by the longer wait.
 */

int gw_ratelimit_nearer(const gw_ratelimit_item_t *a,
    const gw_ratelimit_item_t *b);


typedef enum {
    GW_RATELIMIT_QUOTA_EXCEEDED = 0,
    GW_RATELIMIT_REDUCED_CAPACITY
} gw_ratelimit_problem_e;


/* Returns the room for the body with a policy of this length. */

size_t gw_ratelimit_problem_size(size_t name_len);


/*
 * Writes the JSON body of a rejection, application/problem+json; returns the
 * end.
 *
 *     name      of the violated policy, valid as a name; not used in
 *               GW_RATELIMIT_REDUCED_CAPACITY
 */

u_char *gw_ratelimit_problem(u_char *p, gw_ratelimit_problem_e type,
    unsigned status, const u_char *name, size_t name_len);


#endif /* GW_RATELIMIT_FIELDS_H */
