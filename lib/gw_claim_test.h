
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Requirements on the value of a claim.
 *
 *     present   there is a claim, and it is not null
 *     eq ne     the same JSON value: type and contents; an integer never
 *               equals a real
 *     gt ge     order: of two numbers by their exact values, of two strings
 *     lt le     by their bytes; other types have none
 *     in        the claim is an element of an array, or equals another value
 *     any       claim and value have a common element
 *     all       every element of the value is one of the claim
 *     match     the claim is a string and matches a pattern
 *
 * For "any" and "all" an array is the set of its elements, anything else a
 * set of one.
 *
 * "!" before the name negates.  What cannot be compared satisfies neither an
 * operator nor its negation: a claim that is absent or null (but "!present"),
 * other types for an order or a pattern, "all" of an empty array.
 */


#ifndef GW_CLAIM_TEST_H
#define GW_CLAIM_TEST_H


#include <jansson.h>

#include "gw.h"
#include "gw_json.h"


#define GW_CLAIM_MAX_VALUE     16384    /* bytes of a value as text */
#define GW_CLAIM_MAX_COMPARES  131072   /* pairs of elements in one test */
#define GW_CLAIM_MAX_SUBJECT   1024     /* bytes of a string to match */


typedef enum {
    GW_CLAIM_PRESENT = 0,
    GW_CLAIM_EQ,
    GW_CLAIM_NE,
    GW_CLAIM_GT,
    GW_CLAIM_GE,
    GW_CLAIM_LT,
    GW_CLAIM_LE,
    GW_CLAIM_IN,
    GW_CLAIM_ANY,
    GW_CLAIM_ALL,
    GW_CLAIM_MATCH
} gw_claim_op_e;


typedef struct {
    gw_claim_op_e   op;
    unsigned        negated:1;
} gw_claim_op_t;


/* what a claim is compared with */

typedef struct {
    json_t         *json;       /* a reference of ours; NULL: a string */
    const char     *data;       /* not zero-terminated */
    size_t          len;
} gw_claim_value_t;


/*
 * Matches a string with the pattern of a requirement.
 *
 * Returns GW_OK, GW_DECLINED, or GW_ERROR if it could not tell: the matching
 * has reached a limit.
 */
typedef gw_status_e (*gw_claim_match_pt)(void *data, const char *text,
    size_t len);


/*
 * Reads the name of an operator, like "eq" or "!in".
 *
 * Returns GW_OK or GW_DECLINED (there is none of this name).
 */
gw_status_e gw_claim_op_parse(gw_claim_op_t *op, const char *name,
    size_t len);

/*
 * Makes a value of a string, which has to outlive it.
 */
void gw_claim_value_string(gw_claim_value_t *value, const char *data,
    size_t len);

/*
 * Makes a value of any JSON, with the rules of gw_json_load().
 *
 *     err  out: on failure
 *
 * Returns GW_OK, then the value has to be released, GW_DECLINED (no JSON) or
 * GW_ERROR (out of memory).
 */
gw_status_e gw_claim_value_json(gw_claim_value_t *value, const char *data,
    size_t len, gw_json_error_t *err);

/*
 * Makes a value of a text that is known at run time only: of JSON if it is
 * that, else of the string, which has to outlive it.
 *
 * Returns GW_OK, then the value has to be released, GW_DECLINED (more than
 * GW_CLAIM_MAX_VALUE bytes) or GW_ERROR (out of memory).
 */
gw_status_e gw_claim_value_text(gw_claim_value_t *value, const char *data,
    size_t len);

/*
 * Gives back what a value holds; harmless when repeated.
 */
void gw_claim_value_release(gw_claim_value_t *value);

/*
 * Decides whether a claim satisfies a requirement.
 *
 *     claim  NULL if it is absent
 *     value  may be NULL for GW_CLAIM_PRESENT and GW_CLAIM_MATCH
 *     match  for GW_CLAIM_MATCH only, called with data
 *
 * Returns GW_OK, GW_DECLINED, or GW_ERROR if it could not tell, negated or
 * not: match could not, the string is longer than GW_CLAIM_MAX_SUBJECT, or
 * there were more than GW_CLAIM_MAX_COMPARES pairs to compare.
 */
gw_status_e gw_claim_test(const gw_claim_op_t *op, const json_t *claim,
    const gw_claim_value_t *value, gw_claim_match_pt match, void *data);

/*
 * Compares two numbers by their exact values: neither is rounded to the type
 * of the other.
 *
 * Returns -1, 0 or 1 as a is less than, equal to or greater than b.
 */
int gw_claim_compare_numbers(const json_t *a, const json_t *b);


#endif /* GW_CLAIM_TEST_H */
