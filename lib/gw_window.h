
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Counting in windows of time.  A fixed window forgets all at its end; a
 * sliding one adds what the window before it had, weighted by the part of it
 * that a window ending now would still cover.
 *
 * Times are in usec.  Windows begin at multiples of their period on the
 * caller's clock.  The weight is rounded up to 1/2^24 of a window, and the
 * weighted units are rounded up, so that the arithmetic is exact in integers
 * of 64 bits and in the doubles of take.lua alike.
 */


#ifndef GW_WINDOW_H
#define GW_WINDOW_H


#include "gw_gcra.h"


/* units in one window: two counters of 28 bits share a word with 8 others */
#define GW_WINDOW_LIMIT_MAX  ((int64_t) (1 << 28) - 1)

/* parts of a window, at most: with the above, products of 52 bits */
#define GW_WINDOW_PARTS      ((int64_t) 1 << 24)


typedef struct {
    int64_t   period;          /* usec */
    int64_t   limit;           /* units in one window */
    int64_t   quantum;         /* usec of one part */
    int64_t   parts;           /* in one window */
    int       sliding;
} gw_window_t;


/* what is kept for a key */

typedef struct {
    int64_t   end;             /* usec: counts for nothing from then on */
    int64_t   count;           /* units in the current window */
    int64_t   previous;        /* and in that before, sliding only */
} gw_window_cell_t;


/*
 * Computes the constants of a limit.
 *
 *     count     units in one period, > 0
 *     period    usec, > 0
 *     sliding   not 0: a sliding window, otherwise a fixed one
 *
 * Returns GW_OK, or GW_DECLINED if count is above GW_WINDOW_LIMIT_MAX.
 */

gw_status_e gw_window_init(gw_window_t *w, int64_t count, int64_t period,
    int sliding);


/* Returns what cell->end is for the window of "now". */

int64_t gw_window_end(const gw_window_t *w, int64_t now);


/*
 * Brings a cell to the window of "now".  What was left by another period or
 * by a clock that went back counts as units of the current window, and never
 * more than one window holds.
 *
 *     cell      in/out: end is 0 if nothing was kept
 *
 * Returns 1 if the cell was left by another period or clock: keep it then,
 * also after a denial, or it stays as it was for the old period.
 */

int gw_window_turn(const gw_window_t *w, gw_window_cell_t *cell, int64_t now);


/*
 * Decides about "cost" units of a cell of the window of "now".
 *
 *     cell      in/out: as gw_window_turn() left it
 *     cost      units, >= 0; 0 looks whether one unit is left, takes none
 *     res       out: tat is cell->end
 *
 * Returns GW_OK if the units are taken or GW_DECLINED.  Cannot fail.
 */

gw_status_e gw_window_take(const gw_window_t *w, gw_window_cell_t *cell,
    int64_t now, int64_t cost, gw_gcra_result_t *res);


/*
 * Charges units whether they are there or not: they fill the window, and no
 * more.
 *
 *     cell      in/out: as gw_window_turn() left it
 */

void gw_window_force(const gw_window_t *w, gw_window_cell_t *cell,
    int64_t units);


/* Fills res from a cell of the window of "now" that was decided elsewhere. */

void gw_window_state(const gw_window_t *w, const gw_window_cell_t *cell,
    int64_t now, gw_gcra_result_t *res);


#endif /* GW_WINDOW_H */
