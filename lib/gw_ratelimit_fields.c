
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_ratelimit_fields.h"
#include "gw_siphash.h"

#include <string.h>


#define GW_RATELIMIT_SECOND   1000000LL          /* usec */
#define GW_RATELIMIT_DIGITS   15

#define GW_RATELIMIT_TYPE                                                     \
    "{\"type\":\"https://iana.org/assignments/http-problem-types#"

/* base64, RFC 9651, 4.1.8: between colons */
#define GW_RATELIMIT_ENCODED  (GW_RATELIMIT_PARTITION / 3 * 4)

#define gw_ratelimit_text(p, text)                                            \
    gw_ratelimit_copy(p, text, sizeof(text) - 1)


static u_char *gw_ratelimit_limit(u_char *p, const gw_ratelimit_item_t *item,
    int64_t now);
static u_char *gw_ratelimit_remaining(u_char *p,
    const gw_ratelimit_item_t *item, int64_t now);
static u_char *gw_ratelimit_reset(u_char *p, const gw_ratelimit_item_t *item,
    int64_t now);
static u_char *gw_ratelimit_reset_epoch(u_char *p,
    const gw_ratelimit_item_t *item, int64_t now);
static u_char *gw_ratelimit_policy_text(u_char *p,
    const gw_ratelimit_item_t *item);
static u_char *gw_ratelimit_parameter(u_char *p,
    const gw_ratelimit_item_t *item);
static int64_t gw_ratelimit_whole(int64_t usec);
static u_char *gw_ratelimit_copy(u_char *p, const char *text, size_t len);
static u_char *gw_ratelimit_string(u_char *p, const u_char *data, size_t len);
static u_char *gw_ratelimit_integer(u_char *p, int64_t n);


#define gw_ratelimit_name(name)  name, sizeof(name) - 1

static const gw_ratelimit_field_t  gw_ratelimit_draft_08[] = {
    { gw_ratelimit_name("RateLimit-Policy"), GW_RATELIMIT_EACH,
      gw_ratelimit_policy, NULL },
    { gw_ratelimit_name("RateLimit"), GW_RATELIMIT_NEAREST,
      gw_ratelimit_state, gw_ratelimit_read_list },
    { NULL, 0, 0, NULL, NULL }
};

static const gw_ratelimit_field_t  gw_ratelimit_draft_next[] = {
    { gw_ratelimit_name("RateLimit-Policy"), GW_RATELIMIT_EACH,
      gw_ratelimit_policy, NULL },
    { gw_ratelimit_name("RateLimit"), GW_RATELIMIT_NEAREST,
      gw_ratelimit_next, gw_ratelimit_read_list },
    { NULL, 0, 0, NULL, NULL }
};

static const gw_ratelimit_field_t  gw_ratelimit_draft_00[] = {
    { gw_ratelimit_name("RateLimit-Limit"), GW_RATELIMIT_PLAIN,
      gw_ratelimit_limit, NULL },
    { gw_ratelimit_name("RateLimit-Remaining"), GW_RATELIMIT_PLAIN,
      gw_ratelimit_remaining, gw_ratelimit_read_number },
    { gw_ratelimit_name("RateLimit-Reset"), GW_RATELIMIT_PLAIN,
      gw_ratelimit_reset, NULL },
    { NULL, 0, 0, NULL, NULL }
};

static const gw_ratelimit_field_t  gw_ratelimit_x[] = {
    { gw_ratelimit_name("X-RateLimit-Limit"), GW_RATELIMIT_PLAIN,
      gw_ratelimit_limit, NULL },
    { gw_ratelimit_name("X-RateLimit-Remaining"), GW_RATELIMIT_PLAIN,
      gw_ratelimit_remaining, gw_ratelimit_read_number },
    { gw_ratelimit_name("X-RateLimit-Reset"), GW_RATELIMIT_PLAIN,
      gw_ratelimit_reset, NULL },
    { NULL, 0, 0, NULL, NULL }
};

static const gw_ratelimit_field_t  gw_ratelimit_x_epoch[] = {
    { gw_ratelimit_name("X-RateLimit-Limit"), GW_RATELIMIT_PLAIN,
      gw_ratelimit_limit, NULL },
    { gw_ratelimit_name("X-RateLimit-Remaining"), GW_RATELIMIT_PLAIN,
      gw_ratelimit_remaining, gw_ratelimit_read_number },
    { gw_ratelimit_name("X-RateLimit-Reset"), GW_RATELIMIT_PLAIN,
      gw_ratelimit_reset_epoch, NULL },
    { NULL, 0, 0, NULL, NULL }
};

static const gw_ratelimit_field_t *const  gw_ratelimit_sets[] = {
    gw_ratelimit_draft_08,
    gw_ratelimit_draft_00,
    gw_ratelimit_x,
    gw_ratelimit_x_epoch,
    gw_ratelimit_draft_next
};


const gw_ratelimit_field_t *
gw_ratelimit_set(gw_ratelimit_set_e set)
{
    return gw_ratelimit_sets[set];
}


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
gw_ratelimit_name_size(const u_char *data, size_t len)
{
    size_t  i, size;

    size = sizeof("\"\"") - 1 + len;

    for (i = 0; i < len; i++) {
        size += (data[i] == '"' || data[i] == '\\');
    }

    return size;
}


size_t
gw_ratelimit_item_size(const gw_ratelimit_item_t *item)
{
    return sizeof("\"\"") - 1 + 2 * item->name_len
           + sizeof(";q=;w=;gw-burst=") - 1 + 3 * GW_RATELIMIT_DIGITS
           + (item->unit ? sizeof(";qu=\"\"") - 1 + strlen(item->unit) : 0)
           + sizeof(";pk=::") - 1 + GW_RATELIMIT_ENCODED;
}


u_char *
gw_ratelimit_policy(u_char *p, const gw_ratelimit_item_t *item, int64_t now)
{
    (void) now;

    if (item->text != NULL) {
        p = gw_ratelimit_copy(p, (const char *) item->text, item->text_len);

    } else {
        p = gw_ratelimit_policy_text(p, item);
    }

    return gw_ratelimit_parameter(p, item);
}


static u_char *
gw_ratelimit_policy_text(u_char *p, const gw_ratelimit_item_t *item)
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
gw_ratelimit_state(u_char *p, const gw_ratelimit_item_t *item, int64_t now)
{
    (void) now;

    if (item->text != NULL) {
        p = gw_ratelimit_copy(p, (const char *) item->text, item->quoted);

    } else {
        p = gw_ratelimit_string(p, item->name, item->name_len);
    }

    p = gw_ratelimit_text(p, ";r=");
    p = gw_ratelimit_integer(p, item->remaining);

    if (item->reset > 0) {
        p = gw_ratelimit_text(p, ";t=");
        p = gw_ratelimit_seconds(p, item->reset);
    }

    return gw_ratelimit_parameter(p, item);
}


u_char *
gw_ratelimit_next(u_char *p, const gw_ratelimit_item_t *item, int64_t now)
{
    (void) now;

    p = gw_ratelimit_string(p, item->name, item->name_len);

    p = gw_ratelimit_text(p, ";a=");
    p = gw_ratelimit_integer(p, item->remaining);

    if (item->reset > 0) {
        p = gw_ratelimit_text(p, ";w=");
        p = gw_ratelimit_seconds(p, item->reset);
    }

    if (item->cost > 0) {
        p = gw_ratelimit_text(p, ";c=");
        p = gw_ratelimit_integer(p, item->cost);
    }

    return gw_ratelimit_parameter(p, item);
}


/* What remains is never more than the limit: a bucket may hold more. */

static u_char *
gw_ratelimit_limit(u_char *p, const gw_ratelimit_item_t *item, int64_t now)
{
    (void) now;

    return gw_ratelimit_integer(p, (item->quota > item->capacity)
                                   ? item->quota : item->capacity);
}


static u_char *
gw_ratelimit_remaining(u_char *p, const gw_ratelimit_item_t *item,
    int64_t now)
{
    (void) now;

    return gw_ratelimit_integer(p, item->remaining);
}


static u_char *
gw_ratelimit_reset(u_char *p, const gw_ratelimit_item_t *item, int64_t now)
{
    (void) now;

    return gw_ratelimit_integer(p, gw_ratelimit_whole(item->reset));
}


static u_char *
gw_ratelimit_reset_epoch(u_char *p, const gw_ratelimit_item_t *item,
    int64_t now)
{
    return gw_ratelimit_integer(p, now + gw_ratelimit_whole(item->reset));
}


/* the partition key, a Byte Sequence of RFC 9651, 3.3.5 */

static u_char *
gw_ratelimit_parameter(u_char *p, const gw_ratelimit_item_t *item)
{
    size_t         i;
    uint32_t       n;
    const u_char  *s;

    static const char  basis[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";

    s = item->partition;

    if (s == NULL) {
        return p;
    }

    p = gw_ratelimit_text(p, ";pk=:");

    for (i = 0; i < GW_RATELIMIT_PARTITION; i += 3) {
        n = (uint32_t) s[i] << 16 | (uint32_t) s[i + 1] << 8 | s[i + 2];

        *p++ = (u_char) basis[n >> 18];
        *p++ = (u_char) basis[(n >> 12) & 63];
        *p++ = (u_char) basis[(n >> 6) & 63];
        *p++ = (u_char) basis[n & 63];
    }

    *p++ = ':';

    return p;
}


void
gw_ratelimit_partition(const uint64_t seed[2], const uint64_t key[2],
    u_char *partition)
{
    uint64_t  other[2], hash[2];

    /* another secret than that of the store */

    other[0] = ~seed[1];
    other[1] = ~seed[0];

    gw_siphash24(other, (const u_char *) key, 2 * sizeof(uint64_t), hash);

    memcpy(partition, hash, GW_RATELIMIT_PARTITION);
}


u_char *
gw_ratelimit_seconds(u_char *p, int64_t usec)
{
    int64_t  sec;

    sec = gw_ratelimit_whole(usec);

    return gw_ratelimit_integer(p, sec > 0 ? sec : 1);
}


/* seconds, rounded up */

static int64_t
gw_ratelimit_whole(int64_t usec)
{
    if (usec <= 0) {
        return 0;
    }

    return usec / GW_RATELIMIT_SECOND + (usec % GW_RATELIMIT_SECOND > 0);
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
    u_char    text[GW_RATELIMIT_DIGITS];
    size_t    i;
    uint64_t  rest;

    if (n < 10) {
        *p++ = (u_char) ('0' + (n > 0 ? n : 0));
        return p;
    }

    if (n > GW_RATELIMIT_INTEGER_MAX) {
        n = GW_RATELIMIT_INTEGER_MAX;
    }

    i = sizeof(text);

    for (rest = (uint64_t) n; rest != 0; rest /= 10) {
        text[--i] = (u_char) ('0' + rest % 10);
    }

    memcpy(p, text + i, sizeof(text) - i);

    return p + sizeof(text) - i;
}
