
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_rate.h"
#include "gw_siphash.h"
#include "ngx_http_gw_auth_budget.h"
#include "ngx_http_gw_value.h"


#define NGX_HTTP_GW_AUTH_BUDGET_SEC  1000000000          /* ns */


static char *ngx_http_gw_auth_budget_words(ngx_conf_t *cf,
    ngx_http_gw_auth_budget_t *budget, gw_rate_t *rate, ngx_int_t *burst);
static char *ngx_http_gw_auth_budget_key(ngx_conf_t *cf,
    ngx_http_gw_auth_budget_t *budget, ngx_str_t *word);
static void ngx_http_gw_auth_budget_tag(ngx_http_gw_auth_budget_t *budget,
    gw_rate_t *rate, ngx_int_t burst);
static int64_t ngx_http_gw_auth_budget_clock(void);


char *
ngx_http_gw_auth_budget_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *base = conf;

    char                        *rv;
    ngx_int_t                    burst;
    gw_rate_t                    rate;
    ngx_str_t                   *value;
    ngx_http_gw_auth_budget_t   *budget, **slot;

    slot = (ngx_http_gw_auth_budget_t **) (base + cmd->offset);

    if (*slot != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts != 2) {
            return "cannot have parameters when it is \"off\"";
        }

        *slot = NULL;

        return NGX_CONF_OK;
    }

    budget = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_budget_t));
    if (budget == NULL) {
        return NGX_CONF_ERROR;
    }

    burst = 0;
    ngx_memzero(&rate, sizeof(gw_rate_t));

    rv = ngx_http_gw_auth_budget_words(cf, budget, &rate, &burst);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (budget->key.value.len == 0) {
        return "must have \"key\" parameter";
    }

    if (rate.count == 0) {
        return "must have \"rate\" parameter";
    }

    if (gw_gcra_init(&budget->gcra, rate.count, rate.period * 1000, burst)
        != GW_OK)
    {
        return "has a burst that is too large for its rate";
    }

    ngx_http_gw_auth_budget_tag(budget, &rate, burst);

    *slot = budget;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_budget_words(ngx_conf_t *cf,
    ngx_http_gw_auth_budget_t *budget, gw_rate_t *rate, ngx_int_t *burst)
{
    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "key=", 4) == 0) {

            rv = ngx_http_gw_auth_budget_key(cf, budget, &value[i]);
            if (rv != NGX_CONF_OK) {
                return rv;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "rate=", 5) == 0) {

            if (gw_rate_parse(value[i].data + 5, value[i].len - 5, rate)
                != GW_OK)
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid rate \"%V\", it must be like "
                                   "\"10r/s\" or \"10r/5m\", at most %d a "
                                   "second", &value[i], GW_RATE_MAX);
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "burst=", 6) == 0) {

            *burst = ngx_atoi(value[i].data + 6, value[i].len - 6);

            if (*burst < 0 || *burst >= GW_GCRA_CAPACITY_MAX) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid burst value \"%V\"", &value[i]);
                return NGX_CONF_ERROR;
            }

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_auth_budget_key(ngx_conf_t *cf,
    ngx_http_gw_auth_budget_t *budget, ngx_str_t *word)
{
    ngx_str_t                          text;

    text.len = word->len - 4;
    text.data = word->data + 4;

    if (ngx_http_script_variables_count(&text) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has no variable, one client could spend "
                           "the budget of all", word);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_gw_value_compile(cf, &text, &budget->key) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* no secret is needed: nobody but the operator chooses the words */

static void
ngx_http_gw_auth_budget_tag(ngx_http_gw_auth_budget_t *budget,
    gw_rate_t *rate, ngx_int_t burst)
{
    uint64_t  seed[2];

    gw_siphash13((uint64_t *) rate, budget->key.value.data,
                 budget->key.value.len, seed);

    gw_siphash13(seed, (u_char *) &burst, sizeof(ngx_int_t), budget->tag);
}


ngx_int_t
ngx_http_gw_auth_budget_take(ngx_http_request_t *r,
    ngx_http_gw_auth_zone_t *zone, ngx_http_gw_auth_budget_t *budget,
    ngx_uint_t cost, ngx_uint_t *retry)
{
    int64_t            now;
    ngx_str_t          text;
    gw_limit_key_t     key;
    gw_gcra_result_t   res;

    if (ngx_http_complex_value(r, &budget->key, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text.len == 0) {
        return NGX_OK;
    }

    gw_limit_store_key(zone->sh->budgets, text.data, text.len, &key);

    key.key[0] ^= budget->tag[0];
    key.key[1] ^= budget->tag[1];

    now = ngx_http_gw_auth_budget_clock();

    if (gw_limit_store_take(zone->sh->budgets, &key, &budget->gcra, &now,
                            ngx_http_gw_auth_budget_clock, (int64_t) cost,
                            &res)
        == GW_OK)
    {
        return NGX_OK;
    }

    *retry = (res.retry + NGX_HTTP_GW_AUTH_BUDGET_SEC - 1)
             / NGX_HTTP_GW_AUTH_BUDGET_SEC;

    return NGX_DECLINED;
}


/* all workers share it; a wall clock may go back */

static int64_t
ngx_http_gw_auth_budget_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * NGX_HTTP_GW_AUTH_BUDGET_SEC + ts.tv_nsec + 1;
}
