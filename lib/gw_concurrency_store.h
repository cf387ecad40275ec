
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Requests in progress of many keys, in memory that several processes share.
 *
 * A cell counts the requests of one key in one process, its owner.  What a
 * key has in progress is the sum over the cells of the owners that live: a
 * killed process takes its counts with it, nothing has to be given back for
 * it.  Cells of a key hang on a list, in a hash table; a cell without a
 * request is taken by the next key that needs one.
 *
 * The functions that say so need a lock of the caller, one for the store,
 * that is released when its holder is killed.  It may be killed anywhere: the
 * store knows by a flag that somebody was inside, and the next one rebuilds
 * the lists from the cells.  A count is given back without the lock, by its
 * owner alone.
 */


#ifndef GW_CONCURRENCY_STORE_H
#define GW_CONCURRENCY_STORE_H


#include "gw.h"


#define GW_CONCURRENCY_LAYOUT   1

/* processes at a time, a power of two; as many as nginx may have */
#define GW_CONCURRENCY_OWNERS   1024

/* an owner is believed to live for that long, ms; shorter at the limit */
#define GW_CONCURRENCY_TRUST    1000
#define GW_CONCURRENCY_DOUBT    100


typedef struct {
    uint32_t                 id;         /* changes with each process */
    uint32_t                 pid;        /* 0: nobody */
    uint32_t                 total;      /* requests in progress */
    uint32_t                 checked;    /* ms, when it was seen to live */
} gw_concurrency_owner_t;


typedef struct {
    uint64_t                 key[2];
    uint32_t                 next;       /* number of a cell, 0: the last */
    uint32_t                 owner;      /* id */
    uint32_t                 count;      /* 0: free to be used */
    uint32_t                 spare;
} gw_concurrency_cell_t;


typedef struct {
    uint32_t                 layout;
    uint32_t                 inside;     /* somebody changes the lists */
    uint64_t                 seed[2];
    uint32_t                 ncells;
    uint32_t                 fresh;      /* cells that were ever used */
    uint32_t                 free;       /* list of cells */
    uint32_t                 used;       /* cells on the lists of keys */
    uint32_t                 cursor;     /* of the sweep */
    uint64_t                 unstored;   /* requests without a cell */
    uint64_t                 rebuilt;    /* times */
    gw_concurrency_owner_t  *owners;     /* the same addresses everywhere */
    uint32_t                *heads;
    gw_concurrency_cell_t   *cells;
} gw_concurrency_store_t;


typedef struct {
    uint64_t                 key[2];
} gw_concurrency_key_t;


/* what a process is, to the functions below */

typedef struct {
    uint32_t                 id;         /* 0: its requests are not counted */
    uint32_t                 now;        /* ms of any clock, may wrap */

    /* returns 0 if there is no process of this number any more */
    int                    (*alive)(uint32_t pid);
} gw_concurrency_self_t;


/*
 * Makes an empty store in zeroed memory.
 *
 *     size      bytes; those above 2^31 cells are not used
 *     seed      128 random bits, the secret of the hash
 *
 * Returns the store, or NULL if size has no place for one cell.
 */

gw_concurrency_store_t *gw_concurrency_store_create(void *mem, size_t size,
    const uint64_t seed[2]);


/* Hashes a key of any bytes for the functions below. */

void gw_concurrency_store_key(const gw_concurrency_store_t *store,
    const u_char *data, size_t len, gw_concurrency_key_t *key);


/*
 * A process begins to use the store; locked.
 *
 *     index     of the process; no other one that lives has the same
 *     pid       > 0
 *     self      in: now; out: id, 0 if index is GW_CONCURRENCY_OWNERS or more
 *
 * What another process of the same index held is free.
 */

void gw_concurrency_store_enter(gw_concurrency_store_t *store,
    unsigned index, uint32_t pid, gw_concurrency_self_t *self);

/* It ends: what it holds is free; locked. */

void gw_concurrency_store_leave(gw_concurrency_store_t *store,
    gw_concurrency_self_t *self);


/*
 * Counts a request of the key if fewer than "limit" are in progress; locked.
 *
 *     hold      out: for gw_concurrency_store_give(), 0 if it is not counted
 *     current   out: in progress, this one included if it is counted
 *
 * Returns GW_OK or GW_DECLINED.  Cannot fail: without a cell for the key the
 * request passes, uncounted.
 */

gw_status_e gw_concurrency_store_take(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self, const gw_concurrency_key_t *key,
    uint64_t limit, uint32_t *hold, uint64_t *current);


/*
 * The request has ended; without the lock, in the process that counted it.
 * Harmless if hold is 0, or after gw_concurrency_store_leave().
 */

void gw_concurrency_store_give(gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self, uint32_t hold);


/* Returns the requests in progress, of all keys; without the lock. */

uint64_t gw_concurrency_store_total(const gw_concurrency_store_t *store,
    const gw_concurrency_self_t *self);


#endif /* GW_CONCURRENCY_STORE_H */
