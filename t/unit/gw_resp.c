
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_resp.h"
#include "tap.h"

#include <string.h>


typedef struct {
    const char  *text;
    size_t       len;
    const char  *error;           /* NULL: accepted */
} row_t;


#define row(text, error)  { text, sizeof(text) - 1, error }


static row_t  rows[] = {
    row("+OK\r\n", NULL),
    row("+\r\n", NULL),
    row("-ERR no\r\n", NULL),
    row(":0\r\n", NULL),
    row(":-12\r\n", NULL),
    row(":9223372036854775807\r\n", NULL),
    row("$0\r\n\r\n", NULL),
    row("$3\r\na\rb\r\n", NULL),
    row("$3\r\n*9\n\r\n", NULL),
    row("$-1\r\n", NULL),
    row("*0\r\n", NULL),
    row("*-1\r\n", NULL),
    row("*2\r\n:1\r\n$1\r\nx\r\n", NULL),
    row("*1\r\n*1\r\n:1\r\n", NULL),
    row("*2\r\n*0\r\n*-1\r\n:1\r\n", NULL),
    row("+a\r\n+b\r\n:1\r\n", NULL),
    row("*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n", NULL),
    row("$30\r\n012345678901234567890123456789\r\n", NULL),
    row("+0123456789012345678901234567890123456\r\n", NULL),
    row("$33\r\n012345678901234567890123456789012\r\n", NULL),
    row("*2\r\n:1\r\n", NULL),                      /* not complete yet */
    row("$5\r\nabc", NULL),

    row("*1\r\n*1\r\n*1\r\n:1\r\n", "arrays are nested too deep"),
    row("*5\r\n", "array is too large"),
    row("*4\r\n:1\r\n*3\r\n", "array is too large"),
    row("*4\r\n:1\r\n:1\r\n*1\r\n:1\r\n:1\r\n",
        "too many elements in a reply"),
    row("*4294967295\r\n", "array is too large"),
    row("*9999999999999999999\r\n", "array is too large"),
    row("*-2\r\n", "negative length"),
    row("+01234567890123456789012345678901234567\r\n",
        "reply is too large"),
    row("$34\r\n", "string is too large"),
    row("$4294967296\r\n", "string is too large"),
    row("$9999999999999999999\r\n", "string is too large"),
    row("$18446744073709551615\r\n", "malformed number in a reply"),
    row("*2\r\n$20\r\n01234567890123456789\r\n$20\r\n", "string is too large"),
    row("$-2\r\n", "negative length"),
    row("$-1x\r\n", "malformed number in a reply"),
    row("$\r\n", "malformed number in a reply"),
    row(":\r\n", "malformed number in a reply"),
    row(":--1\r\n", "malformed number in a reply"),
    row(":1-\r\n", "malformed number in a reply"),
    row(":+1\r\n", "malformed number in a reply"),
    row(": 1\r\n", "malformed number in a reply"),
    row(":12345678901234567890\r\n", "malformed number in a reply"),
    row("$3\r\nabcd\r\n", "no CR LF after a string"),
    row("$3\r\nabc\rx", "no CR LF after a string"),
    row("+a\rb\r\n", "bare CR in a reply line"),
    row("+a\n", "line feed in a reply line"),
    row(":1\n", "malformed number in a reply"),
    row(":1\r1", "bare CR in a reply line"),
    row("+0123456789012345678901234567890123456789\r\n",
        "reply is too large"),
    row(">1\r\n+x\r\n", "RESP3 push message"),
    row("%1\r\n", "unknown type of a reply"),
    row("_\r\n", "unknown type of a reply"),
    row("#t\r\n", "unknown type of a reply"),
    row("HTTP/1.1 400 Bad Request\r\n", "unknown type of a reply"),
    row("\r\n", "unknown type of a reply"),
    row("+ok\r\n\r\n", "unknown type of a reply")
};


static gw_resp_limits_t  limits = { 40, 5, 2 };


static const char *
feed(row_t *r, size_t first, size_t rest)
{
    size_t     pos, n;
    gw_resp_t  s;

    gw_resp_init(&s, &limits);

    for (pos = 0; pos < r->len; pos += n) {
        n = (pos == 0) ? first : rest;

        if (n > r->len - pos) {
            n = r->len - pos;
        }

        if (gw_resp_check(&s, (const unsigned char *) r->text + pos, n)
            != GW_OK)
        {
            /* what follows is refused too, whatever it is */

            if (gw_resp_check(&s, (const unsigned char *) "+OK\r\n", 5)
                != GW_ERROR)
            {
                return "accepted after an error";
            }

            return s.error;
        }
    }

    return NULL;
}


static int
same(const char *a, const char *b)
{
    return (a == NULL || b == NULL) ? a == b : strcmp(a, b) == 0;
}


int
main(void)
{
    int         pass;
    size_t      i, n;
    gw_resp_t   s;
    const char *error;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        error = feed(&rows[i], rows[i].len, 1);
        ok(same(error, rows[i].error), "row %zu: %s", i,
           error != NULL ? error : "accepted");

        pass = same(feed(&rows[i], 1, 1), rows[i].error);

        for (n = 1; n < rows[i].len; n++) {
            pass = pass && same(feed(&rows[i], n, rows[i].len),
                                rows[i].error);
        }

        ok(pass, "row %zu: the same over any split", i);
    }

    limits.depth = 100;
    gw_resp_init(&s, &limits);
    ok(s.limits.depth == GW_RESP_DEPTH_MAX, "depth is cut");

    limits.depth = 0;
    gw_resp_init(&s, &limits);
    ok(gw_resp_check(&s, (const unsigned char *) "*1\r\n", 4) == GW_ERROR,
       "depth 0 allows no array");

    return done();
}
