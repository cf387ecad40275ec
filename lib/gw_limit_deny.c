
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_limit_deny.h"


#define GW_LIMIT_DENY_TRIES  8           /* lost races of one look */
#define GW_LIMIT_DENY_USEC   1000        /* ns of a usec */
#define GW_LIMIT_DENY_MSEC   1000000     /* ns of a ms */
#define GW_LIMIT_DENY_BITS   28
#define GW_LIMIT_DENY_MASK   (((uint64_t) 1 << GW_LIMIT_DENY_BITS) - 1)

/* usec by which two answers may differ in what the other clock says */
#define GW_LIMIT_DENY_SLACK  100000

/* usec that the clocks may drift apart in a second */
#define GW_LIMIT_DENY_DRIFT  100

/* usec by which an answer is slow, or else the clocks have changed */
#define GW_LIMIT_DENY_LATE   5000

#define gw_limit_deny_state(slot)   (slot)->spare[1]
#define gw_limit_deny_offset(slot)  (slot)->spare[2]
#define gw_limit_deny_valid(slot)   (slot)->spare[3]


static gw_status_e gw_limit_deny_decide(const gw_limit_key_t *key,
    const gw_limit_deny_plan_t *plan, int64_t now, uint64_t valid,
    int64_t cost, gw_limit_deny_t *deny, gw_gcra_result_t *res);
static gw_status_e gw_limit_deny_window(const gw_limit_key_t *key,
    const gw_window_t *w, int64_t now, uint64_t valid, int64_t cost,
    gw_limit_deny_t *deny, gw_gcra_result_t *res);
static uint64_t gw_limit_deny_clock(int64_t offset, int64_t best,
    uint64_t valid, int64_t now, int64_t time);
static int gw_limit_deny_fresh(uint64_t valid, int64_t now);
static uint64_t gw_limit_deny_word(const gw_limit_key_t *key, int64_t period,
    int64_t end, int64_t now, int64_t time);
static uint32_t gw_limit_deny_tag(const gw_limit_key_t *key, int64_t period,
    int64_t end);
static int gw_limit_deny_swap(uint64_t *p, uint64_t old, uint64_t new);


gw_status_e
gw_limit_deny_look(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_limit_deny_plan_t *plan, int64_t now, int64_t hold, int64_t cost,
    gw_limit_deny_t *deny, gw_gcra_result_t *res)
{
    uint64_t          valid, other;
    unsigned          n;
    gw_status_e       rc;
    gw_limit_slot_t  *slot;
    gw_limit_look_t   look;

    deny->slot = NULL;

    for (n = 0; n < GW_LIMIT_DENY_TRIES; n++) {

        gw_limit_look(store, key, NULL, &look);

        slot = look.slot;

        if (slot == NULL) {
            return GW_AGAIN;
        }

        valid = gw_limit_load(&gw_limit_deny_valid(slot));

        if (valid == 0) {
            return GW_AGAIN;
        }

        deny->state = gw_limit_load(&gw_limit_deny_state(slot));
        deny->charged = gw_limit_load(&gw_limit_deny_offset(slot));

        if (gw_limit_load(&gw_limit_deny_valid(slot)) != valid
            || gw_limit_load(&slot->tat) != look.tat)
        {
            continue;
        }

        rc = gw_limit_deny_decide(key, plan, now, valid, cost, deny, res);

        if (gw_limit_deny_fresh(valid, now)) {
            deny->slot = (rc == GW_OK) ? slot : NULL;
            return rc;
        }

        if (rc != GW_DECLINED) {
            return GW_AGAIN;
        }

        /* it is old: one asks, the others wait for what that one is told */

        other = (valid & UINT32_MAX)
                | (uint64_t) (uint32_t) (now / GW_LIMIT_DENY_MSEC + hold)
                  << 32;

        if (gw_limit_deny_swap(&gw_limit_deny_valid(slot), valid, other)) {
            return GW_AGAIN;
        }
    }

    return GW_AGAIN;
}


/* deny->charged: in: the offset of the clock, out: see its declaration */

static gw_status_e
gw_limit_deny_decide(const gw_limit_key_t *key,
    const gw_limit_deny_plan_t *plan, int64_t now, uint64_t valid,
    int64_t cost, gw_limit_deny_t *deny, gw_gcra_result_t *res)
{
    int64_t      tat;
    gw_status_e  rc;

    now = now / GW_LIMIT_DENY_USEC + (int64_t) deny->charged;

    if (plan->gcra == NULL) {
        return gw_limit_deny_window(key, plan->window, now, valid, cost, deny,
                                    res);
    }

    tat = (int64_t) deny->state;

    if ((uint32_t) valid != gw_limit_deny_tag(key, 0, 0)
        || tat - now > plan->gcra->tau + GW_LIMIT_DENY_SLACK)
    {
        /* that of another key, or left by a larger limit: it is cut there */
        return GW_AGAIN;
    }

    rc = gw_gcra_take(plan->gcra, tat, now, cost, res);

    if (rc == GW_OK) {
        deny->charged = (cost == 0) ? deny->state : (uint64_t) res->tat;
    }

    return rc;
}


static gw_status_e
gw_limit_deny_window(const gw_limit_key_t *key, const gw_window_t *w,
    int64_t now, uint64_t valid, int64_t cost, gw_limit_deny_t *deny,
    gw_gcra_result_t *res)
{
    int64_t           end;
    gw_status_e       rc;
    gw_window_cell_t  cell;

    end = gw_window_end(w, now);

    cell.end = end;
    cell.count = (int64_t) (deny->state >> GW_LIMIT_DENY_BITS);
    cell.previous = (int64_t) (deny->state & GW_LIMIT_DENY_MASK);

    if ((uint32_t) valid != gw_limit_deny_tag(key, w->period, end)) {

        if (!w->sliding
            || (uint32_t) valid != gw_limit_deny_tag(key, w->period,
                                                     end - w->period))
        {
            return GW_AGAIN;
        }

        cell.end -= w->period;
    }

    (void) gw_window_turn(w, &cell, now);

    rc = gw_window_take(w, &cell, now, cost, res);

    if (rc != GW_OK) {
        return rc;
    }

    if ((uint32_t) valid != gw_limit_deny_tag(key, w->period, end)) {

        /* what is kept is the window before: there is nothing to count in */

        return GW_AGAIN;
    }

    deny->charged = (uint64_t) cell.count << GW_LIMIT_DENY_BITS
                    | (uint64_t) cell.previous;

    return GW_OK;
}


gw_status_e
gw_limit_deny_reserve(gw_limit_deny_t *deny)
{
    return gw_limit_deny_swap(&gw_limit_deny_state(deny->slot), deny->state,
                              deny->charged)
           ? GW_OK : GW_AGAIN;
}


void
gw_limit_deny_release(gw_limit_deny_t *deny)
{
    (void) gw_limit_deny_swap(&gw_limit_deny_state(deny->slot), deny->charged,
                              deny->state);
}


void
gw_limit_deny_keep(gw_limit_store_t *store, const gw_limit_key_t *key,
    const gw_limit_deny_plan_t *plan, const gw_limit_deny_told_t *told,
    int64_t asked, int64_t now, int64_t time)
{
    int64_t           end, period;
    uint64_t          valid, state, offset, words[2];
    gw_limit_slot_t  *slot;
    gw_limit_look_t   look;

    if (plan->gcra != NULL) {
        end = 0;
        period = 0;
        state = (uint64_t) told->tat;

    } else {
        end = gw_window_end(plan->window, told->now);
        period = plan->window->period;
        state = (uint64_t) told->count << GW_LIMIT_DENY_BITS
                | (uint64_t) told->previous;
    }

    gw_limit_find(store, key, &look);

    if (look.slot == NULL) {

        /* a slot that has nothing to lose: "now" is a full bucket */

        if (gw_limit_insert(store, key, now, &look, now) != GW_OK) {
            return;
        }

        gw_limit_look(store, key, NULL, &look);

        if (look.slot == NULL) {
            return;
        }
    }

    slot = look.slot;

    valid = gw_limit_load(&gw_limit_deny_valid(slot));
    words[0] = gw_limit_load(&gw_limit_deny_state(slot));
    words[1] = gw_limit_load(&gw_limit_deny_offset(slot));

    if (gw_limit_load(&slot->tat) != look.tat) {
        return;
    }

    offset = gw_limit_deny_clock(told->now - asked / GW_LIMIT_DENY_USEC,
                                 (int64_t) words[1], valid, now, time);

    if (!gw_limit_deny_swap(&gw_limit_deny_valid(slot), valid, 0)
        || !gw_limit_deny_swap(&gw_limit_deny_state(slot), words[0], state)
        || !gw_limit_deny_swap(&gw_limit_deny_offset(slot), words[1], offset))
    {
        return;
    }

    (void) gw_limit_deny_swap(&gw_limit_deny_valid(slot), 0,
                              gw_limit_deny_word(key, period, end, now, time));
}


/*
 * A question is answered later than it was asked, so the offset is never less
 * than the true one: the end of a denial is never too late.  That of the
 * fastest answer so far is the best one, as far as the clocks run alike; with
 * those of slow ones the next question would come too early, and be denied.
 */

static uint64_t
gw_limit_deny_clock(int64_t offset, int64_t best, uint64_t valid, int64_t now,
    int64_t time)
{
    int64_t  age;

    /* ms since the best one was kept, or more */

    age = (int32_t) ((uint32_t) (now / GW_LIMIT_DENY_MSEC + time)
                     - (uint32_t) (valid >> 32));

    if (valid == 0 || age < 0 || age > GW_LIMIT_DENY_MAX) {
        return (uint64_t) offset;
    }

    best += age * GW_LIMIT_DENY_DRIFT / 1000 + 1;

    return (uint64_t) ((offset > best && offset - best < GW_LIMIT_DENY_LATE)
                       ? best : offset);
}


void
gw_limit_deny_drop(gw_limit_store_t *store, const gw_limit_key_t *key)
{
    uint64_t         valid;
    gw_limit_look_t  look;

    gw_limit_look(store, key, NULL, &look);

    if (look.slot == NULL) {
        return;
    }

    valid = gw_limit_load(&gw_limit_deny_valid(look.slot));

    if (gw_limit_load(&look.slot->tat) == look.tat) {
        (void) gw_limit_deny_swap(&gw_limit_deny_valid(look.slot), valid, 0);
    }
}


static int
gw_limit_deny_fresh(uint64_t valid, int64_t now)
{
    int32_t  left;

    left = (int32_t) ((uint32_t) (valid >> 32)
                      - (uint32_t) (now / GW_LIMIT_DENY_MSEC));

    /* 32 bits of ms come around in 49 days */

    return left > 0 && left <= GW_LIMIT_DENY_MAX;
}


static uint64_t
gw_limit_deny_word(const gw_limit_key_t *key, int64_t period, int64_t end,
    int64_t now, int64_t time)
{
    uint32_t  ms;

    ms = (uint32_t) (now / GW_LIMIT_DENY_MSEC + time);

    return (uint64_t) ms << 32 | gw_limit_deny_tag(key, period, end);
}


/* never 0 */

static uint32_t
gw_limit_deny_tag(const gw_limit_key_t *key, int64_t period, int64_t end)
{
    uint64_t  hash;

    hash = (key->key[0] ^ (uint64_t) end) * 0x9e3779b97f4a7c15ULL;
    hash = (hash ^ (hash >> 32) ^ key->key[1] ^ (uint64_t) period)
           * 0xff51afd7ed558ccdULL;

    return (uint32_t) (hash >> 32) | 1;
}


static int
gw_limit_deny_swap(uint64_t *p, uint64_t old, uint64_t new)
{
    return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}
