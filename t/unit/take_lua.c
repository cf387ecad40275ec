
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The script of the limits in Redis against gw_gcra_take() and
 * gw_window_take(), on a redis-server of its own: random limits, costs, modes
 * and changes of the limits, the same decisions and the same stored values to
 * the microsecond.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/ngx_http_gw_limit_lua.h"
#include "gw_window.h"
#include "tap.h"


#define CALLS   6000
#define KEYS    8
#define GCRAS   5                     /* of the keys, the rest are windows */
#define LIMITS  4


typedef struct {
    gw_gcra_t    gcra;
    gw_window_t  window;
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


/* as ngx_http_gw_limit_redis_ticks() */

static void
ticks(const limit_t *l)
{
    int64_t  charge, need;

    if (l->key >= GCRAS) {
        number(l->cost);
        number(l->window.limit);
        number(l->window.period);
        return;
    }

    if (l->cost > l->gcra.capacity) {
        charge = l->gcra.tau;
        need = l->gcra.tau + 1;

    } else {
        charge = l->cost * l->gcra.interval;
        need = (l->cost == 0) ? l->gcra.interval : charge;
    }

    number(charge);
    number(need);
    number(l->gcra.tau);
}


static int
ask(limit_t *l, int n, char mode, int64_t *reply)
{
    int          i, kinds, elements;
    char         key[16], text_kinds[LIMITS + 2];
    const char  *text;

    kinds = (mode != 't');
    elements = n + 1;
    text_kinds[0] = mode;

    for (i = 0; i < n; i++) {
        text_kinds[i + 1] = l[i].kind;
        kinds = kinds || l[i].kind != 'g';
        elements += (l[i].key >= GCRAS);
    }

    text_kinds[n + 1] = '\0';

    fprintf(out, "*%d\r\n", 3 + 4 * n + kinds);
    word("EVALSHA");
    word(NGX_HTTP_GW_LIMIT_TAKE_SHA);
    number(n);

    for (i = 0; i < n; i++) {
        snprintf(key, sizeof(key), "k%d", l[i].key);
        word(key);
    }

    for (i = 0; i < n; i++) {
        ticks(&l[i]);
    }

    if (kinds) {
        word(text_kinds);
    }

    fflush(out);

    text = line();

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

    return (d < 0) ? 0 : (d > l->gcra.tau) ? l->gcra.tau : d;
}


/* one limit alone: whether it has room; *d before and *after the charge */

static int
look(const limit_t *l, int64_t now, gw_window_cell_t *cell, int *strange,
    int64_t *d, int64_t *after)
{
    int               room;
    gw_gcra_result_t  res;
    gw_window_cell_t  taken;

    if (l->key < GCRAS) {
        *d = ahead(l, now);
        *strange = (model[l->key] > now + l->gcra.tau);
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


/* what C says about the same call; updates the model */

static int
expect(limit_t *l, int n, char mode, const int64_t *reply)
{
    int                i, kept, yes, shadow, windows;
    int                room[LIMITS], strange[LIMITS];
    int64_t            now, most, want, d[LIMITS], after[LIMITS];
    gw_window_cell_t   cell[LIMITS];

    now = reply[0];
    yes = 1;
    windows = 0;

    for (i = 0; i < n; i++) {
        room[i] = look(&l[i], now, &cell[i], &strange[i], &d[i], &after[i]);

        if (!room[i] && l[i].kind >= 'a') {
            yes = 0;
        }
    }

    for (i = 0; i < n; i++) {
        shadow = (l[i].kind < 'a');
        most = (l[i].key < GCRAS) ? l[i].gcra.tau : l[i].window.limit;
        want = d[i];
        kept = strange[i];

        if (mode == 'f') {
            kept = kept || l[i].cost > 0;
            want = (after[i] > most && l[i].cost) ? most : after[i];

        } else if (mode == 't' && yes && (room[i] || !shadow)) {
            kept = kept || l[i].cost > 0;
            want = after[i];
        }

        if (mode != 'p' && kept) {

            if (l[i].key < GCRAS) {
                model[l[i].key] = now + want;

            } else {
                cells[l[i].key] = cell[i];
                cells[l[i].key].count = want;
            }
        }

        if (mode != 'f' && (!yes || (shadow && !room[i]))) {
            want = -1 - want;
        }

        if (reply[i + 1] != want
            || (l[i].key >= GCRAS
                && reply[n + 1 + windows++] != cell[i].previous))
        {
            printf("# limit %d of %d, mode %c, kind %c: %lld, not %lld\n", i,
                   n, mode, l[i].kind, (long long) reply[i + 1],
                   (long long) want);
            return 0;
        }
    }

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
    first = (int) rnd(KEYS);

    for (i = 0; i < n; i++) {
        period = periods[rnd(5)];

        (void) gw_gcra_init(&l[i].gcra, 1 + (int64_t) rnd(7), period,
                            (int64_t) rnd(20));

        l[i].cost = (int64_t) rnd(rnd(8) == 0 ? 25 : 3);
        l[i].key = (first + i) % KEYS;
        l[i].kind = 'g';

        if (l[i].key >= GCRAS) {
            period = spans[rnd(5)];
            l[i].kind = (rnd(3) == 0) ? 'f' : 's';

            (void) gw_window_init(&l[i].window, 1 + (int64_t) rnd(20), period,
                                  l[i].kind == 's');
        }

        if (rnd(6) == 0) {
            l[i].kind -= 'a' - 'A';
        }
    }

    return n;
}


int
main(void)
{
    int          i, k, n, same, kept, denied, allowed;
    char         mode;
    limit_t      l[LIMITS];
    int64_t      reply[2 * LIMITS + 1];
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

    same = kept = 1;
    denied = allowed = 0;

    for (i = 0; i < CALLS && same && kept; i++) {
        mode = "tttttpf"[rnd(7)];
        n = limits(l);

        same = ask(l, n, mode, reply) && expect(l, n, mode, reply);

        if (reply[1] < 0) {
            denied++;

        } else {
            allowed++;
        }

        for (k = 0; k < KEYS && same; k++) {
            kept = kept && (k < GCRAS ? stored(k) : stored_window(k));
        }
    }

    ok(same, "the same decisions and buckets in %d calls", i);
    ok(kept, "the same values are stored");
    ok(denied > CALLS / 10 && allowed > CALLS / 10,
       "%d calls denied, %d allowed", denied, allowed);

    stop();

    return done();
}
