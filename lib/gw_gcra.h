
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The generic cell rate algorithm: one number for each key, the theoretical
 * arrival time (TAT).  A key may be TAT - now <= tau ahead of its rate; the
 * same decisions as those of a leaky bucket with "burst" places.
 * Source: ITU-T I.371, virtual scheduling algorithm.
 *
 * Times are in ticks of the caller's choice, all of them in the same one.
 */


#ifndef GW_GCRA_H
#define GW_GCRA_H


#include "gw.h"


/* units in one bucket, so that a thousandfold of them fits 64 bits */
#define GW_GCRA_CAPACITY_MAX  1000000001

/* ticks in one bucket, so that a clock of the same size may be added */
#define GW_GCRA_TAU_MAX       ((int64_t) 1 << 61)


typedef struct {
    int64_t   interval;        /* ticks of one unit */
    int64_t   capacity;        /* units, burst + 1 */
    int64_t   tau;             /* ticks, interval * capacity */
    int64_t   debt;            /* ticks below an empty bucket */
} gw_gcra_t;


typedef struct {
    int64_t   tat;             /* the value to keep */
    int64_t   remaining;       /* whole units left after the decision */
    int64_t   excess;          /* thousandths of a unit above the rate */
    int64_t   retry;           /* ticks, 0 if allowed, -1 if never */
    int64_t   next;            /* ticks until remaining grows, 0 if full */
    int64_t   full;            /* ticks until the bucket is full again */
} gw_gcra_result_t;


/*
 * Computes the constants of a limit.
 *
 *     count     units in one period, > 0
 *     period    ticks, > 0
 *     burst     units above the rate, >= 0
 *
 * The interval is rounded to the nearest tick, and is at least one.  Nothing
 * can be owed; the caller may set gcra->debt, so that tau + debt is at most
 * GW_GCRA_TAU_MAX, for units that are charged without being there, and for
 * those that a larger bucket of the same key has admitted.
 *
 * Returns GW_OK, or GW_DECLINED if the bucket would exceed
 * GW_GCRA_CAPACITY_MAX units or GW_GCRA_TAU_MAX ticks.
 */

gw_status_e gw_gcra_init(gw_gcra_t *gcra, int64_t count, int64_t period,
    int64_t burst);


/*
 * Decides about "cost" units of a key at "now".
 *
 *     tat       what was kept for the key, 0 if nothing was
 *     now       the clock, > 0
 *     cost      units, >= 0; 0 looks whether one unit is left, takes none
 *     res       out
 *
 * A TAT beyond now + tau + debt (left by a larger limit, or by a clock that
 * went back) is brought down to it, also by a denial: keep res->tat when it is
 * not "tat", otherwise the key stays locked out for the old bucket.
 *
 * Returns GW_OK if the units are taken or GW_DECLINED.  Cannot fail.
 */

gw_status_e gw_gcra_take(const gw_gcra_t *gcra, int64_t tat, int64_t now,
    int64_t cost, gw_gcra_result_t *res);


/*
 * Returns the TAT after "units" are charged whether they are there or not:
 * never beyond now + tau + debt.  Cannot fail.
 *
 *     units     >= 0
 */

int64_t gw_gcra_force(const gw_gcra_t *gcra, int64_t tat, int64_t now,
    int64_t units);


/*
 * Returns the TAT after "units" taken before were given back, 0 or more.
 * What other requests took in the meantime stays taken.
 */

int64_t gw_gcra_give(const gw_gcra_t *gcra, int64_t tat, int64_t units);


/*
 * Fills res from a bucket that was decided elsewhere.
 *
 *     full      ticks until the bucket is full, what TAT - now was
 *     now       the clock, res->tat = now + full
 *
 * res->excess and res->retry become those of an allowed request.
 */

void gw_gcra_state(const gw_gcra_t *gcra, int64_t full, int64_t now,
    gw_gcra_result_t *res);


/*
 * Returns the ticks that an allowed request has to wait when "delay" units
 * above the rate may pass at once, 0 if none.
 */

int64_t gw_gcra_delay(const gw_gcra_t *gcra, const gw_gcra_result_t *res,
    int64_t delay);


#endif /* GW_GCRA_H */
