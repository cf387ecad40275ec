
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The link of one worker to one Redis: pipelined, on nginx's own events.
 * hiredis is only the parser of replies.  The state is private to the
 * worker; nothing here blocks, and every queue is bounded.
 */


#ifndef NGX_HTTP_GW_REDIS_LINK_H
#define NGX_HTTP_GW_REDIS_LINK_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include <hiredis/hiredis.h>

#include "ngx_http_gw_redis_conf.h"
#include "ngx_http_gw_redis_duty.h"


typedef struct ngx_http_gw_redis_link_s  ngx_http_gw_redis_link_t;


typedef enum {
    NGX_HTTP_GW_REDIS_DOWN = 0,       /* commands are declined at once */
    NGX_HTTP_GW_REDIS_PROBING,        /* down, a probe is on its way */
    NGX_HTTP_GW_REDIS_UP              /* commands are taken */
} ngx_http_gw_redis_state_e;


/* what an error reply says about Redis */

typedef enum {
    NGX_HTTP_GW_REDIS_FINE = 0,
    NGX_HTTP_GW_REDIS_DENIED,         /* our credentials */
    NGX_HTTP_GW_REDIS_FORBIDDEN,      /* our rights */
    NGX_HTTP_GW_REDIS_ABSENT,         /* it cannot work at all now */
    NGX_HTTP_GW_REDIS_REFUSED,        /* it cannot write now */
    NGX_HTTP_GW_REDIS_REPLICA,        /* we talk to the wrong server */
    NGX_HTTP_GW_REDIS_CLASSES
} ngx_http_gw_redis_class_e;


/* what happened on this link since the worker started */

typedef struct {
    uint64_t                  commands;        /* taken from callers */
    uint64_t                  replies;         /* in time */
    uint64_t                  errors[NGX_HTTP_GW_REDIS_CLASSES];
    uint64_t                  timeouts;        /* past the deadline */
    uint64_t                  late;            /* replies after that */
    uint64_t                  canceled;        /* by their callers */
    uint64_t                  refused;         /* down, or no room */
    uint64_t                  lost;            /* link cut, fate unknown */
    uint64_t                  connects;
    uint64_t                  failures;        /* counted by the breaker */
    uint64_t                  opened;          /* times the breaker opened */
    uint64_t                  writes;          /* system calls */
    uint64_t                  sent;            /* bytes */
    uint64_t                  received;        /* bytes */
} ngx_http_gw_redis_stat_t;


/*
 * Ends one command, exactly once unless it was canceled.
 *
 *     rc     NGX_OK     the reply came in time: reply is set, possibly an
 *                       error reply; it is freed by the link afterwards
 *            NGX_BUSY   the deadline passed; reply is NULL, the command may
 *                       still run
 *            NGX_ERROR  the link was cut; reply is NULL, the command may
 *                       have run
 *
 * May send further commands and resume requests; may not destroy the link.
 */
typedef void (*ngx_http_gw_redis_done_pt)(void *data, ngx_int_t rc,
    redisReply *reply);

/*
 * Tells the fate of a command that timed out or was canceled: reply is what
 * came late, or NULL when it will never come.  data must outlive the caller's
 * request.
 */
typedef void (*ngx_http_gw_redis_late_pt)(void *data, redisReply *reply);


typedef struct {
    ngx_str_t                *args;            /* copied by the link */
    ngx_uint_t                nargs;
    ngx_http_gw_redis_done_pt done;
    void                     *data;
    ngx_http_gw_redis_late_pt late;            /* NULL: only counted */
    void                     *late_data;
    ngx_msec_t                deadline;        /* 0: now and conf->timeout */
} ngx_http_gw_redis_cmd_t;


typedef struct {
    ngx_http_gw_redis_conf_t *conf;
    ngx_str_t                 node;            /* for CLIENT SETNAME */
    ngx_str_t                *scripts;         /* loaded on each connection */
    ngx_uint_t                nscripts;
    ngx_http_gw_redis_duty_t *duty;            /* shared by all workers */
} ngx_http_gw_redis_link_conf_t;


/*
 * Makes a link and starts to connect in the background; called when a worker
 * starts.
 *
 *     pool  of the worker's cycle: keeps the link and its queues
 *     log   of the worker's cycle
 *
 * Returns NULL when memory is short.  A Redis that cannot be reached is no
 * failure of this function.
 */
ngx_http_gw_redis_link_t *ngx_http_gw_redis_link_create(ngx_pool_t *pool,
    ngx_log_t *log, ngx_http_gw_redis_link_conf_t *lcf);

/*
 * Queues a command.  It leaves with the others of the same turn of the event
 * loop, or as soon as the connection stands.
 *
 *     seq  out: names the command for ngx_http_gw_redis_link_cancel()
 *
 * Returns NGX_OK: done() will be called later, never from within this call;
 * or NGX_DECLINED: Redis is down, the queue is full or the command is too
 * large; nothing was queued and done() is not called.
 */
ngx_int_t ngx_http_gw_redis_link_send(ngx_http_gw_redis_link_t *link,
    ngx_http_gw_redis_cmd_t *cmd, uint32_t *seq);

/*
 * Queues a command that nobody waits for: it is not counted, and neither an
 * error nor a missing reply says anything about Redis.  Copies what cmd has.
 *
 * Returns NGX_OK: done() will be called later; or NGX_DECLINED: Redis is not
 * up, or there is no room.
 */
ngx_int_t ngx_http_gw_redis_link_aside(ngx_http_gw_redis_link_t *link,
    ngx_http_gw_redis_cmd_t *cmd);

/* Returns the deadline of a command sent now, for cmd->deadline. */
ngx_msec_t ngx_http_gw_redis_link_deadline(ngx_http_gw_redis_link_t *link);

/*
 * Forgets the caller of a command: done() will not be called.  The command
 * itself is not taken back.  Harmless after done() was called.
 */
void ngx_http_gw_redis_link_cancel(ngx_http_gw_redis_link_t *link,
    uint32_t seq);

/*
 * Asks for the fate of a command that timed out, from within its done() or
 * as long as its reply is due: as cmd->late, which needs no memory before.
 *
 * Returns NGX_OK: late() will be called once, unless the worker exits; or
 * NGX_DECLINED: no reply is due.
 */
ngx_int_t ngx_http_gw_redis_link_late(ngx_http_gw_redis_link_t *link,
    uint32_t seq, ngx_http_gw_redis_late_pt late, void *data);

/*
 * Closes the link when a worker exits.  Waiting commands are dropped without
 * a call of done(): nginx frees the requests without their events.  late()
 * is called, for its memory.
 */
void ngx_http_gw_redis_link_exit(ngx_http_gw_redis_link_t *link);

/* What a command sent now would meet. */
ngx_http_gw_redis_state_e ngx_http_gw_redis_link_state(
    ngx_http_gw_redis_link_t *link);

/* The counters: valid as long as the link, changed by it. */
const ngx_http_gw_redis_stat_t *ngx_http_gw_redis_link_stat(
    ngx_http_gw_redis_link_t *link);

/* Returns what the link was made of. */
ngx_http_gw_redis_conf_t *ngx_http_gw_redis_link_conf(
    ngx_http_gw_redis_link_t *link);

/* Returns 1 while the breaker is open. */
ngx_uint_t ngx_http_gw_redis_link_open(ngx_http_gw_redis_link_t *link);

/* Commands whose reply is still to come. */
ngx_uint_t ngx_http_gw_redis_link_inflight(ngx_http_gw_redis_link_t *link);


#endif /* NGX_HTTP_GW_REDIS_LINK_H */
