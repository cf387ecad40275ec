
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * limit_keys KEYS MEGABYTES: rows K4 and K5 at full size.
 *
 * Fills the table of a zone with so many keys, of which every second one is
 * far ahead of its rate, and half as many again as it has slots; says what
 * it cost and what was pushed out.
 */


#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "gw_limit_store.h"


static int64_t
limit_keys_clock(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


/* ns a key */

static double
limit_keys_take(gw_limit_store_t *store, int64_t from, int64_t to,
    int64_t cost)
{
    int               len;
    char              text[32];
    int64_t           i, now, start;
    gw_gcra_t         gcra;
    gw_limit_key_t    key;
    gw_gcra_result_t  res;

    /* one unit an hour, in ns */
    gw_gcra_init(&gcra, 1, (int64_t) 3600 * 1000000000, 100);

    start = limit_keys_clock();

    for (i = from; i < to; i++) {
        len = snprintf(text, sizeof(text), "client-%" PRId64, i);
        now = limit_keys_clock();

        gw_limit_store_key(store, (u_char *) text, len, &key);
        gw_limit_store_take(store, &key, &gcra, &now, limit_keys_clock,
                            (i % 2) ? 1 : cost, &res);
    }

    return (double) (limit_keys_clock() - start) / (to - from);
}


static int64_t
limit_keys_kept(gw_limit_store_t *store, int64_t from, int64_t to,
    int64_t step)
{
    int             len;
    char            text[32];
    int64_t         i, kept;
    gw_limit_key_t  key;

    kept = 0;

    for (i = from; i < to; i += step) {
        len = snprintf(text, sizeof(text), "client-%" PRId64, i);
        gw_limit_store_key(store, (u_char *) text, len, &key);
        kept += (gw_limit_store_peek(store, &key) != 0);
    }

    return kept;
}


int
main(int argc, char **argv)
{
    void              *mem;
    size_t             size;
    double             ns;
    int64_t            keys, slots;
    uint64_t           seed[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };
    gw_limit_store_t  *store;

    if (argc != 3) {
        fprintf(stderr, "usage: limit_keys KEYS MEGABYTES\n");
        return 1;
    }

    keys = atoll(argv[1]);
    size = (size_t) atoll(argv[2]) << 20;

    mem = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1, 0);
    store = (mem == MAP_FAILED) ? NULL
                                : gw_limit_store_create(mem, size, seed);
    if (store == NULL) {
        fprintf(stderr, "limit_keys: no memory\n");
        return 1;
    }

    slots = (int64_t) store->buckets * GW_LIMIT_STORE_WAYS;

    printf("%" PRId64 " slots in %s MB\n", slots, argv[2]);

    ns = limit_keys_take(store, 0, keys, 50);

    printf("%" PRId64 " keys: %.0f ns each, %" PRIu64 " slots used, %" PRIu64
           " evicted, %" PRIu64 " unstored\n", keys, ns, store->used,
           store->evicted, store->unstored);
    printf("kept of those with 50 units taken: %.2f%%, with 1: %.2f%%\n",
           200.0 * limit_keys_kept(store, 0, keys, 2) / keys,
           200.0 * limit_keys_kept(store, 1, keys, 2) / keys);

    /* a crowd of new keys, each with one unit */

    store->evicted = 0;
    ns = limit_keys_take(store, keys, keys + slots / 2, 1);

    printf("%" PRId64 " more with 1 unit: %.0f ns each, %" PRIu64
           " evicted\n", slots / 2, ns, store->evicted);
    printf("kept of those with 50 units taken: %.2f%%, with 1: %.2f%%\n",
           200.0 * limit_keys_kept(store, 0, keys, 2) / keys,
           200.0 * limit_keys_kept(store, 1, keys, 2) / keys);

    return 0;
}
