
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The periods of a quota: calendar periods in a time zone, and periods of a
 * fixed length.  All times are seconds since 1970, UTC.
 *
 * A calendar period begins at the first moment whose local time is not
 * before its wall clock time: an hour that a clock is put back over lasts
 * twice as long, and a midnight that is skipped is when the clock is put
 * forward.
 */


#ifndef GW_PERIOD_H
#define GW_PERIOD_H


#include "gw.h"


/* changes of the offset that a zone keeps: a year back, two years ahead */
#define GW_PERIOD_OFFSETS   32

/* bytes of the name of a zone */
#define GW_PERIOD_NAME_MAX  64

/* bytes of an id, "2026-09-14T13:05" or "f-9223372036854775808" */
#define GW_PERIOD_ID        24

/* the bounds of a fixed length, seconds */
#define GW_PERIOD_LENGTH_MIN  60
#define GW_PERIOD_LENGTH_MAX  ((int64_t) 10 * 366 * 86400)

/* no anchor */
#define GW_PERIOD_NEVER     INT64_MIN


typedef enum {
    GW_PERIOD_MINUTE = 0,
    GW_PERIOD_HOUR,
    GW_PERIOD_DAY,
    GW_PERIOD_WEEK,
    GW_PERIOD_MONTH,
    GW_PERIOD_YEAR,
    GW_PERIOD_LENGTH
} gw_period_kind_e;


typedef struct {
    gw_period_kind_e     kind;
    int64_t              length;     /* seconds, of GW_PERIOD_LENGTH */

    /*
     * The first day: of a month, 1 to 31, the last one if it is shorter; of
     * a week, 1 for Monday to 7.
     */
    int                  day;
} gw_period_t;


typedef struct {
    int64_t              from;
    int64_t              offset;     /* local time less UTC */
} gw_period_offset_t;


typedef struct {
    unsigned             n;
    gw_period_offset_t   offsets[GW_PERIOD_OFFSETS];
} gw_period_zone_t;


typedef struct {
    int64_t              start;
    int64_t              end;        /* the first second of the next one */
    size_t               len;
    u_char               id[GW_PERIOD_ID];
} gw_period_span_t;


/*
 * Parses "minute", "hour", "day", "week", "month", "year", or a length with a
 * unit out of s, m, h, d, w: "30d".
 *
 * Returns GW_OK or GW_DECLINED.
 */

gw_status_e gw_period_parse(const u_char *data, size_t len,
    gw_period_t *period);


/*
 * Parses the first day of a week or month: "mon" to "sun", "1" to "31".
 *
 *     period    in/out: parsed; a period of another kind has no first day
 *
 * Returns GW_OK or GW_DECLINED.
 */

gw_status_e gw_period_day(const u_char *data, size_t len,
    gw_period_t *period);


/*
 * Makes a zone from "UTC" or an offset such as "+02:00", of at most 14 hours.
 *
 * Returns GW_OK or GW_DECLINED.
 */

gw_status_e gw_period_zone_fixed(const u_char *data, size_t len,
    gw_period_zone_t *zone);


/*
 * Returns 1 if the text may name a zone of the IANA time zone database: it is
 * no path that leads out of it, and nothing else that TZ may mean.
 */

int gw_period_zone_named(const u_char *data, size_t len);


/* the offset of a zone at a time, as libc knows it */

typedef int64_t (*gw_period_offset_pt)(int64_t t);


/*
 * Makes a zone whose offset changes: from a year before "now" to two years
 * after.  After that the last offset stands.
 *
 * Returns GW_OK, or GW_ERROR if it changes too often.
 */

gw_status_e gw_period_zone_changes(gw_period_offset_pt offset_at, int64_t now,
    gw_period_zone_t *zone);


/*
 * Finds the period that contains "now".
 *
 *     anchor    GW_PERIOD_NEVER, or a time that a period begins with: of
 *               GW_PERIOD_LENGTH to the second, "now" if there is none; of a
 *               week, month or year the day in the zone, in place of
 *               period->day.  Other kinds have none.
 *
 * The id is "2026", "2026-09", "2026-W37", "2026-09-14", "2026-09-14T13",
 * "2026-09-14T13:05", or "f" and the start; of a year or a month that begins
 * on another day it is that of the start, of such a week the day of it.
 */

void gw_period_at(const gw_period_t *period, const gw_period_zone_t *zone,
    int64_t now, int64_t anchor, gw_period_span_t *span);


/* Returns the offset of the zone at a time. */

int64_t gw_period_offset(const gw_period_zone_t *zone, int64_t now);


#endif /* GW_PERIOD_H */
