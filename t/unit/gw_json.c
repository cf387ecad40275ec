
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gw_json.h"
#include "tap.h"


#define MANY     100000
#define MEMBERS  10000

/*
 * usec of the processor, ten times what it takes; names that collide would
 * take a hundred times that
 */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MAX_TIME  500000
#endif
#endif

#ifndef MAX_TIME
#define MAX_TIME  50000
#endif


typedef struct {
    const char       *name;
    const char       *text;
    size_t            len;
    gw_json_error_e   code;
} row_t;


#define row(name, text, code)  { name, text, sizeof(text) - 1, code }


static const row_t  rows[] = {
    row("{}", "{}", GW_JSON_OK),
    row("white space around", " \t\r\n{ } \n", GW_JSON_OK),
    row("a member", "{\"a\":1}", GW_JSON_OK),
    row("brackets in a string", "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
        "[[[[[[[[[[[[[[[[[[[[\\\"{{{\"}", GW_JSON_OK),
    row("a backslash at the end of a string", "{\"a\":\"\\\\\",\"b\":[]}",
        GW_JSON_OK),
    row("a surrogate pair", "{\"a\":\"\\ud83d\\ude00\"}", GW_JSON_OK),
    row("1e10", "{\"a\":1e10}", GW_JSON_OK),
    row("2^63 - 1", "{\"a\":9223372036854775807}", GW_JSON_OK),
    row("escapes", "{\"\\u0041\\u007f\\u0080\\u00fF\\u07ff\\u0800\\uD7FF"
        "\\uE000\\uffff\\ud800\\udc00\\uDBFF\\uDFFF\":"
        "\"\\n\\t\\/\\\\\\\"\\b\\f\\r\\u00e9\\\\u0041\"}", GW_JSON_OK),
    row("numbers", "{\"a\":[0,-0,-1,10,-9223372036854775808,1.5,-0.0,1E5,"
        "1e-5,0.0,123456789012345678],\"1.5\":\"-12\",\"e\":true}",
        GW_JSON_OK),
    row("an escape at the very end", "{\"a\":\"\\u00e9", GW_JSON_SYNTAX),
    row("half an escape at the end", "{\"a\":\"\\u00", GW_JSON_SYNTAX),
    row("many brackets, not nested", "[", GW_JSON_NOT_OBJECT),
    row("J02 nothing", "", GW_JSON_EMPTY),
    row("J02 white space only", " \n", GW_JSON_EMPTY),
    row("J02 []", "[]", GW_JSON_NOT_OBJECT),
    row("J02 a string", "\"x\"", GW_JSON_NOT_OBJECT),
    row("J02 a number", "1", GW_JSON_NOT_OBJECT),
    row("J02 null", "null", GW_JSON_NOT_OBJECT),
    row("J02 BOM", "\xef\xbb\xbf{}", GW_JSON_BOM),
    row("J02 UTF-16", "\xff\xfe{\0}\0", GW_JSON_NOT_OBJECT),
    row("J02 trailing x", "{}x", GW_JSON_TRAILING),
    row("J02 trailing }", "{}}", GW_JSON_TRAILING),
    row("J02 trailing {}", "{}{}", GW_JSON_TRAILING),
    row("J02 trailing NUL", "{}\0", GW_JSON_TRAILING),
    row("J02 invalid UTF-8", "{\"a\":\"\xc3\x28\"}", GW_JSON_ENCODING),
    row("J02 overlong UTF-8", "{\"a\":\"\xc0\xaf\"}", GW_JSON_ENCODING),
    row("J02 a surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}",
        GW_JSON_ENCODING),
    row("J02 above U+10FFFF", "{\"a\":\"\xf4\x90\x80\x80\"}",
        GW_JSON_ENCODING),
    row("J02 UTF-8 cut off", "{\"a\":\"\xe2\x82", GW_JSON_ENCODING),
    row("J02 lone surrogate", "{\"a\":\"\\ud800\"}", GW_JSON_SYNTAX),
    row("J02 lone low surrogate", "{\"a\":\"\\udc00\"}", GW_JSON_SYNTAX),
    row("J02 surrogate and a letter", "{\"a\":\"\\ud800\\u0041\"}",
        GW_JSON_SYNTAX),
    row("J02 \\u0000 in a value", "{\"a\":\"x\\u0000y\"}", GW_JSON_NUL),
    row("J02 \\u0000 in a name", "{\"a\\u0000\":1}", GW_JSON_NUL),
    row("J02 a raw NUL", "{\"a\":\"x\0y\"}", GW_JSON_SYNTAX),
    row("J06 a NUL behind an integer", "{\"a\":1\0}", GW_JSON_SYNTAX),
    row("J06 a NUL behind a real", "{\"a\":[1.5\0]}", GW_JSON_SYNTAX),
    row("J06 a NUL behind true", "{\"a\":true\0}", GW_JSON_SYNTAX),
    row("J06 a NUL behind null", "{\"a\":null\0,\"b\":1}", GW_JSON_SYNTAX),
    row("J06 a NUL behind false", "{\"a\":false\0 }", GW_JSON_SYNTAX),
    row("J06 a NUL behind a string", "{\"a\":\"b\"\0}", GW_JSON_SYNTAX),
    row("J06 a NUL behind a name", "{\"a\"\0:1}", GW_JSON_SYNTAX),
    row("J02 a raw LF in a string", "{\"a\":\"x\ny\"}", GW_JSON_SYNTAX),
    row("J01 a member twice", "{\"sub\":1,\"sub\":2}", GW_JSON_DUPLICATE),
    row("J01 a member twice, escaped", "{\"sub\":1,\"\\u0073ub\":2}",
        GW_JSON_DUPLICATE),
    row("J01 a member twice, deep", "{\"a\":[{\"b\":1,\"b\":1}]}",
        GW_JSON_DUPLICATE),
    row("J07 1e400", "{\"a\":1e400}", GW_JSON_NUMBER),
    row("J07 2^63", "{\"a\":9223372036854775808}", GW_JSON_NUMBER),
    row("J07 NaN", "{\"a\":NaN}", GW_JSON_SYNTAX),
    row("J07 Infinity", "{\"a\":Infinity}", GW_JSON_SYNTAX),
    row("01", "{\"a\":01}", GW_JSON_SYNTAX),
    row("+1", "{\"a\":+1}", GW_JSON_SYNTAX),
    row("1.", "{\"a\":1.}", GW_JSON_SYNTAX),
    row(".5", "{\"a\":.5}", GW_JSON_SYNTAX),
    row("0x1", "{\"a\":0x1}", GW_JSON_SYNTAX),
    row("single quotes", "{'a':1}", GW_JSON_SYNTAX),
    row("a comment", "{/**/}", GW_JSON_SYNTAX),
    row("a trailing comma", "{\"a\":1,}", GW_JSON_SYNTAX),
    row("no closing brace", "{\"a\":1", GW_JSON_SYNTAX),
    row("no closing quote", "{\"a", GW_JSON_SYNTAX),
    row("a backslash at the end", "{\"a\\", GW_JSON_SYNTAX),
    row("a name without quotes", "{a:1}", GW_JSON_SYNTAX),
    row("brackets do not match", "{\"a\":[}", GW_JSON_SYNTAX),
    { NULL, NULL, 0, 0 }
};


static gw_json_error_e
load(const char *text, size_t len, gw_json_error_t *err)
{
    json_t         *json;
    unsigned char  *copy;

    copy = malloc(len ? len : 1);
    memcpy(copy, text, len);

    err->code = GW_JSON_OK;
    err->position = 0;
    err->text = "";

    json = gw_json_load(copy, len, GW_JSON_DEPTH, err);

    free(copy);
    json_decref(json);

    return (json != NULL) ? GW_JSON_OK : err->code;
}


static void
test_depth(void)
{
    char             *text;
    size_t            i, n;
    gw_json_error_e   code;
    gw_json_error_t   err;

    text = malloc(2 * MANY + 16);

    /* n levels, the object and n - 1 arrays in it */

    for (n = GW_JSON_DEPTH; n <= GW_JSON_DEPTH + 1; n++) {

        memcpy(text, "{\"a\":", 5);
        memset(text + 5, '[', n - 1);
        memset(text + 5 + n - 1, ']', n - 1);
        text[5 + 2 * (n - 1)] = '}';

        code = load(text, 6 + 2 * (n - 1), &err);

        ok(code == (n == GW_JSON_DEPTH ? GW_JSON_OK : GW_JSON_TOO_DEEP),
           "J03 %zu levels of arrays", n);
    }

    ok(err.position == 5 + GW_JSON_DEPTH - 1, "J03 the position of it");

    memcpy(text, "{\"a\":", 5);
    memset(text + 5, '[', MANY);
    ok(load(text, MANY + 5, &err) == GW_JSON_TOO_DEEP, "J03 100000 [");

    memset(text, '[', MANY);
    ok(load(text, MANY, &err) == GW_JSON_NOT_OBJECT,
       "J03 100000 [ from the beginning");

    for (i = 0; i < 5 * (MANY / 5); i += 5) {
        memcpy(text + i, "{\"a\":", 5);
    }

    ok(load(text, i, &err) == GW_JSON_TOO_DEEP, "J03 20000 objects");

    /* many that are not nested */

    memcpy(text, "{\"a\":[", 6);
    for (i = 6; i < MANY; i += 3) {
        memcpy(text + i, "[],", 3);
    }
    memcpy(text + i - 1, "]}", 2);

    ok(load(text, i + 1, &err) == GW_JSON_OK, "J03 many brackets in a row");

    free(text);
}


static void
test_get(void)
{
    json_t           *json;
    gw_json_error_t   err;

    json = gw_json_load((const unsigned char *) "{\"ab\":1,\"abc\":2}", 16,
                        GW_JSON_DEPTH, &err);

    ok(json_integer_value(gw_json_get(json, "abcd", 2)) == 1,
       "a name that is not terminated");
    ok(gw_json_get(json, "abcd", 4) == NULL, "a name that is not there");
    ok(gw_json_get(json, "ab\0", 3) == NULL, "a name with a NUL");
    ok(gw_json_get(json, "", 0) == NULL, "an empty name");
    ok(gw_json_get(gw_json_get(json, "ab", 2), "ab", 2) == NULL,
       "a member of a number");
    ok(gw_json_get(NULL, "ab", 2) == NULL, "a member of nothing");

    json_decref(json);
}


/* the best of several rounds, in usec */

static long
load_time(const char *text, size_t len)
{
    long              best, time;
    unsigned          i;
    clock_t           start;
    gw_json_error_t   err;

    best = -1;

    for (i = 0; i < 5; i++) {
        start = clock();

        if (load(text, len, &err) != GW_JSON_OK) {
            return -1;
        }

        time = (long) ((clock() - start) * 1000000.0 / CLOCKS_PER_SEC);
        best = (best < 0 || time < best) ? time : best;
    }

    return best;
}


/*
 * Names are hashed with a seed of the process, so that nobody can choose
 * names that collide; the module calls json_object_seed(0) too.
 */

static void
test_members(void)
{
    char      *text, *p;
    long       time;
    unsigned   i;

    json_object_seed(0);

    text = malloc(MEMBERS * 32);

    p = text + sprintf(text, "{");
    for (i = 0; i < MEMBERS; i++) {
        p += sprintf(p, "%s\"%u\":%u", i ? "," : "", i, i);
    }
    p += sprintf(p, "}");

    time = load_time(text, p - text);
    ok(time >= 0 && time < MAX_TIME,
       "J05 %d members: %ld usec", MEMBERS, time);

    /* names that differ in one bit, as weak hashes dislike them */

    p = text + sprintf(text, "{");
    for (i = 0; i < MEMBERS; i++) {
        p += sprintf(p, "%s\"", i ? "," : "");
        p[0] = (i & 1) ? 'A' : 'a';
        p[1] = (i & 2) ? 'A' : 'a';
        memset(p + 2, 'a', 12);
        p[2] = 'a' + (i >> 2 & 15);
        p[6] = 'a' + (i >> 6 & 15);
        p[13] = 'a' + (i >> 10 & 15);
        p += 14;
        p += sprintf(p, "\":1");
    }
    p += sprintf(p, "}");

    time = load_time(text, p - text);
    ok(time >= 0 && time < MAX_TIME,
       "J05 %d names that are alike: %ld usec", MEMBERS, time);

    free(text);
}


static void
test_any(void)
{
    unsigned          i;
    json_t           *json;
    gw_json_error_t   err;

    static const char *const  good[] = {
        "1", "-0", " 1.5 ", "\"a\"", "true", "null", "[]", "[1,[2]]",
        "{\"a\":1}", NULL
    };

    static const char *const  bad[] = {
        "", " ", "1 2", "1,2", "[1", "]", "{\"a\":1,\"a\":2}", "[1]]",
        "tru", "\"\\u0000\"", "\"a", NULL
    };

    for (i = 0; good[i] != NULL; i++) {
        json = gw_json_load_any((const unsigned char *) good[i],
                                strlen(good[i]), GW_JSON_DEPTH, &err);
        ok(json != NULL, "any JSON: %s", good[i]);
        json_decref(json);
    }

    for (i = 0; bad[i] != NULL; i++) {
        json = gw_json_load_any((const unsigned char *) bad[i],
                                strlen(bad[i]), GW_JSON_DEPTH, &err);
        ok(json == NULL && err.code != GW_JSON_OK
           && err.code != GW_JSON_MEMORY, "no JSON: %s", bad[i]);
        json_decref(json);
    }

    json = gw_json_load_any((const unsigned char *) "[[[]]]", 6, 2, &err);
    ok(json == NULL && err.code == GW_JSON_TOO_DEEP, "any JSON, too deep");
}


int
main(void)
{
    const row_t      *r;
    gw_json_error_e   code;
    gw_json_error_t   err;

    for (r = rows; r->name != NULL; r++) {
        code = load(r->text, r->len, &err);

        ok(code == r->code, "%s: %s", r->name, err.text);
    }

    ok(gw_json_load(NULL, 0, GW_JSON_DEPTH, &err) == NULL
       && err.code == GW_JSON_EMPTY, "no data at all: %s", err.text);

    (void) load("{\"a\":1}x", 8, &err);
    ok(err.position > 0 && err.position <= 8, "the position of an error");

    test_depth();
    test_get();
    test_any();
    test_members();

    return done();
}
