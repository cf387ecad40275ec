
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_policy.h"
#include "ngx_http_gw_auth_reason.h"


#define NGX_HTTP_GW_AUTH_SCOPES     64    /* of one directive */
#define NGX_HTTP_GW_AUTH_CONSUMERS  1024  /* of one location */


typedef enum {
    NGX_HTTP_GW_AUTH_ANYBODY = 0,
    NGX_HTTP_GW_AUTH_A_CONSUMER,
    NGX_HTTP_GW_AUTH_A_GROUP
} ngx_http_gw_auth_whom_e;


/* gw_auth_allow, gw_auth_deny: one for each parameter */

typedef struct {
    ngx_http_gw_auth_whom_e   whom;
    ngx_str_t                 name;
    u_char                   *conf_file;
    ngx_uint_t                conf_line;
    unsigned                  allow:1;
} ngx_http_gw_auth_rule_t;


static ngx_int_t ngx_http_gw_auth_scope_text(ngx_conf_t *cf,
    ngx_http_gw_auth_scope_conf_t *scope);
static ngx_int_t ngx_http_gw_auth_conf_rule(ngx_conf_t *cf, ngx_str_t *param,
    ngx_http_gw_auth_rule_t *rule);
static ngx_uint_t ngx_http_gw_auth_header_sent(ngx_http_request_t *r,
    const ngx_str_t *name);


static const ngx_str_t  ngx_http_gw_auth_origin = ngx_string("origin");
static const ngx_str_t  ngx_http_gw_auth_request_method =
                                  ngx_string("access-control-request-method");


void
ngx_http_gw_auth_rules_init(ngx_http_gw_auth_rules_t *rules)
{
    rules->scope = NGX_CONF_UNSET_PTR;
    rules->consumers = NGX_CONF_UNSET_PTR;
    rules->headers = NGX_CONF_UNSET_PTR;
    rules->strip = NGX_CONF_UNSET;
    rules->preflight = NGX_CONF_UNSET;
    rules->dry_run = NGX_CONF_UNSET;
    rules->phase = NGX_CONF_UNSET_UINT;
    rules->type = NGX_CONF_UNSET;
}


ngx_uint_t
ngx_http_gw_auth_rules_own(ngx_http_gw_auth_rules_t *rules)
{
    return rules->scope != NGX_CONF_UNSET_PTR
           || rules->consumers != NGX_CONF_UNSET_PTR
           || rules->preflight != NGX_CONF_UNSET
           || rules->dry_run != NGX_CONF_UNSET
           || rules->phase != NGX_CONF_UNSET_UINT;
}


ngx_int_t
ngx_http_gw_auth_rules_merge(ngx_conf_t *cf, ngx_http_gw_auth_rules_t *prev,
    ngx_http_gw_auth_rules_t *conf, ngx_uint_t idle)
{
    ngx_http_gw_auth_rule_t        *rule;
    ngx_http_gw_auth_scope_conf_t  *scope;

    scope = conf->scope;

    if (idle && scope != NGX_CONF_UNSET_PTR) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"gw_auth_scope\" in %s:%ui protects nothing, add "
                      "\"gw_jwt\" or \"gw_api_key\" to the location",
                      scope->conf_file, scope->conf_line);
        return NGX_ERROR;
    }

    if (idle && conf->consumers != NGX_CONF_UNSET_PTR) {
        rule = conf->consumers->elts;

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%s\" in %s:%ui protects nothing, add \"gw_jwt\" or "
                      "\"gw_api_key\" to the location",
                      rule->allow ? "gw_auth_allow" : "gw_auth_deny",
                      rule->conf_file, rule->conf_line);
        return NGX_ERROR;
    }

    ngx_conf_merge_ptr_value(conf->scope, prev->scope, NULL);
    ngx_conf_merge_ptr_value(conf->consumers, prev->consumers, NULL);
    ngx_conf_merge_ptr_value(conf->headers, prev->headers, NULL);
    ngx_conf_merge_value(conf->strip, prev->strip, 0);
    ngx_conf_merge_value(conf->preflight, prev->preflight, 0);
    ngx_conf_merge_value(conf->dry_run, prev->dry_run, 0);
    ngx_conf_merge_uint_value(conf->phase, prev->phase,
                              NGX_HTTP_ACCESS_PHASE);
    ngx_conf_merge_value(conf->type, prev->type, 1);

    return NGX_OK;
}


char *
ngx_http_gw_auth_conf_scope(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                      *value;
    gw_scope_t                     *scope;
    ngx_uint_t                      i;
    ngx_http_gw_auth_rules_t       *rules;
    ngx_http_gw_auth_scope_conf_t  *sc;

    rules = (ngx_http_gw_auth_rules_t *) ((u_char *) conf + cmd->offset);

    if (rules->scope != NGX_CONF_UNSET_PTR) {
        return "is duplicate, name all scopes in one";
    }

    sc = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_scope_conf_t));
    if (sc == NULL) {
        return NGX_CONF_ERROR;
    }

    sc->all = 1;
    sc->conf_file = cf->conf_file->file.name.data;
    sc->conf_line = cf->conf_file->line;

    value = cf->args->elts;
    i = 1;

    if (ngx_strcmp(value[1].data, "any") == 0) {
        sc->all = 0;
        i = 2;

    } else if (ngx_strcmp(value[1].data, "all") == 0) {
        i = 2;
    }

    if (i == cf->args->nelts) {
        return "needs a scope";
    }

    if (cf->args->nelts - i > NGX_HTTP_GW_AUTH_SCOPES) {
        return "has more than 64 scopes, ask for fewer";
    }

    if (ngx_array_init(&sc->scopes, cf->pool, cf->args->nelts - i,
                       sizeof(gw_scope_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for ( /* void */ ; i < cf->args->nelts; i++) {

        if (!gw_scope_is_token((char *) value[i].data, value[i].len)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is no scope: name each as a parameter "
                               "of its own, without spaces, quotes and "
                               "backslashes", &value[i]);
            return NGX_CONF_ERROR;
        }

        scope = ngx_array_push(&sc->scopes);
        if (scope == NULL) {
            return NGX_CONF_ERROR;
        }

        scope->data = (char *) value[i].data;
        scope->len = value[i].len;
    }

    if (ngx_http_gw_auth_scope_text(cf, sc) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    rules->scope = sc;

    return NGX_CONF_OK;
}


/* RFC 6750, 3: a scope needs no escapes between quotes */

static ngx_int_t
ngx_http_gw_auth_scope_text(ngx_conf_t *cf,
    ngx_http_gw_auth_scope_conf_t *sc)
{
    size_t       len;
    u_char      *p;
    gw_scope_t  *scope;
    ngx_uint_t   i;

    scope = sc->scopes.elts;
    len = sizeof(", scope=\"\"") - 1;

    for (i = 0; i < sc->scopes.nelts; i++) {
        len += scope[i].len + 1;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    sc->text.data = p;
    p = ngx_cpymem(p, ", scope=\"", sizeof(", scope=\"") - 1);

    for (i = 0; i < sc->scopes.nelts; i++) {

        if (i) {
            *p++ = ' ';
        }

        p = ngx_cpymem(p, scope[i].data, scope[i].len);
    }

    *p++ = '"';
    sc->text.len = p - sc->text.data;

    return NGX_OK;
}


char *
ngx_http_gw_auth_conf_consumers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                 *value;
    ngx_uint_t                 i, allow;
    ngx_http_gw_auth_rule_t   *rule;
    ngx_http_gw_auth_rules_t  *rules;

    rules = (ngx_http_gw_auth_rules_t *) ((u_char *) conf + cmd->offset);

    if (rules->consumers == NGX_CONF_UNSET_PTR) {

        rules->consumers = ngx_array_create(cf->pool, 4,
                                            sizeof(ngx_http_gw_auth_rule_t));
        if (rules->consumers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    allow = (ngx_strcmp(value[0].data, "gw_auth_allow") == 0);

    for (i = 1; i < cf->args->nelts; i++) {

        if (rules->consumers->nelts == NGX_HTTP_GW_AUTH_CONSUMERS) {
            return "names more than 1024 consumers and groups, put "
                   "consumers into groups";
        }

        rule = ngx_array_push(rules->consumers);
        if (rule == NULL) {
            return NGX_CONF_ERROR;
        }

        rule->allow = allow;
        rule->conf_file = cf->conf_file->file.name.data;
        rule->conf_line = cf->conf_file->line;

        if (ngx_http_gw_auth_conf_rule(cf, &value[i], rule) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        if (rule->whom == NGX_HTTP_GW_AUTH_ANYBODY && cf->args->nelts != 2) {
            return "cannot have parameters beside \"all\"";
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_gw_auth_conf_rule(ngx_conf_t *cf, ngx_str_t *param,
    ngx_http_gw_auth_rule_t *rule)
{
    size_t  skip;

    if (ngx_strcmp(param->data, "all") == 0) {
        rule->whom = NGX_HTTP_GW_AUTH_ANYBODY;
        ngx_str_null(&rule->name);
        return NGX_OK;
    }

    if (ngx_strncmp(param->data, "consumer=", 9) == 0) {
        rule->whom = NGX_HTTP_GW_AUTH_A_CONSUMER;
        skip = 9;

    } else if (ngx_strncmp(param->data, "group=", 6) == 0) {
        rule->whom = NGX_HTTP_GW_AUTH_A_GROUP;
        skip = 6;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", it must be \"all\", "
                           "\"consumer=name\" or \"group=name\"", param);
        return NGX_ERROR;
    }

    rule->name.len = param->len - skip;
    rule->name.data = param->data + skip;

    if (rule->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" needs a name", param);
        return NGX_ERROR;
    }

    if (ngx_http_script_variables_count(&rule->name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" cannot have variables", param);
        return NGX_ERROR;
    }

    return NGX_OK;
}


char *
ngx_http_gw_auth_conf_type(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                 *value;
    ngx_http_gw_auth_rules_t  *rules;

    rules = (ngx_http_gw_auth_rules_t *) ((u_char *) conf + cmd->offset);

    if (rules->type != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "encrypted") == 0
        || ngx_strcmp(value[1].data, "nested") == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "this release cannot decrypt tokens, "
                           "\"gw_jwt_type %V\" has to wait for another one",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ngx_strcmp(value[1].data, "signed") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", it must be \"signed\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    rules->type = 1;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_gw_auth_permit(ngx_pool_t *pool, ngx_http_gw_auth_rules_t *rules,
    ngx_http_gw_auth_identity_t *id, ngx_uint_t *reason)
{
    ngx_int_t                 rc;
    ngx_str_t                 consumer;
    gw_scope_t                name;
    ngx_uint_t                i, allowed, match;
    gw_scope_set_t            set;
    ngx_http_gw_auth_rule_t  *rule;

    if (rules->scope) {

        gw_scope_from_key(&set, NULL, 0);

        if (id && ngx_http_gw_auth_identity_scopes(id, &set) != NGX_OK) {
            return NGX_ERROR;
        }

        if (gw_scope_check(&set, rules->scope->scopes.elts,
                           rules->scope->scopes.nelts, rules->scope->all)
            != GW_OK)
        {
            *reason = GW_REASON_SCOPE;
            return NGX_DECLINED;
        }
    }

    if (rules->consumers == NULL) {
        return NGX_OK;
    }

    ngx_str_null(&consumer);
    gw_scope_from_key(&set, NULL, 0);

    if (id) {

        rc = ngx_http_gw_auth_identity_value(pool, id,
                                             NGX_HTTP_GW_AUTH_CONSUMER,
                                             &consumer);
        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            ngx_str_null(&consumer);
        }

        if (ngx_http_gw_auth_identity_groups(id, &set) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    allowed = 1;
    rule = rules->consumers->elts;

    for (i = 0; i < rules->consumers->nelts; i++) {

        switch (rule[i].whom) {

        case NGX_HTTP_GW_AUTH_A_CONSUMER:
            match = (consumer.len == rule[i].name.len
                     && ngx_memcmp(consumer.data, rule[i].name.data,
                                   consumer.len) == 0);
            break;

        case NGX_HTTP_GW_AUTH_A_GROUP:
            name.data = (char *) rule[i].name.data;
            name.len = rule[i].name.len;
            match = gw_scope_has(&set, &name);
            break;

        default: /* NGX_HTTP_GW_AUTH_ANYBODY */
            match = 1;
            break;
        }

        if (match) {
            allowed = rule[i].allow;
            break;
        }

        /* who is not named is out as soon as somebody else is let in */

        if (rule[i].allow) {
            allowed = 0;
        }
    }

    if (!allowed) {
        *reason = NGX_HTTP_GW_AUTH_NOT_ALLOWED;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_gw_auth_preflight(ngx_http_request_t *r)
{
    return r->method == NGX_HTTP_OPTIONS
           && ngx_http_gw_auth_header_sent(r, &ngx_http_gw_auth_origin)
           && ngx_http_gw_auth_header_sent(r,
                                           &ngx_http_gw_auth_request_method);
}


static ngx_uint_t
ngx_http_gw_auth_header_sent(ngx_http_request_t *r, const ngx_str_t *name)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return 0;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == name->len
            && h[i].value.len
            && ngx_strncasecmp(h[i].key.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }
}
