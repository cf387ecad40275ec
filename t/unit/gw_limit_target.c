
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_limit_target.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>


typedef struct {
    const char         *path;
    const char         *args;
    gw_status_e         rc;
    gw_limit_target_e   kind;
    const char         *zone;
    const char         *key;         /* NULL: none */
    size_t              key_len;
} row_t;


#define LIMIT        GW_LIMIT_TARGET_LIMIT
#define QUOTA        GW_LIMIT_TARGET_QUOTA
#define CONCURRENCY  GW_LIMIT_TARGET_CONCURRENCY


static row_t  rows[] = {
    { "", "", GW_OK, GW_LIMIT_TARGET_ALL, NULL, NULL, 0 },
    { "limits/ip/k", "", GW_OK, LIMIT, "ip", "k", 1 },
    { "quotas/month/k", "", GW_OK, QUOTA, "month", "k", 1 },
    { "concurrency/c/k", "", GW_OK, CONCURRENCY, "c", "k", 1 },
    { "limits/ip/", "", GW_OK, LIMIT, "ip", "", 0 },
    { "limits/ip", "", GW_OK, LIMIT, "ip", NULL, 0 },
    { "limits/ip", "key=", GW_OK, LIMIT, "ip", "", 0 },
    { "limits/ip", "key=a%00b", GW_OK, LIMIT, "ip", "a\0b", 3 },
    { "limits/ip", "key=%ff%0D%0a", GW_OK, LIMIT, "ip", "\xff\r\n", 3 },
    { "limits/ip", "key=a=b", GW_OK, LIMIT, "ip", "a=b", 3 },
    { "limits/ip/a%00b", "", GW_OK, LIMIT, "ip", "a\0b", 3 },
    { "limits/ip/a%2Fb", "", GW_OK, LIMIT, "ip", "a/b", 3 },
    { "limits/ip/a/b//c", "", GW_OK, LIMIT, "ip", "a/b//c", 6 },
    { "limits/ip/a+b", "", GW_OK, LIMIT, "ip", "a+b", 3 },
    { "limits/ip/%2525", "", GW_OK, LIMIT, "ip", "%25", 3 },
    { "limits/ip/..", "", GW_OK, LIMIT, "ip", "..", 2 },
    { "limits/i%2fp/k", "", GW_OK, LIMIT, "i/p", "k", 1 },
    { "limits/ip/k", "rate=10r%2Fs&burst=5", GW_OK, LIMIT, "ip", "k", 1 },
    { "limits/ip/k", "&&", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip/k", "rate=1r/s&", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip/k", "rate=1r/s&burst=1", GW_OK, LIMIT, "ip", "k", 1 },

    { "limits", "", GW_DECLINED, LIMIT, NULL, NULL, 0 },
    { "limits/", "", GW_DECLINED, LIMIT, NULL, NULL, 0 },
    { "limits//k", "", GW_DECLINED, LIMIT, NULL, NULL, 0 },
    { "limit/ip/k", "", GW_DECLINED, LIMIT, NULL, NULL, 0 },
    { "Limits/ip/k", "", GW_DECLINED, LIMIT, NULL, NULL, 0 },
    { "/limits/ip/k", "", GW_DECLINED, LIMIT, NULL, NULL, 0 },
    { "l", "", GW_DECLINED, LIMIT, NULL, NULL, 0 },
    { "limits/ip/%", "", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip/%4", "", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip/%4g", "", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/%zz/k", "", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip/k", "key=k", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip/", "key=k", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip/k", "addr=127.0.0.1", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip", "key=k&addr=::1", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip", "key=k&key=k", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip", "key=%4", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip", "key=a+b", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip", "key", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip", "Key=k", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip/k", "brust=5", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "limits/ip/k", "quota=5", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "quotas/q/k", "rate=5", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "concurrency/c/k", "burst=5", GW_ERROR, LIMIT, NULL, NULL, 0 },
    { "", "key=k", GW_ERROR, LIMIT, NULL, NULL, 0 }
};


/* memory of the exact size, for the sanitizers */

static void *
copy(const char *text, size_t len)
{
    void  *p;

    p = malloc(len ? len : 1);
    memcpy(p, text, len);

    return p;
}


int
main(void)
{
    row_t              *row;
    u_char             *path, *args, *dst;
    size_t              len, args_len;
    const char         *error;
    gw_status_e         rc;
    gw_limit_text_t    *arg;
    gw_limit_target_t   t;

    for (row = rows; row < rows + sizeof(rows) / sizeof(rows[0]); row++) {
        len = strlen(row->path);
        args_len = strlen(row->args);
        path = copy(row->path, len);
        args = copy(row->args, args_len);
        dst = malloc(len + args_len + 1);

        rc = gw_limit_target_parse(&t, path, len, 1, args, args_len, dst,
                                   &error);

        ok(rc == row->rc
           && (rc != GW_ERROR || error != NULL)
           && (rc != GW_OK
               || (t.kind == row->kind
                   && t.zone.len == (row->zone ? strlen(row->zone) : 0)
                   && (row->zone == NULL
                       || memcmp(t.zone.data, row->zone, t.zone.len) == 0)
                   && (t.key.data == NULL) == (row->key == NULL)
                   && t.key.len == row->key_len
                   && (row->key == NULL
                       || memcmp(t.key.data, row->key, row->key_len) == 0))),
           "\"%s?%s\"", row->path, row->args);

        free(path);
        free(args);
        free(dst);
    }

    dst = malloc(64);

    rc = gw_limit_target_parse(&t, (u_char *) "limits/z/%41", 12, 0,
                               (u_char *) "rate=10r%2Fs&burst=", 19, dst,
                               &error);
    arg = &t.args[GW_LIMIT_ARG_RATE];

    ok(rc == GW_OK && t.key.len == 3 && memcmp(t.key.data, "%41", 3) == 0,
       "a path that is decoded is taken as it is");
    ok(arg->len == 5 && memcmp(arg->data, "10r/s", 5) == 0
       && t.args[GW_LIMIT_ARG_BURST].data != NULL
       && t.args[GW_LIMIT_ARG_BURST].len == 0
       && t.args[GW_LIMIT_ARG_QUOTA].data == NULL,
       "its arguments are not");

    free(dst);

    return done();
}
