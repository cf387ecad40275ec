
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What a location asks of a client beside a valid credential: scopes, who the
 * consumer is; and which requests it does not ask.
 */


#ifndef NGX_HTTP_GW_AUTH_POLICY_H
#define NGX_HTTP_GW_AUTH_POLICY_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_scope.h"
#include "ngx_http_gw_auth_identity.h"


/* gw_auth_scope */

typedef struct {
    ngx_array_t     scopes;         /* gw_scope_t */
    ngx_str_t       text;           /* ", scope=\"...\"" of a challenge */
    u_char         *conf_file;
    ngx_uint_t      conf_line;
    unsigned        all:1;
} ngx_http_gw_auth_scope_conf_t;


/* the directives of this file, of one location */

typedef struct {
    ngx_http_gw_auth_scope_conf_t  *scope;      /* NULL: none is needed */
    ngx_array_t                    *consumers;  /* of allow and deny */
    ngx_array_t                    *headers;    /* gw_auth_header */
    ngx_flag_t                      strip;
    ngx_flag_t                      preflight;
    ngx_flag_t                      dry_run;
    ngx_uint_t                      phase;      /* NGX_HTTP_..._PHASE */
    ngx_flag_t                      type;       /* "signed", the only one */
} ngx_http_gw_auth_rules_t;


/*
 * Set to what is not set.
 */

void ngx_http_gw_auth_rules_init(ngx_http_gw_auth_rules_t *rules);

/*
 * Returns 1 if the location has a directive of its own that a decision
 * depends on, else 0.  To be asked before the merge.
 */

ngx_uint_t ngx_http_gw_auth_rules_own(ngx_http_gw_auth_rules_t *rules);

/*
 * Merges two levels.
 *
 *     idle  the location checks no credential and is no server{}
 *
 * Returns NGX_OK; NGX_ERROR (logged): a directive of its own would be without
 * effect there.
 */

ngx_int_t ngx_http_gw_auth_rules_merge(ngx_conf_t *cf,
    ngx_http_gw_auth_rules_t *prev, ngx_http_gw_auth_rules_t *conf,
    ngx_uint_t idle);

/*
 * The handlers of gw_auth_scope; gw_auth_allow and gw_auth_deny; gw_jwt_type.
 * The offset of the command is that of the rules.
 */

char *ngx_http_gw_auth_conf_scope(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_auth_conf_consumers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_auth_conf_type(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Decides whether a client may do what it asks for.
 *
 *     id      verified, or NULL for nobody
 *     reason  out: on NGX_DECLINED, GW_REASON_SCOPE or
 *             NGX_HTTP_GW_AUTH_NOT_ALLOWED
 *
 * Returns NGX_OK, NGX_DECLINED, or NGX_ERROR when memory ran out.
 */

ngx_int_t ngx_http_gw_auth_permit(ngx_pool_t *pool,
    ngx_http_gw_auth_rules_t *rules, ngx_http_gw_auth_identity_t *id,
    ngx_uint_t *reason);

/*
 * Returns 1 if a request is a CORS preflight (Fetch, 3.2.2: OPTIONS with
 * Origin and Access-Control-Request-Method), which never has credentials;
 * else 0.
 */

ngx_uint_t ngx_http_gw_auth_preflight(ngx_http_request_t *r);


#endif /* NGX_HTTP_GW_AUTH_POLICY_H */
