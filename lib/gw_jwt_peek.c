
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json.h"
#include "gw_jwt_peek.h"


/* the text of a string as it stands in the payload */

typedef struct {
    const unsigned char  *start;
    const unsigned char  *end;          /* the quote */
    int                   escapes;
} gw_jwt_peek_string_t;


static const unsigned char *gw_jwt_peek_space(const unsigned char *p,
    const unsigned char *last);
static const unsigned char *gw_jwt_peek_string(const unsigned char *p,
    const unsigned char *last, gw_jwt_peek_string_t *string);
static const unsigned char *gw_jwt_peek_skip(const unsigned char *p,
    const unsigned char *last);
static int gw_jwt_peek_is_iss(const gw_jwt_peek_string_t *name);
static size_t gw_jwt_peek_decode(const gw_jwt_peek_string_t *string,
    unsigned char *buf, size_t size);
static const unsigned char *gw_jwt_peek_escape(const unsigned char *p,
    const unsigned char *last, uint32_t *code);
static const unsigned char *gw_jwt_peek_hex(const unsigned char *p,
    const unsigned char *last, uint32_t *unit);
static size_t gw_jwt_peek_utf8(unsigned char *buf, uint32_t code);


#define GW_JWT_PEEK_BAD  ((size_t) -1)


/*
 * The functions that read return the byte behind what they have read; the
 * byte at "last" belongs to nobody, and NULL is a failure.
 */

gw_status_e
gw_jwt_peek_issuer(const unsigned char *payload, size_t plen,
    unsigned char *buf, const unsigned char **iss, size_t *len)
{
    const unsigned char   *p, *last;
    gw_jwt_peek_string_t   string;

    last = payload + plen;
    p = gw_jwt_peek_space(payload, last);

    if (p == last || *p != '{') {
        return GW_DECLINED;
    }

    do {
        p = gw_jwt_peek_string(gw_jwt_peek_space(p + 1, last), last, &string);
        if (p == NULL) {
            return GW_DECLINED;
        }

        p = gw_jwt_peek_space(p, last);

        if (p == last || *p != ':') {
            return GW_DECLINED;
        }

        p = gw_jwt_peek_space(p + 1, last);

        if (gw_jwt_peek_is_iss(&string)) {

            if (gw_jwt_peek_string(p, last, &string) == NULL) {
                return GW_DECLINED;
            }

            *iss = string.start;
            *len = string.end - string.start;

            if (string.escapes) {
                *iss = buf;
                *len = gw_jwt_peek_decode(&string, buf,
                                          GW_JWT_PEEK_MAX_ISSUER);
            }

            return (*len == GW_JWT_PEEK_BAD) ? GW_DECLINED : GW_OK;
        }

        p = gw_jwt_peek_skip(p, last);

    } while (p != NULL && *p == ',');

    return GW_DECLINED;
}


static const unsigned char *
gw_jwt_peek_space(const unsigned char *p, const unsigned char *last)
{
    while (p < last
           && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
    {
        p++;
    }

    return p;
}


static const unsigned char *
gw_jwt_peek_string(const unsigned char *p, const unsigned char *last,
    gw_jwt_peek_string_t *string)
{
    if (p == last || *p != '"') {
        return NULL;
    }

    string->start = ++p;
    string->escapes = 0;

    for ( /* void */ ; p < last && *p != '"'; p++) {

        if (*p == '\\') {
            string->escapes = 1;
            p++;

            if (p == last) {
                return NULL;
            }
        }
    }

    if (p == last) {
        return NULL;
    }

    string->end = p;

    return p + 1;
}


/*
 * Skips a value of any type: to the comma or the brace that follows it in
 * the top-level object, or NULL if there is none.
 */

static const unsigned char *
gw_jwt_peek_skip(const unsigned char *p, const unsigned char *last)
{
    unsigned               depth;
    gw_jwt_peek_string_t   string;

    depth = 1;

    while (p < last) {

        switch (*p) {

        case '"':
            p = gw_jwt_peek_string(p, last, &string);
            if (p == NULL) {
                return NULL;
            }

            continue;

        case '{':
        case '[':
            if (++depth > GW_JSON_DEPTH) {
                return NULL;
            }

            break;

        case '}':
        case ']':
            if (--depth == 0) {
                return p;
            }

            break;

        case ',':
            if (depth == 1) {
                return p;
            }

            break;
        }

        p++;
    }

    return NULL;
}


static int
gw_jwt_peek_is_iss(const gw_jwt_peek_string_t *name)
{
    size_t          len;
    unsigned char   buf[sizeof("iss") - 1];

    if (!name->escapes) {
        return name->end - name->start == 3
               && memcmp(name->start, "iss", 3) == 0;
    }

    len = gw_jwt_peek_decode(name, buf, sizeof(buf));

    return len == 3 && memcmp(buf, "iss", 3) == 0;
}


/*
 * Returns the number of bytes written, or GW_JWT_PEEK_BAD.
 */

static size_t
gw_jwt_peek_decode(const gw_jwt_peek_string_t *string, unsigned char *buf,
    size_t size)
{
    size_t                n, len;
    uint32_t              code;
    unsigned char         utf8[4];
    const unsigned char  *p;

    len = 0;

    for (p = string->start; p < string->end; /* void */ ) {

        utf8[0] = *p;
        n = 1;

        if (*p++ == '\\') {
            p = gw_jwt_peek_escape(p, string->end, &code);
            if (p == NULL) {
                return GW_JWT_PEEK_BAD;
            }

            n = gw_jwt_peek_utf8(utf8, code);
        }

        if (n > size - len) {
            return GW_JWT_PEEK_BAD;
        }

        memcpy(buf + len, utf8, n);
        len += n;
    }

    return len;
}


/* what is behind a backslash; there is at least one byte */

static const unsigned char *
gw_jwt_peek_escape(const unsigned char *p, const unsigned char *last,
    uint32_t *code)
{
    uint32_t     low;
    const char  *found;

    static const char  names[] = "\"\\/bfnrt";
    static const char  values[] = "\"\\/\b\f\n\r\t";

    if (*p != 'u') {
        found = memchr(names, *p, sizeof(names) - 1);
        if (found == NULL) {
            return NULL;
        }

        *code = (unsigned char) values[found - names];

        return p + 1;
    }

    p = gw_jwt_peek_hex(p + 1, last, code);

    if (p == NULL || *code == 0 || (*code & 0xfc00) == 0xdc00) {
        return NULL;
    }

    if ((*code & 0xfc00) != 0xd800) {
        return p;
    }

    /* a pair */

    if (last - p < 2 || p[0] != '\\' || p[1] != 'u') {
        return NULL;
    }

    p = gw_jwt_peek_hex(p + 2, last, &low);

    if (p == NULL || (low & 0xfc00) != 0xdc00) {
        return NULL;
    }

    *code = 0x10000 + ((*code & 0x3ff) << 10) + (low & 0x3ff);

    return p;
}


static const unsigned char *
gw_jwt_peek_hex(const unsigned char *p, const unsigned char *last,
    uint32_t *unit)
{
    unsigned       i;
    unsigned char  c;

    if (last - p < 4) {
        return NULL;
    }

    *unit = 0;

    for (i = 0; i < 4; i++) {
        c = p[i];

        if (c >= '0' && c <= '9') {
            c -= '0';

        } else {
            c |= 0x20;

            if (c < 'a' || c > 'f') {
                return NULL;
            }

            c -= 'a' - 10;
        }

        *unit = *unit << 4 | c;
    }

    return p + 4;
}


static size_t
gw_jwt_peek_utf8(unsigned char *buf, uint32_t code)
{
    if (code < 0x80) {
        buf[0] = (unsigned char) code;
        return 1;
    }

    if (code < 0x800) {
        buf[0] = (unsigned char) (0xc0 | code >> 6);
        buf[1] = (unsigned char) (0x80 | (code & 0x3f));
        return 2;
    }

    if (code < 0x10000) {
        buf[0] = (unsigned char) (0xe0 | code >> 12);
        buf[1] = (unsigned char) (0x80 | (code >> 6 & 0x3f));
        buf[2] = (unsigned char) (0x80 | (code & 0x3f));
        return 3;
    }

    buf[0] = (unsigned char) (0xf0 | code >> 18);
    buf[1] = (unsigned char) (0x80 | (code >> 12 & 0x3f));
    buf[2] = (unsigned char) (0x80 | (code >> 6 & 0x3f));
    buf[3] = (unsigned char) (0x80 | (code & 0x3f));

    return 4;
}
