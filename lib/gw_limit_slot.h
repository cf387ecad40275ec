
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the files of the store share: finding and claiming slots.  See
 * gw_limit_store.h.
 */


#ifndef GW_LIMIT_SLOT_H
#define GW_LIMIT_SLOT_H


#include "gw_limit_store.h"


#define GW_LIMIT_STORE_TRIES  1000    /* lost races of one decision */

#define gw_limit_load(p)      __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define gw_limit_count(p)     __atomic_fetch_add(p, 1, __ATOMIC_RELAXED)


/* what a look through a bucket found */

typedef struct {
    gw_limit_slot_t    *slot;             /* of the key, NULL if none */
    gw_limit_slot_t    *claimed;          /* being written for the key */
    int64_t             tat;              /* the word of either */
} gw_limit_look_t;


/* Looks for the slot of a key; waits a little while it is being written. */

void gw_limit_find(gw_limit_store_t *store, const gw_limit_key_t *key,
    gw_limit_look_t *look);


/* The same without waiting, and without one slot. */

void gw_limit_look(gw_limit_store_t *store, const gw_limit_key_t *key,
    gw_limit_slot_t *except, gw_limit_look_t *look);


/*
 * Makes the slot of a key that has none.
 *
 *     look      what was found for the key
 *     tat       of the new slot, > 0; the spare words are 0
 *
 * Returns GW_OK, or GW_AGAIN when another process came first.
 */

gw_status_e gw_limit_insert(gw_limit_store_t *store,
    const gw_limit_key_t *key, int64_t now, gw_limit_look_t *look,
    int64_t tat);


/* Compares and swaps the first word of a slot; returns 1 if it did. */

int gw_limit_swap(int64_t *p, int64_t old, int64_t new);


#endif /* GW_LIMIT_SLOT_H */
