
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_resp.h"


/* enough for any 64-bit number; longer ones are refused */
#define GW_RESP_DIGITS_MAX  19


enum {
    GW_RESP_TYPE = 0,
    GW_RESP_TEXT,
    GW_RESP_NUMBER,
    GW_RESP_LF,
    GW_RESP_BULK,
    GW_RESP_BULK_CR,
    GW_RESP_BULK_LF
};


static gw_status_e gw_resp_byte(gw_resp_t *s, unsigned char ch);
static gw_status_e gw_resp_type(gw_resp_t *s, unsigned char ch);
static gw_status_e gw_resp_digit(gw_resp_t *s, unsigned char ch);
static gw_status_e gw_resp_line(gw_resp_t *s);
static gw_status_e gw_resp_bulk(gw_resp_t *s);
static gw_status_e gw_resp_array(gw_resp_t *s);
static gw_status_e gw_resp_end(gw_resp_t *s);
static gw_status_e gw_resp_fail(gw_resp_t *s, const char *error);


void
gw_resp_init(gw_resp_t *s, const gw_resp_limits_t *limits)
{
    s->limits = *limits;

    if (s->limits.depth > GW_RESP_DEPTH_MAX) {
        s->limits.depth = GW_RESP_DEPTH_MAX;
    }

    s->error = NULL;
    s->state = GW_RESP_TYPE;
    s->depth = 0;
    s->bytes = 0;
    s->elements = 0;
    s->skip = 0;
    s->number = 0;
    s->digits = 0;
    s->type = 0;
    s->minus = 0;
}


gw_status_e
gw_resp_check(gw_resp_t *s, const unsigned char *data, size_t len)
{
    size_t                n;
    const unsigned char  *last;

    if (s->error != NULL) {
        return GW_ERROR;
    }

    last = data + len;

    while (data != last) {

        if (s->state == GW_RESP_BULK) {
            n = (size_t) (last - data);
            n = (n < s->skip) ? n : s->skip;

            data += n;
            s->skip -= n;

            if (s->skip == 0) {
                s->state = GW_RESP_BULK_CR;
            }

            continue;
        }

        if (gw_resp_byte(s, *data++) != GW_OK) {
            return GW_ERROR;
        }
    }

    return GW_OK;
}


static gw_status_e
gw_resp_byte(gw_resp_t *s, unsigned char ch)
{
    /* the bytes of a bulk string were counted with its length */

    if (s->state < GW_RESP_BULK && ++s->bytes > s->limits.bytes) {
        return gw_resp_fail(s, "reply is too large");
    }

    switch (s->state) {

    case GW_RESP_TYPE:
        return gw_resp_type(s, ch);

    case GW_RESP_TEXT:

        if (ch == '\r') {
            s->state = GW_RESP_LF;

        } else if (ch == '\n') {
            return gw_resp_fail(s, "line feed in a reply line");
        }

        return GW_OK;

    case GW_RESP_NUMBER:
        return gw_resp_digit(s, ch);

    case GW_RESP_LF:
        return (ch == '\n') ? gw_resp_line(s)
                            : gw_resp_fail(s, "bare CR in a reply line");

    case GW_RESP_BULK_CR:
        s->state = GW_RESP_BULK_LF;
        return (ch == '\r') ? GW_OK
                            : gw_resp_fail(s, "no CR LF after a string");

    default: /* GW_RESP_BULK_LF */
        return (ch == '\n') ? gw_resp_end(s)
                            : gw_resp_fail(s, "no CR LF after a string");
    }
}


static gw_status_e
gw_resp_type(gw_resp_t *s, unsigned char ch)
{
    if (++s->elements > s->limits.elements) {
        return gw_resp_fail(s, "too many elements in a reply");
    }

    s->type = ch;
    s->number = 0;
    s->digits = 0;
    s->minus = 0;

    switch (ch) {

    case '+':
    case '-':
        s->state = GW_RESP_TEXT;
        return GW_OK;

    case ':':
    case '$':
    case '*':
        s->state = GW_RESP_NUMBER;
        return GW_OK;

    case '>':
        return gw_resp_fail(s, "RESP3 push message");

    default:
        return gw_resp_fail(s, "unknown type of a reply");
    }
}


static gw_status_e
gw_resp_digit(gw_resp_t *s, unsigned char ch)
{
    if (ch == '\r' && s->digits != 0) {
        s->state = GW_RESP_LF;
        return GW_OK;
    }

    if (ch == '-' && s->digits == 0 && !s->minus) {
        s->minus = 1;
        return GW_OK;
    }

    if (ch < '0' || ch > '9' || ++s->digits > GW_RESP_DIGITS_MAX) {
        return gw_resp_fail(s, "malformed number in a reply");
    }

    /* no length comes near to this, and an integer is not looked at */

    if (s->number > SIZE_MAX / 10 - 1) {
        s->number = SIZE_MAX;

    } else {
        s->number = s->number * 10 + (size_t) (ch - '0');
    }

    return GW_OK;
}


static gw_status_e
gw_resp_line(gw_resp_t *s)
{
    if (s->type != '$' && s->type != '*') {
        return gw_resp_end(s);
    }

    if (s->minus) {
        return (s->number == 1) ? gw_resp_end(s)
                                : gw_resp_fail(s, "negative length");
    }

    return (s->type == '$') ? gw_resp_bulk(s) : gw_resp_array(s);
}


static gw_status_e
gw_resp_bulk(gw_resp_t *s)
{
    size_t  room;

    room = s->limits.bytes - s->bytes;

    if (room < 2 || s->number > room - 2) {
        return gw_resp_fail(s, "string is too large");
    }

    s->bytes += s->number + 2;
    s->skip = s->number;
    s->state = (s->skip == 0) ? GW_RESP_BULK_CR : GW_RESP_BULK;

    return GW_OK;
}


static gw_status_e
gw_resp_array(gw_resp_t *s)
{
    if (s->depth >= s->limits.depth) {
        return gw_resp_fail(s, "arrays are nested too deep");
    }

    if (s->number > s->limits.elements - s->elements) {
        return gw_resp_fail(s, "array is too large");
    }

    if (s->number == 0) {
        return gw_resp_end(s);
    }

    s->left[s->depth++] = s->number;
    s->state = GW_RESP_TYPE;

    return GW_OK;
}


static gw_status_e
gw_resp_end(gw_resp_t *s)
{
    s->state = GW_RESP_TYPE;

    while (s->depth != 0) {

        if (--s->left[s->depth - 1] != 0) {
            return GW_OK;
        }

        s->depth--;
    }

    s->bytes = 0;
    s->elements = 0;

    return GW_OK;
}


static gw_status_e
gw_resp_fail(gw_resp_t *s, const char *error)
{
    s->error = error;

    return GW_ERROR;
}
