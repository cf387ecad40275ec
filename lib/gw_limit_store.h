
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Limits of many keys in memory that several processes share, without a
 * lock: a process killed at any instruction keeps nobody else waiting.
 *
 * A table of buckets of 8 slots of 64 bytes.  The first word of a slot
 * decides everything by compare and swap:
 *
 *     0           free
 *     > 0         the theoretical arrival time of the slot's key, ns
 *     < 0         claimed: being written for a key whose tag is in the word,
 *                 since a time that is in the word
 *
 * The other words are written only in a claimed slot, and they are read
 * between a load of the first word and a compare and swap of it that fails
 * if the slot has changed.  So nobody acts on a key that was replaced.
 *
 * A claim of the same key is taken over after a short spin: both write the
 * same words and only one of the two can publish them.  A claim of another
 * key is left alone until GW_LIMIT_STORE_STALE: its process is dead.  A
 * process that lives on after it stood still for so long in these few
 * instructions can spoil one key's slot, which then counts as full.
 *
 * When all the slots of a bucket are taken, a full (expired) one is replaced
 * without a loss, otherwise the one nearest to being full: a key far ahead
 * of its rate is not pushed out by a crowd of new ones.
 */


#ifndef GW_LIMIT_STORE_H
#define GW_LIMIT_STORE_H


#include "gw_gcra.h"


#define GW_LIMIT_STORE_LAYOUT  1
#define GW_LIMIT_STORE_WAYS    8
#define GW_LIMIT_STORE_STALE   1000                    /* 2^20 ns */


typedef struct {
    int64_t             tat;              /* ns */
    uint64_t            key[2];
    uint64_t            spare[5];
} gw_limit_slot_t;


typedef struct {
    uint32_t            layout;
    uint32_t            buckets;
    uint64_t            seed[2];
    uint64_t            used;             /* slots, ever */
    uint64_t            expired;          /* replaced without a loss */
    uint64_t            evicted;          /* replaced before they were full */
    uint64_t            retries;          /* lost races */
    uint64_t            unstored;         /* decided without a slot */
    gw_limit_slot_t    *slots;            /* the same address everywhere */
} gw_limit_store_t;


typedef struct {
    uint64_t            key[2];
} gw_limit_key_t;


/* a clock in nanoseconds that all the processes share, always > 0 */

typedef int64_t (*gw_limit_clock_pt)(void);


/*
 * Makes an empty table in zeroed memory.
 *
 *     size      bytes; those above 2^32 buckets are not used
 *     seed      128 random bits, the secret of the hash
 *
 * Returns the table, or NULL if size has no place for one bucket.
 */

gw_limit_store_t *gw_limit_store_create(void *mem, size_t size,
    const uint64_t seed[2]);


/* Hashes a key of any bytes for the functions below. */

void gw_limit_store_key(const gw_limit_store_t *store, const u_char *data,
    size_t len, gw_limit_key_t *key);


/*
 * Decides about "cost" units of the key, as gw_gcra_take() does, and keeps
 * the result.
 *
 *     gcra      in nanoseconds
 *     now       in/out: what the clock said
 *     clock     asked again when the kept time is beyond the bucket at "now":
 *               read after the kept time it tells a limit that became smaller
 *               from a "now" that is old because the process was interrupted
 *
 * Returns GW_OK or GW_DECLINED.  Cannot fail: when no slot can be had the
 * decision is that of a full bucket.
 */

gw_status_e gw_limit_store_take(gw_limit_store_t *store,
    const gw_limit_key_t *key, const gw_gcra_t *gcra, int64_t *now,
    gw_limit_clock_pt clock, int64_t cost, gw_gcra_result_t *res);


/*
 * Charges units whether they are there or not, as gw_gcra_force() does.
 *
 *     now, clock  as above
 *     cost        of the question that is answered
 *     res         out: what gw_gcra_take() of "cost" units would say after it;
 *                 nothing is taken for that
 */

void gw_limit_store_force(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_gcra_t *gcra, int64_t *now, gw_limit_clock_pt clock,
    int64_t units, int64_t cost, gw_gcra_result_t *res);


/*
 * Gives back units that were taken, if the key is still there.  What other
 * requests took in the meantime stays taken.
 */

void gw_limit_store_give(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_gcra_t *gcra, int64_t units);


/*
 * Empties the account of a key, exactly once whoever asks.
 *
 * Returns the units by which it was ahead of its rate at "now", rounded up;
 * 0 if it was not.
 */

int64_t gw_limit_store_drain(gw_limit_store_t *store,
    const gw_limit_key_t *key, const gw_gcra_t *gcra, int64_t now);


/*
 * Looks at a key, changes nothing.
 *
 * Returns its theoretical arrival time, ns; 0 if it is not there.
 */

int64_t gw_limit_store_peek(gw_limit_store_t *store,
    const gw_limit_key_t *key);


/* Forgets what a key has taken. */

void gw_limit_store_reset(gw_limit_store_t *store, const gw_limit_key_t *key);


/*
 * Looks whether a key is there, or has a place that costs no other key its
 * state.  Another process may be faster to take that place.
 *
 *     wait      out: ns until a place is free, if there is none
 *
 * Returns GW_OK or GW_DECLINED.
 */

gw_status_e gw_limit_store_room(gw_limit_store_t *store,
    const gw_limit_key_t *key, int64_t now, int64_t *wait);


#endif /* GW_LIMIT_STORE_H */
