
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The store under several processes: a limit is never exceeded, and whatever
 * a killed process held is free, wherever it was killed.
 */


#include "gw_concurrency_store.h"
#include "tap.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


#define WORKERS  4
#define KEYS     7
#define LIMIT    5
#define DEPTH    4


typedef struct {
    gw_concurrency_store_t  *store;
    uint32_t                 lock;       /* pid of the holder */
    uint32_t                 inflight[WORKERS][KEYS];
    uint32_t                 passed[WORKERS];
    uint32_t                 exceeded;
    uint32_t                 stop;
} shared_t;


static uint32_t  dead;

static uint64_t  seed[2] = { 0x0123456789abcdefULL, 0xfedcba9876543210ULL };


static shared_t *
shared(size_t size)
{
    void      *mem;
    shared_t  *sh;

    sh = mmap(NULL, sizeof(shared_t) + size, PROT_READ|PROT_WRITE,
              MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    mem = (char *) sh + sizeof(shared_t);
    sh->store = gw_concurrency_store_create(mem, size, seed);

    return sh;
}


/* bytes for a store of n cells */

static size_t
room(unsigned n)
{
    return sizeof(gw_concurrency_store_t) + 64
           + GW_CONCURRENCY_OWNERS * sizeof(gw_concurrency_owner_t)
           + n * (sizeof(gw_concurrency_cell_t) + sizeof(uint32_t));
}


static void
unshare_all(shared_t *sh, size_t size)
{
    munmap(sh, sizeof(shared_t) + size);
}


static uint32_t
clock_ms(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint32_t) (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}


static int
alive(uint32_t pid)
{
    return kill((pid_t) pid, 0) == 0 || errno != ESRCH;
}


/* the processes of one process */

static int
not_dead(uint32_t pid)
{
    return pid != dead;
}


static gw_status_e
take(gw_concurrency_store_t *store, gw_concurrency_self_t *self, unsigned n,
    uint64_t limit, uint32_t *hold, uint64_t *current)
{
    gw_concurrency_key_t  key;

    gw_concurrency_store_key(store, (u_char *) &n, sizeof(n), &key);

    return gw_concurrency_store_take(store, self, &key, limit, hold, current);
}


static void
enter(gw_concurrency_store_t *store, gw_concurrency_self_t *self,
    unsigned index, uint32_t pid)
{
    self->now = 1000;
    self->alive = not_dead;
    gw_concurrency_store_enter(store, index, pid, self);
}


static void
test_sizes(void)
{
    shared_t               *sh;
    uint32_t                hold;
    uint64_t                current;
    gw_concurrency_self_t   self;

    hold = 0;
    sh = shared(room(1));

    ok(sizeof(gw_concurrency_cell_t) == 32
       && sizeof(gw_concurrency_owner_t) == 16, "sizes");
    ok(sh->store != NULL && sh->store->ncells >= 1, "the smallest store");
    ok(gw_concurrency_store_create(sh, sizeof(gw_concurrency_store_t) + 64
                                   + GW_CONCURRENCY_OWNERS
                                     * sizeof(gw_concurrency_owner_t), seed)
       == NULL, "no place for one cell");

    memset(sh, 0, sizeof(shared_t));
    unshare_all(sh, room(1));

    sh = shared(room(10));

    enter(sh->store, &self, GW_CONCURRENCY_OWNERS, 1);
    ok(self.id == 0
       && take(sh->store, &self, 1, 1, &hold, &current) == GW_OK
       && hold == 0 && sh->store->unstored == 1,
       "one process too many is not counted");
    gw_concurrency_store_give(sh->store, &self, hold);

    enter(sh->store, &self, GW_CONCURRENCY_OWNERS - 1, 1);
    ok(self.id != 0
       && take(sh->store, &self, 1, 1, &hold, &current) == GW_OK
       && hold != 0, "the last one is");

    /* the numbers of generations are used up */

    sh->store->owners[0].id = 0xfffffc00;
    enter(sh->store, &self, 0, 1);
    ok(self.id == GW_CONCURRENCY_OWNERS, "an id is never 0");

    unshare_all(sh, room(10));
}


static void
test_limit(void)
{
    shared_t                *sh;
    uint32_t                 hold[10], none;
    uint64_t                 current;
    gw_concurrency_self_t    a, b;
    gw_concurrency_store_t  *store;

    sh = shared(room(100));
    store = sh->store;

    enter(store, &a, 0, 100);
    enter(store, &b, 1, 101);

    ok(take(store, &a, 1, 3, &hold[0], &current) == GW_OK && current == 1
       && take(store, &b, 1, 3, &hold[1], &current) == GW_OK && current == 2
       && take(store, &a, 1, 3, &hold[2], &current) == GW_OK && current == 3,
       "three of two processes");

    ok(take(store, &a, 1, 3, &none, &current) == GW_DECLINED
       && current == 3 && none == 0
       && take(store, &b, 1, 3, &none, &current) == GW_DECLINED,
       "the fourth is declined to both");

    ok(take(store, &b, 2, 3, &hold[3], &current) == GW_OK && current == 1,
       "another key");
    ok(take(store, &b, 1, 0, &none, &current) == GW_DECLINED,
       "0 declines all");
    ok(take(store, &b, 1, 2, &none, &current) == GW_DECLINED && current == 3,
       "a limit that became smaller");
    ok(gw_concurrency_store_total(store, &a) == 4, "in all");

    gw_concurrency_store_give(store, &b, hold[1]);

    ok(take(store, &b, 1, 3, &hold[1], &current) == GW_OK && current == 3,
       "one ends, one begins");

    gw_concurrency_store_give(store, &a, hold[0]);
    gw_concurrency_store_give(store, &a, hold[2]);
    gw_concurrency_store_give(store, &b, hold[1]);
    gw_concurrency_store_give(store, &b, hold[3]);
    gw_concurrency_store_give(store, &b, hold[3]);

    ok(gw_concurrency_store_total(store, &a) == 0, "all have ended");
    ok(take(store, &b, 1, 1, &hold[0], &current) == GW_OK && current == 1,
       "and nothing is left");

    unshare_all(sh, room(100));
}


static void
test_owners(void)
{
    uint32_t                 hold, none;
    shared_t                *sh;
    uint64_t                 current;
    gw_concurrency_self_t    a, b, c;
    gw_concurrency_store_t  *store;

    sh = shared(room(100));
    store = sh->store;

    enter(store, &a, 0, 100);
    enter(store, &b, 1, 101);

    take(store, &b, 1, 5, &hold, &current);
    take(store, &b, 1, 5, &none, &current);

    dead = 101;
    a.now += GW_CONCURRENCY_DOUBT - 1;

    ok(take(store, &a, 1, 2, &none, &current) == GW_DECLINED,
       "a process is trusted to live");

    a.now += 1;

    ok(take(store, &a, 1, 2, &hold, &current) == GW_OK && current == 1,
       "at the limit it is asked for soon, and it is dead");
    ok(gw_concurrency_store_total(store, &a) == 1, "which frees all it had");
    ok(store->owners[1].pid == 0 && store->owners[1].id != b.id, "for good");

    dead = 0;
    ok(take(store, &a, 1, 2, &none, &current) == GW_OK && current == 2,
       "even if its number is used again");

    gw_concurrency_store_give(store, &b, hold);
    ok(gw_concurrency_store_total(store, &a) == 2, "a ghost gives nothing");

    /* the next process of the same index */

    enter(store, &b, 1, 102);
    take(store, &b, 2, 5, &hold, &current);
    enter(store, &c, 1, 103);

    ok(take(store, &a, 2, 1, &none, &current) == GW_OK && current == 1,
       "a process that takes the place of another frees what that had");

    take(store, &c, 3, 1, &hold, &current);
    gw_concurrency_store_leave(store, &c);

    ok(c.id == 0 && take(store, &a, 3, 1, &none, &current) == GW_OK,
       "a process that ends has nothing");

    /* killed between two words */

    dead = 1;
    enter(store, &c, 2, 104);
    take(store, &c, 4, 1, &hold, &current);
    store->owners[2].pid = 0;
    a.now += GW_CONCURRENCY_DOUBT;
    ok(take(store, &a, 4, 1, &none, &current) == GW_OK,
       "an owner without a number is dead");
    dead = 0;

    gw_concurrency_store_give(store, &a, none);
    gw_concurrency_store_give(store, &c, hold);
    gw_concurrency_store_leave(store, &c);
    ok(gw_concurrency_store_total(store, &a) == 4, "and gives nothing");

    unshare_all(sh, room(100));
}


/* fewer cells than keys */

static void
test_memory(void)
{
    unsigned                 i, bad, n;
    uint32_t                 hold, *holds;
    shared_t                *sh;
    uint64_t                 current;
    gw_concurrency_self_t    a;
    gw_concurrency_store_t  *store;

    sh = shared(room(64));
    store = sh->store;
    n = store->ncells;
    holds = calloc(n, sizeof(uint32_t));

    enter(store, &a, 0, 100);

    bad = 0;

    for (i = 0; i < 100000; i++) {
        bad += (take(store, &a, i, 1, &hold, &current) != GW_OK || hold == 0);
        gw_concurrency_store_give(store, &a, hold);
    }

    ok(bad == 0 && store->unstored == 0,
       "cells are used again: 100000 keys, one at a time, in %u cells", n);

    for (i = 0; i < n; i++) {
        bad += (take(store, &a, i, 1, &holds[i], &current) != GW_OK
                || holds[i] == 0);
    }

    ok(bad == 0 && store->used == n, "all cells are used");
    ok(take(store, &a, n, 1, &hold, &current) == GW_OK && hold == 0
       && store->unstored == 1, "one more passes, uncounted");
    ok(take(store, &a, 3, 1, &hold, &current) == GW_DECLINED,
       "those with a cell are limited");
    ok(gw_concurrency_store_total(store, &a) == n, "and counted");

    gw_concurrency_store_give(store, &a, holds[3]);
    ok(take(store, &a, n, 1, &hold, &current) == GW_OK && hold != 0,
       "a cell without requests is found");

    free(holds);
    unshare_all(sh, room(64));
}


/* what a process leaves that is killed while it changes the lists */

static void
test_half_changed(void)
{
    unsigned                 i, bad;
    uint32_t                 hold[20], none;
    shared_t                *sh;
    uint64_t                 current;
    gw_concurrency_self_t    a, b;
    gw_concurrency_store_t  *store;

    sh = shared(room(64));
    store = sh->store;

    enter(store, &a, 0, 100);
    enter(store, &b, 1, 101);

    for (i = 0; i < 20; i++) {
        take(store, (i % 2) ? &a : &b, i, 1, &hold[i], &current);
    }

    /* lists that lead nowhere, a cell that is only half written */

    for (i = 0; i < store->ncells; i++) {
        store->heads[i] = 0;
    }

    store->heads[3] = 7;
    store->cells[6].next = 7;
    store->free = 0;
    store->used = 1000;
    store->fresh++;
    store->cells[store->fresh - 1].key[0] = 5;
    store->cells[store->fresh - 1].owner = b.id;
    store->inside = 1;
    dead = 101;

    bad = 0;

    for (i = 0; i < 20; i++) {
        bad += (take(store, &a, i, 1, &none, &current)
                != ((i % 2) ? GW_DECLINED : GW_OK));
    }

    ok(bad == 0 && store->rebuilt == 1 && store->inside == 0,
       "what the others hold is kept");
    ok(store->used == 20 && gw_concurrency_store_total(store, &a) == 20,
       "what the dead one held is free");

    dead = 0;
    unshare_all(sh, room(64));
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


/* each worker has up to DEPTH requests of random keys in progress */

static void
work(shared_t *sh, unsigned id)
{
    unsigned               i, n, k, sum, keys[DEPTH];
    uint32_t               pid, other, holds[DEPTH];
    uint64_t               current;
    gw_status_e            rc;
    gw_concurrency_self_t  self;

    pid = (uint32_t) getpid();
    self.now = clock_ms();
    self.alive = alive;

    lock(sh, pid);
    gw_concurrency_store_enter(sh->store, id, pid, &self);
    unlock(sh, pid);

    memset(holds, 0, sizeof(holds));
    memset(keys, 0, sizeof(keys));
    n = pid;

    while (!__atomic_load_n(&sh->stop, __ATOMIC_RELAXED)) {
        n = n * 1664525 + 1013904223;
        i = (n >> 8) % DEPTH;
        k = (n >> 16) % KEYS;

        if (holds[i]) {
            __atomic_fetch_sub(&sh->inflight[id][keys[i]], 1,
                               __ATOMIC_SEQ_CST);
            gw_concurrency_store_give(sh->store, &self, holds[i]);
            holds[i] = 0;
        }

        lock(sh, pid);
        self.now = clock_ms();
        rc = take(sh->store, &self, k, LIMIT, &holds[i], &current);

        if (rc == GW_OK) {
            sh->passed[id]++;
            __atomic_fetch_add(&sh->inflight[id][k], 1, __ATOMIC_SEQ_CST);
            keys[i] = k;

            for (sum = 0, i = 0; i < WORKERS; i++) {
                sum += __atomic_load_n(&sh->inflight[i][k], __ATOMIC_SEQ_CST);
            }

            sh->exceeded += (sum > LIMIT);
        }

        unlock(sh, pid);

        /* keys that come and go */

        lock(sh, pid);
        take(sh->store, &self, n, 1, &other, &current);
        unlock(sh, pid);
        gw_concurrency_store_give(sh->store, &self, other);
    }

    /* what it holds is free when it leaves */

    for (k = 0; k < KEYS; k++) {
        __atomic_store_n(&sh->inflight[id][k], 0, __ATOMIC_SEQ_CST);
    }

    lock(sh, pid);
    gw_concurrency_store_leave(sh->store, &self);
    unlock(sh, pid);
}


static pid_t
start(shared_t *sh, unsigned id)
{
    pid_t  pid;

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        work(sh, id);
        _exit(0);
    }

    return pid;
}


static void
test_killed(void)
{
    pid_t                  ids[WORKERS];
    unsigned               i, n, k, bad, inside;
    uint32_t               hold, passed;
    uint64_t               current;
    shared_t              *sh;
    siginfo_t              info;
    gw_concurrency_self_t  self;

    sh = shared(room(40));
    inside = 0;

    for (i = 0; i < WORKERS; i++) {
        ids[i] = start(sh, i);
    }

    for (n = 0; n < 200; n++) {
        i = n % WORKERS;
        usleep(1000 + n * 37 % 2000);

        /* as the master of nginx; it is dead, but its number is not free */

        kill(ids[i], SIGKILL);
        waitid(P_PID, (id_t) ids[i], &info, WEXITED|WNOWAIT);

        for (k = 0; k < KEYS; k++) {
            __atomic_store_n(&sh->inflight[i][k], 0, __ATOMIC_SEQ_CST);
        }

        inside += (sh->lock == (uint32_t) ids[i]);

        waitpid(ids[i], NULL, 0);
        unlock(sh, (uint32_t) ids[i]);

        ids[i] = start(sh, i);
    }

    usleep(100000);
    sh->stop = 1;
    passed = 0;

    for (i = 0; i < WORKERS; i++) {
        waitpid(ids[i], NULL, 0);
        passed += sh->passed[i];
    }

    ok(sh->exceeded == 0 && passed > 1000,
       "%u requests, 200 kills, %u of them inside, %u rebuilds: the limit "
       "holds", passed, inside, (unsigned) sh->store->rebuilt);

    self.now = clock_ms();
    self.alive = alive;
    gw_concurrency_store_enter(sh->store, 0, (uint32_t) getpid(), &self);

    ok(gw_concurrency_store_total(sh->store, &self) == 0,
       "nothing is left behind");

    bad = 0;

    for (k = 0; k < KEYS; k++) {
        for (i = 0; i < LIMIT; i++) {
            bad += (take(sh->store, &self, k, LIMIT, &hold, &current)
                    != GW_OK || hold == 0 || current != i + 1);
        }

        bad += (take(sh->store, &self, k, LIMIT, &hold, &current)
                != GW_DECLINED);
    }

    ok(bad == 0, "and each key has its whole limit");

    unshare_all(sh, room(40));
}


int
main(void)
{
    test_sizes();
    test_limit();
    test_owners();
    test_memory();
    test_half_changed();
    test_killed();

    return done();
}
