
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_period.h"


/* the time around now that is asked for, in steps of half a day */
#define GW_PERIOD_BACK   ((int64_t) 400 * 86400)
#define GW_PERIOD_AHEAD  ((int64_t) 731 * 86400)
#define GW_PERIOD_STEP   43200


static int64_t gw_period_zone_change(gw_period_offset_pt offset_at,
    int64_t from, int64_t to);


gw_status_e
gw_period_zone_changes(gw_period_offset_pt offset_at, int64_t now,
    gw_period_zone_t *zone)
{
    int64_t  t, offset, last;

    t = now - GW_PERIOD_BACK;
    last = offset_at(t);

    zone->n = 1;
    zone->offsets[0].from = INT64_MIN;
    zone->offsets[0].offset = last;

    for ( /* void */ ; t < now + GW_PERIOD_AHEAD; t += GW_PERIOD_STEP) {
        offset = offset_at(t + GW_PERIOD_STEP);

        if (offset == last) {
            continue;
        }

        if (zone->n == GW_PERIOD_OFFSETS) {
            return GW_ERROR;
        }

        zone->offsets[zone->n].from = gw_period_zone_change(offset_at, t,
                                                    t + GW_PERIOD_STEP);
        zone->offsets[zone->n].offset = offset;
        zone->n++;

        last = offset;
    }

    return GW_OK;
}


/* The first second of the offset at "to", which is another one at "from". */

static int64_t
gw_period_zone_change(gw_period_offset_pt offset_at, int64_t from, int64_t to)
{
    int64_t  middle, offset;

    offset = offset_at(to);

    while (to - from > 1) {
        middle = from + (to - from) / 2;

        if (offset_at(middle) == offset) {
            to = middle;

        } else {
            from = middle;
        }
    }

    return to;
}
