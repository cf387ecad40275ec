
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_limit_slot.h"
#include "gw_siphash.h"


#define GW_LIMIT_STORE_ALIGN  64
#define GW_LIMIT_STORE_SPIN   64      /* looks at a claim of the same key */

/* a claim: the sign, 23 bits of the key, 40 bits of time in 2^20 ns */

#define GW_LIMIT_CLAIM_TIME   (((uint64_t) 1 << 40) - 1)
#define GW_LIMIT_CLAIM_TAG    (((uint64_t) 1 << 63) - 1 - GW_LIMIT_CLAIM_TIME)


static gw_limit_slot_t *gw_limit_slot(gw_limit_store_t *store,
    const gw_limit_key_t *key, unsigned n);
static void gw_limit_victim(gw_limit_store_t *store, const gw_limit_key_t *key,
    int64_t now, gw_limit_look_t *look);
static int64_t gw_limit_claim(const gw_limit_key_t *key, int64_t now);
static int gw_limit_claim_same(int64_t claim, const gw_limit_key_t *key);
static int gw_limit_claim_stale(int64_t claim, int64_t now);
static void gw_limit_pause(void);


gw_limit_store_t *
gw_limit_store_create(void *mem, size_t size, const uint64_t seed[2])
{
    size_t             head, n;
    uintptr_t          first;
    gw_limit_store_t  *store;

    store = mem;

    first = ((uintptr_t) mem + sizeof(gw_limit_store_t)
             + GW_LIMIT_STORE_ALIGN - 1)
            & ~((uintptr_t) GW_LIMIT_STORE_ALIGN - 1);

    head = first - (uintptr_t) mem;

    if (size < head) {
        return NULL;
    }

    n = (size - head) / (GW_LIMIT_STORE_WAYS * sizeof(gw_limit_slot_t));

    if (n == 0) {
        return NULL;
    }

    store->layout = GW_LIMIT_STORE_LAYOUT;
    store->buckets = (n > UINT32_MAX) ? UINT32_MAX : (uint32_t) n;
    store->seed[0] = seed[0];
    store->seed[1] = seed[1];
    store->slots = (gw_limit_slot_t *) first;

    return store;
}


void
gw_limit_store_key(const gw_limit_store_t *store, const u_char *data,
    size_t len, gw_limit_key_t *key)
{
    gw_siphash13(store->seed, data, len, key->key);
}


gw_status_e
gw_limit_store_take(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_gcra_t *gcra, int64_t *now, gw_limit_clock_pt clock,
    int64_t cost, gw_gcra_result_t *res)
{
    unsigned         n;
    gw_status_e      rc;
    gw_limit_look_t  look;

    for (n = 0; n < GW_LIMIT_STORE_TRIES; n++) {

        gw_limit_find(store, key, &look);

        if (look.slot == NULL) {
            rc = gw_gcra_take(gcra, 0, *now, cost, res);

            if (rc != GW_OK || cost == 0) {
                return rc;
            }

            if (gw_limit_insert(store, key, *now, &look, res->tat) == GW_OK) {
                return GW_OK;
            }

        } else {

            if (look.tat - *now > gcra->tau + gcra->debt) {
                *now = clock();
            }

            rc = gw_gcra_take(gcra, look.tat, *now, cost, res);

            /* a denial writes too, but only a time that it brought down */

            if ((rc != GW_OK || cost == 0) && res->tat >= look.tat) {
                return rc;
            }

            if (gw_limit_swap(&look.slot->tat, look.tat, res->tat)) {
                return rc;
            }
        }

        gw_limit_count(&store->retries);
    }

    gw_limit_count(&store->unstored);

    return gw_gcra_take(gcra, 0, *now, cost, res);
}


void
gw_limit_store_force(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_gcra_t *gcra, int64_t *now, gw_limit_clock_pt clock,
    int64_t units, int64_t cost, gw_gcra_result_t *res)
{
    int64_t          tat;
    unsigned         n;
    gw_limit_look_t  look;

    tat = 0;

    for (n = 0; n < GW_LIMIT_STORE_TRIES; n++) {

        gw_limit_find(store, key, &look);

        if (look.slot == NULL) {
            tat = gw_gcra_force(gcra, 0, *now, units);

            if (gw_limit_insert(store, key, *now, &look, tat) == GW_OK) {
                break;
            }

        } else {

            if (look.tat - *now > gcra->tau + gcra->debt) {
                *now = clock();
            }

            tat = gw_gcra_force(gcra, look.tat, *now, units);

            if (gw_limit_swap(&look.slot->tat, look.tat, tat)) {
                break;
            }
        }

        gw_limit_count(&store->retries);
    }

    if (n == GW_LIMIT_STORE_TRIES) {
        gw_limit_count(&store->unstored);
    }

    (void) gw_gcra_take(gcra, tat, *now, cost, res);
}


void
gw_limit_store_give(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_gcra_t *gcra, int64_t units)
{
    int64_t          tat;
    unsigned         n;
    gw_limit_look_t  look;

    for (n = 0; n < GW_LIMIT_STORE_TRIES; n++) {

        gw_limit_look(store, key, NULL, &look);

        if (look.slot == NULL) {
            return;
        }

        tat = gw_gcra_give(gcra, look.tat, units);

        if (gw_limit_swap(&look.slot->tat, look.tat, tat > 0 ? tat : 1)) {
            return;
        }
    }
}


int64_t
gw_limit_store_drain(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_gcra_t *gcra, int64_t now)
{
    int64_t          ahead;
    unsigned         n;
    gw_limit_look_t  look;

    for (n = 0; n < GW_LIMIT_STORE_TRIES; n++) {

        gw_limit_look(store, key, NULL, &look);

        if (look.slot == NULL || look.tat <= now) {
            return 0;
        }

        if (gw_limit_swap(&look.slot->tat, look.tat, 1)) {
            ahead = look.tat - now;

            if (ahead > gcra->tau + gcra->debt) {
                ahead = gcra->tau + gcra->debt;
            }

            return (ahead + gcra->interval - 1) / gcra->interval;
        }
    }

    return 0;
}


int64_t
gw_limit_store_peek(gw_limit_store_t *store, const gw_limit_key_t *key)
{
    gw_limit_look_t  look;

    gw_limit_find(store, key, &look);

    return (look.slot != NULL) ? look.tat : 0;
}


void
gw_limit_store_reset(gw_limit_store_t *store, const gw_limit_key_t *key)
{
    unsigned         n;
    gw_limit_look_t  look;

    for (n = 0; n < GW_LIMIT_STORE_TRIES; n++) {

        gw_limit_find(store, key, &look);

        if (look.slot == NULL || gw_limit_swap(&look.slot->tat, look.tat, 1)) {
            return;
        }
    }
}


/* The n-th slot of the key's bucket, from a place that its hash chooses. */

static gw_limit_slot_t *
gw_limit_slot(gw_limit_store_t *store, const gw_limit_key_t *key, unsigned n)
{
    uint64_t  bucket;

    bucket = ((key->key[0] >> 32) * store->buckets) >> 32;

    return &store->slots[bucket * GW_LIMIT_STORE_WAYS
                         + (key->key[1] + n) % GW_LIMIT_STORE_WAYS];
}


void
gw_limit_find(gw_limit_store_t *store, const gw_limit_key_t *key,
    gw_limit_look_t *look)
{
    unsigned  n;

    for (n = 0; n < GW_LIMIT_STORE_SPIN; n++) {

        gw_limit_look(store, key, NULL, look);

        if (look->slot != NULL || look->claimed == NULL) {
            return;
        }

        gw_limit_pause();
    }
}


void
gw_limit_look(gw_limit_store_t *store, const gw_limit_key_t *key,
    gw_limit_slot_t *except, gw_limit_look_t *look)
{
    int64_t           tat;
    unsigned          n;
    gw_limit_slot_t  *slot;

    look->slot = NULL;
    look->claimed = NULL;
    look->tat = 0;

    for (n = 0; n < GW_LIMIT_STORE_WAYS; n++) {
        slot = gw_limit_slot(store, key, n);

        tat = gw_limit_load(&slot->tat);

        if (tat == 0 || slot == except) {
            continue;
        }

        if (tat < 0) {
            if (gw_limit_claim_same(tat, key)) {
                look->claimed = slot;
                look->tat = tat;
            }

            continue;
        }

        if (__atomic_load_n(&slot->key[0], __ATOMIC_ACQUIRE) == key->key[0]
            && __atomic_load_n(&slot->key[1], __ATOMIC_ACQUIRE)
               == key->key[1])
        {
            look->slot = slot;
            look->tat = tat;
            return;
        }
    }
}


/* Chooses the slot for a new key: look->claimed, NULL if there is none. */

static void
gw_limit_victim(gw_limit_store_t *store, const gw_limit_key_t *key,
    int64_t now, gw_limit_look_t *look)
{
    int64_t           tat;
    unsigned          n;
    gw_limit_slot_t  *slot;

    for (n = 0; n < GW_LIMIT_STORE_WAYS; n++) {
        slot = gw_limit_slot(store, key, n);

        tat = gw_limit_load(&slot->tat);

        if (tat == 0 || (tat < 0 && gw_limit_claim_stale(tat, now))) {
            look->claimed = slot;
            look->tat = tat;
            return;
        }

        if (tat > 0 && (look->claimed == NULL || tat < look->tat)) {
            look->claimed = slot;
            look->tat = tat;
        }
    }
}


gw_status_e
gw_limit_store_room(gw_limit_store_t *store, const gw_limit_key_t *key,
    int64_t now, int64_t *wait)
{
    gw_limit_look_t  look;

    gw_limit_find(store, key, &look);

    if (look.slot != NULL) {
        return GW_OK;
    }

    look.claimed = NULL;

    gw_limit_victim(store, key, now, &look);

    if (look.claimed != NULL && look.tat <= now) {
        return GW_OK;
    }

    /* all of them are being written */

    *wait = (look.claimed != NULL) ? look.tat - now : 1;

    return GW_DECLINED;
}


gw_status_e
gw_limit_insert(gw_limit_store_t *store, const gw_limit_key_t *key,
    int64_t now, gw_limit_look_t *look, int64_t tat)
{
    int64_t           claim;
    uint64_t          word;
    unsigned          n;
    gw_limit_look_t   again;
    gw_limit_slot_t  *slot;

    if (look->claimed == NULL) {
        gw_limit_victim(store, key, now, look);
    }

    slot = look->claimed;
    claim = gw_limit_claim(key, now);

    if (slot == NULL || !gw_limit_swap(&slot->tat, look->tat, claim)) {
        gw_limit_pause();
        return GW_AGAIN;
    }

    /*
     * Another process may be inserting the key into another slot.  At least
     * one of the two sees the claim of the other, and steps back.
     */

    gw_limit_look(store, key, slot, &again);

    if (again.slot != NULL || again.claimed != NULL) {
        gw_limit_swap(&slot->tat, claim, 0);
        return GW_AGAIN;
    }

    __atomic_store_n(&slot->key[0], key->key[0], __ATOMIC_RELEASE);
    __atomic_store_n(&slot->key[1], key->key[1], __ATOMIC_RELEASE);

    for (n = 0; n < sizeof(slot->spare) / sizeof(slot->spare[0]); n++) {
        word = gw_limit_load(&slot->spare[n]);

        /* the claim may have been taken over, and units counted since */

        if (gw_limit_load(&slot->tat) != claim) {
            return GW_AGAIN;
        }

        (void) __atomic_compare_exchange_n(&slot->spare[n], &word, 0, 0,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }

    if (!gw_limit_swap(&slot->tat, claim, tat)) {
        return GW_AGAIN;
    }

    gw_limit_count(look->tat <= 0 ? &store->used
                   : look->tat <= now ? &store->expired : &store->evicted);

    return GW_OK;
}


static int64_t
gw_limit_claim(const gw_limit_key_t *key, int64_t now)
{
    uint64_t  claim;

    claim = ((uint64_t) now >> 20) & GW_LIMIT_CLAIM_TIME;
    claim |= key->key[1] & GW_LIMIT_CLAIM_TAG;

    return (int64_t) claim + INT64_MIN;
}


static int
gw_limit_claim_same(int64_t claim, const gw_limit_key_t *key)
{
    return (((uint64_t) claim ^ key->key[1]) & GW_LIMIT_CLAIM_TAG) == 0;
}


static int
gw_limit_claim_stale(int64_t claim, int64_t now)
{
    uint64_t  since;

    since = (uint64_t) claim & GW_LIMIT_CLAIM_TIME;

    return ((uint64_t) now >> 20) >= since + GW_LIMIT_STORE_STALE;
}


int
gw_limit_swap(int64_t *p, int64_t old, int64_t new)
{
    return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}


static void
gw_limit_pause(void)
{
#if (__i386__ || __i386 || __amd64__ || __amd64)
    __builtin_ia32_pause();
#else
    __asm__ volatile ("" ::: "memory");
#endif
}
