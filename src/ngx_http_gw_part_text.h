
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Answers of parts that are no JSON: they become strings of it.
 */


#ifndef NGX_HTTP_GW_PART_TEXT_H
#define NGX_HTTP_GW_PART_TEXT_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate.h"


/*
 * Makes a JSON string of a whole answer: of its characters, or of its bytes
 * in base64 (RFC 4648, section 4, with padding).
 *
 *     part  conf->type is not NGX_HTTP_GW_PART_JSON; out and range are
 *           replaced
 *
 * Returns NGX_HTTP_GW_PART_OK, or why it cannot be: INVALID_UTF8, TOO_LARGE
 * for gw_aggregate_max_size, INTERNAL.
 */
ngx_http_gw_part_error_e ngx_http_gw_part_text(ngx_http_gw_part_t *part);


/* The handler of the parameter "type=" of gw_aggregate_part. */
char *ngx_http_gw_part_type(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value);


#endif /* NGX_HTTP_GW_PART_TEXT_H */
