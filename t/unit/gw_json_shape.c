
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_json_scan.h"
#include "gw_json_shape.h"
#include "tap.h"


#define MAX_TEXT  4096


/* pointers: the value's, then "-/dropped", "+/picked", "=/renamed"; rename
   makes "z" of a key */

typedef struct {
    const char  *pointers;
    const char  *doc;
    const char  *want;      /* NULL: there is nothing to pick */
} row_t;


typedef struct {
    gw_json_trie_t   *trie;
    gw_json_shape_t   shape;
    gw_json_text_t    keys[GW_JSON_POINTER_MAX_COUNT];
    gw_json_range_t   ranges[GW_JSON_POINTER_MAX_COUNT];
} plan_t;


static gw_status_e more(gw_json_shape_t *sh);
static void plan(plan_t *p, const char *pointers);
static int run(plan_t *p, const char *doc, size_t cut, char *out);
static void test_row(const row_t *row);


static gw_status_e
more(gw_json_shape_t *sh)
{
    if (sh->data) {
        return GW_ERROR;
    }

    sh->room = sh->room * 2 + 1;
    sh->edits = realloc(sh->edits, sh->room * sizeof(gw_json_edit_t));

    return GW_OK;
}


static void
plan(plan_t *p, const char *pointers)
{
    char                     *text, *word, *save;
    char                      full[GW_JSON_POINTER_MAX_COUNT][256];
    void                     *memory;
    size_t                    n;
    gw_json_text_t            texts[GW_JSON_POINTER_MAX_COUNT];
    gw_json_pointer_error_t   err;

    memset(p, 0, sizeof(plan_t));

    text = strdup(pointers);
    n = 1;

    texts[0].data = (u_char *) "";
    texts[0].len = 0;
    p->shape.at = 1;

    for (word = strtok_r(text, " ", &save); word;
         word = strtok_r(NULL, " ", &save))
    {
        if (*word == '/') {
            texts[0].data = (u_char *) word;
            texts[0].len = strlen(word);
            continue;
        }

        if (*word == '-') {
            p->shape.drop |= (uint64_t) 1 << n;

        } else if (*word == '+') {
            p->shape.pick |= (uint64_t) 1 << n;

        } else {
            p->shape.rename |= (uint64_t) 1 << n;
        }

        p->keys[n].data = (u_char *) "\"z\"";
        p->keys[n].len = 3;

        texts[n].data = (u_char *) full[n];
        texts[n].len = (size_t) sprintf(full[n], "%.*s%s",
                                        (int) texts[0].len,
                                        (char *) texts[0].data, word + 1);
        n++;
    }

    memory = malloc(gw_json_pointer_size(texts, n));
    p->trie = gw_json_pointer_compile_any(memory, texts, n, &err);
    p->shape.keys = p->keys;
    p->shape.more = more;
    p->shape.seen = malloc(p->trie->nnodes * sizeof(uint32_t));

    free(text);
}


/* returns 0 when the scan failed or there was nothing to pick */

static int
run(plan_t *p, const char *doc, size_t cut, char *out)
{
    size_t                  len, n;
    gw_json_scan_t          s;
    gw_json_shape_walk_t    walk;
    gw_json_shape_piece_t   piece;

    len = strlen(doc);

    gw_json_scan_init(&s, 64);
    gw_json_scan_track(&s, p->trie, p->ranges);
    gw_json_shape_begin(&s, &p->shape);

    if (cut > len) {
        for (n = 0; n < len; n++) {
            gw_json_scan_feed(&s, (u_char *) doc + n, 1);
        }

    } else {
        gw_json_scan_feed(&s, (u_char *) doc, cut);
        gw_json_scan_feed(&s, (u_char *) doc + cut, len - cut);
    }

    if (gw_json_scan_finish(&s) != GW_JSON_SCAN_OK || p->shape.scalar) {
        return 0;
    }

    gw_json_shape_first(&walk, &p->shape, &p->ranges[0]);

    while (gw_json_shape_next(&walk, &piece) == GW_OK) {
        if (piece.data == NULL) {
            piece.data = (u_char *) doc + piece.range.start;
            piece.len = piece.range.end - piece.range.start;
        }

        memcpy(out, piece.data, piece.len);
        out += piece.len;
    }

    *out = '\0';

    return 1;
}


static void
test_row(const row_t *row)
{
    int     rc, good;
    char    out[MAX_TEXT];
    plan_t  p;
    size_t  cut;

    plan(&p, row->pointers);
    rc = 0;
    good = 1;

    for (cut = 0; cut <= strlen(row->doc) + 1 && good; cut++) {
        rc = run(&p, row->doc, cut, out);
        good = row->want ? rc && strcmp(out, row->want) == 0 : !rc;
    }

    ok(good, "%s of %s", row->pointers, row->doc);

    if (!good) {
        printf("#   %s, cut at %u\n", rc ? out : "nothing",
               (unsigned) cut - 1);
    }

    free(p.shape.edits);
    free(p.shape.seen);
    free(p.trie);
}


static const row_t  rows[] = {

    /* drop */
    { "-/a", "{\"a\":1,\"b\":2}", "{\"b\":2}" },
    { "-/b", "{\"a\":1,\"b\":2}", "{\"a\":1}" },
    { "-/b", "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"c\":3}" },
    { "-/a", "{\"a\":1}", "{}" },
    { "-/a -/b", "{\"a\":1,\"b\":2}", "{}" },
    { "-/a -/b", "{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3}" },
    { "-/b -/c", "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1}" },
    { "-/b -/c", "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}", "{\"a\":1,\"d\":4}" },
    { "-/a -/c", "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}", "{\"b\":2,\"d\":4}" },
    { "-/x", "{\"a\":1}", "{\"a\":1}" },
    { "-/x", "{}", "{}" },
    { "-/x", "[1,2]", "[1,2]" },
    { "-/x", " 42 ", "42" },
    { "-/a", "{\"a\":1,\"a\":2,\"b\":3}", "{\"b\":3}" },
    { "-/a", "{\"a\":1,\"b\":3,\"\\u0061\":2}", "{\"b\":3}" },
    { "-/a", "{\"b\":{\"a\":1}}", "{\"b\":{\"a\":1}}" },
    { "-/b/a", "{\"b\":{\"a\":1,\"c\":2}}", "{\"b\":{\"c\":2}}" },
    { "-/*/a", "{\"b\":{\"a\":1,\"c\":2},\"d\":{\"a\":3}}",
      "{\"b\":{\"c\":2},\"d\":{}}" },
    { "-/*/a -/b/c", "{\"b\":{\"a\":1,\"c\":2,\"d\":3},\"d\":{\"c\":3}}",
      "{\"b\":{\"d\":3},\"d\":{\"c\":3}}" },
    { "-/*", "{\"a\":1,\"b\":[1]}", "{}" },
    { "-/*", "[1,[2],{}]", "[]" },
    { "-/0", "[1,2,3]", "[2,3]" },
    { "-/1", "[1,[2,0],3]", "[1,3]" },
    { "-/2", "[1,2,3]", "[1,2]" },
    { "-/*/p", "[{\"p\":1,\"i\":1},{\"i\":2,\"p\":{\"p\":0}},3,null]",
      "[{\"i\":1},{\"i\":2},3,null]" },
    { "-/a", " { \"a\" : 1 , \"b\" : 2 } ", "{\"b\" : 2 }" },
    { "-/b", "{ \"a\" : 1 , \"b\" : 2 }", "{ \"a\" : 1 }" },
    { "-/~2", "{\"*\":1,\"a\":2}", "{\"a\":2}" },
    { "-/a~1b -/~0", "{\"a/b\":1,\"~\":2,\"c\":3}", "{\"c\":3}" },

    /* at */
    { "/d -/a", "{\"a\":0,\"d\":{\"a\":1,\"b\":2},\"e\":{\"a\":3}}",
      "{\"b\":2}" },
    { "/d -/a", "{\"d\":{\"a\":1,\"b\":2},\"d\":{\"b\":3,\"a\":{}}}",
      "{\"b\":3}" },
    { "/d/0 +/a", "{\"d\":[{\"a\":1,\"b\":2},{\"a\":3}]}", "{\"a\":1}" },

    /* pick */
    { "+/a", "{\"a\":1,\"b\":2}", "{\"a\":1}" },
    { "+/b", "{\"a\":1,\"b\":2}", "{\"b\":2}" },
    { "+/b +/a", "{\"a\":1,\"x\":0,\"b\":2}", "{\"a\":1,\"b\":2}" },
    { "+/a", "{\"b\":2}", "{}" },
    { "+/a", "{}", "{}" },
    { "+/a", "42", NULL },
    { "+/a", "null", NULL },
    { "+/a", "[1,2]", "[]" },
    { "+/a/b", "{\"a\":{\"b\":1,\"c\":2},\"b\":3}", "{\"a\":{\"b\":1}}" },
    { "+/a/b", "{\"a\":5,\"b\":3}", "{}" },
    { "+/a/b +/a", "{\"a\":{\"c\":2},\"b\":3}", "{\"a\":{\"c\":2}}" },
    { "+/*/i", "[{\"p\":1,\"i\":1},{\"i\":2,\"p\":{\"p\":0}},3,null]",
      "[{\"i\":1},{\"i\":2}]" },
    { "+/*/i +/k/p", "{\"j\":{\"i\":1,\"p\":2},\"k\":{\"i\":3,\"p\":4,"
      "\"q\":5}}", "{\"j\":{\"i\":1},\"k\":{\"i\":3,\"p\":4}}" },
    { "+/1", "[1,2,3]", "[2]" },

    /* the last of several, once */
    { "+/k", "{\"k\":1,\"k\":2}", "{\"k\":2}" },
    { "+/k", "{\"k\":1,\"x\":0,\"k\":2,\"y\":0}", "{\"k\":2}" },
    { "+/k +/j", "{\"k\":1,\"j\":2,\"k\":3}", "{\"j\":2,\"k\":3}" },
    { "+/k +/j", "{\"j\":1,\"k\":2,\"j\":3}", "{\"k\":2,\"j\":3}" },
    { "+/k +/j", "{\"j\":1,\"k\":2,\"j\":3,\"k\":4}", "{\"j\":3,\"k\":4}" },
    { "+/k +/j", "{\"j\":1,\"k\":2,\"\\u006b\":3,\"j\":4,\"x\":5}",
      "{\"\\u006b\":3,\"j\":4}" },
    { "+/a +/b +/c", "{\"a\":1,\"b\":2,\"c\":3,\"b\":4,\"a\":5}",
      "{\"c\":3,\"b\":4,\"a\":5}" },
    { "+/a/b +/c", "{\"a\":{\"b\":1,\"x\":1},\"c\":0,\"a\":{\"b\":2}}",
      "{\"c\":0,\"a\":{\"b\":2}}" },
    { "+/a/b +/c", "{\"a\":{\"b\":1},\"c\":0,\"a\":5}", "{\"c\":0}" },
    { "+/a/b +/c", "{\"a\":5,\"a\":{\"b\":1},\"c\":0}",
      "{\"a\":{\"b\":1},\"c\":0}" },

    /* drop and pick */
    { "+/a -/a/p", "{\"a\":{\"p\":1,\"q\":2},\"b\":1}", "{\"a\":{\"q\":2}}" },
    { "+/* -/b", "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"c\":3}" },
    { "+/a +/b -/a/*", "{\"a\":[1,2],\"b\":3,\"a\":[4]}",
      "{\"b\":3,\"a\":[]}" },

    /* rename */
    { "=/a", "{\"a\":1,\"b\":2}", "{\"z\":1,\"b\":2}" },
    { "=/b", "{\"a\":1, \"b\" : 2}", "{\"a\":1, \"z\" : 2}" },
    { "=/\xc3\xa9", "{\"\\u00e9\":1}", "{\"z\":1}" },
    { "=/*/a", "[{\"a\":1},{\"a\":2},[{\"a\":3}]]",
      "[{\"z\":1},{\"z\":2},[{\"a\":3}]]" },
    { "=/0", "[1,2]", "[1,2]" },
    { "=/a -/b", "{\"b\":1,\"a\":2}", "{\"z\":2}" },
    { "+/a =/a", "{\"b\":1,\"a\":2}", "{\"z\":2}" },
    { "+/a =/a/c", "{\"b\":1,\"a\":{\"c\":1}}", "{\"a\":{\"z\":1}}" },
    { "+/a +/b =/a", "{\"a\":1,\"b\":1,\"a\":2}", "{\"b\":1,\"z\":2}" },
};


int
main(void)
{
    char    out[MAX_TEXT];
    size_t  i;
    plan_t  p;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_row(&rows[i]);
    }

    plan(&p, "-/a");
    p.shape.data = out;
    run(&p, "{\"a\":1,\"b\":2}", 3, out);
    ok(p.shape.failed, "no room for an edit");

    free(p.shape.seen);
    free(p.trie);

    return done();
}
