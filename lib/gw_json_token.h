
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The literals and numbers of the scanner.  Private to lib/.
 *
 * Each function goes from p as far as the token, and the comma or the colon
 * behind it, or the bytes reach, and leaves in s->state where it stopped.
 * "track" is a constant where they are inlined: the scanner with and without
 * tracking is the same text.
 */


#ifndef GW_JSON_TOKEN_H
#define GW_JSON_TOKEN_H


#include <string.h>

#include "gw_json_run.h"
#include "gw_json_scan.h"
#include "gw_json_state.h"
#include "gw_json_track.h"


static const u_char *gw_json_scan_fail(gw_json_scan_t *s, const u_char *p,
    const u_char *last, gw_json_scan_e error);


gw_json_inline size_t
gw_json_scan_offset(const gw_json_scan_t *s, const u_char *p)
{
    return s->offset + (p - s->data);
}


/* the byte at p cannot stand there; returns last, so that all loops end */

static __attribute__((noinline, cold)) const u_char *
gw_json_scan_fail(gw_json_scan_t *s, const u_char *p, const u_char *last,
    gw_json_scan_e error)
{
    s->offset = gw_json_scan_offset(s, p);
    s->error = error;
    s->state = ST_ERROR;

    return last;
}


gw_json_inline const u_char *
gw_json_scan_comma(gw_json_scan_t *s, const u_char *p, int track)
{
    int  array;

    array = s->after != ST_MEMBER;
    s->state = array ? ST_VALUE : ST_KEY;

    if (track) {
        gw_json_track_comma(s, gw_json_scan_offset(s, p), array);
    }

    return p + 1;
}


/* a value ends before p; a comma behind it is taken at once */

gw_json_inline const u_char *
gw_json_scan_scalar(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    if (track) {
        gw_json_track_scalar_end(s, gw_json_scan_offset(s, p));
    }

    if (p < last && *p == ',' && s->after != ST_END) {
        return gw_json_scan_comma(s, p, track);
    }

    s->state = s->after;

    return p;
}


/* true, false, null and the byte order mark, behind their first byte */

gw_json_inline const u_char *
gw_json_scan_literal(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    while (*s->literal) {
        if (p == last) {
            return p;
        }

        if (*p != (u_char) *s->literal) {
            return gw_json_scan_fail(s, p, last, GW_JSON_SCAN_INVALID_JSON);
        }

        s->literal++;
        p++;
    }

    if (s->state == ST_BOM) {
        s->state = ST_TOP;
        return p;
    }

    return gw_json_scan_scalar(s, p, last, track);
}


gw_json_inline const u_char *
gw_json_scan_letter(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    s->state = ST_LITERAL;
    s->literal = *p == 't' ? "rue" : *p == 'f' ? "alse" : "ull";

    if (last - p >= 5) {
        if (*p == 'f') {
            if (memcmp(p + 1, "alse", 4) == 0) {
                return gw_json_scan_scalar(s, p + 5, last, track);
            }

        } else if (memcmp(p, *p == 't' ? "true" : "null", 4) == 0) {
            return gw_json_scan_scalar(s, p + 4, last, track);
        }
    }

    return gw_json_scan_literal(s, p + 1, last, track);
}


gw_json_inline const u_char *
gw_json_scan_exponent(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    if (s->state == ST_E) {
        if (p == last) {
            return p;
        }

        s->state = ST_E_SIGN;

        if (*p == '+' || *p == '-') {
            p++;
        }
    }

    if (s->state == ST_E_SIGN) {
        if (p == last) {
            return p;
        }

        if (!gw_json_digit(*p)) {
            return gw_json_scan_fail(s, p, last, GW_JSON_SCAN_INVALID_JSON);
        }

        s->state = ST_EXPONENT;
    }

    p = gw_json_run_digits(p, last);

    if (p == last) {
        return p;
    }

    return gw_json_scan_scalar(s, p, last, track);
}


gw_json_inline const u_char *
gw_json_scan_fraction(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    if (s->state == ST_POINT) {
        if (p == last) {
            return p;
        }

        if (!gw_json_digit(*p)) {
            return gw_json_scan_fail(s, p, last, GW_JSON_SCAN_INVALID_JSON);
        }

        s->state = ST_FRACTION;
    }

    p = gw_json_run_digits(p, last);

    if (p == last) {
        return p;
    }

    if ((*p | 0x20) == 'e') {
        s->state = ST_E;
        return gw_json_scan_exponent(s, p + 1, last, track);
    }

    return gw_json_scan_scalar(s, p, last, track);
}


gw_json_inline const u_char *
gw_json_scan_int(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    if (s->state == ST_INT) {
        p = gw_json_run_digits(p, last);
    }

    if (p == last) {
        return p;
    }

    if (*p == '.') {
        s->state = ST_POINT;
        return gw_json_scan_fraction(s, p + 1, last, track);
    }

    if ((*p | 0x20) == 'e') {
        s->state = ST_E;
        return gw_json_scan_exponent(s, p + 1, last, track);
    }

    return gw_json_scan_scalar(s, p, last, track);
}


/* the minus, unless it was read before, and the first digit */

gw_json_inline const u_char *
gw_json_scan_number(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    if (!gw_json_digit(*p)) {
        if (*p != '-' || s->state == ST_MINUS) {
            return gw_json_scan_fail(s, p, last, GW_JSON_SCAN_INVALID_JSON);
        }

        s->state = ST_MINUS;
        p++;

        if (p == last) {
            return p;
        }

        if (!gw_json_digit(*p)) {
            return gw_json_scan_fail(s, p, last, GW_JSON_SCAN_INVALID_JSON);
        }
    }

    s->state = *p == '0' ? ST_ZERO : ST_INT;

    return gw_json_scan_int(s, p + 1, last, track);
}


#endif /* GW_JSON_TOKEN_H */
