
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_json.h"


#define GW_JSON_PROBE  4096     /* bytes, what a small object may need */


static json_t *gw_json_parse(const unsigned char *data, size_t len,
    gw_json_error_t *err);
static gw_json_error_e gw_json_check(const unsigned char *data, size_t len,
    unsigned depth, size_t *position);
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
    void    *probe;
    json_t  *json;

    err->code = gw_json_check(data, len, depth, &err->position);

    if (err->code == GW_JSON_OK) {

        json = gw_json_parse(data, len, err);
        if (json != NULL) {
            return json;
        }
    }

    if (err->code == GW_JSON_SYNTAX) {

        /* jansson reports a lack of memory as any error of syntax */

        probe = malloc(GW_JSON_PROBE);
        free(probe);

        if (probe == NULL) {
            err->code = GW_JSON_MEMORY;

        } else {
            json = gw_json_parse(data, len, err);
            if (json != NULL) {
                return json;
            }
        }
    }

    err->text = gw_json_texts[err->code];

    return NULL;
}


static json_t *
gw_json_parse(const unsigned char *data, size_t len, gw_json_error_t *err)
{
    json_t        *json;
    json_error_t   error;

    memset(&error, 0, sizeof(json_error_t));

    json = json_loadb((const char *) data, len, JSON_REJECT_DUPLICATES,
                      &error);

    if (json == NULL) {
        err->code = gw_json_code(&error);
        err->position = (error.position > 0) ? (size_t) error.position : 0;
    }

    return json;
}


/*
 * What jansson would do only by recursion or not at all.  Brackets are not
 * matched here: at worst too many are counted, and then it is not JSON.
 */

static gw_json_error_e
gw_json_check(const unsigned char *data, size_t len, unsigned depth,
    size_t *position)
{
    size_t                level;
    const unsigned char  *p, *last;

    p = data;
    last = data + len;
    level = 0;

    *position = 0;

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

    if (*p != '{') {
        return GW_JSON_NOT_OBJECT;
    }

    for ( /* void */ ; p < last; p++) {

        switch (*p) {

        case '"':
            for (p++; p < last && *p != '"'; p++) {
                if (*p == '\\') {
                    p++;
                }
            }

            if (p >= last) {
                return GW_JSON_OK;
            }

            break;

        case '{':
        case '[':
            if (level++ == depth) {
                *position = p - data;
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
        }
    }

    return GW_JSON_OK;
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
