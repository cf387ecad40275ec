
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw_json.h"


#define GW_JSON_PROBE  4096     /* bytes, what a small object may need */


static json_t *gw_json_load_flags(const unsigned char *data, size_t len,
    unsigned depth, size_t flags, gw_json_error_t *err);
static json_t *gw_json_parse(const unsigned char *data, size_t len,
    size_t flags, gw_json_error_t *err);
static gw_json_error_e gw_json_check(const unsigned char *data, size_t len,
    unsigned depth, size_t flags, size_t *position, size_t *sum);
static gw_json_error_e gw_json_levels(const unsigned char *p,
    const unsigned char *last, unsigned depth, const unsigned char **at,
    size_t *sum);
static const unsigned char *gw_json_string(const unsigned char *p,
    const unsigned char *last, size_t *sum);
static const unsigned char *gw_json_number(const unsigned char *p,
    const unsigned char *last, size_t *sum);
static size_t gw_json_sum(const json_t *json);
static gw_json_error_e gw_json_code(const json_error_t *error);


/* in the order of gw_json_error_e */

static const char *const  gw_json_texts[] = {
    "no error",
    "the text is empty",
    "the text begins with a byte order mark",
    "the nesting is too deep",
    "the top level is not an object",
    "the text is not valid UTF-8",
    "a string or a name holds \\u0000",
    "a number is out of range",
    "an object has the same member twice",
    "something follows the object",
    "the text is not JSON",
    "out of memory"
};


json_t *
gw_json_load(const unsigned char *data, size_t len, unsigned depth,
    gw_json_error_t *err)
{
    return gw_json_load_flags(data, len, depth, JSON_REJECT_DUPLICATES, err);
}


json_t *
gw_json_load_any(const unsigned char *data, size_t len, unsigned depth,
    gw_json_error_t *err)
{
    return gw_json_load_flags(data, len, depth,
                              JSON_REJECT_DUPLICATES|JSON_DECODE_ANY, err);
}


/*
 *     flags  of jansson
 */

static json_t *
gw_json_load_flags(const unsigned char *data, size_t len, unsigned depth,
    size_t flags, gw_json_error_t *err)
{
    int      parsed;
    void    *probe;
    size_t   sum;
    json_t  *json;

    json = NULL;
    err->code = gw_json_check(data, len, depth, flags, &err->position,
                              &sum);

    parsed = (err->code == GW_JSON_OK);

    if (parsed) {
        json = gw_json_parse(data, len, flags, err);
    }

    if (parsed && json == NULL && err->code == GW_JSON_SYNTAX) {

        /* jansson reports a lack of memory as any error of syntax */

        probe = malloc(GW_JSON_PROBE);

        if (probe == NULL) {
            err->code = GW_JSON_MEMORY;

        } else {
            free(probe);
            json = gw_json_parse(data, len, flags, err);
        }
    }

    /* and it loses bytes when its buffer for a token cannot grow */

    if (json != NULL && gw_json_sum(json) != sum) {
        json_decref(json);
        json = NULL;
        err->code = GW_JSON_MEMORY;
    }

    if (json == NULL) {
        err->text = gw_json_texts[err->code];
    }

    return json;
}


static json_t *
gw_json_parse(const unsigned char *data, size_t len, size_t flags,
    gw_json_error_t *err)
{
    json_t        *json;
    json_error_t   error;

    memset(&error, 0, sizeof(json_error_t));

    json = json_loadb((const char *) data, len, flags, &error);

    if (json == NULL) {
        err->code = gw_json_code(&error);
        err->position = (error.position > 0) ? (size_t) error.position : 0;
    }

    return json;
}


/*
 * What jansson would do only by recursion or not at all.
 *
 *     sum  out: bytes of all strings and names, and digits of all integers
 */

static gw_json_error_e
gw_json_check(const unsigned char *data, size_t len, unsigned depth,
    size_t flags, size_t *position, size_t *sum)
{
    gw_json_error_e       rc;
    const unsigned char  *p, *last;

    *sum = 0;
    *position = 0;

    /* then there may be no data to point to */

    if (len == 0) {
        return GW_JSON_EMPTY;
    }

    p = data;
    last = data + len;

    if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        return GW_JSON_BOM;
    }

    while (p < last
           && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
    {
        p++;
    }

    if (p == last) {
        return GW_JSON_EMPTY;
    }

    *position = p - data;

    if (*p != '{' && !(flags & JSON_DECODE_ANY)) {
        return GW_JSON_NOT_OBJECT;
    }

    rc = gw_json_levels(p, last, depth, &p, sum);

    *position = p - data;

    return rc;
}


/*
 * Brackets are not matched here: at worst too many are counted, and then it
 * is not JSON.
 */

static gw_json_error_e
gw_json_levels(const unsigned char *p, const unsigned char *last,
    unsigned depth, const unsigned char **at, size_t *sum)
{
    size_t  level;

    level = 0;

    for ( /* void */ ; p < last; p++) {

        switch (*p) {

        case '"':
            p = gw_json_string(p, last, sum);
            break;

        case '{':
        case '[':
            if (level++ == depth) {
                *at = p;
                return GW_JSON_TOO_DEEP;
            }

            break;

        case '}':
        case ']':
            if (level == 0) {
                return GW_JSON_OK;
            }

            level--;
            break;

        case '\0':

            /* jansson loses one behind a number, true, false and null */

            *at = p;
            return (level == 0) ? GW_JSON_TRAILING : GW_JSON_SYNTAX;

        default:
            if (*p == '-' || (*p >= '0' && *p <= '9')) {
                p = gw_json_number(p, last, sum);
            }
        }
    }

    return GW_JSON_OK;
}


/*
 * Adds the length of a string as it will be without escapes.  What is no
 * string adds anything: jansson refuses it.
 *
 * Returns its closing quote, or the last byte if there is none.
 */

static const unsigned char *
gw_json_string(const unsigned char *p, const unsigned char *last,
    size_t *sum)
{
    size_t  n;

    n = 0;

    for (p++; p < last && *p != '"'; p++) {
        n++;

        if (*p != '\\') {
            continue;
        }

        if (last - p < 2) {
            break;
        }

        p++;

        if (*p != 'u' || last - p < 5) {
            continue;
        }

        /* \u0000 .. \u007f is 1 byte, .. \u07ff 2, a pair 4, another 3 */

        p++;

        if (p[0] == '0' && p[1] < '8') {
            n += (p[1] != '0' || p[2] > '7');

        } else if ((p[0] | 0x20) == 'd' && p[1] > '7') {
            n += 1;

        } else {
            n += 2;
        }

        p += 3;
    }

    *sum += n;

    return (p < last) ? p : last - 1;
}


/*
 * Adds the length of an integer; a real adds nothing.
 *
 * Returns its last byte.
 */

static const unsigned char *
gw_json_number(const unsigned char *p, const unsigned char *last,
    size_t *sum)
{
    int                   real;
    const unsigned char  *first;

    real = 0;

    for (first = p; p < last; p++) {

        if (*p == '.' || *p == 'e' || *p == 'E') {
            real = 1;

        } else if (*p != '-' && *p != '+' && (*p < '0' || *p > '9')) {
            break;
        }
    }

    /* "-0" is 0 */

    if (!real) {
        *sum += (p - first == 2 && first[0] == '-' && first[1] == '0')
                ? 1 : p - first;
    }

    return p - 1;
}


/*
 * The same sum of what has been loaded.  The depth has been checked.
 */

static size_t
gw_json_sum(const json_t *json)
{
    char     number[32];
    void    *iter;
    size_t   i, sum;
    json_t  *object;

    sum = 0;

    switch (json_typeof(json)) {

    case JSON_STRING:
        return json_string_length(json);

    case JSON_INTEGER:
        return (size_t) snprintf(number, sizeof(number),
                                 "%" JSON_INTEGER_FORMAT,
                                 json_integer_value(json));

    case JSON_ARRAY:
        for (i = 0; i < json_array_size(json); i++) {
            sum += gw_json_sum(json_array_get(json, i));
        }

        return sum;

    case JSON_OBJECT:
        object = (json_t *) json;

        iter = json_object_iter(object);

        while (iter != NULL) {
            sum += strlen(json_object_iter_key(iter))
                   + gw_json_sum(json_object_iter_value(iter));

            iter = json_object_iter_next(object, iter);
        }

        return sum;

    default:
        return 0;
    }
}


static gw_json_error_e
gw_json_code(const json_error_t *error)
{
    /* jansson leaves the text empty when an allocation has failed */

    if (error->text[0] == '\0') {
        return GW_JSON_MEMORY;
    }

    switch (json_error_code(error)) {

    case json_error_out_of_memory:
        return GW_JSON_MEMORY;

    case json_error_invalid_utf8:
        return GW_JSON_ENCODING;

    case json_error_null_character:
    case json_error_null_byte_in_key:
        return GW_JSON_NUL;

    case json_error_numeric_overflow:
        return GW_JSON_NUMBER;

    case json_error_duplicate_key:
        return GW_JSON_DUPLICATE;

    case json_error_end_of_input_expected:
        return GW_JSON_TRAILING;

    default:
        return GW_JSON_SYNTAX;
    }
}


json_t *
gw_json_get(const json_t *object, const char *name, size_t len)
{
#if (JANSSON_VERSION_HEX >= 0x020e00)

    return json_object_getn(object, name, len);

#else

    char  buf[GW_JSON_MAX_NAME + 1];

    if (len > GW_JSON_MAX_NAME || memchr(name, '\0', len) != NULL) {
        return NULL;
    }

    memcpy(buf, name, len);
    buf[len] = '\0';

    return json_object_get(object, buf);

#endif
}
