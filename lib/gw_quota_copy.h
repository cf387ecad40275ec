
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What this host knows of quotas that another one counts, in a store of
 * gw_quota_store.h: the units used when it was last told, and those that it
 * let pass on its own since, which it owes.
 *
 * The first half of a slot has the period and the units that were told, the
 * second one the units owed and, in place of "carried", the start of their
 * period; its own start is 0.  All functions need the lock of the store.
 */


#ifndef GW_QUOTA_COPY_H
#define GW_QUOTA_COPY_H


#include "gw_quota_store.h"


/*
 * Keeps what was told.
 *
 *     start     of the period
 *     used      units
 *     extra     units beside the limit
 */

void gw_quota_copy_set(gw_quota_store_t *store, const gw_quota_key_t *key,
    int64_t start, int64_t used, int64_t extra);


/*
 * Decides as gw_quota_store_take() does, by what is known; the units taken
 * are owed.  Units owed for an earlier period are forgotten.
 */

gw_status_e gw_quota_copy_take(gw_quota_store_t *store,
    const gw_quota_key_t *key, const gw_quota_t *quota, int64_t now,
    int64_t cost, int force, gw_quota_result_t *res);


/*
 * Gives back units of gw_quota_copy_take().
 *
 *     start     res->start when they were taken
 */

void gw_quota_copy_give(gw_quota_store_t *store, const gw_quota_key_t *key,
    int64_t start, int64_t units);


/*
 * Units that are owed no longer: they are told, or are about to be.
 *
 *     start     in/out: of the period, 0: whatever it is
 *     units     at most
 *
 * Returns how many they are, 0: none, and start is unchanged.
 */

int64_t gw_quota_copy_settle(gw_quota_store_t *store,
    const gw_quota_key_t *key, int64_t *start, int64_t units);


/* Undoes gw_quota_copy_settle(): the units are owed again. */

void gw_quota_copy_owe(gw_quota_store_t *store, const gw_quota_key_t *key,
    int64_t start, int64_t units);


#endif /* GW_QUOTA_COPY_H */
