
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_claim_test.h"


/* what cannot be compared is no "no", or its negation would be a "yes" */

typedef enum {
    GW_CLAIM_NO = 0,
    GW_CLAIM_YES,
    GW_CLAIM_NEITHER,
    GW_CLAIM_UNKNOWN
} gw_claim_result_e;


/* an element of a set, or the whole value: JSON or a string */

typedef gw_claim_value_t  gw_claim_item_t;


static gw_claim_result_e gw_claim_evaluate(gw_claim_op_e op,
    const json_t *claim, const gw_claim_value_t *value,
    gw_claim_match_pt match, void *data);
static gw_claim_result_e gw_claim_order(gw_claim_op_e op,
    const json_t *claim, const gw_claim_value_t *value);
static gw_claim_result_e gw_claim_any(const json_t *claim,
    const gw_claim_value_t *value, size_t *budget);
static gw_claim_result_e gw_claim_all(const json_t *claim,
    const gw_claim_value_t *value, size_t *budget);
static gw_claim_result_e gw_claim_find(const json_t *claim,
    const gw_claim_item_t *item, size_t *budget);
static gw_claim_result_e gw_claim_match(const json_t *claim,
    gw_claim_match_pt match, void *data);
static int gw_claim_equal(const json_t *claim, const gw_claim_item_t *item);
static size_t gw_claim_items(const gw_claim_value_t *value);
static void gw_claim_item(const gw_claim_value_t *value, size_t i,
    gw_claim_item_t *item);
static int gw_claim_compare_mixed(json_int_t integer, double real);
static int gw_claim_compare_strings(const char *a, size_t alen,
    const char *b, size_t blen);


/* in the order of gw_claim_op_e */

static const char *const  gw_claim_ops[] = {
    "present", "eq", "ne", "gt", "ge", "lt", "le", "in", "any", "all", "match"
};


gw_status_e
gw_claim_op_parse(gw_claim_op_t *op, const char *name, size_t len)
{
    unsigned  i;

    op->negated = (len != 0 && *name == '!');

    if (op->negated) {
        name++;
        len--;
    }

    for (i = 0; i < sizeof(gw_claim_ops) / sizeof(gw_claim_ops[0]); i++) {

        if (strlen(gw_claim_ops[i]) == len
            && memcmp(gw_claim_ops[i], name, len) == 0)
        {
            op->op = (gw_claim_op_e) i;
            return GW_OK;
        }
    }

    return GW_DECLINED;
}


void
gw_claim_value_string(gw_claim_value_t *value, const char *data, size_t len)
{
    value->json = NULL;
    value->data = (data != NULL) ? data : "";
    value->len = len;
}


gw_status_e
gw_claim_value_json(gw_claim_value_t *value, const char *data, size_t len,
    gw_json_error_t *err)
{
    gw_claim_value_string(value, NULL, 0);

    value->json = gw_json_load_any((const unsigned char *) data, len,
                                   GW_JSON_DEPTH, err);
    if (value->json == NULL) {
        return (err->code == GW_JSON_MEMORY) ? GW_ERROR : GW_DECLINED;
    }

    return GW_OK;
}


gw_status_e
gw_claim_value_text(gw_claim_value_t *value, const char *data, size_t len)
{
    size_t           i;
    gw_status_e      rc;
    gw_json_error_t  err;

    gw_claim_value_string(value, data, len);

    if (len > GW_CLAIM_MAX_VALUE) {
        return GW_DECLINED;
    }

    for (i = 0; i < len && strchr(" \t\r\n", data[i]) != NULL; i++) {
        /* NUL is "found" too, and then it is no JSON */
    }

    /* most texts are no JSON at the first glance */

    if (i == len || strchr("{[\"-0123456789tfn", data[i]) == NULL) {
        return GW_OK;
    }

    rc = gw_claim_value_json(value, data, len, &err);

    if (rc == GW_DECLINED) {
        gw_claim_value_string(value, data, len);
        return GW_OK;
    }

    return rc;
}


void
gw_claim_value_release(gw_claim_value_t *value)
{
    json_decref(value->json);
    value->json = NULL;
}


gw_status_e
gw_claim_test(const gw_claim_op_t *op, const json_t *claim,
    const gw_claim_value_t *value, gw_claim_match_pt match, void *data)
{
    gw_claim_result_e  result;

    if (claim == NULL || json_is_null(claim)) {
        result = (op->op == GW_CLAIM_PRESENT) ? GW_CLAIM_NO
                                              : GW_CLAIM_NEITHER;
    } else {
        result = gw_claim_evaluate(op->op, claim, value, match, data);
    }

    switch (result) {

    case GW_CLAIM_YES:
        return op->negated ? GW_DECLINED : GW_OK;

    case GW_CLAIM_NO:
        return op->negated ? GW_OK : GW_DECLINED;

    case GW_CLAIM_NEITHER:
        return GW_DECLINED;

    default: /* GW_CLAIM_UNKNOWN */
        return GW_ERROR;
    }
}


static gw_claim_result_e
gw_claim_evaluate(gw_claim_op_e op, const json_t *claim,
    const gw_claim_value_t *value, gw_claim_match_pt match, void *data)
{
    size_t           i, budget;
    gw_claim_item_t  item;

    budget = GW_CLAIM_MAX_COMPARES;

    switch (op) {

    case GW_CLAIM_PRESENT:
        return GW_CLAIM_YES;

    case GW_CLAIM_EQ:
        return gw_claim_equal(claim, value) ? GW_CLAIM_YES : GW_CLAIM_NO;

    case GW_CLAIM_NE:
        return gw_claim_equal(claim, value) ? GW_CLAIM_NO : GW_CLAIM_YES;

    case GW_CLAIM_IN:

        for (i = 0; i < gw_claim_items(value); i++) {
            gw_claim_item(value, i, &item);

            if (gw_claim_equal(claim, &item)) {
                return GW_CLAIM_YES;
            }
        }

        return GW_CLAIM_NO;

    case GW_CLAIM_ANY:
        return gw_claim_any(claim, value, &budget);

    case GW_CLAIM_ALL:
        return gw_claim_all(claim, value, &budget);

    case GW_CLAIM_MATCH:
        return gw_claim_match(claim, match, data);

    default: /* an order */
        return gw_claim_order(op, claim, value);
    }
}


static gw_claim_result_e
gw_claim_order(gw_claim_op_e op, const json_t *claim,
    const gw_claim_value_t *value)
{
    int     rc, yes;
    size_t  len;

    if (json_is_number(claim) && json_is_number(value->json)) {
        rc = gw_claim_compare_numbers(claim, value->json);

    } else if (!json_is_string(claim)) {
        return GW_CLAIM_NEITHER;

    } else {
        len = json_string_length(claim);

        if (value->json == NULL) {
            rc = gw_claim_compare_strings(json_string_value(claim), len,
                                          value->data, value->len);

        } else if (json_is_string(value->json)) {
            rc = gw_claim_compare_strings(json_string_value(claim), len,
                                          json_string_value(value->json),
                                          json_string_length(value->json));
        } else {
            return GW_CLAIM_NEITHER;
        }
    }

    switch (op) {

    case GW_CLAIM_GT:
        yes = (rc > 0);
        break;

    case GW_CLAIM_GE:
        yes = (rc >= 0);
        break;

    case GW_CLAIM_LT:
        yes = (rc < 0);
        break;

    default: /* GW_CLAIM_LE */
        yes = (rc <= 0);
        break;
    }

    return yes ? GW_CLAIM_YES : GW_CLAIM_NO;
}


static gw_claim_result_e
gw_claim_any(const json_t *claim, const gw_claim_value_t *value,
    size_t *budget)
{
    size_t             i;
    gw_claim_item_t    item;
    gw_claim_result_e  result;

    for (i = 0; i < gw_claim_items(value); i++) {
        gw_claim_item(value, i, &item);

        result = gw_claim_find(claim, &item, budget);

        if (result != GW_CLAIM_NO) {
            return result;
        }
    }

    return GW_CLAIM_NO;
}


static gw_claim_result_e
gw_claim_all(const json_t *claim, const gw_claim_value_t *value,
    size_t *budget)
{
    size_t             i, n;
    gw_claim_item_t    item;
    gw_claim_result_e  result;

    n = gw_claim_items(value);

    if (n == 0) {
        return GW_CLAIM_NEITHER;
    }

    for (i = 0; i < n; i++) {
        gw_claim_item(value, i, &item);

        result = gw_claim_find(claim, &item, budget);

        if (result != GW_CLAIM_YES) {
            return result;
        }
    }

    return GW_CLAIM_YES;
}


/* looks for one item in the set that the claim is */

static gw_claim_result_e
gw_claim_find(const json_t *claim, const gw_claim_item_t *item,
    size_t *budget)
{
    size_t  i, n;

    if (!json_is_array(claim)) {
        return gw_claim_equal(claim, item) ? GW_CLAIM_YES : GW_CLAIM_NO;
    }

    n = json_array_size(claim);

    for (i = 0; i < n; i++) {

        if ((*budget)-- == 0) {
            *budget = 0;
            return GW_CLAIM_UNKNOWN;
        }

        if (gw_claim_equal(json_array_get(claim, i), item)) {
            return GW_CLAIM_YES;
        }
    }

    return GW_CLAIM_NO;
}


static gw_claim_result_e
gw_claim_match(const json_t *claim, gw_claim_match_pt match, void *data)
{
    size_t       len;
    const char  *text;

    if (!json_is_string(claim)) {
        return GW_CLAIM_NEITHER;
    }

    text = json_string_value(claim);
    len = json_string_length(claim);

    if (len > GW_CLAIM_MAX_SUBJECT) {
        return GW_CLAIM_UNKNOWN;
    }

    switch (match(data, text, len)) {

    case GW_OK:
        return GW_CLAIM_YES;

    case GW_DECLINED:
        return GW_CLAIM_NO;

    default:
        return GW_CLAIM_UNKNOWN;
    }
}


/* json_equal() keeps integers and reals apart; the depth of both is bounded */

static int
gw_claim_equal(const json_t *claim, const gw_claim_item_t *item)
{
    if (item->json != NULL) {
        return json_equal(claim, item->json);
    }

    return json_is_string(claim)
           && json_string_length(claim) == item->len
           && memcmp(json_string_value(claim), item->data, item->len) == 0;
}


static size_t
gw_claim_items(const gw_claim_value_t *value)
{
    return json_is_array(value->json) ? json_array_size(value->json) : 1;
}


static void
gw_claim_item(const gw_claim_value_t *value, size_t i, gw_claim_item_t *item)
{
    *item = *value;

    if (json_is_array(value->json)) {
        item->json = json_array_get(value->json, i);
    }
}


int
gw_claim_compare_numbers(const json_t *a, const json_t *b)
{
    double      x, y;
    json_int_t  i, j;

    if (json_is_integer(a) && json_is_integer(b)) {
        i = json_integer_value(a);
        j = json_integer_value(b);
        return (i > j) - (i < j);
    }

    if (json_is_integer(a)) {
        return gw_claim_compare_mixed(json_integer_value(a),
                                      json_real_value(b));
    }

    if (json_is_integer(b)) {
        return -gw_claim_compare_mixed(json_integer_value(b),
                                       json_real_value(a));
    }

    x = json_real_value(a);
    y = json_real_value(b);

    return (x > y) - (x < y);
}


static int
gw_claim_compare_mixed(json_int_t integer, double real)
{
    double      rest;
    json_int_t  whole;

    /* 2^63 and -2^63 are doubles, INT64_MAX is none */

    if (real >= 9223372036854775808.0) {
        return -1;
    }

    if (real < -9223372036854775808.0) {
        return 1;
    }

    whole = (json_int_t) real;

    if (integer != whole) {
        return (integer > whole) ? 1 : -1;
    }

    /* exact: what has a fraction is below 2^53 */

    rest = real - (double) whole;

    return (rest < 0) - (rest > 0);
}


static int
gw_claim_compare_strings(const char *a, size_t alen, const char *b,
    size_t blen)
{
    int  rc;

    rc = memcmp(a, b, (alen < blen) ? alen : blen);

    return (rc != 0) ? rc : (alen > blen) - (alen < blen);
}
