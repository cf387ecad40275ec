
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * J05: names that collide in jansson's hash table.  Who knows the seed of a
 * process can make them, and then each member is compared with all before it.
 * Under the seed that a process takes by chance the same names cost nothing.
 */


#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gw_json.h"
#include "tap.h"


#define MEMBERS  10000
#define NAME     12            /* bytes, one block of the hash */
#define SEED     1
#define BITS     14            /* of the hash, that find one of its lists */

#define MAX_TIME  5000         /* usec of the processor, when it is idle */


#define rot(x, k)  ((x) << (k) | (x) >> (32 - (k)))


/* lookup3 of Bob Jenkins (public domain) for a name of 12 bytes */

static uint32_t
hash(const char *name, uint32_t seed)
{
    uint32_t  a, b, c, k[3];

    memcpy(k, name, NAME);

    a = 0xdeadbeef + NAME + seed;
    b = a + k[1];
    c = a + k[2];
    a += k[0];

    c ^= b;  c -= rot(b, 14);
    a ^= c;  a -= rot(c, 11);
    b ^= a;  b -= rot(a, 25);
    c ^= b;  c -= rot(b, 16);
    a ^= c;  a -= rot(c, 4);
    b ^= a;  b -= rot(a, 14);
    c ^= b;  c -= rot(b, 24);

    return c;
}


/* an object of members that are in one list under the seed */

static size_t
collisions(char *text)
{
    char      *p, name[NAME + 1];
    uint32_t   i;
    unsigned   n, x;

    static char  part[65536][4];

    for (i = 0; i < 65536; i++) {
        for (x = 0; x < 4; x++) {
            part[i][x] = (char) ('a' + (i >> 4 * x & 15));
        }
    }

    n = 0;
    p = text;
    *p++ = '{';
    strcpy(name, "aaaaaaaaaaaa");

    for (i = 0; n < MEMBERS; i++) {
        memcpy(name, part[i & 65535], 4);
        memcpy(name + 4, part[i >> 16], 4);

        if ((hash(name, SEED) & ((1 << BITS) - 1)) == 0) {
            p += sprintf(p, "%s\"%s\":1", n ? "," : "", name);
            n++;
        }
    }

    *p++ = '}';

    return p - text;
}


/* names that nobody has chosen */

static size_t
numbers(char *text)
{
    char      *p;
    unsigned   n;

    p = text;
    *p++ = '{';

    for (n = 0; n < MEMBERS; n++) {
        p += sprintf(p, "%s\"%012u\":1", n ? "," : "", n);
    }

    *p++ = '}';

    return p - text;
}


/* the best of some rounds, usec of the processor; -1: it was refused */

static long
load_time(const char *text, size_t len, unsigned rounds)
{
    long              best, time;
    json_t           *json;
    clock_t           start;
    gw_json_error_t   err;

    best = -1;

    while (rounds--) {
        start = clock();

        json = gw_json_load((const unsigned char *) text, len, GW_JSON_DEPTH,
                            &err);

        time = (long) ((clock() - start) * 1000000.0 / CLOCKS_PER_SEC);

        if (json == NULL || json_object_size(json) != MEMBERS) {
            json_decref(json);
            return -1;
        }

        json_decref(json);

        best = (best < 0 || time < best) ? time : best;
    }

    return best;
}


/* in a process of its own: the seed of a process is set once */

static long
time_with_seed(const char *text, size_t len)
{
    int    status, fd[2];
    long   time;
    pid_t  pid;

    if (pipe(fd) != 0) {
        return -1;
    }

    pid = fork();

    if (pid == 0) {
        json_object_seed(SEED);
        time = load_time(text, len, 1);
        _exit(write(fd[1], &time, sizeof(time)) != sizeof(time));
    }

    if (pid == -1
        || read(fd[0], &time, sizeof(time)) != sizeof(time)
        || waitpid(pid, &status, 0) != pid)
    {
        time = -1;
    }

    close(fd[0]);
    close(fd[1]);

    return time;
}


int
main(void)
{
    char    *text;
    long     known, chance, other;
    size_t   len;

    text = malloc(MEMBERS * (NAME + 8));
    if (text == NULL) {
        return 1;
    }

    len = collisions(text);

    known = time_with_seed(text, len);

    json_object_seed(0);

    chance = load_time(text, len, 20);
    other = load_time(text, numbers(text), 20);

    ok(known > 10 * MAX_TIME,
       "J05 %d names collide under the seed they were made for: %ld usec",
       MEMBERS, known);
    /* a slow machine is slow with any names */

    ok(chance >= 0 && other >= 0
       && (chance < MAX_TIME || chance < 2 * other),
       "J05 they do not under the seed of a process: %ld usec, others %ld",
       chance, other);

    free(text);

    return done();
}
