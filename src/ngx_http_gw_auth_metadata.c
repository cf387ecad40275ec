
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_json_escape.h"
#include "ngx_http_gw_auth_metadata.h"


#define NGX_HTTP_GW_AUTH_WELL_KNOWN  "/.well-known/oauth-protected-resource"

/* metadata change with the configuration only */
#define NGX_HTTP_GW_AUTH_METADATA_CACHE  "max-age=3600"


/* a member of the JSON object, and the parameter that it comes from */

typedef struct {
    ngx_str_t    param;       /* with "=" */
    ngx_str_t    member;
    unsigned     https:1;     /* a URI, without a fragment */
    unsigned     array:1;
} ngx_http_gw_auth_member_t;


static ngx_int_t ngx_http_gw_auth_metadata_check(ngx_conf_t *cf);
static ngx_int_t ngx_http_gw_auth_metadata_uri(ngx_conf_t *cf,
    ngx_str_t *param, ngx_str_t *uri);
static ngx_int_t ngx_http_gw_auth_metadata_body(ngx_conf_t *cf,
    ngx_http_gw_auth_metadata_t *metadata);
static u_char *ngx_http_gw_auth_metadata_member(ngx_conf_t *cf, u_char *p,
    const ngx_http_gw_auth_member_t *member);
static ngx_int_t ngx_http_gw_auth_metadata_place(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf, ngx_http_gw_auth_metadata_t *metadata);
static ngx_int_t ngx_http_gw_auth_metadata_header(ngx_http_request_t *r,
    char *name, char *value);


static const ngx_http_gw_auth_member_t  ngx_http_gw_auth_members[] = {
    { ngx_string("resource="), ngx_string("resource"), 1, 0 },
    { ngx_string("authorization_server="),
      ngx_string("authorization_servers"), 1, 1 },
    { ngx_string("scope="), ngx_string("scopes_supported"), 0, 1 },
    { ngx_string("jwks_uri="), ngx_string("jwks_uri"), 1, 0 },
    { ngx_string("name="), ngx_string("resource_name"), 0, 0 },
    { ngx_string("documentation="),
      ngx_string("resource_documentation"), 1, 0 },
    { ngx_null_string, ngx_null_string, 0, 0 }
};


char *
ngx_http_gw_auth_metadata_set(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf,
    ngx_array_t **resources, ngx_http_gw_auth_metadata_t **metadata)
{
    ngx_str_t                     *value;
    ngx_uint_t                     i;
    ngx_http_gw_auth_metadata_t   *md, **slot;

    if (*metadata) {
        return "is duplicate";
    }

    if (ngx_http_gw_auth_metadata_check(cf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    md = ngx_pcalloc(cf->pool, sizeof(ngx_http_gw_auth_metadata_t));
    if (md == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "resource=", 9) == 0) {
            md->resource.len = value[i].len - 9;
            md->resource.data = value[i].data + 9;
        }
    }

    if (md->resource.len == 0) {
        return "needs \"resource=\" with the URI that clients use";
    }

    if (*resources == NULL) {

        *resources = ngx_array_create(cf->pool, 1,
                                      sizeof(ngx_http_gw_auth_metadata_t *));
        if (*resources == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    slot = (*resources)->elts;

    for (i = 0; i < (*resources)->nelts; i++) {

        if (slot[i]->resource.len == md->resource.len
            && ngx_memcmp(slot[i]->resource.data, md->resource.data,
                          md->resource.len) == 0)
        {
            return "names a resource that another location of the server "
                   "has, remove one";
        }
    }

    slot = ngx_array_push(*resources);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = md;

    if (ngx_http_gw_auth_metadata_place(cf, clcf, md) != NGX_OK
        || ngx_http_gw_auth_metadata_body(cf, md) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *metadata = md;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_gw_auth_metadata_check(ngx_conf_t *cf)
{
    size_t                            len, offset;
    ngx_str_t                        *value, text;
    ngx_uint_t                        i, seen;
    const ngx_http_gw_auth_member_t  *member;

    seen = 0;    /* a bit for each member */
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        for (member = ngx_http_gw_auth_members; member->param.len; member++) {

            if (ngx_strncmp(value[i].data, member->param.data,
                            member->param.len)
                == 0)
            {
                break;
            }
        }

        if (member->param.len == 0 || value[i].len == member->param.len) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", use \"resource=\", "
                               "\"authorization_server=\", \"scope=\", "
                               "\"jwks_uri=\", \"name=\" or "
                               "\"documentation=\" with a value", &value[i]);
            return NGX_ERROR;
        }

        if (!member->array
            && (seen & (1 << (member - ngx_http_gw_auth_members))))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\"", &value[i]);
            return NGX_ERROR;
        }

        seen |= 1 << (member - ngx_http_gw_auth_members);

        text.len = value[i].len - member->param.len;
        text.data = value[i].data + member->param.len;

        if (gw_json_escape_len(text.data, text.len, &len, &offset) != GW_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is not valid UTF-8", &value[i]);
            return NGX_ERROR;
        }

        if (member->https
            && ngx_http_gw_auth_metadata_uri(cf, &value[i], &text) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* RFC 9728, 1.2: the scheme is https, there is no fragment */

static ngx_int_t
ngx_http_gw_auth_metadata_uri(ngx_conf_t *cf, ngx_str_t *param,
    ngx_str_t *uri)
{
    u_char  *p;
    size_t   i;

    if (uri->len <= sizeof("https://") - 1
        || ngx_strncmp(uri->data, "https://", sizeof("https://") - 1) != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must be a URI that begins with "
                           "\"https://\"", param);
        return NGX_ERROR;
    }

    p = uri->data + sizeof("https://") - 1;

    if (*p == '/' || *p == '?') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" has no host", param);
        return NGX_ERROR;
    }

    for (i = 0; i < uri->len; i++) {

        if (uri->data[i] == '#') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" cannot have a fragment", param);
            return NGX_ERROR;
        }

        if (uri->data[i] <= 0x20 || uri->data[i] >= 0x7f
            || ngx_strchr("\"<>\\^`{|}", uri->data[i]) != NULL)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" has a character that a URI cannot "
                               "have, write it as \"%%XX\"", param);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * RFC 9728, 3: the well-known path stands between the host and the path of
 * the resource, of which a "/" alone is left out.
 */

static ngx_int_t
ngx_http_gw_auth_metadata_place(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf, ngx_http_gw_auth_metadata_t *md)
{
    u_char     *p, *last, *path, *query;
    ngx_str_t   expected, rest;

    last = md->resource.data + md->resource.len;
    path = md->resource.data + sizeof("https://") - 1;

    while (path < last && *path != '/' && *path != '?') {
        path++;
    }

    query = ngx_strlchr(path, last, '?');
    if (query == NULL) {
        query = last;
    }

    md->path.len = query - path;
    md->path.data = path;

    rest.len = last - path;
    rest.data = path;

    if (md->path.len == 1) {
        md->path.len = 0;
        rest.len--;
        rest.data++;
    }

    md->param.len = sizeof(", resource_metadata=\"\"") - 1
                    + sizeof(NGX_HTTP_GW_AUTH_WELL_KNOWN) - 1
                    + (path - md->resource.data) + rest.len;

    p = ngx_pnalloc(cf->pool, md->param.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    md->param.data = p;

    p = ngx_cpymem(p, ", resource_metadata=\"",
                   sizeof(", resource_metadata=\"") - 1);
    p = ngx_cpymem(p, md->resource.data, path - md->resource.data);

    expected.data = p;
    expected.len = sizeof(NGX_HTTP_GW_AUTH_WELL_KNOWN) - 1 + md->path.len;

    p = ngx_cpymem(p, NGX_HTTP_GW_AUTH_WELL_KNOWN,
                   sizeof(NGX_HTTP_GW_AUTH_WELL_KNOWN) - 1);
    p = ngx_cpymem(p, rest.data, rest.len);
    *p = '"';

#if (NGX_PCRE)
    if (clcf->regex) {
        return NGX_OK;
    }
#endif

    if (clcf->named
        || clcf->name.len > expected.len
        || ngx_memcmp(clcf->name.data, expected.data, clcf->name.len) != 0
        || (clcf->exact_match && clcf->name.len != expected.len))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "clients look for the metadata of \"%V\" at "
                           "\"%V\", which the location \"%V\" does not "
                           "serve", &md->resource, &expected, &clcf->name);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_metadata_body(ngx_conf_t *cf,
    ngx_http_gw_auth_metadata_t *md)
{
    size_t                            size;
    u_char                           *p;
    ngx_str_t                        *value;
    ngx_uint_t                        i;
    const ngx_http_gw_auth_member_t  *member;

    size = sizeof("{\"bearer_methods_supported\":[\"header\"]}\n");

    for (member = ngx_http_gw_auth_members; member->param.len; member++) {
        size += member->member.len + sizeof("\"\":[],");
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        size += value[i].len * GW_JSON_ESCAPE_MAX + sizeof("\"\",");
    }

    p = ngx_pnalloc(cf->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    md->body.data = p;
    *p++ = '{';

    for (member = ngx_http_gw_auth_members; member->param.len; member++) {
        p = ngx_http_gw_auth_metadata_member(cf, p, member);
    }

    /* RFC 6750, 2: other methods are not accepted by default */

    p = ngx_cpymem(p, "\"bearer_methods_supported\":[\"header\"]}\n",
                   sizeof("\"bearer_methods_supported\":[\"header\"]}\n")
                   - 1);

    md->body.len = p - md->body.data;

    return NGX_OK;
}


static u_char *
ngx_http_gw_auth_metadata_member(ngx_conf_t *cf, u_char *p,
    const ngx_http_gw_auth_member_t *member)
{
    ngx_str_t   *value;
    ngx_uint_t   i, n;

    n = 0;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, member->param.data,
                        member->param.len)
            != 0)
        {
            continue;
        }

        if (n++ == 0) {
            *p++ = '"';
            p = ngx_cpymem(p, member->member.data, member->member.len);
            *p++ = '"';
            *p++ = ':';

            if (member->array) {
                *p++ = '[';
            }

        } else {
            *p++ = ',';
        }

        *p++ = '"';
        p = gw_json_escape(p, value[i].data + member->param.len,
                           value[i].len - member->param.len);
        *p++ = '"';
    }

    if (n && member->array) {
        *p++ = ']';
    }

    if (n) {
        *p++ = ',';
    }

    return p;
}


void
ngx_http_gw_auth_metadata_param(ngx_array_t *resources, ngx_str_t *uri,
    ngx_str_t *param)
{
    size_t                         len;
    ngx_str_t                     *path;
    ngx_uint_t                     i;
    ngx_http_gw_auth_metadata_t  **md, *found;

    ngx_str_null(param);

    if (resources == NULL) {
        return;
    }

    found = NULL;
    md = resources->elts;

    for (i = 0; i < resources->nelts; i++) {

        path = &md[i]->path;
        len = path->len;

        if (uri->len < len || ngx_memcmp(uri->data, path->data, len) != 0) {
            continue;
        }

        if (len
            && uri->len > len
            && uri->data[len] != '/'
            && path->data[len - 1] != '/')
        {
            continue;
        }

        if (found == NULL || found->path.len < len) {
            found = md[i];
        }
    }

    if (found) {
        *param = found->param;
    }
}


ngx_int_t
ngx_http_gw_auth_metadata_send(ngx_http_request_t *r,
    ngx_http_gw_auth_metadata_t *md)
{
    ngx_int_t                 rc;
    ngx_str_t                 type;
    ngx_http_complex_value_t  cv;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        if (ngx_http_gw_auth_metadata_header(r, "Allow", "GET, HEAD")
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_gw_auth_metadata_header(r, "Cache-Control",
                                         NGX_HTTP_GW_AUTH_METADATA_CACHE)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    cv.value = md->body;

    ngx_str_set(&type, "application/json");

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &cv);
}


static ngx_int_t
ngx_http_gw_auth_metadata_header(ngx_http_request_t *r, char *name,
    char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *) name;
    h->value.len = ngx_strlen(value);
    h->value.data = (u_char *) value;

    return NGX_OK;
}
