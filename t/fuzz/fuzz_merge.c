
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Input: a byte for the policy, one where documents are cut, then for each
 * document the pointers that are dropped, picked and renamed, with spaces
 * between them and each ended by a zero byte, and the document, ended by a
 * zero byte too.
 *
 * Those that are objects are merged.  What comes out must be JSON with each
 * name once, and its members must be the ones, byte for byte, that shaping
 * each document alone leaves and comparing each name with each other one
 * keeps.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw_json_merge.h"
#include "gw_json_scan.h"
#include "gw_json_shape.h"
#include "gw_json_walk.h"


#define FUZZ_DOCS     4
#define FUZZ_MEMBERS  64


typedef struct {
    gw_json_text_t          doc;
    gw_json_trie_t         *trie;
    gw_json_shape_t         shape;
    gw_json_text_t          keys[GW_JSON_POINTER_MAX_COUNT];
    gw_json_range_t         ranges[GW_JSON_POINTER_MAX_COUNT];
    size_t                  base;       /* of its names */
} fuzz_doc_t;


/* a member of a document that was shaped and written */

typedef struct {
    gw_json_text_t          name;
    gw_json_text_t          text;
    size_t                  doc;
    int                     lost;
} fuzz_member_t;


typedef struct {
    u_char                 *data;
    size_t                  len;
} fuzz_out_t;


static gw_status_e fuzz_more(gw_json_shape_t *sh);
static gw_status_e fuzz_more_members(gw_json_shape_t *sh);
static int fuzz_field(const u_char **p, const u_char *last,
    gw_json_text_t *field);
static int fuzz_plan(fuzz_doc_t *d, const gw_json_text_t *rules);
static int fuzz_scan(fuzz_doc_t *d, size_t cut);
static int fuzz_read(fuzz_doc_t *d, const u_char **p, const u_char *last,
    size_t cut);
static void fuzz_add(gw_json_merge_t *m, const gw_json_text_t *key,
    uint32_t group);
static void fuzz_names(gw_json_merge_t *m, fuzz_doc_t *d, uint32_t group);
static void fuzz_put(fuzz_out_t *out, const u_char *data, size_t len);
static void fuzz_slice(fuzz_out_t *out, const fuzz_doc_t *d,
    gw_json_range_t *range);
static void fuzz_write(fuzz_out_t *out, const gw_json_merge_t *m,
    const fuzz_doc_t *docs, size_t n);
static size_t fuzz_split(const gw_json_text_t *object, size_t doc,
    fuzz_member_t *members, size_t n);
static void fuzz_check(const fuzz_out_t *out, const fuzz_doc_t *docs,
    size_t n, int first);
static void fuzz_free(fuzz_doc_t *d);


static gw_status_e
fuzz_more(gw_json_shape_t *sh)
{
    sh->room = sh->room * 2 + 1;
    sh->edits = realloc(sh->edits, sh->room * sizeof(gw_json_edit_t));

    return GW_OK;
}


static gw_status_e
fuzz_more_members(gw_json_shape_t *sh)
{
    sh->members_room = sh->members_room * 2 + 1;
    sh->members = realloc(sh->members,
                          sh->members_room * sizeof(gw_json_member_t));

    return GW_OK;
}


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


static int
fuzz_plan(fuzz_doc_t *d, const gw_json_text_t *rules)
{
    void                     *memory;
    size_t                    i, n;
    const u_char             *p, *last, *space;
    gw_json_text_t            texts[GW_JSON_POINTER_MAX_COUNT];
    gw_json_pointer_error_t   err;

    texts[0].data = (u_char *) "";
    texts[0].len = 0;
    n = 1;

    for (i = 0; i < 3; i++) {
        p = rules[i].data;
        last = p + rules[i].len;

        for ( /* void */ ; p < last; p = space + 1) {
            space = memchr(p, ' ', last - p);
            space = space ? space : last;

            if (space == p || n == GW_JSON_POINTER_MAX_COUNT) {
                continue;
            }

            texts[n].data = p;
            texts[n].len = space - p;
            d->keys[n].data = (u_char *) "\"z\"";
            d->keys[n].len = 3;

            *(i == 0 ? &d->shape.drop : i == 1 ? &d->shape.pick
                                               : &d->shape.rename)
                |= (uint64_t) 1 << n;
            n++;
        }
    }

    memory = malloc(gw_json_pointer_size(texts, n));
    d->trie = gw_json_pointer_compile_any(memory, texts, n, &err);

    if (d->trie == NULL) {
        free(memory);
        return 0;
    }

    d->shape.at = 1;
    d->shape.keys = d->keys;
    d->shape.seen = malloc(d->trie->nnodes * sizeof(uint32_t));
    d->shape.more = fuzz_more;
    d->shape.more_members = fuzz_more_members;
    d->shape.members_max = FUZZ_MEMBERS;

    return 1;
}


static int
fuzz_scan(fuzz_doc_t *d, size_t cut)
{
    gw_json_scan_t  s;

    cut = cut < d->doc.len ? cut : d->doc.len;

    gw_json_scan_init(&s, 64);
    gw_json_scan_track(&s, d->trie, d->ranges);
    gw_json_shape_begin(&s, &d->shape);
    gw_json_scan_feed(&s, d->doc.data, cut);
    gw_json_scan_feed(&s, d->doc.data + cut, d->doc.len - cut);

    return gw_json_scan_finish(&s) == GW_JSON_SCAN_OK
           && d->doc.data[s.value.start] == '{'
           && !d->shape.crowded && !d->shape.scalar;
}


/* 0: there is no further document, or one that cannot be merged */

static int
fuzz_read(fuzz_doc_t *d, const u_char **p, const u_char *last, size_t cut)
{
    size_t          i;
    gw_json_text_t  rules[3];

    for (i = 0; i < 3; i++) {
        if (!fuzz_field(p, last, &rules[i])) {
            return 0;
        }
    }

    if (!fuzz_field(p, last, &d->doc) || !fuzz_plan(d, rules)) {
        return 0;
    }

    return fuzz_scan(d, cut);
}


static void
fuzz_add(gw_json_merge_t *m, const gw_json_text_t *key, uint32_t group)
{
    void            *old, *memory;
    u_char          *p;
    size_t           size;
    gw_json_text_t   name;

    size = gw_json_merge_size(m, 1);

    if (size) {
        old = m->names;
        memory = malloc(size);
        gw_json_merge_move(m, memory, 1);
        free(old);
    }

    p = malloc(key->len);

    name.data = p;
    name.len = gw_json_unescape_any(p, key->data, key->len);

    gw_json_merge_add(m, &name, group);
}


static void
fuzz_names(gw_json_merge_t *m, fuzz_doc_t *d, uint32_t group)
{
    size_t             i;
    gw_json_text_t     key;
    gw_json_member_t  *member;

    d->base = m->nnames;

    for (i = 0; i < d->shape.nmembers; i++) {
        member = &d->shape.members[i];

        if (member->text != GW_JSON_SHAPE_NOTHING) {
            key = d->keys[member->text];

        } else {
            key.data = d->doc.data + member->key.start;
            key.len = member->key.end - member->key.start;
        }

        fuzz_add(m, &key, group);
    }
}


static void
fuzz_put(fuzz_out_t *out, const u_char *data, size_t len)
{
    out->data = realloc(out->data, out->len + len + 1);
    memcpy(out->data + out->len, data, len);
    out->len += len;
}


static void
fuzz_slice(fuzz_out_t *out, const fuzz_doc_t *d, gw_json_range_t *range)
{
    gw_json_shape_walk_t   walk;
    gw_json_shape_piece_t  piece;

    gw_json_shape_first(&walk, &d->shape, range);

    while (gw_json_shape_next(&walk, &piece) == GW_OK) {
        if (piece.data == NULL) {
            piece.data = d->doc.data + piece.range.start;
            piece.len = piece.range.end - piece.range.start;
        }

        if (piece.len == 0) {
            abort();
        }

        fuzz_put(out, piece.data, piece.len);
    }
}


static void
fuzz_write(fuzz_out_t *out, const gw_json_merge_t *m, const fuzz_doc_t *docs,
    size_t n)
{
    size_t            i, j;
    gw_json_range_t   range;
    const fuzz_doc_t *d;

    fuzz_put(out, (u_char *) "{", 1);

    for (i = 0; i < n; i++) {
        d = &docs[i];
        j = 0;

        while (gw_json_merge_next(m, d->base, d->shape.members,
                                  d->shape.nmembers, &j, &range)
               == GW_OK)
        {
            if (out->len > 1) {
                fuzz_put(out, (u_char *) ",", 1);
            }

            fuzz_slice(out, d, &range);
        }
    }

    fuzz_put(out, (u_char *) "}", 1);
}


/* members of an object, found byte by byte, and their names */

static size_t
fuzz_split(const gw_json_text_t *object, size_t doc, fuzz_member_t *members,
    size_t n)
{
    u_char               *name;
    const u_char         *p, *last, *end;
    fuzz_member_t        *member;
    gw_json_element_t     element;
    gw_json_elements_t    e;

    p = object->data;
    last = p + object->len;

    /* what is between two commas is found as in an array */

    gw_json_elements_begin(&e, 0);

    while (p < last) {

        if (e.depth == 1 && !e.string && *p == '}') {
            /* the end */
            element = e.element;

            if (!e.started) {
                break;
            }

            p = last;

        } else {
            end = p + 1;

            if (gw_json_elements_next(&e, &p, end, &element) != GW_OK) {
                continue;
            }
        }

        member = &members[n++];

        member->doc = doc;
        member->lost = 0;
        member->text.data = object->data + element.range.start;
        member->text.len = element.range.end - element.range.start;

        end = member->text.data + 1;

        while (*end != '"') {
            end += 1 + (*end == '\\');
        }

        name = malloc(end + 1 - member->text.data);
        member->name.data = name;
        member->name.len = gw_json_unescape_any(name, member->text.data,
                                               end + 1 - member->text.data);
    }

    return n;
}


static void
fuzz_check(const fuzz_out_t *out, const fuzz_doc_t *docs, size_t n,
    int first)
{
    size_t           i, j, k, want, got, offset;
    fuzz_out_t       shaped[FUZZ_DOCS];
    fuzz_member_t    members[FUZZ_DOCS * FUZZ_MEMBERS], *a, *b;
    fuzz_member_t    result[FUZZ_DOCS * FUZZ_MEMBERS];
    gw_json_text_t   text;
    gw_json_range_t  range;

    if (gw_json_scan(out->data, out->len, 64, &range, &offset)
        != GW_JSON_SCAN_OK)
    {
        abort();
    }

    want = 0;

    for (i = 0; i < n; i++) {
        memset(&shaped[i], 0, sizeof(fuzz_out_t));
        range = docs[i].ranges[0];

        fuzz_slice(&shaped[i], &docs[i], &range);

        text.data = shaped[i].data;
        text.len = shaped[i].len;

        want = fuzz_split(&text, i, members, want);
    }

    for (i = 0; i < want; i++) {
        for (j = 0; j < i; j++) {
            a = &members[j];
            b = &members[i];

            if (!a->lost && !b->lost && a->name.len == b->name.len
                && memcmp(a->name.data, b->name.data, a->name.len) == 0)
            {
                *(first && a->doc != b->doc ? &b->lost : &a->lost) = 1;
            }
        }
    }

    text.data = out->data;
    text.len = out->len;
    got = fuzz_split(&text, 0, result, 0);

    for (i = 0, k = 0; i < want; i++) {

        if (members[i].lost) {
            continue;
        }

        if (k == got || result[k].text.len != members[i].text.len
            || memcmp(result[k].text.data, members[i].text.data,
                      members[i].text.len)
               != 0)
        {
            abort();
        }

        k++;
    }

    if (k != got) {
        abort();
    }

    for (i = 0; i < want; i++) {
        free((void *) members[i].name.data);
    }

    for (i = 0; i < got; i++) {
        free((void *) result[i].name.data);
    }

    for (i = 0; i < n; i++) {
        free(shaped[i].data);
    }
}


static void
fuzz_free(fuzz_doc_t *d)
{
    free(d->shape.edits);
    free(d->shape.members);
    free(d->shape.seen);
    free(d->trie);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int              first;
    size_t           i, n, cut;
    fuzz_out_t       out;
    fuzz_doc_t       docs[FUZZ_DOCS];
    const u_char    *p, *last;
    gw_json_merge_t  m;

    static const uint64_t  secret[2] = { 1, 2 };

    if (size < 2) {
        return 0;
    }

    memset(docs, 0, sizeof(docs));
    memset(&out, 0, sizeof(fuzz_out_t));

    first = data[0] & 1;
    cut = data[1];
    p = data + 2;
    last = data + size;

    for (n = 0; n < FUZZ_DOCS && fuzz_read(&docs[n], &p, last, cut); n++) {
        /* void */
    }

    gw_json_merge_init(&m, secret, first);

    for (i = 0; i < n; i++) {
        fuzz_names(&m, &docs[i], (uint32_t) i);
    }

    fuzz_write(&out, &m, docs, n);
    fuzz_check(&out, docs, n, first);

    for (i = 0; i < m.nnames; i++) {
        free((void *) m.names[i].name.data);
    }

    for (i = 0; i < FUZZ_DOCS; i++) {
        fuzz_free(&docs[i]);
    }

    free(m.names);
    free(out.data);

    return 0;
}
