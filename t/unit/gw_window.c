
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Windows: the arithmetic, and how far a sliding window is from a log of all
 * requests (A9).
 */


#include "gw_window.h"
#include "tap.h"

#include <math.h>
#include <string.h>


#define SEC   ((int64_t) 1000000)
#define LOG   1000000


/* a log of the units that a client was given */

typedef struct {
    int64_t   at[LOG];
    int       first;
    int       last;
} record_t;


typedef struct {
    int64_t   requests;
    int64_t   wrong;           /* decisions other than those of the log */
    int64_t   passed;
    int64_t   exact;           /* what the log lets pass */
} score_t;


static uint64_t   seed = 88172645463325252ULL;
static record_t   seen, own;


static uint64_t
rnd(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed % n;
}


/* the pauses of a Poisson process, usec */

static int64_t
pause_of(double rate)
{
    return (int64_t) (-log((double) (rnd(1000000000) + 1) / 1000000001.0)
                      / rate * 1e6);
}


static int
count_of(record_t *r, int64_t now, int64_t period)
{
    while (r->first != r->last && r->at[r->first] <= now - period) {
        r->first = (r->first + 1) % LOG;
    }

    return (r->last - r->first + LOG) % LOG;
}


static void
add(record_t *r, int64_t now)
{
    r->at[r->last] = now;
    r->last = (r->last + 1) % LOG;
}


/*
 * One client.  The rate that passes is compared with that of a log of what
 * passed; the estimate of its rate with that of a log of all its requests.
 */

static void
client(score_t *s, int kind, double rate, int64_t limit, int64_t period,
    int64_t span)
{
    int64_t           now, end;
    double            r;
    gw_window_t       w, all;
    gw_gcra_result_t  res;
    gw_window_cell_t  cell, total;

    memset(&cell, 0, sizeof(cell));
    memset(&total, 0, sizeof(total));
    memset(&seen, 0, sizeof(seen));
    memset(&own, 0, sizeof(own));

    (void) gw_window_init(&w, limit, period, 1);
    (void) gw_window_init(&all, GW_WINDOW_LIMIT_MAX, period, 1);

    now = 1000000 * SEC + (int64_t) rnd((uint64_t) period);
    end = now + span;

    for ( ;; ) {
        r = rate;

        if (kind == 1 && now / (period / 4) % 11 != 0) {
            /* bursts of a quarter of a window, with pauses of ten of them */
            now += period / 4 - now % (period / 4);
            continue;
        }

        if (kind == 2) {
            /* a square wave of three windows and a bit */
            r = (now / (period * 13 / 8) % 2) ? rate / 8 : rate;
        }

        now += pause_of(r);

        if (now > end) {
            break;
        }

        (void) gw_window_turn(&all, &total, now);
        (void) gw_window_take(&all, &total, now, 1, &res);
        add(&seen, now);

        s->requests++;
        s->wrong += ((GW_WINDOW_LIMIT_MAX - res.remaining > limit)
                     != (count_of(&seen, now, period) > limit));

        (void) gw_window_turn(&w, &cell, now);
        s->passed += (gw_window_take(&w, &cell, now, 1, &res) == GW_OK);

        if (count_of(&own, now, period) < limit) {
            add(&own, now);
            s->exact++;
        }
    }
}


/* clients from a hundredth to a hundred times of the limit */

static void
test_accuracy(void)
{
    int      kind, i;
    double   rate, error, wrong;
    score_t  s, sum;

    static const char *const  names[] = { "Poisson", "bursts", "square" };

    memset(&sum, 0, sizeof(sum));

    for (kind = 0; kind < 3; kind++) {
        memset(&s, 0, sizeof(s));

        for (i = -40; i <= 40; i++) {
            rate = 100 * pow(10, i / 20.0);
            client(&s, kind, rate, 100, SEC, 20 * SEC);
        }

        error = fabs((double) (s.passed - s.exact)) / (double) s.exact;

        ok(error <= 0.06, "A9 %s: %.3f %% off the rate of a log", names[kind],
           100 * error);
        printf("# %s: %lld of %lld decided otherwise\n", names[kind],
               (long long) s.wrong, (long long) s.requests);

        sum.wrong += s.wrong;
        sum.requests += s.requests;
    }

    wrong = (double) sum.wrong / (double) sum.requests;

    ok(wrong <= 0.001, "A9 %.4f %% of %lld requests decided otherwise",
       100 * wrong, (long long) sum.requests);
}


/* denied until one tick before, allowed on time; never above two limits */

static void
test_retry(int64_t limit, int64_t period, int sliding)
{
    int               i, wrong;
    int64_t           now, cost, passed;
    gw_window_t       w;
    gw_gcra_result_t  res;
    gw_window_cell_t  cell, copy;

    (void) gw_window_init(&w, limit, period, sliding);
    memset(&cell, 0, sizeof(cell));

    now = 1000000 * SEC;
    wrong = 0;
    passed = 0;

    for (i = 0; i < 200000; i++) {
        now += (int64_t) rnd((uint64_t) (period / limit) + 1);

        if (rnd(1000) == 0) {
            now += (int64_t) rnd((uint64_t) period * 3);
        }

        cost = 1 + (int64_t) rnd(rnd(10) == 0 ? (uint64_t) limit : 3);
        (void) gw_window_turn(&w, &cell, now);

        copy = cell;

        if (gw_window_take(&w, &cell, now, cost, &res) == GW_OK) {
            passed += cost;
            wrong += (res.retry != 0);

            if (res.next) {
                copy = cell;
                (void) gw_window_turn(&w, &copy, now + res.next);
                cost = res.remaining;
                gw_window_state(&w, &copy, now + res.next, &res);
                wrong += (res.remaining <= cost);
            }

            continue;
        }

        if (cost > limit) {
            wrong += (res.retry != -1);
            continue;
        }

        wrong += (res.retry <= 0);

        (void) gw_window_turn(&w, &copy, now + res.retry - 1);
        wrong += (gw_window_take(&w, &copy, now + res.retry - 1, cost, &res)
                  == GW_OK);

        copy = cell;
        now = now + 0;
        gw_window_state(&w, &cell, now, &res);
        (void) gw_window_take(&w, &copy, now, cost, &res);
        copy = cell;
        (void) gw_window_turn(&w, &copy, now + res.retry);
        wrong += (gw_window_take(&w, &copy, now + res.retry, cost, &res)
                  != GW_OK);
    }

    ok(wrong == 0, "%s %lld in %lld: retry and next are exact, %d wrong",
       sliding ? "sliding" : "fixed", (long long) limit, (long long) period,
       wrong);
    ok(passed <= limit * ((now - 1000000 * SEC) / period + 2),
       "and never more than the limit in each window");
}


static void
test_cells(void)
{
    int64_t           now;
    gw_window_t       w, other;
    gw_gcra_result_t  res;
    gw_window_cell_t  cell;

    ok(gw_window_init(&w, GW_WINDOW_LIMIT_MAX + 1, SEC, 1) == GW_DECLINED,
       "too many units");
    ok(gw_window_init(&w, 10, SEC, 0) == GW_OK, "fixed window");

    memset(&cell, 0, sizeof(cell));
    now = 1000 * SEC + SEC / 4;

    (void) gw_window_turn(&w, &cell, now);

    ok(gw_window_take(&w, &cell, now, 0, &res) == GW_OK && cell.count == 0
       && res.remaining == 10 && res.next == 0 && res.full == 0,
       "cost 0 takes nothing");
    ok(gw_window_take(&w, &cell, now, 10, &res) == GW_OK
       && res.remaining == 0 && res.next == SEC * 3 / 4
       && res.tat == 1001 * SEC, "all at once");
    ok(gw_window_take(&w, &cell, now, 0, &res) == GW_DECLINED
       && res.retry == SEC * 3 / 4 && res.excess == 1000,
       "cost 0 is denied when nothing is left");
    ok(gw_window_take(&w, &cell, now, 11, &res) == GW_DECLINED
       && res.retry == -1, "more than a window never fits");
    ok(gw_window_turn(&w, &cell, 1001 * SEC) == 0 && cell.count == 0,
       "the next window begins with nothing");

    /* a sliding one: half of 10 at the middle of the next window */

    (void) gw_window_init(&w, 10, SEC, 1);
    memset(&cell, 0, sizeof(cell));
    (void) gw_window_turn(&w, &cell, now);
    (void) gw_window_take(&w, &cell, now, 10, &res);
    (void) gw_window_turn(&w, &cell, 1001 * SEC + SEC / 2);
    gw_window_state(&w, &cell, 1001 * SEC + SEC / 2, &res);

    ok(res.remaining == 5 && res.next == SEC / 10 && res.full == SEC / 2,
       "a half of the window before counts");
    ok(gw_window_turn(&w, &cell, 1003 * SEC) == 0 && cell.previous == 0,
       "two windows later nothing does");

    (void) gw_window_turn(&w, &cell, now);
    gw_window_force(&w, &cell, 4);
    ok(cell.count == 4, "four are charged");
    gw_window_force(&w, &cell, INT64_MAX);
    ok(cell.count == 10, "a window is filled and no more");

    /* N3: other limits and periods */

    (void) gw_window_init(&w, 1000, 3600 * SEC, 0);
    memset(&cell, 0, sizeof(cell));
    (void) gw_window_turn(&w, &cell, now);
    (void) gw_window_take(&w, &cell, now, 700, &res);

    (void) gw_window_init(&other, 10, SEC, 1);

    ok(gw_window_turn(&other, &cell, now) == 1 && cell.count == 10
       && gw_window_take(&other, &cell, now, 1, &res) == GW_DECLINED
       && res.retry <= SEC, "N3 a downgrade owes one new window");
    ok(gw_window_turn(&other, &cell, now + SEC) == 0 && cell.previous == 10,
       "N3 since what was clamped is kept");

    (void) gw_window_init(&other, 5000, 60 * SEC, 1);

    ok(gw_window_turn(&other, &cell, now + SEC) == 1
       && gw_window_take(&other, &cell, now + SEC, 4000, &res) == GW_OK,
       "N3 an upgrade works at once");

    (void) gw_window_turn(&w, &cell, now);
    cell.end = now + 5 * 3600 * SEC;

    ok(gw_window_turn(&w, &cell, now) == 1
       && cell.end == gw_window_end(&w, now),
       "N17 a clock that went back locks out for one window at most");
}


int
main(void)
{
    test_cells();
    test_retry(10, SEC, 0);
    test_retry(10, SEC, 1);
    test_retry(7, 1000, 1);
    test_retry(1000, 60 * SEC, 1);
    test_retry(1, 10 * SEC, 1);
    test_retry(GW_WINDOW_LIMIT_MAX, 86400 * SEC, 1);
    test_retry(100000, 366 * 86400 * SEC, 1);
    test_retry(3, 366 * 86400 * SEC, 0);
    test_accuracy();

    return done();
}
