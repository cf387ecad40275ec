
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The script of the limits in Redis against gw_gcra_take(), on a redis-server
 * of its own: random limits, costs, modes and changes of the limits, the same
 * decisions and the same stored values to the microsecond.
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
#include "gw_gcra.h"
#include "tap.h"


#define CALLS   3000
#define KEYS    5
#define LIMITS  4


typedef struct {
    gw_gcra_t   gcra;
    int64_t     cost;
    int         key;
} limit_t;


static FILE     *in, *out;
static pid_t     server;
static char      dir[1024];
static uint64_t  seed = 88172645463325252ULL;
static int64_t   model[KEYS];          /* what each key must hold */


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
    int          i;
    char         key[16];
    const char  *text;

    fprintf(out, "*%d\r\n", 3 + 4 * n + (mode != 't'));
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

    if (mode != 't') {
        word(mode == 'p' ? "p" : "f");
    }

    fflush(out);

    text = line();

    if (text[0] != '*' || atoi(text + 1) != n + 1) {
        printf("# unexpected reply: %s", text);
        return 0;
    }

    for (i = 0; i <= n; i++) {
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


/* what C says about the same call; updates the model */

static int
expect(limit_t *l, int n, char mode, const int64_t *reply)
{
    int               i, yes;
    int64_t           d, now, want;
    gw_gcra_result_t  res;

    now = reply[0];
    yes = 1;

    for (i = 0; i < n; i++) {
        if (gw_gcra_take(&l[i].gcra, model[l[i].key], now, l[i].cost, &res)
            != GW_OK)
        {
            yes = 0;
        }
    }

    for (i = 0; i < n; i++) {
        d = ahead(&l[i], now);
        want = d;

        if (mode == 'f') {
            want += (l[i].cost > l[i].gcra.capacity)
                    ? l[i].gcra.tau : l[i].cost * l[i].gcra.interval;
            want = (want > l[i].gcra.tau) ? l[i].gcra.tau : want;

        } else if (yes && mode == 't') {
            (void) gw_gcra_take(&l[i].gcra, model[l[i].key], now, l[i].cost,
                                &res);
            want = res.full;
        }

        if (mode != 'p'
            && (want != d || model[l[i].key] > now + l[i].gcra.tau))
        {
            model[l[i].key] = now + want;
        }

        if (!yes && mode != 'f') {
            want = -1 - want;
        }

        if (reply[i + 1] != want) {
            printf("# limit %d of %d, mode %c: %lld, not %lld\n", i, n, mode,
                   (long long) reply[i + 1], (long long) want);
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


/* different keys, since one key cannot be charged twice in one call */

static int
limits(limit_t *l)
{
    int      i, n, first;
    int64_t  period;

    static const int64_t  periods[] = { 3, 1000, 40000, 1000000, 60000000 };

    n = 1 + (int) rnd(LIMITS);
    first = (int) rnd(KEYS);

    for (i = 0; i < n; i++) {
        period = periods[rnd(5)];

        (void) gw_gcra_init(&l[i].gcra, 1 + (int64_t) rnd(7), period,
                            (int64_t) rnd(20));

        l[i].cost = (int64_t) rnd(rnd(8) == 0 ? 25 : 3);
        l[i].key = (first + i) % KEYS;
    }

    return n;
}


int
main(void)
{
    int          i, k, n, same, kept, denied, allowed;
    char         mode;
    limit_t      l[LIMITS];
    int64_t      reply[LIMITS + 1];
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
            kept = kept && stored(k);
        }
    }

    ok(same, "the same decisions and buckets in %d calls", i);
    ok(kept, "the same values are stored");
    ok(denied > CALLS / 10 && allowed > CALLS / 10,
       "%d calls denied, %d allowed", denied, allowed);

    stop();

    return done();
}
