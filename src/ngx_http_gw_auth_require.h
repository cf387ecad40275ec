
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What is required of a verified token: gw_jwt_require_claim,
 * gw_jwt_require_header and gw_jwt_require.
 */


#ifndef NGX_HTTP_GW_AUTH_REQUIRE_H
#define NGX_HTTP_GW_AUTH_REQUIRE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_check.h"
#include "ngx_http_gw_auth_conf.h"


/*
 * Steps of one match from one start, for patterns that backtrack.  PCRE counts
 * anew from each byte of the subject, hence GW_CLAIM_MAX_SUBJECT too: 20 msec
 * are the worst that was seen with both, without JIT.
 */

#define NGX_HTTP_GW_AUTH_LIMIT_MATCH  "5000"


/*
 * Evaluates all requirements of a location, which may have none.
 *
 *     ctx  its token is verified; out: reason and status on NGX_DECLINED
 *
 * Returns NGX_OK, NGX_DECLINED or NGX_ERROR (could not tell).  A pattern that
 * reaches its limit is a refusal.
 */

ngx_int_t ngx_http_gw_auth_require(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx);


/*
 * The handlers of the directives; gw_jwt_require_claim and
 * gw_jwt_require_header keep what they read in an array at cmd->offset.
 */

char *ngx_http_gw_auth_conf_require(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_auth_conf_require_claim(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_GW_AUTH_REQUIRE_H */
