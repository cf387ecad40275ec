
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_json.h"
#include "gw_jwt_peek.h"
#include "tap.h"


typedef struct {
    const char  *payload;
    const char  *iss;           /* NULL: declined */
} row_t;


/* of these jansson has to say the same */

static const row_t  rows[] = {
    { "{\"iss\":\"a\"}", "a" },
    { " { \"iss\" : \"a\" } ", "a" },
    { "\t\r\n{\n\"iss\"\t:\r\"https://x.y/z\",\"b\":1}", "https://x.y/z" },
    { "{\"iss\":\"\"}", "" },
    { "{\"sub\":\"x\",\"iss\":\"a\"}", "a" },
    { "{\"n\":-1.5e+3,\"t\":true,\"z\":null,\"iss\":\"a\"}", "a" },
    { "{\"o\":{\"iss\":\"no\",\"p\":{\"iss\":1}},\"iss\":\"a\"}", "a" },
    { "{\"l\":[\"iss\",{\"iss\":\"no\"},[],{}],\"iss\":\"a\"}", "a" },
    { "{\"s\":\"\\\",\\\"iss\\\":\\\"no\\\"\",\"iss\":\"a\"}", "a" },
    { "{\"s\":\"}{][,:\",\"iss\":\"a\"}", "a" },
    { "{\"\":\"no\",\"is\":\"no\",\"isss\":\"no\",\"iss\":\"a\"}", "a" },
    { "{\"ISS\":\"no\",\"iss\":\"a\"}", "a" },
    { "{\"a\\\\\":\"\\\\\",\"iss\":\"a\"}", "a" },
    { "{\"\\u0069ss\":\"a\"}", "a" },
    { "{\"\\u0069\\u0073\\u0073\":\"a\"}", "a" },
    { "{\"\\u0069ssx\":\"no\",\"iss\":\"a\"}", "a" },
    { "{\"iss\":\"https:\\/\\/x.y\\/\"}", "https://x.y/" },
    { "{\"iss\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t" },
    { "{\"iss\":\"\\u007f\\u0080\\u07FF\\u0800\\uffff\"}",
      "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf" },
    { "{\"iss\":\"\\ud83d\\ude00\\uDBFF\\uDFFF\"}",
      "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf" },
    { "{\"iss\":\"\xc3\xa9\"}", "\xc3\xa9" },

    { "{}", NULL },
    { "{\"sub\":\"a\"}", NULL },
    { "{\"iss\":5}", NULL },
    { "{\"iss\":null}", NULL },
    { "{\"iss\":[\"a\"]}", NULL },
    { "{\"iss\":{\"iss\":\"a\"}}", NULL },
    { "{\"o\":{\"iss\":\"a\"}}", NULL },
    { "{\"ISS\":\"a\"}", NULL },
    { "[\"iss\",\"a\"]", NULL },
    { "\"iss\"", NULL },
    { "", NULL },
    { "  ", NULL },
    { "{", NULL },
    { "{\"", NULL },
    { "{\"iss", NULL },
    { "{\"iss\"", NULL },
    { "{\"iss\":", NULL },
    { "{\"iss\":\"", NULL },
    { "{\"iss\":\"a", NULL },
    { "{\"iss\":\"a\\", NULL },
    { "{\"a\":\"x", NULL },
    { "{\"a\":\"x\\", NULL },
    { "{\"a\":[", NULL },
    { "{\"a\":[1]", NULL },
    { "{\"a\":1]", NULL },
    { "{iss:\"a\"}", NULL },
    { "{'iss':'a'}", NULL },
    { "{\"a\":1,,\"iss\":\"a\"}", NULL },
    { "{,\"iss\":\"a\"}", NULL },
    { "{\"a\" 1,\"iss\":\"a\"}", NULL },
    { "\xef\xbb\xbf{\"iss\":\"a\"}", NULL },
    { "{\"iss\":\"\\u0000\"}", NULL },
    { "{\"iss\":\"\\x\"}", NULL },
    { "{\"iss\":\"\\u12\"}", NULL },
    { "{\"iss\":\"\\u12g4\"}", NULL },
    { "{\"iss\":\"\\ud83d\"}", NULL },
    { "{\"iss\":\"\\ud83dx\"}", NULL },
    { "{\"iss\":\"\\ud83d\\n\"}", NULL },
    { "{\"iss\":\"\\ud83d\\u0041\"}", NULL },
    { "{\"iss\":\"\\ud83d\\u\"}", NULL },
    { "{\"iss\":\"\\ude00\"}", NULL },
    { "{\"\\u0069s\":\"a\"}", NULL },
    { "{\"\\x69ss\":\"a\"}", NULL },
    { NULL, NULL }
};


static gw_status_e
peek(const char *payload, size_t len, unsigned char *buf,
    const unsigned char **iss, size_t *n, unsigned char **copy)
{
    *copy = malloc(len ? len : 1);
    memcpy(*copy, payload, len);

    return gw_jwt_peek_issuer(*copy, len, buf, iss, n);
}


static void
test_rows(void)
{
    int                   pass;
    size_t                len, n;
    json_t               *root;
    gw_status_e           rc;
    const row_t          *row;
    unsigned char        *copy, buf[GW_JWT_PEEK_MAX_ISSUER];
    gw_json_error_t       err;
    const unsigned char  *iss;

    for (row = rows; row->payload != NULL; row++) {

        len = strlen(row->payload);
        rc = peek(row->payload, len, buf, &iss, &n, &copy);

        if (row->iss == NULL) {
            pass = (rc == GW_DECLINED);

        } else {
            root = gw_json_load((const unsigned char *) row->payload, len,
                                GW_JSON_DEPTH, &err);
            pass = rc == GW_OK && n == strlen(row->iss)
                   && memcmp(iss, row->iss, n) == 0
                   && strcmp(json_string_value(json_object_get(root, "iss")),
                             row->iss)
                      == 0;
            json_decref(root);
        }

        ok(pass, "row %d: %s", (int) (row - rows),
           row->iss ? "an issuer" : "none");

        free(copy);
    }
}


/* cut anywhere, and each byte changed: never a crash */

static void
test_cuts(void)
{
    size_t                i, n, len;
    unsigned char        *copy, buf[GW_JWT_PEEK_MAX_ISSUER];
    const unsigned char  *iss;

    static const char  payload[] =
        "{\"a\":[{\"b\":\"\\u00e9\"}],\"\\u0069ss\":\"x\\/\\ud83d\\ude00\"}";

    for (len = 0; len < sizeof(payload); len++) {
        (void) peek(payload, len, buf, &iss, &n, &copy);
        free(copy);
    }

    for (i = 0; i < (sizeof(payload) - 1) * 256; i++) {
        copy = malloc(sizeof(payload) - 1);
        memcpy(copy, payload, sizeof(payload) - 1);
        copy[i / 256] = (unsigned char) i;

        (void) gw_jwt_peek_issuer(copy, sizeof(payload) - 1, buf, &iss, &n);

        free(copy);
    }

    ok(1, "a payload that is cut or changed");
}


static void
test_bounds(void)
{
    char                 *text, *p;
    size_t                n, depth;
    unsigned char        *copy, buf[GW_JWT_PEEK_MAX_ISSUER];
    const unsigned char  *iss;

    text = malloc(200000);

    /* with escapes as long as the buffer, without them as long as you like */

    p = text + sprintf(text, "{\"iss\":\"\\/");
    memset(p, 'x', GW_JWT_PEEK_MAX_ISSUER - 1);
    strcpy(p + GW_JWT_PEEK_MAX_ISSUER - 1, "\"}");

    ok(peek(text, strlen(text), buf, &iss, &n, &copy) == GW_OK
       && n == GW_JWT_PEEK_MAX_ISSUER, "the longest issuer with an escape");
    free(copy);

    strcpy(p + GW_JWT_PEEK_MAX_ISSUER - 1, "x\"}");
    ok(peek(text, strlen(text), buf, &iss, &n, &copy) == GW_DECLINED,
       "a longer one");
    free(copy);

    p = text + sprintf(text, "{\"iss\":\"");
    memset(p, 'x', 100000);
    strcpy(p + 100000, "\"}");
    ok(peek(text, strlen(text), buf, &iss, &n, &copy) == GW_OK && n == 100000,
       "an issuer without escapes of any length");
    free(copy);

    for (depth = GW_JSON_DEPTH - 1; depth <= GW_JSON_DEPTH; depth++) {
        p = text + sprintf(text, "{\"a\":");
        memset(p, '[', depth);
        memset(p + depth, ']', depth);
        strcpy(p + 2 * depth, ",\"iss\":\"a\"}");

        ok(peek(text, strlen(text), buf, &iss, &n, &copy)
           == (depth < GW_JSON_DEPTH ? GW_OK : GW_DECLINED),
           "%zu levels", depth + 1);
        free(copy);
    }

    p = text + sprintf(text, "{\"a\":");
    memset(p, '[', 100000);
    ok(peek(text, 100005, buf, &iss, &n, &copy) == GW_DECLINED,
       "J03 a hundred thousand brackets");
    free(copy);

    free(text);
}


int
main(void)
{
    test_rows();
    test_cuts();
    test_bounds();

    return done();
}
