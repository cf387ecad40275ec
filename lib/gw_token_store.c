
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_siphash.h"
#include "gw_token_store.h"


#define GW_TOKEN_STORE_ALIGN  64       /* bytes, a cache line */
#define GW_TOKEN_LIFE_BITS    28

/* each word alone; see the header why their order does not matter */

#define gw_token_load(p)       __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define gw_token_set(p, v)     __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define gw_token_count(p)      __atomic_fetch_add(p, 1, __ATOMIC_RELAXED)


static gw_token_slot_t *gw_token_slot(gw_token_store_t *store,
    const uint64_t digest[4], unsigned n);
static int gw_token_read(gw_token_store_t *store, gw_token_slot_t *slot,
    gw_token_slot_t *copy);
static uint64_t gw_token_check(const gw_token_store_t *store,
    const gw_token_slot_t *slot);
static gw_token_slot_t *gw_token_victim(gw_token_store_t *store,
    const uint64_t digest[4], int64_t now);
static void gw_token_write(gw_token_slot_t *slot,
    const gw_token_slot_t *new);
static int gw_token_same(const uint64_t a[4], const uint64_t b[4]);
static int64_t gw_token_end(const gw_token_slot_t *slot);


gw_token_store_t *
gw_token_store_create(void *mem, size_t size, const uint64_t seed[2])
{
    size_t             head, n;
    uintptr_t          first;
    gw_token_store_t  *store;

    store = mem;

    first = ((uintptr_t) mem + sizeof(gw_token_store_t)
             + GW_TOKEN_STORE_ALIGN - 1)
            & ~((uintptr_t) GW_TOKEN_STORE_ALIGN - 1);

    head = first - (uintptr_t) mem;

    if (size < head) {
        return NULL;
    }

    n = (size - head) / (GW_TOKEN_STORE_WAYS * sizeof(gw_token_slot_t));

    if (n == 0) {
        return NULL;
    }

    store->layout = GW_TOKEN_STORE_LAYOUT;
    store->buckets = (n > UINT32_MAX) ? UINT32_MAX : (uint32_t) n;
    store->seed[0] = seed[0];
    store->seed[1] = seed[1];
    store->slots = (gw_token_slot_t *) first;

    return store;
}


gw_status_e
gw_token_store_find(gw_token_store_t *store,
    const unsigned char digest[GW_TOKEN_DIGEST_LEN], int64_t now,
    gw_token_entry_t *entry)
{
    unsigned          n;
    uint64_t          words[4];
    gw_token_slot_t  *slot, copy;

    memcpy(words, digest, sizeof(words));

    for (n = 0; n < GW_TOKEN_STORE_WAYS; n++) {
        slot = gw_token_slot(store, words, n);

        if (gw_token_load(&slot->digest[0]) != words[0]
            || !gw_token_read(store, slot, &copy)
            || !gw_token_same(copy.digest, words)
            || gw_token_end(&copy) <= now)
        {
            continue;
        }

        memcpy(entry->digest, copy.digest, GW_TOKEN_DIGEST_LEN);
        memcpy(entry->key, copy.key, GW_TOKEN_KEY_LEN);
        entry->since = (int64_t) (copy.dates >> GW_TOKEN_LIFE_BITS);
        entry->end = gw_token_end(&copy);

        return GW_OK;
    }

    return GW_DECLINED;
}


void
gw_token_store_put(gw_token_store_t *store, const gw_token_entry_t *entry,
    int64_t now)
{
    int64_t          life;
    gw_token_slot_t  new;

    life = entry->end - entry->since;

    if (entry->since < 0
        || entry->since > GW_TOKEN_STORE_TIME
        || entry->end <= now
        || life <= 0)
    {
        return;
    }

    if (life > GW_TOKEN_STORE_LIFE) {
        life = GW_TOKEN_STORE_LIFE;
    }

    memcpy(new.digest, entry->digest, sizeof(new.digest));
    memcpy(new.key, entry->key, sizeof(new.key));

    new.dates = ((uint64_t) entry->since << GW_TOKEN_LIFE_BITS)
                | (uint64_t) life;
    new.check = gw_token_check(store, &new);

    gw_token_write(gw_token_victim(store, new.digest, now), &new);
}


/* The n-th slot of the token's bucket, from a place that depends on it. */

static gw_token_slot_t *
gw_token_slot(gw_token_store_t *store, const uint64_t digest[4], unsigned n)
{
    uint64_t  bucket;

    bucket = ((digest[3] >> 32) * store->buckets) >> 32;

    return &store->slots[bucket * GW_TOKEN_STORE_WAYS
                         + (digest[3] + n) % GW_TOKEN_STORE_WAYS];
}


/* Copies a slot.  Returns 1 if the copy is what somebody has put. */

static int
gw_token_read(gw_token_store_t *store, gw_token_slot_t *slot,
    gw_token_slot_t *copy)
{
    unsigned  n;

    copy->check = gw_token_load(&slot->check);

    if (copy->check == 0) {
        return 0;
    }

    for (n = 0; n < 4; n++) {
        copy->digest[n] = gw_token_load(&slot->digest[n]);
    }

    copy->key[0] = gw_token_load(&slot->key[0]);
    copy->key[1] = gw_token_load(&slot->key[1]);
    copy->dates = gw_token_load(&slot->dates);

    return copy->check == gw_token_check(store, copy);
}


static uint64_t
gw_token_check(const gw_token_store_t *store, const gw_token_slot_t *slot)
{
    uint64_t  hash[2];

    gw_siphash13(store->seed, (const u_char *) slot + sizeof(slot->check),
                 sizeof(gw_token_slot_t) - sizeof(slot->check), hash);

    return hash[0] ? hash[0] : 1;
}


/* The slot that a new entry goes to. */

static gw_token_slot_t *
gw_token_victim(gw_token_store_t *store, const uint64_t digest[4],
    int64_t now)
{
    int               free;
    int64_t           end, nearest;
    unsigned          n;
    gw_token_slot_t  *slot, *victim, copy;

    victim = NULL;
    nearest = 0;
    free = 0;

    for (n = 0; n < GW_TOKEN_STORE_WAYS; n++) {
        slot = gw_token_slot(store, digest, n);

        /* a spoiled one was counted when it was written: it is no loss */

        if (!gw_token_read(store, slot, &copy)) {

            if (!free) {
                victim = slot;
                free = 1;
            }

            continue;
        }

        if (gw_token_same(copy.digest, digest)) {
            return slot;
        }

        end = gw_token_end(&copy);

        if (!free && (victim == NULL || end < nearest)) {
            victim = slot;
            nearest = end;
        }
    }

    gw_token_count(free ? &store->used
                   : nearest <= now ? &store->expired : &store->evicted);

    return victim;
}


static void
gw_token_write(gw_token_slot_t *slot, const gw_token_slot_t *new)
{
    unsigned  n;

    /* a reader need not hash a slot that is being written */

    gw_token_set(&slot->check, 0);

    for (n = 0; n < 4; n++) {
        gw_token_set(&slot->digest[n], new->digest[n]);
    }

    gw_token_set(&slot->key[0], new->key[0]);
    gw_token_set(&slot->key[1], new->key[1]);
    gw_token_set(&slot->dates, new->dates);

    gw_token_set(&slot->check, new->check);
}


static int
gw_token_same(const uint64_t a[4], const uint64_t b[4])
{
    return memcmp(a, b, GW_TOKEN_DIGEST_LEN) == 0;
}


static int64_t
gw_token_end(const gw_token_slot_t *slot)
{
    return (int64_t) (slot->dates >> GW_TOKEN_LIFE_BITS)
           + (int64_t) (slot->dates & GW_TOKEN_STORE_LIFE);
}
