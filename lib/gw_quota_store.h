
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What keys have used of their quotas, in memory that several processes
 * share.
 *
 * A table of buckets of 8 slots of 64 bytes.  A slot has two halves, each
 * with the units of one period; the one with the later start counts.  A new
 * period is written to the other half, its start last: a process that is
 * killed on the way leaves the old one as it was.
 *
 * Until then the other half has what was granted for the period that counts,
 * in place of what was used, and that period's start with a minus sign.
 *
 * The functions that say so need a lock of the caller, one for the store,
 * that is released when its holder is killed.
 *
 * When all the slots of a bucket are taken, one whose period has ended is
 * replaced, otherwise the one that has used the least.
 */


#ifndef GW_QUOTA_STORE_H
#define GW_QUOTA_STORE_H


#include "gw.h"


#define GW_QUOTA_LAYOUT     3
#define GW_QUOTA_WAYS       8

/* units; sums of two stay far below 2^63 */
#define GW_QUOTA_MAX        ((int64_t) 1 << 53)


typedef struct {
    /* seconds since 1970, 0: nothing, < 0: grants of that period */
    int64_t             start;

    int64_t             used;            /* units */
    int64_t             carried;         /* units of the period before */
} gw_quota_half_t;


typedef struct {
    uint64_t            key[2];
    gw_quota_half_t     half[2];
} gw_quota_slot_t;


typedef struct {
    uint32_t            layout;
    uint32_t            buckets;
    uint64_t            seed[2];
    uint64_t            used;            /* slots, ever */
    uint64_t            expired;         /* replaced after their period */
    uint64_t            evicted;         /* replaced within it */
    int64_t             owed;            /* units, see gw_quota_copy.h */
    gw_quota_slot_t    *slots;           /* the same address everywhere */
} gw_quota_store_t;


typedef struct {
    uint64_t            key[2];
} gw_quota_key_t;


/* a quota of a request */

typedef struct {
    int64_t             limit;           /* units, 0 to GW_QUOTA_MAX */
    int64_t             carry;           /* units carried over, at most */
    int64_t             start;           /* of the period, > 0 */
    int64_t             end;
    int64_t             length;          /* from the first use, 0: as above */
} gw_quota_t;


typedef struct {
    int64_t             limit;           /* with both of the following */
    int64_t             used;            /* after the decision */
    int64_t             start;           /* of the period */
    int64_t             end;
    int64_t             carried;         /* over from the one before */
    int64_t             granted;
} gw_quota_result_t;


/*
 * Makes an empty store in zeroed memory.
 *
 *     size      bytes; those above 2^32 buckets are not used
 *     seed      128 random bits, the secret of the hash
 *
 * Returns the store, or NULL if size has no place for one bucket.
 */

gw_quota_store_t *gw_quota_store_create(void *mem, size_t size,
    const uint64_t seed[2]);


/* Hashes a key of any bytes for the functions below. */

void gw_quota_store_key(const gw_quota_store_t *store, const u_char *data,
    size_t len, gw_quota_key_t *key);


/*
 * Decides about "cost" units; locked.
 *
 *     now       seconds since 1970, of a clock that is the same everywhere
 *     cost      0 to GW_QUOTA_MAX; 0 looks whether one is left, takes none
 *     force     not 0 takes the units in any case
 *
 * Returns GW_OK if there were enough, otherwise GW_DECLINED.  Cannot fail.
 * A period that has begun goes on when the clock goes back, or when another
 * configuration has it begin earlier.
 */

gw_status_e gw_quota_store_take(gw_quota_store_t *store,
    const gw_quota_key_t *key, const gw_quota_t *quota, int64_t now,
    int64_t cost, int force, gw_quota_result_t *res);


/*
 * Gives back units; locked.
 *
 *     start     res->start when they were taken: later periods have none
 */

void gw_quota_store_give(gw_quota_store_t *store, const gw_quota_key_t *key,
    int64_t start, int64_t units);


/*
 * Tells what gw_quota_store_take() would with a cost of 0, and changes
 * nothing; locked.
 */

void gw_quota_store_peek(gw_quota_store_t *store, const gw_quota_key_t *key,
    const gw_quota_t *quota, int64_t now, gw_quota_result_t *res);


/*
 * Adds units to the period of "now"; locked.  They end with it: they are not
 * carried over.
 *
 *     units     1 to GW_QUOTA_MAX
 *     res       out: as of gw_quota_store_peek()
 *
 * Returns GW_OK, or GW_DECLINED if more than GW_QUOTA_MAX would be granted.
 */

gw_status_e gw_quota_store_grant(gw_quota_store_t *store,
    const gw_quota_key_t *key, const gw_quota_t *quota, int64_t now,
    int64_t units, gw_quota_result_t *res);


/* Forgets a key, as if it had never been seen; locked. */

void gw_quota_store_reset(gw_quota_store_t *store,
    const gw_quota_key_t *key);


/*
 * Charges units whether they are there or not, to the latest period of the
 * key; locked.  A key that has none is not charged.
 */

void gw_quota_store_charge(gw_quota_store_t *store, const gw_quota_key_t *key,
    int64_t units);


#endif /* GW_QUOTA_STORE_H */
