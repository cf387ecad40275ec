
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the files of the store of quotas share: finding and making slots.  See
 * gw_quota_store.h.  All functions are to be locked as those.
 */


#ifndef GW_QUOTA_SLOT_H
#define GW_QUOTA_SLOT_H


#include "gw_quota_store.h"


/* a word that is whole after a kill */

#define gw_quota_set(p, n)  __atomic_store_n(p, n, __ATOMIC_SEQ_CST)


/* Returns the slot of a key, NULL if there is none. */

gw_quota_slot_t *gw_quota_find(gw_quota_store_t *store,
    const gw_quota_key_t *key);


/*
 * Returns a slot without a period for a new key, which may be that of another
 * one.
 *
 *     quota     its start tells which slots have a period that has ended
 */

gw_quota_slot_t *gw_quota_insert(gw_quota_store_t *store,
    const gw_quota_key_t *key, const gw_quota_t *quota);


/* Returns the half that counts. */

gw_quota_half_t *gw_quota_half(gw_quota_slot_t *slot);


/*
 * Finds the period of "now".
 *
 *     half      what the key has, its start is 0: nothing
 *     res       out: start and end
 *
 * Returns 1 if it is later than that of half.
 */

int gw_quota_turned(const gw_quota_half_t *half, const gw_quota_t *quota,
    int64_t now, gw_quota_result_t *res);


/*
 * Returns the units that the period after that of "half" gets: those that are
 * left of it, or of one without any use after it.
 *
 *     used      units of the period
 */

int64_t gw_quota_carry(const gw_quota_half_t *half, int64_t used,
    const gw_quota_t *quota);


#endif /* GW_QUOTA_SLOT_H */
