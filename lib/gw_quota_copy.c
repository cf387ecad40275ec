
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_quota_copy.h"
#include "gw_quota_slot.h"


static void gw_quota_copy_convert(gw_quota_slot_t *slot);
static void gw_quota_copy_begin(gw_quota_slot_t *slot, int64_t start,
    int64_t used, int64_t extra);
static int64_t gw_quota_copy_used(const gw_quota_slot_t *slot);
static void gw_quota_copy_add(gw_quota_store_t *store, gw_quota_slot_t *slot,
    int64_t start, int64_t units);


void
gw_quota_copy_set(gw_quota_store_t *store, const gw_quota_key_t *key,
    int64_t start, int64_t used, int64_t extra)
{
    gw_quota_t        quota;
    gw_quota_slot_t  *slot;

    slot = gw_quota_find(store, key);

    if (slot == NULL) {
        quota.start = start;
        slot = gw_quota_insert(store, key, &quota);
    }

    gw_quota_copy_convert(slot);
    gw_quota_copy_begin(slot, start, used, extra);
}


gw_status_e
gw_quota_copy_take(gw_quota_store_t *store, const gw_quota_key_t *key,
    const gw_quota_t *quota, int64_t now, int64_t cost, int force,
    gw_quota_result_t *res)
{
    int64_t           used, extra;
    gw_status_e       rc;
    gw_quota_half_t  *half;
    gw_quota_slot_t  *slot;

    slot = gw_quota_find(store, key);

    if (slot == NULL) {
        slot = gw_quota_insert(store, key, quota);
    }

    gw_quota_copy_convert(slot);

    half = &slot->half[0];

    if (gw_quota_turned(half, quota, now, res)) {
        extra = (half->start == 0) ? 0
                                   : gw_quota_carry(half,
                                                    gw_quota_copy_used(slot),
                                                    quota);
        gw_quota_copy_begin(slot, res->start, 0, extra);
    }

    used = gw_quota_copy_used(slot);

    res->carried = half->carried;
    res->granted = 0;
    res->limit = quota->limit + half->carried;

    if (res->limit < 0) {
        res->limit = 0;
    }

    rc = (used + (cost ? cost : 1) <= res->limit) ? GW_OK : GW_DECLINED;

    if ((rc == GW_OK || force) && used <= GW_QUOTA_MAX * 2) {
        gw_quota_copy_add(store, slot, res->start, cost);
    }

    res->used = gw_quota_copy_used(slot);

    return rc;
}


void
gw_quota_copy_give(gw_quota_store_t *store, const gw_quota_key_t *key,
    int64_t start, int64_t units)
{
    gw_quota_half_t  *owed;
    gw_quota_slot_t  *slot;

    slot = gw_quota_find(store, key);

    if (slot == NULL || slot->half[1].start != 0) {
        return;
    }

    owed = &slot->half[1];

    if (owed->carried != start) {
        return;
    }

    if (units > owed->used) {
        units = owed->used;
    }

    store->owed -= units;
    gw_quota_set(&owed->used, owed->used - units);
}


int64_t
gw_quota_copy_settle(gw_quota_store_t *store, const gw_quota_key_t *key,
    int64_t *start, int64_t units)
{
    gw_quota_half_t  *half, *owed;
    gw_quota_slot_t  *slot;

    slot = gw_quota_find(store, key);

    if (slot == NULL || slot->half[1].start != 0) {
        return 0;
    }

    half = &slot->half[0];
    owed = &slot->half[1];

    if (owed->used == 0 || (*start != 0 && *start != owed->carried)) {
        return 0;
    }

    if (units > owed->used) {
        units = owed->used;
    }

    store->owed -= units;
    gw_quota_set(&owed->used, owed->used - units);

    *start = owed->carried;

    if (half->start == *start) {
        gw_quota_set(&half->used, half->used + units);
    }

    return units;
}


void
gw_quota_copy_owe(gw_quota_store_t *store, const gw_quota_key_t *key,
    int64_t start, int64_t units)
{
    int64_t           used;
    gw_quota_half_t  *half;
    gw_quota_slot_t  *slot;

    slot = gw_quota_find(store, key);

    if (slot == NULL || slot->half[1].start != 0) {
        return;
    }

    half = &slot->half[0];

    if (half->start == start) {
        used = (half->used > units) ? half->used - units : 0;
        gw_quota_set(&half->used, used);

    } else if (slot->half[1].used) {

        /* those of the current period count */

        return;
    }

    gw_quota_copy_add(store, slot, start, units);
}


/* A slot that had no one else to count it becomes a copy. */

static void
gw_quota_copy_convert(gw_quota_slot_t *slot)
{
    if (slot->half[1].start == 0) {
        return;
    }

    if (slot->half[1].start > slot->half[0].start) {
        slot->half[0] = slot->half[1];
    }

    gw_quota_set(&slot->half[1].used, 0);
    gw_quota_set(&slot->half[1].carried, 0);
    gw_quota_set(&slot->half[1].start, 0);
}


static void
gw_quota_copy_begin(gw_quota_slot_t *slot, int64_t start, int64_t used,
    int64_t extra)
{
    gw_quota_half_t  *half;

    half = &slot->half[0];

    gw_quota_set(&half->used, used);
    gw_quota_set(&half->carried, extra);
    gw_quota_set(&half->start, start);
}


/* Units of the period, told and owed. */

static int64_t
gw_quota_copy_used(const gw_quota_slot_t *slot)
{
    int64_t  used;

    used = slot->half[0].used;

    return (slot->half[1].carried == slot->half[0].start)
           ? used + slot->half[1].used : used;
}


static void
gw_quota_copy_add(gw_quota_store_t *store, gw_quota_slot_t *slot,
    int64_t start, int64_t units)
{
    gw_quota_half_t  *owed;

    if (units == 0) {
        return;
    }

    owed = &slot->half[1];

    if (owed->carried != start) {
        store->owed -= owed->used;
        gw_quota_set(&owed->used, 0);
        gw_quota_set(&owed->carried, start);
    }

    store->owed += units;
    gw_quota_set(&owed->used, owed->used + units);
}
