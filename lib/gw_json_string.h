
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The strings of the scanner.  Private to lib/.
 */


#ifndef GW_JSON_STRING_H
#define GW_JSON_STRING_H


#include <string.h>

#include "gw_json_bytes.h"
#include "gw_json_run.h"
#include "gw_json_scan.h"
#include "gw_json_token.h"
#include "gw_json_track.h"


static const u_char *gw_json_scan_escape(gw_json_scan_t *s, const u_char *p,
    const u_char *last);
static const u_char *gw_json_scan_hex(gw_json_scan_t *s, const u_char *p,
    const u_char *last);
static const u_char *gw_json_scan_lead(gw_json_scan_t *s, const u_char *p,
    const u_char *last);
static const u_char *gw_json_scan_trail(gw_json_scan_t *s, const u_char *p,
    const u_char *last);
static const u_char *gw_json_scan_odd(gw_json_scan_t *s, const u_char *p,
    const u_char *last);


/* the byte behind a backslash */

static const u_char *
gw_json_scan_escape(gw_json_scan_t *s, const u_char *p,
    const u_char *last)
{
    u_char       c;
    const char  *found;

    static const char  names[] = "\"\\/bfnrt";
    static const char  values[] = "\"\\/\b\f\n\r\t";

    if (*p == 'u') {
        s->state = ST_HEX;
        s->need = 4;
        s->unit = 0;
        return p + 1;
    }

    found = memchr(names, *p, sizeof(names) - 1);

    if (found == NULL) {
        return gw_json_scan_fail(s, p, last, GW_JSON_SCAN_INVALID_JSON);
    }

    if (s->tracking) {
        c = (u_char) values[found - names];
        gw_json_track_key(s, &c, 1);
    }

    s->state = ST_STRING;

    return p + 1;
}


static const u_char *
gw_json_scan_hex(gw_json_scan_t *s, const u_char *p,
    const u_char *last)
{
    unsigned  value;

    if (gw_json_digit(*p)) {
        value = *p - '0';

    } else if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'f') {
        value = (*p | 0x20) - 'a' + 10;

    } else {
        return gw_json_scan_fail(s, p, last, GW_JSON_SCAN_INVALID_JSON);
    }

    s->unit = (uint16_t) (s->unit << 4 | value);
    s->need--;

    if (s->need == 0) {
        s->state = ST_STRING;

        if (s->tracking) {
            gw_json_track_unit(s);
        }
    }

    return p + 1;
}


/* the first byte of a sequence: how many follow, bounds of the second */

static const u_char *
gw_json_scan_lead(gw_json_scan_t *s, const u_char *p,
    const u_char *last)
{
    if (*p < 0xc2 || *p > 0xf4) {
        return gw_json_scan_fail(s, p, last, GW_JSON_SCAN_INVALID_UTF8);
    }

    s->need = *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
    s->low = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
    s->high = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
    s->state = ST_UTF8;

    return p + 1;
}


static const u_char *
gw_json_scan_trail(gw_json_scan_t *s, const u_char *p,
    const u_char *last)
{
    if (*p < s->low || *p > s->high) {
        return gw_json_scan_fail(s, p, last, GW_JSON_SCAN_INVALID_UTF8);
    }

    s->low = 0x80;
    s->high = 0xbf;
    s->need--;

    if (s->need == 0) {
        s->state = ST_STRING;
    }

    return p + 1;
}


/* a byte at a time: escapes, and sequences that are cut or malformed */

static const u_char *
gw_json_scan_odd(gw_json_scan_t *s, const u_char *p, const u_char *last)
{
    const u_char  *start;

    while (p < last) {
        switch (s->state) {

        case ST_ESCAPE:
            p = gw_json_scan_escape(s, p, last);
            break;

        case ST_HEX:
            p = gw_json_scan_hex(s, p, last);
            break;

        case ST_UTF8:
            start = p;
            p = gw_json_scan_trail(s, p, last);

            if (s->tracking) {
                gw_json_track_key(s, start, p - start);
            }

            break;

        default:
            return p;
        }
    }

    return p;
}


/* runs of plain bytes and of whole UTF-8 sequences */

gw_json_inline const u_char *
gw_json_scan_text(const u_char *p, const u_char *last)
{
    size_t         n;
    const u_char  *start;

    for ( ;; ) {
        p = gw_json_run_plain(p, last);

        if (p == last || *p < 0x80) {
            return p;
        }

        start = p;
        p = gw_json_run_wide(p, last);

        if (p > start) {
            continue;
        }

        do {
            n = gw_json_run_utf8(p, last);
            p += n;
        } while (n && p < last && *p >= 0x80);

        if (n == 0) {
            return p;
        }
    }
}


/* whole escapes, one after the other; stays at a bad one or one that is cut */

gw_json_inline const u_char *
gw_json_scan_escapes(const u_char *p, const u_char *last)
{
    size_t  n;

    while (last - p >= GW_JSON_ESCAPE_ROOM && *p == '\\') {
        n = gw_json_escape_size(p);

        if (n == 0) {
            break;
        }

        p += n;
    }

    return p;
}


gw_json_inline const u_char *
gw_json_scan_string_end(gw_json_scan_t *s, const u_char *p,
    const u_char *last, int track)
{
    if (s->resume == ST_COLON) {
        if (track) {
            gw_json_track_key_end(s, gw_json_scan_offset(s, p));
        }

        if (p < last && *p == ':') {
            s->state = ST_VALUE;
            return p + 1;
        }

        s->state = ST_COLON;

        return p;
    }

    return gw_json_scan_scalar(s, p, last, track);
}


/* what ended a run: not the quote */

gw_json_inline const u_char *
gw_json_scan_special(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    const u_char  *start;

    start = p;

    if (*p == '\\') {
        if (!(track && s->tracking)) {
            p = gw_json_scan_escapes(p, last);

            if (p > start) {
                return p;
            }
        }

        s->state = ST_ESCAPE;
        p++;

    } else if (*p >= 0x80) {
        p = gw_json_scan_lead(s, p, last);

        if (track && s->tracking) {
            gw_json_track_key(s, start, p - start);
        }

    } else {
        return gw_json_scan_fail(s, p, last, GW_JSON_SCAN_INVALID_JSON);
    }

    return gw_json_scan_odd(s, p, last);
}


gw_json_inline const u_char *
gw_json_scan_string(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    const u_char  *start;

    for ( ;; ) {
        start = p;
        p = gw_json_scan_text(p, last);

        if (track && s->tracking) {
            gw_json_track_key(s, start, p - start);
        }

        if (p == last) {
            return p;
        }

        if (*p == '"') {
            return gw_json_scan_string_end(s, p + 1, last, track);
        }

        p = gw_json_scan_special(s, p, last, track);

        if (s->state != ST_STRING) {
            return p;
        }
    }
}


#endif /* GW_JSON_STRING_H */
