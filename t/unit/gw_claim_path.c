
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_claim_path.h"
#include "gw_json.h"
#include "tap.h"


typedef struct {
    const char             *path;
    const char             *json;       /* NULL: nothing is found */
} row_t;


typedef struct {
    const char             *path;
    gw_claim_path_error_e   code;
    size_t                  position;
} bad_t;


static const char  claims[] =
    "{\"role\":\"admin\",\"n\":null,\"num\":5,\"\\u00e9\":\"accent\","
    "\"https://example.com/roles\":[\"a\",\"b\"],"
    "\"dotted.key\":1,\".dot\":2,\"a[0]\":3,\"two words\":4,"
    "\"a\":{\"b\":[10,{\"c\":\"deep\"},[[7,8]]],\"dotted.key\":\"dk\","
    "\"q\\\"s\":\"quote\",\"b\\\\s\":\"back\",\"\":\"empty\",\"0\":\"zero\","
    "\"]\":\"bracket\"},"
    "\"list\":[{\"x\":1},{\"x\":2}],\"none\":[],\"obj\":{}}";


static const row_t  rows[] = {
    { "role", "\"admin\"" },
    { "n", "null" },
    { "\xc3\xa9", "\"accent\"" },
    { "https://example.com/roles", "[\"a\",\"b\"]" },
    { "dotted.key", "1" },
    { ".\".dot\"", "2" },
    { "a[0]", "3" },
    { "two words", "4" },
    { "a.b", NULL },
    { "Role", NULL },
    { "rol", NULL },
    { "\"role\"", NULL },

    { ".role", "\"admin\"" },
    { ".\"role\"", "\"admin\"" },
    { ".\xc3\xa9", "\"accent\"" },
    { ".\"https://example.com/roles\"[1]", "\"b\"" },
    { ".\"dotted.key\"", "1" },
    { ".a.b[0]", "10" },
    { ".a.b[1].c", "\"deep\"" },
    { ".a.b[2][0][1]", "8" },
    { ".a.b[2][0]", "[7,8]" },
    { ".a.\"dotted.key\"", "\"dk\"" },
    { ".a.\"q\\\"s\"", "\"quote\"" },
    { ".a.\"b\\\\s\"", "\"back\"" },
    { ".a.\"]\"", "\"bracket\"" },
    { ".a.0", "\"zero\"" },
    { ".list[1].x", "2" },
    { ".obj", "{}" },
    { ".n", "null" },

    /* missing, another type, out of range */
    { ".x", NULL },
    { ".x.y.z", NULL },
    { ".a.x.c", NULL },
    { ".a.b[3]", NULL },
    { ".a.b[65535]", NULL },
    { ".none[0]", NULL },
    { ".a[0]", NULL },
    { ".role[0]", NULL },
    { ".role.x", NULL },
    { ".n.x", NULL },
    { ".num[0]", NULL },
    { ".dotted.key", NULL },

    /* a name does not look into an array */
    { ".list.x", NULL },
    { ".a.b.c", NULL },
    { ".a.b.1.c", NULL },
    { ".list.0.x", NULL },
    { ".a.b[2][0].c", NULL },
    { NULL, NULL }
};


static const bad_t  errors[] = {
    { "", GW_CLAIM_PATH_EMPTY, 0 },
    { ".", GW_CLAIM_PATH_NAME, 1 },
    { "..", GW_CLAIM_PATH_NAME, 1 },
    { ".a.", GW_CLAIM_PATH_NAME, 3 },
    { ".a..b", GW_CLAIM_PATH_NAME, 3 },
    { ".[0]", GW_CLAIM_PATH_NAME, 1 },
    { ".a.[0]", GW_CLAIM_PATH_NAME, 3 },
    { ".\"\"", GW_CLAIM_PATH_NAME, 2 },
    { ".a b", GW_CLAIM_PATH_CHARACTER, 2 },
    { ".a\tb", GW_CLAIM_PATH_CHARACTER, 2 },
    { ".a\x7f", GW_CLAIM_PATH_CHARACTER, 2 },
    { ".a]", GW_CLAIM_PATH_CHARACTER, 2 },
    { ".a\"b\"", GW_CLAIM_PATH_CHARACTER, 2 },
    { ".a\\b", GW_CLAIM_PATH_CHARACTER, 2 },
    { ".\"", GW_CLAIM_PATH_QUOTES, 1 },
    { ".\"a", GW_CLAIM_PATH_QUOTES, 1 },
    { ".a.\"b.c", GW_CLAIM_PATH_QUOTES, 3 },
    { ".\"a\"b", GW_CLAIM_PATH_QUOTES, 4 },
    { ".\"a\"\"b\"", GW_CLAIM_PATH_QUOTES, 4 },
    { ".\"a\\", GW_CLAIM_PATH_ESCAPE, 3 },
    { ".\"a\\n\"", GW_CLAIM_PATH_ESCAPE, 3 },
    { ".\"\\u0061\"", GW_CLAIM_PATH_ESCAPE, 2 },
    { ".a[", GW_CLAIM_PATH_INDEX, 3 },
    { ".a[]", GW_CLAIM_PATH_INDEX, 3 },
    { ".a[0", GW_CLAIM_PATH_INDEX, 4 },
    { ".a[-1]", GW_CLAIM_PATH_INDEX, 3 },
    { ".a[ 1]", GW_CLAIM_PATH_INDEX, 3 },
    { ".a[x]", GW_CLAIM_PATH_INDEX, 3 },
    { ".a[1x]", GW_CLAIM_PATH_INDEX, 4 },
    { ".a[*]", GW_CLAIM_PATH_INDEX, 3 },
    { ".a[0]b", GW_CLAIM_PATH_INDEX, 5 },
    { ".a[0]\"b\"", GW_CLAIM_PATH_INDEX, 5 },
    { ".a[65536]", GW_CLAIM_PATH_INDEX, 3 },
    { ".a[99999999999999999999999]", GW_CLAIM_PATH_INDEX, 3 },
    { NULL, GW_CLAIM_PATH_OK, 0 }
};


/* the exact size each time, for the sanitizers */

static gw_status_e
compile(gw_claim_path_t *path, const char *text, size_t len, char **buf,
    gw_claim_path_error_t *err)
{
    char         *copy;
    gw_status_e   rc;

    copy = malloc(len ? len : 1);
    *buf = malloc(len ? len : 1);

    memcpy(copy, text, len);

    rc = gw_claim_path_compile(path, *buf, copy, len, err);

    free(copy);

    return rc;
}


static void
test_rows(const json_t *root)
{
    int                     same;
    char                   *buf;
    json_t                 *value, *expected;
    const row_t            *row;
    gw_claim_path_t         path;
    gw_claim_path_error_t   err;

    for (row = rows; row->path != NULL; row++) {

        if (compile(&path, row->path, strlen(row->path), &buf, &err)
            != GW_OK)
        {
            ok(0, "%s: %s", row->path, err.text);
            free(buf);
            continue;
        }

        value = gw_claim_path_get(&path, root);

        if (row->json == NULL) {
            ok(value == NULL, "%s: nothing", row->path);

        } else {
            expected = json_loads(row->json, JSON_DECODE_ANY, NULL);
            same = value != NULL && json_equal(value, expected);
            ok(same, "%s: %s", row->path, row->json);
            json_decref(expected);
        }

        free(buf);
    }
}


static void
test_errors(void)
{
    int                     pass;
    char                   *buf;
    const bad_t            *row;
    gw_claim_path_t         path;
    gw_claim_path_error_t   err;

    for (row = errors; row->path != NULL; row++) {
        memset(&err, 0, sizeof(err));

        pass = compile(&path, row->path, strlen(row->path), &buf, &err)
               == GW_DECLINED
               && err.code == row->code && err.position == row->position;

        ok(pass, "'%s' at %zu: %s", row->path, err.position, err.text);

        free(buf);
    }
}


/* what has a limit: as long as it may be, and one more */

static void
test_limits(const json_t *root)
{
    char                   *buf, text[GW_CLAIM_PATH_MAX_LEN + 1];
    size_t                  i, len;
    gw_claim_path_t         path;
    gw_claim_path_error_t   err;

    memset(text, 'x', sizeof(text));

    ok(compile(&path, text, GW_CLAIM_PATH_MAX_NAME, &buf, &err) == GW_OK
       && gw_claim_path_get(&path, root) == NULL, "the longest name");
    free(buf);

    ok(compile(&path, text, GW_CLAIM_PATH_MAX_NAME + 1, &buf, &err)
       == GW_DECLINED && err.code == GW_CLAIM_PATH_NAME, "a longer one");
    free(buf);

    ok(compile(&path, text, sizeof(text), &buf, &err) == GW_DECLINED
       && err.code == GW_CLAIM_PATH_TOO_LONG, "a path that is too long");
    free(buf);

    for (i = 0; i <= GW_CLAIM_PATH_MAX_STEPS; i++) {
        text[2 * i] = '.';
    }

    len = 2 * GW_CLAIM_PATH_MAX_STEPS;

    ok(compile(&path, text, len, &buf, &err) == GW_OK
       && path.n == GW_CLAIM_PATH_MAX_STEPS, "the deepest path");
    free(buf);

    ok(compile(&path, text, len + 2, &buf, &err) == GW_DECLINED
       && err.code == GW_CLAIM_PATH_TOO_DEEP, "a deeper one");
    free(buf);

    memcpy(text, "ro\0le", 5);

    ok(compile(&path, text, 5, &buf, &err) == GW_OK
       && gw_claim_path_get(&path, root) == NULL,
       "a name with NUL is found nowhere");
    free(buf);

    memcpy(text, "role", 4);

    ok(compile(&path, text, 4, &buf, &err) == GW_OK
       && gw_claim_path_get(&path, NULL) == NULL, "nothing in nothing");
    free(buf);
}


int
main(void)
{
    json_t           *root;
    gw_json_error_t   err;

    root = gw_json_load((const unsigned char *) claims, sizeof(claims) - 1,
                        GW_JSON_DEPTH, &err);

    ok(root != NULL, "the claims are JSON");

    test_rows(root);
    test_errors();
    test_limits(root);

    json_decref(root);

    return done();
}
