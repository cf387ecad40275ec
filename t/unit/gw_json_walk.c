
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw_json_walk.h"
#include "tap.h"


typedef struct {
    const char  *text;
    const char  *want;      /* elements, each with a "|" behind it */
} row_t;


typedef struct {
    const char  *text;
    const char  *want;      /* NULL: no text */
    size_t       len;
} text_row_t;


static void test_elements(void);
static void walk(const char *text, size_t step, char *out);
static void test_unescape(void);
static void test_unescape_any(void);


static void
test_elements(void)
{
    char    out[256];
    size_t  i, step;

    static const row_t  rows[] = {
        { "[]", "" },
        { "[ \n ]", "" },
        { "[1]", "1|" },
        { "[1,2,3] ", "1|2|3|" },
        { "[ 1 , \"a\" ,\ttrue ]", "1|\"a\"|true|" },
        { "[[],{},[1,[2]],{\"a\":[{}]}]",
          "[]0|{}0|[1,[2]]1|{\"a\":[{}]}1|" },
        { "[{ },[\n], { \"a\" : 1 } ]", "{ }0|[\n]0|{ \"a\" : 1 }1|" },
        { "[\"],\\\"]\",\"\\\\\",\"{\"]", "\"],\\\"]\"|\"\\\\\"|\"{\"|" },
        { "[{\"a,]\":\"}\"},1]", "{\"a,]\":\"}\"}1|1|" },
        { "[{\"\":[]}]", "{\"\":[]}1|" },
        { "[null,-0.1e+5,\"\"]", "null|-0.1e+5|\"\"|" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (step = 1; step < 40; step++) {
            walk(rows[i].text, step, out);

            if (strcmp(out, rows[i].want) != 0) {
                break;
            }
        }

        ok(step == 40, "elements of %s", rows[i].text);
    }
}


/* the document stands behind 100 other bytes and comes in pieces */

static void
walk(const char *text, size_t step, char *out)
{
    size_t               pos, len;
    gw_status_e          rc;
    const u_char        *p, *last, *end;
    gw_json_element_t    element;
    gw_json_elements_t   e;

    p = (const u_char *) text;
    end = p + strlen(text);
    pos = 0;

    gw_json_elements_begin(&e, 100);

    for ( ;; ) {
        last = (size_t) (end - p) < step ? end : p + step;
        rc = gw_json_elements_next(&e, &p, last, &element);

        if (rc == GW_DECLINED) {
            break;
        }

        if (rc == GW_AGAIN) {
            if (p == end) {
                pos += sprintf(out + pos, "no end");
                break;
            }

            continue;
        }

        len = element.range.end - element.range.start;
        memcpy(out + pos, text + element.range.start - 100, len);

        if (element.first != out[pos]) {
            pos += sprintf(out + pos, "wrong kind");
        }

        pos += len;

        if (element.first == '{' || element.first == '[') {
            out[pos++] = element.empty ? '0' : '1';
        }

        out[pos++] = '|';
    }

    out[pos] = '\0';
}


static void
test_unescape(void)
{
    size_t       i, len, n;
    u_char      *out;
    gw_status_e  rc;

    static const text_row_t  rows[] = {
        { "\"\"", "", 0 },
        { "\"abc\"", "abc", 3 },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8 },
        { "\"\\u0000x\"", "\0x", 2 },
        { "\"\\u0041\\u007f\"", "A\x7f", 2 },
        { "\"\\u00e9\\u07FF\"", "\xc3\xa9\xdf\xbf", 4 },
        { "\"\\u20ac\\uFFFF\"", "\xe2\x82\xac\xef\xbf\xbf", 6 },
        { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 4 },
        { "\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf", 4 },
        { "\"\xe2\x82\xac\"", "\xe2\x82\xac", 3 },
        { "\"\\ud83d\"", NULL, 0 },
        { "\"\\ude00\"", NULL, 0 },
        { "\"\\ud83d\\n\\u0041\"", NULL, 0 },
        { "\"\\ud83d\\u0041\"", NULL, 0 },
        { "\"\\ud83dx\"", NULL, 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        len = strlen(rows[i].text);

        out = malloc(len);
        if (out == NULL) {
            abort();
        }

        n = 0;
        rc = gw_json_unescape(out, (const u_char *) rows[i].text, len, &n);

        if (rows[i].want == NULL) {
            ok(rc == GW_DECLINED, "%s is no text", rows[i].text);

        } else {
            ok(rc == GW_OK && n == rows[i].len
               && memcmp(out, rows[i].want, n) == 0,
               "the text of %s", rows[i].text);
        }

        free(out);
    }
}


/* what is equal is the same, however it is written */

static void
test_unescape_any(void)
{
    size_t  i, len, n;
    u_char  out[64];

    static const text_row_t  rows[] = {
        { "\"\"", "", 0 },
        { "\"\\u0061b\\n\"", "ab\n", 3 },
        { "\"\\u0000\"", "\0", 1 },
        { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 4 },
        { "\"\\ud83d\"", "\xed\xa0\xbd", 3 },
        { "\"\\uD83D\"", "\xed\xa0\xbd", 3 },
        { "\"\\ude00\"", "\xed\xb8\x80", 3 },
        { "\"\\ude00\\ud83d\"", "\xed\xb8\x80\xed\xa0\xbd", 6 },
        { "\"\\ud83d\\ud83d\\ude00\"", "\xed\xa0\xbd\xf0\x9f\x98\x80", 7 },
        { "\"\\ud83d\\n\\u0041\"", "\xed\xa0\xbd\nA", 5 },
        { "\"\\ud83d\\u0041\"", "\xed\xa0\xbd""A", 4 },
        { "\"\\ud83dx\"", "\xed\xa0\xbdx", 4 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        len = strlen(rows[i].text);
        n = gw_json_unescape_any(out, (const u_char *) rows[i].text, len);

        ok(n == rows[i].len && memcmp(out, rows[i].want, n) == 0,
           "the bytes of %s", rows[i].text);
    }
}


int
main(void)
{
    test_elements();
    test_unescape();
    test_unescape_any();

    return done();
}
