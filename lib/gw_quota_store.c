
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_quota_store.h"
#include "gw_siphash.h"


#define GW_QUOTA_ALIGN  64

#define gw_quota_set(p, n)  __atomic_store_n(p, n, __ATOMIC_SEQ_CST)


static gw_quota_slot_t *gw_quota_slots(gw_quota_store_t *store,
    const gw_quota_key_t *key);
static gw_quota_slot_t *gw_quota_find(gw_quota_store_t *store,
    const gw_quota_key_t *key);
static gw_quota_half_t *gw_quota_half(gw_quota_slot_t *slot);
static gw_quota_slot_t *gw_quota_insert(gw_quota_store_t *store,
    const gw_quota_key_t *key, const gw_quota_t *quota);
static void gw_quota_period(gw_quota_slot_t *slot, const gw_quota_t *quota,
    int64_t now, gw_quota_result_t *res);
static int64_t gw_quota_carry(const gw_quota_half_t *half,
    const gw_quota_t *quota);


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

    res->limit = quota->limit + half->carried;

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


static gw_quota_slot_t *
gw_quota_slots(gw_quota_store_t *store, const gw_quota_key_t *key)
{
    uint64_t  bucket;

    bucket = ((key->key[0] >> 32) * store->buckets) >> 32;

    return &store->slots[bucket * GW_QUOTA_WAYS];
}


static gw_quota_slot_t *
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


/* The half that counts. */

static gw_quota_half_t *
gw_quota_half(gw_quota_slot_t *slot)
{
    return &slot->half[slot->half[1].start > slot->half[0].start];
}


/* Returns a slot without a period for a new key. */

static gw_quota_slot_t *
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

    gw_quota_set(&victim->half[0].start, 0);
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
        return;
    }

    carried = (half->start == 0) ? 0 : gw_quota_carry(half, quota);

    next = &slot->half[half == &slot->half[0]];

    next->used = 0;
    next->carried = carried;

    gw_quota_set(&next->start, res->start);
}


/* what is left of the period before, or of one without any use after that */

static int64_t
gw_quota_carry(const gw_quota_half_t *half, const gw_quota_t *quota)
{
    int64_t  left;

    left = quota->limit + half->carried - half->used;

    if (left < 0) {
        left = 0;
    }

    return (left < quota->carry) ? left : quota->carry;
}
