
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The JSON scanner next to jansson on generated documents.
 *
 *     cc -O2 -Ilib bench/json_scan_bench.c lib/gw_json_scan.c
 *         lib/gw_json_block.c lib/gw_json_block_avx2.c lib/gw_json_shape.c
 *         lib/gw_json_pointer.c lib/gw_json_escape.c -ljansson
 *
 *     ./a.out                 the table: best of several runs, MB/s
 *     ./a.out name loops      one document, the scanner alone, for callgrind
 */


#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gw_json_scan.h"


#define BENCH_SIZE   (1024 * 1024)      /* bytes of a document */
#define BENCH_ROOM   4096               /* the longest item */
#define BENCH_TIME   0.15               /* seconds for each figure */
#define BENCH_PIECE  16384              /* bytes, as buffers of nginx are */


typedef struct {
    const char  *name;
    size_t     (*item)(char *p, size_t n);
} bench_doc_t;


static uint64_t bench_random(uint64_t below);
static double bench_now(void);
static size_t bench_integers(char *p, size_t n);
static size_t bench_reals(char *p, size_t n);
static size_t bench_strings(char *p, size_t n);
static size_t bench_short(char *p, size_t n);
static size_t bench_utf8(char *p, size_t n);
static size_t bench_escapes(char *p, size_t n);
static size_t bench_brackets(char *p, size_t n);
static size_t bench_mixed(char *p, size_t n);
static size_t bench_pretty(char *p, size_t n);
static size_t bench_service(char *p, size_t n);
static size_t bench_deep(char *p, size_t n);
static char *bench_make(const bench_doc_t *doc, size_t *len);
static void bench_scan(const char *text, size_t len, size_t piece,
    const gw_json_trie_t *trie);
static double bench_rate(const char *text, size_t len, size_t piece,
    const gw_json_trie_t *trie);
static double bench_jansson(const char *text, size_t len);


static const bench_doc_t  bench_docs[] = {
    { "integers", bench_integers },
    { "reals", bench_reals },
    { "strings", bench_strings },
    { "short", bench_short },
    { "utf8", bench_utf8 },
    { "escapes", bench_escapes },
    { "brackets", bench_brackets },
    { "deep", bench_deep },
    { "mixed", bench_mixed },
    { "service", bench_service },
    { "pretty", bench_pretty }
};


static uint64_t
bench_random(uint64_t below)
{
    static uint64_t  seed = 88172645463325252;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed % below;
}


static double
bench_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static size_t
bench_integers(char *p, size_t n)
{
    (void) n;

    return sprintf(p, "%llu",
                   (unsigned long long) bench_random(
                                            UINT64_C(1) << bench_random(34)));
}


static size_t
bench_reals(char *p, size_t n)
{
    (void) n;

    return sprintf(p, "%.*g", (int) bench_random(14) + 3,
                   (double) bench_random(1000000000) / 7e5 - 500);
}


static size_t
bench_strings(char *p, size_t n)
{
    size_t  i, len;

    (void) n;

    len = bench_random(600) + 40;
    p[0] = '"';

    for (i = 1; i <= len; i++) {
        p[i] = (char) ('a' + bench_random(26));
    }

    if (bench_random(4) == 0) {
        memcpy(p + len / 2, "\\n", 2);
    }

    p[i] = '"';

    return len + 2;
}


static size_t
bench_short(char *p, size_t n)
{
    size_t  i, len;

    (void) n;

    len = bench_random(20);
    p[0] = '"';

    for (i = 1; i <= len; i++) {
        p[i] = (char) ('a' + bench_random(26));
    }

    p[i] = '"';

    return len + 2;
}


static size_t
bench_utf8(char *p, size_t n)
{
    char    *start;
    size_t   i;

    static const char *const  words[] = {
        "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 ",
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "caf\xc3\xa9 ",
        "\xf0\x9f\x98\x80", "ascii words ", "na\xc3\xafve "
    };

    (void) n;

    start = p;
    *p++ = '"';

    for (i = bench_random(40); i > 0; i--) {
        p += sprintf(p, "%s", words[bench_random(6)]);
    }

    *p++ = '"';

    return p - start;
}


static size_t
bench_escapes(char *p, size_t n)
{
    char    *start;
    size_t   i;

    static const char *const  words[] = {
        "\\u043f\\u0440\\u0438\\u0432\\u0435\\u0442", "\\n", "\\\"", "word ",
        "\\\\", "two words "
    };

    (void) n;

    start = p;
    *p++ = '"';

    for (i = bench_random(40); i > 0; i--) {
        p += sprintf(p, "%s", words[bench_random(6)]);
    }

    *p++ = '"';

    return p - start;
}


/* nothing but brackets of either kind: the worst that there is */

static size_t
bench_brackets(char *p, size_t n)
{
    size_t  i, depth;
    char   *start;
    char    kinds[256];

    (void) n;

    start = p;
    depth = bench_random(200) + 10;

    for (i = 0; i < depth; i++) {
        kinds[i] = (char) bench_random(2);
        p += sprintf(p, "%s", kinds[i] ? "[" : "{\"k\":");
    }

    *p++ = '1';

    while (i > 0) {
        *p++ = kinds[--i] ? ']' : '}';
    }

    return p - start;
}


static size_t
bench_mixed(char *p, size_t n)
{
    static const char *const  names[] = { "Ann", "Robert", "Zo\xc3\xab",
                                          "J\\u00fcrgen", "Li", "Alexandra" };

    return sprintf(p, "{\"id\":%u,\"name\":\"%s\",\"email\":\"user%u@example."
                   "com\",\"active\":%s,\"score\":%u.%u,\"tags\":[\"t%u\","
                   "\"a longer tag\"],\"address\":{\"street\":\"%u High "
                   "Street\",\"city\":null,\"geo\":[%d.%04u,%u.5]},"
                   "\"created\":\"2024-01-0%uT10:%02u:00Z\",\"note\":\"\"}",
                   (unsigned) n, names[bench_random(6)],
                   (unsigned) bench_random(100000),
                   bench_random(2) ? "true" : "false",
                   (unsigned) bench_random(1000), (unsigned) bench_random(100),
                   (unsigned) bench_random(50), (unsigned) bench_random(500),
                   (int) bench_random(180) - 90,
                   (unsigned) bench_random(10000),
                   (unsigned) bench_random(90),
                   (unsigned) bench_random(9) + 1,
                   (unsigned) bench_random(60));
}


static size_t
bench_pretty(char *p, size_t n)
{
    return sprintf(p, "\n    {\n        \"id\": %u,\n        \"values\": [\n"
                   "            %u,\n            %u\n        ],\n"
                   "        \"ok\": true,\n        \"name\": \"item %u\"\n"
                   "    }", (unsigned) n, (unsigned) bench_random(1000),
                   (unsigned) bench_random(1000000),
                   (unsigned) bench_random(1000));
}


/* as in bench/run: each item has escapes */

static size_t
bench_service(char *p, size_t n)
{
    return sprintf(p, "{\"id\":%u,\"name\":\"article %u\",\"price\":%u.%02u,"
                   "\"tags\":[\"new\",\"caf\\u00e9\",\"\\\"quoted\\\"\"],"
                   "\"in_stock\":true,\"note\":null}", (unsigned) n,
                   (unsigned) n, (unsigned) n * 7 % 100, (unsigned) n % 100);
}


/* comments and the answers to them, 10 to 60 levels of both kinds */

static size_t
bench_deep(char *p, size_t n)
{
    size_t  i, depth;
    char   *start;

    start = p;
    depth = bench_random(25) + 5;

    for (i = 0; i < depth; i++) {
        p += sprintf(p, "{\"id\":%u,\"by\":\"user%u\",\"up\":%s,\"answers\":[",
                     (unsigned) (n * 100 + i), (unsigned) bench_random(1000),
                     bench_random(2) ? "true" : "false");
    }

    while (i > 0) {
        p += sprintf(p, "]}");
        i--;
    }

    return p - start;
}


static char *
bench_make(const bench_doc_t *doc, size_t *len)
{
    char    *text, *p;
    size_t   n;

    text = malloc(BENCH_SIZE + BENCH_ROOM);

    if (text == NULL) {
        exit(1);
    }

    p = text;
    *p++ = '[';

    for (n = 0; p - text < BENCH_SIZE; n++) {
        if (n) {
            *p++ = ',';
        }

        p += doc->item(p, n);
    }

    *p++ = ']';
    *len = p - text;

    return text;
}


static void
bench_scan(const char *text, size_t len, size_t piece,
    const gw_json_trie_t *trie)
{
    size_t           pos;
    gw_json_scan_t   s;
    gw_json_range_t  range;

    gw_json_scan_init(&s, GW_JSON_SCAN_DEPTH);

    if (trie) {
        gw_json_scan_track(&s, trie, &range);
    }

    for (pos = 0; pos < len; pos += piece) {
        gw_json_scan_feed(&s, (u_char *) text + pos,
                          piece < len - pos ? piece : len - pos);
    }

    if (gw_json_scan_finish(&s) != GW_JSON_SCAN_OK) {
        fprintf(stderr, "%s at %zu\n", gw_json_scan_name(s.error), s.offset);
        exit(1);
    }
}


static double
bench_rate(const char *text, size_t len, size_t piece,
    const gw_json_trie_t *trie)
{
    double  start, end, now, best;

    best = 1e9;
    end = bench_now() + BENCH_TIME;

    do {
        start = bench_now();
        bench_scan(text, len, piece, trie);
        now = bench_now();

        if (now - start < best) {
            best = now - start;
        }

    } while (now < end);

    return (double) len / best / 1e6;
}


static double
bench_jansson(const char *text, size_t len)
{
    double         start, end, now, best;
    json_t        *json;
    json_error_t   error;

    best = 1e9;
    end = bench_now() + BENCH_TIME;

    do {
        start = bench_now();
        json = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL,
                          &error);

        if (json == NULL) {
            fprintf(stderr, "jansson: %s\n", error.text);
            exit(1);
        }

        json_decref(json);
        now = bench_now();

        if (now - start < best) {
            best = now - start;
        }

    } while (now < end);

    return (double) len / best / 1e6;
}


int
main(int argc, char **argv)
{
    char                     *text;
    void                     *memory;
    double                    scan, pieces, track, jansson;
    size_t                    i, n, len;
    gw_json_text_t            pointer;
    gw_json_trie_t           *trie;
    gw_json_pointer_error_t   err;

    pointer.data = (u_char *) "/3/name";
    pointer.len = sizeof("/3/name") - 1;

    memory = malloc(gw_json_pointer_size(&pointer, 1));

    if (memory == NULL) {
        return 1;
    }

    trie = gw_json_pointer_compile(memory, &pointer, 1, &err);

    if (argc == 1) {
        printf("%-10s %9s %9s %9s %9s %7s\n", "MB/s", "whole", "16k",
               "pointer", "jansson", "ratio");
    }

    for (i = 0; i < sizeof(bench_docs) / sizeof(bench_docs[0]); i++) {
        if (argc > 1 && strcmp(argv[1], bench_docs[i].name) != 0) {
            continue;
        }

        text = bench_make(&bench_docs[i], &len);

        if (argc > 1) {
            for (n = argc > 2 ? atoi(argv[2]) : 1; n > 0; n--) {
                bench_scan(text, len, len, NULL);
            }

            printf("%zu\n", len);

        } else {
            scan = bench_rate(text, len, len, NULL);
            pieces = bench_rate(text, len, BENCH_PIECE, NULL);
            track = bench_rate(text, len, BENCH_PIECE, trie);
            jansson = bench_jansson(text, len);

            printf("%-10s %9.0f %9.0f %9.0f %9.1f %7.1f\n",
                   bench_docs[i].name, scan, pieces, track, jansson,
                   scan / jansson);
        }

        free(text);
    }

    free(memory);

    return 0;
}
