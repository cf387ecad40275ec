
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The configuration of ngx_http_gw_auth_module and the directives that take
 * parameters.
 */


#ifndef NGX_HTTP_GW_AUTH_CONF_H
#define NGX_HTTP_GW_AUTH_CONF_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_alg.h"
#include "gw_claim.h"
#include "gw_hash.h"
#include "gw_jws.h"
#include "ngx_http_gw_auth_budget.h"
#include "ngx_http_gw_auth_cache.h"
#include "ngx_http_gw_auth_cred.h"
#include "ngx_http_gw_auth_issuer.h"
#include "ngx_http_gw_auth_keys.h"
#include "ngx_http_gw_auth_lint.h"
#include "ngx_http_gw_auth_metadata.h"
#include "ngx_http_gw_auth_policy.h"
#include "ngx_http_gw_auth_rewrite.h"
#include "ngx_http_gw_auth_store.h"
#include "ngx_http_gw_auth_zone.h"
#include "ngx_http_gw_counters.h"
#include "ngx_http_gw_joint.h"


#define NGX_HTTP_GW_AUTH_MAX_SIZE       8192     /* bytes, a token */
#define NGX_HTTP_GW_AUTH_LEEWAY         30       /* seconds */
#define NGX_HTTP_GW_AUTH_MAX_LEEWAY     86400    /* seconds */


/* gw_auth */

#define NGX_HTTP_GW_AUTH_ALL  0
#define NGX_HTTP_GW_AUTH_ANY  1
#define NGX_HTTP_GW_AUTH_OFF  2


/* gw_auth_challenge */

#define NGX_HTTP_GW_AUTH_CHALLENGE_ON    0
#define NGX_HTTP_GW_AUTH_CHALLENGE_OFF   1
#define NGX_HTTP_GW_AUTH_CHALLENGE_TEXT  2


/* gw_jwt */

typedef struct {
    ngx_http_complex_value_t   realm;
    ngx_int_t                  token;        /* of a variable, or NGX_ERROR */
    ngx_http_gw_auth_source_t  source;       /* of that variable, if known */
    ngx_array_t               *issuers;      /* ngx_str_t, NULL: anonymous */
    u_char                    *conf_file;    /* where it stands */
    ngx_uint_t                 conf_line;
    unsigned                   optional:1;
} ngx_http_gw_auth_jwt_conf_t;


/* gw_api_key */

typedef struct {
    ngx_http_complex_value_t   realm;
    ngx_http_gw_auth_source_t  source;
    ngx_array_t                names;        /* ngx_str_t, of store= */
    ngx_array_t                stores;       /* ngx_http_gw_auth_store_t * */
    u_char                    *conf_file;
    ngx_uint_t                 conf_line;
    unsigned                   optional:1;
} ngx_http_gw_auth_key_conf_t;


/* gw_jwt_require */

typedef struct {
    ngx_array_t                values;       /* ngx_http_complex_value_t */
    ngx_uint_t                 status;
} ngx_http_gw_auth_require_t;


/* gw_jwt_claim_set, gw_jwt_header_set */

typedef struct {
    gw_claim_name_t           *names;
    ngx_uint_t                 n;
    unsigned                   header:1;
} ngx_http_gw_auth_claim_var_t;


typedef struct {
    ngx_http_gw_joint_t        joint;        /* must be first */

    gw_hash_t                 *hash;         /* each worker has its copy */
    gw_jws_ctx_t              *jws;
    ngx_http_gw_counters_t    *counters;
    ngx_http_gw_auth_zone_t   *zone;
    ngx_http_gw_auth_cache_t  *cache;        /* of the worker */

    ngx_http_gw_auth_keyring_t  keyring;
    ngx_array_t                issuers;      /* ..._auth_issuer_t *, named */
    ngx_http_gw_auth_lint_t    lint;         /* while it is read */
    ngx_array_t                stores;       /* ngx_http_gw_auth_store_t * */
    ngx_array_t                key_confs;    /* ..._key_conf_t * */
    ngx_array_t                args;         /* ngx_str_t, credentials */
} ngx_http_gw_auth_main_conf_t;


typedef struct ngx_http_gw_auth_loc_conf_s  ngx_http_gw_auth_loc_conf_t;

struct ngx_http_gw_auth_loc_conf_s {
    ngx_http_gw_auth_jwt_conf_t   *jwt;         /* NULL: off */
    ngx_http_gw_auth_key_conf_t   *key;         /* NULL: off */
    ngx_array_t                   *keys;        /* ..._auth_keys_t * */
    ngx_http_gw_auth_key_cache_t  *key_cache;   /* NULL: the default */
    ngx_array_t                   *issuers;     /* ..._auth_issuer_t * */
    ngx_array_t                   *require;     /* ..._auth_require_t */
    ngx_array_t                   *require_claims;   /* ..._require_claim_t */
    ngx_array_t                   *require_headers;  /* the same */
    ngx_uint_t                     algorithms;  /* mask, 0: the default */
    time_t                         leeway;
    size_t                         max_size;
    ngx_flag_t                     validate_exp;
    time_t                         cache;       /* seconds, 0: off */
    ngx_http_gw_auth_budget_t     *budget;      /* NULL: off */
    ngx_uint_t                     mode;
    ngx_uint_t                     challenge;
    ngx_str_t                      challenge_text;
    ngx_http_gw_auth_rules_t       rules;
    ngx_http_gw_auth_metadata_t   *metadata;    /* served here, or NULL */
    ngx_array_t                   *resources;   /* of the server */

    /*
     * Who first had these very settings; locations that inherit all of them
     * share one decision.
     */
    ngx_http_gw_auth_loc_conf_t   *policy;

    unsigned                       open:1;      /* whatever is inherited */
    unsigned                       checked:1;   /* of a policy: its keys */
};


/* a location asks for a credential */

#define ngx_http_gw_auth_asks(alcf)                                           \
    (((alcf)->jwt || (alcf)->key) && !(alcf)->open                            \
     && (alcf)->mode != NGX_HTTP_GW_AUTH_OFF)


/*
 * The directives of ngx_http_gw_auth_rules_t.
 *
 *     phases  ngx_conf_enum_t * of gw_auth_phase
 */

#define NGX_HTTP_GW_AUTH_RULES_COMMANDS(phases)                               \
    { ngx_string("gw_jwt_type"),                                              \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF\
                        |NGX_CONF_TAKE1,                                      \
      ngx_http_gw_auth_conf_type,                                             \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_gw_auth_loc_conf_t, rules),                           \
      NULL },                                                                 \
                                                                              \
    { ngx_string("gw_auth_scope"),                                            \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF\
                        |NGX_CONF_1MORE,                                      \
      ngx_http_gw_auth_conf_scope,                                            \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_gw_auth_loc_conf_t, rules),                           \
      NULL },                                                                 \
                                                                              \
    { ngx_string("gw_auth_allow"),                                            \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF\
                        |NGX_CONF_1MORE,                                      \
      ngx_http_gw_auth_conf_consumers,                                        \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_gw_auth_loc_conf_t, rules),                           \
      NULL },                                                                 \
                                                                              \
    { ngx_string("gw_auth_deny"),                                             \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF\
                        |NGX_CONF_1MORE,                                      \
      ngx_http_gw_auth_conf_consumers,                                        \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_gw_auth_loc_conf_t, rules),                           \
      NULL },                                                                 \
                                                                              \
    { ngx_string("gw_auth_preflight"),                                        \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF\
                        |NGX_CONF_FLAG,                                       \
      ngx_conf_set_flag_slot,                                                 \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_gw_auth_loc_conf_t, rules.preflight),                 \
      NULL },                                                                 \
                                                                              \
    { ngx_string("gw_auth_dry_run"),                                          \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF\
                        |NGX_CONF_FLAG,                                       \
      ngx_conf_set_flag_slot,                                                 \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_gw_auth_loc_conf_t, rules.dry_run),                   \
      NULL },                                                                 \
                                                                              \
    { ngx_string("gw_auth_strip"),                                            \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF\
                        |NGX_CONF_FLAG,                                       \
      ngx_conf_set_flag_slot,                                                 \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_gw_auth_loc_conf_t, rules.strip),                     \
      NULL },                                                                 \
                                                                              \
    { ngx_string("gw_auth_header"),                                           \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF\
                        |NGX_CONF_TAKE2,                                      \
      ngx_http_gw_auth_conf_header,                                           \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_gw_auth_loc_conf_t, rules.headers),                   \
      NULL },                                                                 \
                                                                              \
    { ngx_string("gw_auth_phase"),                                            \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF\
                        |NGX_CONF_TAKE1,                                      \
      ngx_conf_set_enum_slot,                                                 \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_gw_auth_loc_conf_t, rules.phase),                     \
      phases }


/*
 * The handlers of directives; they return what such a handler returns.  Those
 * that need the main configuration are given it.
 */

char *ngx_http_gw_auth_conf_jwt(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf);
char *ngx_http_gw_auth_conf_api_key(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *alcf);
char *ngx_http_gw_auth_conf_algorithms(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_gw_auth_conf_challenge(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Reads the algorithms of the directive at hand, from its first argument on.
 *
 *     mask    out: on NGX_CONF_OK
 *
 * Returns what a handler of a directive returns.
 */

char *ngx_http_gw_auth_conf_mask(ngx_conf_t *cf, gw_alg_mask_t *mask);

/* check gw_jwt_max_size and gw_jwt_leeway; for ngx_conf_post_t */

char *ngx_http_gw_auth_conf_size(ngx_conf_t *cf, void *post, void *data);
char *ngx_http_gw_auth_conf_leeway(ngx_conf_t *cf, void *post, void *data);

/*
 * Reads "gw_jwt_claim_set $var name ..." for its variable.
 *
 * Returns what to find, or NULL when memory ran out.
 */

ngx_http_gw_auth_claim_var_t *ngx_http_gw_auth_conf_claim(ngx_conf_t *cf);

/*
 * Finds the stores of each gw_api_key, when all of http{} has been read.
 *
 * Returns NGX_OK or NGX_ERROR (logged).
 */

ngx_int_t ngx_http_gw_auth_conf_stores(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf);

/*
 * Merges two levels of configuration and checks the outcome.
 *
 *     gmcf    complete: all of http{} has been read
 *     server  conf is that of a server{}, which may leave to its locations
 *             what is missing
 *
 * Returns NGX_CONF_OK or NGX_CONF_ERROR (logged).
 */

char *ngx_http_gw_auth_conf_merge(ngx_conf_t *cf,
    ngx_http_gw_auth_main_conf_t *gmcf, ngx_http_gw_auth_loc_conf_t *prev,
    ngx_http_gw_auth_loc_conf_t *conf, ngx_uint_t server);

#endif /* NGX_HTTP_GW_AUTH_CONF_H */
