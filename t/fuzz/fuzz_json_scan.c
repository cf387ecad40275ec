
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Input: a byte that seeds the cuts, a pointer, a zero byte, a document.
 *
 * The scanner is held against itself (any cut, each of its forms, with and
 * without tracking) and against jansson, for the verdict and for the value
 * at the pointer.  The differences from jansson that are meant are listed in
 * lib/gw_json_scan.h.
 */


#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gw_json_block.h"
#include "gw_json_scan.h"


/* forms of the scanner, as in t/unit/gw_json_scan.c */

#define BEST    0
#define TWIN    1
#define NARROW  2


#define GW_JSON_PORTABLE      1
#define gw_json_scan_init     twin_init
#define gw_json_scan_track    twin_track
#define gw_json_scan_feed     twin_feed
#define gw_json_scan_finish   twin_finish
#define gw_json_scan          twin_scan
#define gw_json_scan_name     twin_name

#include "../../lib/gw_json_scan.c"

#undef gw_json_scan_init
#undef gw_json_scan_track
#undef gw_json_scan_feed
#undef gw_json_scan_finish
#undef gw_json_scan
#undef gw_json_scan_name


#define FUZZ_DEPTH  64


typedef struct {
    gw_json_scan_e    rc;
    size_t            offset;
    gw_json_range_t   value;
    gw_json_range_t   found;
} fuzz_result_t;


static void fuzz_scan(fuzz_result_t *r, const u_char *doc, size_t len,
    size_t max, uint32_t seed, int form, const gw_json_trie_t *trie);
static void fuzz_same(const fuzz_result_t *a, const fuzz_result_t *b,
    int found);
static int fuzz_meant(const json_error_t *error);
static json_t *fuzz_at(json_t *value, const u_char *p, const u_char *last);
static void fuzz_oracle(const u_char *doc, size_t len,
    const fuzz_result_t *r, const u_char *pointer, size_t plen,
    const gw_json_trie_t *trie);


static void
fuzz_scan(fuzz_result_t *r, const u_char *doc, size_t len, size_t max,
    uint32_t seed, int form, const gw_json_trie_t *trie)
{
    size_t           n, pos;
    u_char          *copy;
    gw_json_scan_t   s;

    memset(r, 0, sizeof(fuzz_result_t));
    memset(&s, 0xa5, sizeof(gw_json_scan_t));

    form == TWIN ? twin_init(&s, FUZZ_DEPTH)
                 : gw_json_scan_init(&s, FUZZ_DEPTH);

#if (GW_JSON_VECTOR)
    if (form == NARROW) {
        s.block = gw_json_block;
    }
#endif

    if (trie) {
        form == TWIN ? twin_track(&s, trie, &r->found)
                     : gw_json_scan_track(&s, trie, &r->found);
    }

    for (pos = 0; pos < len; pos += n) {
        seed = seed * 1664525 + 1013904223;
        n = 1 + (seed >> 16) % max;
        n = n < len - pos ? n : len - pos;

        copy = malloc(n);
        memcpy(copy, doc + pos, n);

        r->rc = form == TWIN ? twin_feed(&s, copy, n)
                             : gw_json_scan_feed(&s, copy, n);
        free(copy);
    }

    r->rc = form == TWIN ? twin_finish(&s) : gw_json_scan_finish(&s);
    r->offset = s.offset;

    if (r->rc == GW_JSON_SCAN_OK) {
        r->value = s.value;

        if (s.value.start >= s.value.end || s.value.end > len
            || r->found.start > r->found.end || r->found.end > s.value.end)
        {
            abort();
        }
    }
}


static void
fuzz_same(const fuzz_result_t *a, const fuzz_result_t *b, int found)
{
    if (a->rc != b->rc || a->offset != b->offset) {
        abort();
    }

    if (a->rc == GW_JSON_SCAN_OK
        && (a->value.start != b->value.start || a->value.end != b->value.end
            || (found && (a->found.start != b->found.start
                          || a->found.end != b->found.end))))
    {
        abort();
    }
}


/* jansson refuses on purpose what the scanner accepts on purpose */

static int
fuzz_meant(const json_error_t *error)
{
    switch (json_error_code(error)) {

    case json_error_numeric_overflow:
    case json_error_null_byte_in_key:
        return 1;

    default:
        return strstr(error->text, "invalid Unicode '\\u") != NULL;
    }
}


static json_t *
fuzz_at(json_t *value, const u_char *p, const u_char *last)
{
    u_char  *token;
    size_t   len, i, index;

    token = malloc(last - p + 1);

    while (value && p < last) {
        p = gw_json_pointer_token(p, last, token, &len);

        if (json_is_object(value)) {
            value = json_object_getn(value, (char *) token, len);
            continue;
        }

        if (!json_is_array(value) || len == 0 || len > 9
            || (len > 1 && token[0] == '0'))
        {
            value = NULL;
            break;
        }

        for (i = 0, index = 0; i < len; i++) {
            if (token[i] < '0' || token[i] > '9') {
                break;
            }

            index = index * 10 + (token[i] - '0');
        }

        value = i == len ? json_array_get(value, index) : NULL;
    }

    free(token);

    return value;
}


static void
fuzz_oracle(const u_char *doc, size_t len, const fuzz_result_t *r,
    const u_char *pointer, size_t plen, const gw_json_trie_t *trie)
{
    size_t         start;
    json_t        *json, *want, *got;
    json_error_t   error;

    /* jansson takes a zero byte behind a value for the end of the input */

    if (len && memchr(doc, '\0', len)) {
        if (r->rc == GW_JSON_SCAN_OK) {
            abort();
        }

        return;
    }

    /* the byte order mark */

    start = len >= 3 && memcmp(doc, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    json = json_loadb((char *) doc + start, len - start,
                      JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (json == NULL) {
        if (r->rc == GW_JSON_SCAN_OK && !fuzz_meant(&error)) {
            abort();
        }

        return;
    }

    if (r->rc != GW_JSON_SCAN_OK) {
        if (r->rc != GW_JSON_SCAN_TOO_DEEP) {
            abort();
        }

        json_decref(json);
        return;
    }

    if (trie) {
        want = fuzz_at(json, pointer, pointer + plen);
        got = NULL;

        if (r->found.end > r->found.start) {
            got = json_loadb((char *) doc + r->found.start,
                             r->found.end - r->found.start,
                             JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
            if (got == NULL) {
                abort();
            }
        }

        if ((want == NULL) != (got == NULL)
            || (want && !json_equal(want, got)))
        {
            abort();
        }

        json_decref(got);
    }

    json_decref(json);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void                     *memory;
    size_t                    plen, len;
    uint32_t                  seed;
    const u_char             *doc, *pointer;
    fuzz_result_t             whole, other;
    gw_json_text_t            text;
    gw_json_trie_t           *trie;
    gw_json_pointer_error_t   err;

    if (size < 2) {
        return 0;
    }

    seed = data[0];
    pointer = data + 1;
    doc = memchr(pointer, '\0', size - 1);

    if (doc == NULL) {
        return 0;
    }

    plen = doc - pointer;
    doc++;
    len = data + size - doc;

    text.data = pointer;
    text.len = plen;

    memory = malloc(gw_json_pointer_size(&text, 1));
    trie = gw_json_pointer_compile(memory, &text, 1, &err);

    if (trie == NULL && (err.text == NULL || err.offset > plen)) {
        abort();
    }

    fuzz_scan(&whole, doc, len, (size_t) -1, 0, BEST, trie);

    fuzz_scan(&other, doc, len, 1, 0, BEST, trie);
    fuzz_same(&whole, &other, 1);

    fuzz_scan(&other, doc, len, 1 + 2 * seed, seed, BEST, trie);
    fuzz_same(&whole, &other, 1);

    fuzz_scan(&other, doc, len, 64, seed, TWIN, trie);
    fuzz_same(&whole, &other, 1);

    fuzz_scan(&other, doc, len, (size_t) -1, 0, NARROW, trie);
    fuzz_same(&whole, &other, 1);

    fuzz_scan(&other, doc, len, (size_t) -1, 0, BEST, NULL);
    fuzz_same(&whole, &other, 0);

    fuzz_scan(&other, doc, len, 300, seed, NARROW, NULL);
    fuzz_same(&whole, &other, 0);

    fuzz_oracle(doc, len, &whole, pointer, plen, trie);

    free(memory);

    return 0;
}
