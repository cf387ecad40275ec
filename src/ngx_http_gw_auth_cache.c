
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/rand.h>

#include "gw_siphash.h"
#include "ngx_http_gw_auth_cache.h"


/* bytes of bookkeeping of the allocator for one piece of memory */
#define NGX_HTTP_GW_AUTH_CACHE_PIECE  16

/* bytes at the end of a token, of its signature, that find its entry */
#define NGX_HTTP_GW_AUTH_CACHE_TAIL   64

/* entries that have a second turn for one that goes: bounds its time */
#define NGX_HTTP_GW_AUTH_CACHE_TURNS  32


struct ngx_http_gw_auth_cache_s {
    uint64_t                      seed[2];
    ngx_queue_t                   queue;
    ngx_uint_t                    n;         /* entries */
    size_t                        size;      /* bytes */
    ngx_http_gw_auth_cached_t   **table;
};


static void ngx_http_gw_auth_cache_free(void *data);
static uint64_t ngx_http_gw_auth_cache_hash(ngx_http_gw_auth_cache_t *cache,
    ngx_str_t *text);
static ngx_http_gw_auth_cached_t *ngx_http_gw_auth_cache_look(
    ngx_http_gw_auth_cache_t *cache, ngx_str_t *text, uint64_t hash);
static void ngx_http_gw_auth_cache_evict(ngx_http_gw_auth_cache_t *cache);
static void ngx_http_gw_auth_cache_remove(ngx_http_gw_auth_cache_t *cache,
    ngx_http_gw_auth_cached_t *cached);

#define ngx_http_gw_auth_cache_slot(cache, hash)                              \
    &(cache)->table[(hash) & (NGX_HTTP_GW_AUTH_CACHE_ENTRIES - 1)]


ngx_http_gw_auth_cache_t *
ngx_http_gw_auth_cache_create(ngx_pool_t *pool)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_gw_auth_cache_t  *cache;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_http_gw_auth_cache_t));
    if (cln == NULL) {
        return NULL;
    }

    cache = cln->data;
    ngx_memzero(cache, sizeof(ngx_http_gw_auth_cache_t));

    ngx_queue_init(&cache->queue);

    if (RAND_bytes((u_char *) cache->seed, sizeof(cache->seed)) != 1) {
        return NULL;
    }

    cache->table = ngx_pcalloc(pool, NGX_HTTP_GW_AUTH_CACHE_ENTRIES
                                     * sizeof(ngx_http_gw_auth_cached_t *));
    if (cache->table == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_gw_auth_cache_free;

    return cache;
}


static void
ngx_http_gw_auth_cache_free(void *data)
{
    ngx_http_gw_auth_cache_t  *cache = data;

    ngx_queue_t  *q;

    while (!ngx_queue_empty(&cache->queue)) {
        q = ngx_queue_head(&cache->queue);

        ngx_http_gw_auth_cache_remove(cache,
                     ngx_queue_data(q, ngx_http_gw_auth_cached_t, queue));
    }
}


ngx_http_gw_auth_cached_t *
ngx_http_gw_auth_cache_find(ngx_http_gw_auth_cache_t *cache, ngx_str_t *text,
    time_t now)
{
    ngx_http_gw_auth_cached_t  *cached;

    if (cache->n == 0) {
        return NULL;
    }

    cached = ngx_http_gw_auth_cache_look(cache, text,
                               ngx_http_gw_auth_cache_hash(cache, text));
    if (cached == NULL) {
        return NULL;
    }

    if (cached->end <= now) {
        ngx_http_gw_auth_cache_remove(cache, cached);
        return NULL;
    }

    /* to move it now would touch its neighbors, which are in no cache line */

    cached->used = 1;

    return cached;
}


ngx_uint_t
ngx_http_gw_auth_cache_put(ngx_http_gw_auth_cache_t *cache,
    ngx_http_gw_auth_token_t *token, time_t end, ngx_log_t *log)
{
    size_t                       size;
    uint64_t                     hash;
    ngx_uint_t                   evicted;
    ngx_http_gw_auth_cached_t   *cached, **slot;

    hash = ngx_http_gw_auth_cache_hash(cache, &token->text);

    cached = ngx_http_gw_auth_cache_look(cache, &token->text, hash);

    if (cached) {
        ngx_http_gw_auth_cache_remove(cache, cached);
    }

    size = ngx_http_gw_auth_token_memory(token)
           + sizeof(ngx_http_gw_auth_cached_t) + NGX_HTTP_GW_AUTH_CACHE_PIECE;

    if (size > NGX_HTTP_GW_AUTH_CACHE_TOKEN) {
        return 0;
    }

    evicted = 0;

    while (cache->n == NGX_HTTP_GW_AUTH_CACHE_ENTRIES
           || cache->size + size > NGX_HTTP_GW_AUTH_CACHE_BYTES)
    {
        ngx_http_gw_auth_cache_evict(cache);
        evicted++;
    }

    cached = ngx_alloc(sizeof(ngx_http_gw_auth_cached_t), log);
    if (cached == NULL) {
        return evicted;
    }

    token->refs++;

    cached->hash = hash;
    cached->token = token;
    cached->size = size;
    cached->end = end;
    cached->issuer = NULL;
    cached->allowed = 0;
    cached->used = 0;

    slot = ngx_http_gw_auth_cache_slot(cache, hash);

    cached->next = *slot;
    *slot = cached;

    ngx_queue_insert_head(&cache->queue, &cached->queue);

    cache->n++;
    cache->size += size;

    return evicted;
}


/*
 * Tokens differ at their end: nobody can make two good ones with the same
 * bytes of a signature there, and bad ones are not kept.  To hash all of a
 * token would be half of the work for one that is known.
 */

static uint64_t
ngx_http_gw_auth_cache_hash(ngx_http_gw_auth_cache_t *cache, ngx_str_t *text)
{
    size_t    len;
    uint64_t  hash[2];

    len = ngx_min(text->len, NGX_HTTP_GW_AUTH_CACHE_TAIL);

    gw_siphash13(cache->seed, text->data + text->len - len, len, hash);

    return hash[0];
}


static ngx_http_gw_auth_cached_t *
ngx_http_gw_auth_cache_look(ngx_http_gw_auth_cache_t *cache, ngx_str_t *text,
    uint64_t hash)
{
    ngx_http_gw_auth_cached_t  *cached;

    cached = *ngx_http_gw_auth_cache_slot(cache, hash);

    while (cached) {

        /* a hash is no proof */

        if (cached->hash == hash
            && cached->token->text.len == text->len
            && ngx_memcmp(cached->token->text.data, text->data, text->len)
               == 0)
        {
            return cached;
        }

        cached = cached->next;
    }

    return NULL;
}


static void
ngx_http_gw_auth_cache_evict(ngx_http_gw_auth_cache_t *cache)
{
    ngx_uint_t                  turns;
    ngx_queue_t                *q;
    ngx_http_gw_auth_cached_t  *cached;

    for (turns = 0; /* void */ ; turns++) {
        q = ngx_queue_last(&cache->queue);
        cached = ngx_queue_data(q, ngx_http_gw_auth_cached_t, queue);

        if (!cached->used || turns == NGX_HTTP_GW_AUTH_CACHE_TURNS) {
            break;
        }

        cached->used = 0;

        ngx_queue_remove(q);
        ngx_queue_insert_head(&cache->queue, q);
    }

    ngx_http_gw_auth_cache_remove(cache, cached);
}


static void
ngx_http_gw_auth_cache_remove(ngx_http_gw_auth_cache_t *cache,
    ngx_http_gw_auth_cached_t *cached)
{
    ngx_http_gw_auth_cached_t  **slot;

    slot = ngx_http_gw_auth_cache_slot(cache, cached->hash);

    while (*slot != cached) {
        slot = &(*slot)->next;
    }

    *slot = cached->next;

    ngx_queue_remove(&cached->queue);

    cache->n--;
    cache->size -= cached->size;

    /* a request may still use it */

    ngx_http_gw_auth_token_free(cached->token);
    ngx_free(cached);
}


const char *
ngx_http_gw_auth_cache_text(ngx_uint_t result)
{
    switch (result) {

    case NGX_HTTP_GW_AUTH_CACHE_HIT:
        return "HIT";

    case NGX_HTTP_GW_AUTH_CACHE_L2:
        return "L2";

    case NGX_HTTP_GW_AUTH_CACHE_MISS:
        return "MISS";

    default:
        return "-";
    }
}


char *
ngx_http_gw_auth_cache_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *base = conf;

    time_t     *max;
    ngx_str_t  *value, text;

    max = (time_t *) (base + cmd->offset);

    if (*max != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts != 2) {
            return "cannot have parameters when it is \"off\"";
        }

        *max = 0;

        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "on") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be \"on\" or "
                           "\"off\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    *max = NGX_HTTP_GW_AUTH_CACHE_MAX;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[2].data, "max=", 4) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    text.len = value[2].len - 4;
    text.data = value[2].data + 4;

    *max = ngx_parse_time(&text, 1);

    if (*max == (time_t) NGX_ERROR || *max == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time in \"%V\", it must be a second or "
                           "more", &value[2]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
