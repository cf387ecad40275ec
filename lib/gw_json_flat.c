
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json_flat.h"
#include "gw_json_run.h"


/* offsets are of 32 bits */

#define GW_JSON_FLAT_MAX  UINT32_MAX


typedef struct {
    gw_json_flat_t       *flat;
    const unsigned char  *data;
    const unsigned char  *last;
    unsigned              depth;
} gw_json_flat_run_t;


static const unsigned char *gw_json_flat_value(gw_json_flat_run_t *run,
    const unsigned char *p, gw_json_flat_member_t *m);
static const unsigned char *gw_json_flat_object(gw_json_flat_run_t *run,
    const unsigned char *p);
static const unsigned char *gw_json_flat_name(gw_json_flat_run_t *run,
    const unsigned char *p, unsigned first);
static const unsigned char *gw_json_flat_array(gw_json_flat_run_t *run,
    const unsigned char *p);
static const unsigned char *gw_json_flat_string(const unsigned char *p,
    const unsigned char *last);
static const unsigned char *gw_json_flat_number(const unsigned char *p,
    const unsigned char *last);
static const unsigned char *gw_json_flat_literal(const unsigned char *p,
    const unsigned char *last, gw_json_flat_member_t *m);


/* most names differ in their first byte, and a call costs more than it */

gw_json_inline int
gw_json_flat_same(const unsigned char *a, const unsigned char *b, size_t len)
{
    return len == 0 || (*a == *b && memcmp(a, b, len) == 0);
}


/*
 * The functions that read return the byte behind what they have read, or NULL
 * if it is not taken; the byte at "last" belongs to nobody.
 */

gw_status_e
gw_json_flat(gw_json_flat_t *flat, const unsigned char *data, size_t len)
{
    gw_json_flat_run_t    run;
    const unsigned char  *p;

    flat->n = 0;

    if (len == 0 || len > GW_JSON_FLAT_MAX) {
        return GW_DECLINED;
    }

    memset(&flat->count, 0, sizeof(gw_json_count_t));

    run.flat = flat;
    run.data = data;
    run.last = data + len;
    run.depth = 0;

    p = gw_json_run_space(data, run.last);

    if (p == run.last || *p != '{') {
        return GW_DECLINED;
    }

    p = gw_json_flat_object(&run, p + 1);

    if (p == NULL || gw_json_run_space(p, run.last) != run.last) {
        return GW_DECLINED;
    }

    return GW_OK;
}


static const unsigned char *
gw_json_flat_value(gw_json_flat_run_t *run, const unsigned char *p,
    gw_json_flat_member_t *m)
{
    const unsigned char  *start;

    if (p == run->last) {
        return NULL;
    }

    start = p;

    switch (*p) {

    case '"':
        m->type = JSON_STRING;
        start = p + 1;
        p = gw_json_flat_string(start, run->last);
        break;

    case '{':
        m->type = JSON_OBJECT;
        p = gw_json_flat_object(run, p + 1);
        break;

    case '[':
        m->type = JSON_ARRAY;
        p = gw_json_flat_array(run, p + 1);
        break;

    case 't':
    case 'f':
    case 'n':
        p = gw_json_flat_literal(p, run->last, m);
        break;

    default:
        m->type = JSON_INTEGER;
        run->flat->count.integers++;
        p = gw_json_flat_number(p, run->last);
        break;
    }

    if (p == NULL) {
        return NULL;
    }

    m->value = (uint32_t) (start - run->data);
    m->len = (uint32_t) (p - start);

    if (m->type == JSON_STRING) {
        run->flat->count.strings++;
        run->flat->count.bytes += m->len;
        p++;
    }

    return p;
}


/*
 * Behind the brace.  Members of objects that are open stand in one table, an
 * inner object behind the outer ones; in the end only the top level is there.
 */

static const unsigned char *
gw_json_flat_object(gw_json_flat_run_t *run, const unsigned char *p)
{
    unsigned         first;
    gw_json_flat_t  *flat;

    if (run->depth++ == GW_JSON_FLAT_DEPTH) {
        return NULL;
    }

    flat = run->flat;
    first = flat->n;
    flat->count.objects++;

    p = gw_json_run_space(p, run->last);

    if (p < run->last && *p == '}') {
        run->depth--;
        return p + 1;
    }

    for ( ;; ) {
        p = gw_json_flat_name(run, p, first);
        if (p == NULL) {
            return NULL;
        }

        p = gw_json_flat_value(run, p, &flat->members[flat->n - 1]);
        if (p == NULL) {
            return NULL;
        }

        p = gw_json_run_space(p, run->last);

        if (p == run->last || (*p != ',' && *p != '}')) {
            return NULL;
        }

        if (*p++ == '}') {
            break;
        }
    }

    if (--run->depth) {
        flat->n = first;
    }

    return p;
}


/* a name, its colon and the white space around; appends a member */

static const unsigned char *
gw_json_flat_name(gw_json_flat_run_t *run, const unsigned char *p,
    unsigned first)
{
    size_t                  len;
    unsigned                i;
    gw_json_flat_t         *flat;
    const unsigned char    *start;
    gw_json_flat_member_t  *m;

    flat = run->flat;

    p = gw_json_run_space(p, run->last);

    if (p == run->last || *p != '"' || flat->n == GW_JSON_FLAT_MEMBERS) {
        return NULL;
    }

    start = p + 1;

    p = gw_json_flat_string(start, run->last);
    if (p == NULL) {
        return NULL;
    }

    len = p - start;

    if (len > GW_JSON_FLAT_NAME) {
        return NULL;
    }

    for (i = first; i < flat->n; i++) {
        m = &flat->members[i];

        if (m->name_len == len
            && gw_json_flat_same(run->data + m->name, start, len))
        {
            return NULL;
        }
    }

    p = gw_json_run_space(p + 1, run->last);

    if (p == run->last || *p != ':') {
        return NULL;
    }

    m = &flat->members[flat->n++];

    m->name = (uint32_t) (start - run->data);
    m->name_len = (uint8_t) len;

    flat->count.members++;
    flat->count.bytes += (uint32_t) len;

    return gw_json_run_space(p + 1, run->last);
}


/* behind the bracket */

static const unsigned char *
gw_json_flat_array(gw_json_flat_run_t *run, const unsigned char *p)
{
    gw_json_flat_member_t  element;

    if (run->depth++ == GW_JSON_FLAT_DEPTH) {
        return NULL;
    }

    run->flat->count.arrays++;

    p = gw_json_run_space(p, run->last);

    if (p < run->last && *p == ']') {
        run->depth--;
        return p + 1;
    }

    for ( ;; ) {
        run->flat->count.elements++;

        p = gw_json_flat_value(run, p, &element);
        if (p == NULL) {
            return NULL;
        }

        p = gw_json_run_space(p, run->last);

        if (p == run->last || (*p != ',' && *p != ']')) {
            return NULL;
        }

        if (*p++ == ']') {
            break;
        }

        p = gw_json_run_space(p, run->last);
    }

    run->depth--;

    return p;
}


/* returns the closing quote */

static const unsigned char *
gw_json_flat_string(const unsigned char *p, const unsigned char *last)
{
    size_t  n;

    for ( ;; ) {
        p = gw_json_run_plain(p, last);

        if (p == last) {
            return NULL;
        }

        if (*p == '"') {
            return p;
        }

        n = gw_json_run_utf8(p, last);

        if (n == 0) {
            return NULL;
        }

        p += n;
    }
}


/* what may stand behind a number is up to the caller */

static const unsigned char *
gw_json_flat_number(const unsigned char *p, const unsigned char *last)
{
    const unsigned char  *start;

    if (*p == '-') {
        p++;
    }

    start = p;

    while (p < last && gw_json_digit(*p)) {
        p++;
    }

    if (p == start
        || p - start > GW_JSON_FLAT_DIGITS
        || (*start == '0' && p - start > 1))
    {
        return NULL;
    }

    return p;
}


static const unsigned char *
gw_json_flat_literal(const unsigned char *p, const unsigned char *last,
    gw_json_flat_member_t *m)
{
    size_t       len;
    const char  *text;

    switch (*p) {

    case 't':
        text = "true";
        len = 4;
        m->type = JSON_TRUE;
        break;

    case 'f':
        text = "false";
        len = 5;
        m->type = JSON_FALSE;
        break;

    default:
        text = "null";
        len = 4;
        m->type = JSON_NULL;
        break;
    }

    if ((size_t) (last - p) < len || memcmp(p, text, len) != 0) {
        return NULL;
    }

    return p + len;
}


const gw_json_flat_member_t *
gw_json_flat_get(const gw_json_flat_t *flat, const unsigned char *data,
    const char *name, size_t len)
{
    unsigned                      i;
    const gw_json_flat_member_t  *m;

    for (i = 0; i < flat->n; i++) {
        m = &flat->members[i];

        if (m->name_len == len
            && gw_json_flat_same(data + m->name, (const unsigned char *) name,
                                 len))
        {
            return m;
        }
    }

    return NULL;
}


int64_t
gw_json_flat_integer(const unsigned char *data,
    const gw_json_flat_member_t *member)
{
    int64_t               value;
    const unsigned char  *p, *last;

    p = data + member->value;
    last = p + member->len;
    value = 0;

    for (p += (*p == '-'); p < last; p++) {
        value = value * 10 + (*p - '0');
    }

    return (data[member->value] == '-') ? -value : value;
}


gw_status_e
gw_json_flat_next(const unsigned char *data,
    const gw_json_flat_member_t *array, size_t *pos, const char **text,
    size_t *len)
{
    const unsigned char  *p, *last;

    /* behind the bracket, or the string before */

    p = data + array->value + (*pos ? *pos : 1);
    last = data + array->value + array->len;

    while (gw_json_space(*p) || *p == ',') {
        p++;
    }

    if (*p == ']') {
        return GW_DECLINED;
    }

    if (*p != '"') {
        return GW_ERROR;
    }

    *text = (const char *) ++p;

    p = memchr(p, '"', last - p);

    *len = (const char *) p - *text;
    *pos = p + 1 - (data + array->value);

    return GW_OK;
}
