
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The private side of a Redis link: its state, and the connection that
 * carries it.  ngx_http_gw_redis_link.c decides what is sent and what a reply
 * or a loss means; ngx_http_gw_redis_wire.c connects, writes and reads.
 */


#ifndef NGX_HTTP_GW_REDIS_WIRE_H
#define NGX_HTTP_GW_REDIS_WIRE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "gw_resp.h"
#include "ngx_http_gw_redis_link.h"


/* bytes of a type line, "*" and the number and CR LF */
#define NGX_HTTP_GW_REDIS_LINE  (NGX_SIZE_T_LEN + 4)

/* bytes of what is kept of an error of OpenSSL */
#define NGX_HTTP_GW_REDIS_TLS_ERROR  128


typedef struct ngx_http_gw_redis_resolve_s  ngx_http_gw_redis_resolve_t;


typedef struct {
    ngx_http_gw_redis_done_pt       done;      /* NULL: nobody waits */
    void                           *data;
    ngx_http_gw_redis_late_pt       late;
    void                           *late_data;
    ngx_msec_t                      deadline;
    size_t                          start;     /* first byte in the stream */
    unsigned                        ping:1;    /* our own */
    unsigned                        aside:1;   /* proves nothing */
} ngx_http_gw_redis_waiter_t;


struct ngx_http_gw_redis_link_s {
    ngx_http_gw_redis_conf_t       *conf;
    ngx_log_t                      *log;
    ngx_log_t                       quiet;     /* of the connection */

    ngx_http_gw_redis_resolve_t    *resolve;   /* NULL: a fixed address */
    ngx_peer_connection_t           peer;
    ngx_connection_t               *connection;
    redisReader                    *reader;
    gw_resp_t                       guard;

    ngx_event_t                     flush;     /* posted, never a timer */
    ngx_event_t                     expire;    /* the earliest deadline */
    ngx_event_t                     stall;     /* or connect_timeout */
    ngx_event_t                     tend;      /* reconnect, probe, PING */

    ngx_str_t                       preamble;  /* opens each connection */
    size_t                          preamble_sent;
    ngx_uint_t                      preamble_replies;
    ngx_uint_t                      preamble_left;
    ngx_int_t                       auth;      /* which reply, or -1 */
    ngx_int_t                       select;    /* which reply, or -1 */

    u_char                         *ring;      /* what is to be written */
    size_t                          ring_size; /* a power of two */
    size_t                          in;        /* free running */
    size_t                          out;       /* free running */
    size_t                          hold;      /* "in" when it was to move */

    ngx_http_gw_redis_waiter_t     *waiters;   /* in order of the replies */
    uint32_t                        mask;
    uint32_t                        head;      /* free running */
    uint32_t                        tail;      /* free running */
    ngx_uint_t                      live;      /* requests that wait */

    ngx_uint_t                      fails;     /* in a row */
    uint32_t                        failed;    /* tail at the last of them */
    ngx_http_gw_redis_duty_t       *duty;
    ngx_atomic_uint_t               answers;   /* of it, that we know of */
    ngx_msec_t                      denied_wait;
    ngx_msec_t                      progress;  /* the stall clock */
    ngx_msec_t                      up_since;
    ngx_msec_t                      logged;

    ngx_http_gw_redis_stat_t        stat;

#if (NGX_SSL)
    ngx_ssl_session_t              *session;   /* for the next connection */
    ngx_log_t                       tls_log;   /* catches errors */
    u_char                          tls_error[NGX_HTTP_GW_REDIS_TLS_ERROR];
#endif

    unsigned                        tls_said:1;    /* tls_error is of now */
    unsigned                        moving:1;      /* to another address */
    unsigned                        shaking:1;     /* TLS is not ready yet */
    unsigned                        connected:1;   /* bytes may be sent */
    unsigned                        up:1;          /* the preamble too */
    unsigned                        open:1;        /* the breaker */
    unsigned                        denied:1;      /* until a command works */
    unsigned                        resting:1;     /* before reconnecting */
    unsigned                        probing:1;     /* a PING is out */
    unsigned                        told:1;        /* "is down" is logged */
    unsigned                        complained:1;
    unsigned                        fresh:1;       /* has a new address */
    unsigned                        silent:1;      /* INFO is of no use */
    unsigned                        exiting:1;
};


/*
 * Formats what opens each connection: AUTH, SELECT, CLIENT SETNAME, which is
 * always there, and SCRIPT LOAD.
 *
 * Returns NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_gw_redis_wire_preamble(ngx_http_gw_redis_link_t *link,
    ngx_pool_t *pool, ngx_http_gw_redis_link_conf_t *lcf);

/*
 * Writes a type line, at most NGX_HTTP_GW_REDIS_LINE bytes.
 * Returns its end.
 */
u_char *ngx_http_gw_redis_wire_number(u_char *p, u_char type, size_t n);

/*
 * Starts to connect.  May end in ngx_http_gw_redis_link_lost() before it
 * returns.
 */
void ngx_http_gw_redis_wire_connect(ngx_http_gw_redis_link_t *link);

/* The connection, with its TLS, stands: sends the preamble. */
void ngx_http_gw_redis_wire_ready(ngx_http_gw_redis_link_t *link);

/* Writes what the socket takes; the handler of link->flush. */
void ngx_http_gw_redis_wire_flush(ngx_event_t *ev);

/* Closes the connection, if any; touches no waiter. */
void ngx_http_gw_redis_wire_close(ngx_http_gw_redis_link_t *link);


/*
 * Called for each reply, that to the preamble and that to a command; the
 * caller frees the reply.
 *
 * Return NGX_OK, or NGX_DONE after the connection was closed.
 */
ngx_int_t ngx_http_gw_redis_link_greeting(ngx_http_gw_redis_link_t *link,
    redisReply *reply);
ngx_int_t ngx_http_gw_redis_link_reply(ngx_http_gw_redis_link_t *link,
    redisReply *reply);

/*
 * There is another address to connect to: it is, as soon as the commands
 * that were given to the connection so far have their replies.
 */
void ngx_http_gw_redis_link_move(ngx_http_gw_redis_link_t *link);

/*
 * The connection is unusable or was not made: closes it, ends the waiters
 * whose commands may have run and arranges for the next connection.
 *
 *     err     system error or 0
 *     reason  static text that completes "redis ... is down: "
 */
void ngx_http_gw_redis_link_lost(ngx_http_gw_redis_link_t *link,
    ngx_err_t err, const char *reason);


#endif /* NGX_HTTP_GW_REDIS_WIRE_H */
