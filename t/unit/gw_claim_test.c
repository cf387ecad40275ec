
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_claim_test.h"
#include "tap.h"


typedef struct {
    const char    *claim;       /* JSON; NULL: absent */
    const char    *op;
    const char    *value;       /* "json=..." or a string */
    gw_status_e    rc;
    gw_status_e    negated;
} row_t;


#define YES      GW_OK, GW_DECLINED
#define NO       GW_DECLINED, GW_OK
#define NEITHER  GW_DECLINED, GW_DECLINED
#define UNKNOWN  GW_ERROR, GW_ERROR


static const row_t  rows[] = {
    /* present */
    { "\"x\"", "present", "", YES },
    { "\"\"", "present", "", YES },
    { "0", "present", "", YES },
    { "false", "present", "", YES },
    { "[]", "present", "", YES },
    { "{}", "present", "", YES },
    { "null", "present", "", NO },
    { NULL, "present", "", NO },

    /* what is absent satisfies nothing else */
    { NULL, "eq", "x", NEITHER },
    { NULL, "ne", "x", NEITHER },
    { NULL, "gt", "x", NEITHER },
    { NULL, "ge", "x", NEITHER },
    { NULL, "lt", "x", NEITHER },
    { NULL, "le", "x", NEITHER },
    { NULL, "in", "x", NEITHER },
    { NULL, "any", "x", NEITHER },
    { NULL, "all", "x", NEITHER },
    { NULL, "match", "yes", NEITHER },
    { NULL, "eq", "json=null", NEITHER },
    { "null", "eq", "json=null", NEITHER },
    { "null", "ne", "x", NEITHER },
    { "null", "in", "json=[null]", NEITHER },
    { "null", "any", "json=[null]", NEITHER },
    { "null", "match", "yes", NEITHER },

    /* eq, ne */
    { "\"a\"", "eq", "a", YES },
    { "\"a\"", "eq", "A", NO },
    { "\"a\"", "eq", "ab", NO },
    { "\"ab\"", "eq", "a", NO },
    { "\"\"", "eq", "", YES },
    { "\"a\"", "eq", "json=\"a\"", YES },
    { "\"5\"", "eq", "5", YES },
    { "5", "eq", "5", NO },
    { "5", "eq", "json=5", YES },
    { "5", "eq", "json=6", NO },
    { "\"5\"", "eq", "json=5", NO },
    { "5", "eq", "json=5.0", NO },
    { "5.0", "eq", "json=5", NO },
    { "5.0", "eq", "json=5.0", YES },
    { "5e0", "eq", "json=5.0", YES },
    { "1e3", "eq", "json=1000", NO },
    { "0", "eq", "json=-0", YES },
    { "0.0", "eq", "json=-0.0", YES },
    { "true", "eq", "json=true", YES },
    { "true", "eq", "json=false", NO },
    { "true", "eq", "true", NO },
    { "true", "eq", "json=1", NO },
    { "1", "eq", "json=true", NO },
    { "[1,\"a\"]", "eq", "json=[1,\"a\"]", YES },
    { "[\"a\",1]", "eq", "json=[1,\"a\"]", NO },
    { "[1.0]", "eq", "json=[1]", NO },
    { "[\"a\"]", "eq", "a", NO },
    { "{\"a\":1,\"b\":2}", "eq", "json={\"b\":2,\"a\":1}", YES },
    { "{\"a\":1}", "eq", "json={\"a\":1.0}", NO },
    { "{}", "eq", "json={}", YES },
    { "{}", "eq", "json=[]", NO },
    { "9007199254740993", "eq", "json=9007199254740992", NO },
    { "9223372036854775807", "eq", "json=9223372036854775807", YES },
    { "9223372036854775807", "eq", "json=9223372036854775806", NO },
    { "\"a\"", "ne", "a", NO },
    { "\"a\"", "ne", "b", YES },
    { "5", "ne", "json=5.0", YES },
    { "5", "ne", "5", YES },
    { "[\"a\"]", "ne", "a", YES },

    /* order of numbers */
    { "6", "gt", "json=5", YES },
    { "5", "gt", "json=5", NO },
    { "4", "gt", "json=5", NO },
    { "5", "ge", "json=5", YES },
    { "4", "ge", "json=5", NO },
    { "4", "lt", "json=5", YES },
    { "5", "lt", "json=5", NO },
    { "5", "le", "json=5", YES },
    { "6", "le", "json=5", NO },
    { "-1", "lt", "json=0", YES },
    { "5.5", "gt", "json=5", YES },
    { "5", "lt", "json=5.5", YES },
    { "-5", "gt", "json=-5.5", YES },
    { "-5.5", "lt", "json=-5", YES },
    { "-0.5", "lt", "json=0", YES },
    { "0", "gt", "json=-0.5", YES },
    { "5", "ge", "json=5.0", YES },
    { "5", "le", "json=5.0", YES },
    { "5.0", "ge", "json=5", YES },
    { "5", "gt", "json=5.0", NO },
    { "1.25", "lt", "json=1.5", YES },
    { "1.5", "ge", "json=1.5", YES },

    /* 2^53 + 1 is no double: rounded it would be 2^53 */
    { "9007199254740993", "gt", "json=9007199254740992", YES },
    { "9007199254740993", "gt", "json=9007199254740992.0", YES },
    { "9007199254740992.0", "lt", "json=9007199254740993", YES },
    { "9007199254740993", "le", "json=9007199254740992.0", NO },
    { "9007199254740992", "ge", "json=9007199254740992.0", YES },
    { "-9007199254740993", "lt", "json=-9007199254740992.0", YES },

    /* 2^63 - 1 is no double: rounded it would be 2^63 */
    { "9223372036854775807", "lt", "json=9223372036854775808.0", YES },
    { "9223372036854775807", "ge", "json=9223372036854775808.0", NO },
    { "9223372036854775808.0", "gt", "json=9223372036854775807", YES },
    { "9223372036854775807", "gt", "json=9223372036854774784.0", YES },
    { "-9223372036854775808", "ge", "json=-9223372036854775808.0", YES },
    { "-9223372036854775808", "le", "json=-9223372036854775808.0", YES },
    { "-9223372036854775808", "gt", "json=-9223372036854777856.0", YES },
    { "9223372036854775807", "gt", "json=9223372036854775806", YES },
    { "9223372036854775807", "lt", "json=1e300", YES },
    { "-9223372036854775808", "gt", "json=-1e300", YES },

    /* order of strings */
    { "\"b\"", "gt", "a", YES },
    { "\"a\"", "gt", "a", NO },
    { "\"a\"", "ge", "a", YES },
    { "\"ab\"", "gt", "a", YES },
    { "\"a\"", "lt", "ab", YES },
    { "\"Z\"", "lt", "a", YES },
    { "\"10\"", "lt", "9", YES },
    { "\"\\u00e9\"", "gt", "z", YES },
    { "\"\"", "lt", "a", YES },
    { "\"\"", "le", "", YES },
    { "\"b\"", "gt", "json=\"a\"", YES },
    { "\"2026-01-01\"", "ge", "2025-12-31", YES },

    /* other types have no order */
    { "5", "gt", "4", NEITHER },
    { "\"5\"", "gt", "json=4", NEITHER },
    { "true", "gt", "json=false", NEITHER },
    { "true", "gt", "json=0", NEITHER },
    { "1", "gt", "json=false", NEITHER },
    { "[5]", "gt", "json=4", NEITHER },
    { "5", "gt", "json=[4]", NEITHER },
    { "{}", "le", "json={}", NEITHER },
    { "[]", "ge", "a", NEITHER },
    { "\"a\"", "lt", "json=[\"b\"]", NEITHER },

    /* in */
    { "\"a\"", "in", "json=[\"a\",\"b\"]", YES },
    { "\"b\"", "in", "json=[\"a\",\"b\"]", YES },
    { "\"c\"", "in", "json=[\"a\",\"b\"]", NO },
    { "\"a\"", "in", "a", YES },
    { "\"a\"", "in", "ab", NO },
    { "\"a\"", "in", "json=\"a\"", YES },
    { "\"a\"", "in", "json=[]", NO },
    { "\"a\"", "in", "json={\"a\":1}", NO },
    { "5", "in", "json=[4,5]", YES },
    { "5", "in", "json=[4,5.0]", NO },
    { "5", "in", "json=[\"5\"]", NO },
    { "[\"a\"]", "in", "json=[\"a\"]", NO },
    { "[\"a\"]", "in", "json=[[\"a\"],\"b\"]", YES },
    { "[\"a\",\"b\"]", "in", "json=[\"a\",\"b\"]", NO },
    { "{\"a\":1}", "in", "json=[{\"a\":1}]", YES },
    { "true", "in", "json=[true]", YES },

    /* any */
    { "[\"a\",\"b\"]", "any", "json=[\"b\",\"c\"]", YES },
    { "[\"a\",\"b\"]", "any", "json=[\"c\",\"d\"]", NO },
    { "[\"a\",\"b\"]", "any", "a", YES },
    { "[\"a\",\"b\"]", "any", "c", NO },
    { "\"a\"", "any", "json=[\"a\",\"b\"]", YES },
    { "\"c\"", "any", "json=[\"a\",\"b\"]", NO },
    { "\"a\"", "any", "a", YES },
    { "\"a b\"", "any", "a", NO },
    { "[]", "any", "a", NO },
    { "[\"a\"]", "any", "json=[]", NO },
    { "[]", "any", "json=[]", NO },
    { "[5]", "any", "json=[5.0]", NO },
    { "[5]", "any", "json=5", YES },
    { "[1,null,{\"x\":[]},\"a\"]", "any", "a", YES },
    { "[null]", "any", "json=[null]", YES },
    { "[[\"a\"]]", "any", "a", NO },
    { "[[\"a\"]]", "any", "json=[[\"a\"]]", YES },
    { "{\"a\":1}", "any", "a", NO },
    { "{\"a\":1}", "any", "json=[{\"a\":1}]", YES },

    /* all */
    { "[\"a\",\"b\",\"c\"]", "all", "json=[\"c\",\"a\"]", YES },
    { "[\"a\",\"b\"]", "all", "json=[\"a\",\"c\"]", NO },
    { "[\"a\",\"b\"]", "all", "a", YES },
    { "[\"a\",\"b\"]", "all", "json=[\"a\",\"a\"]", YES },
    { "\"a\"", "all", "json=[\"a\"]", YES },
    { "\"a\"", "all", "json=[\"a\",\"b\"]", NO },
    { "\"a\"", "all", "a", YES },
    { "[]", "all", "a", NO },
    { "{\"a\":1}", "all", "a", NO },
    { "[\"a\"]", "all", "json=[]", NEITHER },
    { "[]", "all", "json=[]", NEITHER },

    /* match: a callback that knows three words */
    { "\"yes\"", "match", "", YES },
    { "\"no\"", "match", "", NO },
    { "\"limit\"", "match", "", UNKNOWN },
    { "5", "match", "", NEITHER },
    { "true", "match", "", NEITHER },
    { "[\"yes\"]", "match", "", NEITHER },
    { "{\"yes\":1}", "match", "", NEITHER },
    { NULL, NULL, NULL, YES }
};


typedef struct {
    const char    *text;
    const char    *json;        /* NULL: a string */
} text_t;


static const text_t  texts[] = {
    { "5", "5" },
    { " 5 ", "5" },
    { "-5.5", "-5.5" },
    { "\"a\"", "\"a\"" },
    { "[\"a\",\"b\"]", "[\"a\",\"b\"]" },
    { " {\"a\":1}", "{\"a\":1}" },
    { "true", "true" },
    { "null", "null" },
    { "", NULL },
    { "  ", NULL },
    { "a", NULL },
    { "truex", NULL },
    { "5x", NULL },
    { "5 6", NULL },
    { "-", NULL },
    { "+5", NULL },
    { "05", NULL },
    { "[\"a\"", NULL },
    { "[\"a\",]", NULL },
    { "{\"a\":1,\"a\":2}", NULL },
    { "\"\\u0000\"", NULL },
    { "\"\\ud800\"", NULL },
    { "\"\xff\"", NULL },
    { "\xef\xbb\xbf" "5", NULL },
    { "99999999999999999999", NULL },
    { "1e999", NULL },
    { "NaN", NULL },
    { "2026-01-01", NULL },
    { "1.2.3.4", NULL },
    { NULL, NULL }
};


static const char *const  ops[] = {
    "present", "eq", "ne", "gt", "ge", "lt", "le", "in", "any", "all",
    "match", NULL
};


static const char *const  bad_ops[] = {
    "", "!", "!!eq", "EQ", "equ", "e", "=", "eq ", "! eq", "nin", "pattern",
    NULL
};


static gw_status_e
match(void *data, const char *text, size_t len)
{
    (*(int *) data)++;

    if ((len == 3 && memcmp(text, "yes", 3) == 0)
        || len == GW_CLAIM_MAX_SUBJECT)
    {
        return GW_OK;
    }

    if (len == 2 && memcmp(text, "no", 2) == 0) {
        return GW_DECLINED;
    }

    return GW_ERROR;
}


static gw_status_e
run(const char *name, const json_t *claim, const gw_claim_value_t *value)
{
    int            called;
    gw_status_e    rc;
    gw_claim_op_t  op;

    if (gw_claim_op_parse(&op, name, strlen(name)) != GW_OK) {
        return GW_AGAIN;
    }

    called = 0;
    rc = gw_claim_test(&op, claim, value, match, &called);

    return called && op.op != GW_CLAIM_MATCH ? GW_AGAIN : rc;
}


static void
test_rows(void)
{
    int                pass;
    char               negated[16];
    json_t            *claim;
    const row_t       *row;
    gw_status_e        rc;
    gw_json_error_t    err;
    gw_claim_value_t   value;

    for (row = rows; row->op != NULL; row++) {
        claim = NULL;

        if (row->claim != NULL) {
            claim = gw_json_load_any((const unsigned char *) row->claim,
                                     strlen(row->claim), GW_JSON_DEPTH,
                                     &err);
        }

        if (strncmp(row->value, "json=", 5) == 0) {
            rc = gw_claim_value_json(&value, row->value + 5,
                                     strlen(row->value) - 5, &err);

        } else {
            gw_claim_value_string(&value, row->value, strlen(row->value));
            rc = GW_OK;
        }

        negated[0] = '!';
        strcpy(negated + 1, row->op);

        pass = rc == GW_OK
               && (claim != NULL) == (row->claim != NULL)
               && run(row->op, claim, &value) == row->rc
               && run(negated, claim, &value) == row->negated;

        ok(pass, "%s %s %s", row->claim ? row->claim : "(absent)", row->op,
           row->value);

        gw_claim_value_release(&value);
        json_decref(claim);
    }
}


static void
test_texts(void)
{
    int                pass;
    json_t            *expected;
    const text_t      *row;
    gw_claim_value_t   value;

    for (row = texts; row->text != NULL; row++) {

        pass = (gw_claim_value_text(&value, row->text, strlen(row->text))
                == GW_OK);

        if (row->json == NULL) {
            pass = pass && value.json == NULL && value.data == row->text
                   && value.len == strlen(row->text);

        } else {
            expected = json_loads(row->json, JSON_DECODE_ANY, NULL);
            pass = pass && value.json != NULL
                   && json_equal(value.json, expected);
            json_decref(expected);
        }

        ok(pass, "text '%s' is %s", row->text,
           row->json ? "JSON" : "a string");

        gw_claim_value_release(&value);
        gw_claim_value_release(&value);
    }
}


static void
test_ops(void)
{
    unsigned       i;
    gw_claim_op_t  op;
    char           negated[16];

    for (i = 0; ops[i] != NULL; i++) {
        negated[0] = '!';
        strcpy(negated + 1, ops[i]);

        ok(gw_claim_op_parse(&op, ops[i], strlen(ops[i])) == GW_OK
           && op.op == i && !op.negated
           && gw_claim_op_parse(&op, negated, strlen(negated)) == GW_OK
           && op.op == i && op.negated, "operator %s", ops[i]);
    }

    for (i = 0; bad_ops[i] != NULL; i++) {
        ok(gw_claim_op_parse(&op, bad_ops[i], strlen(bad_ops[i]))
           == GW_DECLINED, "no operator: '%s'", bad_ops[i]);
    }
}


/* an array of n times the same number */

static json_t *
numbers(size_t n, int number)
{
    json_t  *array;

    array = json_array();

    while (n--) {
        json_array_append_new(array, json_integer(number));
    }

    return array;
}


static void
test_bounds(void)
{
    char              *text;
    json_t            *claim;
    gw_json_error_t    err;
    gw_claim_value_t   value;

    gw_claim_value_string(&value, NULL, 0);

    claim = json_string("");
    ok(run("eq", claim, &value) == GW_OK && run("le", claim, &value) == GW_OK,
       "no bytes are an empty string");
    json_decref(claim);

    claim = numbers(GW_CLAIM_MAX_COMPARES, 1);
    value.json = numbers(1, 2);
    ok(run("any", claim, &value) == GW_DECLINED
       && run("!any", claim, &value) == GW_OK, "as many pairs as possible");

    json_array_append_new(value.json, json_integer(1));
    ok(run("any", claim, &value) == GW_ERROR
       && run("!any", claim, &value) == GW_ERROR
       && run("all", claim, &value) == GW_DECLINED,
       "more pairs: nobody can tell");
    json_decref(claim);
    json_decref(value.json);

    claim = numbers(4000, 1);
    value.json = numbers(4000, 2);
    ok(run("any", claim, &value) == GW_ERROR, "two long sets");
    json_decref(claim);
    gw_claim_value_release(&value);

    text = malloc(GW_CLAIM_MAX_VALUE + 1);
    memset(text, ' ', GW_CLAIM_MAX_VALUE + 1);
    text[0] = '5';

    ok(gw_claim_value_text(&value, text, GW_CLAIM_MAX_VALUE) == GW_OK
       && json_is_integer(value.json), "the longest text");
    gw_claim_value_release(&value);
    ok(gw_claim_value_text(&value, text, GW_CLAIM_MAX_VALUE + 1)
       == GW_DECLINED, "a longer one");
    gw_claim_value_release(&value);

    memset(text, '[', GW_CLAIM_MAX_VALUE);
    ok(gw_claim_value_text(&value, text, GW_CLAIM_MAX_VALUE) == GW_OK
       && value.json == NULL, "too deep for JSON: a string");

    memset(text + GW_JSON_DEPTH, ']', GW_JSON_DEPTH);
    ok(gw_claim_value_json(&value, text, 2 * GW_JSON_DEPTH, &err) == GW_OK,
       "the deepest JSON");
    gw_claim_value_release(&value);
    ok(gw_claim_value_json(&value, text, 2 * GW_JSON_DEPTH + 1, &err)
       == GW_DECLINED, "and a byte behind it");
    gw_claim_value_release(&value);

    claim = json_stringn(memset(text, 'x', GW_CLAIM_MAX_SUBJECT + 1),
                         GW_CLAIM_MAX_SUBJECT + 1);
    ok(run("match", claim, NULL) == GW_ERROR
       && run("!match", claim, NULL) == GW_ERROR, "too long to match");
    json_decref(claim);

    claim = json_stringn(text, GW_CLAIM_MAX_SUBJECT);
    ok(run("match", claim, NULL) == GW_OK, "not too long to match");
    json_decref(claim);

    free(text);
}


int
main(void)
{
    test_ops();
    test_rows();
    test_texts();
    test_bounds();

    return done();
}
