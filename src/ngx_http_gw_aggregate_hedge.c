
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_each.h"
#include "ngx_http_gw_aggregate_hedge.h"
#include "ngx_http_gw_gather.h"
#include "ngx_http_gw_part.h"


static ngx_uint_t ngx_http_gw_hedge_room(ngx_http_gw_part_t *part);
static void ngx_http_gw_hedge_start(ngx_http_gw_part_t *part);
static void ngx_http_gw_hedge_swap(ngx_http_gw_part_t *part,
    ngx_http_gw_part_t *copy);
static void ngx_http_gw_hedge_settle(ngx_http_gw_part_t *part,
    ngx_http_gw_part_t *was);


char *
ngx_http_gw_part_hedge(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    ngx_int_t  msec;

    msec = ngx_parse_time(value, 0);

    if (msec == NGX_ERROR || msec == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid hedge \"%V\" of part \"%V\", it must be "
                           "a time", value, &pcf->name);
        return NGX_CONF_ERROR;
    }

    pcf->hedge = msec;

    return NGX_CONF_OK;
}


void
ngx_http_gw_hedge_timeout(ngx_http_gw_part_t *part)
{
    if (!part->has_hedge
        || (ngx_msec_int_t) (part->hedge - ngx_current_msec) > 0)
    {
        return;
    }

    part->has_hedge = 0;

    if (part->header) {
        return;
    }

    part->due = 1;
    part->gather->due = 1;

    ngx_http_gw_gather_wake(part->gather);
}


void
ngx_http_gw_hedge_run(ngx_http_gw_gather_t *gather)
{
    ngx_http_gw_part_t  *part;

    if (!gather->due) {
        return;
    }

    gather->due = 0;

    for (part = gather->first; part; part = part->next) {

        if (!part->due) {
            continue;
        }

        if (part->done || part->kill || part->header
            || part->error != NGX_HTTP_GW_PART_OK)
        {
            part->due = 0;
            continue;
        }

        if (!ngx_http_gw_hedge_room(part)) {
            gather->due = 1;
            continue;
        }

        part->due = 0;

        ngx_http_gw_hedge_start(part);
    }
}


static ngx_uint_t
ngx_http_gw_hedge_room(ngx_http_gw_part_t *part)
{
    ngx_http_gw_gather_t  *gather;

    gather = part->gather;

    if (gather->conf->concurrency
        && gather->running >= gather->conf->concurrency)
    {
        return 0;
    }

    return !ngx_http_gw_each_full(part);
}


/* what hinders the second request leaves the first one as it is */

static void
ngx_http_gw_hedge_start(ngx_http_gw_part_t *part)
{
    ngx_http_gw_part_t    *copy;
    ngx_http_gw_gather_t  *gather;

    gather = part->gather;

    if (gather->root->subrequests >= gather->root->conf->max_subrequests) {
        return;
    }

    copy = ngx_pcalloc(gather->request->pool, sizeof(ngx_http_gw_part_t));
    if (copy == NULL) {
        return;
    }

    ngx_http_gw_part_init(copy, gather, part->conf);

    copy->copy = 1;
    copy->second = 1;
    copy->twin = part;

    copy->path = part->path;
    copy->args = part->args;
    copy->body = part->body;
    copy->encoded = part->encoded;
    copy->base = part->base;
    copy->item = part->item;
    copy->index = part->index;

    part->twin = copy;

    ngx_http_gw_gather_add(copy);

    copy->waiting = 0;
    copy->has_deadline = part->has_deadline;
    copy->deadline = part->deadline;

    ngx_http_gw_count(gather->counters, NGX_HTTP_GW_COUNT_HEDGED);

    ngx_http_gw_gather_fetch(copy);
}


ngx_http_gw_part_t *
ngx_http_gw_hedge_commit(ngx_http_gw_part_t *part)
{
    ngx_http_gw_part_t  *copy;

    copy = part->twin;

    if (copy == NULL) {
        return part;
    }

    if (part->copy) {
        ngx_http_gw_hedge_swap(copy, part);

        copy = part;
        part = copy->twin;
    }

    part->twin = NULL;
    copy->twin = NULL;

    if (part->second) {
        ngx_http_gw_count(part->gather->counters,
                          NGX_HTTP_GW_COUNT_HEDGES_WON);
    }

    if (!copy->done) {

        /* not here: the upstream code is on the stack */

        copy->kill = 1;
        ngx_http_gw_gather_wake(copy->gather);
    }

    return part;
}


ngx_http_gw_part_t *
ngx_http_gw_hedge_failed(ngx_http_gw_part_t *part)
{
    if (part->twin == NULL) {
        /* a copy that has lost already */
        return part->copy ? NULL : part;
    }

    if (part->twin->error == NGX_HTTP_GW_PART_OK) {
        return NULL;
    }

    return part->copy ? part->twin : part;
}


ngx_http_gw_part_t *
ngx_http_gw_hedge_yield(ngx_http_gw_part_t *part)
{
    ngx_http_gw_part_t  *copy;

    copy = part->twin;

    if (copy == NULL || part->copy || copy->done) {
        return part;
    }

    ngx_http_gw_hedge_swap(part, copy);

    return copy;
}


void
ngx_http_gw_hedge_end(ngx_http_gw_part_t *part)
{
    ngx_http_gw_part_t  *copy;

    copy = part->twin;

    if (copy == NULL || part->copy || !part->second) {
        return;
    }

    if (part->error != NGX_HTTP_GW_PART_OK
        && copy->error != NGX_HTTP_GW_PART_OK)
    {
        ngx_http_gw_hedge_swap(part, copy);
    }
}


void
ngx_http_gw_hedge_account(ngx_http_gw_part_t *part)
{
    ngx_http_gw_counters_add(part->gather->counters, NGX_HTTP_GW_COUNT_BYTES,
                             part->size);

    if (part->error == NGX_HTTP_GW_PART_OK) {
        return;
    }

    ngx_log_error(NGX_LOG_INFO, part->gather->request->connection->log, 0,
                  "one of the two requests of part \"%V\" failed: %V, "
                  "status %ui", &part->conf->name,
                  ngx_http_gw_part_error_name(part->error), part->status);
}


/*
 * Exchanges the requests and all that belongs to them.  No answer is taken
 * yet, so that nothing points into either.
 */

static void
ngx_http_gw_hedge_swap(ngx_http_gw_part_t *part, ngx_http_gw_part_t *copy)
{
    ngx_http_gw_part_t  part_was, copy_was;

    part_was = *part;
    copy_was = *copy;

    *part = copy_was;
    *copy = part_was;

    ngx_http_gw_hedge_settle(part, &part_was);
    ngx_http_gw_hedge_settle(copy, &copy_was);
}


/* what belongs to the place */

static void
ngx_http_gw_hedge_settle(ngx_http_gw_part_t *part, ngx_http_gw_part_t *was)
{
    part->post = was->post;
    part->guard = was->guard;
    part->next = was->next;
    part->start = was->start;
    part->time = was->time;
    part->twin = was->twin;
    part->copy = was->copy;

    if (part->request) {
        part->request->post_subrequest = &part->post;
    }

    if (part->inner) {
        part->inner->outer = part;
    }
}
