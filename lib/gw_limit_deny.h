
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the processes of a host remember of limits that are counted elsewhere:
 * enough to say no without asking again.
 *
 * The theoretical arrival time of a key only grows, and so do the units of a
 * window, unless somebody gives units back.  So what was told last is a lower
 * bound, and a request that has no room in it has none at all.  Of requests
 * that may have room, one at a time asks: it is counted here as if it was
 * charged, and what it is told corrects that.
 *
 * The state of a key is in three spare words of its slot (gw_limit_store.h),
 * changed by compare and swap in an order that leaves nothing to a process
 * that was killed:
 *
 *     spare[1]    the arrival time, usec; or two counters of 28 bits
 *     spare[2]    the other clock less ours, usec
 *     spare[3]    when it expires, ms, and a hash of key and window; 0: none
 *
 * "now" is our clock in ns, as that of the store; all else is in usec of the
 * other clock.
 */


#ifndef GW_LIMIT_DENY_H
#define GW_LIMIT_DENY_H


#include "gw_limit_slot.h"
#include "gw_window.h"


/* the longest time that a state is believed, ms */
#define GW_LIMIT_DENY_MAX  3600000


/* a limit: one of the two */

typedef struct {
    const gw_gcra_t    *gcra;             /* usec */
    const gw_window_t  *window;
} gw_limit_deny_plan_t;


/* what a look found, for the functions below */

typedef struct {
    gw_limit_slot_t    *slot;             /* NULL: nothing is known */
    uint64_t            state;
    uint64_t            charged;          /* the state if it is charged */
} gw_limit_deny_t;


/* what was told of a key */

typedef struct {
    int64_t             now;              /* of the other clock */
    int64_t             tat;              /* of a generic cell rate */
    int64_t             count;            /* of a window */
    int64_t             previous;
} gw_limit_deny_told_t;


/*
 * Looks whether "cost" units of a key have room as far as is known.
 *
 *     hold    ms for which a state that has expired is believed on, while the
 *             caller that is told GW_AGAIN for it asks
 *     deny    out
 *     res     out, of GW_DECLINED: the answer
 *
 * Returns GW_DECLINED if there is no room; GW_OK if there may be; GW_AGAIN if
 * nothing is known.
 */

gw_status_e gw_limit_deny_look(gw_limit_store_t *store,
    const gw_limit_key_t *key, const gw_limit_deny_plan_t *plan, int64_t now,
    int64_t hold, int64_t cost, gw_limit_deny_t *deny, gw_gcra_result_t *res);


/*
 * Counts the units of a look that returned GW_OK, before they are asked for.
 *
 * Returns GW_OK, or GW_AGAIN if the state has changed meanwhile: look again.
 */

gw_status_e gw_limit_deny_reserve(gw_limit_deny_t *deny);


/* They were not charged. */

void gw_limit_deny_release(gw_limit_deny_t *deny);


/*
 * Keeps what was told.
 *
 *     asked   our clock, before the question was sent
 *     now     our clock
 *     time    ms for which it is believed, to GW_LIMIT_DENY_MAX
 */

void gw_limit_deny_keep(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_limit_deny_plan_t *plan, const gw_limit_deny_told_t *told,
    int64_t asked, int64_t now, int64_t time);


/* Forgets a key: units were given back, or the key was reset. */

void gw_limit_deny_drop(gw_limit_store_t *store, const gw_limit_key_t *key);


#endif /* GW_LIMIT_DENY_H */
