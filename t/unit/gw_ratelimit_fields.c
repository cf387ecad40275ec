
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

        memset(&item, 0, sizeof(item));

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

        p = gw_ratelimit_policy(buf, &item, 0);
        ok(same(buf, p, row->policy), "%s", row->policy);

        p = gw_ratelimit_state(buf, &item, 0);
        ok(same(buf, p, row->state), "%s", row->state);

        free(buf);
    }
}


/* every writer of every generation */

static void
test_sets(void)
{
    u_char                      *buf, *p;
    unsigned                     i;
    gw_ratelimit_item_t          item;
    const gw_ratelimit_field_t  *field;

    static const struct {
        gw_ratelimit_set_e    set;
        const char           *name;
        gw_ratelimit_scope_e  scope;
        const char           *value;
        const char           *full;       /* of a full bucket */
    } fields[] = {
        { GW_RATELIMIT_DRAFT_08, "RateLimit-Policy", GW_RATELIMIT_EACH,
          "\"ip\";q=50;w=60;gw-burst=99;pk=:AAECAwQF/v/9:",
          "\"ip\";q=50;w=60;gw-burst=99" },
        { GW_RATELIMIT_DRAFT_08, "RateLimit", GW_RATELIMIT_NEAREST,
          "\"ip\";r=7;t=3;pk=:AAECAwQF/v/9:", "\"ip\";r=100" },
        { GW_RATELIMIT_DRAFT_00, "RateLimit-Limit", GW_RATELIMIT_PLAIN,
          "100", "100" },
        { GW_RATELIMIT_DRAFT_00, "RateLimit-Remaining", GW_RATELIMIT_PLAIN,
          "7", "100" },
        { GW_RATELIMIT_DRAFT_00, "RateLimit-Reset", GW_RATELIMIT_PLAIN,
          "3", "0" },
        { GW_RATELIMIT_X, "X-RateLimit-Limit", GW_RATELIMIT_PLAIN,
          "100", "100" },
        { GW_RATELIMIT_X, "X-RateLimit-Remaining", GW_RATELIMIT_PLAIN,
          "7", "100" },
        { GW_RATELIMIT_X, "X-RateLimit-Reset", GW_RATELIMIT_PLAIN, "3", "0" },
        { GW_RATELIMIT_X_EPOCH, "X-RateLimit-Limit", GW_RATELIMIT_PLAIN,
          "100", "100" },
        { GW_RATELIMIT_X_EPOCH, "X-RateLimit-Remaining", GW_RATELIMIT_PLAIN,
          "7", "100" },
        { GW_RATELIMIT_X_EPOCH, "X-RateLimit-Reset", GW_RATELIMIT_PLAIN,
          "1700000003", "1700000000" },
        { GW_RATELIMIT_NEXT, "RateLimit-Policy", GW_RATELIMIT_EACH,
          "\"ip\";q=50;w=60;gw-burst=99;pk=:AAECAwQF/v/9:",
          "\"ip\";q=50;w=60;gw-burst=99" },
        { GW_RATELIMIT_NEXT, "RateLimit", GW_RATELIMIT_NEAREST,
          "\"ip\";a=7;w=3;c=4;pk=:AAECAwQF/v/9:", "\"ip\";a=100" }
    };

    field = NULL;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {

        if (i == 0 || fields[i].set != fields[i - 1].set) {
            field = gw_ratelimit_set(fields[i].set);
        }

        ok(field->name != NULL
           && strcmp(field->name, fields[i].name) == 0
           && field->len == strlen(fields[i].name)
           && field->scope == fields[i].scope,
           "%s of generation %d", fields[i].name, fields[i].set);

        memset(&item, 0, sizeof(item));

        item.name = NAME "ip";
        item.name_len = 2;
        item.quota = 50;
        item.window = 60;
        item.burst = 99;
        item.capacity = 100;
        item.remaining = 7;
        item.reset = 2 * SEC + 1;
        item.cost = 4;
        item.partition = NAME "\0\1\2\3\4\5\xfe\xff\xfd";

        buf = malloc(gw_ratelimit_item_size(&item));

        p = field->write(buf, &item, 1700000000);
        ok(same(buf, p, fields[i].value), "its value %s", fields[i].value);

        item.partition = NULL;
        item.remaining = 100;
        item.reset = 0;
        item.cost = 0;

        p = field->write(buf, &item, 1700000000);
        ok(same(buf, p, fields[i].full), "its value %s", fields[i].full);

        free(buf);

        field++;

        if (i + 1 == sizeof(fields) / sizeof(fields[0])
            || fields[i + 1].set != fields[i].set)
        {
            ok(field->name == NULL, "the last one");
        }
    }
}


static void
test_text(void)
{
    u_char               *buf;
    gw_ratelimit_item_t   item;

    memset(&item, 0, sizeof(item));

    item.name = NAME "ip";
    item.name_len = 2;
    item.text = NAME "\"ip\";q=8";
    item.text_len = 8;
    item.quoted = 4;
    item.partition = NAME "123456789";

    buf = malloc(gw_ratelimit_item_size(&item));

    ok(same(buf, gw_ratelimit_policy(buf, &item, 0),
            "\"ip\";q=8;pk=:MTIzNDU2Nzg5:"),
       "a policy that was written before");

    free(buf);
}


static void
test_partition(void)
{
    u_char    a[GW_RATELIMIT_PARTITION], b[GW_RATELIMIT_PARTITION];
    uint64_t  seed[2] = { 1, 2 }, other[2] = { 1, 3 };
    uint64_t  key[2] = { 0x1122334455667788ULL, 9 }, key2[2] = { 7, 9 };

    gw_ratelimit_partition(seed, key, a);
    gw_ratelimit_partition(seed, key, b);
    ok(memcmp(a, b, sizeof(a)) == 0, "the same partition");

    gw_ratelimit_partition(seed, key2, b);
    ok(memcmp(a, b, sizeof(a)) != 0, "another key");

    gw_ratelimit_partition(other, key, b);
    ok(memcmp(a, b, sizeof(a)) != 0, "another secret");

    ok(memcmp(a, key, 8) != 0, "not the key");
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
    test_sets();
    test_text();
    test_partition();
    test_seconds();
    test_nearer();
    test_names();
    test_problem();

    return done();
}
