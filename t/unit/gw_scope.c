
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json.h"
#include "gw_scope.h"
#include "tap.h"


typedef struct {
    const char  *claims;
    const char  *scopes;        /* required, separated by spaces */
    int          all;
    int          any;
} row_t;


#define R  "{\"scope\":\"read write\"}"


static const row_t  rows[] = {
    { R, "read", 1, 1 },
    { R, "write", 1, 1 },
    { R, "read write", 1, 1 },
    { R, "write read", 1, 1 },
    { R, "read admin", 0, 1 },
    { R, "admin read", 0, 1 },
    { R, "admin", 0, 0 },
    { R, "admin root", 0, 0 },
    { R, "", 0, 0 },

    /* the same bytes, nothing else */
    { R, "rea", 0, 0 },
    { R, "reader", 0, 0 },
    { R, "READ", 0, 0 },
    { R, "rite", 0, 0 },
    { "{\"scope\":\"reader\"}", "read", 0, 0 },
    { "{\"scope\":\"READ\"}", "read", 0, 0 },
    { "{\"scope\":\"read\\twrite\"}", "read", 0, 0 },
    { "{\"scope\":\"read\\twrite\"}", "write", 0, 0 },
    { "{\"scope\":\"read\\nwrite\"}", "read", 0, 0 },
    { "{\"scope\":\"read,write\"}", "read", 0, 0 },
    { "{\"scope\":\"read,write\"}", "read,write", 1, 1 },
    { "{\"scope\":\"  read   write  \"}", "write read", 1, 1 },
    { "{\"scope\":\"read\"}", "read", 1, 1 },
    { "{\"scope\":\"\"}", "read", 0, 0 },
    { "{\"scope\":\"   \"}", "read", 0, 0 },
    { "{\"scope\":\"urn:x/y#z read\"}", "urn:x/y#z", 1, 1 },

    /* arrays */
    { "{\"scp\":[\"read\"]}", "read", 1, 1 },
    { "{\"scp\":[\"read\",\"write\"]}", "write read", 1, 1 },
    { "{\"scp\":[\"read write\"]}", "read", 0, 0 },
    { "{\"scp\":[5,null,{},[\"read\"],true,1.5,\"\"]}", "read", 0, 0 },
    { "{\"scp\":[5,null,{},[],\"read\",7]}", "read", 1, 1 },
    { "{\"scp\":[]}", "read", 0, 0 },
    { "{\"scope\":[\"read\",\"write\"]}", "read write", 1, 1 },
    { "{\"scp\":\"read write\"}", "read write", 1, 1 },

    /* the first one that has a type for scopes decides */
    { "{\"scope\":\"read\",\"scp\":[\"write\"]}", "read", 1, 1 },
    { "{\"scope\":\"read\",\"scp\":[\"write\"]}", "write", 0, 0 },
    { "{\"scope\":\"\",\"scp\":[\"write\"]}", "write", 0, 0 },
    { "{\"scope\":5,\"scp\":[\"write\"]}", "write", 1, 1 },
    { "{\"scope\":null,\"scp\":\"write\"}", "write", 1, 1 },
    { "{\"scope\":{\"read\":true}}", "read", 0, 0 },
    { "{\"scope\":5}", "5", 0, 0 },
    { "{\"scope\":true}", "true", 0, 0 },
    { "{}", "read", 0, 0 },
    { NULL, NULL, 0, 0 }
};


static const row_t  keys[] = {
    { "read write", "read write", 1, 1 },
    { "read,write", "read write", 1, 1 },
    { "read, write,,admin ", "admin", 1, 1 },
    { "read\twrite", "read", 0, 0 },
    { "reader", "read", 0, 0 },
    { "", "read", 0, 0 },
    { NULL, NULL, 0, 0 }
};


static size_t
split(const char *text, gw_scope_t *scopes)
{
    size_t  n;

    for (n = 0; *text != '\0'; n++) {
        scopes[n].data = text;
        scopes[n].len = strcspn(text, " ");
        text += scopes[n].len;
        text += (*text == ' ');
    }

    return n;
}


static int
check(const row_t *row, const gw_scope_set_t *set)
{
    size_t      n;
    gw_scope_t  scopes[8];

    n = split(row->scopes, scopes);

    return (gw_scope_check(set, scopes, n, 1) == GW_OK) == row->all
           && (gw_scope_check(set, scopes, n, 0) == GW_OK) == row->any;
}


static void
test_paths(void)
{
    char                    buf[64];
    size_t                  pos;
    json_t                 *claims;
    gw_scope_t              scope, found;
    gw_scope_set_t          set;
    gw_claim_path_t         paths[2];
    gw_claim_path_error_t   err;

    (void) gw_claim_path_compile(&paths[0], buf, ".a.b", 4, &err);
    (void) gw_claim_path_compile(&paths[1], buf + 32, "perm", 4, &err);

    scope.data = "read";
    scope.len = 4;

    claims = json_loads("{\"a\":{\"b\":[\"read\"]},\"scope\":\"x\"}", 0,
                        NULL);
    gw_scope_from_claims(&set, claims, paths, 2);
    ok(gw_scope_has(&set, &scope), "a path of one's own");
    json_decref(claims);

    claims = json_loads("{\"a\":{\"c\":1},\"perm\":\"read\"}", 0, NULL);
    gw_scope_from_claims(&set, claims, paths, 2);
    ok(gw_scope_has(&set, &scope), "the second path");
    gw_scope_from_claims(&set, claims, paths, 1);
    ok(!gw_scope_has(&set, &scope), "the first path only");
    json_decref(claims);

    claims = json_loads("{\"scope\":\"read\"}", 0, NULL);
    gw_scope_from_claims(&set, claims, paths, 2);
    ok(!gw_scope_has(&set, &scope), "paths replace the usual claims");
    gw_scope_from_claims(&set, claims, paths, 0);
    ok(!gw_scope_has(&set, &scope), "no paths at all");
    json_decref(claims);

    claims = json_loads("{\"scp\":[\"\",\"read\",\"\"]}", 0, NULL);
    gw_scope_from_claims(&set, claims, NULL, 0);
    pos = 0;
    ok(gw_scope_next(&set, &pos, &found) && found.len == 4
       && !gw_scope_next(&set, &pos, &found), "an empty string is no scope");
    json_decref(claims);

    gw_scope_from_claims(&set, NULL, NULL, 0);
    ok(!gw_scope_has(&set, &scope), "nobody has no scope");

    gw_scope_from_key(&set, NULL, 0);
    ok(!gw_scope_has(&set, &scope), "a key without scopes");
}


int
main(void)
{
    json_t           *claims;
    const row_t      *row;
    gw_scope_set_t    set;
    gw_json_error_t   err;

    for (row = rows; row->claims != NULL; row++) {
        claims = gw_json_load((const unsigned char *) row->claims,
                              strlen(row->claims), GW_JSON_DEPTH, &err);

        gw_scope_from_claims(&set, claims, NULL, 0);

        ok(claims != NULL && check(row, &set), "J18 %s: %s", row->claims,
           row->scopes);

        json_decref(claims);
    }

    for (row = keys; row->claims != NULL; row++) {
        gw_scope_from_key(&set, row->claims, strlen(row->claims));

        ok(check(row, &set), "key %s: %s", row->claims, row->scopes);
    }

    test_paths();

    ok(gw_scope_is_token("read:a/b#1,!", 12), "a scope");
    ok(!gw_scope_is_token("", 0), "an empty one is none");
    ok(!gw_scope_is_token("a b", 3), "none with a space");
    ok(!gw_scope_is_token("a\"b", 3), "none with a quote");
    ok(!gw_scope_is_token("a\\b", 3), "none with a backslash");
    ok(!gw_scope_is_token("a\xc3\xa9", 3), "none with an accent");
    ok(!gw_scope_is_token("a\x7f", 2), "none with a control character");

    return done();
}
