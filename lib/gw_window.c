
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_window.h"


static int64_t gw_window_used(const gw_window_t *w,
    const gw_window_cell_t *cell, int64_t left);
static int64_t gw_window_until(const gw_window_t *w, int64_t units,
    int64_t room, int64_t left);


gw_status_e
gw_window_init(gw_window_t *w, int64_t count, int64_t period, int sliding)
{
    if (count > GW_WINDOW_LIMIT_MAX) {
        return GW_DECLINED;
    }

    w->period = period;
    w->limit = count;
    w->quantum = (period + GW_WINDOW_PARTS - 1) / GW_WINDOW_PARTS;
    w->parts = (period + w->quantum - 1) / w->quantum;
    w->sliding = sliding;

    return GW_OK;
}


int64_t
gw_window_end(const gw_window_t *w, int64_t now)
{
    return now - now % w->period + (w->sliding ? 2 * w->period : w->period);
}


int
gw_window_turn(const gw_window_t *w, gw_window_cell_t *cell, int64_t now)
{
    int      strange;
    int64_t  end;

    strange = 0;
    end = gw_window_end(w, now);

    if (cell->end == end) {
        /* void */

    } else if (cell->end <= now) {
        cell->count = 0;
        cell->previous = 0;

    } else if (w->sliding && cell->end == end - w->period) {
        cell->previous = cell->count;
        cell->count = 0;

    } else {
        cell->previous = 0;
        strange = 1;
    }

    if (!w->sliding) {
        cell->previous = 0;
    }

    if (cell->count > w->limit) {
        cell->count = w->limit;
    }

    if (cell->previous > w->limit) {
        cell->previous = w->limit;
    }

    cell->end = end;

    return strange;
}


gw_status_e
gw_window_take(const gw_window_t *w, gw_window_cell_t *cell, int64_t now,
    int64_t cost, gw_gcra_result_t *res)
{
    int64_t  left, need, used;

    need = (cost == 0) ? 1 : cost;
    left = w->period - now % w->period;
    used = gw_window_used(w, cell, left);

    if (need <= w->limit - used) {
        cell->count += cost;
        gw_window_state(w, cell, now, res);
        return GW_OK;
    }

    gw_window_state(w, cell, now, res);

    res->excess = (used + need - w->limit) * 1000;

    if (need > w->limit) {
        res->retry = -1;

    } else if (cell->count + need <= w->limit) {

        /* enough of the window before has to be left behind */

        res->retry = gw_window_until(w, cell->previous,
                                     w->limit - need - cell->count, left);

    } else if (w->sliding) {
        res->retry = left + gw_window_until(w, cell->count, w->limit - need,
                                            w->period);

    } else {
        res->retry = left;
    }

    return GW_DECLINED;
}


void
gw_window_force(const gw_window_t *w, gw_window_cell_t *cell, int64_t units)
{
    cell->count = (units < w->limit - cell->count) ? cell->count + units
                                                   : w->limit;
}


void
gw_window_state(const gw_window_t *w, const gw_window_cell_t *cell,
    int64_t now, gw_gcra_result_t *res)
{
    int64_t  left, used;

    left = w->period - now % w->period;
    used = gw_window_used(w, cell, left);

    res->tat = cell->end;
    res->remaining = (used < w->limit) ? w->limit - used : 0;
    res->excess = 0;
    res->retry = 0;

    if (used == 0) {
        res->next = 0;
        res->full = 0;

    } else if (!w->sliding) {
        res->next = left;
        res->full = left;

    } else if (used > cell->count) {
        res->next = gw_window_until(w, cell->previous, used - cell->count - 1,
                                    left);
        res->full = cell->count ? left + w->period : left;

    } else {
        res->next = left + gw_window_until(w, cell->count, cell->count - 1,
                                           w->period);
        res->full = left + w->period;
    }
}


/* left: usec of the current window */

static int64_t
gw_window_used(const gw_window_t *w, const gw_window_cell_t *cell,
    int64_t left)
{
    int64_t  parts;

    if (cell->previous == 0) {
        return cell->count;
    }

    parts = (left + w->quantum - 1) / w->quantum;

    return cell->count
           + (cell->previous * parts + w->parts - 1) / w->parts;
}


/*
 * Returns the usec until not more than "room" of the units of the window
 * before count, when "left" of the current one is still to come.
 */

static int64_t
gw_window_until(const gw_window_t *w, int64_t units, int64_t room,
    int64_t left)
{
    int64_t  rest;

    rest = room * w->parts / units * w->quantum;

    return (rest < left) ? left - rest : 0;
}
