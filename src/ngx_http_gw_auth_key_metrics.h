
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef NGX_HTTP_GW_AUTH_KEY_METRICS_H
#define NGX_HTTP_GW_AUTH_KEY_METRICS_H


#include "ngx_http_gw_auth_keys.h"
#include "ngx_http_gw_metrics.h"


/*
 * Adds the metrics of requested key sets.
 *
 * Returns NGX_OK, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_key_metrics(ngx_http_gw_metrics_t *metrics,
    ngx_http_gw_auth_keyring_t *ring);


#endif /* NGX_HTTP_GW_AUTH_KEY_METRICS_H */
