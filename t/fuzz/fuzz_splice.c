
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Input: a byte for the type, a byte of omissions, then for each part a
 * name, a place ("" for none) and a value, each ended by a zero byte.  A
 * place that begins with "+" is one to append to, "." is the document.
 *
 * What comes out must be JSON, with the bytes of every part that is not
 * omitted at its place, and nothing at the places of the others.  A part
 * that is appended is an element; one that is merged is a member with a name
 * that nobody else has.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw_json_escape.h"
#include "gw_json_scan.h"
#include "gw_json_splice.h"


#define FUZZ_PARTS  8


typedef struct {
    gw_json_splice_part_t   parts[FUZZ_PARTS];
    gw_json_text_t          values[FUZZ_PARTS];
    u_char                  omitted[FUZZ_PARTS];
    size_t                  n;
    gw_json_splice_e        type;
} fuzz_input_t;


static int fuzz_field(const u_char **p, const u_char *last,
    gw_json_text_t *field);
static void fuzz_read(fuzz_input_t *in, const u_char *p, const u_char *last);
static u_char *fuzz_write(const fuzz_input_t *in,
    const gw_json_splice_t *splice, size_t *len);
static void fuzz_find(const fuzz_input_t *in, size_t part, size_t element,
    const u_char *out, size_t len);
static size_t fuzz_decode(const gw_json_splice_part_t *part, u_char *dst);
static size_t fuzz_element(const fuzz_input_t *in, size_t part);


static int
fuzz_field(const u_char **p, const u_char *last, gw_json_text_t *field)
{
    const u_char  *end;

    end = memchr(*p, '\0', last - *p);

    if (end == NULL) {
        return 0;
    }

    field->data = *p;
    field->len = end - *p;
    *p = end + 1;

    return 1;
}


static void
fuzz_read(fuzz_input_t *in, const u_char *p, const u_char *last)
{
    size_t                  offset;
    gw_json_text_t         *value;
    gw_json_range_t         range;
    gw_json_splice_part_t  *part;

    while (in->n < FUZZ_PARTS) {
        part = &in->parts[in->n];
        value = &in->values[in->n];

        if (!fuzz_field(&p, last, &part->name)
            || !fuzz_field(&p, last, &part->as)
            || !fuzz_field(&p, last, value))
        {
            return;
        }

        if (part->as.len && *part->as.data == '+') {
            part->place = GW_JSON_SPLICE_APPEND;
            part->as.data++;
            part->as.len--;

        } else if (part->as.len == 1 && *part->as.data == '.') {
            part->place = GW_JSON_SPLICE_ROOT;
            part->as.len = 0;
        }

        if (part->as.len == 0) {
            part->as.data = NULL;
        }

        part->slot = (uint16_t) in->n;

        if (gw_json_scan(value->data, value->len, GW_JSON_SCAN_DEPTH, &range,
                         &offset)
            == GW_JSON_SCAN_OK)
        {
            value->data += range.start;
            value->len = range.end - range.start;

        } else {
            value->data = (u_char *) "null";
            value->len = 4;
        }

        in->n++;
    }
}


static u_char *
fuzz_write(const fuzz_input_t *in, const gw_json_splice_t *splice,
    size_t *len)
{
    size_t                   i, next, room;
    u_char                  *out, *p;
    gw_json_splice_walk_t    w;
    gw_json_splice_piece_t   piece;

    room = splice->glue + 1;

    for (i = 0; i < in->n; i++) {
        room += in->values[i].len + sizeof("\"\\u00000\":") - 1;
    }

    out = malloc(room);
    p = out;

    gw_json_splice_begin(&w, splice, in->omitted);

    while (gw_json_splice_next(&w, &piece) == GW_OK) {
        if (piece.slot != GW_JSON_SPLICE_GLUE) {
            if (piece.slot >= in->n || in->omitted[piece.slot]) {
                abort();
            }

            piece.data = in->values[piece.slot].data;
            piece.len = in->values[piece.slot].len;

            if (in->parts[piece.slot].place == GW_JSON_SPLICE_ROOT) {
                p += sprintf((char *) p, "\"\\u0000%u\":",
                             (unsigned) piece.slot);
            }
        }

        next = p - out + piece.len;

        if (piece.len == 0 || next > room) {
            abort();
        }

        memcpy(p, piece.data, piece.len);
        p += piece.len;
    }

    *len = p - out;

    return out;
}


/* the tokens of a place, with a zero byte, which none has, between them */

static size_t
fuzz_decode(const gw_json_splice_part_t *part, u_char *dst)
{
    size_t         len, n;
    const u_char  *p, *last;

    if (part->as.data == NULL) {
        memcpy(dst, part->name.data, part->name.len);
        return part->name.len;
    }

    n = 0;
    p = part->as.data;
    last = p + part->as.len;

    while (p < last) {
        if (p != part->as.data) {
            dst[n++] = '\0';
        }

        p = gw_json_pointer_token(p, last, dst + n, &len);
        n += len;
    }

    return n;
}


/* the parts before it that are elements of the same array */

static size_t
fuzz_element(const fuzz_input_t *in, size_t part)
{
    size_t                        i, n, alen, blen;
    u_char                       *a, *b;
    const gw_json_splice_part_t  *parts;

    n = 0;
    parts = in->parts;

    for (i = 0; i < part; i++) {

        if (in->omitted[i]) {
            continue;
        }

        if (in->type == GW_JSON_SPLICE_ARRAY) {
            n++;
            continue;
        }

        if (parts[i].place != GW_JSON_SPLICE_APPEND) {
            continue;
        }

        a = malloc(parts[i].name.len + parts[i].as.len + 1);
        b = malloc(parts[part].name.len + parts[part].as.len + 1);

        alen = fuzz_decode(&parts[i], a);
        blen = fuzz_decode(&parts[part], b);

        n += alen == blen && memcmp(a, b, alen) == 0;

        free(a);
        free(b);
    }

    return n;
}


/* the value at the place of a part */

static void
fuzz_find(const fuzz_input_t *in, size_t part, size_t element,
    const u_char *out, size_t len)
{
    void                     *memory;
    size_t                    i;
    u_char                   *path, *p;
    gw_json_text_t            text;
    gw_json_scan_t            s;
    gw_json_trie_t           *trie;
    gw_json_range_t           range;
    const gw_json_text_t     *name, *value;
    gw_json_pointer_error_t   err;

    name = &in->parts[part].name;
    value = &in->values[part];
    path = malloc(2 * name->len + in->parts[part].as.len + 32);
    p = path;
    text = in->parts[part].as;

    if (in->type == GW_JSON_SPLICE_ARRAY) {
        text.len = sprintf((char *) path, "/%u", (unsigned) element);
        text.data = path;

    } else if (text.data == NULL) {
        *p++ = '/';

        for (i = 0; i < name->len; i++) {
            if (name->data[i] == '~' || name->data[i] == '/'
                || name->data[i] == '*')
            {
                *p++ = '~';
                *p++ = name->data[i] == '~' ? '0'
                       : name->data[i] == '/' ? '1' : '2';
                continue;
            }

            *p++ = name->data[i];
        }

        text.data = path;
        text.len = p - path;
    }

    if (in->type == GW_JSON_SPLICE_OBJECT
        && in->parts[part].place == GW_JSON_SPLICE_APPEND)
    {
        if (text.data != path) {
            memcpy(path, text.data, text.len);
            text.data = path;
        }

        text.len += sprintf((char *) path + text.len, "/%u",
                            (unsigned) element);

    } else if (in->parts[part].place == GW_JSON_SPLICE_ROOT) {
        text.len = sprintf((char *) path, "/0%u", (unsigned) part);
        text.data = path;
        path[1] = '\0';
    }

    if (text.len > GW_JSON_POINTER_MAX_LEN) {
        free(path);
        return;
    }

    memory = malloc(gw_json_pointer_size(&text, 1));
    trie = gw_json_pointer_compile(memory, &text, 1, &err);

    if (trie == NULL) {

        if (in->parts[part].place != GW_JSON_SPLICE_APPEND
            || strcmp(err.text, "has too many tokens") != 0)
        {
            abort();
        }

        free(memory);
        free(path);
        return;
    }

    gw_json_scan_init(&s, GW_JSON_SCAN_MAX_DEPTH);
    gw_json_scan_track(&s, trie, &range);
    gw_json_scan_feed(&s, out, len);

    if (gw_json_scan_finish(&s) != GW_JSON_SCAN_OK) {
        abort();
    }

    if (in->omitted[part]) {
        if (range.start != range.end && in->type == GW_JSON_SPLICE_OBJECT
            && in->parts[part].place != GW_JSON_SPLICE_APPEND)
        {
            abort();
        }

    } else if (range.end - range.start != value->len
               || memcmp(out + range.start, value->data, value->len) != 0)
    {
        abort();
    }

    free(memory);
    free(path);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void                    *memory;
    u_char                  *out;
    size_t                   i, len;
    fuzz_input_t             in;
    gw_json_splice_t        *splice;
    gw_json_splice_error_t   err;

    if (size < 2) {
        return 0;
    }

    memset(&in, 0, sizeof(fuzz_input_t));

    in.type = data[0] & 1 ? GW_JSON_SPLICE_ARRAY : GW_JSON_SPLICE_OBJECT;

    for (i = 0; i < FUZZ_PARTS; i++) {
        in.omitted[i] = (data[1] >> i) & 1;
    }

    fuzz_read(&in, data + 2, data + size);

    memory = malloc(gw_json_splice_size(in.type, in.parts, in.n));
    splice = gw_json_splice_compile(memory, in.type, in.parts, in.n, &err);

    if (splice == NULL) {
        if (err.text == NULL || err.part >= in.n || err.other > err.part) {
            abort();
        }

        free(memory);
        return 0;
    }

    out = fuzz_write(&in, splice, &len);

    for (i = 0; i < in.n; i++) {
        fuzz_find(&in, i, fuzz_element(&in, i), out, len);
    }

    free(out);
    free(memory);

    return 0;
}
