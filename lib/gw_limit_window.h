
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Windows of many keys in the memory of gw_limit_store.h, without a lock.
 *
 * The first word of a slot is the end of the cell, in ns.  The counters are
 * in the first spare word, which is changed by compare and swap:
 *
 *     8 bits      of the end to which the counters belong
 *     28 bits     units of the current window
 *     28 bits     units of the window before
 *
 * When the window turns, the end is raised first.  Counters that have not
 * followed are known by their 8 bits, and whoever comes next takes them along.
 *
 * A slot that is given to another key while its counters are being changed
 * can, when both words are the same, charge the units to the new key.
 */


#ifndef GW_LIMIT_WINDOW_H
#define GW_LIMIT_WINDOW_H


#include "gw_limit_store.h"
#include "gw_window.h"


/*
 * Decides about "cost" units of the key, as gw_window_take() does, and keeps
 * the result.
 *
 *     now, clock  in ns, as in gw_limit_store_take()
 *     res         out: in usec, tat is the end of the cell
 *
 * Returns GW_OK or GW_DECLINED.  Cannot fail.
 */

gw_status_e gw_limit_window_take(gw_limit_store_t *store,
    const gw_limit_key_t *key, const gw_window_t *w, int64_t *now,
    gw_limit_clock_pt clock, int64_t cost, gw_gcra_result_t *res);


/*
 * Charges units whether they are there or not, as gw_window_force() does.
 *
 *     cost        of the question that is answered
 *     res         out: what gw_window_take() of "cost" units would say after
 *                 it; nothing is taken for that
 */

void gw_limit_window_force(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_window_t *w, int64_t *now, gw_limit_clock_pt clock,
    int64_t units, int64_t cost, gw_gcra_result_t *res);


/*
 * Gives back units, if nothing was taken in a later window meanwhile.
 *
 *     end         res->tat when they were taken
 */

void gw_limit_window_give(gw_limit_store_t *store, const gw_limit_key_t *key,
    int64_t end, int64_t units);


/*
 * Empties the account of a key, exactly once whoever asks.
 *
 *     now         ns
 *
 * Returns the units that counted at "now".
 */

int64_t gw_limit_window_drain(gw_limit_store_t *store,
    const gw_limit_key_t *key, const gw_window_t *w, int64_t now);


/*
 * Looks at a key, changes nothing.
 *
 *     now         ns
 *     res         out: in usec, that of an allowed request
 */

void gw_limit_window_peek(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_window_t *w, int64_t now, gw_gcra_result_t *res);


/* Forgets what a key has taken, whatever its period is. */

void gw_limit_window_reset(gw_limit_store_t *store,
    const gw_limit_key_t *key);


#endif /* GW_LIMIT_WINDOW_H */
