
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_cache_control.h"
#include "tap.h"


#define MAX  "2147483647"


/* answers of back ends, an empty one ends a row: lines, Expires, Age */

typedef struct {
    const char  *lines;         /* separated by newlines */
    int64_t      expires;
    int64_t      age;
} answer_t;


typedef struct {
    answer_t     answers[3];
    int          authorized;
    const char  *merged;
} row_t;


#define ONE(lines, merged)     { { { lines, -1, 0 } }, 0, merged }
#define TWO(a, b, merged)                                                     \
    { { { a, -1, 0 }, { b, -1, 0 } }, 0, merged }
#define AUTH(a, b, merged)                                                    \
    { { { a, -1, 0 }, { b, -1, 0 } }, 1, merged }


static const row_t  rows[] = {
    ONE("", ""),
    ONE("max-age=60", "max-age=60"),
    ONE("MAX-AGE=60", "max-age=60"),
    ONE("max-age=\"60\"", "max-age=60"),
    ONE("max-age = 60", "max-age=60"),
    ONE("max-age=060", "max-age=60"),
    ONE("max-age=0", "max-age=0"),

    /* what is no number is stale */
    ONE("max-age", "max-age=0"),
    ONE("max-age=", "max-age=0"),
    ONE("max-age=-1", "max-age=0"),
    ONE("max-age=+1", "max-age=0"),
    ONE("max-age=1.5", "max-age=0"),
    ONE("max-age=1e3", "max-age=0"),
    ONE("max-age=\"\"", "max-age=0"),
    ONE("max-age=\"60", "max-age=0"),
    ONE("max-age=60s", "max-age=0"),
    ONE("max-age=abc", "max-age=0"),

    /* large ones are clipped */
    ONE("max-age=2147483647", "max-age=" MAX),
    ONE("max-age=2147483648", "max-age=" MAX),
    ONE("max-age=99999999999", "max-age=" MAX),
    ONE("max-age=18446744073709551615", "max-age=" MAX),
    ONE("max-age=18446744073709551616", "max-age=" MAX),
    ONE("max-age=1000000000000000000000000000000000000", "max-age=" MAX),

    /* duplicates: the smallest one */
    ONE("max-age=60, max-age=10", "max-age=10"),
    ONE("max-age=10, max-age=60", "max-age=10"),
    ONE("max-age=60\nmax-age=10", "max-age=10"),
    ONE("max-age=60, max-age=x", "max-age=0"),
    ONE("no-cache, no-cache", "no-cache"),

    /* lists */
    ONE("max-age=60,must-revalidate", "max-age=60, must-revalidate"),
    ONE(" ,, max-age=60 ,\t, ", "max-age=60"),
    ONE("must-revalidate max-age=60", "max-age=60, must-revalidate"),
    ONE("no-transform, proxy-revalidate, no-cache",
        "no-cache, proxy-revalidate, no-transform"),

    /* what is unknown */
    ONE("community=\"UCI\", max-age=60", "max-age=60"),
    ONE("immutable, stale-while-revalidate=30, max-age=60", "max-age=60"),
    ONE("x-max-age=10, max-age=60", "max-age=60"),
    ONE("max-ages=10, max-agE=60", "max-age=60"),
    ONE("no-stores, no-stor", ""),
    ONE("=60, =, max-age=60", "max-age=60"),

    /* quoted strings */
    ONE("a=\"no-store, private\", max-age=60", "max-age=60"),
    ONE("a=\"\\\", no-store, \\\\\", max-age=60", "max-age=60"),
    ONE("a=\"no-store\"x, max-age=60", "max-age=60"),
    ONE("a=\"b, no-store", "no-store"),
    ONE("a=\"b\\\", private", "private"),
    ONE("a=\"\\", ""),
    ONE("a=\"", ""),
    ONE("no-cache=\"Set-Cookie, X\", max-age=60", "no-cache, max-age=60"),
    ONE("private=\"X\", max-age=60", "private, max-age=60"),

    /* nothing goes above no-store */
    ONE("no-store, max-age=60, private", "no-store"),
    ONE("NO-STORE", "no-store"),
    ONE("no-store=1", "no-store"),

    /* shared caches */
    ONE("s-maxage=60", "max-age=60"),
    ONE("s-maxage=60, max-age=10", "max-age=10, s-maxage=60"),
    ONE("s-maxage=10, max-age=60", "max-age=10"),
    ONE("s-maxage=60, max-age=0", "max-age=0, s-maxage=60"),
    ONE("s-maxage=60, max-age=10, private", "private, max-age=10"),
    ONE("public, max-age=10", "public, max-age=10"),
    ONE("public, private", "private"),

    /* several answers */
    TWO("max-age=60", "max-age=10", "max-age=10"),
    TWO("max-age=60", "", "max-age=0"),
    TWO("", "", ""),
    TWO("", "no-cache", "no-cache"),
    TWO("max-age=60", "no-store", "no-store"),
    TWO("private, max-age=60", "max-age=10", "private, max-age=10"),
    TWO("private", "", "private"),
    TWO("public, max-age=5", "public, max-age=9", "public, max-age=5"),
    TWO("public, max-age=5", "max-age=9", "max-age=5"),
    TWO("max-age=5, s-maxage=50", "max-age=9", "max-age=5, s-maxage=9"),
    TWO("max-age=5, s-maxage=50", "max-age=9, s-maxage=8",
        "max-age=5, s-maxage=8"),
    TWO("max-age=5, s-maxage=50", "", "max-age=0"),
    TWO("must-revalidate", "no-transform", "must-revalidate, no-transform"),

    /* RFC 9111, 3.5: what answers a request with Authorization */
    AUTH("max-age=5", "max-age=9", "private, max-age=5"),
    AUTH("public, max-age=5", "max-age=9", "private, max-age=5"),
    AUTH("must-revalidate, max-age=5", "max-age=9",
         "private, max-age=5, must-revalidate"),
    AUTH("must-revalidate", "", "private, must-revalidate"),
    AUTH("public, max-age=5", "public, max-age=9", "public, max-age=5"),
    AUTH("public, max-age=5", "s-maxage=9", "max-age=5"),
    AUTH("", "", ""),

    /* Expires and age */
    { { { "", 60, 0 } }, 0, "max-age=60" },
    { { { "", 0, 0 } }, 0, "max-age=0" },
    { { { "", -60, 0 } }, 0, "max-age=0" },
    { { { "max-age=10", 60, 0 } }, 0, "max-age=10" },
    { { { "s-maxage=10", 60, 0 } }, 0, "max-age=10" },
    { { { "s-maxage=60", 10, 0 } }, 0, "max-age=10, s-maxage=60" },
    { { { "", 0x7fffffffffffffffLL, 0 } }, 0, "max-age=" MAX },
    { { { "max-age=60", -1, 20 } }, 0, "max-age=40" },
    { { { "max-age=60", -1, 60 } }, 0, "max-age=0" },
    { { { "max-age=60", -1, GW_CACHE_SECONDS_MAX } }, 0, "max-age=0" },
    { { { "max-age=" MAX, -1, 1 } }, 0, "max-age=2147483646" },
    { { { "", 60, 20 } }, 0, "max-age=40" },
    { { { "max-age=60", -1, 0 }, { "max-age=60", -1, 20 } }, 0,
      "max-age=40" },
    { { { "max-age=60", -1, 50 }, { "", 30, 5 }, { "s-maxage=20", -1, 0 } },
      0, "max-age=10" },
};


typedef struct {
    const char  *text;
    int64_t      seconds;
} seconds_t;


static const seconds_t  numbers[] = {
    { "0", 0 },
    { "00012", 12 },
    { "2147483647", 2147483647 },
    { "2147483648", 2147483647 },
    { "99999999999999999999999999", 2147483647 },
    { "", -1 },
    { "-1", -1 },
    { " 1", -1 },
    { "1,2", -1 },
    { "99999999999999999999999999x", -1 },
};


/* each line of its own memory: a sanitizer sees one byte too many */

static void
parse_line(gw_cache_control_t *cc, const char *text, size_t len)
{
    u_char  *data;

    data = malloc(len ? len : 1);
    memcpy(data, text, len);
    gw_cache_control_parse(cc, data, len);
    free(data);
}


static void
test_row(const row_t *row)
{
    size_t               i, len;
    u_char              *p, buf[GW_CACHE_MERGE_SIZE];
    const char          *text, *end;
    gw_cache_merge_t     merge;
    gw_cache_control_t   cc;

    gw_cache_merge_init(&merge);

    for (i = 0; i < 3 && row->answers[i].lines != NULL; i++) {
        gw_cache_control_init(&cc);

        for (text = row->answers[i].lines; *text; text = end + (*end != 0)) {
            end = strchr(text, '\n');
            end = (end != NULL) ? end : text + strlen(text);
            parse_line(&cc, text, (size_t) (end - text));
        }

        gw_cache_merge_add(&merge, &cc, row->answers[i].expires,
                           row->answers[i].age);
    }

    p = gw_cache_merge_write(&merge, buf, row->authorized);
    len = (size_t) (p - buf);

    ok(len == strlen(row->merged) && memcmp(buf, row->merged, len) == 0,
       "%s ... -> %.*s", row->answers[0].lines, (int) len, buf);
}


static void
test_size(void)
{
    u_char              *p, *buf;
    gw_cache_merge_t     merge;
    gw_cache_control_t   cc;
    static const char    text[] = "public, max-age=2147483646, s-maxage=" MAX
                                  ", no-cache, must-revalidate, "
                                  "proxy-revalidate, no-transform";

    gw_cache_control_init(&cc);
    gw_cache_control_parse(&cc, (const u_char *) text, sizeof(text) - 1);
    gw_cache_merge_init(&merge);
    gw_cache_merge_add(&merge, &cc, -1, 0);

    buf = malloc(GW_CACHE_MERGE_SIZE);
    p = gw_cache_merge_write(&merge, buf, 0);
    ok(p - buf == sizeof(text) - 1, "the longest one: %d", (int) (p - buf));
    free(buf);

    gw_cache_merge_init(&merge);
    p = (u_char *) &merge;
    ok(gw_cache_merge_write(&merge, p, 1) == p, "no answers, no bytes");
}


static void
test_vary(const char *lines, const char *expected)
{
    size_t       len;
    u_char      *list;
    const char  *text, *end;

    list = malloc(2 * strlen(lines) + 2);
    len = 0;

    for (text = lines; *text; text = end + (*end != 0)) {
        end = strchr(text, '\n');
        end = (end != NULL) ? end : text + strlen(text);
        gw_vary_add(list, &len, (const u_char *) text, (size_t) (end - text));
    }

    ok(len == strlen(expected) && memcmp(list, expected, len) == 0,
       "Vary: %.*s", (int) len, list);
    free(list);
}


int
main(void)
{
    size_t  i, len;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_row(&rows[i]);
    }

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        len = strlen(numbers[i].text);
        ok(gw_cache_seconds((const u_char *) numbers[i].text, len)
           == numbers[i].seconds, "seconds \"%s\"", numbers[i].text);
    }

    test_size();

    test_vary("", "");
    test_vary("Accept", "Accept");
    test_vary("Accept,Cookie", "Accept, Cookie");
    test_vary("Accept, Cookie\naccept\nCOOKIE , X", "Accept, Cookie, X");
    test_vary("Accept\nAccept-Language\nAccep", "Accept, Accept-Language, "
                                               "Accep");
    test_vary(", ,\t,a,,b ,", "a, b");
    test_vary("Accept, *\nCookie", "*");
    test_vary("*\n*", "*");
    test_vary("Accept\n*, Cookie", "*");
    test_vary("a,b,c,d,e", "a, b, c, d, e");

    return tap_done();
}
