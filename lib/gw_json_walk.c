
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json_walk.h"


#define GW_JSON_WALK_SURROGATE(unit)                                         \
    ((unit) >= 0xd800 && (unit) < 0xe000)

#define GW_JSON_WALK_LOW_SURROGATE(unit)                                     \
    ((unit) >= 0xdc00 && (unit) < 0xe000)


static gw_status_e gw_json_walk_unescape(u_char *dst, const u_char *data,
    size_t len, int any, size_t *dlen);
static const u_char *gw_json_walk_escape(u_char **dst, const u_char *p,
    const u_char *last, int any);
static uint32_t gw_json_walk_unit(const u_char *p);
static u_char *gw_json_walk_utf8(u_char *dst, uint32_t code);


void
gw_json_elements_begin(gw_json_elements_t *e, size_t start)
{
    memset(e, 0, sizeof(gw_json_elements_t));

    e->offset = start;
}


gw_status_e
gw_json_elements_next(gw_json_elements_t *e, const u_char **p,
    const u_char *last, gw_json_element_t *element)
{
    u_char  ch, more;

    while (*p < last) {

        ch = *(*p)++;
        e->offset++;

        if (e->string) {
            if (e->escape) {
                e->escape = 0;

            } else if (ch == '\\') {
                e->escape = 1;

            } else if (ch == '"') {
                e->string = 0;
            }

            e->element.range.end = e->offset;
            continue;
        }

        if (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n') {
            continue;
        }

        if (e->depth == 0) {
            e->depth = 1;
            continue;
        }

        if (e->depth == 1 && (ch == ',' || ch == ']')) {
            *element = e->element;
            more = e->started;
            e->started = 0;

            if (ch == ']') {
                /* what is behind it is not looked at: the next call ends */
                e->offset--;
                (*p)--;
            }

            return more ? GW_OK : GW_DECLINED;
        }

        if (!e->started) {
            e->started = 1;
            e->element.range.start = e->offset - 1;
            e->element.first = ch;
            e->element.empty = 1;

        } else if (e->depth > 2 || (e->depth == 2 && ch != ']' && ch != '}'))
        {
            e->element.empty = 0;
        }

        if (ch == '"') {
            e->string = 1;

        } else if (ch == '[' || ch == '{') {
            e->depth++;

        } else if (ch == ']' || ch == '}') {
            e->depth--;
        }

        e->element.range.end = e->offset;
    }

    return GW_AGAIN;
}


gw_status_e
gw_json_unescape(u_char *dst, const u_char *data, size_t len, size_t *dlen)
{
    return gw_json_walk_unescape(dst, data, len, 0, dlen);
}


size_t
gw_json_unescape_any(u_char *dst, const u_char *data, size_t len)
{
    size_t  n;

    (void) gw_json_walk_unescape(dst, data, len, 1, &n);

    return n;
}


static gw_status_e
gw_json_walk_unescape(u_char *dst, const u_char *data, size_t len, int any,
    size_t *dlen)
{
    u_char        *d;
    const u_char  *p, *last;

    d = dst;
    p = data + 1;
    last = data + len - 1;

    while (p < last) {

        if (*p != '\\') {
            *d++ = *p++;
            continue;
        }

        p = gw_json_walk_escape(&d, p + 1, last, any);

        if (p == NULL) {
            return GW_DECLINED;
        }
    }

    *dlen = d - dst;

    return GW_OK;
}


/* p: behind the backslash; NULL: a lone surrogate, unless any code is one */

static const u_char *
gw_json_walk_escape(u_char **dst, const u_char *p, const u_char *last,
    int any)
{
    uint32_t       code, low;
    const u_char  *found;

    static const u_char  names[] = "\"\\/bfnrt";
    static const u_char  values[] = "\"\\/\b\f\n\r\t";

    if (*p != 'u') {
        found = memchr(names, *p, sizeof(names) - 1);
        *(*dst)++ = values[found - names];

        return p + 1;
    }

    code = gw_json_walk_unit(p + 1);
    p += 5;

    if (GW_JSON_WALK_SURROGATE(code)) {

        low = 0;

        if (!GW_JSON_WALK_LOW_SURROGATE(code)
            && last - p >= 6 && p[0] == '\\' && p[1] == 'u')
        {
            low = gw_json_walk_unit(p + 2);
        }

        if (GW_JSON_WALK_LOW_SURROGATE(low)) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            p += 6;

        } else if (!any) {
            return NULL;
        }
    }

    *dst = gw_json_walk_utf8(*dst, code);

    return p;
}


static uint32_t
gw_json_walk_unit(const u_char *p)
{
    u_char    ch;
    size_t    i;
    uint32_t  unit;

    unit = 0;

    for (i = 0; i < 4; i++) {
        ch = p[i];
        unit = unit << 4
               | (uint32_t) (ch <= '9' ? ch - '0' : (ch | 0x20) - 'a' + 10);
    }

    return unit;
}


static u_char *
gw_json_walk_utf8(u_char *dst, uint32_t code)
{
    if (code < 0x80) {
        *dst++ = (u_char) code;
        return dst;
    }

    if (code < 0x800) {
        *dst++ = (u_char) (0xc0 | code >> 6);

    } else {
        if (code < 0x10000) {
            *dst++ = (u_char) (0xe0 | code >> 12);

        } else {
            *dst++ = (u_char) (0xf0 | code >> 18);
            *dst++ = (u_char) (0x80 | (code >> 12 & 0x3f));
        }

        *dst++ = (u_char) (0x80 | (code >> 6 & 0x3f));
    }

    *dst++ = (u_char) (0x80 | (code & 0x3f));

    return dst;
}
