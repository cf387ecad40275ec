
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What is remembered of limits that are counted elsewhere.  "There" is a
 * bucket of its own with another clock, that is told late.
 */


#include "gw_limit_deny.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>


#define MS       ((int64_t) 1000000)          /* of our clock */
#define USEC     1000
#define EPOCH    ((int64_t) 1700000000000000) /* of the other one */
#define BYTES    (64 * 1024)


static uint64_t              seed[2] = { 3, 4 };
static gw_limit_store_t     *store;
static gw_limit_key_t        key;
static gw_gcra_t             gcra;
static gw_window_t           window;
static gw_limit_deny_plan_t  plan;
static gw_limit_deny_t       deny;
static gw_gcra_result_t      res;


static void
setup(const char *name)
{
    static char  mem[BYTES] __attribute__((aligned(64)));

    memset(mem, 0, sizeof(mem));

    store = gw_limit_store_create(mem, BYTES, seed);
    gw_limit_store_key(store, (const u_char *) name, strlen(name), &key);

    plan.gcra = &gcra;
    plan.window = &window;
}


static gw_status_e
look(int64_t ms, int64_t cost)
{
    return gw_limit_deny_look(store, &key, &plan, ms * MS, 50, cost, &deny,
                              &res);
}


/* what "there" says of tat, asked at a time of ours and told 3 ms later */

static void
tell(int64_t ms, int64_t tat, int64_t time)
{
    gw_limit_deny_told_t  told;

    memset(&told, 0, sizeof(told));

    told.now = EPOCH + ms * 1000;
    told.tat = told.now + tat;

    gw_limit_deny_keep(store, &key, &plan, &told, ms * MS, (ms + 3) * MS,
                       time);
}


static void
test_gcra(void)
{
    gw_gcra_t        other;
    gw_limit_deny_t  first;

    /* 10 a second, 3 at once */

    gw_gcra_init(&gcra, 10, 1000000, 2);
    setup("gcra");

    ok(look(1000, 1) == GW_AGAIN && deny.slot == NULL, "nothing is known");

    /* all three are taken */

    tell(1000, 300000, 500);

    ok(look(1000, 1) == GW_DECLINED, "denied");
    ok(res.retry == 100000 && res.remaining == 0, "for the time of one unit");
    ok(look(1099, 1) == GW_DECLINED && res.retry == 1000, "until then");
    ok(look(1100, 1) == GW_OK && deny.slot != NULL, "and no longer");
    ok(look(1100, 2) == GW_DECLINED && res.retry == 100000,
       "a greater cost is denied for longer");
    ok(look(1099, 0) == GW_DECLINED && look(1100, 0) == GW_OK,
       "a look has room when there is a unit");
    ok(deny.charged == deny.state, "and takes none");
    ok(look(1099, 4) == GW_DECLINED && res.retry == -1, "never");

    /* one asks at a time */

    ok(look(1100, 1) == GW_OK && gw_limit_deny_reserve(&deny) == GW_OK,
       "the first one asks");
    first = deny;
    ok(gw_limit_deny_reserve(&deny) == GW_AGAIN, "once");
    ok(look(1100, 1) == GW_DECLINED && res.retry == 100000,
       "the second one is denied");
    gw_limit_deny_release(&first);

    ok(look(1100, 1) == GW_OK && gw_limit_deny_reserve(&deny) == GW_OK,
       "it was not charged: the next one asks");

    first = deny;
    tell(1100, 300001, 500);
    gw_limit_deny_release(&first);
    ok(look(1200, 1) == GW_DECLINED && look(1201, 1) == GW_OK,
       "what was told stands");

    /* other limits of the same key */

    gw_gcra_init(&other, 20, 1000000, 2);
    plan.gcra = &other;
    ok(look(1150, 1) == GW_AGAIN, "a smaller bucket is cut there");
    gw_gcra_init(&other, 20, 1000000, 5);
    ok(look(1149, 1) == GW_DECLINED && res.retry == 1001,
       "a faster rate is denied for a shorter time");
    gw_gcra_init(&other, 10, 1000000, 3);
    ok(look(1101, 1) == GW_OK, "a larger bucket has room");
    plan.gcra = &gcra;

    gw_limit_deny_drop(store, &key);
    ok(look(1150, 1) == GW_AGAIN, "dropped");
}


static void
test_time(void)
{
    /* one a minute */

    gw_gcra_init(&gcra, 1, 60000000, 0);
    setup("time");

    tell(1000, 60000000, 500);

    ok(look(1502, 1) == GW_DECLINED && res.retry == 59498000,
       "it is believed for that time");
    ok(look(1503, 1) == GW_AGAIN, "then one asks");
    ok(look(1503, 1) == GW_DECLINED && look(1552, 1) == GW_DECLINED,
       "and the others go on");
    ok(look(1553, 1) == GW_AGAIN, "if that one had no answer, another asks");

    tell(1555, 59445000, 500);
    ok(look(2057, 1) == GW_DECLINED && res.retry == 58943000, "told anew");

    ok(look(61000, 1) == GW_AGAIN && deny.slot == NULL,
       "an old state with room is none");

    /* one in a hundred days */

    gw_gcra_init(&gcra, 1, 8640000000000, 0);
    tell(1000, 8640000000000, 500);

    ok(look(1502, 1) == GW_DECLINED, "a limit of long periods");
    ok(look(((int64_t) 1 << 32) - 4000000, 1) == GW_AGAIN,
       "is not believed when the ms come around");

    ok(gw_limit_store_peek(store, &key) == 1003 * MS,
       "the account of the slot is that of a full bucket");
}


static void
test_slots(void)
{
    gw_limit_key_t   keys[2000], mine;
    unsigned         i, n;

    gw_gcra_init(&gcra, 1, 60000000, 0);
    setup("slots");

    tell(1000, 60000000, 500);
    mine = key;

    /* a crowd takes all the slots */

    for (i = 0; i < 2000; i++) {
        gw_limit_store_key(store, (const u_char *) &i, sizeof(i), &keys[i]);
        key = keys[i];
        tell(1100, 60000000, 500);
    }

    n = 0;

    for (i = 0; i < 2000; i++) {
        key = keys[i];

        if (look(1101, 1) == GW_DECLINED) {
            n++;
        }
    }

    ok(n > 500 && n <= BYTES / 64, "as many as there are slots: %u", n);

    key = mine;
    ok(look(1101, 1) == GW_AGAIN, "the oldest gave way");

    /* what a slot has of another key is none */

    setup("slots");
    tell(1000, 60000000, 500);

    for (i = 0; i < store->buckets * GW_LIMIT_STORE_WAYS; i++) {
        if (store->slots[i].spare[3]) {
            store->slots[i].spare[3] ^= 2;
        }
    }

    ok(look(1001, 1) == GW_AGAIN, "a hash of another key");
}


static void
test_window(int sliding)
{
    gw_window_t           other;
    gw_limit_deny_told_t  told;

    /* 10 in 400 ms; a window begins at EPOCH, as it is a multiple of that */

    gw_window_init(&window, 10, 400000, sliding);
    setup("window");
    plan.gcra = NULL;

    told.now = EPOCH + 40000;
    told.tat = 0;
    told.count = 8;
    told.previous = sliding ? 2 : 0;

    ok(look(40, 1) == GW_AGAIN, "nothing is known");

    gw_limit_deny_keep(store, &key, &plan, &told, 40 * MS, 42 * MS, 1000);

    if (sliding) {
        ok(look(41, 1) == GW_DECLINED && res.remaining == 0
           && res.retry == 159000, "denied by what is left of the one before");
        ok(look(200, 1) == GW_OK, "until that is half");
        ok(look(200, 2) == GW_DECLINED, "but no more");

    } else {
        ok(look(41, 3) == GW_DECLINED && res.remaining == 2
           && res.retry == 359000, "denied to the end of the window");
        ok(look(41, 2) == GW_OK, "a smaller cost has room");
        ok(look(200, 3) == GW_DECLINED, "not a greater one");
    }

    ok(look(399, 1) == GW_OK && gw_limit_deny_reserve(&deny) == GW_OK,
       "one asks");
    ok(look(399, 10) == GW_DECLINED && res.retry > 0, "and is counted");
    ok(look(399, 11) == GW_DECLINED && res.retry == -1, "never");

    gw_window_init(&other, 8, 400000, sliding);
    plan.window = &other;
    ok(look(399, 1) == GW_DECLINED, "a smaller limit");
    gw_window_init(&other, 10, 200000, sliding);
    ok(look(399, 10) == GW_AGAIN, "another period is another account");
    plan.window = &window;

    if (sliding) {
        ok(look(401, 5) == GW_DECLINED && look(401, 1) == GW_AGAIN,
           "of the window before, the weighted part");
        ok(look(801, 10) == GW_AGAIN, "and nothing in the one after");

    } else {
        ok(look(401, 10) == GW_AGAIN, "nothing in the next window");
    }
}


int
main(void)
{
    test_gcra();
    test_time();
    test_slots();
    test_window(0);
    test_window(1);

    return done();
}
