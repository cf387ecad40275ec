
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Periods of quotas.  What is expected comes from the calendar of libc: of
 * each period its first and last second have its id, and the seconds around
 * it have not.
 */


#include "gw_period.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>


#define YEARS  9           /* from 2024 to 2032 */


typedef struct {
    const char  *period;
    const char  *zone;
    const char  *day;
    const char  *now;      /* UTC */
    const char  *id;
    const char  *start;
    const char  *end;
} row_t;


/* U8 */

static row_t  rows[] = {
    { "year", "UTC", NULL, "2026-09-14 13:05:59", "2026",
      "2026-01-01 00:00:00", "2027-01-01 00:00:00" },
    { "month", "UTC", NULL, "2026-09-14 13:05:59", "2026-09",
      "2026-09-01 00:00:00", "2026-10-01 00:00:00" },
    { "week", "UTC", NULL, "2026-09-13 23:59:59", "2026-W37",
      "2026-09-07 00:00:00", "2026-09-14 00:00:00" },
    { "day", "UTC", NULL, "2026-09-14 13:05:59", "2026-09-14",
      "2026-09-14 00:00:00", "2026-09-15 00:00:00" },
    { "hour", "UTC", NULL, "2026-09-14 13:05:59", "2026-09-14T13",
      "2026-09-14 13:00:00", "2026-09-14 14:00:00" },
    { "minute", "UTC", NULL, "2026-09-14 13:05:59", "2026-09-14T13:05",
      "2026-09-14 13:05:00", "2026-09-14 13:06:00" },

    /* leap days */

    { "day", "UTC", NULL, "2028-02-29 12:00:00", "2028-02-29",
      "2028-02-29 00:00:00", "2028-03-01 00:00:00" },
    { "month", "UTC", NULL, "2028-02-29 23:59:59", "2028-02",
      "2028-02-01 00:00:00", "2028-03-01 00:00:00" },
    { "month", "UTC", NULL, "2026-02-28 23:59:59", "2026-02",
      "2026-02-01 00:00:00", "2026-03-01 00:00:00" },
    { "day", "UTC", NULL, "2100-03-01 00:00:00", "2100-03-01",
      "2100-03-01 00:00:00", "2100-03-02 00:00:00" },

    /* day 31, and its length in shorter months */

    { "month", "UTC", "31", "2026-02-28 00:00:00", "2026-02",
      "2026-02-28 00:00:00", "2026-03-31 00:00:00" },
    { "month", "UTC", "31", "2026-02-27 23:59:59", "2026-01",
      "2026-01-31 00:00:00", "2026-02-28 00:00:00" },
    { "month", "UTC", "31", "2028-02-29 00:00:00", "2028-02",
      "2028-02-29 00:00:00", "2028-03-31 00:00:00" },
    { "month", "UTC", "31", "2026-01-01 00:00:00", "2025-12",
      "2025-12-31 00:00:00", "2026-01-31 00:00:00" },
    { "month", "UTC", "15", "2026-09-14 13:00:00", "2026-08",
      "2026-08-15 00:00:00", "2026-09-15 00:00:00" },

    /* weeks: ISO 8601, and those that begin on another day */

    { "week", "UTC", NULL, "2026-01-01 00:00:00", "2026-W01",
      "2025-12-29 00:00:00", "2026-01-05 00:00:00" },
    { "week", "UTC", NULL, "2027-01-03 00:00:00", "2026-W53",
      "2026-12-28 00:00:00", "2027-01-04 00:00:00" },
    { "week", "UTC", "mon", "2024-12-31 00:00:00", "2025-W01",
      "2024-12-30 00:00:00", "2025-01-06 00:00:00" },
    { "week", "UTC", "sun", "2026-09-14 13:00:00", "2026-09-13",
      "2026-09-13 00:00:00", "2026-09-20 00:00:00" },
    { "week", "UTC", "wed", "2026-09-15 13:00:00", "2026-09-09",
      "2026-09-09 00:00:00", "2026-09-16 00:00:00" },

    /* before 1970 */

    { "day", "UTC", NULL, "1969-12-31 23:59:59", "1969-12-31",
      "1969-12-31 00:00:00", "1970-01-01 00:00:00" },
    { "week", "UTC", NULL, "1969-12-28 23:59:59", "1969-W52",
      "1969-12-22 00:00:00", "1969-12-29 00:00:00" },

    /* offsets */

    { "day", "+02:00", NULL, "2026-09-14 22:00:00", "2026-09-15",
      "2026-09-14 22:00:00", "2026-09-15 22:00:00" },
    { "day", "-03:30", NULL, "2026-09-14 03:29:59", "2026-09-13",
      "2026-09-13 03:30:00", "2026-09-14 03:30:00" },

    /* a clock that is put forward and back: days of 23 and 25 hours */

    { "day", "Europe/Berlin", NULL, "2026-03-29 12:00:00", "2026-03-29",
      "2026-03-28 23:00:00", "2026-03-29 22:00:00" },
    { "day", "Europe/Berlin", NULL, "2026-10-25 12:00:00", "2026-10-25",
      "2026-10-24 22:00:00", "2026-10-25 23:00:00" },
    { "hour", "Europe/Berlin", NULL, "2026-03-29 01:30:00", "2026-03-29T03",
      "2026-03-29 01:00:00", "2026-03-29 02:00:00" },
    { "hour", "Europe/Berlin", NULL, "2026-10-25 00:30:00", "2026-10-25T02",
      "2026-10-25 00:00:00", "2026-10-25 02:00:00" },
    { "hour", "Europe/Berlin", NULL, "2026-10-25 01:30:00", "2026-10-25T02",
      "2026-10-25 00:00:00", "2026-10-25 02:00:00" },

    /* a midnight that is skipped, one that comes twice */

    { "day", "Africa/Cairo", NULL, "2024-04-26 12:00:00", "2024-04-26",
      "2024-04-25 22:00:00", "2024-04-26 21:00:00" },
    { "day", "America/Havana", NULL, "2023-11-05 04:30:00", "2023-11-05",
      "2023-11-05 04:00:00", "2023-11-06 05:00:00" },
    { "day", "America/Havana", NULL, "2023-11-05 05:30:00", "2023-11-05",
      "2023-11-05 04:00:00", "2023-11-06 05:00:00" },
};


static const char  *zones[] = {
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Lisbon",
    "Europe/Moscow", "Europe/Istanbul", "Europe/Chisinau", "Europe/Athens",
    "Atlantic/Azores", "Atlantic/Reykjavik", "America/New_York",
    "America/Chicago", "America/Denver", "America/Los_Angeles",
    "America/Anchorage", "America/Phoenix", "America/St_Johns",
    "America/Halifax", "America/Havana", "America/Sao_Paulo",
    "America/Santiago", "America/Asuncion", "America/Mexico_City",
    "America/Nuuk", "Africa/Cairo", "Africa/Casablanca", "Africa/Lagos",
    "Africa/Johannesburg", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo",
    "Asia/Shanghai", "Asia/Tehran", "Asia/Beirut", "Asia/Jerusalem",
    "Australia/Sydney", "Australia/Lord_Howe", "Australia/Adelaide",
    "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia",
    "Pacific/Kiritimati", "Antarctica/Troll"
};


static const char  *kinds[] = { "hour", "day", "week", "month", "year" };
static const char  *formats[] = { "%Y-%m-%dT%H", "%Y-%m-%d", "%G-W%V",
                                  "%Y-%m", "%Y" };


static int64_t
utc(const char *text)
{
    struct tm  tm;

    memset(&tm, 0, sizeof(tm));

    sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
           &tm.tm_hour, &tm.tm_min, &tm.tm_sec);

    tm.tm_year -= 1900;
    tm.tm_mon -= 1;

    return timegm(&tm);
}


static gw_status_e
parse(const char *text, gw_period_t *period)
{
    return gw_period_parse((const u_char *) text, strlen(text), period);
}


static gw_status_e
day(const char *text, gw_period_t *period)
{
    return gw_period_day((const u_char *) text, strlen(text), period);
}


static int64_t
libc_offset(int64_t t)
{
    time_t     sec;
    struct tm  tm;

    sec = t;
    localtime_r(&sec, &tm);

    return tm.tm_gmtoff;
}


/* as the module does, which also looks whether there is such a zone */

static gw_status_e
zone(const char *text, int64_t now, gw_period_zone_t *z)
{
    gw_status_e  rc;

    if (gw_period_zone_fixed((const u_char *) text, strlen(text), z)
        == GW_OK)
    {
        return GW_OK;
    }

    if (!gw_period_zone_named((const u_char *) text, strlen(text))) {
        return GW_DECLINED;
    }

    setenv("TZ", text, 1);
    tzset();

    rc = gw_period_zone_changes(libc_offset, now, z);

    unsetenv("TZ");
    tzset();

    return rc;
}


static int
is(const gw_period_span_t *span, const char *id)
{
    return span->len == strlen(id) && memcmp(span->id, id, span->len) == 0;
}


static void
test_rows(void)
{
    row_t             *row;
    size_t             i;
    gw_period_t        period;
    gw_period_zone_t   z;
    gw_period_span_t   span;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row = &rows[i];

        ok(parse(row->period, &period) == GW_OK
           && (row->day == NULL || day(row->day, &period) == GW_OK)
           && zone(row->zone, utc(row->now), &z) == GW_OK, "U8 %s %s",
           row->period, row->zone);

        gw_period_at(&period, &z, utc(row->now), GW_PERIOD_NEVER, &span);

        ok(is(&span, row->id) && span.start == utc(row->start)
           && span.end == utc(row->end), "U8 %s of %s: %.*s, %lld + %lld",
           row->id, row->now, (int) span.len, span.id,
           (long long) (span.start - utc(row->start)),
           (long long) (span.end - utc(row->end)));
    }
}


static int
libc_is(int64_t t, const char *format, const gw_period_span_t *span)
{
    char       text[32];
    time_t     sec;
    struct tm  tm;

    sec = t;
    strftime(text, sizeof(text), format, localtime_r(&sec, &tm));

    return is(span, text);
}


/* Walks from period to period; returns the number of wrong ones. */

static unsigned
walk(const char *name, int64_t from, int64_t to, unsigned k)
{
    int64_t           t;
    unsigned          wrong;
    gw_period_t       period;
    gw_period_zone_t  z;
    gw_period_span_t  span;

    if (parse(kinds[k], &period) != GW_OK || zone(name, from, &z) != GW_OK) {
        return 1;
    }

    setenv("TZ", name, 1);
    tzset();

    wrong = 0;

    for (t = from; t < to; t = span.end) {
        gw_period_at(&period, &z, t, GW_PERIOD_NEVER, &span);

        if ((t != from && span.start != t)
            || span.start > t
            || span.end <= t
            || !libc_is(span.start, formats[k], &span)
            || !libc_is(t, formats[k], &span)
            || !libc_is(span.end - 1, formats[k], &span)
            || libc_is(span.start - 1, formats[k], &span)
            || libc_is(span.end, formats[k], &span))
        {
            if (wrong++ == 0) {
                printf("# %s %s %.*s %lld %lld\n", name, kinds[k],
                       (int) span.len, span.id, (long long) span.start,
                       (long long) span.end);
            }
        }
    }

    unsetenv("TZ");
    tzset();

    return wrong;
}


static void
test_zones(void)
{
    char      text[32];
    size_t    i;
    int64_t   from[YEARS + 1];
    unsigned  k, y, wrong;

    for (y = 0; y <= YEARS; y++) {
        snprintf(text, sizeof(text), "%u-01-01 00:00:00", 2024 + y);
        from[y] = utc(text);
    }

    for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        wrong = 0;

        for (y = 0; y < YEARS; y++) {

            /* hours of one year */

            for (k = (y == 2) ? 0 : 1; k < 5; k++) {
                wrong += walk(zones[i], from[y], from[y + 1], k);
            }
        }

        ok(wrong == 0, "U8 %s, 2024 to 2032", zones[i]);
    }
}


static void
test_anchors(void)
{
    int64_t            since, now, next;
    unsigned           n, wrong;
    gw_period_t        period;
    gw_period_zone_t   z;
    gw_period_span_t   span;

    /* a subscription since the last day of January */

    zone("Europe/Berlin", utc("2026-02-01 00:00:00"), &z);
    since = utc("2026-01-30 23:30:00");
    parse("month", &period);

    gw_period_at(&period, &z, utc("2026-02-27 23:00:00"), since, &span);
    ok(is(&span, "2026-02") && span.start == utc("2026-02-27 23:00:00")
       && span.end == utc("2026-03-30 22:00:00"), "billing month, day 31");

    gw_period_at(&period, &z, since, since, &span);
    ok(is(&span, "2026-01") && span.start == utc("2026-01-30 23:00:00"),
       "the first one");

    parse("week", &period);
    gw_period_at(&period, &z, utc("2026-02-03 12:00:00"), since, &span);
    ok(is(&span, "2026-01-31") && span.end == utc("2026-02-06 23:00:00"),
       "billing week");

    parse("year", &period);
    gw_period_at(&period, &z, utc("2027-01-30 22:59:59"), since, &span);
    ok(is(&span, "2026") && span.start == utc("2026-01-30 23:00:00")
       && span.end == utc("2027-01-30 23:00:00"), "billing year");

    zone("UTC", 0, &z);
    gw_period_at(&period, &z, utc("2026-02-28 00:00:00"),
                 utc("2024-02-29 12:00:00"), &span);
    ok(is(&span, "2026") && span.start == utc("2026-02-28 00:00:00"),
       "since a leap day");

    /* fixed lengths */

    parse("30d", &period);
    gw_period_at(&period, &z, 1000000000, GW_PERIOD_NEVER, &span);
    ok(is(&span, "f1000000000") && span.start == 1000000000
       && span.end == 1000000000 + 30 * 86400, "from the first use");

    gw_period_at(&period, &z, 1000000000 + 90 * 86400 - 1, 1000000000, &span);
    ok(is(&span, "f1005184000") && span.end == 1000000000 + 90 * 86400,
       "the third one");

    gw_period_at(&period, &z, -1, 0, &span);
    ok(is(&span, "f-2592000") && span.end == 0, "before the first one");

    /* a clock that is put back over midnight, from 00:30 */

    z.n = 2;
    z.offsets[0].from = INT64_MIN;
    z.offsets[0].offset = 3600;
    z.offsets[1].from = utc("2026-09-13 23:30:00");
    z.offsets[1].offset = 0;

    parse("day", &period);
    gw_period_at(&period, &z, utc("2026-09-13 23:40:00"), GW_PERIOD_NEVER,
                 &span);
    ok(is(&span, "2026-09-14") && span.start == utc("2026-09-13 23:00:00")
       && span.end == utc("2026-09-15 00:00:00"),
       "a day that has begun is not left for the one before");

    /* an anchor at each day of the month */

    zone("UTC", 0, &z);
    parse("month", &period);
    wrong = 0;

    for (n = 1; n <= 31; n++) {
        period.day = (int) n;
        now = utc("2024-01-31 00:00:00");

        for (next = 0; now < utc("2032-12-31 00:00:00"); now = span.end) {
            gw_period_at(&period, &z, now, GW_PERIOD_NEVER, &span);

            wrong += (next != 0 && span.start != next);
            wrong += (span.end - span.start < 28 * 86400
                      || span.end - span.start > 31 * 86400);
            next = span.end;
        }
    }

    ok(wrong == 0, "each day of the month, 2024 to 2032");
}


static void
test_parse(void)
{
    unsigned           i;
    gw_period_t        period;
    gw_period_zone_t   z;

    static const char  *bad[] = { "", "d", "0d", "59s", "30", "30x", "-1d",
                                  "days", "3661d", "9999999999d", "1.5d",
                                  "month ", "1month" };
    static const char  *places[] = { "", "utc;", "+2:00", "+15:00", "+02:60",
                                     "+02-00", "Europe/",
                                     "/etc/passwd", "../../../etc/passwd",
                                     "Europe/../Berlin", ":UTC0", "<A>-1",
                                     "Europe/Berlin\n", "CET-1,M3" };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(parse(bad[i], &period) == GW_DECLINED, "no period: \"%s\"", bad[i]);
    }

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        ok(zone(places[i], 0, &z) == GW_DECLINED, "no zone: row %u", i);
    }

    ok(parse("3660d", &period) == GW_OK && parse("60s", &period) == GW_OK
       && parse("2w", &period) == GW_OK && period.length == 14 * 86400,
       "lengths");

    ok(zone("+14:00", 0, &z) == GW_OK && z.offsets[0].offset == 14 * 3600
       && zone("-00:01", 0, &z) == GW_OK && z.offsets[0].offset == -60,
       "offsets");

    parse("month", &period);
    ok(day("0", &period) == GW_DECLINED && day("32", &period) == GW_DECLINED
       && day("mon", &period) == GW_DECLINED && day("", &period)
                                                == GW_DECLINED
       && day("31", &period) == GW_OK, "days of a month");

    parse("week", &period);
    ok(day("1", &period) == GW_DECLINED && day("Mon", &period) == GW_DECLINED
       && day("sun", &period) == GW_OK && period.day == 7, "of a week");

    parse("day", &period);
    ok(day("1", &period) == GW_DECLINED, "a day has none");
}


int
main(void)
{
    test_rows();
    test_zones();
    test_anchors();
    test_parse();

    return done();
}
