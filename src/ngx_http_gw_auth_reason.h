
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The outcome of an authentication: the kinds of credentials, and the reasons
 * that only a gateway can have, beside those of gw_reason.h.  Their numbers
 * are places of counters in shared memory.
 */


#ifndef NGX_HTTP_GW_AUTH_REASON_H
#define NGX_HTTP_GW_AUTH_REASON_H


#include <ngx_config.h>
#include <ngx_core.h>

#include "gw_reason.h"
#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_metrics.h"


/* kinds of credentials, a mask; each combination is counted */

#define NGX_HTTP_GW_AUTH_JWT      0x01
#define NGX_HTTP_GW_AUTH_KEY      0x02
#define NGX_HTTP_GW_AUTH_METHODS  4

#define NGX_HTTP_GW_AUTH_MISSING  GW_REASON_MAX          /* no credential */
#define NGX_HTTP_GW_AUTH_TWICE    (GW_REASON_MAX + 1)    /* more than one */
#define NGX_HTTP_GW_AUTH_CIDR     (GW_REASON_MAX + 2)    /* other address */
#define NGX_HTTP_GW_AUTH_KEYSET_DOWN                                          \
    (GW_REASON_MAX + 3)                                  /* no keys now */
#define NGX_HTTP_GW_AUTH_NOT_ALLOWED                                          \
    (GW_REASON_MAX + 4)                                  /* the consumer */
#define NGX_HTTP_GW_AUTH_PREFLIGHT                                            \
    (GW_REASON_MAX + 5)                                  /* passes */
#define NGX_HTTP_GW_AUTH_BUDGET   (GW_REASON_MAX + 6)    /* is spent */
#define NGX_HTTP_GW_AUTH_REASONS  (GW_REASON_MAX + 7)


#define NGX_HTTP_GW_AUTH_OUTCOMES                                             \
    (2 * NGX_HTTP_GW_AUTH_METHODS * NGX_HTTP_GW_AUTH_REASONS)

/* after them: hits of both levels of the token cache, misses, evictions */
#define NGX_HTTP_GW_AUTH_COUNTER_EVICTED  (NGX_HTTP_GW_AUTH_OUTCOMES + 3)
#define NGX_HTTP_GW_AUTH_COUNTERS         (NGX_HTTP_GW_AUTH_OUTCOMES + 4)

/* dry: 0 or 1 */

#define ngx_http_gw_auth_counter(methods, reason, dry)                        \
    (((dry) * NGX_HTTP_GW_AUTH_METHODS + (methods))                           \
     * NGX_HTTP_GW_AUTH_REASONS + (reason))

/* of an ngx_http_gw_auth_cache_e but NONE */

#define ngx_http_gw_auth_cache_counter(result)                                \
    (NGX_HTTP_GW_AUTH_OUTCOMES + (result) - 1)


/*
 * Returns the stable code of a reason, zero-terminated; "-" for
 * GW_REASON_NONE.
 */

const char *ngx_http_gw_auth_reason_text(ngx_uint_t reason);

/*
 * Return what $gw_auth_method and $gw_auth_status say, zero-terminated.
 *
 *     dry  the request has passed nevertheless
 */

const char *ngx_http_gw_auth_method_text(ngx_uint_t methods);
const char *ngx_http_gw_auth_status_text(ngx_uint_t reason, ngx_uint_t dry);

/*
 * Adds gw_auth_requests_total and the metrics of the token cache to the
 * answer of gw_metrics.
 *
 *     evicted  entries that the zone has lost before their end
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_add_metrics(ngx_http_gw_metrics_t *metrics,
    ngx_http_gw_counters_t *counters, uint64_t evicted);


#endif /* NGX_HTTP_GW_AUTH_REASON_H */
