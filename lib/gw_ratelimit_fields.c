
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_ratelimit_fields.h"

#include <string.h>


#define GW_RATELIMIT_SECOND   1000000LL          /* usec */
#define GW_RATELIMIT_DIGITS   15

#define GW_RATELIMIT_TYPE                                                     \
    "{\"type\":\"https://iana.org/assignments/http-problem-types#"

#define gw_ratelimit_text(p, text)                                            \
    gw_ratelimit_copy(p, text, sizeof(text) - 1)


static u_char *gw_ratelimit_copy(u_char *p, const char *text, size_t len);
static u_char *gw_ratelimit_string(u_char *p, const u_char *data, size_t len);
static u_char *gw_ratelimit_integer(u_char *p, int64_t n);


int
gw_ratelimit_name_valid(const u_char *data, size_t len)
{
    size_t  i;

    if (len == 0 || len > GW_RATELIMIT_NAME_MAX) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (data[i] < 0x20 || data[i] > 0x7e) {
            return 0;
        }
    }

    return 1;
}


size_t
gw_ratelimit_item_size(const gw_ratelimit_item_t *item)
{
    return sizeof("\"\"") - 1 + 2 * item->name_len
           + sizeof(";q=;w=;gw-burst=") - 1 + 3 * GW_RATELIMIT_DIGITS
           + (item->unit ? sizeof(";qu=\"\"") - 1 + strlen(item->unit) : 0);
}


u_char *
gw_ratelimit_policy(u_char *p, const gw_ratelimit_item_t *item)
{
    p = gw_ratelimit_string(p, item->name, item->name_len);

    p = gw_ratelimit_text(p, ";q=");
    p = gw_ratelimit_integer(p, item->quota);

    if (item->unit != NULL) {
        p = gw_ratelimit_text(p, ";qu=\"");
        p = gw_ratelimit_copy(p, item->unit, strlen(item->unit));
        *p++ = '"';
    }

    if (item->window > 0) {
        p = gw_ratelimit_text(p, ";w=");
        p = gw_ratelimit_integer(p, item->window);

        if (item->burst > 0) {
            p = gw_ratelimit_text(p, ";gw-burst=");
            p = gw_ratelimit_integer(p, item->burst);
        }
    }

    return p;
}


u_char *
gw_ratelimit_state(u_char *p, const gw_ratelimit_item_t *item)
{
    p = gw_ratelimit_string(p, item->name, item->name_len);

    p = gw_ratelimit_text(p, ";r=");
    p = gw_ratelimit_integer(p, item->remaining);

    if (item->reset > 0) {
        p = gw_ratelimit_text(p, ";t=");
        p = gw_ratelimit_seconds(p, item->reset);
    }

    return p;
}


u_char *
gw_ratelimit_seconds(u_char *p, int64_t usec)
{
    int64_t  sec;

    sec = usec / GW_RATELIMIT_SECOND;

    if (usec % GW_RATELIMIT_SECOND > 0 || sec <= 0) {
        sec = (sec > 0) ? sec + 1 : 1;
    }

    return gw_ratelimit_integer(p, sec);
}


int
gw_ratelimit_nearer(const gw_ratelimit_item_t *a, const gw_ratelimit_item_t *b)
{
    double  left, right;

    /* doubles, as the products may be 2^90 */

    left = (double) a->remaining * (double) b->capacity;
    right = (double) b->remaining * (double) a->capacity;

    if (left != right) {
        return left < right;
    }

    if (a->remaining != b->remaining) {
        return a->remaining < b->remaining;
    }

    return a->reset > b->reset;
}


size_t
gw_ratelimit_problem_size(size_t name_len)
{
    return sizeof(GW_RATELIMIT_TYPE "temporary-reduced-capacity\",\"title\":"
                  "\"Request cannot be satisfied as assigned quota has been "
                  "exceeded\",\"status\":,\"violated-policies\":[\"\"]}")
           + GW_RATELIMIT_DIGITS + 2 * name_len;
}


u_char *
gw_ratelimit_problem(u_char *p, gw_ratelimit_problem_e type, unsigned status,
    const u_char *name, size_t name_len)
{
    if (type == GW_RATELIMIT_REDUCED_CAPACITY) {
        p = gw_ratelimit_text(p, GW_RATELIMIT_TYPE
                              "temporary-reduced-capacity\",\"title\":"
                              "\"Request cannot be satisfied due to temporary "
                              "server capacity constraints\",\"status\":");
        p = gw_ratelimit_integer(p, status);

        *p++ = '}';

        return p;
    }

    p = gw_ratelimit_text(p, GW_RATELIMIT_TYPE "quota-exceeded\",\"title\":"
                          "\"Request cannot be satisfied as assigned quota "
                          "has been exceeded\",\"status\":");
    p = gw_ratelimit_integer(p, status);

    /* what has to be escaped in a printable String is the same in JSON */

    p = gw_ratelimit_text(p, ",\"violated-policies\":[");
    p = gw_ratelimit_string(p, name, name_len);

    return gw_ratelimit_text(p, "]}");
}


static u_char *
gw_ratelimit_copy(u_char *p, const char *text, size_t len)
{
    memcpy(p, text, len);

    return p + len;
}


/* RFC 9651, 4.1.6 */

static u_char *
gw_ratelimit_string(u_char *p, const u_char *data, size_t len)
{
    size_t  i;

    *p++ = '"';

    for (i = 0; i < len; i++) {
        if (data[i] == '"' || data[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = data[i];
    }

    *p++ = '"';

    return p;
}


static u_char *
gw_ratelimit_integer(u_char *p, int64_t n)
{
    u_char  text[GW_RATELIMIT_DIGITS];
    size_t  i;

    if (n < 0) {
        n = 0;

    } else if (n > GW_RATELIMIT_INTEGER_MAX) {
        n = GW_RATELIMIT_INTEGER_MAX;
    }

    i = sizeof(text);

    do {
        text[--i] = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    memcpy(p, text + i, sizeof(text) - i);

    return p + sizeof(text) - i;
}
