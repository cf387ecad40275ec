
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The script of the limits in Redis against gw_gcra_take(), gw_window_take()
 * and gw_quota_store_take(), on a redis-server of its own: random limits,
 * costs, modes and changes of the limits, the same decisions and the same
 * stored values to the microsecond.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/ngx_http_gw_limit_lua.h"
#include "gw_quota_store.h"
#include "gw_window.h"
#include "tap.h"


#define CALLS   6000
#define KEYS    8
#define GCRAS   5                     /* of the keys, the rest are windows */
#define DEBTS   2                     /* of those, may owe a bucket */
#define LIMITS  4
#define QUOTAS  5                     /* numbers KEYS and up */
#define EDGE    20000                 /* usec before the end of a period */
#define PAUSE   600000                /* usec */
#define MEMORY  4096


typedef struct {
    gw_gcra_t    gcra;
    gw_window_t  window;
    gw_quota_t   quota;
    int          wrong;                /* 1, -1: another period is named */
    int64_t      cost;
    int          key;
    char         kind;                 /* a letter of take.lua */
} limit_t;


static FILE     *in, *out;
static pid_t     server;
static char      dir[1024];
static uint64_t  seed = 88172645463325252ULL;
static int64_t   model[KEYS];          /* what each key must hold */

static gw_window_cell_t  cells[KEYS];

/* what the quotas must hold */

static uint64_t            memory[MEMORY / 8], before[MEMORY / 8];
static gw_quota_store_t   *store;
static int64_t             granted;    /* to the second quota, in one period */
static int                 carries, turns, gives;
static int64_t             began[QUOTAS];


/* a period of 0 is a day; without a limit it is a random one */

static const struct {
    const char  *kinds;                /* of it, with overage */
    int64_t      period;
    int          use;                  /* it begins with the first use */
    int64_t      limit;
    int64_t      carry;
} quotas[QUOTAS] = {
    { "qo", 2, 0, 0, 0 },
    { "qo", 86400, 0, 0, 0 },
    { "rv", 1, 0, 600, 400 },
    { "rv", 1, 1, 500, 1000000 },
    { "rv", 2, 1, 0, 0 }
};


static uint64_t
rnd(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed % n;
}


static int
start(void)
{
    int                 fd, i;
    const char         *base;
    struct sockaddr_un  sun;

    base = getenv("GW_BUILD");

    (void) snprintf(dir, sizeof(dir), "%s/take_lua.XXXXXX",
                    base != NULL ? base : "/tmp");

    if (mkdtemp(dir) == NULL || chdir(dir) != 0) {
        return 0;
    }

    server = fork();

    if (server == 0) {
        if (freopen("log", "w", stdout) != NULL) {
            execlp("redis-server", "redis-server", "--port", "0",
                   "--unixsocket", "./socket", "--save", "",
                   "--appendonly", "no", (char *) NULL);
        }

        _exit(127);
    }

    /* a relative name: that of the directory may be too long */

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;
    strcpy(sun.sun_path, "./socket");

    for (i = 0; i < 250; i++) {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);

        if (connect(fd, (struct sockaddr *) &sun, sizeof(sun)) == 0) {
            in = fdopen(fd, "r");
            out = fdopen(dup(fd), "w");
            return in != NULL && out != NULL;
        }

        close(fd);
        usleep(20000);
    }

    return 0;
}


static void
stop(void)
{
    int  status;

    if (server > 0) {
        (void) kill(server, SIGKILL);
        (void) waitpid(server, &status, 0);
    }

    (void) unlink("socket");
    (void) unlink("log");
    (void) chdir("/");
    (void) rmdir(dir);
}


static void
word(const char *text)
{
    fprintf(out, "$%zu\r\n%s\r\n", strlen(text), text);
}


static void
number(int64_t n)
{
    char  text[32];

    snprintf(text, sizeof(text), "%lld", (long long) n);
    word(text);
}


static const char *
line(void)
{
    static char  text[512];

    if (fgets(text, sizeof(text), in) == NULL) {
        strcpy(text, "-closed");
    }

    return text;
}


static const char *
key(const limit_t *l, int second)
{
    static char  name[64];

    if (l->key < KEYS) {
        snprintf(name, sizeof(name), "k%d", l->key);

    } else if (l->kind == 'q' || l->kind == 'o' || l->kind == 'Q') {
        snprintf(name, sizeof(name), "%c%d:%lld", second ? 'g' : 'q', l->key,
                 (long long) l->quota.start);

    } else {
        snprintf(name, sizeof(name), "%c%d", second ? 'g' : 'q', l->key);
    }

    return name;
}


/* as ngx_http_gw_limit_redis_units() */

static void
units(const limit_t *l)
{
    char     id[32];
    int64_t  wrong;

    wrong = l->wrong * (l->quota.end - l->quota.start);

    number(l->cost);
    number(l->quota.limit);

    snprintf(id, sizeof(id), "d%lld", (long long) l->quota.start);

    word(l->quota.length ? "f" : id);

    number(l->quota.length ? 0 : (l->quota.start + wrong) * 1000000);
    number(l->quota.length ? l->quota.length * 1000000
                           : (l->quota.end + wrong) * 1000000);
    number(l->quota.carry);
}


/* as ngx_http_gw_limit_redis_pack() */

static void
packed(double n)
{
    uint64_t  word;
    unsigned  i;

    memcpy(&word, &n, sizeof(word));

    for (i = 0; i < sizeof(word); i++) {
        (void) fputc((int) (word >> 8 * i & 255), out);
    }
}


/* as ngx_http_gw_limit_redis_ticks(); mode 0: packed */

static void
ticks(const limit_t *l, char mode)
{
    int64_t  charge, need, most;

    if (l->key >= KEYS) {
        units(l);
        return;
    }

    if (l->key >= GCRAS) {
        number(l->cost);
        number(l->window.limit);
        number(l->window.period);
        return;
    }

    if (mode == 'f') {
        most = (l->gcra.tau + l->gcra.debt) / l->gcra.interval;

        charge = ((l->cost < most) ? l->cost : most) * l->gcra.interval;
        need = l->gcra.interval;

    } else if (l->cost > l->gcra.capacity) {
        charge = l->gcra.tau;
        need = l->gcra.tau + 1;

    } else {
        charge = l->cost * l->gcra.interval;
        need = (l->cost == 0) ? l->gcra.interval : charge;
    }

    if (mode == 0) {
        packed((double) charge);
        packed((double) need);
        packed((double) l->gcra.tau);
        return;
    }

    number(charge);
    number(need);
    number(l->gcra.tau);
}


static int
ask(limit_t *l, int n, char mode, int64_t *reply)
{
    int          i, keys, kinds, elements, wrong;
    char         text_kinds[2 * LIMITS + 2], *p;
    const char  *text;

    kinds = (mode != 't');
    elements = n + 1;
    keys = n;
    wrong = 0;
    p = text_kinds;
    *p++ = mode;

    for (i = 0; i < n; i++) {
        *p++ = l[i].kind;
        kinds = kinds || l[i].kind != 'g';
        elements += (l[i].key >= GCRAS);
        wrong = wrong || l[i].wrong;

        if (l[i].key >= KEYS) {
            *p++ = '-';
            keys++;
            elements += (quotas[l[i].key - KEYS].kinds[0] == 'r');
        }
    }

    *p = '\0';

    fprintf(out, "*%d\r\n", kinds ? 4 + 4 * keys : 4 + keys);
    word("EVALSHA");
    word(NGX_HTTP_GW_LIMIT_TAKE_SHA);
    number(keys);

    for (i = 0; i < n; i++) {
        word(key(&l[i], 0));

        if (l[i].key >= KEYS) {
            word(key(&l[i], 1));
        }
    }

    if (!kinds) {
        fprintf(out, "$%d\r\n", 24 * n);
    }

    for (i = 0; i < n; i++) {
        ticks(&l[i], kinds ? mode : 0);
    }

    if (kinds) {
        word(text_kinds);

    } else {
        fputs("\r\n", out);
    }

    fflush(out);

    text = line();

    if (wrong) {
        elements = 2;
    }

    if (text[0] != '*' || atoi(text + 1) != elements) {
        printf("# unexpected reply: %s", text);
        return 0;
    }

    for (i = 0; i < elements; i++) {
        text = line();
        reply[i] = (text[0] == ':') ? atoll(text + 1) : -INT64_MAX;
    }

    return 1;
}


static int64_t
ahead(const limit_t *l, int64_t now)
{
    int64_t  d;

    d = model[l->key] - now;

    return (d < 0) ? 0 : (d > l->gcra.tau + l->gcra.debt)
                         ? l->gcra.tau + l->gcra.debt : d;
}


static gw_status_e
quota(const limit_t *l, int64_t now, int force, gw_quota_result_t *res)
{
    gw_quota_t      terms;
    gw_quota_key_t  hash;

    terms = l->quota;

    if (l->key == KEYS + 1) {
        terms.limit += granted;
    }

    if (terms.limit < 0) {
        terms.limit = 0;
    }

    gw_quota_store_key(store, (const u_char *) &l->key, sizeof(int), &hash);

    return gw_quota_store_take(store, &hash, &terms, now / 1000000, l->cost,
                               force, res);
}


/* one limit alone: whether it has room; *d before and *after the charge */

static int
look(const limit_t *l, int64_t now, gw_window_cell_t *cell, int *strange,
    int64_t *d, int64_t *after)
{
    int                room;
    gw_gcra_result_t   res;
    gw_window_cell_t   taken;
    gw_quota_result_t  used;

    if (l->key >= KEYS) {
        room = (quota(l, now, 1, &used) == GW_OK);
        memcpy(memory, before, MEMORY);

        *strange = 0;
        *after = used.used;
        *d = used.used - l->cost;

        return room || l->kind == 'o' || l->kind == 'v';
    }

    if (l->key < GCRAS) {
        *d = ahead(l, now);
        *strange = (model[l->key] > now + l->gcra.tau + l->gcra.debt);
        room = (gw_gcra_take(&l->gcra, model[l->key], now, l->cost, &res)
                == GW_OK);
        *after = *d + ((l->cost > l->gcra.capacity)
                       ? l->gcra.tau : l->cost * l->gcra.interval);

        return room;
    }

    *cell = cells[l->key];
    *strange = gw_window_turn(&l->window, cell, now);
    *d = cell->count;

    taken = *cell;
    room = (gw_window_take(&l->window, &taken, now, l->cost, &res) == GW_OK);
    *after = *d + l->cost;

    return room;
}


/* the rest of the answer about a quota; charges it in the model */

static int
expect_quota(const limit_t *l, int64_t now, int charge, const int64_t *extra,
    const int64_t *start)
{
    uint64_t           old[MEMORY / 8];
    gw_quota_result_t  res;

    memcpy(old, memory, MEMORY);

    (void) quota(l, now, 1, &res);

    if (!charge) {
        memcpy(memory, old, MEMORY);
    }

    carries += (l->quota.carry && *extra > 0);
    turns += (began[l->key - KEYS] != 0 && began[l->key - KEYS] != res.start);
    began[l->key - KEYS] = res.start;

    if (*extra != res.limit - l->quota.limit
        && (res.limit > 0 || *extra != granted))
    {
        printf("# quota %d has %lld beside\n", l->key, (long long) *extra);
        return 0;
    }

    if (quotas[l->key - KEYS].kinds[0] == 'r' && *start != res.start) {
        printf("# quota %d begins at %lld, not %lld\n", l->key,
               (long long) *start, (long long) res.start);
        return 0;
    }

    return 1;
}


/* what C says about the same call; updates the model */

static int
expect(limit_t *l, int n, char mode, const int64_t *reply)
{
    int                i, k, kept, yes, shadow, windows;
    int                room[LIMITS], strange[LIMITS];
    int64_t            now, most, want, d[LIMITS], after[LIMITS];
    gw_window_cell_t   cell[LIMITS];

    now = reply[0];
    yes = 1;
    windows = n + 1;

    for (i = 0; i < n; i++) {
        windows += (l[i].key >= KEYS);
    }

    memcpy(before, memory, MEMORY);

    for (i = 0; i < n; i++) {
        room[i] = look(&l[i], now, &cell[i], &strange[i], &d[i], &after[i]);

        if (!room[i] && l[i].kind >= 'a') {
            yes = 0;
        }
    }

    for (i = 0, k = 1; i < n; i++, k++) {
        shadow = (l[i].kind < 'a');
        most = (l[i].key < KEYS) ? l[i].window.limit : INT64_MAX;
        want = d[i];
        kept = strange[i];

        if (mode == 'f') {
            kept = kept || l[i].cost > 0;
            want = (after[i] > most && l[i].cost) ? most : after[i];

            if (l[i].key < GCRAS) {
                want = gw_gcra_force(&l[i].gcra, model[l[i].key], now,
                                     l[i].cost)
                       - now;
            }

        } else if (mode == 't' && yes && (room[i] || !shadow)) {
            kept = kept || l[i].cost > 0;
            want = after[i];
        }

        if (mode != 'p' && kept) {

            if (l[i].key < GCRAS) {
                model[l[i].key] = now + want;

            } else if (l[i].key < KEYS) {
                cells[l[i].key] = cell[i];
                cells[l[i].key].count = want;
            }
        }

        if (mode != 'f' && (!yes || (shadow && !room[i]))) {
            want = -1 - want;
        }

        if (l[i].key >= KEYS) {
            if (reply[k] != want
                || !expect_quota(&l[i], now, mode != 'p' && kept,
                                 &reply[k + 1], &reply[windows]))
            {
                printf("# quota %d of %d, mode %c, kind %c: %lld, not %lld\n",
                       i, n, mode, l[i].kind, (long long) reply[k],
                       (long long) want);
                return 0;
            }

            windows += (quotas[l[i].key - KEYS].kinds[0] == 'r');
            k++;
            continue;
        }

        if (reply[k] != want
            || (l[i].key >= GCRAS && reply[windows++] != cell[i].previous))
        {
            printf("# limit %d of %d, mode %c, kind %c: %lld, not %lld\n", i,
                   n, mode, l[i].kind, (long long) reply[k],
                   (long long) want);
            return 0;
        }
    }

    return 1;
}


/* gives units back, as ngx_http_gw_limit_redis_check() asks give.lua */

static int
give(limit_t *l)
{
    int                n;
    char               kinds[3];
    int64_t            now, d, want, units, most, end;
    const char        *text;
    gw_window_cell_t  *cell;

    units = 1 + (int64_t) rnd(rnd(4) == 0 ? 60 : 4);
    most = (l->gcra.tau + l->gcra.debt) / l->gcra.interval;
    cell = &cells[l->key];
    end = cell->end + (rnd(4) == 0);

    kinds[0] = 'b';
    kinds[1] = l->kind;
    kinds[2] = '\0';

    fprintf(out, "*8\r\n");
    word("EVALSHA");
    word(NGX_HTTP_GW_LIMIT_GIVE_SHA);
    number(1);
    word(key(l, 0));
    number(l->key < GCRAS ? ((units < most) ? units : most) * l->gcra.interval
                          : units);
    number(l->key < GCRAS ? l->gcra.interval : end);
    number(0);
    word(kinds);
    fflush(out);

    text = line();
    n = (text[0] == '*') ? atoi(text + 1) : 0;

    if (n != 2) {
        printf("# unexpected reply: %s", text);
        return 0;
    }

    now = atoll(line() + 1);
    d = atoll(line() + 1);

    if (l->key < GCRAS) {

        if (model[l->key] > now) {
            model[l->key] = gw_gcra_give(&l->gcra, model[l->key], units);
        }

        want = (model[l->key] > now) ? model[l->key] - now : 0;

    } else {

        if (end == cell->end) {
            cell->count = (cell->count > units) ? cell->count - units : 0;
        }

        if (cell->end <= now) {
            /* it counts for nothing, and may be gone */
            return 1;
        }

        want = cell->count;
    }

    if (d != want) {
        printf("# %lld given back, kind %c: %lld, not %lld\n",
               (long long) units, l->kind, (long long) d, (long long) want);
        return 0;
    }

    gives++;

    return 1;
}


static int64_t
redis_time(void)
{
    int64_t  now;

    fprintf(out, "*1\r\n");
    word("TIME");
    fflush(out);

    (void) line();
    (void) line();
    now = atoll(line()) * 1000000;
    (void) line();

    return now + atoll(line());
}


static int
stored(int key)
{
    char         name[16];
    int64_t      tat;
    const char  *text;

    snprintf(name, sizeof(name), "k%d", key);
    fprintf(out, "*2\r\n");
    word("GET");
    word(name);
    fflush(out);

    text = line();
    tat = 0;

    if (strcmp(text, "$-1\r\n") != 0) {
        text = line();
        tat = atoll(text);

        if (strchr(text, '.') != NULL || strchr(text, 'e') != NULL) {
            printf("# key %d is no integer: %s", key, text);
            return 0;
        }
    }

    /* an expired key is an empty bucket */

    if (tat != model[key] && (tat != 0 || model[key] > redis_time())) {
        printf("# key %d holds %lld, not %lld\n", key, (long long) tat,
               (long long) model[key]);
        return 0;
    }

    return 1;
}


static int
stored_window(int key)
{
    int                i;
    char               name[16];
    int64_t            v[3];
    const char        *text;
    gw_window_cell_t  *cell;

    snprintf(name, sizeof(name), "k%d", key);
    fprintf(out, "*5\r\n");
    word("HMGET");
    word(name);
    word("w");
    word("c");
    word("p");
    fflush(out);

    (void) line();

    for (i = 0; i < 3; i++) {
        text = line();
        v[i] = 0;

        if (strcmp(text, "$-1\r\n") != 0) {
            text = line();
            v[i] = atoll(text);

            if (strchr(text, '.') != NULL || strchr(text, 'e') != NULL) {
                printf("# key %d has no integer: %s", key, text);
                return 0;
            }
        }
    }

    cell = &cells[key];

    if ((v[0] != cell->end || v[1] != cell->count || v[2] != cell->previous)
        && (v[0] != 0 || cell->end > redis_time()))
    {
        printf("# key %d holds %lld %lld %lld, not %lld %lld %lld\n", key,
               (long long) v[0], (long long) v[1], (long long) v[2],
               (long long) cell->end, (long long) cell->count,
               (long long) cell->previous);
        return 0;
    }

    return 1;
}


/* names the period of this moment */

static void
name(limit_t *l)
{
    int             k;
    int64_t         length, now;
    struct timeval  tv;

    k = l->key - KEYS;
    length = quotas[k].period;

    gettimeofday(&tv, NULL);
    now = (int64_t) tv.tv_sec * 1000000 + tv.tv_usec;

    if (now % (length * 1000000) > length * 1000000 - EDGE) {
        usleep(EDGE);
        now += EDGE;
    }

    l->quota.start = now / 1000000 / length * length;
    l->quota.end = l->quota.start + length;
    l->quota.length = quotas[k].use ? length : 0;
    l->quota.limit = quotas[k].limit ? quotas[k].limit
                                     : 1 + (int64_t) rnd(800);
    l->quota.carry = quotas[k].carry;

    l->kind = quotas[k].kinds[rnd(4) == 0];
    l->wrong = (quotas[k].use || rnd(200)) ? 0 : rnd(2) ? 1 : -1;
}


/* different keys, since one key cannot be charged twice in one call */

static int
limits(limit_t *l)
{
    int      i, n, first;
    int64_t  period;

    /* a sliding window of more parts than usec, and of less */

    static const int64_t  spans[] = {
        1000, 40000, 1000, 5000, 86400000000
    };

    static const int64_t  periods[] = { 3, 1000, 40000, 1000000, 60000000 };

    n = 1 + (int) rnd(LIMITS);
    first = (int) rnd(KEYS + QUOTAS);

    for (i = 0; i < n; i++) {
        period = periods[rnd(5)];

        (void) gw_gcra_init(&l[i].gcra, 1 + (int64_t) rnd(7), period,
                            (int64_t) rnd(20));

        l[i].cost = (int64_t) rnd(rnd(8) == 0 ? 25 : 3);
        l[i].key = (first + i) % (KEYS + QUOTAS);
        l[i].kind = 'g';
        l[i].wrong = 0;

        if (l[i].key >= KEYS) {
            name(&l[i]);

        } else if (l[i].key < DEBTS) {
            l[i].kind = 'd';
            l[i].gcra.debt = l[i].gcra.tau;

        } else if (l[i].key >= GCRAS) {
            period = spans[rnd(5)];
            l[i].kind = (rnd(3) == 0) ? 'f' : 's';

            (void) gw_window_init(&l[i].window, 1 + (int64_t) rnd(20), period,
                                  l[i].kind == 's');
        }

        if (rnd(6) == 0 && l[i].kind != 'o' && l[i].kind != 'v') {
            l[i].kind -= 'a' - 'A';
        }
    }

    return n;
}


/* units beside the second quota, whose period does not end here */

static void
grant(void)
{
    limit_t         l;
    int64_t         n;
    struct timeval  tv;

    n = (int64_t) rnd(200) - 100;

    gettimeofday(&tv, NULL);

    l.key = KEYS + 1;
    l.kind = 'q';
    l.quota.start = tv.tv_sec / 86400 * 86400;

    granted += n;

    fprintf(out, "*3\r\n");
    word("INCRBY");
    word(key(&l, 1));
    number(n);
    fflush(out);

    (void) line();
}


/* numbers that take.lua does not write with "%d" */

static int
years(void)
{
    limit_t  l;
    int64_t  reply[3 * LIMITS + 1];

    memset(&l, 0, sizeof(limit_t));

    l.kind = 'g';
    l.cost = 2;

    (void) gw_gcra_init(&l.gcra, 1, 1000000000000000, 3);

    return ask(&l, 1, 't', reply) && expect(&l, 1, 't', reply)
           && reply[1] > 1000000000000000 && stored(0);
}


int
main(void)
{
    int          i, k, n, same, kept, denied, allowed, wrong, refused;
    char         mode;
    limit_t      l[LIMITS];
    int64_t      reply[3 * LIMITS + 1];
    const char  *sha;

    if (!ok(start(), "redis-server is started")) {
        stop();
        return done();
    }

    fprintf(out, "*3\r\n");
    word("SCRIPT");
    word("LOAD");
    word(NGX_HTTP_GW_LIMIT_TAKE_LUA);
    fflush(out);

    (void) line();
    sha = line();

    ok(strncmp(sha, NGX_HTTP_GW_LIMIT_TAKE_SHA, 40) == 0,
       "the SHA-1 in the header is that of the script");

    fprintf(out, "*3\r\n");
    word("SCRIPT");
    word("LOAD");
    word(NGX_HTTP_GW_LIMIT_GIVE_LUA);
    fflush(out);

    (void) line();
    sha = line();

    ok(strncmp(sha, NGX_HTTP_GW_LIMIT_GIVE_SHA, 40) == 0,
       "and that of the other script");

    same = kept = 1;
    denied = allowed = refused = 0;
    store = gw_quota_store_create(memory, MEMORY, (const uint64_t[2]) {1, 2});

    for (i = 0; i < CALLS && same && kept; i++) {
        /* some periods have to end */

        if (i % (CALLS / 4) == CALLS / 8) {
            usleep(PAUSE);
        }

        mode = "tttttpf"[rnd(7)];
        n = limits(l);

        for (k = 0, wrong = 0; k < n; k++) {
            l[k].wrong = (mode == 'f') ? 0 : l[k].wrong;
            wrong = wrong || l[k].wrong;
        }

        if (rnd(50) == 0) {
            grant();
        }

        same = ask(l, n, mode, reply);

        if (wrong) {
            same = same && reply[0] == 2
                   && redis_time() - reply[1] < 1000000;
            refused++;

        } else {
            same = same && expect(l, n, mode, reply);
        }

        if (wrong) {
            /* void */

        } else if (reply[1] < 0) {
            denied++;

        } else {
            allowed++;
        }

        for (k = 0; k < n && same; k++) {
            if (l[k].key < KEYS && rnd(4) == 0) {
                same = give(&l[k]);
            }
        }

        for (k = 0; k < KEYS && same; k++) {
            kept = kept && (k < GCRAS ? stored(k) : stored_window(k));
        }
    }

    ok(same, "the same decisions and buckets in %d calls", i);
    ok(kept, "the same values are stored");
    ok(years(), "a bucket that takes years to fill");
    ok(denied > CALLS / 10 && allowed > CALLS / 10,
       "%d calls denied, %d allowed", denied, allowed);

    ok(gives > CALLS / 10, "%d times units were given back", gives);
    ok(refused > 0, "%d calls named a wrong period", refused);
    ok(carries > 0 && turns > 2, "%d answers with units carried, %d turns",
       carries, turns);

    stop();

    return done();
}
