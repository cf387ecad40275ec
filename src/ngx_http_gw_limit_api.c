
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "gw_json.h"
#include "ngx_http_gw_limit_api_ask.h"


/* levels of the body: {"grant":1000} */
#define NGX_HTTP_GW_LIMIT_API_DEPTH    1

/* room for a problem document but its detail, bytes */
#define NGX_HTTP_GW_LIMIT_API_PROBLEM  128


static ngx_int_t ngx_http_gw_limit_api_target(ngx_http_request_t *r,
    gw_limit_target_t *target, const char **error);
static ngx_uint_t ngx_http_gw_limit_api_path(ngx_http_request_t *r,
    ngx_str_t *uri, ngx_str_t *path);
static ngx_int_t ngx_http_gw_limit_api_all(ngx_http_request_t *r,
    const ngx_http_gw_limit_api_t *api);
static ngx_int_t ngx_http_gw_limit_api_method(
    ngx_http_gw_limit_api_ask_t *ask, ngx_uint_t mode);
static ngx_int_t ngx_http_gw_limit_api_key(ngx_http_gw_limit_api_ask_t *ask);
static ngx_int_t ngx_http_gw_limit_api_content(
    ngx_http_gw_limit_api_ask_t *ask);
static ngx_int_t ngx_http_gw_limit_api_start(
    ngx_http_gw_limit_api_ask_t *ask);
static void ngx_http_gw_limit_api_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_limit_api_grant(
    ngx_http_gw_limit_api_ask_t *ask, ngx_str_t *body);
static ngx_int_t ngx_http_gw_limit_api_read(ngx_http_request_t *r,
    ngx_str_t *body);
static void ngx_http_gw_limit_api_done(ngx_http_gw_limit_api_ask_t *ask,
    ngx_int_t rc);
static ngx_int_t ngx_http_gw_limit_api_respond(
    ngx_http_gw_limit_api_ask_t *ask, ngx_int_t rc);
static void ngx_http_gw_limit_api_log(ngx_http_gw_limit_api_ask_t *ask,
    const char *failure);
static void ngx_http_gw_limit_api_cleanup(void *data);
static ngx_int_t ngx_http_gw_limit_api_problem(ngx_http_request_t *r,
    ngx_uint_t status, const char *detail);
static ngx_int_t ngx_http_gw_limit_api_send_text(ngx_http_request_t *r,
    ngx_uint_t status, const char *type, ngx_str_t *text);
static ngx_int_t ngx_http_gw_limit_api_field(ngx_http_request_t *r,
    const char *name, const char *value);


char *
ngx_http_gw_limit_api(ngx_conf_t *cf, ngx_uint_t *mode,
    ngx_http_handler_pt handler)
{
    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (*mode != NGX_HTTP_GW_LIMIT_API_OFF) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler != NULL) {
        return "conflicts with another content handler in this location";
    }

    if (clcf->named || clcf->exact_match
#if (NGX_PCRE)
        || clcf->regex
#endif
        )
    {
        return "needs a location given by a prefix, such as \"/gw/api/\"";
    }

    value = cf->args->elts;

    *mode = NGX_HTTP_GW_LIMIT_API_READ;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "write=on") == 0) {
            *mode = NGX_HTTP_GW_LIMIT_API_WRITE;

        } else if (ngx_strcmp(value[1].data, "write=off") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it must be "
                               "\"write=on\" or \"write=off\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    clcf->handler = handler;

    /* once, in the master process: jansson's seed belongs to the process */

    json_object_seed(0);

    return NGX_CONF_OK;
}


void
ngx_http_gw_limit_api_inherit(ngx_conf_t *cf, ngx_uint_t *mode,
    ngx_uint_t prev, ngx_http_handler_pt handler)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (prev == NGX_HTTP_GW_LIMIT_API_OFF) {
        return;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if ((clcf->noname || clcf->lmt_excpt) && clcf->handler == NULL) {
        clcf->handler = handler;
        *mode = prev;
    }
}


ngx_int_t
ngx_http_gw_limit_api_handle(ngx_http_request_t *r,
    const ngx_http_gw_limit_api_t *api, ngx_uint_t mode)
{
    ngx_int_t                     rc;
    const char                   *error;
    gw_limit_target_t             target;
    ngx_pool_cleanup_t           *cln;
    ngx_http_gw_limit_api_ask_t  *ask;

    rc = ngx_http_gw_limit_api_target(r, &target, &error);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_ABORT) {
        return ngx_http_gw_limit_api_problem(r, NGX_HTTP_BAD_REQUEST, error);
    }

    if (rc == NGX_OK && target.kind == GW_LIMIT_TARGET_ALL) {
        return ngx_http_gw_limit_api_all(r, api);
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_gw_limit_api_ask_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ask = cln->data;

    ngx_memzero(ask, sizeof(ngx_http_gw_limit_api_ask_t));

    ask->request = r;
    ask->api = api;
    ask->done = ngx_http_gw_limit_api_done;
    ask->target = target;

    cln->handler = ngx_http_gw_limit_api_cleanup;

    if (rc != NGX_OK || ngx_http_gw_limit_api_zone(ask) != NGX_OK) {
        return ngx_http_gw_limit_api_problem(r, NGX_HTTP_NOT_FOUND,
                                             "there is no such zone");
    }

    rc = ngx_http_gw_limit_api_method(ask, mode);

    if (rc == NGX_OK) {
        rc = ngx_http_gw_limit_api_key(ask);
    }

    if (rc == NGX_OK && ask->action == NGX_HTTP_GW_LIMIT_API_GRANT) {
        rc = ngx_http_gw_limit_api_content(ask);
    }

    if (rc != NGX_OK) {
        return ask->error ? ngx_http_gw_limit_api_problem(r, rc, ask->error)
                          : rc;
    }

    return ngx_http_gw_limit_api_start(ask);
}


/* Returns NGX_DECLINED if the path names nothing, NGX_ABORT for an error. */

static ngx_int_t
ngx_http_gw_limit_api_target(ngx_http_request_t *r, gw_limit_target_t *target,
    const char **error)
{
    u_char       *dst, *p;
    ngx_str_t     uri, path;
    ngx_uint_t    encoded;
    gw_status_e   rc;

    encoded = 0;

    /*
     * The URI of nginx has lost what was encoded: "a%2F%2Fb" is "a/b" there.
     * It is all there is after a rewrite.
     */

    if (r->valid_unparsed_uri) {
        uri = r->unparsed_uri;

        for (p = uri.data; p < uri.data + uri.len; p++) {
            if (*p == '?' || *p == '#') {
                uri.len = p - uri.data;
                break;
            }
        }

        encoded = ngx_http_gw_limit_api_path(r, &uri, &path);
    }

    if (!encoded && !ngx_http_gw_limit_api_path(r, &r->uri, &path)) {
        return NGX_DECLINED;
    }

    dst = ngx_pnalloc(r->pool, path.len + r->args.len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    rc = gw_limit_target_parse(target, path.data, path.len, encoded,
                               r->args.data, r->args.len, dst, error);

    return (rc == GW_OK) ? NGX_OK
                         : (rc == GW_DECLINED) ? NGX_DECLINED : NGX_ABORT;
}


/* Returns 1 if the URI begins with the prefix of the location. */

static ngx_uint_t
ngx_http_gw_limit_api_path(ngx_http_request_t *r, ngx_str_t *uri,
    ngx_str_t *path)
{
    ngx_str_t                 *name;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    name = &clcf->name;

    if (uri->len < name->len
        || ngx_memcmp(uri->data, name->data, name->len) != 0)
    {
        return 0;
    }

    path->data = uri->data + name->len;
    path->len = uri->len - name->len;

    if (name->len && name->data[name->len - 1] == '/') {
        return 1;
    }

    if (path->len == 0) {
        return 1;
    }

    if (path->data[0] != '/') {
        return 0;
    }

    path->data++;
    path->len--;

    return 1;
}


static ngx_int_t
ngx_http_gw_limit_api_all(ngx_http_request_t *r,
    const ngx_http_gw_limit_api_t *api)
{
    ngx_str_t  json;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        if (ngx_http_gw_limit_api_field(r, "Allow", "GET, HEAD") != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_gw_limit_api_problem(r, NGX_HTTP_NOT_ALLOWED,
                                             "the list can only be read");
    }

    if (ngx_http_gw_limit_api_zones(r->pool, api, &json) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_gw_limit_api_send_text(r, NGX_HTTP_OK, "application/json",
                                           &json);
}


/* Return NGX_OK, or a status; ask->error is NULL if it has no document. */

static ngx_int_t
ngx_http_gw_limit_api_method(ngx_http_gw_limit_api_ask_t *ask,
    ngx_uint_t mode)
{
    const char          *allow, *error;
    ngx_http_request_t  *r;

    r = ask->request;

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
        ask->action = NGX_HTTP_GW_LIMIT_API_LOOK;
        return NGX_OK;
    }

    error = "the zone has no such method";

    if (ask->target.kind == GW_LIMIT_TARGET_CONCURRENCY) {
        allow = "GET, HEAD";

    } else if (mode != NGX_HTTP_GW_LIMIT_API_WRITE) {
        allow = "GET, HEAD";
        error = "there is no \"write=on\" in this location";

    } else if (r->method == NGX_HTTP_DELETE) {
        ask->action = NGX_HTTP_GW_LIMIT_API_RESET;
        return NGX_OK;

    } else if (ask->target.kind != GW_LIMIT_TARGET_QUOTA) {
        allow = "GET, HEAD, DELETE";

    } else if (r->method == NGX_HTTP_POST) {
        ask->action = NGX_HTTP_GW_LIMIT_API_GRANT;
        return NGX_OK;

    } else {
        allow = "GET, HEAD, DELETE, POST";
    }

    if (ngx_http_gw_limit_api_field(r, "Allow", allow) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ask->error = error;

    return NGX_HTTP_NOT_ALLOWED;
}


static ngx_int_t
ngx_http_gw_limit_api_key(ngx_http_gw_limit_api_ask_t *ask)
{
    ngx_addr_t            addr;
    gw_limit_text_t      *arg;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    arg = &ask->target.args[GW_LIMIT_ARG_ADDR];

    ask->key.data = (u_char *) ask->target.key.data;
    ask->key.len = ask->target.key.len;

    if (arg->data == NULL) {

        if (ask->key.len == 0) {
            ask->error = "the key is missing: an empty one is never limited";
            return NGX_HTTP_BAD_REQUEST;
        }

        return NGX_OK;
    }

    if (ngx_parse_addr(ask->request->pool, &addr, (u_char *) arg->data,
                       arg->len)
        != NGX_OK)
    {
        ask->error = "the argument \"addr\" is no address";
        return NGX_HTTP_BAD_REQUEST;
    }

    switch (addr.sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) addr.sockaddr;
        ask->key.data = sin6->sin6_addr.s6_addr;
        ask->key.len = sizeof(struct in6_addr);
        break;
#endif

    default: /* AF_INET */
        sin = (struct sockaddr_in *) addr.sockaddr;
        ask->key.data = (u_char *) &sin->sin_addr;
        ask->key.len = sizeof(in_addr_t);
        break;
    }

    return NGX_OK;
}


/* what can be said before the body is read */

static ngx_int_t
ngx_http_gw_limit_api_content(ngx_http_gw_limit_api_ask_t *ask)
{
    u_char              *p;
    size_t               len;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    static const char  json[] = "application/json";

    r = ask->request;
    h = r->headers_in.content_type;
    len = 0;

    if (h != NULL) {
        p = ngx_strlchr(h->value.data, h->value.data + h->value.len, ';');
        len = (p != NULL) ? (size_t) (p - h->value.data) : h->value.len;

        while (len > 0 && (h->value.data[len - 1] == ' '
                           || h->value.data[len - 1] == '\t'))
        {
            len--;
        }
    }

    if (len != sizeof(json) - 1
        || ngx_strncasecmp(h->value.data, (u_char *) json, len) != 0)
    {
        ask->error = "the body must be application/json";
        return NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }

    if (r->headers_in.content_length_n > NGX_HTTP_GW_LIMIT_API_BODY) {
        ask->error = "the body is too large";
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_api_start(ngx_http_gw_limit_api_ask_t *ask)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ask->request;

    if (ask->action == NGX_HTTP_GW_LIMIT_API_GRANT) {
        rc = ngx_http_read_client_request_body(r, ngx_http_gw_limit_api_body);

        return (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? rc : NGX_DONE;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_gw_limit_api_ask(ask);

    if (rc == NGX_AGAIN) {
        r->main->count++;
        return NGX_DONE;
    }

    return ngx_http_gw_limit_api_respond(ask, rc);
}


static void
ngx_http_gw_limit_api_body(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_str_t                     body;
    ngx_pool_cleanup_t           *cln;
    ngx_http_gw_limit_api_ask_t  *ask;

    ask = NULL;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_gw_limit_api_cleanup) {
            ask = cln->data;

            if (ask->request == r) {
                break;
            }
        }
    }

    if (cln == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    rc = ngx_http_gw_limit_api_read(r, &body);

    if (rc == NGX_OK) {
        rc = ngx_http_gw_limit_api_grant(ask, &body);

        if (rc == NGX_AGAIN) {
            return;
        }

        rc = ngx_http_gw_limit_api_respond(ask, rc);

    } else if (rc == NGX_DECLINED) {
        rc = ngx_http_gw_limit_api_problem(r,
                                   NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                   "the body is too large");
    }

    ngx_http_finalize_request(r, rc);
}


/* Returns NGX_OK, NGX_DECLINED if it is too large, or a status. */

static ngx_int_t
ngx_http_gw_limit_api_read(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char       *p;
    ngx_chain_t  *cl;

    body->len = 0;

    if (r->request_body == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        /* one that is in a file is larger than a buffer of nginx */

        if (!ngx_buf_in_memory(cl->buf) && ngx_buf_size(cl->buf)) {
            return NGX_DECLINED;
        }

        body->len += ngx_buf_size(cl->buf);

        if (body->len > NGX_HTTP_GW_LIMIT_API_BODY) {
            return NGX_DECLINED;
        }
    }

    p = ngx_pnalloc(r->pool, body->len + 1);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body->data = p;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        if (ngx_buf_in_memory(cl->buf)) {
            p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
        }
    }

    return NGX_OK;
}


/* {"grant":1000} */

static ngx_int_t
ngx_http_gw_limit_api_grant(ngx_http_gw_limit_api_ask_t *ask, ngx_str_t *body)
{
    json_t           *object, *units;
    gw_json_error_t   error;

    object = gw_json_load(body->data, body->len, NGX_HTTP_GW_LIMIT_API_DEPTH,
                          &error);

    if (object == NULL) {

        if (error.code == GW_JSON_MEMORY) {
            return NGX_ERROR;
        }

        ask->error = "the body is no JSON object of the form "
                     "{\"grant\":1000}";
        return NGX_DECLINED;
    }

    units = gw_json_get(object, "grant", sizeof("grant") - 1);

    ask->grant = json_is_integer(units) ? json_integer_value(units) : 0;

    if (json_object_size(object) != 1) {
        ask->grant = 0;
    }

    json_decref(object);

    if (ask->grant < 1 || ask->grant > GW_QUOTA_MAX) {
        ask->error = "the body must have one member, \"grant\", with a number "
                     "of units from 1 to 9007199254740992";
        return NGX_DECLINED;
    }

    return ngx_http_gw_limit_api_ask(ask);
}


static void
ngx_http_gw_limit_api_done(ngx_http_gw_limit_api_ask_t *ask, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ask->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, ngx_http_gw_limit_api_respond(ask, rc));

    ngx_http_run_posted_requests(c);
}


/* rc: as of ngx_http_gw_limit_api_ask(), not NGX_AGAIN */

static ngx_int_t
ngx_http_gw_limit_api_respond(ngx_http_gw_limit_api_ask_t *ask, ngx_int_t rc)
{
    ngx_str_t            json;
    ngx_http_request_t  *r;

    r = ask->request;

    if (rc == NGX_DECLINED) {
        return ngx_http_gw_limit_api_problem(r, NGX_HTTP_BAD_REQUEST,
                                             ask->error);
    }

    if (ask->action != NGX_HTTP_GW_LIMIT_API_LOOK) {
        ngx_http_gw_limit_api_log(ask, (rc == NGX_OK) ? NULL : ask->reason
                                            ? ask->reason : "out of memory");
    }

    if (rc == NGX_ABORT) {
        return ngx_http_gw_limit_api_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                             ask->reason);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ask->action == NGX_HTTP_GW_LIMIT_API_RESET) {
        ngx_str_null(&json);

        return ngx_http_gw_limit_api_send_text(r, NGX_HTTP_NO_CONTENT,
                                               "text/plain", &json);
    }

    if (ngx_http_gw_limit_api_answer(ask, &json) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_gw_limit_api_send_text(r, NGX_HTTP_OK, "application/json",
                                           &json);
}


/*
 * Every write leaves a line; the key is in the request line only, which nginx
 * adds.  failure: NULL if there is none.
 */

static void
ngx_http_gw_limit_api_log(ngx_http_gw_limit_api_ask_t *ask,
    const char *failure)
{
    ngx_log_t  *log;

    log = ask->request->connection->log;

    if (failure == NULL) {
        failure = "done";
    }

    if (ask->action == NGX_HTTP_GW_LIMIT_API_GRANT) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "gw_limit_api: %L units are granted in gw_quota_zone "
                      "\"%V\": %s", ask->grant, &ask->quota->name, failure);

    } else if (ask->target.kind == GW_LIMIT_TARGET_QUOTA) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "gw_limit_api: a key of gw_quota_zone \"%V\" is reset: "
                      "%s", &ask->quota->name, failure);

    } else {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "gw_limit_api: a key of gw_limit_zone \"%V\" is reset: "
                      "%s", &ask->limit->name, failure);
    }
}


static void
ngx_http_gw_limit_api_cleanup(void *data)
{
    ngx_http_gw_limit_api_ask_t *ask = data;

    if ((ask->waiting || ask->check.waiting)
        && ask->action != NGX_HTTP_GW_LIMIT_API_LOOK)
    {
        ngx_http_gw_limit_api_log(ask, "the client left before Redis "
                                       "answered");
    }

    ngx_http_gw_limit_api_cancel(ask);
}


/* detail: has no character that JSON escapes but a quotation mark */

static ngx_int_t
ngx_http_gw_limit_api_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *detail)
{
    u_char      *p;
    ngx_str_t    json;
    const char  *title;

    switch (status) {

    case NGX_HTTP_BAD_REQUEST:
        title = "Bad Request";
        break;

    case NGX_HTTP_NOT_FOUND:
        title = "Not Found";
        break;

    case NGX_HTTP_NOT_ALLOWED:
        title = "Method Not Allowed";
        break;

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        title = "Content Too Large";
        break;

    case NGX_HTTP_UNSUPPORTED_MEDIA_TYPE:
        title = "Unsupported Media Type";
        break;

    default: /* NGX_HTTP_SERVICE_UNAVAILABLE */
        title = "Service Unavailable";
        break;
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_GW_LIMIT_API_PROBLEM
                             + 2 * ngx_strlen(detail));
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    json.data = p;

    p = ngx_sprintf(p, "{\"type\":\"about:blank\",\"title\":\"%s\","
                       "\"status\":%ui,\"detail\":\"", title, status);

    for ( /* void */ ; *detail; detail++) {

        if (*detail == '"') {
            *p++ = '\\';
        }

        *p++ = *detail;
    }

    p = ngx_cpymem(p, "\"}\n", sizeof("\"}\n") - 1);

    json.len = p - json.data;

    return ngx_http_gw_limit_api_send_text(r, status,
                                           "application/problem+json", &json);
}


static ngx_int_t
ngx_http_gw_limit_api_send_text(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_str_t *text)
{
    ngx_str_t                  content_type;
    ngx_http_complex_value_t   cv;

    if (ngx_http_gw_limit_api_field(r, "Cache-Control", "no-store") != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));
    cv.value = *text;

    content_type.data = (u_char *) type;
    content_type.len = ngx_strlen(type);

    return ngx_http_send_response(r, status, &content_type, &cv);
}


static ngx_int_t
ngx_http_gw_limit_api_field(ngx_http_request_t *r, const char *name,
    const char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);
    h->lowcase_key = NULL;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}
