
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_limit_target.h"

#include <string.h>


typedef struct {
    const char         *name;
    size_t              len;
    unsigned            kinds;   /* bits */
} gw_limit_name_t;


#define gw_limit_bit(kind)   (1u << (kind))


static gw_status_e gw_limit_target_path(gw_limit_target_t *target,
    const u_char *path, size_t len, int encoded, u_char **dst);
static const char *gw_limit_target_args(gw_limit_target_t *target,
    const u_char *args, const u_char *last, u_char **dst);
static const char *gw_limit_target_arg(gw_limit_target_t *target,
    const u_char *arg, size_t len, u_char **dst);
static gw_status_e gw_limit_text(gw_limit_text_t *text, const u_char *data,
    size_t len, int encoded, u_char **dst);
static int gw_limit_hex(u_char ch);


static const gw_limit_name_t  gw_limit_kinds[] = {
    { "limits/", 7, GW_LIMIT_TARGET_LIMIT },
    { "quotas/", 7, GW_LIMIT_TARGET_QUOTA },
    { "concurrency/", 12, GW_LIMIT_TARGET_CONCURRENCY },
    { NULL, 0, 0 }
};

#define GW_LIMIT_KEYED  (gw_limit_bit(GW_LIMIT_TARGET_LIMIT)                  \
                         | gw_limit_bit(GW_LIMIT_TARGET_QUOTA)                \
                         | gw_limit_bit(GW_LIMIT_TARGET_CONCURRENCY))

static const gw_limit_name_t  gw_limit_names[GW_LIMIT_ARGS] = {
    { "key", 3, GW_LIMIT_KEYED },
    { "addr", 4, GW_LIMIT_KEYED },
    { "rate", 4, gw_limit_bit(GW_LIMIT_TARGET_LIMIT) },
    { "burst", 5, gw_limit_bit(GW_LIMIT_TARGET_LIMIT) },
    { "quota", 5, gw_limit_bit(GW_LIMIT_TARGET_QUOTA) },
    { "anchor", 6, gw_limit_bit(GW_LIMIT_TARGET_QUOTA) }
};


gw_status_e
gw_limit_target_parse(gw_limit_target_t *target, const u_char *path,
    size_t len, int encoded, const u_char *args, size_t args_len, u_char *dst,
    const char **error)
{
    gw_status_e  rc;

    memset(target, 0, sizeof(gw_limit_target_t));

    *error = "the path has a broken percent-encoding";

    rc = gw_limit_target_path(target, path, len, encoded, &dst);

    if (rc != GW_OK) {
        return rc;
    }

    if (args_len > 0) {
        *error = gw_limit_target_args(target, args, args + args_len, &dst);

        if (*error != NULL) {
            return GW_ERROR;
        }
    }

    if ((target->key.data != NULL)
        + (target->args[GW_LIMIT_ARG_KEY].data != NULL)
        + (target->args[GW_LIMIT_ARG_ADDR].data != NULL) > 1)
    {
        *error = "there is more than one key";
        return GW_ERROR;
    }

    if (target->args[GW_LIMIT_ARG_KEY].data != NULL) {
        target->key = target->args[GW_LIMIT_ARG_KEY];
    }

    return GW_OK;
}


static gw_status_e
gw_limit_target_path(gw_limit_target_t *target, const u_char *path,
    size_t len, int encoded, u_char **dst)
{
    const u_char           *p, *last;
    const gw_limit_name_t  *kind;

    if (len == 0) {
        return GW_OK;
    }

    for (kind = gw_limit_kinds; kind->name != NULL; kind++) {
        if (len > kind->len && memcmp(path, kind->name, kind->len) == 0) {
            break;
        }
    }

    if (kind->name == NULL || path[kind->len] == '/') {
        return GW_DECLINED;
    }

    target->kind = kind->kinds;

    last = path + len;
    path += kind->len;
    p = memchr(path, '/', last - path);

    if (p == NULL) {
        return gw_limit_text(&target->zone, path, last - path, encoded, dst);
    }

    if (gw_limit_text(&target->zone, path, p - path, encoded, dst) != GW_OK) {
        return GW_ERROR;
    }

    /* further slashes are of the key */

    return gw_limit_text(&target->key, p + 1, last - p - 1, encoded, dst);
}


/* Returns what is wrong with them, NULL if nothing is. */

static const char *
gw_limit_target_args(gw_limit_target_t *target, const u_char *args,
    const u_char *last, u_char **dst)
{
    const char    *error;
    const u_char  *p;

    for ( ;; ) {
        p = memchr(args, '&', last - args);

        if (p == NULL) {
            return gw_limit_target_arg(target, args, last - args, dst);
        }

        error = gw_limit_target_arg(target, args, p - args, dst);

        if (error != NULL) {
            return error;
        }

        args = p + 1;
    }
}


/* The same of one argument. */

static const char *
gw_limit_target_arg(gw_limit_target_t *target, const u_char *arg, size_t len,
    u_char **dst)
{
    unsigned       i;
    const u_char  *value;

    for (i = 0; i < GW_LIMIT_ARGS; i++) {
        if (len > gw_limit_names[i].len
            && arg[gw_limit_names[i].len] == '='
            && memcmp(arg, gw_limit_names[i].name, gw_limit_names[i].len) == 0)
        {
            break;
        }
    }

    if (i == GW_LIMIT_ARGS
        || !(gw_limit_names[i].kinds & gw_limit_bit(target->kind)))
    {
        return "there is an unknown argument";
    }

    if (target->args[i].data != NULL) {
        return "an argument is given twice";
    }

    value = arg + gw_limit_names[i].len + 1;
    len -= gw_limit_names[i].len + 1;

    if (memchr(value, '+', len) != NULL) {
        return "an argument has a \"+\": write \"%2B\" or \"%20\"";
    }

    if (gw_limit_text(&target->args[i], value, len, 1, dst) != GW_OK) {
        return "an argument has a broken percent-encoding";
    }

    return NULL;
}


static gw_status_e
gw_limit_text(gw_limit_text_t *text, const u_char *data, size_t len,
    int encoded, u_char **dst)
{
    int      high, low;
    size_t   i;
    u_char  *p;

    p = *dst;
    text->data = p;

    for (i = 0; i < len; i++) {

        if (!encoded || data[i] != '%') {
            *p++ = data[i];
            continue;
        }

        if (len - i < 3) {
            return GW_ERROR;
        }

        high = gw_limit_hex(data[i + 1]);
        low = gw_limit_hex(data[i + 2]);

        if (high < 0 || low < 0) {
            return GW_ERROR;
        }

        *p++ = (u_char) (high << 4 | low);
        i += 2;
    }

    text->len = p - text->data;
    *dst = p;

    return GW_OK;
}


static int
gw_limit_hex(u_char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    return (ch >= 'a' && ch <= 'f') ? ch - 'a' + 10 : -1;
}
