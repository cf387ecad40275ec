
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_quota_slot.h"
#include "gw_siphash.h"


#define GW_QUOTA_ALIGN  64


static gw_quota_slot_t *gw_quota_slots(gw_quota_store_t *store,
    const gw_quota_key_t *key);
static gw_quota_half_t *gw_quota_other(gw_quota_slot_t *slot);
static int64_t gw_quota_granted(gw_quota_slot_t *slot);
static void gw_quota_period(gw_quota_slot_t *slot, const gw_quota_t *quota,
    int64_t now, gw_quota_result_t *res);


gw_quota_store_t *
gw_quota_store_create(void *mem, size_t size, const uint64_t seed[2])
{
    size_t             head, n;
    uintptr_t          first;
    gw_quota_store_t  *store;

    store = mem;

    first = ((uintptr_t) mem + sizeof(gw_quota_store_t) + GW_QUOTA_ALIGN - 1)
            & ~((uintptr_t) GW_QUOTA_ALIGN - 1);

    head = first - (uintptr_t) mem;

    if (size < head) {
        return NULL;
    }

    n = (size - head) / (GW_QUOTA_WAYS * sizeof(gw_quota_slot_t));

    if (n == 0) {
        return NULL;
    }

    store->layout = GW_QUOTA_LAYOUT;
    store->buckets = (n > UINT32_MAX) ? UINT32_MAX : (uint32_t) n;
    store->seed[0] = seed[0];
    store->seed[1] = seed[1];
    store->slots = (gw_quota_slot_t *) first;

    return store;
}


void
gw_quota_store_key(const gw_quota_store_t *store, const u_char *data,
    size_t len, gw_quota_key_t *key)
{
    gw_siphash13(store->seed, data, len, key->key);
}


gw_status_e
gw_quota_store_take(gw_quota_store_t *store, const gw_quota_key_t *key,
    const gw_quota_t *quota, int64_t now, int64_t cost, int force,
    gw_quota_result_t *res)
{
    gw_status_e       rc;
    gw_quota_half_t  *half;
    gw_quota_slot_t  *slot;

    slot = gw_quota_find(store, key);

    if (slot == NULL) {
        slot = gw_quota_insert(store, key, quota);
    }

    gw_quota_period(slot, quota, now, res);

    half = gw_quota_half(slot);

    res->carried = half->carried;
    res->granted = gw_quota_granted(slot);
    res->limit = quota->limit + res->carried + res->granted;

    rc = (half->used + (cost ? cost : 1) <= res->limit) ? GW_OK : GW_DECLINED;

    if ((rc == GW_OK || force) && cost > 0) {

        /* debts have an end, and so have sums */

        gw_quota_set(&half->used, (half->used > GW_QUOTA_MAX * 2)
                                  ? half->used : half->used + cost);
    }

    res->used = half->used;

    return rc;
}


void
gw_quota_store_give(gw_quota_store_t *store, const gw_quota_key_t *key,
    int64_t start, int64_t units)
{
    gw_quota_half_t  *half;
    gw_quota_slot_t  *slot;

    slot = gw_quota_find(store, key);

    if (slot == NULL) {
        return;
    }

    half = gw_quota_half(slot);

    if (half->start == start) {
        gw_quota_set(&half->used,
                     half->used > units ? half->used - units : 0);
    }
}


void
gw_quota_store_peek(gw_quota_store_t *store, const gw_quota_key_t *key,
    const gw_quota_t *quota, int64_t now, gw_quota_result_t *res)
{
    gw_quota_half_t  *half, none;
    gw_quota_slot_t  *slot;

    slot = gw_quota_find(store, key);

    none.start = 0;
    half = (slot != NULL) ? gw_quota_half(slot) : &none;

    res->used = 0;
    res->carried = 0;
    res->granted = 0;

    if (!gw_quota_turned(half, quota, now, res)) {
        res->used = half->used;
        res->carried = half->carried;
        res->granted = gw_quota_granted(slot);

    } else if (half->start != 0) {
        res->carried = gw_quota_carry(half, half->used, quota);
    }

    res->limit = quota->limit + res->carried + res->granted;
}


gw_status_e
gw_quota_store_grant(gw_quota_store_t *store, const gw_quota_key_t *key,
    const gw_quota_t *quota, int64_t now, int64_t units,
    gw_quota_result_t *res)
{
    gw_quota_half_t  *half, *other;
    gw_quota_slot_t  *slot;

    slot = gw_quota_find(store, key);

    if (slot == NULL) {
        slot = gw_quota_insert(store, key, quota);
    }

    gw_quota_period(slot, quota, now, res);

    half = gw_quota_half(slot);
    other = gw_quota_other(slot);

    units += gw_quota_granted(slot);

    if (units > GW_QUOTA_MAX) {
        return GW_DECLINED;
    }

    if (other->start != -half->start) {
        gw_quota_set(&other->start, 0);
    }

    gw_quota_set(&other->used, units);
    gw_quota_set(&other->start, -half->start);

    gw_quota_store_peek(store, key, quota, now, res);

    return GW_OK;
}


void
gw_quota_store_reset(gw_quota_store_t *store, const gw_quota_key_t *key)
{
    gw_quota_slot_t  *slot;

    slot = gw_quota_find(store, key);

    if (slot == NULL) {
        return;
    }

    /* the earlier one first: it must not count in between */

    gw_quota_set(&gw_quota_other(slot)->start, 0);
    gw_quota_set(&gw_quota_half(slot)->start, 0);
}


void
gw_quota_store_charge(gw_quota_store_t *store, const gw_quota_key_t *key,
    int64_t units)
{
    gw_quota_half_t  *half;
    gw_quota_slot_t  *slot;

    slot = gw_quota_find(store, key);

    if (slot == NULL) {
        return;
    }

    half = gw_quota_half(slot);

    /* as in gw_quota_store_take() */

    if (half->used <= GW_QUOTA_MAX * 2) {
        gw_quota_set(&half->used, half->used + units);
    }
}


static gw_quota_slot_t *
gw_quota_slots(gw_quota_store_t *store, const gw_quota_key_t *key)
{
    uint64_t  bucket;

    bucket = ((key->key[0] >> 32) * store->buckets) >> 32;

    return &store->slots[bucket * GW_QUOTA_WAYS];
}


gw_quota_slot_t *
gw_quota_find(gw_quota_store_t *store, const gw_quota_key_t *key)
{
    unsigned          n;
    gw_quota_slot_t  *slot;

    slot = gw_quota_slots(store, key);

    for (n = 0; n < GW_QUOTA_WAYS; n++, slot++) {

        if (slot->key[0] == key->key[0]
            && slot->key[1] == key->key[1]
            && gw_quota_half(slot)->start != 0)
        {
            return slot;
        }
    }

    return NULL;
}


gw_quota_half_t *
gw_quota_half(gw_quota_slot_t *slot)
{
    return &slot->half[slot->half[1].start > slot->half[0].start];
}


static gw_quota_half_t *
gw_quota_other(gw_quota_slot_t *slot)
{
    return &slot->half[slot->half[1].start <= slot->half[0].start];
}


/* Returns what was granted for the period that counts. */

static int64_t
gw_quota_granted(gw_quota_slot_t *slot)
{
    gw_quota_half_t  *half, *other;

    half = gw_quota_half(slot);
    other = gw_quota_other(slot);

    return (half->start > 0 && other->start == -half->start) ? other->used : 0;
}


gw_quota_slot_t *
gw_quota_insert(gw_quota_store_t *store, const gw_quota_key_t *key,
    const gw_quota_t *quota)
{
    unsigned          n;
    gw_quota_half_t  *half, *least;
    gw_quota_slot_t  *slot, *victim;

    slot = gw_quota_slots(store, key);
    victim = slot;
    least = gw_quota_half(slot);

    for (n = 1; n < GW_QUOTA_WAYS; n++) {
        half = gw_quota_half(&slot[n]);

        /* free, or ended: those of the same period by what they used */

        if (half->start < quota->start || least->start < quota->start) {

            if (half->start >= least->start) {
                continue;
            }

        } else if (half->used >= least->used) {
            continue;
        }

        victim = &slot[n];
        least = half;
    }

    if (least->start == 0) {
        store->used++;

    } else if (least->start < quota->start) {
        store->expired++;

    } else {
        store->evicted++;
    }

    if (victim->half[1].start == 0) {
        store->owed -= victim->half[1].used;
    }

    gw_quota_set(&victim->half[0].start, 0);
    gw_quota_set(&victim->half[1].used, 0);
    gw_quota_set(&victim->half[1].start, 0);

    victim->key[0] = key->key[0];
    victim->key[1] = key->key[1];

    return victim;
}


/* Makes sure that the slot has the period of "now". */

static void
gw_quota_period(gw_quota_slot_t *slot, const gw_quota_t *quota, int64_t now,
    gw_quota_result_t *res)
{
    int64_t           carried;
    gw_quota_half_t  *half, *next;

    half = gw_quota_half(slot);

    if (!gw_quota_turned(half, quota, now, res)) {
        return;
    }

    carried = (half->start == 0) ? 0
                                 : gw_quota_carry(half, half->used, quota);

    next = gw_quota_other(slot);

    next->used = 0;
    next->carried = carried;

    gw_quota_set(&next->start, res->start);
}


int
gw_quota_turned(const gw_quota_half_t *half, const gw_quota_t *quota,
    int64_t now, gw_quota_result_t *res)
{
    res->start = quota->start;
    res->end = quota->end;

    if (quota->length) {
        res->start = now;

        if (half->start != 0 && now < half->start + quota->length) {
            res->start = half->start;
        }

        res->end = res->start + quota->length;
    }

    if (half->start >= res->start) {
        res->start = half->start;
        return 0;
    }

    return 1;
}


int64_t
gw_quota_carry(const gw_quota_half_t *half, int64_t used,
    const gw_quota_t *quota)
{
    int64_t  left;

    left = quota->limit + half->carried - used;

    if (left < 0) {
        left = 0;
    }

    return (left < quota->carry) ? left : quota->carry;
}
