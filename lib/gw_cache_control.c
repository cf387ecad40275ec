
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_cache_control.h"

#include <string.h>
#include <strings.h>


#define GW_CACHE_DIGITS  10        /* of GW_CACHE_SECONDS_MAX */

#define gw_cache_text(p, text)  gw_cache_copy(p, text, sizeof(text) - 1)


static const u_char *gw_cache_value(const u_char *p, const u_char *last,
    const u_char **end);
static void gw_cache_directive(gw_cache_control_t *cc, const u_char *name,
    size_t len, const u_char *value, size_t n);
static int64_t gw_cache_number(const u_char *value, size_t n);
static int64_t gw_cache_least(int64_t a, int64_t b);
static int64_t gw_cache_left(int64_t lifetime, int64_t age);
static u_char *gw_cache_copy(u_char *p, const char *text, size_t len);
static u_char *gw_cache_integer(u_char *p, int64_t n);
static int gw_vary_has(const u_char *list, size_t len, const u_char *name,
    size_t n);


void
gw_cache_control_init(gw_cache_control_t *cc)
{
    memset(cc, 0, sizeof(gw_cache_control_t));

    cc->max_age = -1;
    cc->s_maxage = -1;
}


void
gw_cache_control_parse(gw_cache_control_t *cc, const u_char *data, size_t len)
{
    size_t         n;
    const u_char  *p, *last, *name, *value, *end;

    p = data;
    last = data + len;

    while (p < last) {

        if (*p == ',' || *p == ' ' || *p == '\t') {
            p++;
            continue;
        }

        name = p;

        while (p < last && *p != ',' && *p != '=' && *p != ' ' && *p != '\t') {
            p++;
        }

        n = (size_t) (p - name);
        value = p;
        end = p;

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (p < last && *p == '=') {
            p++;

            while (p < last && (*p == ' ' || *p == '\t')) {
                p++;
            }

            value = p;
            p = gw_cache_value(p, last, &end);

            while (p < last && *p != ',' && *p != ' ' && *p != '\t') {
                p++;
            }
        }

        gw_cache_directive(cc, name, n, value, (size_t) (end - value));
    }
}


/*
 * Finds the end of a token or a quoted string, in which a comma ends nothing.
 * A string that has no end is not one: what follows its quote is read.
 */

static const u_char *
gw_cache_value(const u_char *p, const u_char *last, const u_char **end)
{
    const u_char  *start;

    start = p;

    if (p < last && *p == '"') {

        for (p++; p < last && *p != '"'; p++) {
            if (*p == '\\' && p + 1 < last) {
                p++;
            }
        }

        if (p < last) {
            *end = ++p;
            return p;
        }

        *end = start;

        return start + 1;
    }

    while (p < last && *p != ',' && *p != ' ' && *p != '\t') {
        p++;
    }

    *end = p;

    return p;
}


static void
gw_cache_directive(gw_cache_control_t *cc, const u_char *name, size_t len,
    const u_char *value, size_t n)
{

#define gw_cache_is(text)                                                     \
    (len == sizeof(text) - 1                                                  \
     && strncasecmp((const char *) name, text, sizeof(text) - 1) == 0)

    if (gw_cache_is("max-age")) {
        cc->max_age = gw_cache_least(cc->max_age, gw_cache_number(value, n));

    } else if (gw_cache_is("s-maxage")) {
        cc->s_maxage = gw_cache_least(cc->s_maxage, gw_cache_number(value, n));

    } else if (gw_cache_is("no-store")) {
        cc->no_store = 1;

    } else if (gw_cache_is("no-cache")) {
        cc->no_cache = 1;

    } else if (gw_cache_is("private")) {
        cc->is_private = 1;

    } else if (gw_cache_is("public")) {
        cc->is_public = 1;

    } else if (gw_cache_is("must-revalidate")) {
        cc->must_revalidate = 1;

    } else if (gw_cache_is("proxy-revalidate")) {
        cc->proxy_revalidate = 1;

    } else if (gw_cache_is("no-transform")) {
        cc->no_transform = 1;
    }

#undef gw_cache_is
}


/* what cannot be read is stale, RFC 9111, 4.2.1 */

static int64_t
gw_cache_number(const u_char *value, size_t n)
{
    int64_t  sec;

    if (n >= 2 && value[0] == '"') {
        value++;
        n -= 2;
    }

    sec = gw_cache_seconds(value, n);

    return (sec < 0) ? 0 : sec;
}


int64_t
gw_cache_seconds(const u_char *data, size_t len)
{
    size_t   i;
    int64_t  sec;

    if (len == 0) {
        return -1;
    }

    for (i = 0, sec = 0; i < len; i++) {

        if (data[i] < '0' || data[i] > '9') {
            return -1;
        }

        if (sec < GW_CACHE_SECONDS_MAX) {
            sec = sec * 10 + (data[i] - '0');
        }
    }

    return (sec > GW_CACHE_SECONDS_MAX) ? GW_CACHE_SECONDS_MAX : sec;
}


/* of what was said */

static int64_t
gw_cache_least(int64_t a, int64_t b)
{
    if (a == -1 || b == -1) {
        return (a == -1) ? b : a;
    }

    return (a < b) ? a : b;
}


void
gw_cache_merge_init(gw_cache_merge_t *m)
{
    memset(m, 0, sizeof(gw_cache_merge_t));

    m->max_age = -1;
    m->s_maxage = -1;
}


void
gw_cache_merge_add(gw_cache_merge_t *m, const gw_cache_control_t *cc,
    int64_t expires, int64_t age)
{
    int64_t  own, shared;

    m->some = 1;
    m->no_store |= cc->no_store;
    m->no_cache |= cc->no_cache;
    m->is_private |= cc->is_private;
    m->must_revalidate |= cc->must_revalidate;
    m->proxy_revalidate |= cc->proxy_revalidate;
    m->no_transform |= cc->no_transform;

    m->not_public |= !cc->is_public;
    m->not_shared |= !(cc->is_public || cc->must_revalidate
                       || cc->s_maxage != -1);

    /* 5.3: Expires counts without max-age, 4.2.1: s-maxage in shared caches */

    own = cc->max_age;

    if (own == -1 && expires != -1) {
        own = (expires < 0) ? 0 : expires;
    }

    shared = cc->s_maxage;

    if (shared == -1) {
        shared = own;
    }

    if (shared == -1) {
        m->silent = 1;
        return;
    }

    if (own == -1) {
        own = shared;
    }

    m->max_age = gw_cache_least(m->max_age, gw_cache_left(own, age));
    m->max_age = gw_cache_least(m->max_age, gw_cache_left(shared, age));
    m->s_maxage = gw_cache_least(m->s_maxage, gw_cache_left(shared, age));
}


static int64_t
gw_cache_left(int64_t lifetime, int64_t age)
{
    if (lifetime > GW_CACHE_SECONDS_MAX) {
        lifetime = GW_CACHE_SECONDS_MAX;
    }

    return (lifetime > age) ? lifetime - age : 0;
}


u_char *
gw_cache_merge_write(const gw_cache_merge_t *m, u_char *p, int authorized)
{
    u_char   *start;
    int64_t   own, shared;

    start = p;

    if (m->no_store) {
        return gw_cache_text(p, "no-store");
    }

    own = m->max_age;
    shared = m->s_maxage;

    if (m->silent && own != -1) {
        own = 0;
        shared = 0;
    }

    if (m->is_private
        || (authorized && m->not_shared
            && (own != -1 || m->must_revalidate)))
    {
        p = gw_cache_text(p, ", private");
        shared = own;

    } else if (m->some && !m->not_public) {
        p = gw_cache_text(p, ", public");
    }

    if (m->no_cache) {
        p = gw_cache_text(p, ", no-cache");
    }

    if (own != -1) {
        p = gw_cache_text(p, ", max-age=");
        p = gw_cache_integer(p, own);

        if (shared != own) {
            p = gw_cache_text(p, ", s-maxage=");
            p = gw_cache_integer(p, shared);
        }
    }

    if (m->must_revalidate) {
        p = gw_cache_text(p, ", must-revalidate");
    }

    if (m->proxy_revalidate) {
        p = gw_cache_text(p, ", proxy-revalidate");
    }

    if (m->no_transform) {
        p = gw_cache_text(p, ", no-transform");
    }

    if (p == start) {
        return p;
    }

    memmove(start, start + 2, (size_t) (p - start - 2));

    return p - 2;
}


static u_char *
gw_cache_copy(u_char *p, const char *text, size_t len)
{
    memcpy(p, text, len);

    return p + len;
}


static u_char *
gw_cache_integer(u_char *p, int64_t n)
{
    size_t  len;
    u_char  digits[GW_CACHE_DIGITS];

    len = 0;

    do {
        digits[GW_CACHE_DIGITS - ++len] = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n && len < GW_CACHE_DIGITS);

    memcpy(p, digits + GW_CACHE_DIGITS - len, len);

    return p + len;
}


void
gw_vary_add(u_char *list, size_t *len, const u_char *data, size_t n)
{
    size_t         size;
    const u_char  *p, *last, *name;

    p = data;
    last = data + n;

    while (p < last) {

        name = p;

        while (p < last && *p != ',' && *p != ' ' && *p != '\t') {
            p++;
        }

        size = (size_t) (p - name);
        p++;

        if (size == 0 || gw_vary_has(list, *len, name, size)
            || (*len == 1 && list[0] == '*'))
        {
            continue;
        }

        if (size == 1 && *name == '*') {
            list[0] = '*';
            *len = 1;
            continue;
        }

        if (*len) {
            list[(*len)++] = ',';
            list[(*len)++] = ' ';
        }

        memcpy(list + *len, name, size);
        *len += size;
    }
}


static int
gw_vary_has(const u_char *list, size_t len, const u_char *name, size_t n)
{
    size_t  i, start;

    for (i = 0, start = 0; i <= len; i++) {

        if (i < len && list[i] != ',') {
            continue;
        }

        if (i - start == n
            && strncasecmp((const char *) list + start, (const char *) name, n)
               == 0)
        {
            return 1;
        }

        /* the comma and the space */

        start = i + 2;
    }

    return 0;
}
