
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_concurrency_store.h"
#include "gw_siphash.h"


#define GW_CONCURRENCY_ALIGN   64
#define GW_CONCURRENCY_CELLS   ((size_t) 1 << 31)

/* lists that are swept for each new cell, and for the last resort */
#define GW_CONCURRENCY_SWEEP   2
#define GW_CONCURRENCY_SEARCH  256

#define gw_concurrency_load(p)      __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define gw_concurrency_set(p, n)   __atomic_store_n(p, n, __ATOMIC_SEQ_CST)


static gw_concurrency_owner_t *gw_concurrency_owner(
    const gw_concurrency_store_t *store, uint32_t id);
static int gw_concurrency_lives(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self, uint32_t id, uint32_t trust);
static void gw_concurrency_bury(gw_concurrency_owner_t *owner);
static uint32_t *gw_concurrency_head(gw_concurrency_store_t *store,
    const uint64_t *key);
static uint64_t gw_concurrency_sum(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self, const gw_concurrency_key_t *key,
    uint32_t trust, gw_concurrency_cell_t **mine);
static uint32_t gw_concurrency_insert(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self, const gw_concurrency_key_t *key);
static uint32_t gw_concurrency_pop(gw_concurrency_store_t *store);
static void gw_concurrency_drop(gw_concurrency_store_t *store,
    uint32_t *link);
static void gw_concurrency_sweep(gw_concurrency_store_t *store, unsigned n);
static void gw_concurrency_rebuild(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self);


gw_concurrency_store_t *
gw_concurrency_store_create(void *mem, size_t size, const uint64_t seed[2])
{
    size_t                   head, n;
    uintptr_t                first;
    gw_concurrency_store_t  *store;

    store = mem;

    first = ((uintptr_t) mem + sizeof(gw_concurrency_store_t)
             + GW_CONCURRENCY_ALIGN - 1)
            & ~((uintptr_t) GW_CONCURRENCY_ALIGN - 1);

    head = first - (uintptr_t) mem
           + GW_CONCURRENCY_OWNERS * sizeof(gw_concurrency_owner_t);

    if (size < head) {
        return NULL;
    }

    n = (size - head) / (sizeof(gw_concurrency_cell_t) + sizeof(uint32_t));

    if (n == 0) {
        return NULL;
    }

    if (n > GW_CONCURRENCY_CELLS) {
        n = GW_CONCURRENCY_CELLS;
    }

    store->layout = GW_CONCURRENCY_LAYOUT;
    store->seed[0] = seed[0];
    store->seed[1] = seed[1];
    store->ncells = (uint32_t) n;
    store->owners = (gw_concurrency_owner_t *) first;
    store->cells = (gw_concurrency_cell_t *) (store->owners
                                              + GW_CONCURRENCY_OWNERS);
    store->heads = (uint32_t *) (store->cells + n);

    return store;
}


void
gw_concurrency_store_key(const gw_concurrency_store_t *store,
    const u_char *data, size_t len, gw_concurrency_key_t *key)
{
    gw_siphash13(store->seed, data, len, key->key);
}


void
gw_concurrency_store_enter(gw_concurrency_store_t *store, unsigned index,
    uint32_t pid, gw_concurrency_self_t *self)
{
    gw_concurrency_owner_t  *owner;

    self->id = 0;

    if (index >= GW_CONCURRENCY_OWNERS) {
        return;
    }

    owner = &store->owners[index];

    if (owner->id == 0) {
        gw_concurrency_set(&owner->id, index);
    }

    gw_concurrency_bury(owner);

    owner->checked = self->now;
    gw_concurrency_set(&owner->pid, pid);

    self->id = owner->id;
}


void
gw_concurrency_store_leave(gw_concurrency_store_t *store,
    gw_concurrency_self_t *self)
{
    gw_concurrency_owner_t  *owner;

    owner = gw_concurrency_owner(store, self->id);

    if (self->id != 0 && owner->id == self->id) {
        gw_concurrency_bury(owner);
    }

    self->id = 0;
}


gw_status_e
gw_concurrency_store_take(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self, const gw_concurrency_key_t *key,
    uint64_t limit, uint32_t *hold, uint64_t *current)
{
    gw_status_e             rc;
    gw_concurrency_cell_t  *mine;

    *hold = 0;

    if (gw_concurrency_load(&store->inside)) {
        gw_concurrency_rebuild(store, self);
    }

    gw_concurrency_set(&store->inside, 1);

    *current = gw_concurrency_sum(store, self, key, GW_CONCURRENCY_TRUST,
                                  &mine);

    if (*current >= limit) {
        *current = gw_concurrency_sum(store, self, key, GW_CONCURRENCY_DOUBT,
                                      &mine);
    }

    rc = GW_DECLINED;

    if (*current < limit) {
        rc = GW_OK;
        (*current)++;

        if (self->id == 0) {
            store->unstored++;

        } else if (mine != NULL) {
            __atomic_fetch_add(&mine->count, 1, __ATOMIC_SEQ_CST);
            *hold = (uint32_t) (mine - store->cells) + 1;

        } else {
            *hold = gw_concurrency_insert(store, self, key);
        }

        if (*hold) {
            __atomic_fetch_add(&gw_concurrency_owner(store, self->id)->total,
                               1, __ATOMIC_SEQ_CST);
        }
    }

    gw_concurrency_set(&store->inside, 0);

    return rc;
}


void
gw_concurrency_store_give(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self, uint32_t hold)
{
    gw_concurrency_cell_t   *cell;
    gw_concurrency_owner_t  *owner;

    if (hold == 0 || self->id == 0) {
        return;
    }

    cell = &store->cells[hold - 1];
    owner = gw_concurrency_owner(store, self->id);

    /* nobody takes a cell with a count from an owner that lives */

    if (gw_concurrency_load(&owner->id) != self->id
        || gw_concurrency_load(&cell->owner) != self->id
        || gw_concurrency_load(&cell->count) == 0)
    {
        return;
    }

    __atomic_fetch_sub(&owner->total, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_sub(&cell->count, 1, __ATOMIC_SEQ_CST);
}


uint64_t
gw_concurrency_store_total(const gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self)
{
    uint32_t   pid;
    uint64_t   total;
    unsigned   i;

    total = 0;

    for (i = 0; i < GW_CONCURRENCY_OWNERS; i++) {
        pid = gw_concurrency_load(&store->owners[i].pid);

        if (pid != 0 && self->alive(pid)) {
            total += gw_concurrency_load(&store->owners[i].total);
        }
    }

    return total;
}


static gw_concurrency_owner_t *
gw_concurrency_owner(const gw_concurrency_store_t *store, uint32_t id)
{
    return &store->owners[id % GW_CONCURRENCY_OWNERS];
}


static int
gw_concurrency_lives(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self, uint32_t id, uint32_t trust)
{
    gw_concurrency_owner_t  *owner;

    owner = gw_concurrency_owner(store, id);

    if (id == 0 || owner->id != id) {
        return 0;
    }

    if (id == self->id || self->now - owner->checked < trust) {
        return 1;
    }

    if (owner->pid == 0 || !self->alive(owner->pid)) {
        gw_concurrency_bury(owner);
        return 0;
    }

    owner->checked = self->now;

    return 1;
}


/* The next generation of the same index; the cells of this one are free. */

static void
gw_concurrency_bury(gw_concurrency_owner_t *owner)
{
    uint32_t  id;

    id = owner->id + GW_CONCURRENCY_OWNERS;

    /* 0 is nobody */

    if (id < GW_CONCURRENCY_OWNERS) {
        id += GW_CONCURRENCY_OWNERS;
    }

    gw_concurrency_set(&owner->pid, 0);
    gw_concurrency_set(&owner->id, id);
    gw_concurrency_set(&owner->total, 0);
}


static uint32_t *
gw_concurrency_head(gw_concurrency_store_t *store, const uint64_t *key)
{
    return &store->heads[((key[0] >> 32) * store->ncells) >> 32];
}


/*
 * What the key has in progress.
 *
 *     trust   owners that were seen to live for less than that, ms, do
 *     mine    out: the cell of this process, NULL if there is none
 */

static uint64_t
gw_concurrency_sum(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self, const gw_concurrency_key_t *key,
    uint32_t trust, gw_concurrency_cell_t **mine)
{
    uint32_t               *link, count;
    uint64_t                sum;
    gw_concurrency_cell_t  *cell;

    *mine = NULL;
    sum = 0;

    link = gw_concurrency_head(store, key->key);

    while (*link) {
        cell = &store->cells[*link - 1];

        count = gw_concurrency_load(&cell->count);

        if (cell->key[0] == key->key[0]
            && cell->key[1] == key->key[1]
            && gw_concurrency_lives(store, self, cell->owner, trust))
        {
            if (cell->owner == self->id) {
                *mine = cell;

            } else if (count == 0) {
                gw_concurrency_drop(store, link);
                continue;
            }

            sum += count;

        } else if (count == 0
                   || gw_concurrency_owner(store, cell->owner)->id
                      != cell->owner)
        {
            gw_concurrency_drop(store, link);
            continue;
        }

        link = &cell->next;
    }

    return sum;
}


/* Returns the number of the new cell with a count of 1, 0 if all are used. */

static uint32_t
gw_concurrency_insert(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self, const gw_concurrency_key_t *key)
{
    uint32_t                n, *head;
    gw_concurrency_cell_t  *cell;

    gw_concurrency_sweep(store, GW_CONCURRENCY_SWEEP);

    n = gw_concurrency_pop(store);

    if (n == 0) {
        gw_concurrency_sweep(store, GW_CONCURRENCY_SEARCH);

        n = gw_concurrency_pop(store);

        if (n == 0) {
            store->unstored++;
            return 0;
        }
    }

    head = gw_concurrency_head(store, key->key);

    cell = &store->cells[n - 1];

    cell->key[0] = key->key[0];
    cell->key[1] = key->key[1];
    cell->next = *head;
    gw_concurrency_set(&cell->owner, self->id);

    /* the last, as a count makes the cell a cell */

    gw_concurrency_set(&cell->count, 1);

    *head = n;
    store->used++;

    return n;
}


static uint32_t
gw_concurrency_pop(gw_concurrency_store_t *store)
{
    uint32_t  n;

    n = store->free;

    if (n) {
        store->free = store->cells[n - 1].next;

    } else if (store->fresh < store->ncells) {
        n = ++store->fresh;
    }

    return n;
}


static void
gw_concurrency_drop(gw_concurrency_store_t *store, uint32_t *link)
{
    uint32_t                n;
    gw_concurrency_cell_t  *cell;

    n = *link;
    cell = &store->cells[n - 1];

    *link = cell->next;

    gw_concurrency_set(&cell->count, 0);
    cell->next = store->free;
    store->free = n;
    store->used--;
}


/* Frees what nobody uses on the next n lists. */

static void
gw_concurrency_sweep(gw_concurrency_store_t *store, unsigned n)
{
    uint32_t               *link;
    gw_concurrency_cell_t  *cell;

    for ( /* void */ ; n > 0; n--) {

        if (store->cursor >= store->ncells) {
            store->cursor = 0;
        }

        link = &store->heads[store->cursor++];

        while (*link) {
            cell = &store->cells[*link - 1];

            if (gw_concurrency_load(&cell->count) == 0
                || gw_concurrency_owner(store, cell->owner)->id
                   != cell->owner)
            {
                gw_concurrency_drop(store, link);

            } else {
                link = &cell->next;
            }
        }
    }
}


/* Whoever had the lock was killed: the cells are right, the lists may not. */

static void
gw_concurrency_rebuild(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self)
{
    uint32_t                i, *head;
    gw_concurrency_cell_t  *cell;

    for (i = 0; i < store->ncells; i++) {
        store->heads[i] = 0;
    }

    store->free = 0;
    store->used = 0;

    for (i = 0; i < store->fresh; i++) {
        cell = &store->cells[i];

        if (gw_concurrency_load(&cell->count)
            && gw_concurrency_lives(store, self, cell->owner, 0))
        {
            head = gw_concurrency_head(store, cell->key);

            cell->next = *head;
            *head = i + 1;
            store->used++;

        } else {
            gw_concurrency_set(&cell->count, 0);
            cell->next = store->free;
            store->free = i + 1;
        }
    }

    store->rebuilt++;
}
