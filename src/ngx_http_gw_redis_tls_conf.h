
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The parameters ssl* of a gw_redis block.
 */


#ifndef NGX_HTTP_GW_REDIS_TLS_CONF_H
#define NGX_HTTP_GW_REDIS_TLS_CONF_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_redis_conf.h"


/*
 * Reads the arguments of "ssl_protocols", in cf->args.
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR after the reason is logged.
 */
char *ngx_http_gw_redis_tls_protocols(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf);

/*
 * Checks the parameters when the block ends, sets the defaults and loads the
 * certificates into rcf->ssl_ctx.
 *
 * Returns NGX_CONF_OK, or NGX_CONF_ERROR after the reason is logged.
 */
char *ngx_http_gw_redis_tls_finish(ngx_conf_t *cf,
    ngx_http_gw_redis_conf_t *rcf);


#endif /* NGX_HTTP_GW_REDIS_TLS_CONF_H */
