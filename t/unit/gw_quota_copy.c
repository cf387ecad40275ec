
/*
 * Copyright (C) the nginx gateway modules developers
 */


/* Quotas that another one counts: what is known, and what is owed. */


#include "gw_quota_copy.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>


#define MEMORY  4096


static uint64_t           seed[2] = { 1, 2 };
static gw_quota_store_t  *store;


static gw_quota_key_t *
hash(unsigned n)
{
    static gw_quota_key_t  key;

    gw_quota_store_key(store, (u_char *) &n, sizeof(n), &key);

    return &key;
}


static void
fresh(void)
{
    static uint64_t  memory[MEMORY / 8];

    memset(memory, 0, MEMORY);
    store = gw_quota_store_create(memory, MEMORY, seed);
}


static void
test_known(void)
{
    int64_t            start;
    gw_quota_t         q = { 10, 0, 1000, 2000, 0 };
    gw_quota_result_t  res;

    fresh();

    ok(gw_quota_copy_take(store, hash(1), &q, 1500, 4, 0, &res) == GW_OK
       && res.used == 4 && res.limit == 10 && res.start == 1000
       && res.end == 2000 && store->owed == 4,
       "what nobody told of is owed");

    gw_quota_copy_set(store, hash(1), 1000, 5, 3);

    ok(gw_quota_copy_take(store, hash(1), &q, 1500, 5, 0, &res)
       == GW_DECLINED && res.used == 9 && res.limit == 13,
       "what was told and what is owed count, with units beside");
    ok(gw_quota_copy_take(store, hash(1), &q, 1500, 4, 0, &res) == GW_OK
       && res.used == 13, "all of it");
    ok(gw_quota_copy_take(store, hash(1), &q, 1500, 0, 0, &res)
       == GW_DECLINED && res.used == 13, "a cost of 0 looks");
    ok(gw_quota_copy_take(store, hash(1), &q, 1500, 2, 1, &res)
       == GW_DECLINED && res.used == 15 && store->owed == 10, "by force");

    gw_quota_copy_give(store, hash(1), 1000, 2);
    ok(gw_quota_copy_take(store, hash(1), &q, 1500, 0, 0, &res)
       == GW_DECLINED && res.used == 13 && store->owed == 8, "given back");

    gw_quota_copy_give(store, hash(1), 999, 2);
    ok(store->owed == 8, "nothing of another period");

    start = 0;
    ok(gw_quota_copy_settle(store, hash(1), &start, INT64_MAX) == 8
       && start == 1000 && store->owed == 0, "settled");
    ok(gw_quota_copy_settle(store, hash(1), &start, INT64_MAX) == 0,
       "only once");
    ok(gw_quota_copy_take(store, hash(1), &q, 1500, 1, 0, &res)
       == GW_DECLINED && res.used == 13, "it is known to be used");

    gw_quota_copy_owe(store, hash(1), 1000, 8);
    start = 1000;
    ok(gw_quota_copy_settle(store, hash(1), &start, 3) == 3
       && store->owed == 5, "owed again, and settled in part");

    start = 999;
    ok(gw_quota_copy_settle(store, hash(1), &start, 3) == 0,
       "not of another period");

    start = 0;
    ok(gw_quota_copy_settle(store, hash(2), &start, 3) == 0
       && start == 0, "an unknown key owes nothing");

    gw_quota_copy_set(store, hash(3), 1000, 0, -20);
    ok(gw_quota_copy_take(store, hash(3), &q, 1500, 1, 0, &res)
       == GW_DECLINED && res.limit == 0, "no limit below nothing");
}


static void
test_periods(void)
{
    int64_t            start;
    gw_quota_t         q = { 10, 4, 1000, 2000, 0 };
    gw_quota_t         f = { 10, 0, 1500, 0, 100 };
    gw_quota_result_t  res;

    fresh();

    gw_quota_copy_set(store, hash(1), 1000, 7, 0);
    (void) gw_quota_copy_take(store, hash(1), &q, 1500, 1, 0, &res);

    q.start = 2000;
    q.end = 3000;

    ok(gw_quota_copy_take(store, hash(1), &q, 2500, 0, 0, &res) == GW_OK
       && res.used == 0 && res.limit == 12 && res.start == 2000,
       "a new period, with what is left");

    start = 0;
    ok(gw_quota_copy_settle(store, hash(1), &start, INT64_MAX) == 1
       && start == 1000, "what the last one owes is known");
    gw_quota_copy_owe(store, hash(1), 1000, 1);
    ok(store->owed == 1, "and stays so");

    ok(gw_quota_copy_take(store, hash(1), &q, 2500, 2, 0, &res) == GW_OK
       && res.used == 2 && store->owed == 2,
       "until the new one owes something");
    gw_quota_copy_owe(store, hash(1), 1000, 1);
    ok(store->owed == 2, "the last one cannot take its place");

    q.start = 1000;
    ok(gw_quota_copy_take(store, hash(1), &q, 1500, 0, 0, &res) == GW_OK
       && res.start == 2000, "a clock that goes back does not change it");

    ok(gw_quota_copy_take(store, hash(2), &f, 1500, 1, 0, &res) == GW_OK
       && res.start == 1500 && res.end == 1600, "from the first use");
    ok(gw_quota_copy_take(store, hash(2), &f, 1599, 1, 0, &res) == GW_OK
       && res.used == 2 && res.start == 1500, "goes on");
    ok(gw_quota_copy_take(store, hash(2), &f, 1600, 1, 0, &res) == GW_OK
       && res.used == 1 && res.start == 1600, "and ends");
}


static void
test_change(void)
{
    int64_t            start;
    unsigned           n;
    gw_quota_t         q = { 10, 0, 1000, 2000, 0 };
    gw_quota_result_t  res;

    fresh();

    (void) gw_quota_store_take(store, hash(1), &q, 1500, 3, 0, &res);
    q.start = 2000;
    (void) gw_quota_store_take(store, hash(1), &q, 2500, 4, 0, &res);

    ok(gw_quota_copy_settle(store, hash(1), &start, 1) == 0,
       "a slot of another kind owes nothing");
    gw_quota_copy_give(store, hash(1), 2000, 1);
    gw_quota_copy_owe(store, hash(1), 2000, 1);

    ok(gw_quota_copy_take(store, hash(1), &q, 2500, 1, 0, &res) == GW_OK
       && res.used == 5 && res.start == 2000 && store->owed == 1,
       "it becomes a copy");

    (void) gw_quota_store_take(store, hash(1), &q, 2500, 1, 0, &res);
    ok(res.used == 5 && res.start == 2000, "and back");

    for (n = 0; n < 1000; n++) {
        (void) gw_quota_copy_take(store, hash(n), &q, 2500, 1, 0, &res);
    }

    q.start = 3000;

    for (n = 0; n < 1000; n++) {
        gw_quota_copy_set(store, hash(n), 3000, 1, 0);
    }

    for (n = 0; n < 1000; n++) {
        start = 0;
        (void) gw_quota_copy_settle(store, hash(n), &start, INT64_MAX);
    }

    ok(store->owed == 0, "what is replaced owes nothing");
}


int
main(void)
{
    test_known();
    test_periods();
    test_change();

    return done();
}
