
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_claim_path.h"
#include "gw_claim_test.h"
#include "ngx_http_gw_auth_require.h"
#include "ngx_http_gw_value.h"


/* gw_jwt_require_claim, gw_jwt_require_header */

typedef struct {
    ngx_str_t                    name;       /* the path as it is written */
    gw_claim_path_t              path;
    gw_claim_op_t                op;
    gw_claim_value_t             value;      /* known from the start */
    ngx_http_complex_value_t    *text;       /* NULL: value */
#if (NGX_PCRE)
    ngx_regex_t                 *regex;
#endif
    ngx_uint_t                   status;
} ngx_http_gw_auth_require_claim_t;


typedef struct {
#if (NGX_PCRE)
    ngx_regex_t                 *regex;
#endif
    ngx_int_t                    rc;         /* of a match that failed */
} ngx_http_gw_auth_require_match_t;


static ngx_int_t ngx_http_gw_auth_require_values(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx);
static ngx_int_t ngx_http_gw_auth_require_members(ngx_http_request_t *r,
    ngx_array_t *members, const json_t *object, ngx_http_gw_auth_ctx_t *ctx);
static ngx_int_t ngx_http_gw_auth_require_member(ngx_http_request_t *r,
    ngx_http_gw_auth_require_claim_t *require, const json_t *object);
static gw_status_e ngx_http_gw_auth_require_match(void *data,
    const char *text, size_t len);

static char *ngx_http_gw_auth_conf_require_path(ngx_conf_t *cf,
    ngx_http_gw_auth_require_claim_t *require);
static char *ngx_http_gw_auth_conf_require_status(ngx_conf_t *cf,
    ngx_str_t *value, ngx_uint_t *status);
static char *ngx_http_gw_auth_conf_require_pattern(ngx_conf_t *cf,
    ngx_http_gw_auth_require_claim_t *require, ngx_str_t *value);
static char *ngx_http_gw_auth_conf_require_value(ngx_conf_t *cf,
    ngx_http_gw_auth_require_claim_t *require, ngx_str_t *value);
static char *ngx_http_gw_auth_conf_require_json(ngx_conf_t *cf,
    ngx_http_gw_auth_require_claim_t *require, ngx_str_t *value);
static char *ngx_http_gw_auth_conf_require_check(ngx_conf_t *cf,
    ngx_http_gw_auth_require_claim_t *require, ngx_str_t *value);
static void ngx_http_gw_auth_require_free(void *data);


ngx_int_t
ngx_http_gw_auth_require(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx)
{
    json_t                    *claims;
    ngx_int_t                  rc;
    ngx_http_gw_auth_token_t  *token;

    token = ctx->id->token;

    if (alcf->require_claims) {

        claims = gw_jwt_claims(&token->jwt);
        if (claims == NULL) {
            ctx->reason = GW_REASON_MEMORY;
            return NGX_ERROR;
        }

        rc = ngx_http_gw_auth_require_members(r, alcf->require_claims,
                                              claims, ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (alcf->require_headers) {
        rc = ngx_http_gw_auth_require_members(r, alcf->require_headers,
                                              token->jws.header, ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (alcf->require) {
        return ngx_http_gw_auth_require_values(r, alcf, ctx);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_require_values(ngx_http_request_t *r,
    ngx_http_gw_auth_loc_conf_t *alcf, ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_str_t                    value;
    ngx_uint_t                   i, n;
    ngx_http_complex_value_t    *cv;
    ngx_http_gw_auth_require_t  *require;

    require = alcf->require->elts;

    for (i = 0; i < alcf->require->nelts; i++) {
        cv = require[i].values.elts;

        for (n = 0; n < require[i].values.nelts; n++) {

            if (ngx_http_complex_value(r, &cv[n], &value) != NGX_OK) {
                return NGX_ERROR;
            }

            if (value.len == 0 || (value.len == 1 && value.data[0] == '0')) {
                ctx->reason = GW_REASON_REQUIRE;
                ctx->status = require[i].status;
                return NGX_DECLINED;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_require_members(ngx_http_request_t *r, ngx_array_t *members,
    const json_t *object, ngx_http_gw_auth_ctx_t *ctx)
{
    ngx_int_t                          rc;
    ngx_uint_t                         i;
    ngx_http_gw_auth_require_claim_t  *require;

    require = members->elts;

    for (i = 0; i < members->nelts; i++) {

        rc = ngx_http_gw_auth_require_member(r, &require[i], object);

        if (rc == NGX_OK) {
            continue;
        }

        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "gw auth requirement on \"%V\" is not met",
                       &require[i].name);

        if (rc == NGX_DECLINED) {
            ctx->reason = GW_REASON_REQUIRE;
            ctx->status = require[i].status;
        }

        return rc;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_require_member(ngx_http_request_t *r,
    ngx_http_gw_auth_require_claim_t *require, const json_t *object)
{
    json_t                            *claim;
    ngx_str_t                          text;
    gw_status_e                        status;
    gw_claim_value_t                   value;
    ngx_http_gw_auth_require_match_t   match;

    value = require->value;
    match.rc = 0;
#if (NGX_PCRE)
    match.regex = require->regex;
#endif

    if (require->text) {

        if (ngx_http_complex_value(r, require->text, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        status = gw_claim_value_text(&value, (char *) text.data, text.len);

        if (status != GW_OK) {
            return (status == GW_ERROR) ? NGX_ERROR : NGX_DECLINED;
        }
    }

    claim = gw_claim_path_get(&require->path, object);

    status = gw_claim_test(&require->op, claim, &value,
                           ngx_http_gw_auth_require_match, &match);

    if (require->text) {
        gw_claim_value_release(&value);
    }

    if (status == GW_ERROR) {

        /* no part of the value: it may tell who the client is */

#if (NGX_PCRE)
        if (match.rc) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          ngx_regex_exec_n " failed: %i on the value of "
                          "\"%V\"", match.rc, &require->name);
            return NGX_DECLINED;
        }
#endif

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the value of \"%V\" is too large to test it",
                      &require->name);
    }

    return (status == GW_OK) ? NGX_OK : NGX_DECLINED;
}


static gw_status_e
ngx_http_gw_auth_require_match(void *data, const char *text, size_t len)
{
#if (NGX_PCRE)

    ngx_http_gw_auth_require_match_t  *match = data;

    ngx_str_t  subject;

    subject.data = (u_char *) text;
    subject.len = len;

    match->rc = ngx_regex_exec(match->regex, &subject, NULL, 0);

    if (match->rc >= 0) {
        return GW_OK;
    }

    return (match->rc == NGX_REGEX_NO_MATCHED) ? GW_DECLINED : GW_ERROR;

#else

    return GW_ERROR;

#endif
}


char *
ngx_http_gw_auth_conf_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_auth_loc_conf_t  *alcf = conf;

    ngx_str_t                         *value;
    ngx_uint_t                         i, n;
    ngx_http_complex_value_t          *cv;
    ngx_http_gw_auth_require_t        *require;

    if (alcf->require == NGX_CONF_UNSET_PTR) {

        alcf->require = ngx_array_create(cf->pool, 1,
                                         sizeof(ngx_http_gw_auth_require_t));
        if (alcf->require == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    require = ngx_array_push(alcf->require);
    if (require == NULL) {
        return NGX_CONF_ERROR;
    }

    require->status = NGX_HTTP_UNAUTHORIZED;

    value = cf->args->elts;
    n = cf->args->nelts;

    if (ngx_strncmp(value[n - 1].data, "error=", 6) == 0) {
        n--;

        if (ngx_http_gw_auth_conf_require_status(cf, &value[n],
                                                 &require->status)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        if (n == 1) {
            return "needs a value to check";
        }
    }

    if (ngx_array_init(&require->values, cf->pool, n - 1,
                       sizeof(ngx_http_complex_value_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < n; i++) {

        if (ngx_http_script_variables_count(&value[i]) == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" has no variable, it would always be "
                               "the same", &value[i]);
            return NGX_CONF_ERROR;
        }

        cv = ngx_array_push(&require->values);
        if (cv == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_http_gw_value_compile(cf, &value[i], cv) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_conf_require_status(ngx_conf_t *cf, ngx_str_t *value,
    ngx_uint_t *status)
{
    if (ngx_strcmp(value->data, "error=401") == 0) {
        *status = NGX_HTTP_UNAUTHORIZED;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value->data, "error=403") == 0) {
        *status = NGX_HTTP_FORBIDDEN;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\", it must be \"error=401\" "
                       "or \"error=403\"", value);

    return NGX_CONF_ERROR;
}


char *
ngx_http_gw_auth_conf_require_claim(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char  *p = conf;

    ngx_str_t                          *value;
    ngx_uint_t                          i;
    ngx_array_t                       **members;
    ngx_http_gw_auth_require_claim_t   *require;

    members = (ngx_array_t **) (p + cmd->offset);

    if (*members == NGX_CONF_UNSET_PTR) {

        *members = ngx_array_create(cf->pool, 1,
                                    sizeof(ngx_http_gw_auth_require_claim_t));
        if (*members == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    require = ngx_array_push(*members);
    if (require == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(require, sizeof(ngx_http_gw_auth_require_claim_t));

    require->status = NGX_HTTP_UNAUTHORIZED;

    value = cf->args->elts;
    i = 3;

    require->name = value[1];

    if (ngx_http_gw_auth_conf_require_path(cf, require) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (gw_claim_op_parse(&require->op, (char *) value[2].data, value[2].len)
        != GW_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown operator \"%V\", it must be present, eq, "
                           "ne, gt, ge, lt, le, in, any, all or match, or "
                           "one of them after \"!\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    if (require->op.op != GW_CLAIM_PRESENT) {

        if (cf->args->nelts == 3
            || (cf->args->nelts == 4
                && ngx_strncmp(value[3].data, "error=", 6) == 0))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" needs a value to compare with",
                               &value[2]);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_gw_auth_conf_require_value(cf, require, &value[3])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        i = 4;

    } else if (cf->args->nelts > 3
               && (ngx_strncmp(value[3].data, "error=", 6) != 0
                   || cf->args->nelts > 4))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" takes no value, only \"error=\" may "
                           "follow it", &value[2]);
        return NGX_CONF_ERROR;
    }

    if (i < cf->args->nelts) {
        return ngx_http_gw_auth_conf_require_status(cf, &value[i],
                                                    &require->status);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_conf_require_path(ngx_conf_t *cf,
    ngx_http_gw_auth_require_claim_t *require)
{
    u_char                 *names;
    gw_claim_path_error_t   err;

    names = ngx_pnalloc(cf->pool, require->name.len + 1);
    if (names == NULL) {
        return NGX_CONF_ERROR;
    }

    if (gw_claim_path_compile(&require->path, (char *) names,
                              (char *) require->name.data, require->name.len,
                              &err)
        != GW_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\" at byte %uz: %s",
                           &require->name, err.position, err.text);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_conf_require_value(ngx_conf_t *cf,
    ngx_http_gw_auth_require_claim_t *require, ngx_str_t *value)
{
    /* "$" of a pattern is its end, not a variable */

    if (require->op.op == GW_CLAIM_MATCH) {
        return ngx_http_gw_auth_conf_require_pattern(cf, require, value);
    }

    if (ngx_strncmp(value->data, "json=", 5) == 0) {
        return ngx_http_gw_auth_conf_require_json(cf, require, value);
    }

    if (ngx_http_script_variables_count(value) == 0) {
        gw_claim_value_string(&require->value, (char *) value->data,
                              value->len);

        return ngx_http_gw_auth_conf_require_check(cf, require, value);
    }

    require->text = ngx_http_gw_value_create(cf, value, 0);

    return require->text ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_gw_auth_conf_require_pattern(ngx_conf_t *cf,
    ngx_http_gw_auth_require_claim_t *require, ngx_str_t *value)
{
#if (NGX_PCRE)

    u_char               *p, errstr[NGX_MAX_CONF_ERRSTR];
    ngx_regex_compile_t   rc;

    static const u_char  limit[] = "(*LIMIT_MATCH="
                                   NGX_HTTP_GW_AUTH_LIMIT_MATCH ")";

    if (value->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the pattern is empty and matches everything, use "
                           "\"present\"");
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    rc.pattern.len = sizeof(limit) - 1 + value->len;
    rc.pattern.data = ngx_pnalloc(cf->pool, rc.pattern.len + 1);
    if (rc.pattern.data == NULL) {
        return NGX_CONF_ERROR;
    }

    /* of several limits the lowest counts: a pattern may have one too */

    p = ngx_cpymem(rc.pattern.data, limit, sizeof(limit) - 1);
    p = ngx_cpymem(p, value->data, value->len);
    *p = '\0';

    rc.pool = cf->pool;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the pattern must be a regular expression: %V",
                           &rc.err);
        return NGX_CONF_ERROR;
    }

    require->regex = rc.regex;

    return NGX_CONF_OK;

#else

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"match\" requires PCRE library, build nginx with it "
                       "or use another operator");

    return NGX_CONF_ERROR;

#endif
}


static char *
ngx_http_gw_auth_conf_require_json(ngx_conf_t *cf,
    ngx_http_gw_auth_require_claim_t *require, ngx_str_t *value)
{
    gw_json_error_t      err;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    if (gw_claim_value_json(&require->value, (char *) value->data + 5,
                            value->len - 5, &err)
        != GW_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid JSON in \"%V\": %s; a string "
                           "or a variable is written without \"json=\"",
                           value, err.text);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_gw_auth_require_free;
    cln->data = require->value.json;

    return ngx_http_gw_auth_conf_require_check(cf, require, value);
}


/* what would be refused, or let in, whatever the token says */

static char *
ngx_http_gw_auth_conf_require_check(ngx_conf_t *cf,
    ngx_http_gw_auth_require_claim_t *require, ngx_str_t *value)
{
    json_t            *json;
    ngx_uint_t         number;
    gw_claim_value_t   text;

    json = require->value.json;

    if (json_is_null(json)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a claim that is null counts as absent, use "
                           "\"!present\" instead of \"%V\"", value);
        return NGX_CONF_ERROR;
    }

    switch (require->op.op) {

    case GW_CLAIM_GT:
    case GW_CLAIM_GE:
    case GW_CLAIM_LT:
    case GW_CLAIM_LE:

        if (json) {

            if (json_is_number(json) || json_is_string(json)) {
                return NGX_CONF_OK;
            }

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" has no order, compare with a number "
                               "or a string", value);
            return NGX_CONF_ERROR;
        }

        if (gw_claim_value_text(&text, (char *) value->data, value->len)
            == GW_ERROR)
        {
            return NGX_CONF_ERROR;
        }

        number = json_is_number(text.json);

        gw_claim_value_release(&text);

        if (number) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is compared as a string, write "
                               "json=%V for a number or json=\"%V\" for "
                               "a string", value, value, value);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;

    case GW_CLAIM_IN:
    case GW_CLAIM_ANY:
    case GW_CLAIM_ALL:

        if (json_is_array(json) && json_array_size(json) == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is an empty set, give it an element",
                               value);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;

    default:
        return NGX_CONF_OK;
    }
}


static void
ngx_http_gw_auth_require_free(void *data)
{
    json_decref(data);
}
