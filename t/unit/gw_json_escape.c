
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_json_escape.h"
#include "gw_json_scan.h"
#include "tap.h"


typedef struct {
    const char  *text;
    size_t       len;
    const char  *escaped;   /* NULL: not UTF-8 */
    size_t       offset;
} row_t;


static void test_rows(void);
static void test_bytes(void);
static void test_utf8(void);


#define T(text)  text, sizeof(text) - 1


static void
test_rows(void)
{
    u_char           *text, *out, *end;
    size_t            i, len, offset;
    gw_status_e       rc;
    gw_json_range_t   value;

    static const row_t  rows[] = {
        { T(""), "", 0 },
        { T("a"), "a", 0 },
        { T("plain text of more than sixteen bytes"),
          "plain text of more than sixteen bytes", 0 },
        { T("\""), "\\\"", 0 },
        { T("\\"), "\\\\", 0 },
        { T("/"), "/", 0 },
        { T("\b\f\n\r\t"), "\\b\\f\\n\\r\\t", 0 },
        { T("\0"), "\\u0000", 0 },
        { T("a\0b"), "a\\u0000b", 0 },
        { T("\x01\x0b\x1f\x7f"), "\\u0001\\u000b\\u001f\x7f", 0 },
        { T("0123456789abcde\""), "0123456789abcde\\\"", 0 },
        { T("0123456789abcdef\n0123456789abcdef"),
          "0123456789abcdef\\n0123456789abcdef", 0 },
        { T("\xc3\xa9"), "\xc3\xa9", 0 },
        { T("\xe2\x82\xac\n\xf0\x9f\x98\x80"),
          "\xe2\x82\xac\\n\xf0\x9f\x98\x80", 0 },
        { T("\xe2\x80\xa8"), "\xe2\x80\xa8", 0 },
        { T("</script>"), "</script>", 0 },
        { T("a\"b\\c\nd"), "a\\\"b\\\\c\\nd", 0 },
        { T("\x80"), NULL, 0 },
        { T("ab\xff"), NULL, 2 },
        { T("\xc3"), NULL, 0 },
        { T("a\xe2\x82"), NULL, 1 },
        { T("\xc0\x80"), NULL, 0 },
        { T("\xed\xa0\x80"), NULL, 0 },
        { T("\xf4\x90\x80\x80"), NULL, 0 },
        { T("0123456789abcdef\"\xe2\x82\xac\xe2\x28\xa1"), NULL, 20 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text = malloc(rows[i].len + 1);
        memcpy(text + 1, rows[i].text, rows[i].len);

        offset = 0;
        rc = gw_json_escape_len(text + 1, rows[i].len, &len, &offset);

        if (rows[i].escaped == NULL) {
            ok(rc == GW_DECLINED && offset == rows[i].offset,
               "C51 not UTF-8, %u", (unsigned) i);
            free(text);
            continue;
        }

        ok(rc == GW_OK && len == strlen(rows[i].escaped),
           "C51 length, %u", (unsigned) i);

        out = malloc(len + 2);
        out[0] = '"';
        end = gw_json_escape(out + 1, text + 1, rows[i].len);
        ok((size_t) (end - out) == len + 1
           && memcmp(out + 1, rows[i].escaped, len) == 0,
           "C51 escaped, %u", (unsigned) i);

        *end = '"';
        ok(gw_json_scan(out, len + 2, 0, &value, &offset) == GW_JSON_SCAN_OK,
           "C51 a string, %u", (unsigned) i);

        free(out);
        free(text);
    }

    ok(gw_json_escape_len(NULL, 0, &len, &offset) == GW_OK && len == 0,
       "no text");
    ok(gw_json_escape(NULL, NULL, 0) == NULL, "no text escaped");
}


/* every byte, at every place of a vector: length, bytes, validity */

static void
test_bytes(void)
{
    int              good;
    u_char           text[40], *out, *end;
    size_t           i, len, offset;
    unsigned         c;
    gw_json_range_t  value;

    good = 1;

    for (c = 0; c < 0x80; c++) {
        for (i = 0; i < sizeof(text); i++) {
            memset(text, 'x', sizeof(text));
            text[i] = (u_char) c;

            if (gw_json_escape_len(text, sizeof(text), &len, &offset)
                != GW_OK)
            {
                good = 0;
                continue;
            }

            out = malloc(len + 2);
            out[0] = '"';
            end = gw_json_escape(out + 1, text, sizeof(text));
            *end = '"';

            if ((size_t) (end - out) != len + 1
                || gw_json_scan(out, len + 2, 0, &value, &offset)
                   != GW_JSON_SCAN_OK)
            {
                good = 0;
            }

            free(out);
        }
    }

    ok(good, "every byte at every place");
}


static void
test_utf8(void)
{
    size_t  i;

    static const row_t  rows[] = {
        { T("a"), "", 1 },
        { T("\0"), "", 1 },
        { T("\xc2\x80"), "", 2 },
        { T("\xe0\xa0\x80"), "", 3 },
        { T("\xed\x9f\xbf"), "", 3 },
        { T("\xee\x80\x80"), "", 3 },
        { T("\xf0\x90\x80\x80"), "", 4 },
        { T("\xf4\x8f\xbf\xbf"), "", 4 },
        { T("\xc1\xbf"), "", 0 },
        { T("\xe0\x9f\xbf"), "", 0 },
        { T("\xed\xa0\x80"), "", 0 },
        { T("\xf0\x8f\xbf\xbf"), "", 0 },
        { T("\xf4\x90\x80\x80"), "", 0 },
        { T("\xf5\x80\x80\x80"), "", 0 },
        { T("\x80"), "", 0 },
        { T("\xc3"), "", 0 },
        { T("\xe2\x82"), "", 0 },
        { T("\xf0\x9f\x98"), "", 0 },
        { T("\xf0\x9f\x98z"), "", 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ok(gw_json_utf8((u_char *) rows[i].text,
                        (u_char *) rows[i].text + rows[i].len)
           == rows[i].offset, "UTF-8 sequence, %u", (unsigned) i);
    }
}


int
main(void)
{
    test_rows();
    test_bytes();
    test_utf8();

    return done();
}
