
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Windows in the store under several processes: every unit is counted once,
 * also while the window turns and slots are fought for.
 */


#include "gw_limit_slot.h"
#include "gw_limit_window.h"
#include "tap.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define SEC      ((int64_t) 1000000000)
#define WORKERS  4
#define WINDOWS  2000
#define KEYS     5000

#if defined(__SANITIZE_THREAD__)
#define THREADS  1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREADS  1
#endif
#endif


typedef struct {
    gw_limit_store_t  *store;
    int64_t            granted[WINDOWS + 2];
    int64_t            total[KEYS];
    int64_t            clock;
    int64_t            ready;
} shared_t;


typedef void (*work_pt)(shared_t *sh, unsigned id);


typedef struct {
    work_pt            work;
    shared_t          *sh;
    unsigned           id;
} job_t;


static shared_t  *current;
static uint64_t   seed[2] = { 0x0123456789abcdefULL, 0xfedcba9876543210ULL };


static int64_t
tick(void)
{
    return __atomic_load_n(&current->clock, __ATOMIC_SEQ_CST);
}


static shared_t *
shared(size_t size)
{
    shared_t  *sh;

    sh = mmap(NULL, sizeof(shared_t) + size, PROT_READ|PROT_WRITE,
              MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    sh->store = gw_limit_store_create((char *) sh + sizeof(shared_t), size,
                                      seed);
    sh->clock = 1000 * SEC;
    current = sh;

    return sh;
}


static gw_status_e
take(shared_t *sh, unsigned n, const gw_window_t *w, int64_t cost,
    gw_gcra_result_t *res)
{
    int64_t         now;
    gw_limit_key_t  key;

    now = tick();
    gw_limit_store_key(sh->store, (u_char *) &n, sizeof(n), &key);

    return gw_limit_window_take(sh->store, &key, w, &now, tick, cost, res);
}


static void *
job(void *data)
{
    job_t  *j = data;

    __atomic_fetch_add(&j->sh->ready, 1, __ATOMIC_SEQ_CST);

    while (__atomic_load_n(&j->sh->ready, __ATOMIC_SEQ_CST) < WORKERS) {
        usleep(100);
    }

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

    sh->ready = 0;

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


/* one key, a fixed window of 50, a clock that all push on */

static void
work_fixed(shared_t *sh, unsigned id)
{
    int64_t           now;
    gw_window_t       w;
    gw_gcra_result_t  res;

    (void) id;
    (void) gw_window_init(&w, 50, 1000, 0);

    for ( ;; ) {
        now = __atomic_add_fetch(&sh->clock, 4000, __ATOMIC_SEQ_CST);

        if (now >= 1000 * SEC + (int64_t) WINDOWS * 1000000) {
            break;
        }

        if (take(sh, 7, &w, 1, &res) == GW_OK) {
            now = (res.tat - 1000000 * 1000) / 1000;
            __atomic_fetch_add(&sh->granted[now], 1, __ATOMIC_RELAXED);
        }
    }
}


static void
test_fixed(void)
{
    int        i, less, more;
    size_t     size;
    shared_t  *sh;

    size = 64 * 1024;
    sh = shared(size);

    run(sh, work_fixed, 0);

    less = more = 0;

    for (i = 1; i < WINDOWS; i++) {
        more += (sh->granted[i] > 50);
        less += (sh->granted[i] < 50);
    }

    ok(more == 0, "never more than the limit in a window, %d", more);
    ok(less == 0, "nor less, %d", less);

    munmap(sh, sizeof(shared_t) + size);
}


/* new keys at the same moment, with different costs */

static void
work_keys(shared_t *sh, unsigned id)
{
    int               i, j;
    int64_t           cost;
    gw_window_t       w;
    gw_gcra_result_t  res;

    (void) gw_window_init(&w, 10, 1000000, 1);

    for (i = 0; i < KEYS; i++) {
        for (j = 0; j < 12; j++) {
            cost = 1 + (j < 3 ? id % 3 : 0);

            if (take(sh, (unsigned) i, &w, cost, &res) == GW_OK) {
                __atomic_fetch_add(&sh->total[i], cost, __ATOMIC_RELAXED);
            }
        }
    }
}


static void
test_keys(void)
{
    int        i, wrong;
    size_t     size;
    shared_t  *sh;

    size = 8 * KEYS * 64;
    sh = shared(size);

    run(sh, work_keys, 0);

    wrong = 0;

    for (i = 0; i < KEYS; i++) {
        wrong += (sh->total[i] != 10);
    }

    ok(wrong == 0 && sh->store->evicted == 0 && sh->store->unstored == 0,
       "a window of 10 gives 10 to 4 workers, %d keys of %d not", wrong,
       KEYS);

    munmap(sh, sizeof(shared_t) + size);
}


/* crowds of keys in a small zone, workers killed anywhere */

static void
work_for_ever(shared_t *sh, unsigned id)
{
    int               i;
    unsigned          n;
    gw_window_t       w;
    gw_gcra_result_t  res;

    (void) gw_window_init(&w, 3, 1000, 1);

    n = 777 * (id + 1);

    for (i = 0; i < 100000000; i++) {
        n = n * 1664525 + 1013904223;
        __atomic_fetch_add(&sh->clock, 100, __ATOMIC_RELAXED);
        take(sh, n >> 20, &w, 1, &res);

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
    int               i, passed;
    shared_t         *sh;
    gw_window_t       w;
    gw_gcra_result_t  res;

    sh = shared(16 * 1024);

    for (i = 0; i < 4; i++) {
        run(sh, work_for_ever, 1);
    }

    (void) gw_window_init(&w, 10, 1000000, 1);
    passed = 0;

    for (i = 0; i < 1000; i++) {
        sh->clock += 10000000;
        passed += (take(sh, 1000000 + i, &w, 10, &res) == GW_OK);
    }

    ok(passed == 1000, "killed workers keep nobody waiting, %d", passed);

    munmap(sh, sizeof(shared_t) + 16 * 1024);
}


static void
test_account(void)
{
    int64_t           end;
    unsigned          n;
    shared_t         *sh;
    gw_window_t       w, other;
    gw_limit_key_t    key;
    gw_limit_look_t   look;
    gw_gcra_result_t  res;

    sh = shared(64 * 1024);
    n = 1;

    (void) gw_window_init(&w, 10, 1000000, 1);
    (void) gw_window_init(&other, 5, 60000000, 1);
    gw_limit_store_key(sh->store, (u_char *) &n, sizeof(n), &key);

    gw_limit_window_give(sh->store, &key, 1002000000, 3);
    ok(sh->store->used == 0, "nothing is given to a key never seen");

    ok(take(sh, 1, &w, 0, &res) == GW_OK && sh->store->used == 0,
       "a look makes no slot");
    ok(take(sh, 1, &w, 4, &res) == GW_OK && res.remaining == 6
       && take(sh, 1, &w, 6, &res) == GW_OK && res.remaining == 0,
       "four and six are taken");

    end = res.tat;
    gw_limit_window_give(sh->store, &key, end, 4);

    ok(take(sh, 1, &w, 5, &res) == GW_DECLINED && res.remaining == 4
       && take(sh, 1, &w, 4, &res) == GW_OK, "the four are back");

    gw_limit_window_give(sh->store, &key, end, 1000);
    ok(take(sh, 1, &w, 0, &res) == GW_OK && res.remaining == 10,
       "never more than a window");

    take(sh, 1, &w, 6, &res);
    sh->clock += SEC;

    ok(take(sh, 1, &w, 4, &res) == GW_OK && res.remaining == 0,
       "the window before counts");

    gw_limit_window_give(sh->store, &key, end, 6);
    ok(take(sh, 1, &w, 1, &res) == GW_DECLINED,
       "what was taken in it stays taken");

    ok(gw_limit_window_drain(sh->store, &key, &w, sh->clock) == 10
       && gw_limit_window_drain(sh->store, &key, &w, sh->clock) == 0,
       "what counts is drained once");

    {
        int64_t  now;

        now = sh->clock;
        gw_limit_window_force(sh->store, &key, &w, &now, tick, 4, 7, &res);
        ok(res.retry > 0 && res.remaining == 6, "four are charged");
        gw_limit_window_force(sh->store, &key, &w, &now, tick, 99, 1, &res);
        ok(res.retry > 0 && take(sh, 1, &w, 0, &res) == GW_DECLINED,
           "a window is filled");
        ok(gw_limit_window_drain(sh->store, &key, &w, now) == 10,
           "and no more than that");

        n = 77;
        gw_limit_store_key(sh->store, (u_char *) &n, sizeof(n), &key);
        gw_limit_window_force(sh->store, &key, &w, &now, tick, 2, 1, &res);
        ok(take(sh, 77, &w, 0, &res) == GW_OK && res.remaining == 8,
           "a new key is charged");

        n = 1;
        gw_limit_store_key(sh->store, (u_char *) &n, sizeof(n), &key);
    }

    /* the end is raised, the counters have not followed: killed in between */

    take(sh, 1, &w, 3, &res);
    gw_limit_find(sh->store, &key, &look);
    sh->clock += SEC;
    ok(gw_limit_swap(&look.slot->tat, look.tat, look.tat + SEC)
       && take(sh, 1, &w, 7, &res) == GW_OK && res.remaining == 0,
       "counters that have not followed are taken along");

    sh->clock += 10 * SEC;
    gw_limit_find(sh->store, &key, &look);
    ok(gw_limit_swap(&look.slot->tat, look.tat, look.tat + 10 * SEC)
       && take(sh, 1, &w, 10, &res) == GW_OK,
       "and dropped when they are too old");

    /* N3: rates of different periods in turn share one account */

    sh->clock += 120 * SEC;
    take(sh, 1, &other, 5, &res);
    ok(take(sh, 1, &other, 1, &res) == GW_DECLINED, "N3 five a minute");
    ok(take(sh, 1, &w, 1, &res) == GW_OK && res.remaining == 4,
       "N3 count for ten a second");
    ok(take(sh, 1, &other, 1, &res) == GW_DECLINED, "N3 and are not lost");

    munmap(sh, sizeof(shared_t) + 64 * 1024);
}


static void
test_peek(void)
{
    int               sliding;
    unsigned          n;
    shared_t         *sh;
    gw_window_t       w;
    gw_limit_key_t    key;
    gw_limit_look_t   look;
    gw_gcra_result_t  res;

    sh = shared(64 * 1024);
    n = 1;

    gw_limit_store_key(sh->store, (u_char *) &n, sizeof(n), &key);

    for (sliding = 0; sliding < 2; sliding++) {

        (void) gw_window_init(&w, 10, 1000000, sliding);

        sh->clock += 100 * SEC;

        gw_limit_window_reset(sh->store, &key);
        gw_limit_window_peek(sh->store, &key, &w, sh->clock, &res);
        ok(res.remaining == 10 && res.full == 0
           && sh->store->used == (uint64_t) sliding,
           "a look and a reset make no slot");

        take(sh, 1, &w, 4, &res);
        gw_limit_window_peek(sh->store, &key, &w, sh->clock, &res);
        ok(res.remaining == 6 && res.next > 0, "a look sees the four");

        gw_limit_window_peek(sh->store, &key, &w, sh->clock + SEC, &res);
        ok(res.remaining == (sliding ? 6 : 10), "and those of the window "
           "before");

        gw_limit_window_reset(sh->store, &key);
        gw_limit_window_peek(sh->store, &key, &w, sh->clock, &res);
        ok(res.remaining == 10, "a reset forgets them");
        ok(take(sh, 1, &w, 10, &res) == GW_OK && res.remaining == 0,
           "all ten can be taken");

        sh->clock += SEC;
        take(sh, 1, &w, 1, &res);
        gw_limit_window_reset(sh->store, &key);
        ok(take(sh, 1, &w, 10, &res) == GW_OK,
           "the window before is forgotten, too");
    }

    /* the end is raised, the counters have not followed: killed in between */

    gw_limit_find(sh->store, &key, &look);
    sh->clock += SEC;
    (void) gw_limit_swap(&look.slot->tat, look.tat, look.tat + SEC);
    gw_limit_window_reset(sh->store, &key);
    ok(take(sh, 1, &w, 10, &res) == GW_OK,
       "counters that have not followed are forgotten");

    munmap(sh, sizeof(shared_t) + 64 * 1024);
}


int
main(void)
{
    test_peek();
    test_account();
    test_fixed();
    test_keys();
    test_killed();

    return done();
}
