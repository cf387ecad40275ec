
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The store under several processes: every unit is counted once, whatever
 * they do at the same time and whoever is killed.  Under ThreadSanitizer the
 * workers are threads, since it sees no other process.
 */


#include "gw_limit_store.h"
#include "tap.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


#define SEC      ((int64_t) 1000000000)
#define WORKERS  4
#define KEYS     20000

#if defined(__SANITIZE_THREAD__)
#define THREADS  1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREADS  1
#endif
#endif


typedef struct {
    gw_limit_store_t  *store;
    int64_t            granted[KEYS];
    int64_t            clock;
    int64_t            start;
    int64_t            ready;
    int64_t            go;
    unsigned           seed;
} shared_t;


typedef void (*work_pt)(shared_t *sh, unsigned id);


typedef struct {
    work_pt            work;
    shared_t          *sh;
    unsigned           id;
} job_t;


static gw_status_e take_clock(gw_limit_store_t *store, unsigned n,
    const gw_gcra_t *g, int64_t now, gw_limit_clock_pt clock, int64_t cost);


static __thread int64_t  clock_now;
static int64_t  *tick;

static uint64_t  seed[2] = { 0x0123456789abcdefULL, 0xfedcba9876543210ULL };


static shared_t *
shared(size_t size)
{
    void      *mem;
    shared_t  *sh;

    sh = mmap(NULL, sizeof(shared_t) + size, PROT_READ|PROT_WRITE,
              MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    mem = (char *) sh + sizeof(shared_t);
    sh->store = gw_limit_store_create(mem, size, seed);
    sh->clock = 1000 * SEC;

    return sh;
}


static void
unshare_all(shared_t *sh, size_t size)
{
    munmap(sh, sizeof(shared_t) + size);
}


static int64_t
monotonic(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * SEC + ts.tv_nsec;
}


static int64_t
still(void)
{
    return clock_now;
}


static gw_status_e
take(gw_limit_store_t *store, unsigned n, const gw_gcra_t *g, int64_t now,
    int64_t cost)
{
    clock_now = now;

    return take_clock(store, n, g, now, still, cost);
}


static gw_status_e
take_clock(gw_limit_store_t *store, unsigned n, const gw_gcra_t *g,
    int64_t now, gw_limit_clock_pt clock, int64_t cost)
{
    gw_limit_key_t    key;
    gw_gcra_result_t  res;

    gw_limit_store_key(store, (u_char *) &n, sizeof(n), &key);

    return gw_limit_store_take(store, &key, g, &now, clock, cost, &res);
}


static void *
job(void *data)
{
    job_t  *j = data;

    j->work(j->sh, j->id);

    return NULL;
}


static void
run(shared_t *sh, work_pt work, int kills)
{
    job_t     jobs[WORKERS];
    unsigned  i;

#if (THREADS)
    pthread_t  ids[WORKERS];
#else
    pid_t      ids[WORKERS];
#endif

    fflush(stdout);

    for (i = 0; i < WORKERS; i++) {
        jobs[i].work = work;
        jobs[i].sh = sh;
        jobs[i].id = i;

#if (THREADS)
        pthread_create(&ids[i], NULL, job, &jobs[i]);
#else
        ids[i] = fork();

        if (ids[i] == 0) {
            job(&jobs[i]);
            _exit(0);
        }
#endif
    }

    (void) kills;

    for (i = 0; i < WORKERS; i++) {

#if (THREADS)
        pthread_join(ids[i], NULL);
#else
        if (kills) {
            usleep(20000);
            kill(ids[i], SIGKILL);
        }

        waitpid(ids[i], NULL, 0);
#endif
    }
}


static void
together(shared_t *sh)
{
    __atomic_fetch_add(&sh->ready, 1, __ATOMIC_SEQ_CST);

    while (__atomic_load_n(&sh->ready, __ATOMIC_SEQ_CST) < WORKERS) {
        usleep(100);
    }
}


/* all the workers insert the same new keys at the same moment */

static void
work_new_keys(shared_t *sh, unsigned id)
{
    unsigned   i, j;
    gw_gcra_t  g;

    (void) id;

    gw_gcra_init(&g, 1, SEC, 2);
    together(sh);

    for (i = 0; i < KEYS; i++) {
        for (j = 0; j < 3; j++) {
            if (take(sh->store, i, &g, sh->clock, 1) == GW_OK) {
                __atomic_fetch_add(&sh->granted[i], 1, __ATOMIC_RELAXED);
            }
        }
    }
}


static void
test_new_keys(void)
{
    int        wrong;
    size_t     size;
    unsigned   i;
    shared_t  *sh;

    size = 8 * KEYS * 64;
    sh = shared(size);

    run(sh, work_new_keys, 0);

    wrong = 0;

    for (i = 0; i < KEYS; i++) {
        if (sh->granted[i] != 3) {
            wrong++;
        }
    }

    ok(wrong == 0 && sh->store->evicted == 0,
       "a bucket of 3 gives 3 to 4 workers, %d keys of %d not", wrong, KEYS);

    unshare_all(sh, size);
}


/*
 * One key, a clock that goes on by a microsecond with each look: how much is
 * taken does not depend on when the workers are let run.
 */

static int64_t
ticking(void)
{
    return __atomic_add_fetch(tick, SEC / 1000000, __ATOMIC_SEQ_CST);
}


static void
work_one_key(shared_t *sh, unsigned id)
{
    int64_t    now;
    gw_gcra_t  g;

    gw_gcra_init(&g, 100000, SEC, 50);
    together(sh);

    do {
        now = ticking();

        if (take_clock(sh->store, 1, &g, now, ticking, 1) == GW_OK) {
            sh->granted[id]++;
        }

    } while (now < sh->start + SEC / 2);
}


static void
test_one_key(void)
{
    int64_t    sum, span;
    shared_t  *sh;

    sh = shared(1024 * 1024);

    sh->start = SEC;
    sh->clock = sh->start;
    tick = &sh->clock;

    run(sh, work_one_key, 0);
    span = sh->clock - sh->start;

    sum = sh->granted[0] + sh->granted[1] + sh->granted[2] + sh->granted[3];

    ok(sum <= 51 + span / 10000, "K8 one key: %lld taken in %lld us",
       (long long) sum, (long long) span / 1000);
    ok(sum > 51 + (span - SEC / 20) / 10000 * 9 / 10, "and not much less");

    unshare_all(sh, 1024 * 1024);
}


/* few slots, many keys, one of them far ahead of its rate */

static void
work_crowd(shared_t *sh, unsigned id)
{
    int64_t    now;
    unsigned   i, n;
    gw_gcra_t  g;

    gw_gcra_init(&g, 1, SEC, 99);
    together(sh);

    n = 12345 * (id + 1);

    for (i = 0; i < 100000; i++) {
        n = n * 1664525 + 1013904223;

        now = __atomic_load_n(&sh->clock, __ATOMIC_RELAXED);

        take(sh->store, n | 1, &g, now, 1);

        if (take(sh->store, 0, &g, now, 1) == GW_OK) {
            __atomic_fetch_add(&sh->granted[0], 1, __ATOMIC_RELAXED);
        }

        if (i % 7 == 0) {
            __atomic_fetch_add(&sh->clock, 1, __ATOMIC_RELAXED);
        }
    }
}


static void
test_crowd(void)
{
    shared_t  *sh;

    sh = shared(32 * 1024);

    run(sh, work_crowd, 0);

    ok(sh->granted[0] == 100 && sh->store->evicted > 0,
       "a spent key stays in a crowd: %lld taken, %llu evicted",
       (long long) sh->granted[0], (unsigned long long) sh->store->evicted);

    sh->clock += 200 * SEC;
    sh->store->evicted = 0;
    sh->store->expired = 0;
    sh->ready = 0;

    run(sh, work_crowd, 0);

    ok(sh->store->expired > 0, "full buckets are replaced without a loss");
    /* K7: keys that collide share a bucket, and it has a size */

    ok(sh->store->used <= sh->store->buckets * GW_LIMIT_STORE_WAYS
       && sh->store->unstored == 0, "every decision was stored");

    unshare_all(sh, 32 * 1024);
}


/* workers killed anywhere */

static void
work_for_ever(shared_t *sh, unsigned id)
{
    unsigned   n, i;
    gw_gcra_t  g;

    gw_gcra_init(&g, 1000, SEC, 3);

    n = 777 * (id + 1);

    for (i = 0; i < 1000000000; i++) {
        n = n * 1664525 + 1013904223;
        take_clock(sh->store, n >> 20, &g, monotonic(), monotonic, 1);

#if (THREADS)
        if (i == 50000) {
            break;
        }
#endif
    }
}


static void
test_killed(void)
{
    int         i, passed;
    int64_t     start;
    shared_t   *sh;
    gw_gcra_t   g;

    sh = shared(16 * 1024);

    for (i = 0; i < 5; i++) {
        run(sh, work_for_ever, 1);
    }

    gw_gcra_init(&g, 1000, SEC, 9);

    start = monotonic();
    passed = 0;

    for (i = 0; i < 1000; i++) {
        passed += (take(sh->store, 1000000 + i, &g, start, 10) == GW_OK);
    }

    ok(passed == 1000 && monotonic() - start < 5 * SEC,
       "killed workers keep nobody waiting");

    unshare_all(sh, 16 * 1024);
}


/* the words that a worker leaves when it is killed while it writes */

static void
test_half_written(void)
{
    unsigned           i, left;
    shared_t          *sh;
    gw_gcra_t          g;
    gw_limit_key_t     key;
    gw_limit_store_t  *store;

    sh = shared(4096);
    store = sh->store;

    gw_gcra_init(&g, 1, SEC, 9);

    for (i = 0; i < store->buckets * GW_LIMIT_STORE_WAYS; i++) {
        store->slots[i].tat = INT64_MIN + (sh->clock >> 20);
    }

    ok(take(store, 1, &g, sh->clock, 10) == GW_OK && store->unstored == 1,
       "all slots half written: decided without one");

    store->slots[3].tat = 0;
    store->unstored = 0;

    for (i = 0; i < store->buckets * GW_LIMIT_STORE_WAYS; i++) {
        store->slots[i].tat = (i % 8) ? 0
                              : INT64_MIN + (sh->clock >> 20);
    }

    ok(take(store, 1, &g, sh->clock, 10) == GW_OK
       && take(store, 1, &g, sh->clock, 1) == GW_DECLINED
       && store->unstored == 0, "one slot half written: another is used");

    for (i = 0; i < 1000; i++) {
        take(store, 100 + i, &g, sh->clock + 20 * SEC, 1);
    }

    left = 0;

    for (i = 0; i < store->buckets * GW_LIMIT_STORE_WAYS; i++) {
        left += (store->slots[i].tat < 0);
    }

    ok(left == 0, "half written slots are taken over");

    /* the slot that a dead process claimed for this key is finished */

    memset(store->slots, 0, 512);

    do {
        i++;
        gw_limit_store_key(store, (u_char *) &i, sizeof(i), &key);

    } while (((key.key[0] >> 32) * store->buckets) >> 32 != 0);

    store->slots[2].tat = (int64_t) ((key.key[1] >> 40 << 40)
                                     | (uint64_t) INT64_MIN
                                     | (uint64_t) (sh->clock >> 20));

    ok(take(store, i, &g, sh->clock, 1) == GW_OK && store->slots[2].tat > 0,
       "a claim of the same key is taken over at once");

    unshare_all(sh, 4096);
}


static gw_status_e
take_key(shared_t *sh, gw_limit_key_t *key, gw_gcra_t *g,
    gw_gcra_result_t *res, int64_t cost)
{
    int64_t  now;

    now = clock_now = sh->clock;

    return gw_limit_store_take(sh->store, key, g, &now, still, cost, res);
}


static void
test_give(void)
{
    shared_t          *sh;
    gw_gcra_t          g;
    gw_limit_key_t     key;
    gw_gcra_result_t   res;

    sh = shared(64 * 1024);
    gw_gcra_init(&g, 1, SEC, 9);

    gw_limit_store_key(sh->store, (u_char *) "k", 1, &key);

    gw_limit_store_give(sh->store, &key, &g, 3);
    ok(sh->store->used == 0, "nothing is given to a key never seen");

    ok(take_key(sh, &key, &g, &res, 4) == GW_OK
       && res.remaining == 6, "four are taken");
    ok(take_key(sh, &key, &g, &res, 6) == GW_OK
       && res.remaining == 0, "six are taken");

    gw_limit_store_give(sh->store, &key, &g, 4);

    ok(take_key(sh, &key, &g, &res, 5)
       == GW_DECLINED && res.remaining == 4, "the six stay taken");
    ok(take_key(sh, &key, &g, &res, 4) == GW_OK,
       "the four are back");

    gw_limit_store_give(sh->store, &key, &g, 1000);
    ok(take_key(sh, &key, &g, &res, 11)
       == GW_DECLINED && res.remaining == 10, "never more than a bucket");
    ok(take_key(sh, &key, &g, &res, 0) == GW_OK
       && res.remaining == 10, "a look takes nothing");

    take_key(sh, &key, &g, &res, 3);

    ok(gw_limit_store_drain(sh->store, &key, &g, sh->clock + SEC / 2) == 3
       && gw_limit_store_drain(sh->store, &key, &g, sh->clock) == 0,
       "what is owed is drained once");
    ok(take_key(sh, &key, &g, &res, 10) == GW_OK, "and the bucket is full");
    ok(gw_limit_store_drain(sh->store, &key, &g, sh->clock + 10 * SEC) == 0,
       "nothing is owed later");

    unshare_all(sh, 64 * 1024);
}


static void
work_force(shared_t *sh, unsigned id)
{
    unsigned          i, n;
    int64_t           now;
    gw_gcra_t         g;
    gw_limit_key_t    key;
    gw_gcra_result_t  res;

    gw_gcra_init(&g, 1, SEC, 99999);
    g.debt = g.tau;

    together(sh);

    for (i = 0; i < 10000; i++) {
        n = i % 7;
        now = sh->clock;
        clock_now = now;

        gw_limit_store_key(sh->store, (u_char *) &n, sizeof(n), &key);
        gw_limit_store_force(sh->store, &key, &g, &now, still, 3, 1, &res);

        if (i % 3 == id % 3) {
            gw_limit_store_give(sh->store, &key, &g, 1);
        }
    }
}


/* charged and given back by four at once: nothing is lost */

static void
test_force(void)
{
    int64_t           now, sum;
    unsigned          n;
    shared_t         *sh;
    gw_gcra_t         g;
    gw_limit_key_t    key;
    gw_gcra_result_t  res;

    sh = shared(64 * 1024);
    run(sh, work_force, 0);

    gw_gcra_init(&g, 1, SEC, 99999);
    g.debt = g.tau;
    sum = 0;

    for (n = 0; n < 7; n++) {
        gw_limit_store_key(sh->store, (u_char *) &n, sizeof(n), &key);
        sum += gw_limit_store_drain(sh->store, &key, &g, sh->clock);
    }

    /* i % 3 == id % 3: twice id 0, once 1 and 2 */

    ok(sum == 4 * 30000 - 2 * 3334 - 2 * 3333, "%lld units are charged",
       (long long) sum);

    n = 100;
    now = clock_now = sh->clock;
    gw_limit_store_key(sh->store, (u_char *) &n, sizeof(n), &key);
    gw_gcra_init(&g, 1, SEC, 9);
    g.debt = g.tau;

    gw_limit_store_force(sh->store, &key, &g, &now, still, 12, 2, &res);
    ok(res.retry == 4 * SEC && res.remaining == 0, "the answer of a debt");
    gw_limit_store_force(sh->store, &key, &g, &now, still, 100, 1, &res);
    ok(res.retry == 11 * SEC, "which is one bucket at most");
    ok(gw_limit_store_drain(sh->store, &key, &g, now) == 20, "all of it");

    unshare_all(sh, 64 * 1024);
}


static void
test_sizes(void)
{
    u_char             mem[2048];
    unsigned           i, bad;
    gw_gcra_t          g;
    gw_limit_store_t  *store;

    memset(mem, 0, sizeof(mem));

    ok(sizeof(gw_limit_slot_t) == 64, "a slot is a cache line");
    ok(gw_limit_store_create(mem, 64, seed) == NULL, "too small");

    store = gw_limit_store_create(mem, sizeof(mem), seed);
    ok(store != NULL && store->buckets >= 1, "smallest table");

    gw_gcra_init(&g, 1, SEC, 0);
    bad = 0;

    for (i = 0; i < 100000; i++) {
        bad += (take(store, i, &g, 1000 * SEC + i, 1) != GW_OK);
    }

    ok(bad == 0, "never refuses for want of memory");
    ok(store->used + store->expired + store->evicted == 100000,
       "every insertion is counted");
}


static void
test_peek(void)
{
    int64_t            tat;
    shared_t          *sh;
    gw_gcra_t          g;
    gw_limit_key_t     key;
    gw_gcra_result_t   res;

    sh = shared(64 * 1024);
    gw_gcra_init(&g, 1, SEC, 9);

    gw_limit_store_key(sh->store, (u_char *) "k", 1, &key);

    gw_limit_store_reset(sh->store, &key);
    ok(gw_limit_store_peek(sh->store, &key) == 0 && sh->store->used == 0,
       "a look and a reset make no slot");

    take_key(sh, &key, &g, &res, 4);
    tat = res.tat;

    ok(gw_limit_store_peek(sh->store, &key) == tat
       && gw_limit_store_peek(sh->store, &key) == tat, "a look sees the four");

    gw_limit_store_reset(sh->store, &key);
    ok(gw_limit_store_peek(sh->store, &key) < sh->clock
       && take_key(sh, &key, &g, &res, 10) == GW_OK
       && res.remaining == 0, "a reset makes the bucket full");

    unshare_all(sh, 64 * 1024);
}


/* K5: nobody is to lose his place */

static void
test_room(void)
{
    int64_t            now, wait;
    unsigned           i;
    gw_gcra_t          g;
    shared_t          *sh;
    gw_limit_key_t     key;
    gw_gcra_result_t   res;

    sh = shared(32 * 1024);
    sh->clock = SEC;
    tick = &sh->clock;
    now = SEC;
    wait = -1;

    gw_gcra_init(&g, 1, SEC, 99);

    key.key[0] = 0;

    for (i = 0; i < GW_LIMIT_STORE_WAYS; i++) {
        key.key[1] = 7 * i + 1;

        ok(gw_limit_store_room(sh->store, &key, now, &wait) == GW_OK
           && gw_limit_store_take(sh->store, &key, &g, &now, ticking, i + 2,
                                  &res)
              == GW_OK,
           "place %u of a bucket", i);
    }

    ok(wait == -1, "no wait is told");
    ok(gw_limit_store_room(sh->store, &key, now, &wait) == GW_OK,
       "who has one keeps it");

    key.key[1] = 1000;

    ok(gw_limit_store_room(sh->store, &key, now, &wait) == GW_DECLINED
       && wait == 2 * SEC,
       "none is left for 2 s: %lld", (long long) wait);
    ok(gw_limit_store_room(sh->store, &key, now + SEC, &wait) == GW_DECLINED
       && wait == SEC,
       "for one");
    ok(gw_limit_store_room(sh->store, &key, now + 2 * SEC, &wait) == GW_OK,
       "until the first is full again");

    key.key[0] = (uint64_t) 1 << 63;

    ok(gw_limit_store_room(sh->store, &key, now, &wait) == GW_OK,
       "other buckets have room");
    ok(sh->store->evicted == 0 && sh->store->expired == 0
       && sh->store->used == GW_LIMIT_STORE_WAYS,
       "to look changes nothing");

    unshare_all(sh, 32 * 1024);
}


int
main(void)
{
    test_sizes();
    test_give();
    test_peek();
    test_force();
    test_new_keys();
    test_one_key();
    test_crowd();
    test_killed();
    test_half_written();
    test_room();

    return done();
}
