
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


/* bytes of one recv() */
#define NGX_HTTP_GW_REDIS_READ          16384

/* the largest reply: bytes, elements, arrays inside each other */
#define NGX_HTTP_GW_REDIS_REPLY_BYTES   65536
#define NGX_HTTP_GW_REDIS_REPLY_ELTS    1024
#define NGX_HTTP_GW_REDIS_REPLY_DEPTH   4

/* bytes of the name given to CLIENT SETNAME */
#define NGX_HTTP_GW_REDIS_NODE_MAX      128


static u_char *ngx_http_gw_redis_words(u_char *p, ngx_str_t *args,
    ngx_uint_t n);
static ngx_int_t ngx_http_gw_redis_test_connect(
    ngx_http_gw_redis_link_t *link);
static void ngx_http_gw_redis_write_handler(ngx_event_t *wev);
static ngx_uint_t ngx_http_gw_redis_chain(ngx_http_gw_redis_link_t *link,
    ngx_buf_t *b);
static void ngx_http_gw_redis_read_handler(ngx_event_t *rev);
static ngx_int_t ngx_http_gw_redis_parse(ngx_http_gw_redis_link_t *link,
    u_char *data, size_t len);


/*
 * The commands that open each connection, formatted once.  CLIENT SETNAME is
 * always among them, so that there is a reply to wait for.
 */

ngx_int_t
ngx_http_gw_redis_wire_preamble(ngx_http_gw_redis_link_t *link,
    ngx_pool_t *pool, ngx_http_gw_redis_link_conf_t *lcf)
{
    u_char                    *p, *name, number[NGX_INT64_LEN];
    size_t                     len;
    ngx_str_t                  args[3];
    ngx_uint_t                 i, n;
    ngx_http_gw_redis_conf_t  *conf;

    conf = lcf->conf;

    name = ngx_pnalloc(pool, NGX_HTTP_GW_REDIS_NODE_MAX
                             + sizeof("gw::") + NGX_INT64_LEN);
    if (name == NULL) {
        return NGX_ERROR;
    }

    /* more than three commands of at most three short words each can take */

    len = 512 + conf->user.len + conf->password.len
          + NGX_HTTP_GW_REDIS_NODE_MAX;

    for (i = 0; i < lcf->nscripts; i++) {
        len += 128 + lcf->scripts[i].len;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    link->preamble.data = p;
    link->auth = -1;
    link->select = -1;

    if (conf->password.len != 0) {
        n = 0;
        ngx_str_set(&args[n], "AUTH");
        n++;

        if (conf->user.len != 0) {
            args[n++] = conf->user;
        }

        args[n++] = conf->password;

        p = ngx_http_gw_redis_words(p, args, n);
        link->auth = link->preamble_replies++;
    }

    if (conf->database != 0) {
        ngx_str_set(&args[0], "SELECT");
        args[1].data = number;
        args[1].len = ngx_sprintf(number, "%i", conf->database) - number;

        p = ngx_http_gw_redis_words(p, args, 2);
        link->select = link->preamble_replies++;
    }

    ngx_str_set(&args[0], "CLIENT");
    ngx_str_set(&args[1], "SETNAME");
    args[2].data = name;

    name = ngx_cpymem(name, "gw:", 3);

    /* Redis refuses names with spaces and control characters */

    for (i = 0; i < lcf->node.len && i < NGX_HTTP_GW_REDIS_NODE_MAX; i++) {
        *name++ = (lcf->node.data[i] > 0x20 && lcf->node.data[i] < 0x7f)
                  ? lcf->node.data[i] : '-';
    }

    name = ngx_sprintf(name, ":%P", ngx_pid);
    args[2].len = name - args[2].data;

    p = ngx_http_gw_redis_words(p, args, 3);
    link->preamble_replies++;

    ngx_str_set(&args[0], "SCRIPT");
    ngx_str_set(&args[1], "LOAD");

    for (i = 0; i < lcf->nscripts; i++) {
        args[2] = lcf->scripts[i];

        p = ngx_http_gw_redis_words(p, args, 3);
        link->preamble_replies++;
    }

    link->preamble.len = p - link->preamble.data;

    return NGX_OK;
}


static u_char *
ngx_http_gw_redis_words(u_char *p, ngx_str_t *args, ngx_uint_t n)
{
    ngx_uint_t  i;

    p = ngx_http_gw_redis_wire_number(p, '*', n);

    for (i = 0; i < n; i++) {
        p = ngx_http_gw_redis_wire_number(p, '$', args[i].len);
        p = ngx_cpymem(p, args[i].data, args[i].len);
        *p++ = CR;
        *p++ = LF;
    }

    return p;
}


/* writes a type line: at most 24 bytes */

u_char *
ngx_http_gw_redis_wire_number(u_char *p, u_char type, size_t n)
{
    u_char  *d, digits[NGX_SIZE_T_LEN];

    d = digits + NGX_SIZE_T_LEN;

    do {
        *--d = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    *p++ = type;
    p = ngx_cpymem(p, d, digits + NGX_SIZE_T_LEN - d);
    *p++ = CR;
    *p++ = LF;

    return p;
}


void
ngx_http_gw_redis_wire_connect(ngx_http_gw_redis_link_t *link)
{
    ngx_int_t               rc;
    ngx_connection_t       *c;
    ngx_addr_t             *addr;
    gw_resp_limits_t        limits;
    ngx_peer_connection_t  *pc;

    addr = ngx_http_gw_redis_resolve_addr(link);

    if (addr == NULL) {
        ngx_http_gw_redis_link_lost(link, 0, "its name is not resolved");
        return;
    }

    link->stat.connects++;

    link->reader = redisReaderCreate();
    if (link->reader == NULL) {
        ngx_http_gw_redis_link_lost(link, 0, "no memory");
        return;
    }

    limits.bytes = NGX_HTTP_GW_REDIS_REPLY_BYTES;
    limits.elements = NGX_HTTP_GW_REDIS_REPLY_ELTS;
    limits.depth = NGX_HTTP_GW_REDIS_REPLY_DEPTH;
    gw_resp_init(&link->guard, &limits);

    /* state changes are logged here, not each attempt */

    link->quiet = *link->log;
    link->quiet.next = NULL;

    if (!(link->quiet.log_level & NGX_LOG_DEBUG_ALL)) {
        link->quiet.log_level = ngx_min(link->quiet.log_level, NGX_LOG_ALERT);
    }

    pc = &link->peer;
    ngx_memzero(pc, sizeof(ngx_peer_connection_t));

    pc->sockaddr = addr->sockaddr;
    pc->socklen = addr->socklen;
    pc->name = &addr->name;
    pc->get = ngx_event_get_peer;
    pc->log = &link->quiet;
    pc->log_error = NGX_ERROR_ERR;
    pc->so_keepalive = (pc->sockaddr->sa_family != AF_UNIX);

    ngx_set_socket_errno(0);

    rc = ngx_event_connect_peer(pc);

    if (rc == NGX_ERROR || rc == NGX_BUSY || rc == NGX_DECLINED) {
        ngx_http_gw_redis_link_lost(link, ngx_socket_errno,
                                    "connect() failed");
        return;
    }

    c = pc->connection;

    c->data = link;
    c->read->handler = ngx_http_gw_redis_read_handler;
    c->write->handler = ngx_http_gw_redis_write_handler;

    link->connection = c;
    link->connected = 0;
    link->preamble_sent = 0;
    link->preamble_left = link->preamble_replies;

    ngx_add_timer(&link->stall, link->conf->connect_timeout);

    if (rc == NGX_OK) {
        ngx_http_gw_redis_write_handler(c->write);
    }
}


/* returns NGX_OK, or NGX_AGAIN if the connection is not ready or was lost */

static ngx_int_t
ngx_http_gw_redis_test_connect(ngx_http_gw_redis_link_t *link)
{
    int                err;
    socklen_t          len;
    ngx_connection_t  *c;

    c = link->connection;

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err != 0) {
        ngx_http_gw_redis_link_lost(link, err, "connect() failed");
        return NGX_AGAIN;
    }

    if (ngx_tcp_nodelay(c) != NGX_OK) {
        ngx_http_gw_redis_link_lost(link, 0, "setsockopt() failed");
        return NGX_AGAIN;
    }

#if (NGX_SSL)

    if (link->conf->ssl_ctx != NULL) {
        link->shaking = 1;
        return ngx_http_gw_redis_tls_start(link);
    }

#endif

    link->connected = 1;

    return NGX_OK;
}


static void
ngx_http_gw_redis_write_handler(ngx_event_t *wev)
{
    ngx_connection_t          *c;
    ngx_http_gw_redis_link_t  *link;

    c = wev->data;
    link = c->data;

    if (!link->connected && ngx_http_gw_redis_test_connect(link) != NGX_OK) {
        return;
    }

    ngx_http_gw_redis_wire_flush(&link->flush);
}


void
ngx_http_gw_redis_wire_ready(ngx_http_gw_redis_link_t *link)
{
    ngx_connection_t  *c;

    c = link->connection;

    c->read->handler = ngx_http_gw_redis_read_handler;
    c->write->handler = ngx_http_gw_redis_write_handler;

    link->shaking = 0;
    link->connected = 1;

    /* what came with the end of the handshake raises no event */

    ngx_post_event(c->read, &ngx_posted_events);

    ngx_http_gw_redis_wire_flush(&link->flush);
}


void
ngx_http_gw_redis_wire_flush(ngx_event_t *ev)
{
    size_t                     n;
    ngx_buf_t                  b[2];
    ngx_uint_t                 i;
    ngx_chain_t                chain[2], *cl;
    ngx_connection_t          *c;
    ngx_http_gw_redis_link_t  *link;

    link = ev->data;
    c = link->connection;

    if (c == NULL || !link->connected || !c->write->ready) {
        return;
    }

    n = ngx_http_gw_redis_chain(link, b);

    if (n == 0) {
        return;
    }

    for (i = 0; i < n; i++) {
        chain[i].buf = &b[i];
        chain[i].next = (i + 1 < n) ? &chain[i + 1] : NULL;
    }

    cl = c->send_chain(c, chain, 0);

    link->stat.writes++;

    if (cl == NGX_CHAIN_ERROR) {
        ngx_http_gw_redis_link_lost(link, 0,
                      ngx_http_gw_redis_tls_reason(link, "send() failed"));
        return;
    }

    for (i = 0; i < n; i++) {
        link->stat.sent += b[i].pos - b[i].start;

        if (link->up) {
            link->out += b[i].pos - b[i].start;

        } else {
            link->preamble_sent += b[i].pos - b[i].start;
        }
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_http_gw_redis_link_lost(link, 0, "event failed");
    }
}


/* commands wait until the preamble is answered */

static ngx_uint_t
ngx_http_gw_redis_chain(ngx_http_gw_redis_link_t *link, ngx_buf_t *b)
{
    size_t  len, offset, part;

    ngx_memzero(b, 2 * sizeof(ngx_buf_t));

    b[0].memory = 1;
    b[1].memory = 1;

    if (!link->up) {
        b[0].start = link->preamble.data + link->preamble_sent;
        b[0].pos = b[0].start;
        b[0].last = link->preamble.data + link->preamble.len;

        return (b[0].pos == b[0].last) ? 0 : 1;
    }

    len = (link->moving ? link->hold : link->in) - link->out;

    if (len == 0) {
        return 0;
    }

    offset = link->out & (link->ring_size - 1);
    part = ngx_min(len, link->ring_size - offset);

    b[0].start = link->ring + offset;
    b[0].pos = b[0].start;
    b[0].last = b[0].pos + part;

    if (part == len) {
        return 1;
    }

    b[1].start = link->ring;
    b[1].pos = b[1].start;
    b[1].last = b[1].pos + (len - part);

    return 2;
}


static void
ngx_http_gw_redis_read_handler(ngx_event_t *rev)
{
    u_char                     buf[NGX_HTTP_GW_REDIS_READ];
    ssize_t                    n;
    ngx_connection_t          *c;
    ngx_http_gw_redis_link_t  *link;

    c = rev->data;
    link = c->data;

    if (c->close) {

        /* worker_shutdown_timeout has passed */

        link->exiting = 1;
        ngx_http_gw_redis_link_lost(link, 0, "worker shuts down");
        return;
    }

    if (!link->connected && ngx_http_gw_redis_test_connect(link) != NGX_OK) {
        return;
    }

    for ( ;; ) {
        n = c->recv(c, buf, NGX_HTTP_GW_REDIS_READ);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            ngx_http_gw_redis_link_lost(link, ngx_socket_errno,
                      ngx_http_gw_redis_tls_reason(link, "recv() failed"));
            return;
        }

        if (n == 0) {
            ngx_http_gw_redis_link_lost(link, 0, "it closed the connection");
            return;
        }

        link->stat.received += n;

        if (ngx_http_gw_redis_parse(link, buf, n) != NGX_OK) {
            return;
        }
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_http_gw_redis_link_lost(link, 0, "event failed");
    }
}


/* returns NGX_DONE when the connection is closed */

static ngx_int_t
ngx_http_gw_redis_parse(ngx_http_gw_redis_link_t *link, u_char *data,
    size_t len)
{
    void       *reply;
    ngx_int_t   rc;

    /* the lengths are checked before the parser allocates them */

    if (gw_resp_check(&link->guard, data, len) != GW_OK) {
        ngx_http_gw_redis_link_lost(link, 0, link->guard.error);
        return NGX_DONE;
    }

    if (redisReaderFeed(link->reader, (char *) data, len) != REDIS_OK) {
        ngx_http_gw_redis_link_lost(link, 0, "no memory");
        return NGX_DONE;
    }

    for ( ;; ) {
        reply = NULL;

        if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
            ngx_http_gw_redis_link_lost(link, 0, "malformed reply");
            return NGX_DONE;
        }

        if (reply == NULL) {
            return NGX_OK;
        }

        if (link->up) {
            rc = ngx_http_gw_redis_link_reply(link, reply);

        } else {
            rc = ngx_http_gw_redis_link_greeting(link, reply);
        }

        freeReplyObject(reply);

        if (rc != NGX_OK) {
            return NGX_DONE;
        }
    }
}


void
ngx_http_gw_redis_wire_close(ngx_http_gw_redis_link_t *link)
{
    if (link->connection != NULL) {
        ngx_http_gw_redis_tls_close(link);
        ngx_close_connection(link->connection);
        link->connection = NULL;
    }

    if (link->reader != NULL) {
        redisReaderFree(link->reader);
        link->reader = NULL;
    }

    if (link->flush.posted) {
        ngx_delete_posted_event(&link->flush);
    }

    if (link->stall.timer_set) {
        ngx_del_timer(&link->stall);
    }

    link->moving = 0;
    link->shaking = 0;
    link->connected = 0;
    link->up = 0;
}
