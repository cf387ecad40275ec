
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_gcra.h"


static int64_t gw_gcra_ahead(const gw_gcra_t *gcra, int64_t tat,
    int64_t now);
static int64_t gw_gcra_milli(int64_t ticks, int64_t interval);


gw_status_e
gw_gcra_init(gw_gcra_t *gcra, int64_t count, int64_t period, int64_t burst)
{
    if (burst >= GW_GCRA_CAPACITY_MAX) {
        return GW_DECLINED;
    }

    gcra->interval = period / count;

    if (period % count >= count - count / 2) {
        gcra->interval++;
    }

    if (gcra->interval == 0) {
        gcra->interval = 1;
    }

    gcra->capacity = burst + 1;

    if (gcra->interval > GW_GCRA_TAU_MAX / gcra->capacity) {
        return GW_DECLINED;
    }

    gcra->tau = gcra->interval * gcra->capacity;
    gcra->debt = 0;

    return GW_OK;
}


gw_status_e
gw_gcra_take(const gw_gcra_t *gcra, int64_t tat, int64_t now, int64_t cost,
    gw_gcra_result_t *res)
{
    int64_t  need, ahead, room;

    need = (cost == 0) ? 1 : cost;

    ahead = gw_gcra_ahead(gcra, tat, now);
    room = gcra->tau - ahead;

    if (need <= gcra->capacity && need * gcra->interval <= room) {
        gw_gcra_state(gcra, ahead + cost * gcra->interval, now, res);
        return GW_OK;
    }

    gw_gcra_state(gcra, ahead, now, res);

    res->excess = gw_gcra_milli(ahead, gcra->interval) + (need - 1) * 1000;
    res->retry = (need <= gcra->capacity) ? need * gcra->interval - room : -1;

    return GW_DECLINED;
}


int64_t
gw_gcra_force(const gw_gcra_t *gcra, int64_t tat, int64_t now, int64_t units)
{
    int64_t  ahead, room;

    ahead = gw_gcra_ahead(gcra, tat, now);
    room = gcra->tau + gcra->debt - ahead;

    if (units > room / gcra->interval) {
        return now + ahead + room;
    }

    return now + ahead + units * gcra->interval;
}


/* ticks, 0 to tau + debt */

static int64_t
gw_gcra_ahead(const gw_gcra_t *gcra, int64_t tat, int64_t now)
{
    if (tat < now) {
        return 0;
    }

    if (tat - now > gcra->tau + gcra->debt) {
        return gcra->tau + gcra->debt;
    }

    return tat - now;
}


int64_t
gw_gcra_give(const gw_gcra_t *gcra, int64_t tat, int64_t units)
{
    int64_t  most;

    most = (gcra->tau + gcra->debt) / gcra->interval;

    if (units > most) {
        units = most;
    }

    tat -= units * gcra->interval;

    return (tat > 0) ? tat : 0;
}


void
gw_gcra_state(const gw_gcra_t *gcra, int64_t full, int64_t now,
    gw_gcra_result_t *res)
{
    int64_t  room, excess;

    if (full < 0) {
        full = 0;

    } else if (full > gcra->tau + gcra->debt) {
        full = gcra->tau + gcra->debt;
    }

    /* most keys: not above the rate, nothing to divide */

    if (full <= gcra->interval) {
        res->tat = now + full;
        res->remaining = gcra->capacity - (full > 0);
        res->excess = 0;
        res->retry = 0;
        res->next = full;
        res->full = full;
        return;
    }

    room = gcra->tau - full;
    excess = gw_gcra_milli(full, gcra->interval) - 1000;

    res->tat = now + full;
    res->remaining = (room > 0) ? room / gcra->interval : 0;
    res->excess = (excess > 0) ? excess : 0;
    res->retry = 0;
    res->next = (room < 0) ? gcra->interval - room
                           : gcra->interval - room % gcra->interval;
    res->full = full;
}


int64_t
gw_gcra_delay(const gw_gcra_t *gcra, const gw_gcra_result_t *res,
    int64_t delay)
{
    int64_t  free;

    if (delay >= gcra->capacity) {
        return 0;
    }

    free = gcra->interval * (delay + 1);

    return (res->full > free) ? res->full - free : 0;
}


static int64_t
gw_gcra_milli(int64_t ticks, int64_t interval)
{
    int64_t  rest;

    rest = ticks % interval;

    /* an interval of years would overflow */

    rest = (interval > INT64_MAX / 1000) ? rest / (interval / 1000)
                                         : rest * 1000 / interval;

    return ticks / interval * 1000 + rest;
}
