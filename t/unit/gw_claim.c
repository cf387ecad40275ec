
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_claim.h"
#include "gw_json.h"
#include "tap.h"


typedef struct {
    const char  *names;         /* separated by ">" */
    const char  *text;          /* NULL: there is no such claim */
} row_t;


static const char  claims[] =
    "{\"s\":\"text\",\"empty\":\"\",\"n\":5,\"neg\":-7,\"zero\":0,"
    "\"big\":9223372036854775807,\"r\":1.5,\"ten\":1e10,"
    "\"t\":true,\"f\":false,\"null\":null,"
    "\"a\":[\"x\",\"y\",3,true,null,2.5],\"one\":[\"x\"],\"none\":[],"
    "\"na\":[[\"x\",1],{\"k\":\"v\"}],"
    "\"o\":{\"p\":{\"q\":\"deep\",\"l\":[1,2]},\"a.b\":\"dot\"},"
    "\"u\":\"\\u00e9\\n\\\"\",\"uo\":{\"\\u00e9\":\"\\n\"}}";


static const row_t  rows[] = {
    { "s", "text" },
    { "empty", "" },
    { "n", "5" },
    { "neg", "-7" },
    { "zero", "0" },
    { "big", "9223372036854775807" },
    { "r", "1.5" },
    { "ten", "10000000000.0" },
    { "t", "true" },
    { "f", "false" },
    { "null", "" },
    { "a", "x,y,3,true,,2.5" },
    { "one", "x" },
    { "none", "" },
    { "na", "[\"x\",1],{\"k\":\"v\"}" },
    { "o>p>q", "deep" },
    { "o>p>l", "1,2" },
    { "o>p", "{\"q\":\"deep\",\"l\":[1,2]}" },
    { "o>a.b", "dot" },
    { "u", "\xc3\xa9\n\"" },
    { "uo", "{\"\xc3\xa9\":\"\\n\"}" },
    { "x", NULL },
    { "o>x", NULL },
    { "o>p>x", NULL },
    { "s>x", NULL },
    { "a>0", NULL },
    { "null>x", NULL },
    { "S", NULL },
    { NULL, NULL }
};


static json_t *
find(const json_t *root, const char *names)
{
    size_t            n;
    gw_claim_name_t   name[8];

    for (n = 0; n < 8; n++) {
        name[n].data = names;
        name[n].len = strcspn(names, ">");
        names += name[n].len;

        if (*names == '\0') {
            n++;
            break;
        }

        names++;
    }

    return gw_claim_get(root, name, n);
}


int
main(void)
{
    int               errors;
    char             *buf;
    size_t            len, size, n;
    json_t           *root, *value;
    const row_t      *row;
    gw_json_error_t   err;

    root = gw_json_load((const unsigned char *) claims, sizeof(claims) - 1,
                        GW_JSON_DEPTH, &err);

    for (row = rows; row->names != NULL; row++) {

        value = find(root, row->names);

        if (row->text == NULL) {
            ok(value == NULL, "%s: none", row->names);
            continue;
        }

        n = strlen(row->text);
        errors = (value == NULL);

        /* buffers from nothing to one byte more than needed */

        for (size = 0; size <= n + 1; size++) {

            buf = malloc(size ? size : 1);

            if (gw_claim_text(value, buf, size, &len)
                != (size < n ? GW_AGAIN : GW_OK)
                || len != n
                || (size >= n && memcmp(buf, row->text, n) != 0))
            {
                errors++;
            }

            free(buf);
        }

        ok(errors == 0, "%s: \"%s\"", row->names, row->text);
    }

    ok(gw_claim_text(NULL, NULL, 0, &len) == GW_OK && len == 0,
       "no value is no text");

    ok(gw_claim_string(find(root, "s"), &len) != NULL && len == 4,
       "a string without a copy");
    ok(gw_claim_string(find(root, "n"), &len) == NULL,
       "a number is no string");
    ok(gw_claim_string(NULL, &len) == NULL, "nothing is no string");
    ok(gw_claim_get(root, NULL, 0) == NULL, "no name, no claim");

    json_decref(root);

    return done();
}
