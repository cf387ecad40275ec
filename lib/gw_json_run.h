
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Runs of bytes that need no decision, many at a time: the inner loops of the
 * JSON scanner and of the string escaping.  Private to lib/.
 *
 * The form with vectors and the portable one find the same ends.
 */


#ifndef GW_JSON_RUN_H
#define GW_JSON_RUN_H


#include <string.h>

#include "gw.h"
#include "gw_json_vector.h"


#define GW_JSON_ONES    UINT64_C(0x0101010101010101)
#define GW_JSON_HIGHS   UINT64_C(0x8080808080808080)

#define gw_json_digit(c)  ((unsigned) (c) - '0' <= 9)
#define gw_json_space(c)                                                      \
    ((c) == ' ' || (c) == '\n' || (c) == '\r' || (c) == '\t')


/* ends at a quote, a backslash, a control character, or beyond ASCII */

gw_json_inline const u_char *
gw_json_run_plain(const u_char *p, const u_char *last)
{
#if (GW_JSON_VECTOR)
    gw_json_vector_t  v;

    while (last - p >= 16) {
        v = gw_json_vector_load(p);

        v = gw_json_vector_or(
                gw_json_vector_low(v),
                gw_json_vector_or(
                    gw_json_vector_equal(v, gw_json_vector_fill('"')),
                    gw_json_vector_equal(v, gw_json_vector_fill('\\'))));

        if (gw_json_vector_some(v)) {
            return p + gw_json_vector_first(v);
        }

        p += 16;
    }
#else
    uint64_t  v, quote, slash;

    while (last - p >= 8) {
        memcpy(&v, p, 8);

        quote = v ^ (GW_JSON_ONES * '"');
        slash = v ^ (GW_JSON_ONES * '\\');

        /* the borrow can only spoil bytes above one that is found */

        if (((v | (v - GW_JSON_ONES * ' ') | (quote - GW_JSON_ONES)
              | (slash - GW_JSON_ONES)) & GW_JSON_HIGHS)
            != 0)
        {
            break;
        }

        p += 8;
    }
#endif

    while (p < last && *p >= ' ' && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }

    return p;
}


/* ends at the first byte that is no digit */

gw_json_inline const u_char *
gw_json_run_digits(const u_char *p, const u_char *last)
{
#if (GW_JSON_VECTOR)
    gw_json_vector_t  v;

    while (last - p >= 16) {
        v = gw_json_vector_not(gw_json_vector_digit(gw_json_vector_load(p)));

        if (gw_json_vector_some(v)) {
            return p + gw_json_vector_first(v);
        }

        p += 16;
    }
#endif

    while (p < last && gw_json_digit(*p)) {
        p++;
    }

    return p;
}


/* ends at the first byte that is no white space of JSON */

gw_json_inline const u_char *
gw_json_run_space(const u_char *p, const u_char *last)
{
#if (GW_JSON_VECTOR)
    gw_json_vector_t  v;

    /* most runs are a single space, or a line feed and an indentation */

    if (p < last && *p > ' ') {
        return p;
    }

    while (last - p >= 16) {
        v = gw_json_vector_load(p);

        v = gw_json_vector_or(
                gw_json_vector_or(
                    gw_json_vector_equal(v, gw_json_vector_fill(' ')),
                    gw_json_vector_equal(v, gw_json_vector_fill('\n'))),
                gw_json_vector_or(
                    gw_json_vector_equal(v, gw_json_vector_fill('\r')),
                    gw_json_vector_equal(v, gw_json_vector_fill('\t'))));

        v = gw_json_vector_not(v);

        if (gw_json_vector_some(v)) {
            return p + gw_json_vector_first(v);
        }

        p += 16;
    }
#endif

    while (p < last && gw_json_space(*p)) {
        p++;
    }

    return p;
}


/*
 * The length of the well-formed UTF-8 sequence at p, 2 to 4 (RFC 3629,
 * section 4); 0 for ASCII and for what is malformed or cut by last.
 */

gw_json_inline size_t
gw_json_run_utf8(const u_char *p, const u_char *last)
{
    if (*p < 0xc2 || last - p < 2) {
        return 0;
    }

    if (*p < 0xe0) {
        return (p[1] & 0xc0) == 0x80 ? 2 : 0;
    }

    if (last - p < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80) {
        return 0;
    }

    if (*p < 0xf0) {
        return (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f)
               ? 0 : 3;
    }

    if (last - p < 4 || (p[3] & 0xc0) != 0x80 || *p > 0xf4
        || (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
    {
        return 0;
    }

    return 4;
}


/*
 * Whole sequences and ASCII, 16 bytes at a time: p moves as far as all is
 * well-formed and plain.  It stays where a look at single bytes is needed:
 * at less than 16 bytes, at an error, and in a block of ASCII alone.
 */

static inline const u_char *
gw_json_run_wide(const u_char *p, const u_char *last)
{
#if (GW_JSON_VECTOR)
    gw_json_vector_t  v;
    unsigned          stops, high, tails, leads2, leads3, leads4;
    unsigned          from90, froma0, wanted, bad, end;

#define EQUAL(c)                                                              \
    gw_json_vector_mask(gw_json_vector_equal(v, gw_json_vector_fill(c)))
#define FROM(c)                                                               \
    gw_json_vector_mask(gw_json_vector_greater(v,                             \
                                               gw_json_vector_fill((c) - 1)))

    while (last - p >= 16) {
        v = gw_json_vector_load(p);
        high = gw_json_vector_mask(gw_json_vector_greater(
                                       gw_json_vector_fill(0), v));

        if (high == 0) {
            return p;
        }

        /* signed comparison: "high" keeps ASCII out */

        stops = ~(FROM(' ') | high) & 0xffff;
        stops |= EQUAL('"') | EQUAL('\\');
        leads2 = FROM(0xc0) & high;
        leads3 = FROM(0xe0) & high;
        leads4 = FROM(0xf0) & high;
        from90 = FROM(0x90) & high;
        froma0 = FROM(0xa0) & high;
        tails = high & ~leads2;

        wanted = leads2 << 1 | leads3 << 2 | leads4 << 3;

        bad = (wanted ^ tails)
              | EQUAL(0xc0) | EQUAL(0xc1) | (FROM(0xf5) & high)
              | (EQUAL(0xe0) << 1 & ~froma0) | (EQUAL(0xed) << 1 & froma0)
              | (EQUAL(0xf0) << 1 & ~from90) | (EQUAL(0xf4) << 1 & from90);

        if (stops) {
            end = (unsigned) __builtin_ctz(stops);

        } else if (wanted >> 16) {

            /* the last sequence goes on behind the block */

            end = 31 - (unsigned) __builtin_clz(leads2);

        } else {
            end = 16;
        }

        /* no sequence goes on at the byte where the next step begins */

        bad &= (2u << end) - 1;

        if (bad) {
            return p;
        }

        p += end;

        if (stops) {
            return p;
        }
    }

#undef EQUAL
#undef FROM
#else
    (void) last;
#endif

    return p;
}


#endif /* GW_JSON_RUN_H */
