
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_json.h"
#include "gw_json_flat.h"
#include "gw_json_table.h"
#include "tap.h"


typedef struct {
    const char  *text;
    int          taken;
} row_t;


#define L8   "[[[[[[[["
#define R8   "]]]]]]]]"
#define M8   "\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1"
#define N8   "\"A\":1,\"B\":1,\"C\":1,\"D\":1,\"E\":1,\"F\":1,\"G\":1,\"H\":1"
#define O8   "\"0\":1,\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1"
#define P7   "\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1"


static const row_t  rows[] = {
    { "{}", 1 },
    { " \t\r\n{ } \n", 1 },
    { "{\"a\":1}", 1 },
    { " { \"a\" : 1 , \"b\" : [ ] , \"c\" : { } } ", 1 },
    { "{\"a\":[1,\"x\",true,false,null,{\"a\":[]},-5,0,-0]}", 1 },
    { "{\"a\":{\"a\":{\"a\":1},\"b\":2},\"b\":{\"a\":3}}", 1 },
    { "{\"\":\"\"}", 1 },
    { "{\"a\":\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"}", 1 },
    { "{\"\xc3\xa9\":\"a string that is longer than sixteen bytes\"}", 1 },
    { "{\"a\":\"\x7f\"}", 1 },
    { "{\"a\":999999999999999999}", 1 },
    { "{\"a\":-999999999999999999}", 1 },
    { "{" M8 "," N8 "," O8 "," P7 ",\"x\":{}}", 1 },
    { "{\"a\":[[[[[[[1]]]]]]]}", 1 },
    { "{\"a\":{\"b\":1},\"c\":{\"b\":1}}", 1 },

    /* for gw_json_load() to decide, which may take them */

    { "{\"a\":1.5}", 0 },
    { "{\"a\":1e1}", 0 },
    { "{\"a\":1E1}", 0 },
    { "{\"a\":1000000000000000000}", 0 },
    { "{\"a\":\"\\n\"}", 0 },
    { "{\"\\u0061\":1}", 0 },
    { "{\"a\":" L8 R8 "}", 0 },
    { "{" M8 "," N8 "," O8 "," P7 ",\"x\":{\"y\":1}}", 0 },
    { "{" M8 "," N8 "," O8 "," P7 ",\"x\":1,\"y\":1}", 0 },

    /* never taken */

    { "", 0 },
    { " ", 0 },
    { "[]", 0 },
    { "1", 0 },
    { "\"x\"", 0 },
    { "null", 0 },
    { "{", 0 },
    { "{ ", 0 },
    { "}", 0 },
    { "{}}", 0 },
    { "{}x", 0 },
    { "{},", 0 },
    { "\xef\xbb\xbf{}", 0 },
    { "{,}", 0 },
    { "{\"a\"}", 0 },
    { "{\"a\":}", 0 },
    { "{\"a\":1", 0 },
    { "{\"a\":1,", 0 },
    { "{\"a\":1,}", 0 },
    { "{\"a\":1 \"b\":1}", 0 },
    { "{\"a\":1;\"b\":1}", 0 },
    { "{\"a\" 1}", 0 },
    { "{a:1}", 0 },
    { "{\"a", 0 },
    { "{\"a\":\"", 0 },
    { "{\"a\":\"x", 0 },
    { "{\"a\":{}", 0 },
    { "{\"a\":[]", 0 },
    { "{\"a\":[", 0 },
    { "{\"a\":[1", 0 },
    { "{\"a\":[1,", 0 },
    { "{\"a\":[1,]}", 0 },
    { "{\"a\":[,1]}", 0 },
    { "{\"a\":[1 2]}", 0 },
    { "{\"a\":[1}", 0 },
    { "{\"a\":[}]", 0 },
    { "{\"a\":{]}", 0 },
    { "{\"a\":-}", 0 },
    { "{\"a\":+1}", 0 },
    { "{\"a\":01}", 0 },
    { "{\"a\":-01}", 0 },
    { "{\"a\":1a}", 0 },
    { "{\"a\":0x1}", 0 },
    { "{\"a\":.5}", 0 },
    { "{\"a\":5.}", 0 },
    { "{\"a\":tru}", 0 },
    { "{\"a\":truex}", 0 },
    { "{\"a\":True}", 0 },
    { "{\"a\":fals}", 0 },
    { "{\"a\":nul", 0 },
    { "{\"a\":NaN}", 0 },
    { "{\"a\":1,\"a\":1}", 0 },
    { "{\"a\":1,\"b\":2,\"a\":1}", 0 },
    { "{\"\":1,\"\":1}", 0 },
    { "{\"x\":{\"a\":1,\"b\":2,\"a\":1}}", 0 },
    { "{\"x\":[{\"a\":1,\"a\":1}]}", 0 },
    { "{\"x\":{\"y\":{}},\"x\":1}", 0 },
    { "{\"a\":\"\n\"}", 0 },
    { "{\"a\n\":1}", 0 },
    { "{\"a\":\"\xff\"}", 0 },
    { "{\"a\":\"\xc3\"}", 0 },
    { "{\"a\":\"\xc0\x80\"}", 0 },
    { "{\"a\":\"\xed\xa0\x80\"}", 0 },
    { "{\"a\":\"\xf4\x90\x80\x80\"}", 0 },
    { "{\"\xe9\":1}", 0 },
    { "{\"a\":'x'}", 0 },
    { "{\"a\":1}/**/", 0 },
    { "{\"a\":1\v}", 0 },
    { NULL, 0 }
};


/* what is taken is in the tree, and nothing else */

static int
same(const gw_json_flat_t *flat, const unsigned char *text,
    const json_t *tree)
{
    unsigned                      i;
    const json_t                 *value;
    const gw_json_flat_member_t  *m;

    if (json_object_size(tree) != flat->n) {
        return 0;
    }

    for (i = 0; i < flat->n; i++) {
        m = &flat->members[i];
        value = gw_json_get(tree, (const char *) text + m->name, m->name_len);

        if (value == NULL
            || (uint8_t) json_typeof(value) != m->type
            || gw_json_flat_get(flat, text, (const char *) text + m->name,
                                m->name_len)
               != m)
        {
            return 0;
        }

        if (json_is_string(value)
            && (json_string_length(value) != m->len
                || memcmp(json_string_value(value), text + m->value, m->len)
                   != 0))
        {
            return 0;
        }

        if (json_is_integer(value)
            && json_integer_value(value) != gw_json_flat_integer(text, m))
        {
            return 0;
        }
    }

    return 1;
}


/*
 * Returns what gw_json_flat() did, or -1: gw_json_load() would not have had
 * it.  The text ends where its memory does, for sanitizers.
 */

static int
try(const void *data, size_t len)
{
    int              rc;
    json_t          *tree;
    unsigned char   *text;
    gw_json_flat_t   flat;
    gw_json_error_t  err;

    text = malloc(len);
    if (text == NULL && len != 0) {
        return -1;
    }

    if (len != 0) {
        memcpy(text, data, len);
    }

    rc = (gw_json_flat(&flat, text, len) == GW_OK);

    if (rc) {
        tree = gw_json_load(text, len, GW_JSON_DEPTH, &err);

        if (tree == NULL || !same(&flat, text, tree)) {
            rc = -1;
        }

        json_decref(tree);
    }

    free(text);

    return rc;
}


static void
test_rows(void)
{
    char         *p, name[512];
    const row_t  *row;

    for (row = rows; row->text != NULL; row++) {
        snprintf(name, sizeof(name), "%s", row->text);

        for (p = name; *p; p++) {
            if (*p < ' ' || *p > '~') {
                *p = '?';
            }
        }

        ok(try(row->text, strlen(row->text)) == row->taken, "%s: %s", name,
           row->taken ? "taken" : "not taken");
    }

    ok(try("{\"a\":1\0}", 8) == 0 && try("{\"a\":\"\0\"}", 9) == 0
       && try("{}\0", 3) == 0 && try("{\"a\0\":1}", 9) == 0,
       "NUL: not taken");
}


/* each prefix, and each text with one byte changed */

static void
test_cut(void)
{
    int            rc, wrong;
    char           copy[64];
    size_t         i, len;
    unsigned       c;
    unsigned long  taken;

    static const char  text[] =
        "{\"a\":-1,\"b\":[{\"c\":true},[null]],\"d\":\"\xc3\xa9\"} ";

    wrong = 0;
    taken = 0;
    len = sizeof(text) - 1;

    for (i = 0; i + 1 < len; i++) {
        wrong += (try(text, i) != 0);
    }

    ok(wrong == 0, "no part of a text is taken");

    wrong = 0;

    for (i = 0; i < len; i++) {
        for (c = 0; c < 256; c++) {
            memcpy(copy, text, len);
            copy[i] = (char) c;

            rc = try(copy, len);

            wrong += (rc == -1);
            taken += (rc == 1);
        }
    }

    ok(wrong == 0 && taken > len, "%lu changed texts are taken, rightly",
       taken);
}


static void
test_name(void)
{
    char  text[512];

    memset(text, 'n', sizeof(text));
    memcpy(text, "{\"", 2);

    memcpy(text + 2 + GW_JSON_FLAT_NAME, "\":1}", 4);
    ok(try(text, 2 + GW_JSON_FLAT_NAME + 4) == 1, "a name of 255 bytes");

    text[2 + GW_JSON_FLAT_NAME] = 'n';
    memcpy(text + 3 + GW_JSON_FLAT_NAME, "\":1}", 4);
    ok(try(text, 3 + GW_JSON_FLAT_NAME + 4) == 0, "a name of 256 bytes");
}


static void
test_count(void)
{
    gw_json_flat_t    flat;
    gw_json_count_t  *count;

    static const char  text[] =
        "{\"aa\":[1,[\"bbb\",2],{\"c\":\"dddd\"}],\"e\":{},\"f\":null}";

    (void) gw_json_flat(&flat, (const unsigned char *) text,
                        sizeof(text) - 1);

    count = &flat.count;

    ok(count->objects == 3 && count->members == 4 && count->arrays == 2
       && count->elements == 5 && count->strings == 2 && count->integers == 2
       && count->bytes == 12, "what a tree would be made of is counted");
    ok(flat.n == 3, "only the top level is there");
}


static void
test_next(void)
{
    int                           n;
    size_t                        pos, len;
    const char                   *word;
    gw_status_e                   rc;
    gw_json_flat_t                flat;
    const row_t                  *row;
    const unsigned char          *text;
    const gw_json_flat_member_t  *m;

    /* the number of strings before what is none */

    static const row_t  arrays[] = {
        { "{\"x\":[]}", 0 },
        { "{\"x\":[ ]}", 0 },
        { "{\"x\":[\"ab\"]}", 1 },
        { "{\"x\":[ \"ab\" , \"ab\" ]}", 2 },
        { "{\"x\":[\"ab\",\"ab\",\"ab\"]}", 3 },
        { "{\"x\":[\"ab\",1]}", -2 },
        { "{\"x\":[null,\"ab\"]}", -1 },
        { "{\"x\":[\"ab\",\"ab\",[\"ab\"]]}", -3 },
        { NULL, 0 }
    };

    for (row = arrays; row->text != NULL; row++) {
        text = (const unsigned char *) row->text;

        (void) gw_json_flat(&flat, text, strlen(row->text));
        m = gw_json_flat_get(&flat, text, "x", 1);

        n = 0;
        pos = 0;

        do {
            rc = gw_json_flat_next(text, m, &pos, &word, &len);
            n += (rc == GW_OK && len == 2 && memcmp(word, "ab", 2) == 0);
        } while (rc == GW_OK);

        ok((rc == GW_DECLINED ? n : -1 - n) == row->taken,
           "elements of %s: %d", row->text, n);
    }
}


/* the texts, and the same as a value */

static void
test_table(const char *name, int field)
{
    int            rc, wrong;
    char           text[TABLE_LINE + 8];
    size_t         len;
    table_t        t;
    unsigned long  n, taken;

    if (!table_open(&t, name)) {
        exit(1);
    }

    wrong = 0;
    taken = 0;

    for (n = 0; table_next(&t); n++) {
        len = t.lens[field];

        memcpy(text, "{\"a\":", 5);
        memcpy(text + 5, t.fields[field], len);
        text[5 + len] = '}';

        rc = try(text, len + 6);

        wrong += (rc == -1 || try(text + 5, len) == -1);
        taken += (rc == 1);
    }

    ok(wrong == 0 && n > 0, "%s: %lu of %lu values are taken, rightly", name,
       taken, n);
}


int
main(void)
{
    json_object_seed(1);

    test_rows();
    test_cut();
    test_name();
    test_count();
    test_next();
    test_table("valid.txt", 1);
    test_table("invalid.txt", 2);

    return done();
}
