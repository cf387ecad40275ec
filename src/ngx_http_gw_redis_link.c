
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "gw_resp.h"
#include "ngx_http_gw_redis_resolve.h"
#include "ngx_http_gw_redis_tls.h"
#include "ngx_http_gw_redis_wire.h"


/* bytes of commands not written yet, for each command of "queue" */
#define NGX_HTTP_GW_REDIS_RING_SHARE    256
#define NGX_HTTP_GW_REDIS_RING_MIN      65536

/* msec between connections while the breaker is still closed */
#define NGX_HTTP_GW_REDIS_REST          50

/* probes before their interval starts to double, and its largest factor */
#define NGX_HTTP_GW_REDIS_PROBES        10
#define NGX_HTTP_GW_REDIS_PROBE_FACTOR  10

/* msec between looks at what the worker that probes has found */
#define NGX_HTTP_GW_REDIS_FOLLOW        100

/* msec between attempts after Redis refused us */
#define NGX_HTTP_GW_REDIS_DENIED_MIN    1000
#define NGX_HTTP_GW_REDIS_DENIED_MAX    30000

/* msec between log lines about a Redis that answers with errors */
#define NGX_HTTP_GW_REDIS_LOG           60000

/* msec between questions for its statistics, and after a new connection */
#define NGX_HTTP_GW_REDIS_INFO          60000
#define NGX_HTTP_GW_REDIS_INFO_AGAIN    1000

#define ngx_http_gw_redis_follow(link)                                        \
    ngx_min(NGX_HTTP_GW_REDIS_FOLLOW, (link)->conf->fail_timeout / 4 + 1)


typedef struct {
    ngx_str_t                  code;
    ngx_http_gw_redis_class_e  class;
    const char                *reason;
} ngx_http_gw_redis_error_t;


static size_t ngx_http_gw_redis_put(ngx_http_gw_redis_link_t *link,
    size_t pos, u_char *data, size_t len);
static ngx_int_t ngx_http_gw_redis_append(ngx_http_gw_redis_link_t *link,
    ngx_http_gw_redis_cmd_t *cmd, ngx_uint_t queue);
static void ngx_http_gw_redis_dead(ngx_http_gw_redis_link_t *link,
    ngx_http_gw_redis_waiter_t *w);
static void ngx_http_gw_redis_tend(ngx_event_t *ev);
static ngx_uint_t ngx_http_gw_redis_probes(ngx_http_gw_redis_link_t *link);
static ngx_msec_t ngx_http_gw_redis_interval(ngx_http_gw_redis_link_t *link);
static void ngx_http_gw_redis_up(ngx_http_gw_redis_link_t *link);
static ngx_int_t ngx_http_gw_redis_judge(ngx_http_gw_redis_link_t *link,
    const ngx_http_gw_redis_error_t *error);
static void ngx_http_gw_redis_expire(ngx_event_t *ev);
static void ngx_http_gw_redis_stall(ngx_event_t *ev);
static void ngx_http_gw_redis_ping(ngx_http_gw_redis_link_t *link);
static ngx_http_gw_redis_waiter_t *ngx_http_gw_redis_own(
    ngx_http_gw_redis_link_t *link, ngx_http_gw_redis_cmd_t *cmd);
static void ngx_http_gw_redis_ask(ngx_http_gw_redis_link_t *link,
    ngx_msec_t pause);
static void ngx_http_gw_redis_info(void *data, ngx_int_t rc,
    redisReply *reply);
static void ngx_http_gw_redis_pong(void *data, ngx_int_t rc,
    redisReply *reply);
static void ngx_http_gw_redis_failed(ngx_http_gw_redis_link_t *link,
    ngx_err_t err, const char *reason);
static void ngx_http_gw_redis_refuse(ngx_http_gw_redis_link_t *link,
    const char *reason);
static void ngx_http_gw_redis_recovered(ngx_http_gw_redis_link_t *link);
static void ngx_http_gw_redis_drain(ngx_http_gw_redis_link_t *link,
    ngx_uint_t all);
static void ngx_http_gw_redis_arm(ngx_event_t *ev, ngx_msec_t timer);
static ngx_msec_t ngx_http_gw_redis_jitter(ngx_msec_t timer);
static const ngx_http_gw_redis_error_t *ngx_http_gw_redis_classify(
    redisReply *reply);


static const ngx_http_gw_redis_error_t  ngx_http_gw_redis_errors[] = {
    { ngx_string("NOAUTH"), NGX_HTTP_GW_REDIS_DENIED,
      "NOAUTH, a password is needed" },
    { ngx_string("WRONGPASS"), NGX_HTTP_GW_REDIS_DENIED,
      "WRONGPASS, the user or the password is wrong" },
    { ngx_string("DENIED"), NGX_HTTP_GW_REDIS_DENIED,
      "DENIED, it is in protected mode" },
    { ngx_string("NOPERM"), NGX_HTTP_GW_REDIS_FORBIDDEN,
      "NOPERM, the user lacks rights" },
    { ngx_string("LOADING"), NGX_HTTP_GW_REDIS_ABSENT,
      "LOADING, it reads its data set" },
    { ngx_string("BUSY"), NGX_HTTP_GW_REDIS_ABSENT,
      "BUSY, a script of somebody blocks it" },
    { ngx_string("MASTERDOWN"), NGX_HTTP_GW_REDIS_ABSENT,
      "MASTERDOWN, it is a replica without its master" },
    { ngx_string("OOM"), NGX_HTTP_GW_REDIS_REFUSED,
      "OOM, its memory is used up" },
    { ngx_string("MISCONF"), NGX_HTTP_GW_REDIS_REFUSED,
      "MISCONF, it cannot save its data set" },
    { ngx_string("NOREPLICAS"), NGX_HTTP_GW_REDIS_REFUSED,
      "NOREPLICAS, too few replicas are connected" },
    { ngx_string("READONLY"), NGX_HTTP_GW_REDIS_REPLICA,
      "READONLY, it is a replica" },
    { ngx_null_string, NGX_HTTP_GW_REDIS_FINE, NULL }
};


ngx_http_gw_redis_link_t *
ngx_http_gw_redis_link_create(ngx_pool_t *pool, ngx_log_t *log,
    ngx_http_gw_redis_link_conf_t *lcf)
{
    size_t                     size;
    uint32_t                   n;
    ngx_http_gw_redis_link_t  *link;

    link = ngx_pcalloc(pool, sizeof(ngx_http_gw_redis_link_t));
    if (link == NULL) {
        return NULL;
    }

    link->conf = lcf->conf;
    link->duty = lcf->duty;
    link->log = log;

    /* one place more than "queue", for the probe */

    n = NGX_HTTP_GW_REDIS_QUEUE_MIN;

    while (n < (uint32_t) link->conf->queue + 1) {
        n *= 2;
    }

    link->mask = n - 1;

    link->waiters = ngx_pcalloc(pool, n * sizeof(ngx_http_gw_redis_waiter_t));
    if (link->waiters == NULL) {
        return NULL;
    }

    size = NGX_HTTP_GW_REDIS_RING_MIN;

    while (size < (size_t) link->conf->queue * NGX_HTTP_GW_REDIS_RING_SHARE) {
        size *= 2;
    }

    link->ring_size = size;

    link->ring = ngx_palloc(pool, size);
    if (link->ring == NULL) {
        return NULL;
    }

    if (ngx_http_gw_redis_wire_preamble(link, pool, lcf) != NGX_OK) {
        return NULL;
    }

    link->flush.handler = ngx_http_gw_redis_wire_flush;
    link->flush.data = link;
    link->flush.log = log;

    link->expire.handler = ngx_http_gw_redis_expire;
    link->expire.data = link;
    link->expire.log = log;
    link->expire.cancelable = 1;

    link->stall.handler = ngx_http_gw_redis_stall;
    link->stall.data = link;
    link->stall.log = log;
    link->stall.cancelable = 1;

    link->tend.handler = ngx_http_gw_redis_tend;
    link->tend.data = link;
    link->tend.log = log;
    link->tend.cancelable = 1;

    if (ngx_http_gw_redis_resolve_start(link, pool) != NGX_OK) {
        return NULL;
    }

    /* a name calls for the connection when it is known */

    ngx_http_gw_redis_arm(&link->tend, link->resolve != NULL
                                       ? link->conf->connect_timeout : 0);

    return link;
}


static size_t
ngx_http_gw_redis_put(ngx_http_gw_redis_link_t *link, size_t pos,
    u_char *data, size_t len)
{
    size_t  offset, part;

    offset = pos & (link->ring_size - 1);
    part = ngx_min(len, link->ring_size - offset);

    ngx_memcpy(link->ring + offset, data, part);

    if (part != len) {
        ngx_memcpy(link->ring, data + part, len - part);
    }

    return pos + len;
}


ngx_int_t
ngx_http_gw_redis_link_send(ngx_http_gw_redis_link_t *link,
    ngx_http_gw_redis_cmd_t *cmd, uint32_t *seq)
{
    ngx_http_gw_redis_waiter_t  *w;

    if (link->open || link->resting || link->exiting
        || ngx_http_gw_redis_append(link, cmd, link->conf->queue) != NGX_OK)
    {
        link->stat.refused++;
        return NGX_DECLINED;
    }

    *seq = link->tail - 1;
    w = &link->waiters[*seq & link->mask];

    link->stat.commands++;
    link->live++;

    /* a worker that shuts down stays for the requests that wait */

    link->expire.cancelable = 0;

    if (!link->expire.timer_set
        || (ngx_msec_int_t) (w->deadline - link->expire.timer.key) < 0)
    {
        ngx_http_gw_redis_arm(&link->expire, w->deadline - ngx_current_msec);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_redis_append(ngx_http_gw_redis_link_t *link,
    ngx_http_gw_redis_cmd_t *cmd, ngx_uint_t queue)
{
    u_char                       line[NGX_HTTP_GW_REDIS_LINE];
    size_t                       need, pos;
    ngx_uint_t                   i;
    ngx_http_gw_redis_waiter_t  *w;

    need = NGX_HTTP_GW_REDIS_LINE;

    for (i = 0; i < cmd->nargs; i++) {
        need += cmd->args[i].len + NGX_HTTP_GW_REDIS_LINE + 2;
    }

    if (link->tail - link->head >= queue
        || link->ring_size - (link->in - link->out) < need)
    {
        return NGX_DECLINED;
    }

    if (link->head == link->tail) {
        link->progress = ngx_current_msec;
    }

    w = &link->waiters[link->tail & link->mask];

    w->done = cmd->done;
    w->data = cmd->data;
    w->late = cmd->late;
    w->late_data = cmd->late_data;
    w->deadline = cmd->deadline;
    w->start = link->in;
    w->ping = 0;
    w->aside = 0;

    /* a deadline in the past still gives the turn that runs now */

    if (w->deadline == 0) {
        w->deadline = ngx_current_msec + link->conf->timeout;

    } else if ((ngx_msec_int_t) (w->deadline - ngx_current_msec) < 1) {
        w->deadline = ngx_current_msec + 1;
    }

    pos = link->in;
    pos = ngx_http_gw_redis_put(link, pos, line,
              ngx_http_gw_redis_wire_number(line, '*', cmd->nargs) - line);

    for (i = 0; i < cmd->nargs; i++) {
        pos = ngx_http_gw_redis_put(link, pos, line,
                  ngx_http_gw_redis_wire_number(line, '$', cmd->args[i].len)
                  - line);
        pos = ngx_http_gw_redis_put(link, pos, cmd->args[i].data,
                                    cmd->args[i].len);
        pos = ngx_http_gw_redis_put(link, pos, (u_char *) CRLF, 2);
    }

    link->in = pos;
    link->tail++;

    if (link->up) {

        if (!link->stall.timer_set) {
            ngx_add_timer(&link->stall, link->conf->stall_timeout);
        }

        /* one write for all the commands of this turn of the event loop */

        if (!link->flush.posted) {
            ngx_post_event(&link->flush, &ngx_posted_next_events);
        }
    }

    return NGX_OK;
}


ngx_msec_t
ngx_http_gw_redis_link_deadline(ngx_http_gw_redis_link_t *link)
{
    return ngx_current_msec + link->conf->timeout;
}


void
ngx_http_gw_redis_link_cancel(ngx_http_gw_redis_link_t *link, uint32_t seq)
{
    ngx_http_gw_redis_waiter_t  *w;

    if (seq - link->head >= link->tail - link->head) {
        return;
    }

    w = &link->waiters[seq & link->mask];

    if (w->done != NULL) {
        link->stat.canceled++;
        ngx_http_gw_redis_dead(link, w);
    }
}


ngx_int_t
ngx_http_gw_redis_link_late(ngx_http_gw_redis_link_t *link, uint32_t seq,
    ngx_http_gw_redis_late_pt late, void *data)
{
    ngx_http_gw_redis_waiter_t  *w;

    if (seq - link->head >= link->tail - link->head) {
        return NGX_DECLINED;
    }

    w = &link->waiters[seq & link->mask];

    if (w->done != NULL || w->ping) {
        return NGX_DECLINED;
    }

    w->late = late;
    w->late_data = data;

    return NGX_OK;
}


static void
ngx_http_gw_redis_dead(ngx_http_gw_redis_link_t *link,
    ngx_http_gw_redis_waiter_t *w)
{
    w->done = NULL;

    if (!w->ping && --link->live == 0) {
        link->expire.cancelable = 1;
    }
}


void
ngx_http_gw_redis_link_exit(ngx_http_gw_redis_link_t *link)
{
    ngx_http_gw_redis_waiter_t  *w;

    link->exiting = 1;

    ngx_http_gw_redis_wire_close(link);

    while (link->head != link->tail) {
        w = &link->waiters[link->head++ & link->mask];

        if (w->done == NULL && w->late != NULL) {
            w->late(w->late_data, NULL);
        }
    }

    if (link->expire.timer_set) {
        ngx_del_timer(&link->expire);
    }

    if (link->tend.timer_set) {
        ngx_del_timer(&link->tend);
    }

    ngx_http_gw_redis_resolve_exit(link);
    ngx_http_gw_redis_tls_exit(link);
}


ngx_http_gw_redis_state_e
ngx_http_gw_redis_link_state(ngx_http_gw_redis_link_t *link)
{
    if (link->up && !link->open) {
        return NGX_HTTP_GW_REDIS_UP;
    }

    if (link->probing || (link->connection != NULL && !link->up)) {
        return NGX_HTTP_GW_REDIS_PROBING;
    }

    return NGX_HTTP_GW_REDIS_DOWN;
}


const ngx_http_gw_redis_stat_t *
ngx_http_gw_redis_link_stat(ngx_http_gw_redis_link_t *link)
{
    return &link->stat;
}


ngx_http_gw_redis_conf_t *
ngx_http_gw_redis_link_conf(ngx_http_gw_redis_link_t *link)
{
    return link->conf;
}


ngx_uint_t
ngx_http_gw_redis_link_open(ngx_http_gw_redis_link_t *link)
{
    return link->open;
}


ngx_uint_t
ngx_http_gw_redis_link_inflight(ngx_http_gw_redis_link_t *link)
{
    return link->tail - link->head;
}


/* what is to be done in the background: connect, probe, keep alive */

static void
ngx_http_gw_redis_tend(ngx_event_t *ev)
{
    ngx_msec_t                 idle, wait;
    ngx_http_gw_redis_link_t  *link;

    link = ev->data;

    if (link->exiting) {
        return;
    }

    link->resting = 0;
    wait = link->conf->keepalive_interval;

    if (link->up) {
        ngx_http_gw_redis_ask(link, NGX_HTTP_GW_REDIS_INFO);
    }

    if (link->open && !ngx_http_gw_redis_probes(link)) {
        /* void */

    } else if (link->connection == NULL) {
        ngx_http_gw_redis_wire_connect(link);

    } else if (link->up && link->open) {
        ngx_http_gw_redis_ping(link);

    } else if (link->up && link->head == link->tail) {
        idle = ngx_current_msec - link->progress;

        if (idle >= wait) {
            ngx_http_gw_redis_ping(link);

        } else {
            wait -= idle;
        }
    }

    if (link->tend.timer_set) {
        return;
    }

    if (link->open) {
        wait = link->denied ? ngx_http_gw_redis_jitter(link->denied_wait)
                            : ngx_http_gw_redis_follow(link);
    }

    ngx_http_gw_redis_arm(&link->tend, ngx_min(wait, NGX_HTTP_GW_REDIS_INFO));
}


/*
 * The breaker is open: whether this worker is to find out if Redis is back.
 * One of the host probes, the others follow when it had an answer.
 */

static ngx_uint_t
ngx_http_gw_redis_probes(ngx_http_gw_redis_link_t *link)
{
    ngx_atomic_uint_t  answers;

    if (link->denied) {
        return 1;
    }

    answers = link->duty->answers;

    if (link->fresh || link->answers != answers) {
        link->answers = answers;
        link->fresh = 0;
        return 1;
    }

    if (!ngx_http_gw_redis_duty_take(&link->duty->until,
                                     ngx_http_gw_redis_interval(link)))
    {
        return 0;
    }

    (void) ngx_atomic_fetch_add(&link->duty->probes, 1);

    return 1;
}


/* msec until the next probe */

static ngx_msec_t
ngx_http_gw_redis_interval(ngx_http_gw_redis_link_t *link)
{
    ngx_msec_t         factor;
    ngx_atomic_uint_t  probes;

    factor = 1;

    for (probes = link->duty->probes;
         probes >= NGX_HTTP_GW_REDIS_PROBES
         && factor < NGX_HTTP_GW_REDIS_PROBE_FACTOR;
         probes--)
    {
        factor *= 2;
    }

    factor = ngx_min(factor, NGX_HTTP_GW_REDIS_PROBE_FACTOR);

    return ngx_http_gw_redis_jitter(link->conf->fail_timeout * factor);
}


static void
ngx_http_gw_redis_up(ngx_http_gw_redis_link_t *link)
{
    link->up = 1;
    link->up_since = ngx_current_msec;
    link->progress = ngx_current_msec;

    ngx_log_error(NGX_LOG_INFO, link->log, 0,
                  "redis \"%V\" at %V: connection is ready",
                  &link->conf->name, &link->conf->server);

    ngx_http_gw_redis_arm(&link->stall, link->conf->stall_timeout);

    if (link->open) {
        ngx_http_gw_redis_ping(link);

    } else {
        ngx_http_gw_redis_ask(link, NGX_HTTP_GW_REDIS_INFO_AGAIN);
        ngx_http_gw_redis_arm(&link->tend, link->conf->keepalive_interval);

        if (link->conf->max_fails == 0) {
            ngx_http_gw_redis_recovered(link);
        }
    }

    if (link->head != link->tail && !link->flush.posted) {
        ngx_post_event(&link->flush, &ngx_posted_events);
    }
}


/* one reply to the preamble */

ngx_int_t
ngx_http_gw_redis_link_greeting(ngx_http_gw_redis_link_t *link,
    redisReply *reply)
{
    ngx_int_t                         n;
    const ngx_http_gw_redis_error_t  *error;

    static const char  full[] = "ERR max number of clients reached";

    n = link->preamble_replies - link->preamble_left;

    /*
     * The text of an error is never logged: it may quote the password, as
     * that of an unknown command does.  Some errors greet us before we have
     * sent anything.
     */

    error = NULL;

    if (reply->type == REDIS_REPLY_ERROR) {
        error = ngx_http_gw_redis_classify(reply);

        if (error->class == NGX_HTTP_GW_REDIS_ABSENT) {
            ngx_http_gw_redis_link_lost(link, 0, error->reason);
            return NGX_DONE;
        }

        if (error->class == NGX_HTTP_GW_REDIS_DENIED) {
            ngx_http_gw_redis_refuse(link, error->reason);
            return NGX_DONE;
        }

        if (reply->len == sizeof(full) - 1
            && ngx_memcmp(reply->str, full, sizeof(full) - 1) == 0)
        {
            ngx_http_gw_redis_link_lost(link, 0, "it has too many clients");
            return NGX_DONE;
        }
    }

    if (link->preamble_sent != link->preamble.len) {
        ngx_http_gw_redis_link_lost(link, 0, "reply to nothing");
        return NGX_DONE;
    }

    /* the rest of the preamble is a convenience */

    if (error != NULL && (n == link->auth || n == link->select)) {
        ngx_http_gw_redis_refuse(link, error->reason != NULL ? error->reason
                                 : n == link->auth ? "AUTH failed"
                                                   : "SELECT failed");
        return NGX_DONE;
    }

    if (--link->preamble_left == 0) {
        ngx_http_gw_redis_up(link);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_redis_link_reply(ngx_http_gw_redis_link_t *link, redisReply *reply)
{
    ngx_http_gw_redis_waiter_t       *w, save;
    const ngx_http_gw_redis_error_t  *error;

    w = &link->waiters[link->head & link->mask];

    if (link->head == link->tail || (ssize_t) (w->start - link->out) >= 0) {
        ngx_http_gw_redis_link_lost(link, 0, "reply to nothing");
        return NGX_DONE;
    }

    save = *w;

    if (save.done != NULL) {
        ngx_http_gw_redis_dead(link, w);
    }

    link->head++;
    link->progress = ngx_current_msec;

    error = NULL;

    if (reply->type == REDIS_REPLY_ERROR && !save.aside) {
        error = ngx_http_gw_redis_classify(reply);
        link->stat.errors[error->class]++;
    }

    if (save.done != NULL) {

        /* what was sent aside proves nothing */

        if (!save.aside) {
            link->stat.replies++;

            if (error == NULL || error->class == NGX_HTTP_GW_REDIS_FINE) {
                link->fails = 0;

                if (link->denied && !save.ping) {
                    link->denied_wait = 0;
                    link->denied = 0;
                    ngx_http_gw_redis_recovered(link);
                }
            }
        }

        save.done(save.data, NGX_OK, reply);

    } else {

        if (!save.aside) {
            link->stat.late++;
        }

        if (save.late != NULL) {
            save.late(save.late_data, reply);
        }
    }

    if (error != NULL && ngx_http_gw_redis_judge(link, error) != NGX_OK) {
        return NGX_DONE;
    }

    if (link->moving) {
        ngx_http_gw_redis_link_move(link);
        return link->moving ? NGX_OK : NGX_DONE;
    }

    return NGX_OK;
}


/* what an error reply means for the link */

static ngx_int_t
ngx_http_gw_redis_judge(ngx_http_gw_redis_link_t *link,
    const ngx_http_gw_redis_error_t *error)
{
    switch (error->class) {

    case NGX_HTTP_GW_REDIS_DENIED:
    case NGX_HTTP_GW_REDIS_FORBIDDEN:
        ngx_http_gw_redis_refuse(link, error->reason);
        return NGX_DONE;

    case NGX_HTTP_GW_REDIS_ABSENT:
        ngx_http_gw_redis_failed(link, 0, error->reason);
        return NGX_OK;

    case NGX_HTTP_GW_REDIS_REFUSED:
    case NGX_HTTP_GW_REDIS_REPLICA:

        if (!link->complained
            || ngx_current_msec - link->logged >= NGX_HTTP_GW_REDIS_LOG)
        {
            link->complained = 1;
            link->logged = ngx_current_msec;

            ngx_log_error(NGX_LOG_ERR, link->log, 0,
                          "redis \"%V\" at %V refuses to write: %s",
                          &link->conf->name, &link->conf->server,
                          error->reason);
        }

        /* behind the same address may stand the new master */

        if (error->class == NGX_HTTP_GW_REDIS_REPLICA
            && ngx_current_msec - link->up_since >= link->conf->fail_timeout)
        {
            ngx_http_gw_redis_wire_close(link);
            ngx_http_gw_redis_drain(link, 0);
            ngx_http_gw_redis_arm(&link->tend, 0);
            return NGX_DONE;
        }

        return NGX_OK;

    default:
        return NGX_OK;
    }
}


static void
ngx_http_gw_redis_expire(ngx_event_t *ev)
{
    uint32_t                     seq;
    ngx_msec_int_t               left, next;
    ngx_http_gw_redis_link_t    *link;
    ngx_http_gw_redis_waiter_t  *w, save;

    link = ev->data;
    next = 0;

    /* the expired stay in line, so that their replies are told apart */

    for (seq = link->head; seq != link->tail; seq++) {
        w = &link->waiters[seq & link->mask];

        if (w->done == NULL) {
            continue;
        }

        left = (ngx_msec_int_t) (w->deadline - ngx_current_msec);

        if (left > 0) {
            next = (next == 0) ? left : ngx_min(next, left);
            continue;
        }

        save = *w;
        ngx_http_gw_redis_dead(link, w);

        if (!w->aside) {
            link->stat.timeouts++;
        }

        /* all that was in flight during one pause of Redis fails once */

        if (!w->aside
            && (link->fails == 0 || (int32_t) (seq - link->failed) >= 0))
        {
            link->failed = link->tail;
            ngx_http_gw_redis_failed(link, 0, "no reply in time");
        }

        save.done(save.data, NGX_BUSY, NULL);
    }

    if (next != 0) {
        ngx_http_gw_redis_arm(&link->expire, next);
    }
}


/* connect_timeout until the preamble is answered, stall_timeout later */

static void
ngx_http_gw_redis_stall(ngx_event_t *ev)
{
    ngx_msec_t                 quiet;
    ngx_http_gw_redis_link_t  *link;

    link = ev->data;

    if (link->connection == NULL) {
        return;
    }

    if (!link->up) {
        ngx_http_gw_redis_link_lost(link, NGX_ETIMEDOUT,
                                link->connected ? "no answer to the preamble"
                                : link->shaking ? "the TLS handshake stalls"
                                                : "connect() failed");
        return;
    }

    if (link->head == link->tail) {
        return;
    }

    quiet = ngx_current_msec - link->progress;

    if (quiet < link->conf->stall_timeout) {
        ngx_add_timer(&link->stall, link->conf->stall_timeout - quiet);
        return;
    }

    ngx_http_gw_redis_link_lost(link, 0, "it has stalled");
}


static void
ngx_http_gw_redis_ping(ngx_http_gw_redis_link_t *link)
{
    ngx_str_t                ping;
    ngx_http_gw_redis_cmd_t  cmd;

    if (link->probing) {
        return;
    }

    ngx_str_set(&ping, "PING");

    ngx_memzero(&cmd, sizeof(ngx_http_gw_redis_cmd_t));
    cmd.args = &ping;
    cmd.nargs = 1;
    cmd.done = ngx_http_gw_redis_pong;
    cmd.data = link;

    link->probing = (ngx_http_gw_redis_own(link, &cmd) != NULL);
}


ngx_int_t
ngx_http_gw_redis_link_aside(ngx_http_gw_redis_link_t *link,
    ngx_http_gw_redis_cmd_t *cmd)
{
    ngx_http_gw_redis_waiter_t  *w;

    if (!link->up || link->open || link->exiting) {
        return NGX_DECLINED;
    }

    w = ngx_http_gw_redis_own(link, cmd);
    if (w == NULL) {
        return NGX_DECLINED;
    }

    w->aside = 1;

    return NGX_OK;
}


/* a command of the link itself */

static ngx_http_gw_redis_waiter_t *
ngx_http_gw_redis_own(ngx_http_gw_redis_link_t *link,
    ngx_http_gw_redis_cmd_t *cmd)
{
    ngx_http_gw_redis_waiter_t  *w;

    if (ngx_http_gw_redis_append(link, cmd, link->conf->queue + 1)
        != NGX_OK)
    {
        return NULL;
    }

    w = &link->waiters[(link->tail - 1) & link->mask];
    w->ping = 1;

    if (!link->expire.timer_set
        || (ngx_msec_int_t) (w->deadline - link->expire.timer.key) < 0)
    {
        ngx_http_gw_redis_arm(&link->expire, w->deadline - ngx_current_msec);
    }

    return w;
}


static void
ngx_http_gw_redis_pong(void *data, ngx_int_t rc, redisReply *reply)
{
    ngx_http_gw_redis_link_t  *link = data;

    link->probing = 0;

    if (rc != NGX_OK || reply->type == REDIS_REPLY_ERROR || !link->open) {
        return;
    }

    link->open = 0;
    link->fails = 0;

    if (!link->denied) {
        link->duty->probes = 0;
        (void) ngx_atomic_fetch_add(&link->duty->answers, 1);

        ngx_http_gw_redis_recovered(link);
    }

    ngx_http_gw_redis_arm(&link->tend, link->conf->keepalive_interval);
}


/*
 * Asks once a minute, and on a new connection, whether keys were evicted: one
 * worker of the host does.  Who may not ask is not told so again.
 */

static void
ngx_http_gw_redis_ask(ngx_http_gw_redis_link_t *link, ngx_msec_t pause)
{
    ngx_str_t                args[2];
    ngx_atomic_uint_t        asked;
    ngx_http_gw_redis_cmd_t  cmd;

    asked = link->duty->asked;

    if (link->silent || link->open
        || (asked != 0 && ngx_current_msec - asked < pause)
        || !ngx_atomic_cmp_set(&link->duty->asked, asked, ngx_current_msec))
    {
        return;
    }

    ngx_str_set(&args[0], "INFO");
    ngx_str_set(&args[1], "stats");

    ngx_memzero(&cmd, sizeof(ngx_http_gw_redis_cmd_t));
    cmd.args = args;
    cmd.nargs = 2;
    cmd.done = ngx_http_gw_redis_info;
    cmd.data = link;

    (void) ngx_http_gw_redis_link_aside(link, &cmd);
}


static void
ngx_http_gw_redis_info(void *data, ngx_int_t rc, redisReply *reply)
{
    ngx_http_gw_redis_link_t  *link = data;

    ngx_atomic_uint_t  evicted;

    if (rc != NGX_OK) {
        return;
    }

    if (reply->type != REDIS_REPLY_STRING
        || ngx_http_gw_redis_duty_parse((u_char *) reply->str, reply->len,
                                        &evicted)
           != NGX_OK)
    {
        link->silent = 1;
        return;
    }

    if (ngx_http_gw_redis_duty_evicted(link->duty, evicted)) {
        ngx_log_error(NGX_LOG_WARN, link->log, 0,
                      "redis \"%V\" at %V evicts keys: a limit that is "
                      "evicted starts anew; give it more memory, or the "
                      "\"maxmemory-policy\" \"volatile-ttl\"",
                      &link->conf->name, &link->conf->server);
    }
}


/* counts a failure and opens the breaker after max_fails in a row */

static void
ngx_http_gw_redis_failed(ngx_http_gw_redis_link_t *link, ngx_err_t err,
    const char *reason)
{
    link->stat.failures++;
    link->fails++;

    if (link->open || (ngx_int_t) link->fails < link->conf->max_fails) {
        return;
    }

    if (!link->told) {
        link->told = 1;

        ngx_log_error(NGX_LOG_ERR, link->log, err,
                      "redis \"%V\" at %V is down: %s",
                      &link->conf->name, &link->conf->server, reason);
    }

    if (link->conf->max_fails != 0) {
        link->open = 1;
        link->answers = link->duty->answers;
        link->stat.opened++;

        (void) ngx_http_gw_redis_duty_take(&link->duty->until,
                                           ngx_http_gw_redis_interval(link));

        ngx_http_gw_redis_arm(&link->tend, ngx_http_gw_redis_follow(link));
    }
}


/* Redis does not want us: the back-off is longer, with a line for each */

static void
ngx_http_gw_redis_refuse(ngx_http_gw_redis_link_t *link, const char *reason)
{
    link->stat.failures++;

    if (!link->open) {
        link->stat.opened++;
    }

    link->open = 1;
    link->denied = 1;
    link->told = 1;
    link->denied_wait = (link->denied_wait == 0)
                        ? NGX_HTTP_GW_REDIS_DENIED_MIN
                        : ngx_min(link->denied_wait * 2,
                                  NGX_HTTP_GW_REDIS_DENIED_MAX);

    ngx_log_error(NGX_LOG_ERR, link->log, 0,
                  "redis \"%V\" at %V refuses us: %s; its ACL needs "
                  "\"~%V* +@read +@write +evalsha +eval +script|load "
                  "+time +ping%s\"; next attempt in about %Ms",
                  &link->conf->name, &link->conf->server, reason,
                  &link->conf->prefix,
                  link->conf->database != 0 ? " +select" : "",
                  link->denied_wait / 1000);

    ngx_http_gw_redis_wire_close(link);
    ngx_http_gw_redis_drain(link, 1);

    ngx_http_gw_redis_arm(&link->tend,
                          ngx_http_gw_redis_jitter(link->denied_wait));
}


static void
ngx_http_gw_redis_recovered(ngx_http_gw_redis_link_t *link)
{
    if (link->told) {
        link->told = 0;

        ngx_log_error(NGX_LOG_NOTICE, link->log, 0,
                      "redis \"%V\" at %V is up again",
                      &link->conf->name, &link->conf->server);
    }
}


/*
 * The connection is lost or was not made.  Commands of which a byte was
 * written are lost; the others go to the next connection, if there is one
 * soon.
 */

void
ngx_http_gw_redis_link_lost(ngx_http_gw_redis_link_t *link, ngx_err_t err,
    const char *reason)
{
    ngx_uint_t  idle, was_up;
    ngx_msec_t  age;

    was_up = link->up;

    if (!was_up) {
        ngx_http_gw_redis_resolve_next(link);
    }

    idle = was_up && link->head == link->tail;
    age = ngx_current_msec - link->up_since;

    ngx_log_error(NGX_LOG_INFO, link->log, err,
                  "redis \"%V\" at %V: connection is closed: %s",
                  &link->conf->name, &link->conf->server, reason);

    ngx_http_gw_redis_wire_close(link);

    /* that an idle connection is closed is nobody's fault */

    if (!link->exiting && !(idle && age >= NGX_HTTP_GW_REDIS_REST)) {
        ngx_http_gw_redis_failed(link, err, reason);
    }

    if (!link->exiting && !link->open) {
        link->resting = !was_up || age < NGX_HTTP_GW_REDIS_REST;

        ngx_http_gw_redis_arm(&link->tend, link->resting
                                           ? NGX_HTTP_GW_REDIS_REST : 0);
    }

    ngx_http_gw_redis_drain(link, link->open || link->resting
                                  || link->exiting);
}


void
ngx_http_gw_redis_link_move(ngx_http_gw_redis_link_t *link)
{
    ngx_http_gw_redis_waiter_t  *w;

    if (link->exiting) {
        return;
    }

    if (link->up) {

        if (!link->moving) {
            link->moving = 1;
            link->hold = link->in;
        }

        w = &link->waiters[link->head & link->mask];

        if (link->head != link->tail && (ssize_t) (w->start - link->hold) < 0)
        {
            return;
        }
    }

    ngx_http_gw_redis_wire_close(link);
    ngx_http_gw_redis_drain(link, 0);

    link->fresh = 1;
    ngx_http_gw_redis_arm(&link->tend, 0);
}


static void
ngx_http_gw_redis_drain(ngx_http_gw_redis_link_t *link, ngx_uint_t all)
{
    uint32_t                     last;
    ngx_http_gw_redis_waiter_t  *w, save;

    /* callbacks may append: the queues are put right before the first one */

    if (all) {
        last = link->tail;

    } else {
        for (last = link->head; last != link->tail; last++) {
            w = &link->waiters[last & link->mask];

            if ((ssize_t) (w->start - link->out) >= 0) {
                break;
            }
        }
    }

    link->out = (last == link->tail)
                ? link->in : link->waiters[last & link->mask].start;

    while (link->head != last) {
        w = &link->waiters[link->head & link->mask];
        save = *w;

        if (save.done != NULL) {
            ngx_http_gw_redis_dead(link, w);
        }

        link->head++;

        if (save.done != NULL) {

            if (!save.ping) {
                link->stat.lost++;
            }

            save.done(save.data, NGX_ERROR, NULL);

        } else if (save.late != NULL) {
            save.late(save.late_data, NULL);
        }
    }
}


/* unlike ngx_add_timer() alone, moves a timer by less than 300 msec too */

static void
ngx_http_gw_redis_arm(ngx_event_t *ev, ngx_msec_t timer)
{
    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_add_timer(ev, timer);
}


static ngx_msec_t
ngx_http_gw_redis_jitter(ngx_msec_t timer)
{
    return timer - timer / 4 + (ngx_msec_t) ngx_random() % (timer / 2 + 1);
}


static const ngx_http_gw_redis_error_t *
ngx_http_gw_redis_classify(redisReply *reply)
{
    const ngx_http_gw_redis_error_t  *error;

    for (error = ngx_http_gw_redis_errors; error->reason != NULL; error++) {

        if ((size_t) reply->len >= error->code.len
            && ngx_memcmp(reply->str, error->code.data, error->code.len) == 0
            && ((size_t) reply->len == error->code.len
                || reply->str[error->code.len] == ' '))
        {
            break;
        }
    }

    return error;
}
