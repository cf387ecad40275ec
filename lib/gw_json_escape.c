
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_json_escape.h"
#include "gw_json_run.h"


static u_char gw_json_escape_short(u_char c);


static u_char
gw_json_escape_short(u_char c)
{
    switch (c) {

    case '"':
    case '\\':
        return c;

    case '\b':
        return 'b';

    case '\f':
        return 'f';

    case '\n':
        return 'n';

    case '\r':
        return 'r';

    case '\t':
        return 't';
    }

    return 0;
}


size_t
gw_json_utf8(const u_char *p, const u_char *last)
{
    return *p < 0x80 ? 1 : gw_json_run_utf8(p, last);
}


gw_status_e
gw_json_escape_len(const u_char *data, size_t size, size_t *len,
    size_t *offset)
{
    size_t         n;
    const u_char  *p, *last;

    *len = size;

    if (size == 0) {
        return GW_OK;
    }

    p = data;
    last = data + size;

    for ( ;; ) {
        p = gw_json_run_plain(p, last);

        if (p == last) {
            return GW_OK;
        }

        if (*p >= 0x80) {
            n = gw_json_run_utf8(p, last);

            if (n == 0) {
                *offset = p - data;
                return GW_DECLINED;
            }

            p += n;
            continue;
        }

        *len += gw_json_escape_short(*p) ? 1 : GW_JSON_ESCAPE_MAX - 1;
        p++;
    }
}


u_char *
gw_json_escape(u_char *dst, const u_char *data, size_t size)
{
    u_char         c;
    const u_char  *p, *last, *run;

    static const char  hex[] = "0123456789abcdef";

    if (size == 0) {
        return dst;
    }

    p = data;
    last = data + size;

    while (p < last) {
        run = p;
        p = gw_json_run_plain(p, last);

        while (p < last && *p >= 0x80) {
            p++;
        }

        if (p > run) {
            memcpy(dst, run, p - run);
            dst += p - run;
            continue;
        }

        *dst++ = '\\';
        c = gw_json_escape_short(*p);

        if (c) {
            *dst++ = c;

        } else {
            memcpy(dst, "u00", 3);
            dst[3] = hex[*p >> 4];
            dst[4] = hex[*p & 0xf];
            dst += 5;
        }

        p++;
    }

    return dst;
}
