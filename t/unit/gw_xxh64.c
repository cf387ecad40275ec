
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_xxh64.h"
#include "tap.h"


#define LEN  101


/* the text is the first so many of the bytes that generate() makes */

typedef struct {
    size_t    len;
    uint64_t  hash;
} row_t;


/* the algorithm's own sanity check: lengths and hashes with the seed 0 */

static const row_t  rows[] = {
    { 0, 0xef46db3751d8e999ULL },
    { 1, 0xe934a84adb052768ULL },
    { 4, 0x9136a0dca57457eeULL },
    { 14, 0x8282dcc4994e35c8ULL },
    { 222, 0xb641ae8cb691c174ULL },
};


typedef struct {
    const char  *text;
    uint64_t     hash;
} text_t;


static const text_t  texts[] = {
    { "", 0xef46db3751d8e999ULL },
    { "a", 0xd24ec4f1a98c6e5bULL },
    { "abc", 0x44bc2cf5ad770999ULL },
};


static uint64_t
hash(const u_char *data, size_t len)
{
    gw_xxh64_t  x;

    gw_xxh64_init(&x);
    gw_xxh64_update(&x, data, len);

    return gw_xxh64_final(&x);
}


static void
generate(u_char *p, size_t n)
{
    uint64_t  gen;

    for (gen = 2654435761U; n; n--) {
        *p++ = (u_char) (gen >> 56);
        gen *= 11400714785074694797ULL;
    }
}


static void
test_rows(void)
{
    size_t  i;
    u_char  data[222];

    generate(data, sizeof(data));

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ok(hash(data, rows[i].len) == rows[i].hash, "%zu bytes",
           rows[i].len);
    }

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ok(hash((const u_char *) texts[i].text, strlen(texts[i].text))
           == texts[i].hash, "\"%s\"", texts[i].text);
    }
}


/* however it is cut, and of memory that ends where the text does */

static void
test_cuts(void)
{
    int          good;
    size_t       len, a, b;
    u_char      *data;
    uint64_t     whole;
    gw_xxh64_t   x;

    data = malloc(LEN);
    generate(data, LEN);
    good = 1;

    for (len = 0; len <= LEN; len++) {
        whole = hash(data + LEN - len, len);

        for (a = 0; a <= len; a++) {
            for (b = a; b <= len; b += 7) {
                gw_xxh64_init(&x);
                gw_xxh64_update(&x, data + LEN - len, a);
                gw_xxh64_update(&x, data + LEN - len + a, b - a);
                gw_xxh64_update(&x, data + LEN - len + b, len - b);
                good &= (gw_xxh64_final(&x) == whole);
            }
        }
    }

    ok(good, "every cut in three");

    good = 1;
    whole = hash(data, LEN);

    for (a = 0; a < 8 * LEN; a++) {
        data[a / 8] ^= (u_char) (1 << a % 8);
        good &= (hash(data, LEN) != whole);
        data[a / 8] ^= (u_char) (1 << a % 8);
    }

    ok(good, "every bit counts");
    free(data);
}


int
main(void)
{
    test_rows();
    test_cuts();

    return tap_done();
}
