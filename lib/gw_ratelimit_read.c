
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_ratelimit_fields.h"

#include <string.h>


/* digits of an integer of a structured field, RFC 9651, 3.3.1 */
#define GW_RATELIMIT_READ_DIGITS  15


typedef struct {
    const u_char  *p;
    const u_char  *last;
} gw_ratelimit_text_t;


/* a bare item; what is no integer is only skipped */

typedef struct {
    int64_t        integer;
    int            is_integer;
    int            is_name;    /* a String or a Token */
} gw_ratelimit_bare_t;


static int gw_ratelimit_read_member(gw_ratelimit_text_t *t,
    gw_ratelimit_told_t *told);
static int gw_ratelimit_read_bare(gw_ratelimit_text_t *t,
    gw_ratelimit_bare_t *bare);
static int gw_ratelimit_read_digits(gw_ratelimit_text_t *t,
    gw_ratelimit_bare_t *bare);
static int gw_ratelimit_read_quoted(gw_ratelimit_text_t *t, int display);
static int gw_ratelimit_read_until(gw_ratelimit_text_t *t, int (*is)(u_char));
static int gw_ratelimit_is_key(u_char ch);
static int gw_ratelimit_is_token(u_char ch);
static int gw_ratelimit_is_base64(u_char ch);
static int gw_ratelimit_is_digit(u_char ch);
static int gw_ratelimit_is_space(u_char ch);


/* RFC 9651, 4.2.1 */

gw_status_e
gw_ratelimit_read_list(const u_char *data, size_t len,
    gw_ratelimit_told_t *told)
{
    gw_ratelimit_told_t  all, one;
    gw_ratelimit_text_t  t;

    t.p = data;
    t.last = data + len;

    all.remaining = GW_RATELIMIT_INTEGER_MAX;
    all.reset = 0;

    for ( ;; ) {
        gw_ratelimit_read_until(&t, gw_ratelimit_is_space);

        if (!gw_ratelimit_read_member(&t, &one)) {
            return GW_DECLINED;
        }

        if (one.remaining < all.remaining
            || (one.remaining == all.remaining && one.reset > all.reset))
        {
            all = one;
        }

        gw_ratelimit_read_until(&t, gw_ratelimit_is_space);

        if (t.p == t.last) {
            break;
        }

        if (*t.p++ != ',') {
            return GW_DECLINED;
        }
    }

    *told = all;

    return GW_OK;
}


gw_status_e
gw_ratelimit_read_number(const u_char *data, size_t len,
    gw_ratelimit_told_t *told)
{
    gw_ratelimit_bare_t  bare;
    gw_ratelimit_text_t  t;

    t.p = data;
    t.last = data + len;

    memset(&bare, 0, sizeof(bare));

    if (!gw_ratelimit_read_digits(&t, &bare)
        || t.p != t.last
        || !bare.is_integer
        || bare.integer < 0)
    {
        return GW_DECLINED;
    }

    told->remaining = bare.integer;
    told->reset = 0;

    return GW_OK;
}


/* A policy and its parameters; one without "r", or "a", is none. */

static int
gw_ratelimit_read_member(gw_ratelimit_text_t *t, gw_ratelimit_told_t *told)
{
    size_t                n;
    const u_char         *key;
    gw_ratelimit_told_t   next;
    gw_ratelimit_bare_t   bare;

    told->remaining = -1;
    told->reset = 0;
    next = *told;

    if (!gw_ratelimit_read_bare(t, &bare) || !bare.is_name) {
        return 0;
    }

    while (t->p < t->last && *t->p == ';') {
        t->p++;

        while (t->p < t->last && *t->p == ' ') {
            t->p++;
        }

        key = t->p;

        if (t->p == t->last || gw_ratelimit_is_digit(*key)
            || *key == '_' || *key == '-' || *key == '.'
            || !gw_ratelimit_read_until(t, gw_ratelimit_is_key))
        {
            return 0;
        }

        n = (size_t) (t->p - key);
        memset(&bare, 0, sizeof(bare));

        if (t->p < t->last && *t->p == '=') {
            t->p++;

            if (!gw_ratelimit_read_bare(t, &bare)) {
                return 0;
            }
        }

        if (n == 1 && (*key == 'r' || *key == 't')) {

            if (!bare.is_integer || bare.integer < 0) {
                return 0;
            }

            *(*key == 'r' ? &told->remaining : &told->reset) = bare.integer;

        } else if (n == 1 && (*key == 'a' || *key == 'w')
                   && bare.is_integer && bare.integer >= 0)
        {
            *(*key == 'a' ? &next.remaining : &next.reset) = bare.integer;
        }
    }

    /* of the draft that stands these two say nothing */

    if (told->remaining < 0) {
        *told = next;
    }

    return told->remaining >= 0;
}


/* RFC 9651, 4.2.3.1; an Inner List is no policy */

static int
gw_ratelimit_read_bare(gw_ratelimit_text_t *t, gw_ratelimit_bare_t *bare)
{
    u_char  ch;

    memset(bare, 0, sizeof(*bare));

    if (t->p == t->last) {
        return 0;
    }

    ch = *t->p;

    if (ch == '"') {
        bare->is_name = 1;
        return gw_ratelimit_read_quoted(t, 0);
    }

    if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '*') {
        bare->is_name = 1;
        return gw_ratelimit_read_until(t, gw_ratelimit_is_token);
    }

    if (ch == '-' || gw_ratelimit_is_digit(ch)) {
        return gw_ratelimit_read_digits(t, bare);
    }

    t->p++;

    switch (ch) {

    case ':':
        gw_ratelimit_read_until(t, gw_ratelimit_is_base64);
        return t->p < t->last && *t->p++ == ':';

    case '?':
        return t->p < t->last && (*t->p == '0' || *t->p == '1') && t->p++;

    case '@':
        return gw_ratelimit_read_digits(t, bare) && bare->is_integer
               && !(bare->is_integer = 0);

    case '%':
        return gw_ratelimit_read_quoted(t, 1);

    default:
        return 0;
    }
}


/* RFC 9651, 4.2.4: an integer, or a decimal of up to 12 and 3 digits */

static int
gw_ratelimit_read_digits(gw_ratelimit_text_t *t, gw_ratelimit_bare_t *bare)
{
    int            sign;
    size_t         n;
    int64_t        value;
    const u_char  *start;

    sign = (t->p < t->last && *t->p == '-');
    start = t->p += sign;

    if (!gw_ratelimit_read_until(t, gw_ratelimit_is_digit)) {
        return 0;
    }

    n = (size_t) (t->p - start);

    if (n > GW_RATELIMIT_READ_DIGITS) {
        return 0;
    }

    if (t->p < t->last && *t->p == '.') {
        start = ++t->p;

        return n <= 12 && gw_ratelimit_read_until(t, gw_ratelimit_is_digit)
               && t->p - start <= 3;
    }

    value = 0;

    while (start < t->p) {
        value = value * 10 + (*start++ - '0');
    }

    bare->integer = sign ? -value : value;
    bare->is_integer = 1;

    return 1;
}


/* RFC 9651, 4.2.5 and 4.2.10 */

static int
gw_ratelimit_read_quoted(gw_ratelimit_text_t *t, int display)
{
    u_char  ch;

    if (t->p == t->last || *t->p++ != '"') {
        return 0;
    }

    while (t->p < t->last) {
        ch = *t->p++;

        if (ch == '"') {
            return 1;
        }

        if (ch < 0x20 || ch > 0x7e) {
            return 0;
        }

        if (ch == '\\' && !display) {

            if (t->p == t->last || (*t->p != '"' && *t->p != '\\')) {
                return 0;
            }

            t->p++;
        }
    }

    return 0;
}


/* Skips bytes of a kind; returns 1 if there were some. */

static int
gw_ratelimit_read_until(gw_ratelimit_text_t *t, int (*is)(u_char))
{
    const u_char  *start;

    start = t->p;

    while (t->p < t->last && is(*t->p)) {
        t->p++;
    }

    return t->p != start;
}


static int
gw_ratelimit_is_key(u_char ch)
{
    return (ch >= 'a' && ch <= 'z') || gw_ratelimit_is_digit(ch)
           || ch == '_' || ch == '-' || ch == '.' || ch == '*';
}


static int
gw_ratelimit_is_token(u_char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
           || gw_ratelimit_is_digit(ch)
           || (ch > 0x20 && ch < 0x7f
               && strchr("!#$%&'*+-.^_`|~:/", ch) != NULL);
}


static int
gw_ratelimit_is_base64(u_char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
           || gw_ratelimit_is_digit(ch)
           || ch == '+' || ch == '/' || ch == '=';
}


static int
gw_ratelimit_is_digit(u_char ch)
{
    return ch >= '0' && ch <= '9';
}


static int
gw_ratelimit_is_space(u_char ch)
{
    return ch == ' ' || ch == '\t';
}
