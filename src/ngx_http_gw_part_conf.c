
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_hedge.h"
#include "ngx_http_gw_fetch.h"
#include "ngx_http_gw_part_conf.h"
#include "ngx_http_gw_part_text.h"
#include "ngx_http_gw_place.h"
#include "ngx_http_gw_value.h"


typedef char *(*ngx_http_gw_part_parameter_pt)(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);


typedef struct {
    ngx_str_t                        name;      /* ends with "=": a value */
    ngx_http_gw_part_parameter_pt    handler;
} ngx_http_gw_part_parameter_t;


static char *ngx_http_gw_part_conf_name(ngx_conf_t *cf, ngx_str_t *name);
static char *ngx_http_gw_part_conf_parameter(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *word);
static char *ngx_http_gw_part_conf_uri(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *uri);
static char *ngx_http_gw_part_conf_check(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf);
static char *ngx_http_gw_part_conf_check_body(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf);
static char *ngx_http_gw_part_conf_codes(ngx_conf_t *cf,
    ngx_http_gw_codes_t *codes, ngx_str_t *value);
static ngx_uint_t ngx_http_gw_part_conf_json_type(ngx_str_t *type);

static char *ngx_http_gw_part_required(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_optional(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_default(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_omit(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_as(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_at(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_timeout(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_max_size(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_method(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_body(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_content_type(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_ok(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_null(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_status(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_if(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);
static char *ngx_http_gw_part_after(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf, ngx_str_t *value);


static const ngx_http_gw_part_parameter_t  ngx_http_gw_part_parameters[] = {
    { ngx_string("required"), ngx_http_gw_part_required },
    { ngx_string("optional"), ngx_http_gw_part_optional },
    { ngx_string("default="), ngx_http_gw_part_default },
    { ngx_string("omit"), ngx_http_gw_part_omit },
    { ngx_string("as="), ngx_http_gw_part_as },
    { ngx_string("at="), ngx_http_gw_part_at },
    { ngx_string("timeout="), ngx_http_gw_part_timeout },
    { ngx_string("max_size="), ngx_http_gw_part_max_size },
    { ngx_string("method="), ngx_http_gw_part_method },
    { ngx_string("body="), ngx_http_gw_part_body },
    { ngx_string("content_type="), ngx_http_gw_part_content_type },
    { ngx_string("ok="), ngx_http_gw_part_ok },
    { ngx_string("null="), ngx_http_gw_part_null },
    { ngx_string("status="), ngx_http_gw_part_status },
    { ngx_string("if="), ngx_http_gw_part_if },
    { ngx_string("after="), ngx_http_gw_part_after },
    { ngx_string("type="), ngx_http_gw_part_type },
    { ngx_string("root"), ngx_http_gw_part_root },
    { ngx_string("append"), ngx_http_gw_part_append },
    { ngx_string("hedge="), ngx_http_gw_part_hedge },
    { ngx_null_string, NULL }
};


/* nginx fetches no body of an answer to HEAD, so HEAD is not among them */

static const struct {
    ngx_str_t    name;
    ngx_uint_t   method;
} ngx_http_gw_part_methods[] = {
    { ngx_string("GET"), NGX_HTTP_GET },
    { ngx_string("POST"), NGX_HTTP_POST },
    { ngx_string("PUT"), NGX_HTTP_PUT },
    { ngx_string("PATCH"), NGX_HTTP_PATCH },
    { ngx_string("DELETE"), NGX_HTTP_DELETE },
    { ngx_string("OPTIONS"), NGX_HTTP_OPTIONS },
    { ngx_null_string, 0 }
};


char *
ngx_http_gw_part_conf(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf)
{
    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    ngx_memzero(pcf, sizeof(ngx_http_gw_part_conf_t));

    pcf->name = value[1];
    pcf->file = cf->conf_file->file.name.data;
    pcf->line = cf->conf_file->line;
    pcf->timeout = NGX_CONF_UNSET_MSEC;
    pcf->max_size = NGX_CONF_UNSET_SIZE;
    pcf->method = NGX_HTTP_GET;
    pcf->method_name = ngx_http_gw_part_methods[0].name;

    rv = ngx_http_gw_part_conf_name(cf, &value[1]);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    for (i = 3; i < cf->args->nelts; i++) {
        rv = ngx_http_gw_part_conf_parameter(cf, pcf, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    rv = ngx_http_gw_part_conf_uri(cf, pcf, &value[2]);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_gw_part_conf_check(cf, pcf);
}


/* it is a member of the answer and stands in headers and in variables */

static char *
ngx_http_gw_part_conf_name(ngx_conf_t *cf, ngx_str_t *name)
{
    u_char   c;
    size_t   i;

    for (i = 0; i < name->len; i++) {
        c = (u_char) (name->data[i] | 0x20);

        if (!((c >= 'a' && c <= 'z')
              || (name->data[i] >= '0' && name->data[i] <= '9')
              || name->data[i] == '_' || name->data[i] == '-'
              || name->data[i] == '.'))
        {
            break;
        }
    }

    if (i == name->len && i && i <= NGX_HTTP_GW_PART_NAME_LEN) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid part name \"%V\", it must have 1 to %d "
                       "letters, digits, \"_\", \"-\" or \".\"", name,
                       NGX_HTTP_GW_PART_NAME_LEN);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_gw_part_conf_parameter(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *word)
{
    size_t                         len;
    ngx_str_t                      value;
    ngx_uint_t                     i, bit;
    const ngx_http_gw_part_parameter_t  *parameter;

    parameter = ngx_http_gw_part_parameters;

    for (i = 0; parameter[i].name.len; i++) {
        len = parameter[i].name.len;

        if (word->len < len
            || ngx_strncmp(word->data, parameter[i].name.data, len) != 0
            || (word->len != len && parameter[i].name.data[len - 1] != '='))
        {
            continue;
        }

        bit = (ngx_uint_t) 1 << i;

        if (pcf->seen & bit) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\"", word);
            return NGX_CONF_ERROR;
        }

        pcf->seen |= bit;

        value.data = word->data + len;
        value.len = word->len - len;

        if (value.len == 0 && parameter[i].name.data[len - 1] == '=') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "parameter \"%V\" has no value", word);
            return NGX_CONF_ERROR;
        }

        return parameter[i].handler(cf, pcf, &value);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"", word);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_gw_part_conf_uri(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *uri)
{
    ngx_int_t   rc;
    ngx_uint_t  encoded;

    if (uri->len == 0 || uri->data[0] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "URI \"%V\" of part \"%V\" must begin with \"/\"",
                           uri, &pcf->name);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_gw_template_compile(cf, uri, NGX_HTTP_GW_TEMPLATE_URI, NULL,
                                     &pcf->uri)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (!pcf->uri.constant) {
        return NGX_CONF_OK;
    }

    rc = ngx_http_gw_fetch_uri(cf->pool, uri, &pcf->path, &pcf->args,
                               &encoded);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "URI \"%V\" of part \"%V\" is unsafe", uri,
                           &pcf->name);
    }

    if (rc != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    pcf->encoded = encoded;

    return NGX_CONF_OK;
}


/* what parameters mean together */

static char *
ngx_http_gw_part_conf_check(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf)
{
    ngx_uint_t  i;

    if (pcf->required && pcf->optional) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "parameters \"required\" and \"optional\" of part "
                           "\"%V\" exclude each other", &pcf->name);
        return NGX_CONF_ERROR;
    }

    if (pcf->omit && pcf->value.data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "parameters \"omit\" and \"default\" of part "
                           "\"%V\" exclude each other", &pcf->name);
        return NGX_CONF_ERROR;
    }

    if (pcf->type != NGX_HTTP_GW_PART_JSON && pcf->at.data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "parameter \"at\" of part \"%V\" needs "
                           "\"type=json\": there is nothing in a text",
                           &pcf->name);
        return NGX_CONF_ERROR;
    }

    if (pcf->hedge && pcf->method != NGX_HTTP_GET) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "parameter \"hedge\" of part \"%V\" needs "
                           "\"method=GET\": a request that is sent twice "
                           "must change nothing", &pcf->name);
        return NGX_CONF_ERROR;
    }

    pcf->has_default = (pcf->value.data != NULL);

    if (!pcf->has_default) {
        ngx_str_set(&pcf->value, "null");
    }

    for (i = 0; i < sizeof(pcf->ok.bits) / sizeof(pcf->ok.bits[0]); i++) {
        if (pcf->ok.bits[i] & pcf->null.bits[i]) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the same status is in \"ok\" and \"null\" of "
                               "part \"%V\"", &pcf->name);
            return NGX_CONF_ERROR;
        }
    }

    for (i = 0; i < sizeof(pcf->ok.bits) / sizeof(pcf->ok.bits[0]); i++) {
        if (pcf->ok.bits[i]) {
            break;
        }
    }

    if (i == sizeof(pcf->ok.bits) / sizeof(pcf->ok.bits[0])) {

        for (i = 200; i < 300; i++) {
            pcf->ok.bits[i / 64] |= (uint64_t) 1 << (i % 64);
        }

        /* a part of an answer is no answer */

        i = NGX_HTTP_PARTIAL_CONTENT;
        pcf->ok.bits[i / 64] &= ~((uint64_t) 1 << (i % 64));
    }

    return ngx_http_gw_part_conf_check_body(cf, pcf);
}


static char *
ngx_http_gw_part_conf_check_body(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf)
{
    size_t           offset;
    ngx_str_t        sample;
    gw_json_range_t  range;

    if (pcf->body == NULL) {

        if (pcf->content_type.len) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "parameter \"content_type\" of part \"%V\" "
                               "needs \"body=\" with a text", &pcf->name);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    if (pcf->content_type.len == 0) {
        ngx_str_set(&pcf->content_type, "application/json");
    }

    if (!ngx_http_gw_part_conf_json_type(&pcf->content_type)) {

        if (pcf->body->constant) {
            return NGX_CONF_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "variables in \"body\" of part \"%V\" need a "
                           "content type of JSON: they are escaped for that",
                           &pcf->name);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_gw_template_sample(cf, pcf->body, &sample) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (gw_json_scan(sample.data, sample.len, GW_JSON_SCAN_DEPTH, &range,
                     &offset)
        != GW_JSON_SCAN_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"body\" of part \"%V\" is not JSON at byte %uz",
                           &pcf->name, offset);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* "200,404,500-503" */

static char *
ngx_http_gw_part_conf_codes(ngx_conf_t *cf, ngx_http_gw_codes_t *codes,
    ngx_str_t *value)
{
    u_char     *p, *last, *comma, *dash;
    ngx_int_t   first, second;

    p = value->data;
    last = p + value->len;

    for ( ;; ) {

        comma = ngx_strlchr(p, last, ',');
        if (comma == NULL) {
            comma = last;
        }

        dash = ngx_strlchr(p, comma, '-');

        first = ngx_atoi(p, (dash ? dash : comma) - p);
        second = dash ? ngx_atoi(dash + 1, comma - dash - 1) : first;

        if (first < NGX_HTTP_GW_MIN_STATUS || second > NGX_HTTP_GW_MAX_STATUS
            || second < first)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid status codes \"%V\", they must be "
                               "like \"200,404,500-503\"", value);
            return NGX_CONF_ERROR;
        }

        while (first <= second) {
            codes->bits[first / 64] |= (uint64_t) 1 << (first % 64);
            first++;
        }

        if (comma == last) {
            return NGX_CONF_OK;
        }

        p = comma + 1;
    }
}


static ngx_uint_t
ngx_http_gw_part_conf_json_type(ngx_str_t *type)
{
    u_char  *p;

    p = ngx_strlcasestrn(type->data, type->data + type->len,
                         (u_char *) "json", 4 - 1);

    return p != NULL;
}


static char *
ngx_http_gw_part_required(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    pcf->required = 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_part_optional(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    pcf->optional = 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_part_default(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    size_t           offset;
    gw_json_range_t  range;

    if (gw_json_scan(value->data, value->len, GW_JSON_SCAN_DEPTH, &range,
                     &offset)
        != GW_JSON_SCAN_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "default \"%V\" of part \"%V\" is not JSON at "
                           "byte %uz", value, &pcf->name, offset);
        return NGX_CONF_ERROR;
    }

    pcf->value.data = value->data + range.start;
    pcf->value.len = range.end - range.start;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_part_omit(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    pcf->omit = 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_part_as(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    size_t                    ntokens;
    gw_json_pointer_error_t   err;

    if (gw_json_pointer_check(value->data, value->len, &ntokens, &err)
        != GW_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pointer \"%V\" of part \"%V\": %s", value,
                           &pcf->name, err.text);
        return NGX_CONF_ERROR;
    }

    pcf->as = *value;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_part_at(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    void                     *memory;
    u_char                   *p, *last, *next;
    gw_json_text_t            text;
    gw_json_pointer_error_t   err;

    last = value->data + value->len;

    for (p = value->data; p < last; p = next) {

        next = ngx_strlchr(p + 1, last, '/');
        if (next == NULL) {
            next = last;
        }

        if (next - p == 2 && p[1] == '*') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "pointer \"%V\" of part \"%V\" must name one "
                               "value, a literal \"*\" is written \"~2\"",
                               value, &pcf->name);
            return NGX_CONF_ERROR;
        }
    }

    text.data = value->data;
    text.len = value->len;

    memory = ngx_palloc(cf->pool, gw_json_pointer_size(&text, 1));
    if (memory == NULL) {
        return NGX_CONF_ERROR;
    }

    pcf->trie = gw_json_pointer_compile(memory, &text, 1, &err);

    if (pcf->trie == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pointer \"%V\" of part \"%V\": %s", value,
                           &pcf->name, err.text);
        return NGX_CONF_ERROR;
    }

    pcf->at = *value;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_part_timeout(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_parse_time(value, 0);

    if (n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\" of part \"%V\"", value,
                           &pcf->name);
        return NGX_CONF_ERROR;
    }

    pcf->timeout = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_part_max_size(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    ssize_t  size;

    size = ngx_parse_size(value);

    if (size == NGX_ERROR || size == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" of part \"%V\"", value,
                           &pcf->name);
        return NGX_CONF_ERROR;
    }

    pcf->max_size = size;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_part_method(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    ngx_uint_t  i;

    if (ngx_strcmp(value->data, "inherit") == 0) {
        pcf->method = 0;
        return NGX_CONF_OK;
    }

    for (i = 0; ngx_http_gw_part_methods[i].method; i++) {

        if (value->len == ngx_http_gw_part_methods[i].name.len
            && ngx_strncmp(value->data, ngx_http_gw_part_methods[i].name.data,
                           value->len)
               == 0)
        {
            pcf->method = ngx_http_gw_part_methods[i].method;
            pcf->method_name = ngx_http_gw_part_methods[i].name;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid method \"%V\" of part \"%V\"", value,
                       &pcf->name);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_gw_part_body(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    if (ngx_strcmp(value->data, "none") == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value->data, "inherit") == 0) {
        pcf->inherit_body = 1;
        return NGX_CONF_OK;
    }

    pcf->body = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_template_t));
    if (pcf->body == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_gw_template_compile(cf, value, NGX_HTTP_GW_TEMPLATE_JSON,
                                     NULL, pcf->body)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_part_content_type(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    pcf->content_type = *value;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_part_ok(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    return ngx_http_gw_part_conf_codes(cf, &pcf->ok, value);
}


static char *
ngx_http_gw_part_null(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    return ngx_http_gw_part_conf_codes(cf, &pcf->null, value);
}


static char *
ngx_http_gw_part_status(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    if (ngx_strcmp(value->data, "hide") == 0) {
        pcf->hide = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value->data, "pass") == 0) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid status \"%V\" of part \"%V\", it must be "
                       "\"pass\" or \"hide\"", value, &pcf->name);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_gw_part_if(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    pcf->condition = ngx_http_gw_value_create(cf, value, 0);

    return pcf->condition ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_gw_part_after(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    pcf->after = *value;

    return NGX_CONF_OK;
}
