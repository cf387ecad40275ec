
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The store under several processes: whatever they do at the same time and
 * whoever is killed, what is found is what somebody has put.  Under
 * ThreadSanitizer the workers are threads, since it sees no other process.
 */


#include "gw_token_store.h"
#include "tap.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define WORKERS  4
#define KILLS    40
#define ROUNDS   400000
#define NOW      ((int64_t) 1700000000)

#if defined(__SANITIZE_THREAD__)
#define THREADS  1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREADS  1
#endif
#endif


typedef struct {
    gw_token_store_t  *store;
    uint64_t           hits;
    uint64_t           wrong;
    uint64_t           stop;
} shared_t;


typedef struct {
    shared_t          *sh;
    unsigned           id;
} job_t;


static uint64_t  seed[2] = { 0x0123456789abcdefULL, 0xfedcba9876543210ULL };


static shared_t *
shared(size_t size)
{
    shared_t  *sh;

    sh = mmap(NULL, sizeof(shared_t) + size, PROT_READ|PROT_WRITE,
              MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    sh->store = gw_token_store_create((char *) sh + sizeof(shared_t), size,
                                      seed);

    return sh;
}


static uint64_t
mix(uint64_t n)
{
    n += 0x9e3779b97f4a7c15ULL;
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9ULL;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebULL;

    return n ^ (n >> 31);
}


/* every word of an entry follows from the token and from when it was put */

static void
entry(gw_token_entry_t *e, uint64_t token, int64_t since, int64_t life)
{
    uint64_t  words[6];

    words[0] = mix(token);
    words[1] = mix(token ^ 0x100000000);
    words[2] = mix(token ^ 0x200000000);
    words[3] = mix(token ^ 0x300000000);
    words[4] = mix(token ^ ((uint64_t) since << 32));
    words[5] = mix(words[4]);

    memcpy(e->digest, words, GW_TOKEN_DIGEST_LEN);
    memcpy(e->key, &words[4], GW_TOKEN_KEY_LEN);

    e->since = since;
    e->end = since + life;
}


/* 1: found, 0: not, -1: something that nobody has put */

static int
find(gw_token_store_t *store, uint64_t token, int64_t now)
{
    gw_token_entry_t  e, f;

    entry(&e, token, 0, 0);

    if (gw_token_store_find(store, e.digest, now, &f) != GW_OK) {
        return 0;
    }

    entry(&e, token, f.since, f.end - f.since);

    return memcmp(e.digest, f.digest, GW_TOKEN_DIGEST_LEN) == 0
           && memcmp(e.key, f.key, GW_TOKEN_KEY_LEN) == 0
           ? 1 : -1;
}


static void
put(gw_token_store_t *store, uint64_t token, int64_t since, int64_t life)
{
    gw_token_entry_t  e;

    entry(&e, token, since, life);
    gw_token_store_put(store, &e, since);
}


static void
test_life(void)
{
    shared_t          *sh;
    gw_token_entry_t   e, f;

    sh = shared(64 * 1024);

    ok(sizeof(gw_token_slot_t) == 64, "a slot is a cache line");
    ok(find(sh->store, 1, NOW) == 0, "nothing is known");

    put(sh->store, 1, NOW, 60);

    ok(find(sh->store, 1, NOW) == 1, "what was put is found");
    ok(find(sh->store, 1, NOW + 59) == 1, "until its end");
    ok(find(sh->store, 1, NOW + 60) == 0, "not at its end");
    ok(find(sh->store, 2, NOW) == 0, "another one is not");

    entry(&e, 1, NOW, 60);
    e.digest[31] ^= 1;
    ok(gw_token_store_find(sh->store, e.digest, NOW, &f) == GW_DECLINED,
       "nor is one that differs in the last bit");

    put(sh->store, 1, NOW + 30, 60);

    ok(find(sh->store, 1, NOW + 80) == 1 && sh->store->used == 1,
       "put again, it takes the same place");

    entry(&e, 1, NOW, 60);
    ok(gw_token_store_find(sh->store, e.digest, NOW + 80, &f) == GW_OK
       && f.since == NOW + 30 && f.end == NOW + 90, "with its new dates");

    munmap(sh, sizeof(shared_t) + 64 * 1024);
}


static void
test_dates(void)
{
    shared_t          *sh;
    gw_token_entry_t   e, f;

    sh = shared(64 * 1024);

    entry(&e, 1, NOW, 60);
    gw_token_store_put(sh->store, &e, NOW + 60);
    ok(sh->store->used == 0, "what has ended is not kept");

    entry(&e, 1, NOW, 0);
    gw_token_store_put(sh->store, &e, NOW - 10);
    ok(sh->store->used == 0, "nor what ends before it begins");

    entry(&e, 1, -1, 60);
    gw_token_store_put(sh->store, &e, -1);
    entry(&e, 1, GW_TOKEN_STORE_TIME + 1, 60);
    gw_token_store_put(sh->store, &e, GW_TOKEN_STORE_TIME + 1);
    ok(sh->store->used == 0, "nor what is of no time");

    put(sh->store, 1, GW_TOKEN_STORE_TIME, 60);
    ok(find(sh->store, 1, GW_TOKEN_STORE_TIME + 59) == 1, "the last time");

    entry(&e, 2, NOW, INT64_C(253402300800) - NOW);
    gw_token_store_put(sh->store, &e, NOW);

    ok(gw_token_store_find(sh->store, e.digest, NOW, &f) == GW_OK
       && f.end == NOW + GW_TOKEN_STORE_LIFE, "a very long life is cut");

    munmap(sh, sizeof(shared_t) + 64 * 1024);
}


static void
test_eviction(void)
{
    unsigned   i, left;
    shared_t  *sh;
    size_t     size;

    /* one bucket */

    size = 64 + sizeof(gw_token_store_t) + 8 * 64;
    sh = shared(size);

    ok(sh->store->buckets == 1, "a table of one bucket");

    for (i = 0; i < 8; i++) {
        put(sh->store, i, NOW, 100 + i);
    }

    left = 0;

    for (i = 0; i < 8; i++) {
        left += find(sh->store, i, NOW);
    }

    ok(left == 8 && sh->store->used == 8, "eight are kept");

    put(sh->store, 8, NOW, 50);

    ok(find(sh->store, 0, NOW) == 0 && find(sh->store, 8, NOW) == 1
       && sh->store->evicted == 1, "the nearest to its end goes");

    put(sh->store, 9, NOW + 60, 500);

    ok(find(sh->store, 9, NOW + 60) == 1 && find(sh->store, 1, NOW + 60) == 1
       && sh->store->expired == 1, "an expired one goes before");

    sh->store->slots[4].key[0] ^= 1;
    left = sh->store->used;
    put(sh->store, 10, NOW, 500);

    ok(sh->store->used == left + 1 && find(sh->store, 10, NOW) == 1
       && sh->store->evicted == 1, "and a spoiled one before all");

    munmap(sh, sizeof(shared_t) + size);
}


static gw_token_slot_t *
first(gw_token_store_t *store)
{
    gw_token_slot_t  *slot;

    slot = store->slots;

    while (slot->check == 0) {
        slot++;
    }

    return slot;
}


/* each mixture of the words of two entries, as races could leave it */

static void
test_mixtures(void)
{
    size_t           size;
    unsigned         mask, n, bit, passed, wrong;
    shared_t        *sh;
    gw_token_slot_t  old, new, *slot;
    uint64_t        *p, *o, *w;

    size = 64 + sizeof(gw_token_store_t) + 8 * 64;
    sh = shared(size);

    put(sh->store, 1, NOW, 60);

    slot = first(sh->store);
    old = *slot;

    memset(sh->store->slots, 0, 512);
    put(sh->store, 2, NOW + 1, 60);

    slot = first(sh->store);
    new = *slot;

    p = (uint64_t *) slot;
    o = (uint64_t *) &old;
    w = (uint64_t *) &new;

    passed = 0;
    wrong = 0;

    for (mask = 0; mask < 256; mask++) {
        for (n = 0; n < 8; n++) {
            p[n] = (mask & (1 << n)) ? w[n] : o[n];
        }

        passed += (find(sh->store, 1, NOW + 1) == 1);
        passed += (find(sh->store, 2, NOW + 1) == 1);
        wrong += (find(sh->store, 1, NOW + 1) < 0);
        wrong += (find(sh->store, 2, NOW + 1) < 0);
    }

    ok(passed == 2 && wrong == 0,
       "of all mixtures of two entries those two pass: %u, %u", passed,
       wrong);

    passed = 0;

    for (bit = 0; bit < 512; bit++) {
        *slot = new;
        p[bit / 64] ^= (uint64_t) 1 << (bit % 64);
        passed += (find(sh->store, 2, NOW + 1) != 0);
    }

    ok(passed == 0, "an entry with any bit changed is none");

    /* the place of a writer that was killed after n words */

    wrong = 0;

    for (n = 0; n < 8; n++) {
        memset(slot, 0, sizeof(gw_token_slot_t));
        memcpy(&p[1], &w[1], n * sizeof(uint64_t));
        wrong += (find(sh->store, 2, NOW + 1) != 0);
    }

    ok(wrong == 0, "nor is one that was not finished");

    munmap(sh, sizeof(shared_t) + size);
}


static void *
work(void *data)
{
    job_t     *j = data;

    int        rc;
    int64_t    now;
    uint64_t   n, token;
    shared_t  *sh;

    sh = j->sh;

    for (n = 0; __atomic_load_n(&sh->stop, __ATOMIC_RELAXED) == 0; n++) {

        token = mix(n * WORKERS + j->id) % 300;
        now = NOW + n % 1000;

        switch (mix(n ^ j->id) % 8) {

        case 0: case 1: case 2:
            put(sh->store, token, now, 1 + token % 50);
            break;

        default:
            rc = find(sh->store, token, NOW);

            if (rc > 0) {
                __atomic_fetch_add(&sh->hits, 1, __ATOMIC_RELAXED);

            } else if (rc < 0) {
                __atomic_fetch_add(&sh->wrong, 1, __ATOMIC_RELAXED);
            }
        }

        if (n == ROUNDS && j->id < WORKERS) {
            break;
        }
    }

    return NULL;
}


#if !(THREADS)

static pid_t
start(job_t *j)
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        (void) work(j);
        _exit(0);
    }

    return pid;
}

#endif


/* few slots, so that all of them are always being written */

static void
test_together(void)
{
    job_t      jobs[WORKERS];
    unsigned   i;
    shared_t  *sh;

#if (THREADS)
    pthread_t  ids[WORKERS];
#else
    pid_t      ids[WORKERS];
#endif

    sh = shared(4096);
    fflush(stdout);

    for (i = 0; i < WORKERS; i++) {
        jobs[i].sh = sh;
        jobs[i].id = i;

#if (THREADS)
        pthread_create(&ids[i], NULL, work, &jobs[i]);
#else
        ids[i] = start(&jobs[i]);
#endif
    }

    for (i = 0; i < WORKERS; i++) {
#if (THREADS)
        pthread_join(ids[i], NULL);
#else
        waitpid(ids[i], NULL, 0);
#endif
    }

    ok(sh->wrong == 0 && sh->hits > 1000,
       "%u at once find only what was put: %llu found, %llu wrong", WORKERS,
       (unsigned long long) sh->hits, (unsigned long long) sh->wrong);

    munmap(sh, sizeof(shared_t) + 4096);
}


/* workers killed anywhere, others go on with what they left */

static void
test_killed(void)
{
#if !(THREADS)
    job_t      jobs[WORKERS];
    pid_t      pids[WORKERS];
    unsigned   i, n;
    shared_t  *sh;

    sh = shared(4096);
    fflush(stdout);

    for (i = 0; i < WORKERS; i++) {
        jobs[i].sh = sh;
        jobs[i].id = WORKERS + i;
        pids[i] = start(&jobs[i]);
    }

    for (n = 0; n < KILLS; n++) {
        i = n % WORKERS;

        usleep(5000 + mix(n) % 20000);
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);

        jobs[i].id += WORKERS;
        pids[i] = start(&jobs[i]);
    }

    sh->stop = 1;

    for (i = 0; i < WORKERS; i++) {
        waitpid(pids[i], NULL, 0);
    }

    ok(sh->wrong == 0 && sh->hits > 1000,
       "%u are killed: %llu found, %llu wrong", KILLS,
       (unsigned long long) sh->hits, (unsigned long long) sh->wrong);

    for (i = 0, n = 0; i < 8 * sh->store->buckets; i++) {
        put(sh->store, 1000 + i, NOW + 2000, 100);
        n += (find(sh->store, 1000 + i, NOW + 2000) == 1);
    }

    ok(n == i, "every place is used again");

    munmap(sh, sizeof(shared_t) + 4096);
#endif
}


static void
test_sizes(void)
{
    u_char             mem[2048];
    unsigned           i, found;
    gw_token_store_t  *store;

    memset(mem, 0, sizeof(mem));

    ok(gw_token_store_create(mem, 64, seed) == NULL, "too small");

    store = gw_token_store_create(mem, sizeof(mem), seed);
    ok(store != NULL && store->buckets >= 1, "smallest table");

    found = 0;

    for (i = 0; i < 100000; i++) {
        put(store, i, NOW, 3600);
        found += (find(store, i, NOW) == 1);
    }

    ok(found == 100000, "the newest is always kept");
    ok(store->used + store->evicted == 100000
       && store->used == store->buckets * GW_TOKEN_STORE_WAYS,
       "every insertion is counted");
}


int
main(void)
{
    test_sizes();
    test_life();
    test_dates();
    test_eviction();
    test_mixtures();
    test_together();
    test_killed();

    return done();
}
