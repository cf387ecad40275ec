
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * A path, a value and claims, one a line (the claims may take several): the
 * path and what it finds, and laws that the operators keep.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw_claim_path.h"
#include "gw_claim_test.h"
#include "gw_json.h"
#include "gw_scope.h"


#define MAX_VALUES  64          /* tested of one input */


int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;

    json_object_seed(1);

    return 0;
}


static void
check(int right)
{
    if (!right) {
        abort();
    }
}


/* as much as there is up to the next line feed, in memory of its own */

static char *
line(const uint8_t **data, size_t *size, size_t *len)
{
    char           *text;
    const uint8_t  *end;

    end = memchr(*data, '\n', *size);
    *len = end ? (size_t) (end - *data) : *size;

    text = malloc(*len ? *len : 1);
    check(text != NULL);
    memcpy(text, *data, *len);

    *data += *len + (end != NULL);
    *size -= *len + (end != NULL);

    return text;
}


/* the same path with quotes everywhere */

static void
again(const gw_claim_path_t *path)
{
    char                   *text, *p, *buf;
    size_t                  i, n;
    gw_claim_path_t         other;
    gw_claim_path_error_t   err;

    text = malloc(GW_CLAIM_PATH_MAX_STEPS * (2 * GW_CLAIM_PATH_MAX_NAME + 8));
    check(text != NULL);
    p = text;

    for (i = 0; i < path->n; i++) {

        if (path->steps[i].name == NULL) {
            check(path->steps[i].index <= GW_CLAIM_PATH_MAX_INDEX);
            p += sprintf(p, "[%u]", (unsigned) path->steps[i].index);
            continue;
        }

        check(path->steps[i].len > 0
              && path->steps[i].len <= GW_CLAIM_PATH_MAX_NAME);

        *p++ = '.';
        *p++ = '"';

        for (n = 0; n < path->steps[i].len; n++) {
            if (path->steps[i].name[n] == '"'
                || path->steps[i].name[n] == '\\')
            {
                *p++ = '\\';
            }

            *p++ = path->steps[i].name[n];
        }

        *p++ = '"';
    }

    buf = malloc(p - text);
    check(buf != NULL);

    if (p - text <= GW_CLAIM_PATH_MAX_LEN) {
        check(gw_claim_path_compile(&other, buf, text, p - text, &err)
              == GW_OK);
        check(other.n == path->n);

        for (i = 0; i < path->n; i++) {
            check(other.steps[i].index == path->steps[i].index
                  && other.steps[i].len == path->steps[i].len
                  && (other.steps[i].name == NULL)
                     == (path->steps[i].name == NULL)
                  && (other.steps[i].name == NULL
                      || memcmp(other.steps[i].name, path->steps[i].name,
                                path->steps[i].len)
                         == 0));
        }
    }

    free(buf);
    free(text);
}


static gw_status_e
match(void *data, const char *text, size_t len)
{
    return (len % 3 == 0) ? GW_OK : (len % 3 == 1) ? GW_DECLINED : GW_ERROR;
}


static gw_status_e
run(gw_claim_op_e op, int negated, const json_t *claim,
    const gw_claim_value_t *value)
{
    gw_claim_op_t  o;

    o.op = op;
    o.negated = negated;

    return gw_claim_test(&o, claim, value, match, NULL);
}


static void
laws(json_t *claim, const gw_claim_value_t *value)
{
    int               i, rc;
    gw_status_e       yes[GW_CLAIM_MATCH + 1], no[GW_CLAIM_MATCH + 1];
    gw_claim_value_t  other;

    for (i = GW_CLAIM_PRESENT; i <= GW_CLAIM_MATCH; i++) {
        yes[i] = run(i, 0, claim, value);
        no[i] = run(i, 1, claim, value);

        check((yes[i] == GW_ERROR) == (no[i] == GW_ERROR));
        check(yes[i] != GW_OK || no[i] == GW_DECLINED);
        check(yes[i] == GW_OK || yes[i] == GW_DECLINED
              || yes[i] == GW_ERROR);
    }

    if (claim == NULL || json_is_null(claim)) {

        for (i = GW_CLAIM_EQ; i <= GW_CLAIM_MATCH; i++) {
            check(yes[i] == GW_DECLINED && no[i] == GW_DECLINED);
        }

        check(no[GW_CLAIM_PRESENT] == GW_OK);

        return;
    }

    check(yes[GW_CLAIM_PRESENT] == GW_OK);
    check(yes[GW_CLAIM_EQ] == no[GW_CLAIM_NE]);
    check(yes[GW_CLAIM_EQ] != yes[GW_CLAIM_NE]);
    check(yes[GW_CLAIM_GT] == no[GW_CLAIM_LE]);
    check(yes[GW_CLAIM_LT] == no[GW_CLAIM_GE]);
    check(yes[GW_CLAIM_GE] != GW_OK || yes[GW_CLAIM_LT] != GW_OK);
    check(yes[GW_CLAIM_ALL] != GW_OK || yes[GW_CLAIM_ANY] == GW_OK);

    if (value->json == NULL || json_is_null(value->json)) {
        return;
    }

    gw_claim_value_string(&other, NULL, 0);
    other.json = claim;

    check(run(GW_CLAIM_EQ, 0, value->json, &other) == yes[GW_CLAIM_EQ]);
    check(run(GW_CLAIM_LT, 0, value->json, &other) == yes[GW_CLAIM_GT]);
    check(run(GW_CLAIM_LE, 0, value->json, &other) == yes[GW_CLAIM_GE]);

    if (yes[GW_CLAIM_ANY] != GW_ERROR) {
        check(run(GW_CLAIM_ANY, 0, value->json, &other)
              == yes[GW_CLAIM_ANY]);
    }

    if (json_is_number(claim) && json_is_number(value->json)) {
        rc = gw_claim_compare_numbers(claim, value->json);
        check(rc == -gw_claim_compare_numbers(value->json, claim));
        check(yes[GW_CLAIM_EQ] != GW_OK || rc == 0);
    }
}


static void
scopes(const json_t *claims, const gw_claim_path_t *path)
{
    size_t          pos;
    gw_scope_t      scope;
    gw_scope_set_t  set;

    gw_scope_from_claims(&set, claims, path, 1);

    pos = 0;

    while (gw_scope_next(&set, &pos, &scope)) {
        check(scope.len > 0 && gw_scope_has(&set, &scope));
        check(gw_scope_check(&set, &scope, 1, 0) == GW_OK);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                   *path, *text, *rest, *buf;
    size_t                  plen, tlen, n;
    json_t                 *claims, *claim;
    const char             *key;
    gw_json_error_t         jerr;
    gw_claim_path_t         compiled;
    gw_claim_value_t        value;
    gw_claim_path_error_t   err;

    path = line(&data, &size, &plen);
    text = line(&data, &size, &tlen);

    rest = malloc(size ? size : 1);
    buf = malloc(plen ? plen : 1);
    check(rest != NULL && buf != NULL);
    memcpy(rest, data, size);

    claims = gw_json_load((unsigned char *) rest, size, GW_JSON_DEPTH, &jerr);

    check(gw_claim_value_text(&value, text, tlen)
          == (tlen > GW_CLAIM_MAX_VALUE ? GW_DECLINED : GW_OK));

    if (gw_claim_path_compile(&compiled, buf, path, plen, &err) == GW_OK) {
        again(&compiled);
        laws(gw_claim_path_get(&compiled, claims), &value);
        scopes(claims, &compiled);

    } else {
        check(err.code != GW_CLAIM_PATH_OK && err.text != NULL
              && err.position <= plen);
    }

    n = 0;

    if (claims != NULL) {
        json_object_foreach(claims, key, claim) {
            if (n++ < MAX_VALUES) {
                laws(claim, &value);
            }
        }
    }

    gw_claim_value_release(&value);
    json_decref(claims);
    free(buf);
    free(rest);
    free(text);
    free(path);

    return 0;
}
