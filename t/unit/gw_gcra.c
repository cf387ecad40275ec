
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_gcra.h"
#include "tap.h"


#define SEC  ((int64_t) 1000000000)
#define MS   ((int64_t) 1000000)


/* the leaky bucket of limit_req in exact fractions: excess * interval */

typedef struct {
    int64_t  level;            /* ticks of debt */
    int64_t  last;
    int      seen;
} bucket_t;


static uint64_t rnd(uint64_t *s);
static int bucket_take(bucket_t *b, const gw_gcra_t *g, int64_t now,
    int64_t *excess);
static void test_model(int64_t count, int64_t period, int64_t burst);
static void test_cost(void);
static void test_force(void);
static void test_change(void);
static void test_edges(void);


static uint64_t
rnd(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;

    return *s;
}


static int
bucket_take(bucket_t *b, const gw_gcra_t *g, int64_t now, int64_t *excess)
{
    int64_t  level;

    level = b->seen ? b->level - (now - b->last) + g->interval : 0;

    if (level < 0) {
        level = 0;
    }

    *excess = level;

    if (level > g->interval * (g->capacity - 1)) {
        return 0;
    }

    b->seen = 1;
    b->level = level;
    b->last = now;

    return 1;
}


static void
test_model(int64_t count, int64_t period, int64_t burst)
{
    int               yes, passed, wrong, i;
    int64_t           tat, now, excess, first, delay;
    uint64_t          seed;
    bucket_t          b;
    gw_gcra_t         g;
    gw_gcra_result_t  res;

    ok(gw_gcra_init(&g, count, period, burst) == GW_OK, "%lld in %lld",
       (long long) count, (long long) period);

    b.seen = 0;
    b.level = 0;
    b.last = 0;

    seed = 88172645463325252ULL;
    now = first = 1000 * SEC;
    tat = 0;
    passed = wrong = 0;

    for (i = 0; i < 200000; i++) {

        now += (int64_t) (rnd(&seed) % (uint64_t) (g.interval + 3));

        if (i % 5000 == 0) {
            now += g.tau / 2;
        }

        if (i % 20000 == 0) {
            now += 2 * g.tau;
        }

        yes = (gw_gcra_take(&g, tat, now, 1, &res) == GW_OK);

        if (yes != bucket_take(&b, &g, now, &excess)) {
            wrong++;
        }

        if (excess / g.interval != res.excess / 1000) {
            wrong++;
        }

        if (yes) {
            passed++;
            delay = gw_gcra_delay(&g, &res, burst / 2);

            if (delay != (excess > burst / 2 * g.interval
                          ? excess - burst / 2 * g.interval : 0))
            {
                wrong++;
            }

        } else {

            /* exact: denied one tick before, allowed on time */

            if (gw_gcra_take(&g, tat, now + res.retry, 1, &res) != GW_OK) {
                wrong++;
            }

            gw_gcra_take(&g, tat, now, 1, &res);

            if (gw_gcra_take(&g, tat, now + res.retry - 1, 1, &res)
                != GW_DECLINED)
            {
                wrong++;
            }

            gw_gcra_take(&g, tat, now, 1, &res);
        }

        tat = res.tat;
    }

    ok(wrong == 0, "equal to the leaky bucket, %d passed", passed);
    ok(passed <= g.capacity + (now - first) / g.interval,
       "never more than the rate and one bucket");
}


static void
test_cost(void)
{
    int64_t           tat, now;
    gw_gcra_t         g;
    gw_gcra_result_t  res;

    gw_gcra_init(&g, 10, SEC, 9);

    now = 5 * SEC;

    ok(gw_gcra_take(&g, 0, now, 10, &res) == GW_OK, "whole bucket at once");
    ok(res.remaining == 0 && res.full == SEC && res.next == 100 * MS
       && res.excess == 9000, "nothing is left");

    tat = res.tat;

    ok(gw_gcra_take(&g, tat, now, 0, &res) == GW_DECLINED
       && res.retry == 100 * MS && res.tat == tat,
       "cost 0 is denied when nothing is left");
    ok(gw_gcra_take(&g, tat, now + 100 * MS, 0, &res) == GW_OK
       && res.tat == tat && res.remaining == 1, "cost 0 takes nothing");
    ok(gw_gcra_take(&g, tat, now, 11, &res) == GW_DECLINED
       && res.retry == -1, "more than a bucket never fits");
    ok(gw_gcra_take(&g, tat, now, 1000000000, &res) == GW_DECLINED
       && res.retry == -1 && res.excess > 0, "nor does a very large cost");
    ok(gw_gcra_take(&g, tat, now + 300 * MS, 5, &res) == GW_DECLINED
       && res.retry == 200 * MS && res.remaining == 3,
       "five units have to wait for two more");
    ok(gw_gcra_take(&g, tat, now + 300 * MS, 3, &res) == GW_OK
       && res.remaining == 0, "three fit");
    ok(gw_gcra_give(&g, res.tat, 3) == tat, "and can be given back");
    ok(gw_gcra_give(&g, 5, 3) == 0, "a full bucket is not overfilled");
    ok(gw_gcra_take(&g, 0, now, 0, &res) == GW_OK && res.remaining == 10
       && res.next == 0 && res.full == 0, "full bucket has no next unit");
}


static void
test_force(void)
{
    int64_t           tat, now;
    gw_gcra_t         g;
    gw_gcra_result_t  res;

    gw_gcra_init(&g, 10, SEC, 9);

    now = 5 * SEC;

    ok(gw_gcra_force(&g, 0, now, 3) == now + 300 * MS, "three are charged");
    ok(gw_gcra_force(&g, now + 300 * MS, now, 0) == now + 300 * MS,
       "nothing is");
    ok(gw_gcra_force(&g, now + 900 * MS, now, 5) == now + SEC,
       "without a debt a bucket is empty and no more");
    ok(gw_gcra_force(&g, now + 9 * SEC, now, 5) == now + SEC,
       "a time that is too late is brought down");

    g.debt = g.tau;
    tat = gw_gcra_force(&g, now + 900 * MS, now, 5);

    ok(tat == now + 1400 * MS, "a debt of four");
    ok(gw_gcra_take(&g, tat, now, 1, &res) == GW_DECLINED
       && res.retry == 500 * MS && res.tat == tat && res.remaining == 0
       && res.excess == 14000, "one more has to wait for five");
    ok(gw_gcra_take(&g, tat, now + 499 * MS, 1, &res) == GW_DECLINED
       && gw_gcra_take(&g, tat, now + 500 * MS, 1, &res) == GW_OK,
       "and then it passes");

    gw_gcra_state(&g, 1400 * MS, now, &res);
    ok(res.remaining == 0 && res.next == 500 * MS && res.full == 1400 * MS,
       "the state of a debt");

    gw_gcra_state(&g, SEC, now, &res);
    ok(res.remaining == 0 && res.next == 100 * MS, "of an empty bucket");

    ok(gw_gcra_force(&g, tat, now, 1000000000) == now + 2 * SEC
       && gw_gcra_force(&g, now + 9 * SEC, now, 0) == now + 2 * SEC,
       "the debt is one bucket at most");
    ok(gw_gcra_give(&g, now + 2 * SEC, 1000) == now,
       "and can be given back");

    gw_gcra_init(&g, 1, GW_GCRA_TAU_MAX, 0);
    g.debt = g.tau;
    now = GW_GCRA_TAU_MAX / 2;
    tat = gw_gcra_force(&g, 0, now, GW_GCRA_CAPACITY_MAX);

    ok(tat == now + 2 * GW_GCRA_TAU_MAX
       && gw_gcra_take(&g, tat, now, 1, &res) == GW_DECLINED
       && res.retry == 2 * GW_GCRA_TAU_MAX, "nothing overflows");
}


static void
test_change(void)
{
    int64_t           tat, now;
    gw_gcra_t         large, small;
    gw_gcra_result_t  res;

    gw_gcra_init(&large, 1, SEC, 19);
    gw_gcra_init(&small, 1000, SEC, 9);

    now = 100 * SEC;

    gw_gcra_take(&large, 0, now, 20, &res);
    tat = res.tat;

    ok(gw_gcra_take(&small, tat, now, 1, &res) == GW_DECLINED
       && res.tat == now + 10 * MS && res.retry == MS,
       "a smaller limit locks out for its own bucket only");

    tat = res.tat;

    ok(gw_gcra_take(&small, tat, now + MS, 1, &res) == GW_OK,
       "since the denial wrote the clamped time");
    ok(gw_gcra_take(&large, tat, now, 1, &res) == GW_OK
       && res.remaining == 18, "a larger limit applies at once");
    ok(gw_gcra_take(&large, now + 1000 * SEC, now, 1, &res) == GW_DECLINED
       && res.full == 20 * SEC,
       "a clock that went back costs one bucket at most");
}


static void
test_edges(void)
{
    gw_gcra_t         g;
    gw_gcra_result_t  res;

    ok(gw_gcra_init(&g, 10000000, SEC, 0) == GW_OK && g.interval == 100,
       "ten millions a second");
    ok(gw_gcra_init(&g, 3, SEC, 0) == GW_OK && g.interval == 333333333,
       "interval is rounded down");
    ok(gw_gcra_init(&g, 7000000, SEC, 0) == GW_OK && g.interval == 143,
       "interval is rounded up");
    ok(gw_gcra_init(&g, 10, 3, 0) == GW_OK && g.interval == 1,
       "interval is never zero");
    ok(gw_gcra_init(&g, 1, 366 * 86400 * SEC, 0) == GW_OK,
       "one a year");
    ok(gw_gcra_take(&g, 0, SEC, 1, &res) == GW_OK
       && gw_gcra_take(&g, res.tat, 2 * SEC, 1, &res) == GW_DECLINED
       && res.excess == 999 && res.retry == g.interval - SEC,
       "excess of a long interval");
    ok(gw_gcra_init(&g, 1, 366 * 86400 * SEC, 1000) == GW_DECLINED,
       "too many ticks");
    ok(gw_gcra_init(&g, 1000, SEC, GW_GCRA_CAPACITY_MAX) == GW_DECLINED,
       "too many units");
    ok(gw_gcra_init(&g, 1000, SEC, GW_GCRA_CAPACITY_MAX - 1) == GW_OK,
       "just as many units as possible");

    gw_gcra_init(&g, 1, SEC, 4);
    gw_gcra_state(&g, 3 * SEC + 1, 50 * SEC, &res);

    ok(res.remaining == 1 && res.tat == 53 * SEC + 1 && res.next == 1
       && res.excess == 2000, "state of a bucket decided elsewhere");

    gw_gcra_state(&g, -5, 50 * SEC, &res);
    ok(res.remaining == 5 && res.full == 0, "late state is a full bucket");

    gw_gcra_state(&g, 500 * SEC, 50 * SEC, &res);
    ok(res.remaining == 0 && res.full == 5 * SEC, "early state is clamped");

    ok(gw_gcra_delay(&g, &res, INT64_MAX) == 0, "nodelay");
    ok(gw_gcra_delay(&g, &res, 0) == 4 * SEC, "delay of all the burst");
}


int
main(void)
{
    test_model(10, SEC, 0);
    test_model(100, SEC, 20);
    test_model(3, SEC, 5);
    test_model(10000, SEC, 10);
    test_model(1, 60 * SEC, 3);
    test_model(7000000, SEC, 100);
    test_cost();
    test_force();
    test_change();
    test_edges();

    return done();
}
