
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/sha.h>

#include "ngx_http_gw_limit_lua.h"
#include "ngx_http_gw_limit_redis.h"


/*
 * words of a command: EVALSHA, script, number of keys, mode; per limit a key
 * and three numbers, per quota twice as many
 */
#define NGX_HTTP_GW_LIMIT_REDIS_WORDS                                         \
    (4 + 8 * NGX_HTTP_GW_LIMIT_REDIS_MAX)

/* bytes of SHA-256 that stand for a long key, in hex twice as many */
#define NGX_HTTP_GW_LIMIT_REDIS_HASH  16

/* in place of the time: it is not in the period of a quota */
#define NGX_HTTP_GW_LIMIT_REDIS_PERIOD  2

/* bytes of ":{t}" */
#define NGX_HTTP_GW_LIMIT_REDIS_TAG   (3 + NGX_HTTP_GW_LIMIT_REDIS_KEY_MAX)

#define ngx_http_gw_limit_redis_is_quota(cell)                                \
    ((cell)->kind == 'q' || (cell)->kind == 'r')


typedef struct {
    ngx_str_t    code;
    const char  *reason;
    ngx_uint_t   again;                          /* may succeed later */
} ngx_http_gw_limit_redis_error_t;


static ngx_int_t ngx_http_gw_limit_redis_ask(ngx_http_gw_limit_redis_t *check,
    ngx_str_t *command, ngx_str_t *script);
static size_t ngx_http_gw_limit_redis_kinds(
    ngx_http_gw_limit_redis_t *check, u_char *kinds);
static u_char *ngx_http_gw_limit_redis_units(ngx_str_t *args,
    ngx_http_gw_limit_redis_cell_t *cell, u_char *p);
static u_char *ngx_http_gw_limit_redis_ticks(ngx_str_t *args,
    ngx_http_gw_limit_redis_t *check, ngx_http_gw_limit_redis_cell_t *cell,
    u_char *p);
static u_char *ngx_http_gw_limit_redis_pack(ngx_http_gw_limit_redis_t *check,
    ngx_http_gw_limit_redis_cell_t *cell, u_char *p);
static void ngx_http_gw_limit_redis_numbers(ngx_http_gw_limit_redis_t *check,
    ngx_http_gw_limit_redis_cell_t *cell, int64_t v[3]);
static void ngx_http_gw_limit_redis_done(void *data, ngx_int_t rc,
    redisReply *reply);
static ngx_int_t ngx_http_gw_limit_redis_answer(
    ngx_http_gw_limit_redis_t *check, redisReply *reply);
static ngx_int_t ngx_http_gw_limit_redis_state(
    ngx_http_gw_limit_redis_cell_t *cell, int64_t now, int64_t d, int64_t p);
static ngx_int_t ngx_http_gw_limit_redis_cell(
    ngx_http_gw_limit_redis_t *check, ngx_http_gw_limit_redis_cell_t *cell,
    int64_t now, redisReply **d, redisReply **p);
static ngx_int_t ngx_http_gw_limit_redis_used(
    ngx_http_gw_limit_redis_t *check, ngx_http_gw_limit_redis_cell_t *cell,
    int64_t d, int64_t extra, int64_t start);
static const ngx_http_gw_limit_redis_error_t *
    ngx_http_gw_limit_redis_error(redisReply *reply);
static u_char *ngx_http_gw_limit_redis_tag(u_char *p, ngx_str_t *value);
static ngx_uint_t ngx_http_gw_limit_redis_literal(ngx_str_t *value);


static ngx_str_t  ngx_http_gw_limit_redis_sha =
    ngx_string(NGX_HTTP_GW_LIMIT_TAKE_SHA);

static ngx_str_t  ngx_http_gw_limit_redis_lua =
    ngx_string(NGX_HTTP_GW_LIMIT_TAKE_LUA);

static ngx_str_t  ngx_http_gw_limit_redis_give_sha =
    ngx_string(NGX_HTTP_GW_LIMIT_GIVE_SHA);

static ngx_str_t  ngx_http_gw_limit_redis_give_lua =
    ngx_string(NGX_HTTP_GW_LIMIT_GIVE_LUA);

/* what a link loads */

static ngx_str_t  ngx_http_gw_limit_redis_all[] = {
    ngx_string(NGX_HTTP_GW_LIMIT_TAKE_LUA),
    ngx_string(NGX_HTTP_GW_LIMIT_CONC_LUA),
    ngx_string(NGX_HTTP_GW_LIMIT_GIVE_LUA)
};

static ngx_str_t  ngx_http_gw_limit_redis_evalsha = ngx_string("EVALSHA");
static ngx_str_t  ngx_http_gw_limit_redis_eval = ngx_string("EVAL");


static const ngx_http_gw_limit_redis_error_t
    ngx_http_gw_limit_redis_errors[] =
{
    { ngx_string("NOSCRIPT"), "NOSCRIPT, Redis lost the script twice", 1 },
    { ngx_string("LOADING"), "LOADING, Redis reads its data set", 1 },
    { ngx_string("BUSY"), "BUSY, a script blocks Redis", 1 },
    { ngx_string("OOM"), "OOM, the memory of Redis is used up", 1 },
    { ngx_string("MISCONF"), "MISCONF, Redis cannot save its data set", 1 },
    { ngx_string("NOREPLICAS"), "NOREPLICAS, too few replicas", 1 },
    { ngx_string("READONLY"), "READONLY, Redis is a replica", 1 },
    { ngx_string("MASTERDOWN"), "MASTERDOWN, Redis is a replica", 1 },
    { ngx_string("NOAUTH"), "NOAUTH, Redis wants a password", 0 },
    { ngx_string("NOPERM"), "NOPERM, the Redis user lacks rights", 0 },
    { ngx_string("WRONGTYPE"), "WRONGTYPE, somebody else uses the key", 0 },
    { ngx_null_string, "error reply", 0 }
};


ngx_int_t
ngx_http_gw_limit_redis_key(ngx_pool_t *pool, ngx_str_t *key,
    ngx_str_t *prefix, char kind, ngx_str_t *zone, ngx_str_t *value)
{
    u_char  *p;

    p = ngx_pnalloc(pool, prefix->len + sizeof("1:l:") - 1 + zone->len
                          + NGX_HTTP_GW_LIMIT_REDIS_TAG);
    if (p == NULL) {
        return NGX_ERROR;
    }

    key->data = p;

    p = ngx_cpymem(p, prefix->data, prefix->len);
    *p++ = '1';
    *p++ = ':';
    *p++ = (kind == 'g') ? 'l' : (kind == 'c') ? 'c' : 's';
    *p++ = ':';
    p = ngx_cpymem(p, zone->data, zone->len);
    p = ngx_http_gw_limit_redis_tag(p, value);

    key->len = p - key->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_limit_redis_quota_keys(ngx_pool_t *pool, ngx_str_t *used,
    ngx_str_t *beside, ngx_str_t *prefix, ngx_str_t *zone, ngx_str_t *value,
    ngx_str_t *period)
{
    u_char  *p;
    size_t   len;

    len = prefix->len + sizeof("1:q:") - 1 + zone->len
          + NGX_HTTP_GW_LIMIT_REDIS_TAG + 1 + period->len;

    p = ngx_pnalloc(pool, 2 * len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    used->data = p;

    p = ngx_cpymem(p, prefix->data, prefix->len);
    p = ngx_cpymem(p, "1:q:", sizeof("1:q:") - 1);
    p = ngx_cpymem(p, zone->data, zone->len);
    p = ngx_http_gw_limit_redis_tag(p, value);

    if (period->len) {
        *p++ = ':';
        p = ngx_cpymem(p, period->data, period->len);
    }

    used->len = p - used->data;

    beside->data = p;
    beside->len = used->len;

    ngx_memcpy(beside->data, used->data, used->len);
    beside->data[prefix->len + 2] = 'g';

    return NGX_OK;
}


/* ":{t}", at most NGX_HTTP_GW_LIMIT_REDIS_TAG bytes */

static u_char *
ngx_http_gw_limit_redis_tag(u_char *p, ngx_str_t *value)
{
    u_char  hash[SHA256_DIGEST_LENGTH];

    *p++ = ':';
    *p++ = '{';

    if (ngx_http_gw_limit_redis_literal(value)) {
        p = ngx_cpymem(p, value->data, value->len);

    } else {
        (void) SHA256(value->data, value->len, hash);

        *p++ = '#';
        p = ngx_hex_dump(p, hash, NGX_HTTP_GW_LIMIT_REDIS_HASH);
    }

    *p++ = '}';

    return p;
}


/* what could end the hash tag, or be long, is never sent as it is */

static ngx_uint_t
ngx_http_gw_limit_redis_literal(ngx_str_t *value)
{
    u_char  ch;
    size_t  i;

    if (value->len == 0 || value->len > NGX_HTTP_GW_LIMIT_REDIS_KEY_MAX) {
        return 0;
    }

    for (i = 0; i < value->len; i++) {
        ch = value->data[i];

        if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
            || (ch >= '0' && ch <= '9')
            || ch == '.' || ch == '_' || ch == '@' || ch == ':' || ch == '-')
        {
            continue;
        }

        return 0;
    }

    return 1;
}


ngx_int_t
ngx_http_gw_limit_redis_check(ngx_http_gw_limit_redis_t *check)
{
    ngx_uint_t  i;

    check->status = NGX_ERROR;
    check->reason = NULL;
    check->now = 0;
    check->waiting = 0;
    check->resent = 0;
    check->expired = 0;
    check->unrun = 0;
    check->refused = 0;
    check->deadline = check->patience
                      ? ngx_current_msec + check->patience
                      : ngx_http_gw_redis_link_deadline(check->link);

    if (check->ncells == 0 || check->ncells > NGX_HTTP_GW_LIMIT_REDIS_MAX) {
        check->reason = "too many limits for one call";
        return NGX_ERROR;
    }

    for (i = 0; i < check->ncells; i++) {

        if (check->cells[i].kind == 'g'
            && check->cells[i].gcra->tau > NGX_HTTP_GW_LIMIT_REDIS_TAU_MAX)
        {
            check->reason = "the bucket is too large for Redis";
            return NGX_ERROR;
        }
    }

    return ngx_http_gw_limit_redis_again(check);
}


ngx_int_t
ngx_http_gw_limit_redis_again(ngx_http_gw_limit_redis_t *check)
{
    ngx_uint_t  give;

    give = (check->mode == NGX_HTTP_GW_LIMIT_REDIS_GIVE);

    if (check->resent || ngx_http_gw_redis_link_conf(check->link)->eval) {
        return ngx_http_gw_limit_redis_ask(check,
                                     &ngx_http_gw_limit_redis_eval,
                                     give ? &ngx_http_gw_limit_redis_give_lua
                                          : &ngx_http_gw_limit_redis_lua);
    }

    return ngx_http_gw_limit_redis_ask(check, &ngx_http_gw_limit_redis_evalsha,
                                     give ? &ngx_http_gw_limit_redis_give_sha
                                          : &ngx_http_gw_limit_redis_sha);
}


static ngx_int_t
ngx_http_gw_limit_redis_ask(ngx_http_gw_limit_redis_t *check,
    ngx_str_t *command, ngx_str_t *script)
{
    u_char                   *p;
    size_t                    told;
    u_char                    kinds[1 + 2 * NGX_HTTP_GW_LIMIT_REDIS_MAX];
    u_char                    text[NGX_HTTP_GW_LIMIT_REDIS_WORDS
                                   * NGX_INT64_LEN];
    ngx_str_t                 args[NGX_HTTP_GW_LIMIT_REDIS_WORDS];
    ngx_uint_t                i, n;
    ngx_http_gw_redis_cmd_t   cmd;

    args[0] = *command;
    args[1] = *script;

    n = 3;

    for (i = 0; i < check->ncells; i++) {
        args[n++] = check->cells[i].key;

        if (ngx_http_gw_limit_redis_is_quota(&check->cells[i])) {
            args[n++] = check->cells[i].quota->beside;
        }
    }

    args[2].data = text;
    p = ngx_sprintf(text, "%ui", n - 3);
    args[2].len = p - text;

    told = ngx_http_gw_limit_redis_kinds(check, kinds);

    args[n].data = p;

    for (i = 0; i < check->ncells; i++) {

        if (told == 0) {
            p = ngx_http_gw_limit_redis_pack(check, &check->cells[i], p);

        } else if (ngx_http_gw_limit_redis_is_quota(&check->cells[i])) {
            p = ngx_http_gw_limit_redis_units(&args[n], &check->cells[i], p);
            n += 6;

        } else {
            p = ngx_http_gw_limit_redis_ticks(&args[n], check,
                                              &check->cells[i], p);
            n += 3;
        }
    }

    if (told == 0) {
        args[n].len = p - args[n].data;

    } else {
        args[n].data = kinds;
        args[n].len = told;
    }

    cmd.args = args;
    cmd.nargs = n + 1;
    cmd.done = ngx_http_gw_limit_redis_done;
    cmd.data = check;
    cmd.late = NULL;
    cmd.late_data = NULL;
    cmd.deadline = check->deadline;

    if (ngx_http_gw_redis_link_send(check->link, &cmd, &check->seq)
        != NGX_OK)
    {
        check->status = NGX_ERROR;
        check->reason = "Redis is down or its queue is full";
        check->unrun = 1;
        return NGX_ERROR;
    }

    check->waiting = 1;

    return NGX_AGAIN;
}


/* Returns their number, 0 if take.lua knows without being told. */

static size_t
ngx_http_gw_limit_redis_kinds(ngx_http_gw_limit_redis_t *check, u_char *kinds)
{
    u_char                          *p, kind;
    ngx_uint_t                       i, told;
    ngx_http_gw_limit_redis_cell_t  *cell;

    static const char  modes[] = { 't', 'p', 'f', 'b', 'a', 'z' };

    p = kinds;
    *p++ = (u_char) modes[check->mode];
    told = (check->mode != NGX_HTTP_GW_LIMIT_REDIS_TAKE);

    for (i = 0; i < check->ncells; i++) {
        cell = &check->cells[i];
        kind = (u_char) cell->kind;

        if (ngx_http_gw_limit_redis_is_quota(cell) && cell->quota->overage) {
            kind = (kind == 'q') ? 'o' : 'v';

        } else if (cell->shadow) {
            kind = (u_char) ngx_toupper(kind);
        }

        *p++ = kind;

        if (kind != 'g') {
            told = 1;
        }

        if (ngx_http_gw_limit_redis_is_quota(cell)) {
            *p++ = '-';
        }
    }

    return told ? p - kinds : 0;
}


/* the six arguments of a quota */

static u_char *
ngx_http_gw_limit_redis_units(ngx_str_t *args,
    ngx_http_gw_limit_redis_cell_t *cell, u_char *p)
{
    int64_t      v[6];
    ngx_uint_t   i;
    gw_quota_t  *terms;

    terms = &cell->quota->terms;

    v[0] = ngx_min(cell->cost, NGX_HTTP_GW_LIMIT_REDIS_UNITS);
    v[1] = terms->limit;
    v[2] = 0;
    v[3] = terms->start * 1000000;
    v[4] = terms->end * 1000000;
    v[5] = ngx_min(terms->carry, NGX_HTTP_GW_LIMIT_REDIS_UNITS);

    if (terms->length) {
        v[3] = 0;
        v[4] = terms->length * 1000000;
    }

    for (i = 0; i < 6; i++) {
        args[i].data = p;
        p = ngx_sprintf(p, "%L", v[i]);
        args[i].len = p - args[i].data;
    }

    if (cell->kind == 'r') {

        if (terms->length) {
            ngx_str_set(&args[2], "f");

        } else {
            args[2] = cell->quota->id;
        }
    }

    return p;
}


/* the three arguments of another limit */

static u_char *
ngx_http_gw_limit_redis_ticks(ngx_str_t *args,
    ngx_http_gw_limit_redis_t *check, ngx_http_gw_limit_redis_cell_t *cell,
    u_char *p)
{
    int64_t     v[3];
    ngx_uint_t  i;

    ngx_http_gw_limit_redis_numbers(check, cell, v);

    for (i = 0; i < 3; i++) {
        args[i].data = p;
        p = ngx_sprintf(p, "%L", v[i]);
        args[i].len = p - args[i].data;
    }

    return p;
}


/* the same as doubles, which are what Lua counts with */

static u_char *
ngx_http_gw_limit_redis_pack(ngx_http_gw_limit_redis_t *check,
    ngx_http_gw_limit_redis_cell_t *cell, u_char *p)
{
    double      number;
    int64_t     v[3];
    uint64_t    word;
    ngx_uint_t  i, n;

    ngx_http_gw_limit_redis_numbers(check, cell, v);

    for (i = 0; i < 3; i++) {
        number = (double) v[i];
        ngx_memcpy(&word, &number, sizeof(uint64_t));

        /* little-endian, wherever Redis runs */

        for (n = 0; n < sizeof(uint64_t); n++) {
            *p++ = (u_char) (word >> 8 * n);
        }
    }

    return p;
}


/* the three numbers of take.lua and give.lua, as gw_gcra_take() has them */

static void
ngx_http_gw_limit_redis_numbers(ngx_http_gw_limit_redis_t *check,
    ngx_http_gw_limit_redis_cell_t *cell, int64_t v[3])
{
    int64_t     most;
    gw_gcra_t  *gcra;

    gcra = cell->gcra;

    if (cell->kind != 'g') {
        v[0] = cell->cost;
        v[1] = (check->mode == NGX_HTTP_GW_LIMIT_REDIS_GIVE)
               ? cell->end : cell->window->limit;
        v[2] = cell->window->period;

    } else if (check->mode == NGX_HTTP_GW_LIMIT_REDIS_FORCE
               || check->mode == NGX_HTTP_GW_LIMIT_REDIS_GIVE)
    {
        most = (gcra->tau + gcra->debt) / gcra->interval;

        v[0] = ngx_min(cell->cost, most) * gcra->interval;
        v[1] = gcra->interval;
        v[2] = gcra->tau;

    } else if (cell->cost > gcra->capacity) {
        v[0] = gcra->tau;
        v[1] = gcra->tau + 1;
        v[2] = gcra->tau;

    } else {
        v[0] = cell->cost * gcra->interval;
        v[1] = (cell->cost == 0) ? gcra->interval : v[0];
        v[2] = gcra->tau;
    }

    /* in a bucket that is larger by the debt, more must be free */

    if (cell->kind == 'g') {
        v[1] += gcra->debt;
        v[2] += gcra->debt;
    }
}


void
ngx_http_gw_limit_redis_cancel(ngx_http_gw_limit_redis_t *check)
{
    if (check->waiting) {
        check->waiting = 0;
        ngx_http_gw_redis_link_cancel(check->link, check->seq);
    }
}


static void
ngx_http_gw_limit_redis_done(void *data, ngx_int_t rc, redisReply *reply)
{
    ngx_http_gw_limit_redis_t  *check = data;

    const ngx_http_gw_limit_redis_error_t  *error;

    static const char  noscript[] = "NOSCRIPT";

    check->waiting = 0;

    if (rc == NGX_BUSY) {
        check->status = NGX_ERROR;
        check->reason = "no reply in time";
        check->expired = 1;

    } else if (rc != NGX_OK) {
        check->status = NGX_ERROR;
        check->reason = "the connection is lost";

    } else if (reply->type == REDIS_REPLY_ERROR) {

        /* it did not run: the text goes out, in the same order */

        if (!check->resent
            && (size_t) reply->len >= sizeof(noscript) - 1
            && ngx_memcmp(reply->str, noscript, sizeof(noscript) - 1) == 0)
        {
            check->resent = 1;

            if (ngx_http_gw_limit_redis_again(check) == NGX_AGAIN) {
                return;
            }

        } else {
            check->status = NGX_ERROR;
            error = ngx_http_gw_limit_redis_error(reply);

            /* a script that met an error has not written anything */

            check->reason = error->reason;
            check->unrun = error->again;
            check->refused = !error->again;
        }

    } else {
        check->status = ngx_http_gw_limit_redis_answer(check, reply);
    }

    check->handler(check->data, check);
}


static ngx_int_t
ngx_http_gw_limit_redis_answer(ngx_http_gw_limit_redis_t *check,
    redisReply *reply)
{
    int64_t                          d, now;
    ngx_int_t                        rc;
    ngx_uint_t                       i, k, n, quotas;
    ngx_http_gw_limit_redis_cell_t  *cell;

    check->reason = "malformed answer";

    n = 1;
    k = 1;
    quotas = 0;

    for (i = 0; i < check->ncells; i++) {
        cell = &check->cells[i];

        k += 1 + ngx_http_gw_limit_redis_is_quota(cell);
        n += (cell->kind == 's' || cell->kind == 'f' || cell->kind == 'r');
        quotas |= ngx_http_gw_limit_redis_is_quota(cell);
    }

    n += k - 1;

    if (reply->type != REDIS_REPLY_ARRAY) {
        return NGX_ERROR;
    }

    if (check->mode == NGX_HTTP_GW_LIMIT_REDIS_GIVE) {
        return NGX_OK;
    }

    for (i = 0; i < (size_t) reply->elements; i++) {

        if (reply->element[i]->type != REDIS_REPLY_INTEGER
            || reply->element[i]->integer > GW_GCRA_TAU_MAX
            || reply->element[i]->integer < -GW_GCRA_TAU_MAX)
        {
            return NGX_ERROR;
        }
    }

    if (quotas && reply->elements == 2
        && reply->element[0]->integer == NGX_HTTP_GW_LIMIT_REDIS_PERIOD
        && reply->element[1]->integer > 0)
    {
        check->now = reply->element[1]->integer;
        check->reason = "the period of a quota is over, or has not begun";
        return NGX_ABORT;
    }

    if ((size_t) reply->elements != n) {
        return NGX_ERROR;
    }

    now = reply->element[0]->integer;

    if (now <= 0) {
        return NGX_ERROR;
    }

    rc = NGX_OK;
    n = 1;

    for (i = 0; i < check->ncells; i++) {
        cell = &check->cells[i];

        if (!cell->shadow && reply->element[n]->integer < 0) {
            rc = NGX_DECLINED;
        }

        n += 1 + ngx_http_gw_limit_redis_is_quota(cell);
    }

    n = 1;

    for (i = 0; i < check->ncells; i++) {
        cell = &check->cells[i];
        d = reply->element[n]->integer;

        if ((d >= 0 && rc == NGX_DECLINED)
            || ngx_http_gw_limit_redis_cell(check, cell, now,
                                            &reply->element[n],
                                            &reply->element[k])
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        n += 1 + ngx_http_gw_limit_redis_is_quota(cell);
        k += (cell->kind == 's' || cell->kind == 'f' || cell->kind == 'r');
    }

    check->now = now;
    check->reason = NULL;

    return rc;
}


/*
 * Keeps the answer about one limit or quota, whose numbers are d and p.
 * Returns NGX_OK, or NGX_ERROR if they cannot be.
 */

static ngx_int_t
ngx_http_gw_limit_redis_cell(ngx_http_gw_limit_redis_t *check,
    ngx_http_gw_limit_redis_cell_t *cell, int64_t now, redisReply **d,
    redisReply **p)
{
    int64_t  n, previous;

    n = d[0]->integer;
    previous = 0;

    cell->granted = (n >= 0
                     && (check->mode == NGX_HTTP_GW_LIMIT_REDIS_TAKE
                         || check->mode == NGX_HTTP_GW_LIMIT_REDIS_FORCE))
                    ? cell->cost : 0;

    if (ngx_http_gw_limit_redis_is_quota(cell)) {
        return ngx_http_gw_limit_redis_used(check, cell, n, d[1]->integer,
                                            (cell->kind == 'r')
                                            ? p[0]->integer
                                            : cell->quota->terms.start);
    }

    if (cell->kind != 'g') {
        previous = p[0]->integer;

        if (previous < 0 || previous > cell->window->limit
            || n > cell->window->limit || n < -1 - cell->window->limit)
        {
            return NGX_ERROR;
        }
    }

    cell->status = ngx_http_gw_limit_redis_state(cell, now, n, previous);

    return NGX_OK;
}


/* What take.lua said of a quota, in the words of gw_quota_store_take(). */

static ngx_int_t
ngx_http_gw_limit_redis_used(ngx_http_gw_limit_redis_t *check,
    ngx_http_gw_limit_redis_cell_t *cell, int64_t d, int64_t extra,
    int64_t start)
{
    int64_t             used;
    gw_quota_t         *terms;
    gw_quota_result_t  *res;

    terms = &cell->quota->terms;
    res = &cell->quota->result;

    /* somebody may have granted less than nothing */

    if (start <= 0 || extra < -GW_QUOTA_MAX || extra > GW_QUOTA_MAX) {
        return NGX_ERROR;
    }

    used = (d < 0) ? -1 - d : d;

    res->used = used;
    res->limit = ngx_max(terms->limit + extra, 0);
    res->start = start;
    res->end = terms->length ? start + terms->length : terms->end;

    cell->quota->extra = extra;

    used -= cell->granted;

    cell->status = (used + ngx_max(cell->cost, 1) <= res->limit)
                   ? NGX_OK : NGX_DECLINED;

    return NGX_OK;
}


/*
 * What take.lua said of one limit, in the words of gw_gcra_take().  Returns
 * NGX_DECLINED if the limit had no room.
 */

static ngx_int_t
ngx_http_gw_limit_redis_state(ngx_http_gw_limit_redis_cell_t *cell,
    int64_t now, int64_t d, int64_t p)
{
    gw_status_e        rc;
    gw_window_cell_t   window;

    rc = GW_OK;

    if (cell->kind == 'g') {

        /* the same arithmetic tells which of them had no room */

        if (d < 0) {
            d = -1 - d;
            rc = gw_gcra_take(cell->gcra, now + d, now, cell->cost,
                              &cell->result);
        }

        if (rc == GW_OK) {
            gw_gcra_state(cell->gcra, d, now, &cell->result);
        }

        return (rc == GW_OK) ? NGX_OK : NGX_DECLINED;
    }

    window.end = gw_window_end(cell->window, now);
    window.count = (d < 0) ? -1 - d : d;
    window.previous = p;

    if (d < 0) {
        rc = gw_window_take(cell->window, &window, now, cell->cost,
                            &cell->result);
        window.count = -1 - d;
    }

    if (rc == GW_OK) {
        gw_window_state(cell->window, &window, now, &cell->result);
    }

    cell->counted = window;

    return (rc == GW_OK) ? NGX_OK : NGX_DECLINED;
}


const char *
ngx_http_gw_limit_redis_reason(redisReply *reply)
{
    return ngx_http_gw_limit_redis_error(reply)->reason;
}


static const ngx_http_gw_limit_redis_error_t *
ngx_http_gw_limit_redis_error(redisReply *reply)
{
    const ngx_http_gw_limit_redis_error_t  *error;

    for (error = ngx_http_gw_limit_redis_errors; error->code.len; error++) {

        if ((size_t) reply->len >= error->code.len
            && ngx_memcmp(reply->str, error->code.data, error->code.len) == 0)
        {
            break;
        }
    }

    return error;
}


ngx_int_t
ngx_http_gw_limit_redis_late(ngx_http_gw_limit_redis_t *check,
    ngx_http_gw_redis_late_pt late, void *data)
{
    if (!check->expired) {
        return NGX_DECLINED;
    }

    return ngx_http_gw_redis_link_late(check->link, check->seq, late, data);
}


ngx_uint_t
ngx_http_gw_limit_redis_charged(redisReply *reply, ngx_uint_t i)
{
    return reply != NULL
           && reply->type == REDIS_REPLY_ARRAY
           && reply->elements > i + 1
           && reply->element[0]->type == REDIS_REPLY_INTEGER
           && reply->element[0]->integer != NGX_HTTP_GW_LIMIT_REDIS_PERIOD
           && reply->element[i + 1]->type == REDIS_REPLY_INTEGER
           && reply->element[i + 1]->integer >= 0;
}


int64_t
ngx_http_gw_limit_redis_now(redisReply *reply)
{
    return (reply->element[0]->type == REDIS_REPLY_INTEGER)
           ? reply->element[0]->integer : 0;
}


void
ngx_http_gw_limit_redis_scripts(ngx_str_t **scripts, ngx_uint_t *n)
{
    *scripts = ngx_http_gw_limit_redis_all;
    *n = sizeof(ngx_http_gw_limit_redis_all) / sizeof(ngx_str_t);
}
