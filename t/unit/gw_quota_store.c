
/*
 * Copyright (C) the nginx gateway modules developers
 */


/* Quotas in shared memory: every unit is counted once, whoever is killed. */


#include "gw_quota_store.h"
#include "tap.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define WORKERS  4


typedef struct {
    gw_quota_store_t  *store;
    uint32_t           lock;
    int64_t            passed[WORKERS];
    int64_t            calls[WORKERS];
} shared_t;


static uint64_t  seed[2] = { 0x0123456789abcdefULL, 0xfedcba9876543210ULL };


static shared_t *
shared(size_t size)
{
    void      *mem;
    shared_t  *sh;

    sh = mmap(NULL, sizeof(shared_t) + size, PROT_READ|PROT_WRITE,
              MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    mem = (char *) sh + sizeof(shared_t);
    sh->store = gw_quota_store_create(mem, size, seed);

    return sh;
}


static gw_status_e
take(gw_quota_store_t *store, unsigned n, gw_quota_t *quota, int64_t now,
    int64_t cost, int force, gw_quota_result_t *res)
{
    gw_quota_key_t  key;

    gw_quota_store_key(store, (u_char *) &n, sizeof(n), &key);

    return gw_quota_store_take(store, &key, quota, now, cost, force, res);
}


static void
give(gw_quota_store_t *store, unsigned n, int64_t start, int64_t units)
{
    gw_quota_key_t  key;

    gw_quota_store_key(store, (u_char *) &n, sizeof(n), &key);
    gw_quota_store_give(store, &key, start, units);
}


static void
test_units(void)
{
    shared_t           *sh;
    gw_quota_t          q = { 10, 0, 1000, 2000, 0 };
    gw_quota_result_t   res;
    gw_quota_store_t   *store;

    sh = shared(4096);
    store = sh->store;

    ok(sizeof(gw_quota_slot_t) == 64, "a slot is a cache line");

    ok(take(store, 1, &q, 1500, 7, 0, &res) == GW_OK && res.used == 7
       && res.limit == 10 && res.start == 1000 && res.end == 2000, "seven");
    ok(take(store, 1, &q, 1500, 4, 0, &res) == GW_DECLINED && res.used == 7,
       "not eleven");
    ok(take(store, 1, &q, 1500, 3, 0, &res) == GW_OK && res.used == 10,
       "all ten");
    ok(take(store, 1, &q, 1500, 0, 0, &res) == GW_DECLINED, "none is left");
    ok(take(store, 1, &q, 1500, 5, 1, &res) == GW_DECLINED && res.used == 15,
       "overage is counted");

    give(store, 1, 1000, 6);
    ok(take(store, 1, &q, 1500, 0, 0, &res) == GW_OK && res.used == 9,
       "given back");
    give(store, 1, 1000, 100);
    ok(take(store, 1, &q, 1500, 0, 0, &res) == GW_OK && res.used == 0,
       "never below zero");
    give(store, 2, 1000, 1);
    ok(take(store, 2, &q, 1500, 0, 0, &res) == GW_OK && res.used == 0,
       "a key never seen");

    {
        gw_quota_key_t  key;
        unsigned        n;

        n = 1;
        gw_quota_store_key(store, (u_char *) &n, sizeof(n), &key);
        gw_quota_store_charge(store, &key, 12);
        ok(take(store, 1, &q, 1500, 0, 0, &res) == GW_DECLINED
           && res.used == 12, "charged whether they are there or not");
        give(store, 1, 1000, 12);

        n = 99;
        gw_quota_store_key(store, (u_char *) &n, sizeof(n), &key);
        gw_quota_store_charge(store, &key, 12);
        ok(take(store, 99, &q, 1500, 0, 0, &res) == GW_OK && res.used == 0,
           "a key without a period is not charged");
    }

    take(store, 1, &q, 1999, 10, 0, &res);
    q.start = 2000;
    q.end = 3000;
    ok(take(store, 1, &q, 2000, 1, 0, &res) == GW_OK && res.used == 1,
       "A10 another period");
    give(store, 1, 1000, 1);
    ok(take(store, 1, &q, 2000, 0, 0, &res) == GW_OK && res.used == 1,
       "units of the one before are gone");

    q.start = 1000;
    q.end = 2000;
    ok(take(store, 1, &q, 1999, 9, 0, &res) == GW_OK && res.used == 10
       && res.start == 2000, "a clock that goes back gives nothing");

    q.limit = 0;
    ok(take(store, 3, &q, 1999, 1, 0, &res) == GW_DECLINED, "zero");

    q.limit = GW_QUOTA_MAX;
    take(store, 4, &q, 1999, GW_QUOTA_MAX, 1, &res);
    take(store, 4, &q, 1999, GW_QUOTA_MAX, 1, &res);
    take(store, 4, &q, 1999, GW_QUOTA_MAX, 1, &res);
    take(store, 4, &q, 1999, GW_QUOTA_MAX, 1, &res);
    ok(res.used > 0 && take(store, 4, &q, 1999, 1, 0, &res) == GW_DECLINED,
       "sums have an end");
}


static void
test_carry(void)
{
    shared_t           *sh;
    gw_quota_t          q = { 10, 4, 1000, 2000, 0 };
    gw_quota_result_t   res;

    sh = shared(4096);

    take(sh->store, 1, &q, 1500, 8, 0, &res);
    ok(res.limit == 10, "a new key has nothing carried");

    q.start = 2000;
    ok(take(sh->store, 1, &q, 2000, 12, 0, &res) == GW_OK && res.limit == 12,
       "two are carried");

    q.start = 3000;
    take(sh->store, 1, &q, 3000, 0, 0, &res);
    ok(res.limit == 10, "nothing of what was used up");

    q.start = 5000;
    take(sh->store, 1, &q, 5000, 0, 0, &res);
    ok(res.limit == 14, "at most what is allowed");

    take(sh->store, 1, &q, 5000, 20, 1, &res);
    q.start = 6000;
    take(sh->store, 1, &q, 6000, 0, 0, &res);
    ok(res.limit == 10, "overage is not carried");
}


static void
test_length(void)
{
    shared_t           *sh;
    gw_quota_t          q = { 10, 0, 0, 0, 100 };
    gw_quota_result_t   res;

    sh = shared(4096);

    take(sh->store, 1, &q, 1234, 3, 0, &res);
    ok(res.start == 1234 && res.end == 1334, "from the first use");
    take(sh->store, 1, &q, 1333, 3, 0, &res);
    ok(res.start == 1234 && res.used == 6, "for its length");
    take(sh->store, 1, &q, 1400, 3, 0, &res);
    ok(res.start == 1400 && res.used == 3, "the next one begins with a use");
}


static void
test_memory(void)
{
    shared_t           *sh;
    unsigned            i, bad;
    gw_quota_t          q = { 10, 0, 1000, 2000, 0 };
    gw_quota_store_t   *store;
    gw_quota_result_t   res;

    sh = shared(2048);
    store = sh->store;
    bad = 0;

    take(store, 0, &q, 1500, 10, 0, &res);

    for (i = 1; i < 10000; i++) {
        bad += (take(store, i, &q, 1500, 1, 0, &res) != GW_OK);
    }

    ok(bad == 0 && store->evicted > 0 && store->expired == 0,
       "never refuses for want of memory");
    ok(take(store, 0, &q, 1500, 1, 0, &res) == GW_DECLINED,
       "a spent key stays in a crowd");

    q.start = 2000;

    for (i = 10000; i < 10010; i++) {
        take(store, i, &q, 2500, 1, 0, &res);
    }

    ok(store->expired > 0, "those of the last period go first");
    ok(gw_quota_store_create(sh, 64, seed) == NULL, "too small");
}


static void
lock(shared_t *sh, uint32_t pid)
{
    uint32_t  none;

    for ( ;; ) {
        none = 0;

        if (__atomic_compare_exchange_n(&sh->lock, &none, pid, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        {
            return;
        }

        sched_yield();
    }
}


static void
unlock(shared_t *sh, uint32_t pid)
{
    __atomic_compare_exchange_n(&sh->lock, &pid, 0, 0, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
}


/* the period turns all the time; in each, at most ten pass */

static void
work(shared_t *sh, unsigned id)
{
    int64_t            now;
    uint32_t           pid;
    gw_quota_t         q = { 10, 0, 0, 0, 0 };
    gw_quota_result_t  res;

    pid = (uint32_t) getpid();

    for ( ;; ) {
        lock(sh, pid);

        now = ++sh->calls[id];
        now = sh->calls[0] + sh->calls[1] + sh->calls[2] + sh->calls[3] + 1000;

        q.start = now - now % 100;
        q.end = q.start + 100;

        if (take(sh->store, 1, &q, now, 1, 0, &res) == GW_OK) {
            sh->passed[id]++;
        }

        unlock(sh, pid);
    }
}


static void
test_killed(void)
{
    pid_t     ids[WORKERS];
    int64_t   passed, calls;
    unsigned  i, n;
    shared_t  *sh;

    sh = shared(4096);
    fflush(stdout);

    for (n = 0; n < 40; n++) {

        for (i = 0; i < WORKERS; i++) {
            ids[i] = fork();

            if (ids[i] == 0) {
                work(sh, i);
            }
        }

        usleep(5000);

        for (i = 0; i < WORKERS; i++) {
            kill(ids[i], SIGKILL);
            waitpid(ids[i], NULL, 0);
            unlock(sh, (uint32_t) ids[i]);
        }
    }

    passed = calls = 0;

    for (i = 0; i < WORKERS; i++) {
        passed += sh->passed[i];
        calls += sh->calls[i];
    }

    /* a unit can be taken by a process that is killed before it counts it */

    ok(calls > 10000 && passed <= (calls / 100 + 1) * 10
       && passed >= calls / 100 * 10 - 10 - 40 * WORKERS,
       "160 killed processes: %lld of %lld passed, ten of a hundred",
       (long long) passed, (long long) calls);
}


static void
test_grant(void)
{
    shared_t           *sh;
    gw_quota_t          q = { 10, 4, 1000, 2000, 0 };
    gw_quota_key_t      key;
    gw_quota_store_t   *store;
    gw_quota_result_t   res;
    unsigned            n;

    sh = shared(4096);
    store = sh->store;
    n = 1;

    gw_quota_store_key(store, (u_char *) &n, sizeof(n), &key);

    gw_quota_store_reset(store, &key);
    gw_quota_store_peek(store, &key, &q, 1500, &res);
    ok(res.limit == 10 && res.used == 0 && res.granted == 0
       && res.start == 1000 && res.end == 2000 && store->used == 0,
       "a look and a reset make no slot");

    ok(gw_quota_store_grant(store, &key, &q, 1500, 5, &res) == GW_OK
       && res.granted == 5 && res.limit == 15 && res.used == 0,
       "a grant to a key never seen");
    ok(take(store, 1, &q, 1500, 15, 0, &res) == GW_OK && res.used == 15
       && take(store, 1, &q, 1500, 1, 0, &res) == GW_DECLINED,
       "all fifteen, not sixteen");
    ok(gw_quota_store_grant(store, &key, &q, 1500, 2, &res) == GW_OK
       && res.granted == 7 && res.limit == 17 && res.used == 15,
       "a second grant adds to the first");
    ok(gw_quota_store_grant(store, &key, &q, 1500, GW_QUOTA_MAX, &res)
       == GW_DECLINED, "but not above all bounds");
    gw_quota_store_peek(store, &key, &q, 1500, &res);
    ok(res.granted == 7 && res.used == 15, "which changes nothing");

    give(store, 1, 1000, 9);
    q.start = 2000;
    q.end = 3000;
    gw_quota_store_peek(store, &key, &q, 2500, &res);
    ok(res.used == 0 && res.granted == 0 && res.carried == 4
       && res.limit == 14 && res.start == 2000,
       "a look ahead: what is left of the quota is carried, no grant");
    gw_quota_store_peek(store, &key, &q, 2500, &res);
    ok(take(store, 1, &q, 2500, 1, 0, &res) == GW_OK && res.limit == 14
       && res.granted == 0 && res.used == 1, "so it comes");

    ok(gw_quota_store_grant(store, &key, &q, 2500, 100, &res) == GW_OK
       && res.limit == 114 && res.carried == 4, "a grant in the other half");
    take(store, 1, &q, 2500, 13, 0, &res);
    q.start = 3000;
    ok(take(store, 1, &q, 3500, 1, 0, &res) == GW_OK && res.limit == 10,
       "a grant that is not used is not carried");

    gw_quota_store_grant(store, &key, &q, 3500, 100, &res);
    gw_quota_store_reset(store, &key);
    gw_quota_store_peek(store, &key, &q, 3500, &res);
    ok(res.used == 0 && res.granted == 0 && res.carried == 0,
       "a reset forgets all");
    ok(take(store, 1, &q, 3500, 10, 0, &res) == GW_OK && res.granted == 0
       && take(store, 1, &q, 3500, 1, 0, &res) == GW_DECLINED,
       "as if never seen");

    q.length = 100;
    gw_quota_store_reset(store, &key);
    gw_quota_store_grant(store, &key, &q, 5000, 1, &res);
    ok(res.start == 5000 && res.end == 5100,
       "a period of its own begins with a grant");
}


int
main(void)
{
    test_grant();
    test_units();
    test_carry();
    test_length();
    test_memory();
    test_killed();

    return done();
}
