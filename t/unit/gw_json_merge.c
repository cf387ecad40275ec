
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_json_merge.h"
#include "tap.h"


/* groups of names, "a b|b c"; "!" before a name: it is reserved */

typedef struct {
    const char  *names;
    const char  *last;      /* names that are lost are in upper case */
    const char  *first;
} row_t;


static void grow(gw_json_merge_t *m, size_t n);
static void fill(gw_json_merge_t *m, const char *names, int first);
static void show(const gw_json_merge_t *m, char *out);
static void test_rows(void);
static void test_find(void);
static void test_many(void);
static void test_next(void);


static const uint64_t  secret[2] = { 1, 2 };


static void
grow(gw_json_merge_t *m, size_t n)
{
    void    *old, *memory;
    size_t   size;

    size = gw_json_merge_size(m, n);

    if (size == 0) {
        return;
    }

    old = m->names;
    memory = malloc(size);

    if (memory == NULL) {
        abort();
    }

    gw_json_merge_move(m, memory, n);
    free(old);
}


static void
fill(gw_json_merge_t *m, const char *names, int first)
{
    uint32_t        group;
    gw_json_text_t  name;

    gw_json_merge_init(m, secret, first);

    for (group = 0; *names; names++) {

        if (*names == '|') {
            group++;

        } else if (*names != ' ') {
            grow(m, 1);

            name.data = (u_char *) (names + (*names == '!'));
            name.len = 1;

            gw_json_merge_add(m, &name, *names == '!'
                                        ? GW_JSON_MERGE_RESERVED : group);

            names += *names == '!';
        }
    }
}


static void
show(const gw_json_merge_t *m, char *out)
{
    size_t  i;

    for (i = 0; i < m->nnames; i++) {
        *out++ = (char) (*m->names[i].name.data
                         - (m->names[i].lost ? 'a' - 'A' : 0));
    }

    *out = '\0';
}


static void
test_rows(void)
{
    char             out[64];
    size_t           i;
    gw_json_merge_t  m;

    static const row_t  rows[] = {
        { "", "", "" },
        { "a", "a", "a" },
        { "a b", "ab", "ab" },
        { "a|b", "ab", "ab" },
        { "a a", "Aa", "Aa" },
        { "a b a", "Aba", "Aba" },
        { "a|a", "Aa", "aA" },
        { "a b|b c", "aBbc", "abBc" },
        { "a a|a a", "AAAa", "AaAA" },
        { "a|b|a b a", "ABAba", "abABA" },
        { "a|a|a", "AAa", "aAA" },
        { "b|a|b|a", "BAba", "baBA" },
        { "!a|a b", "aAb", "aAb" },
        { "!a|b a a|a", "abAAA", "abAAA" },
        { "!a !b|c a|c b", "abCAcB", "abcACB" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fill(&m, rows[i].names, 0);
        show(&m, out);
        ok(strcmp(out, rows[i].last) == 0, "the last of \"%s\": %s",
           rows[i].names, out);
        free(m.names);

        fill(&m, rows[i].names, 1);
        show(&m, out);
        ok(strcmp(out, rows[i].first) == 0, "the first of \"%s\": %s",
           rows[i].names, out);
        free(m.names);
    }
}


static void
test_find(void)
{
    gw_json_text_t   name;
    gw_json_merge_t  m;

    name.data = (u_char *) "a\0";
    name.len = 1;

    gw_json_merge_init(&m, secret, 0);
    ok(gw_json_merge_find(&m, &name) == GW_JSON_MERGE_NONE,
       "there is nothing in a table without room");

    fill(&m, "b a|a", 0);

    ok(gw_json_merge_find(&m, &name) == 2, "who has the name");

    name.len = 2;
    ok(gw_json_merge_find(&m, &name) == GW_JSON_MERGE_NONE,
       "a name with a zero byte is another one");

    name.len = 0;
    ok(gw_json_merge_find(&m, &name) == GW_JSON_MERGE_NONE, "no name");

    grow(&m, 1);
    gw_json_merge_add(&m, &name, 2);
    ok(gw_json_merge_find(&m, &name) == 3, "an empty one");

    free(m.names);
}


/* as the table grows nothing gets lost */

static void
test_many(void)
{
    int               good;
    char             *text;
    size_t            i, n;
    gw_json_text_t    name;
    gw_json_merge_t   m;

    n = 3000;
    text = malloc(n * 8);
    good = text != NULL;

    gw_json_merge_init(&m, secret, 0);

    for (i = 0; good && i < 2 * n; i++) {
        name.data = (u_char *) text + i % n * 8;
        name.len = sprintf(text + i % n * 8, "%u", (unsigned) (i % n));

        grow(&m, 1);
        gw_json_merge_add(&m, &name, (uint32_t) (i / n));
    }

    for (i = 0; good && i < n; i++) {
        name.data = (u_char *) text + i * 8;
        name.len = strlen(text + i * 8);

        good = gw_json_merge_find(&m, &name) == n + i && m.names[i].lost;
    }

    ok(good && m.nnames == 2 * n, "%u names twice", (unsigned) n);
    ok(gw_json_merge_size(&m, m.room - m.nnames) == 0
       && gw_json_merge_size(&m, m.room - m.nnames + 1) != 0,
       "when more room is needed");

    free(m.names);
    free(text);
}


/* members that stand next to each other are one range */

static void
test_next(void)
{
    char              *p, out[64];
    size_t             i, j;
    gw_json_range_t    range;
    gw_json_merge_t    m;
    gw_json_member_t   members[4];

    static const row_t  rows[] = {
        { "a b c d", "0-38 ", NULL },
        { "a a b c", "10-38 ", NULL },
        { "b a b c", "10-38 ", NULL },
        { "a b c c", "0-18 30-38 ", NULL },
        { "a b a c", "10-38 ", NULL },
        { "a b c d|a", "10-38 ", NULL },
        { "a b c d|d", "0-28 ", NULL },
        { "a b c d|b", "0-8 20-38 ", NULL },
        { "a b c d|b d", "0-8 20-28 ", NULL },
        { "a b c d|b c d a", "", NULL },
        { "a a a a|a", "", NULL }
    };

    for (i = 0; i < 4; i++) {
        members[i].key.start = i * 10;
        members[i].end = i * 10 + 8;
    }

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fill(&m, rows[i].names, 0);
        p = out;
        *p = '\0';
        j = 0;

        while (gw_json_merge_next(&m, 0, members, 4, &j, &range) == GW_OK) {
            p += sprintf(p, "%u-%u ", (unsigned) range.start,
                         (unsigned) range.end);
        }

        ok(strcmp(out, rows[i].last) == 0, "what is left of \"%s\": %s",
           rows[i].names, out);

        free(m.names);
    }

    gw_json_merge_init(&m, secret, 0);
    j = 0;
    ok(gw_json_merge_next(&m, 0, NULL, 0, &j, &range) == GW_DECLINED,
       "nothing is left of nothing");
}


int
main(void)
{
    test_rows();
    test_find();
    test_many();
    test_next();

    return done();
}
