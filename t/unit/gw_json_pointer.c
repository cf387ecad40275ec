
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_json_pointer.h"
#include "tap.h"


#define STARS  "has a \"*\", which is reserved; "                             \
               "a member with that name is \"~2\""
#define TILDE  "has a \"~\" that is not \"~0\", \"~1\" or \"~2\""


typedef struct {
    const char  *pointer;
    const char  *text;      /* NULL: it is good */
    size_t       n;         /* tokens, or the offset of the error */
} row_t;


typedef struct {
    const char  *pointer;
    const char  *token;
    size_t       index;
} token_row_t;


static gw_json_trie_t *compile(const char *const *pointers, size_t n,
    gw_json_pointer_error_t *err);
static void test_check(void);
static void test_tokens(void);
static void test_trie(void);
static void test_any(void);
static void test_limits(void);


static gw_json_trie_t *
compile(const char *const *pointers, size_t n, gw_json_pointer_error_t *err)
{
    void            *memory;
    size_t           i;
    gw_json_text_t   texts[GW_JSON_POINTER_MAX_COUNT + 1];
    gw_json_trie_t  *trie;

    for (i = 0; i < n; i++) {
        texts[i].data = (u_char *) pointers[i];
        texts[i].len = strlen(pointers[i]);
    }

    memory = malloc(gw_json_pointer_size(texts, n));
    trie = gw_json_pointer_compile(memory, texts, n, err);

    if (trie == NULL) {
        free(memory);
    }

    return trie;
}


static void
test_check(void)
{
    size_t                    i, n;
    gw_status_e               rc;
    gw_json_pointer_error_t   err;

    static const row_t  rows[] = {
        { "", NULL, 0 },
        { "/", NULL, 1 },
        { "//", NULL, 2 },
        { "/a", NULL, 1 },
        { "/a/", NULL, 2 },
        { "/a/b/c", NULL, 3 },
        { "/a~0b", NULL, 1 },
        { "/a~1b", NULL, 1 },
        { "/~0~1~2", NULL, 1 },
        { "/~01", NULL, 1 },
        { "/-", NULL, 1 },
        { "/a*", NULL, 1 },
        { "/*a", NULL, 1 },
        { "/**", NULL, 1 },
        { "/ ", NULL, 1 },
        { "/\xc3\xa9/\xf0\x9f\x98\x80", NULL, 2 },
        { "a", "must begin with \"/\"", 0 },
        { "a/b", "must begin with \"/\"", 0 },
        { " /a", "must begin with \"/\"", 0 },
        { "#/a", "must begin with \"/\"", 0 },
        { "~0", "must begin with \"/\"", 0 },
        { "/~", TILDE, 1 },
        { "/a~", TILDE, 2 },
        { "/~/a", TILDE, 1 },
        { "/~3", TILDE, 1 },
        { "/~a", TILDE, 1 },
        { "/a/~~0", TILDE, 3 },
        { "/*", STARS, 1 },
        { "/*/a", STARS, 1 },
        { "/a/*/b", STARS, 3 },
        { "/a/*", STARS, 3 },
        { "/\x80", "is not valid UTF-8", 1 },
        { "/a\xc3", "is not valid UTF-8", 2 },
        { "/\xc3/a", "is not valid UTF-8", 1 },
        { "/\xed\xa0\x80", "is not valid UTF-8", 1 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&err, 0, sizeof(err));

        rc = gw_json_pointer_check((u_char *) rows[i].pointer,
                                   strlen(rows[i].pointer), &n, &err);

        if (rows[i].text == NULL) {
            ok(rc == GW_OK && n == rows[i].n, "\"%s\" is good",
               rows[i].pointer);

        } else {
            ok(rc == GW_DECLINED && strcmp(err.text, rows[i].text) == 0
               && err.offset == rows[i].n,
               "pointer %u %s", (unsigned) i, rows[i].text);
        }
    }
}


static void
test_tokens(void)
{
    size_t                    i;
    gw_json_trie_t           *trie;
    const gw_json_node_t     *node;
    gw_json_pointer_error_t   err;

    static const token_row_t  rows[] = {
        { "/a", "a", GW_JSON_POINTER_NO_INDEX },
        { "/", "", GW_JSON_POINTER_NO_INDEX },
        { "/~0", "~", GW_JSON_POINTER_NO_INDEX },
        { "/~1", "/", GW_JSON_POINTER_NO_INDEX },
        { "/~2", "*", GW_JSON_POINTER_NO_INDEX },
        { "/~01", "~1", GW_JSON_POINTER_NO_INDEX },
        { "/~00~11", "~0/1", GW_JSON_POINTER_NO_INDEX },
        { "/0", "0", 0 },
        { "/7", "7", 7 },
        { "/10", "10", 10 },
        { "/00", "00", GW_JSON_POINTER_NO_INDEX },
        { "/01", "01", GW_JSON_POINTER_NO_INDEX },
        { "/-1", "-1", GW_JSON_POINTER_NO_INDEX },
        { "/+1", "+1", GW_JSON_POINTER_NO_INDEX },
        { "/1a", "1a", GW_JSON_POINTER_NO_INDEX },
        { "/1 ", "1 ", GW_JSON_POINTER_NO_INDEX },
        { "/-", "-", GW_JSON_POINTER_NO_INDEX },
        { "/999999999", "999999999", 999999999 },
        { "/1000000000", "1000000000", GW_JSON_POINTER_NO_INDEX },
        { "/18446744073709551615", "18446744073709551615",
          GW_JSON_POINTER_NO_INDEX }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        trie = compile(&rows[i].pointer, 1, &err);

        if (!ok(trie != NULL, "\"%s\"", rows[i].pointer)) {
            continue;
        }

        node = &trie->nodes[1];

        ok(node->token.len == strlen(rows[i].token)
           && memcmp(node->token.data, rows[i].token, node->token.len) == 0
           && node->index == rows[i].index && node->exact == 1
           && node->parent == 0 && trie->nodes[0].child == 1
           && trie->nodes[0].nchildren == 1 && trie->nodes[0].exact == 0,
           "is one token: \"%s\"", rows[i].token);

        free(trie);
    }
}


static void
test_trie(void)
{
    gw_json_trie_t           *trie;
    gw_json_node_t           *nodes;
    gw_json_pointer_error_t   err;

    static const char *const  pointers[] = {
        "/b/c", "/a", "/b", "", "/ab", "/b/c/d", "/a", "/b/a"
    };

    trie = compile(pointers, 8, &err);

    if (!ok(trie != NULL, "a trie of 8 pointers")) {
        return;
    }

    nodes = trie->nodes;

    ok(nodes[0].exact == 0x08 && nodes[0].all == 0xff
       && nodes[0].nchildren == 3
       && nodes[0].any == GW_JSON_POINTER_NO_NODE, "the document");
    ok(nodes[1].token.len == 1 && nodes[1].token.data[0] == 'a'
       && nodes[1].exact == 0x42 && nodes[1].all == 0x42
       && nodes[1].nchildren == 0, "/a twice");
    ok(nodes[2].token.len == 2 && nodes[2].exact == 0x10, "/ab");
    ok(nodes[3].token.data[0] == 'b' && nodes[3].exact == 0x04
       && nodes[3].all == 0xa5 && nodes[3].nchildren == 2, "/b");
    ok(nodes[nodes[3].child].token.data[0] == 'a'
       && nodes[nodes[3].child].parent == 3, "/b/a");
    ok(nodes[nodes[3].child + 1].token.data[0] == 'c'
       && nodes[nodes[3].child + 1].exact == 0x01
       && nodes[nodes[3].child + 1].all == 0x21, "/b/c");

    free(trie);
}


static void
test_any(void)
{
    size_t                    i, n;
    void                     *memory;
    gw_json_node_t           *nodes;
    gw_json_text_t            texts[GW_JSON_POINTER_MAX_COUNT];
    gw_json_trie_t           *trie;
    char                      many[GW_JSON_POINTER_MAX_COUNT][64];
    gw_json_pointer_error_t   err;

    static const char *const  pointers[] = { "/*/x", "/b", "/b/y", "/~2" };

    ok(gw_json_pointer_check_any((u_char *) "/a/*/*", 6, &n, &err) == GW_OK
       && n == 3, "\"*\" where it may be");

    for (i = 0; i < 4; i++) {
        texts[i].data = (u_char *) pointers[i];
        texts[i].len = strlen(pointers[i]);
    }

    memory = malloc(gw_json_pointer_size(texts, 4));
    trie = gw_json_pointer_compile_any(memory, texts, 4, &err);
    nodes = trie->nodes;

    ok(nodes[0].nchildren == 2 && nodes[0].any == nodes[0].child + 2,
       "any stands behind the named ones");
    ok(nodes[1].token.data[0] == '*' && nodes[1].all == 0x9
       && nodes[1].exact == 0x8, "a literal \"*\"");
    ok(nodes[2].token.data[0] == 'b' && nodes[2].all == 0x7
       && nodes[2].exact == 0x2 && nodes[2].nchildren == 2,
       "a named one has what any has");
    ok(nodes[3].token.data == NULL && nodes[3].all == 0x1
       && nodes[3].exact == 0, "any");
    free(memory);

    /* each subset of the first tokens is a path of its own */

    for (i = 0; i < GW_JSON_POINTER_MAX_COUNT; i++) {
        texts[i].data = (u_char *) many[i];
        texts[i].len = (size_t) sprintf(many[i], "/*/*/*/*/*/*/*/*/*/*/*/*/*");
        many[i][2 * (i % 13) + 1] = 'a';
        many[i][25] = (char) ('a' + i / 13);
    }

    memory = malloc(gw_json_pointer_size(texts, i));
    ok(gw_json_pointer_compile_any(memory, texts, i, &err) == NULL
       && strcmp(err.text, "makes too many combinations with \"*\"") == 0,
       "too many combinations");
    free(memory);
}


static void
test_limits(void)
{
    char                      deep[2 * GW_JSON_POINTER_MAX_TOKENS + 3];
    char                     *lengthy;
    size_t                    i;
    const char               *pointers[GW_JSON_POINTER_MAX_COUNT + 1];
    gw_json_trie_t           *trie;
    gw_json_pointer_error_t   err;

    for (i = 0; i < sizeof(deep) - 1; i++) {
        deep[i] = i % 2 ? 'x' : '/';
    }

    deep[sizeof(deep) - 1] = '\0';
    pointers[0] = deep;
    pointers[1] = deep + 2;

    trie = compile(pointers + 1, 1, &err);
    ok(trie != NULL, "as many tokens as can be");
    free(trie);

    ok(compile(pointers, 1, &err) == NULL
       && strcmp(err.text, "has too many tokens") == 0
       && err.offset == 2 * (size_t) GW_JSON_POINTER_MAX_TOKENS,
       "one token more");

    lengthy = malloc(GW_JSON_POINTER_MAX_LEN + 2);
    memset(lengthy, 'x', GW_JSON_POINTER_MAX_LEN + 1);
    lengthy[0] = '/';
    lengthy[GW_JSON_POINTER_MAX_LEN] = '\0';
    pointers[0] = "/a";
    pointers[1] = lengthy;

    trie = compile(pointers, 2, &err);
    ok(trie != NULL, "as long as can be");
    free(trie);

    lengthy[GW_JSON_POINTER_MAX_LEN] = 'x';
    lengthy[GW_JSON_POINTER_MAX_LEN + 1] = '\0';

    ok(compile(pointers, 2, &err) == NULL && err.item == 1
       && strcmp(err.text, "is too long") == 0, "one byte more");
    free(lengthy);

    for (i = 0; i <= GW_JSON_POINTER_MAX_COUNT; i++) {
        pointers[i] = "/a/b";
    }

    trie = compile(pointers, GW_JSON_POINTER_MAX_COUNT, &err);
    ok(trie != NULL && trie->nodes[0].all == ~(uint64_t) 0,
       "as many pointers as can be");
    free(trie);

    ok(compile(pointers, GW_JSON_POINTER_MAX_COUNT + 1, &err) == NULL
       && err.item == GW_JSON_POINTER_MAX_COUNT
       && strcmp(err.text, "is one too many") == 0, "one pointer more");
}


int
main(void)
{
    test_check();
    test_tokens();
    test_trie();
    test_any();
    test_limits();

    return done();
}
