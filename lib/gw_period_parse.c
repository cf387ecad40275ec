
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_period.h"

#include <string.h>


typedef struct {
    const char  *name;
    size_t       len;
    int64_t      value;
} gw_period_word_t;


static const gw_period_word_t *gw_period_word(const gw_period_word_t *word,
    const u_char *data, size_t len);
static int64_t gw_period_number(const u_char *data, size_t len);


static const gw_period_word_t  gw_period_kinds[] = {
    { "minute", 6, GW_PERIOD_MINUTE },
    { "hour", 4, GW_PERIOD_HOUR },
    { "day", 3, GW_PERIOD_DAY },
    { "week", 4, GW_PERIOD_WEEK },
    { "month", 5, GW_PERIOD_MONTH },
    { "year", 4, GW_PERIOD_YEAR },
    { NULL, 0, 0 }
};


static const gw_period_word_t  gw_period_units[] = {
    { "s", 1, 1 },
    { "m", 1, 60 },
    { "h", 1, 3600 },
    { "d", 1, 86400 },
    { "w", 1, 7 * 86400 },
    { NULL, 0, 0 }
};


static const gw_period_word_t  gw_period_weekdays[] = {
    { "mon", 3, 1 },
    { "tue", 3, 2 },
    { "wed", 3, 3 },
    { "thu", 3, 4 },
    { "fri", 3, 5 },
    { "sat", 3, 6 },
    { "sun", 3, 7 },
    { NULL, 0, 0 }
};


gw_status_e
gw_period_parse(const u_char *data, size_t len, gw_period_t *period)
{
    int64_t                  n;
    const gw_period_word_t  *word;

    period->length = 0;
    period->day = 1;

    word = gw_period_word(gw_period_kinds, data, len);

    if (word != NULL) {
        period->kind = (gw_period_kind_e) word->value;
        return GW_OK;
    }

    if (len < 2) {
        return GW_DECLINED;
    }

    word = gw_period_word(gw_period_units, data + len - 1, 1);
    n = gw_period_number(data, len - 1);

    if (word == NULL || n < 0) {
        return GW_DECLINED;
    }

    period->kind = GW_PERIOD_LENGTH;
    period->length = n * word->value;

    return (period->length < GW_PERIOD_LENGTH_MIN
            || period->length > GW_PERIOD_LENGTH_MAX) ? GW_DECLINED : GW_OK;
}


gw_status_e
gw_period_day(const u_char *data, size_t len, gw_period_t *period)
{
    int64_t                  n;
    const gw_period_word_t  *word;

    if (period->kind == GW_PERIOD_WEEK) {
        word = gw_period_word(gw_period_weekdays, data, len);

        if (word == NULL) {
            return GW_DECLINED;
        }

        period->day = (int) word->value;

        return GW_OK;
    }

    n = gw_period_number(data, len);

    if (period->kind != GW_PERIOD_MONTH || n < 1 || n > 31) {
        return GW_DECLINED;
    }

    period->day = (int) n;

    return GW_OK;
}


gw_status_e
gw_period_zone_fixed(const u_char *data, size_t len, gw_period_zone_t *zone)
{
    int     hours, minutes;
    size_t  i;

    zone->n = 1;
    zone->offsets[0].from = INT64_MIN;
    zone->offsets[0].offset = 0;

    if (len == 3 && memcmp(data, "UTC", 3) == 0) {
        return GW_OK;
    }

    if (len != 6 || (data[0] != '+' && data[0] != '-') || data[3] != ':') {
        return GW_DECLINED;
    }

    for (i = 1; i < 6; i++) {
        if (i != 3 && (data[i] < '0' || data[i] > '9')) {
            return GW_DECLINED;
        }
    }

    hours = (data[1] - '0') * 10 + data[2] - '0';
    minutes = (data[4] - '0') * 10 + data[5] - '0';

    if (hours > 14 || minutes > 59) {
        return GW_DECLINED;
    }

    zone->offsets[0].offset = (data[0] == '-' ? -60 : 60)
                              * (hours * 60 + minutes);

    return GW_OK;
}


int
gw_period_zone_named(const u_char *data, size_t len)
{
    u_char  ch;
    size_t  i;

    if (len == 0 || len > GW_PERIOD_NAME_MAX) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        ch = data[i];

        if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')) {
            continue;
        }

        if (i == 0
            || !((ch >= '0' && ch <= '9') || ch == '_' || ch == '-'
                 || ch == '+' || (ch == '/' && i + 1 < len)))
        {
            return 0;
        }
    }

    return 1;
}


static const gw_period_word_t *
gw_period_word(const gw_period_word_t *word, const u_char *data, size_t len)
{
    for ( /* void */ ; word->name != NULL; word++) {

        if (word->len == len && memcmp(word->name, data, len) == 0) {
            return word;
        }
    }

    return NULL;
}


/* Returns -1 if it is no number of at most nine digits. */

static int64_t
gw_period_number(const u_char *data, size_t len)
{
    size_t   i;
    int64_t  n;

    if (len == 0 || len > 9) {
        return -1;
    }

    n = 0;

    for (i = 0; i < len; i++) {

        if (data[i] < '0' || data[i] > '9') {
            return -1;
        }

        n = n * 10 + (data[i] - '0');
    }

    return n;
}
