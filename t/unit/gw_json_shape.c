
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
static gw_status_e more_members(gw_json_shape_t *sh);
static void plan(plan_t *p, const char *pointers);
static int run(plan_t *p, const char *doc, size_t cut, char *out);
static char *slice(plan_t *p, const char *doc, size_t start, size_t end,
    char *out);
static char *squeeze(char *text);
static int test_members(plan_t *p, const char *doc, const char *want);
static void test_list(void);
static void test_crowd(void);
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


static gw_status_e
more_members(gw_json_shape_t *sh)
{
    if (sh->data) {
        return GW_ERROR;
    }

    sh->members_room = sh->members_room * 2 + 1;
    sh->members = realloc(sh->members,
                          sh->members_room * sizeof(gw_json_member_t));

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
    p->shape.more_members = more_members;
    p->shape.members_max = 16;
    p->shape.seen = calloc(p->trie->nnodes, sizeof(uint32_t));

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


/* what is left of a piece of the value; returns the end of it */

static char *
slice(plan_t *p, const char *doc, size_t start, size_t end, char *out)
{
    gw_json_range_t         range;
    gw_json_shape_walk_t    walk;
    gw_json_shape_piece_t   piece;

    range.start = start;
    range.end = end;

    gw_json_shape_first(&walk, &p->shape, &range);

    while (gw_json_shape_next(&walk, &piece) == GW_OK) {
        if (piece.data == NULL) {
            piece.data = (u_char *) doc + piece.range.start;
            piece.len = piece.range.end - piece.range.start;
        }

        memcpy(out, piece.data, piece.len);
        out += piece.len;
    }

    *out = '\0';

    return out;
}


/* takes the spaces out; rows have none in strings */

static char *
squeeze(char *text)
{
    char  *p, *q;

    for (p = q = text; *p; p++) {
        if (*p != ' ') {
            *q++ = *p;
        }
    }

    *q = '\0';

    return text;
}


/* the members one by one, and all from any one to any other one */

static int
test_members(plan_t *p, const char *doc, const char *want)
{
    char              *o, out[MAX_TEXT], text[MAX_TEXT], part[MAX_TEXT];
    size_t             i, j, n;
    gw_json_member_t  *m;

    m = p->shape.members;
    n = p->shape.nmembers;
    o = out;
    *o++ = '{';

    for (i = 0; i < n; i++) {
        if (i) {
            *o++ = ',';
        }

        o = slice(p, doc, m[i].key.start, m[i].end, o);
    }

    strcpy(o, "}");
    strcpy(text, want);

    if (strcmp(squeeze(out), squeeze(text)) != 0) {
        printf("#   members: %s\n", out);
        return 0;
    }

    for (i = 0; i < n; i++) {
        o = part;

        for (j = i; j < n; j++) {
            if (j > i) {
                *o++ = ',';
            }

            o = slice(p, doc, m[j].key.start, m[j].end, o);
            slice(p, doc, m[i].key.start, m[j].end, text);
            strcpy(out, part);

            if (strcmp(squeeze(text), squeeze(out)) != 0) {
                printf("#   members %u to %u: %s, not %s\n", (unsigned) i,
                       (unsigned) j, text, out);
                return 0;
            }
        }
    }

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

        if (good && row->want && *row->want == '{') {
            good = test_members(&p, row->doc, row->want);

        } else if (good && row->want) {
            good = p.shape.nmembers == 0;
        }
    }

    ok(good, "%s of %s", row->pointers, row->doc);

    if (!good) {
        printf("#   %s, cut at %u\n", rc ? out : "nothing",
               (unsigned) cut - 1);
    }

    free(p.shape.edits);
    free(p.shape.members);
    free(p.shape.seen);
    free(p.trie);
}


/* keys as they were sent, and which pointer renames them */

static void
test_list(void)
{
    char               out[MAX_TEXT];
    plan_t             p;
    gw_json_member_t  *m;

    static const char  doc[] = "{\"x\":0, \"d\":{\"a\" : [{\"n\":1}], "
                               "\"b\":2 , \"c\":{}, \"\\u0000\":4 }}";

    plan(&p, "/d =/a -/b");
    run(&p, doc, 20, out);
    m = p.shape.members;

    ok(p.shape.nmembers == 3, "%u members", (unsigned) p.shape.nmembers);
    ok(strncmp(doc + m[0].key.start, "\"a\" : [{\"n\":1}],",
               m[0].end + 1 - m[0].key.start) == 0
       && m[0].key.end - m[0].key.start == 3 && m[0].text == 1,
       "one that is renamed");
    ok(strncmp(doc + m[1].key.start, "\"c\":{},",
               m[1].end + 1 - m[1].key.start) == 0
       && m[1].text == GW_JSON_SHAPE_NOTHING, "one that is not");
    ok(strncmp(doc + m[2].key.start, "\"\\u0000\":4 }",
               m[2].end + 1 - m[2].key.start) == 0
       && m[2].key.end - m[2].key.start == 8, "the last one");

    free(p.shape.edits);
    free(p.shape.members);
    free(p.shape.seen);
    free(p.trie);
}


static void
test_crowd(void)
{
    char    out[MAX_TEXT], doc[MAX_TEXT];
    plan_t  p;
    size_t  i, n;

    for (n = 16; n <= 17; n++) {
        plan(&p, "");
        strcpy(doc, "{\"a\":0");

        for (i = 1; i < n; i++) {
            strcat(doc, ",\"a\":0");
        }

        run(&p, strcat(doc, "}"), 1, out);

        ok(p.shape.nmembers == 16 && p.shape.crowded == (n == 17)
           && strcmp(out, doc) == 0, "%u members of 16", (unsigned) n);

        free(p.shape.members);
        free(p.shape.seen);
        free(p.trie);
    }

    plan(&p, "");
    p.shape.data = out;
    run(&p, "{\"a\":1}", 3, out);
    ok(p.shape.failed, "no room for a member");

    p.shape.members_max = 0;
    run(&p, "{\"a\":1}", 3, out);
    ok(!p.shape.failed && p.shape.nmembers == 0, "no list is wanted");

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
    { "+/x -/*/p", "{\"k\":{\"p\":1},\"x\":{\"p\":2,\"q\":3},\"k\":4}",
      "{\"x\":{\"q\":3}}" },
    { "+/x -/*/p", "{\"x\":{\"p\":2},\"k\":{\"p\":1},\"x\":{\"q\":3}}",
      "{\"x\":{\"q\":3}}" },
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

    test_list();
    test_crowd();

    plan(&p, "-/a");
    p.shape.data = out;
    run(&p, "{\"a\":1,\"b\":2}", 3, out);
    ok(p.shape.failed, "no room for an edit");

    free(p.shape.seen);
    free(p.trie);

    return done();
}
