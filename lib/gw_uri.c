
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_uri.h"


static int gw_uri_hex(u_char c);
static int gw_uri_code(const u_char *p, const u_char *last);
static int gw_uri_unreserved(u_char c);
static u_char *gw_uri_escape(u_char *dst, u_char c);
static int gw_uri_dots(const u_char *p, const u_char *last);


static int
gw_uri_hex(u_char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    return -1;
}


/* the byte that the code after the "%" at p stands for, or -1 */

static int
gw_uri_code(const u_char *p, const u_char *last)
{
    int  high, low;

    if (last - p < 3) {
        return -1;
    }

    high = gw_uri_hex(p[1]);
    low = gw_uri_hex(p[2]);

    if (high < 0 || low < 0) {
        return -1;
    }

    return high << 4 | low;
}


static int
gw_uri_unreserved(u_char c)
{
    u_char  lower;

    lower = (u_char) (c | 0x20);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9')
           || c == '-' || c == '.' || c == '_' || c == '~';
}


static u_char *
gw_uri_escape(u_char *dst, u_char c)
{
    static const char  hex[] = "0123456789ABCDEF";

    if (gw_uri_unreserved(c)) {
        *dst++ = c;
        return dst;
    }

    *dst++ = '%';
    *dst++ = (u_char) hex[c >> 4];
    *dst++ = (u_char) hex[c & 0xf];

    return dst;
}


u_char *
gw_uri_component(u_char *dst, const u_char *data, size_t len)
{
    int            code;
    u_char         c;
    const u_char  *p, *last;

    p = data;
    last = data + len;

    while (p < last) {
        c = *p;

        if (c == '+') {
            c = ' ';

        } else if (c == '%') {
            code = gw_uri_code(p, last);

            if (code >= 0) {
                c = (u_char) code;
                p += 2;
            }
        }

        p++;
        dst = gw_uri_escape(dst, c);
    }

    return dst;
}


u_char *
gw_uri_text(u_char *dst, const u_char *data, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (data[i] == '/') {
            *dst++ = '/';
            continue;
        }

        dst = gw_uri_escape(dst, data[i]);
    }

    return dst;
}


static int
gw_uri_dots(const u_char *p, const u_char *last)
{
    return (last - p == 1 && p[0] == '.')
           || (last - p == 2 && p[0] == '.' && p[1] == '.');
}


gw_status_e
gw_uri_path(const u_char *data, size_t len, u_char *dst, size_t *dlen,
    unsigned *encoded)
{
    int            code;
    u_char        *d, *segment;
    const u_char  *p, *last;

    *encoded = 0;

    if (len == 0 || data[0] != '/') {
        return GW_DECLINED;
    }

    d = dst;
    segment = dst;
    last = data + len;

    for (p = data; p < last; p++) {

        if (*p <= 0x20 || *p == 0x7f || *p == '#' || *p == '?') {
            return GW_DECLINED;
        }

        if (*p == '/') {
            if (gw_uri_dots(segment, d)) {
                return GW_DECLINED;
            }

            *d++ = '/';
            segment = d;
            continue;
        }

        if (*p != '%') {
            *d++ = *p;
            continue;
        }

        code = gw_uri_code(p, last);

        if (code <= 0) {
            return GW_DECLINED;
        }

        if (code == '/') {
            *encoded = 1;
        }

        *d++ = (u_char) code;
        p += 2;
    }

    if (gw_uri_dots(segment, d)) {
        return GW_DECLINED;
    }

    *dlen = (size_t) (d - dst);

    return GW_OK;
}


gw_status_e
gw_uri_args(const u_char *data, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (data[i] <= 0x20 || data[i] == 0x7f || data[i] == '#') {
            return GW_DECLINED;
        }
    }

    return GW_OK;
}
