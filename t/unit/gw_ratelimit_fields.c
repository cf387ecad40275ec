
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_ratelimit_fields.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>


#define SEC   1000000LL
#define HUGE  0x7fffffffffffffffLL
#define NAME  (const u_char *)


typedef struct {
    const char  *name;
    int64_t      quota;
    int64_t      window;
    int64_t      burst;
    int64_t      remaining;
    int64_t      reset;
    const char  *policy;
    const char  *state;
    const char  *unit;
} row_t;


static row_t  rows[] = {
    { "ip", 50, 1, 100, 12, 20000,
      "\"ip\";q=50;w=1;gw-burst=100", "\"ip\";r=12;t=1", NULL },
    { "ip", 50, 1, 0, 1, 0, "\"ip\";q=50;w=1", "\"ip\";r=1", NULL },
    { "c", 50, 0, 49, 12, 0, "\"c\";q=50;qu=\"concurrent-requests\"",
      "\"c\";r=12", "concurrent-requests" },
    { "b", 50, 60, 5, 12, 0,
      "\"b\";q=50;qu=\"content-bytes\";w=60;gw-burst=5",
      "\"b\";r=12", "content-bytes" },
    { "\"\"\"\"", HUGE, HUGE, HUGE, HUGE, HUGE,
      "\"\\\"\\\"\\\"\\\"\";q=999999999999999;qu=\"u\";w=999999999999999"
      ";gw-burst=999999999999999",
      "\"\\\"\\\"\\\"\\\"\";r=999999999999999;t=9223372036855", "u" },
    { "monthly", 5000000, 2592000, 0, 4123, 86400 * SEC,
      "\"monthly\";q=5000000;w=2592000", "\"monthly\";r=4123;t=86400", NULL },
    { "a", 1, 60, 0, 0, SEC, "\"a\";q=1;w=60", "\"a\";r=0;t=1", NULL },
    { "a", 1, 60, 0, 0, SEC + 1, "\"a\";q=1;w=60", "\"a\";r=0;t=2", NULL },
    { "a", 1, 60, 0, 0, SEC - 1, "\"a\";q=1;w=60", "\"a\";r=0;t=1", NULL },
    { "a", 1, 60, 0, 0, 60 * SEC, "\"a\";q=1;w=60", "\"a\";r=0;t=60", NULL },
    { "a", 1, 1, 0, -5, -5, "\"a\";q=1;w=1", "\"a\";r=0", NULL },
    { "two words", 1, 1, 0, 1, 0, "\"two words\";q=1;w=1",
      "\"two words\";r=1", NULL },
    { "q\"b\\e", 1, 1, 0, 1, 0, "\"q\\\"b\\\\e\";q=1;w=1",
      "\"q\\\"b\\\\e\";r=1", NULL },
    { "\"\"\"\"", HUGE, HUGE, HUGE, HUGE, HUGE,
      "\"\\\"\\\"\\\"\\\"\";q=999999999999999;w=999999999999999"
      ";gw-burst=999999999999999",
      "\"\\\"\\\"\\\"\\\"\";r=999999999999999;t=9223372036855", NULL },
};


static int
same(const u_char *start, const u_char *end, const char *text)
{
    return (size_t) (end - start) == strlen(text)
           && memcmp(start, text, strlen(text)) == 0;
}


static void
test_rows(void)
{
    row_t                *row;
    size_t                i;
    u_char               *buf, *p;
    gw_ratelimit_item_t   item;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row = &rows[i];

        item.name = (const u_char *) row->name;
        item.name_len = strlen(row->name);
        item.unit = row->unit;
        item.quota = row->quota;
        item.window = row->window;
        item.burst = row->burst;
        item.remaining = row->remaining;
        item.reset = row->reset;

        /* of the exact size: a sanitizer sees one byte too many */

        buf = malloc(gw_ratelimit_item_size(&item));

        p = gw_ratelimit_policy(buf, &item);
        ok(same(buf, p, row->policy), "%s", row->policy);

        p = gw_ratelimit_state(buf, &item);
        ok(same(buf, p, row->state), "%s", row->state);

        free(buf);
    }
}


static void
test_seconds(void)
{
    u_char  buf[15];

    ok(same(buf, gw_ratelimit_seconds(buf, 0), "1"), "never zero");
    ok(same(buf, gw_ratelimit_seconds(buf, 1), "1"), "rounded up");
    ok(same(buf, gw_ratelimit_seconds(buf, SEC), "1"), "one second");
    ok(same(buf, gw_ratelimit_seconds(buf, SEC + 1), "2"), "and more");
    ok(same(buf, gw_ratelimit_seconds(buf, 90 * SEC), "90"), "whole seconds");
    ok(same(buf, gw_ratelimit_seconds(buf, HUGE), "9223372036855"),
       "largest");
}


static void
test_nearer(void)
{
    gw_ratelimit_item_t  a, b;

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));

    a.capacity = 10;
    a.remaining = 5;
    b.capacity = 100;
    b.remaining = 40;

    ok(gw_ratelimit_nearer(&b, &a) && !gw_ratelimit_nearer(&a, &b),
       "less of the bucket is left");

    a.remaining = 0;
    b.remaining = 0;
    a.reset = 10;
    b.reset = 20;

    ok(gw_ratelimit_nearer(&b, &a) && !gw_ratelimit_nearer(&a, &b),
       "the longer wait of two that are spent");

    a.remaining = 10;
    b.remaining = 100;

    ok(gw_ratelimit_nearer(&a, &b) && !gw_ratelimit_nearer(&b, &a),
       "the smaller one of two that are full");
    ok(!gw_ratelimit_nearer(&a, &a), "not nearer than itself");
}


static void
test_names(void)
{
    u_char  name[GW_RATELIMIT_NAME_MAX + 1];

    memset(name, 'a', sizeof(name));

    ok(gw_ratelimit_name_valid(NAME "ip", 2), "a name");
    ok(gw_ratelimit_name_valid(NAME " ~\"\\", 4), "printable ASCII");
    ok(!gw_ratelimit_name_valid(NAME "", 0), "empty");
    ok(!gw_ratelimit_name_valid(NAME "a\tb", 3), "control character");
    ok(!gw_ratelimit_name_valid(NAME "a\0b", 3), "NUL");
    ok(!gw_ratelimit_name_valid(NAME "a\x7f", 2), "DEL");
    ok(!gw_ratelimit_name_valid(NAME "\xc3\xa4", 2), "not ASCII");
    ok(gw_ratelimit_name_valid(name, GW_RATELIMIT_NAME_MAX), "longest");
    ok(!gw_ratelimit_name_valid(name, GW_RATELIMIT_NAME_MAX + 1), "too long");
}


static void
test_problem(void)
{
    u_char  *buf, *p;

    buf = malloc(gw_ratelimit_problem_size(7));
    p = gw_ratelimit_problem(buf, GW_RATELIMIT_QUOTA_EXCEEDED, 429,
                             NAME "monthly", 7);

    ok(same(buf, p, "{\"type\":\"https://iana.org/assignments/"
                    "http-problem-types#quota-exceeded\","
                    "\"title\":\"Request cannot be satisfied as assigned "
                    "quota has been exceeded\",\"status\":429,"
                    "\"violated-policies\":[\"monthly\"]}"),
       "quota exceeded");

    p = gw_ratelimit_problem(buf, GW_RATELIMIT_REDUCED_CAPACITY, 503, NULL, 0);

    ok(same(buf, p, "{\"type\":\"https://iana.org/assignments/"
                    "http-problem-types#temporary-reduced-capacity\","
                    "\"title\":\"Request cannot be satisfied due to "
                    "temporary server capacity constraints\","
                    "\"status\":503}"),
       "temporary reduced capacity");

    free(buf);

    buf = malloc(gw_ratelimit_problem_size(4));
    p = gw_ratelimit_problem(buf, GW_RATELIMIT_QUOTA_EXCEEDED, 599,
                             NAME "\"\\\"\\", 4);

    ok((size_t) (p - buf) <= gw_ratelimit_problem_size(4)
       && memcmp(p - 13, "[\"\\\"\\\\\\\"\\\\\"]}", 13) == 0,
       "name is escaped");

    free(buf);
}


int
main(void)
{
    test_rows();
    test_seconds();
    test_nearer();
    test_names();
    test_problem();

    return done();
}
