
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_limit_slot.h"
#include "gw_limit_window.h"


#define GW_LIMIT_WINDOW_TICK  1000               /* ns of a usec */
#define GW_LIMIT_WINDOW_BITS  28
#define GW_LIMIT_WINDOW_MASK  (((uint64_t) 1 << GW_LIMIT_WINDOW_BITS) - 1)


static gw_status_e gw_limit_window_change(gw_limit_store_t *store,
    const gw_limit_key_t *key, const gw_window_t *w, int64_t *now,
    gw_limit_clock_pt clock, int64_t force, int64_t cost,
    gw_gcra_result_t *res);
static gw_status_e gw_limit_window_decide(const gw_window_t *w,
    gw_window_cell_t *cell, int64_t now, int64_t force, int64_t cost,
    gw_gcra_result_t *res);
static void gw_limit_window_read(const gw_window_t *w, uint64_t word,
    int64_t end, gw_window_cell_t *cell);
static uint64_t gw_limit_window_word(const gw_window_cell_t *cell);
static uint64_t gw_limit_window_tag(int64_t end);
static int gw_limit_window_keep(gw_limit_look_t *look, uint64_t word,
    const gw_window_cell_t *cell);


gw_status_e
gw_limit_window_take(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_window_t *w, int64_t *now, gw_limit_clock_pt clock, int64_t cost,
    gw_gcra_result_t *res)
{
    return gw_limit_window_change(store, key, w, now, clock, 0, cost, res);
}


void
gw_limit_window_force(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_window_t *w, int64_t *now, gw_limit_clock_pt clock,
    int64_t units, int64_t cost, gw_gcra_result_t *res)
{
    (void) gw_limit_window_change(store, key, w, now, clock, units, cost, res);
}


/* force: units to be charged in any case, "cost" is only asked for then */

static gw_status_e
gw_limit_window_change(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_window_t *w, int64_t *now, gw_limit_clock_pt clock, int64_t force,
    int64_t cost, gw_gcra_result_t *res)
{
    int               strange;
    int64_t           end;
    uint64_t          word;
    unsigned          n;
    gw_status_e       rc;
    gw_limit_look_t   look;
    gw_window_cell_t  cell;

    for (n = 0; n < GW_LIMIT_STORE_TRIES; n++) {

        gw_limit_find(store, key, &look);

        cell.end = 0;
        word = 0;

        if (look.slot != NULL) {
            word = gw_limit_load(&look.slot->spare[0]);

            if (gw_limit_load(&look.slot->tat) != look.tat) {
                /* the window turned: these are counters of the next one */
                continue;
            }

            end = look.tat / GW_LIMIT_WINDOW_TICK;

            if (end > gw_window_end(w, *now / GW_LIMIT_WINDOW_TICK)) {

                /* "now" may be old: this process was interrupted */

                *now = clock();
            }

            gw_limit_window_read(w, word, end, &cell);
        }

        strange = gw_window_turn(w, &cell, *now / GW_LIMIT_WINDOW_TICK);

        rc = gw_limit_window_decide(w, &cell, *now / GW_LIMIT_WINDOW_TICK,
                                    force, cost, res);

        if ((rc != GW_OK || cost == 0) && !strange && !force) {
            return rc;
        }

        if (look.slot == NULL) {

            /* the slot is made without counters, so nobody's are lost */

            (void) gw_limit_insert(store, key, *now, &look,
                                   cell.end * GW_LIMIT_WINDOW_TICK);
            continue;
        }

        if (gw_limit_window_keep(&look, word, &cell)) {
            return rc;
        }

        gw_limit_count(&store->retries);
    }

    gw_limit_count(&store->unstored);

    cell.end = 0;
    (void) gw_window_turn(w, &cell, *now / GW_LIMIT_WINDOW_TICK);

    return gw_limit_window_decide(w, &cell, *now / GW_LIMIT_WINDOW_TICK, force,
                                  cost, res);
}


static gw_status_e
gw_limit_window_decide(const gw_window_t *w, gw_window_cell_t *cell,
    int64_t now, int64_t force, int64_t cost, gw_gcra_result_t *res)
{
    gw_window_cell_t  after;

    if (force == 0) {
        return gw_window_take(w, cell, now, cost, res);
    }

    gw_window_force(w, cell, force);
    after = *cell;

    return gw_window_take(w, &after, now, cost, res);
}


void
gw_limit_window_give(gw_limit_store_t *store, const gw_limit_key_t *key,
    int64_t end, int64_t units)
{
    uint64_t          word;
    unsigned          n;
    gw_limit_look_t   look;
    gw_window_cell_t  cell;

    for (n = 0; n < GW_LIMIT_STORE_TRIES; n++) {

        gw_limit_look(store, key, NULL, &look);

        if (look.slot == NULL || look.tat != end * GW_LIMIT_WINDOW_TICK) {
            return;
        }

        word = gw_limit_load(&look.slot->spare[0]);

        if (gw_limit_load(&look.slot->tat) != look.tat) {
            continue;
        }

        if (word >> (2 * GW_LIMIT_WINDOW_BITS) != gw_limit_window_tag(end)) {
            return;
        }

        gw_limit_window_read(NULL, word, end, &cell);

        cell.count = (cell.count > units) ? cell.count - units : 0;

        if (gw_limit_window_keep(&look, word, &cell)) {
            return;
        }
    }
}


int64_t
gw_limit_window_drain(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_window_t *w, int64_t now)
{
    uint64_t          word;
    unsigned          n;
    gw_limit_look_t   look;
    gw_gcra_result_t  res;
    gw_window_cell_t  cell;

    now /= GW_LIMIT_WINDOW_TICK;

    for (n = 0; n < GW_LIMIT_STORE_TRIES; n++) {

        gw_limit_look(store, key, NULL, &look);

        if (look.slot == NULL) {
            return 0;
        }

        word = gw_limit_load(&look.slot->spare[0]);

        if (gw_limit_load(&look.slot->tat) != look.tat) {
            continue;
        }

        gw_limit_window_read(w, word, look.tat / GW_LIMIT_WINDOW_TICK, &cell);

        (void) gw_window_turn(w, &cell, now);
        gw_window_state(w, &cell, now, &res);

        if (res.remaining == w->limit) {
            return 0;
        }

        cell.count = 0;
        cell.previous = 0;

        if (gw_limit_window_keep(&look, word, &cell)) {
            return w->limit - res.remaining;
        }
    }

    return 0;
}


void
gw_limit_window_peek(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_window_t *w, int64_t now, gw_gcra_result_t *res)
{
    uint64_t          word;
    unsigned          n;
    gw_limit_look_t   look;
    gw_window_cell_t  cell;

    now /= GW_LIMIT_WINDOW_TICK;
    cell.end = 0;

    for (n = 0; n < GW_LIMIT_STORE_TRIES; n++) {

        gw_limit_find(store, key, &look);

        if (look.slot == NULL) {
            break;
        }

        word = gw_limit_load(&look.slot->spare[0]);

        if (gw_limit_load(&look.slot->tat) == look.tat) {
            gw_limit_window_read(w, word, look.tat / GW_LIMIT_WINDOW_TICK,
                                 &cell);
            break;
        }
    }

    (void) gw_window_turn(w, &cell, now);
    gw_window_state(w, &cell, now, res);
}


void
gw_limit_window_reset(gw_limit_store_t *store, const gw_limit_key_t *key)
{
    uint64_t          word;
    unsigned          n;
    gw_limit_look_t   look;
    gw_window_cell_t  cell;

    for (n = 0; n < GW_LIMIT_STORE_TRIES; n++) {

        gw_limit_find(store, key, &look);

        if (look.slot == NULL) {
            return;
        }

        word = gw_limit_load(&look.slot->spare[0]);

        if (gw_limit_load(&look.slot->tat) != look.tat) {
            continue;
        }

        /* the end stands: it alone would bring the counters back */

        cell.end = look.tat / GW_LIMIT_WINDOW_TICK;
        cell.count = 0;
        cell.previous = 0;

        if (gw_limit_window_keep(&look, word, &cell)) {
            return;
        }
    }
}


/* w: NULL when the counters are known to belong to "end" */

static void
gw_limit_window_read(const gw_window_t *w, uint64_t word, int64_t end,
    gw_window_cell_t *cell)
{
    uint64_t  tag;

    tag = word >> (2 * GW_LIMIT_WINDOW_BITS);

    cell->end = end;
    cell->count = (int64_t) ((word >> GW_LIMIT_WINDOW_BITS)
                             & GW_LIMIT_WINDOW_MASK);
    cell->previous = (int64_t) (word & GW_LIMIT_WINDOW_MASK);

    if (w == NULL || tag == gw_limit_window_tag(end)) {
        return;
    }

    if (w->sliding && tag == gw_limit_window_tag(end - w->period)) {

        /* the end was raised, the counters have not followed */

        cell->end = end - w->period;
        return;
    }

    cell->count = 0;
    cell->previous = 0;
}


static uint64_t
gw_limit_window_word(const gw_window_cell_t *cell)
{
    return gw_limit_window_tag(cell->end) << (2 * GW_LIMIT_WINDOW_BITS)
           | (uint64_t) cell->count << GW_LIMIT_WINDOW_BITS
           | (uint64_t) cell->previous;
}


/* 8 bits that tell ends apart, also those of different periods */

static uint64_t
gw_limit_window_tag(int64_t end)
{
    return ((uint64_t) end * 0x9e3779b97f4a7c15ULL) >> 56;
}


/* Returns 1 if the slot was as "look" and "word" say, and is as "cell" now. */

static int
gw_limit_window_keep(gw_limit_look_t *look, uint64_t word,
    const gw_window_cell_t *cell)
{
    int64_t  tat;

    tat = cell->end * GW_LIMIT_WINDOW_TICK;

    if (tat != look->tat && !gw_limit_swap(&look->slot->tat, look->tat, tat)) {
        return 0;
    }

    return __atomic_compare_exchange_n(&look->slot->spare[0], &word,
                                       gw_limit_window_word(cell), 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
