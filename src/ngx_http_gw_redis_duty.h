
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the workers of a host share about one Redis: who looks whether it is
 * back, who asks it for its statistics, who tells it that the host is alive,
 * and what they found.  No worker holds anything that its death would keep: a
 * duty ends at a time.
 */


#ifndef NGX_HTTP_GW_REDIS_DUTY_H
#define NGX_HTTP_GW_REDIS_DUTY_H


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of the name of a host */
#define NGX_HTTP_GW_REDIS_DUTY_NODE  64


/* in shared memory, all zero at first; a reload keeps it */

typedef struct {
    ngx_atomic_t     until;            /* msec: nobody probes before */
    ngx_atomic_t     probes;           /* in a row, without an answer */
    ngx_atomic_t     answers;          /* to probes, ever */

    ngx_atomic_t     asked;            /* msec: when INFO was sent last */
    ngx_atomic_t     known;            /* evicted_keys then, plus 1 */
    ngx_atomic_t     evicted;          /* keys, since nginx started */
    ngx_atomic_t     warned;           /* of them, once */

    ngx_atomic_t     beat;             /* msec: no sign of life before */
    ngx_atomic_t     told;             /* msec: of the last answer to one */
    ngx_atomic_t     steady;           /* msec: since when it is fewer hosts */
    ngx_atomic_t     hosts;            /* that share it, 0: unknown */

    /* the host, by a name that a reload does not change */
    ngx_uint_t       node_len;
    u_char           node[NGX_HTTP_GW_REDIS_DUTY_NODE];
} ngx_http_gw_redis_duty_t;


typedef struct {
    ngx_http_gw_redis_duty_t  *duty;   /* NULL before the zone is there */
    ngx_str_t                 *node;
} ngx_http_gw_redis_duty_zone_t;


/*
 * Adds the zone of a service to the configuration.
 *
 *     name  of the zone
 *     tag   address of the module, as for ngx_shared_memory_add()
 *     node  name of this host, read when the configuration is complete
 *
 * Returns NULL when memory ran out or the name is taken (logged).
 */
ngx_http_gw_redis_duty_zone_t *ngx_http_gw_redis_duty_create(ngx_conf_t *cf,
    ngx_str_t *name, void *tag, ngx_str_t *node);

/*
 * Takes a duty unless somebody has it.
 *
 *     until  in/out: the word of that duty
 *     wait   msec for which nobody else takes it
 *
 * Returns 1 if it was taken.
 */
ngx_uint_t ngx_http_gw_redis_duty_take(ngx_atomic_t *until, ngx_msec_t wait);

/*
 * Finds evicted_keys in the text of INFO.
 *
 * Returns NGX_OK, or NGX_DECLINED if it is not there.
 */
ngx_int_t ngx_http_gw_redis_duty_parse(u_char *data, size_t len,
    ngx_atomic_uint_t *evicted);

/*
 * Takes what INFO has said.
 *
 *     evicted  evicted_keys of this Redis, since it started
 *
 * Returns 1 if keys were evicted, and nobody was told so far.
 */
ngx_uint_t ngx_http_gw_redis_duty_evicted(ngx_http_gw_redis_duty_t *duty,
    ngx_atomic_uint_t evicted);


#endif /* NGX_HTTP_GW_REDIS_DUTY_H */
