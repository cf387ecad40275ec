
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_auth_rewrite.h"
#include "ngx_http_gw_value.h"


#define NGX_HTTP_GW_AUTH_HEADERS  32    /* gw_auth_header of a location */


/* gw_auth_header */

typedef struct {
    ngx_str_t                     name;
    u_char                       *lowcase;
    ngx_uint_t                    hash;
    ngx_http_complex_value_t      value;
} ngx_http_gw_auth_set_header_t;


typedef struct {
    ngx_array_t                  *headers;
    ngx_str_t                    *spare;      /* NULL: nothing is spared */
} ngx_http_gw_auth_clear_t;


typedef struct {
    ngx_uint_t                    bearer;
    ngx_http_gw_auth_source_t    *source;
    ngx_http_gw_auth_stripped_t  *stripped;
} ngx_http_gw_auth_strip_t;


/*
 * Judges a header, which is a copy: NGX_OK keeps it, maybe with another
 * value; NGX_DECLINED removes it; NGX_ERROR: memory ran out.
 */

typedef ngx_int_t (*ngx_http_gw_auth_judge_pt)(ngx_http_request_t *r,
    void *data, ngx_table_elt_t *h);


static ngx_int_t ngx_http_gw_auth_rebuild(ngx_http_request_t *r,
    ngx_http_gw_auth_judge_pt judge, void *data, ngx_array_t *first,
    ngx_array_t *last);
static ngx_int_t ngx_http_gw_auth_copy(ngx_http_request_t *r,
    ngx_http_gw_auth_judge_pt judge, void *data, ngx_list_t *list);
static ngx_int_t ngx_http_gw_auth_append(ngx_list_t *list,
    ngx_array_t *headers);
static ngx_int_t ngx_http_gw_auth_unlink(ngx_http_request_t *r,
    ngx_list_t *list);
static ngx_int_t ngx_http_gw_auth_link(ngx_http_request_t *r,
    ngx_list_t *list);
static ngx_http_header_t *ngx_http_gw_auth_known(ngx_http_request_t *r,
    ngx_table_elt_t *h);
static void ngx_http_gw_auth_flush(ngx_http_request_t *r);
static ngx_int_t ngx_http_gw_auth_judge_set(ngx_http_request_t *r,
    void *data, ngx_table_elt_t *h);
static ngx_int_t ngx_http_gw_auth_judge_present(ngx_http_request_t *r,
    void *data, ngx_table_elt_t *h);
static ngx_int_t ngx_http_gw_auth_judge_strip(ngx_http_request_t *r,
    void *data, ngx_table_elt_t *h);
static ngx_int_t ngx_http_gw_auth_keep(ngx_http_request_t *r,
    ngx_http_gw_auth_stripped_t *stripped, ngx_table_elt_t *h);
static ngx_int_t ngx_http_gw_auth_keep_args(ngx_http_request_t *r,
    ngx_http_gw_auth_stripped_t *stripped, ngx_str_t *taken);
static ngx_uint_t ngx_http_gw_auth_same(ngx_str_t *one, ngx_str_t *two);
static ngx_uint_t ngx_http_gw_auth_has_scheme(ngx_str_t *value,
    const ngx_str_t *scheme);
static ngx_int_t ngx_http_gw_auth_split(ngx_pool_t *pool, ngx_str_t *text,
    u_char separator, const ngx_str_t *names, ngx_uint_t n, ngx_str_t *rest,
    ngx_str_t *taken);
static ngx_int_t ngx_http_gw_auth_strip_args(ngx_http_request_t *r,
    const ngx_str_t *names, ngx_uint_t n,
    ngx_http_gw_auth_stripped_t *stripped);


static const ngx_str_t  ngx_http_gw_auth_bearer = ngx_string("Bearer");
static const ngx_str_t  ngx_http_gw_auth_authorization =
                                                 ngx_string("Authorization");


/* what nginx reads itself, or writes itself to an upstream */

static const ngx_str_t  ngx_http_gw_auth_reserved[] = {
    ngx_string("connection"),
    ngx_string("content-length"),
    ngx_string("cookie"),
    ngx_string("expect"),
    ngx_string("host"),
    ngx_string("keep-alive"),
    ngx_string("proxy-connection"),
    ngx_string("te"),
    ngx_string("trailer"),
    ngx_string("transfer-encoding"),
    ngx_string("upgrade"),
    ngx_string("x-forwarded-for"),
    ngx_null_string
};


char *
ngx_http_gw_auth_conf_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char                              c;
    size_t                              i;
    ngx_str_t                          *value, *name;
    ngx_uint_t                          n;
    ngx_array_t                       **headers;
    const ngx_str_t                    *reserved;
    ngx_http_gw_auth_set_header_t      *header;

    headers = (ngx_array_t **) ((u_char *) conf + cmd->offset);

    if (*headers == NGX_CONF_UNSET_PTR) {

        *headers = ngx_array_create(cf->pool, 4,
                                    sizeof(ngx_http_gw_auth_set_header_t));
        if (*headers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if ((*headers)->nelts == NGX_HTTP_GW_AUTH_HEADERS) {
        return "is repeated more than 32 times, put values into one header";
    }

    value = cf->args->elts;
    name = &value[1];

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '-' || c == '_'))
        {
            break;
        }
    }

    if (name->len == 0 || i < name->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" cannot be the name of a header, use "
                           "letters, digits and \"-\"", name);
        return NGX_CONF_ERROR;
    }

    for (reserved = ngx_http_gw_auth_reserved; reserved->len; reserved++) {

        if (ngx_http_gw_auth_same(name, (ngx_str_t *) reserved)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the header \"%V\" has a meaning for nginx "
                               "itself, use \"proxy_set_header\"", name);
            return NGX_CONF_ERROR;
        }
    }

    header = (*headers)->elts;

    for (n = 0; n < (*headers)->nelts; n++) {

        if (ngx_http_gw_auth_same(name, &header[n].name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the header \"%V\" is set twice", name);
            return NGX_CONF_ERROR;
        }
    }

    header = ngx_array_push(*headers);
    if (header == NULL) {
        return NGX_CONF_ERROR;
    }

    header->name = *name;

    header->lowcase = ngx_pnalloc(cf->pool, name->len);
    if (header->lowcase == NULL) {
        return NGX_CONF_ERROR;
    }

    header->hash = ngx_hash_strlow(header->lowcase, name->data, name->len);

    if (ngx_http_gw_value_compile(cf, &value[2], &header->value) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


void
ngx_http_gw_auth_place(ngx_str_t *name, ngx_http_gw_auth_source_t *source)
{
    ngx_str_t  *place;
    ngx_uint_t  skip;

    if (ngx_strncasecmp(name->data, (u_char *) "http_", 5) == 0) {
        place = &source->header;
        skip = 5;

    } else if (ngx_strncasecmp(name->data, (u_char *) "arg_", 4) == 0) {
        place = &source->arg;
        skip = 4;

    } else if (ngx_strncasecmp(name->data, (u_char *) "cookie_", 7) == 0) {
        place = &source->cookie;
        skip = 7;

    } else {
        return;
    }

    place->len = name->len - skip;
    place->data = name->data + skip;
}


ngx_int_t
ngx_http_gw_auth_clear(ngx_http_request_t *r, ngx_array_t *headers,
    ngx_str_t *spare)
{
    ngx_uint_t                i;
    ngx_list_part_t          *part;
    ngx_table_elt_t          *h;
    ngx_http_gw_auth_clear_t  clear;

    clear.headers = headers;
    clear.spare = spare;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (ngx_http_gw_auth_judge_set(r, &clear, &h[i]) != NGX_OK) {
                return ngx_http_gw_auth_rebuild(r, ngx_http_gw_auth_judge_set,
                                                &clear, NULL, NULL);
            }
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_set_headers(ngx_http_request_t *r, ngx_array_t *headers,
    ngx_uint_t none)
{
    size_t                          i;
    ngx_str_t                       value;
    ngx_uint_t                      n;
    ngx_array_t                     added;
    ngx_table_elt_t                *h;
    ngx_http_gw_auth_clear_t        clear;
    ngx_http_gw_auth_set_header_t  *header;

    clear.headers = headers;
    clear.spare = NULL;

    if (ngx_array_init(&added, r->pool, headers->nelts,
                       sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    header = headers->elts;

    for (n = 0; !none && n < headers->nelts; n++) {

        if (ngx_http_complex_value(r, &header[n].value, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        for (i = 0; i < value.len; i++) {
            if (value.data[i] < 0x20 || value.data[i] == 0x7f) {
                break;
            }
        }

        if (value.len == 0 || i < value.len) {
            continue;
        }

        h = ngx_array_push(&added);
        if (h == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(h, sizeof(ngx_table_elt_t));

        h->hash = header[n].hash;
        h->key = header[n].name;
        h->value = value;
        h->lowcase_key = header[n].lowcase;
    }

    return ngx_http_gw_auth_rebuild(r, ngx_http_gw_auth_judge_set, &clear,
                                    NULL, &added);
}


ngx_int_t
ngx_http_gw_auth_strip(ngx_http_request_t *r, ngx_uint_t bearer,
    ngx_http_gw_auth_source_t *source, ngx_http_gw_auth_stripped_t *stripped)
{
    ngx_uint_t                n;
    ngx_str_t                 names[2];
    ngx_http_gw_auth_strip_t  strip;

    strip.bearer = bearer;
    strip.source = source;
    strip.stripped = stripped;

    if (ngx_http_gw_auth_rebuild(r, ngx_http_gw_auth_judge_strip, &strip,
                                 NULL, NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    n = 0;

    if (source->arg.len) {
        names[n++] = source->arg;
    }

    /* it is refused where a token has been presented in another place */

    if (bearer) {
        ngx_str_set(&names[n], "access_token");
        n++;
    }

    return ngx_http_gw_auth_strip_args(r, names, n, stripped);
}


ngx_int_t
ngx_http_gw_auth_present(ngx_http_request_t *r,
    ngx_http_gw_auth_stripped_t *stripped, ngx_http_gw_auth_saved_t *saved)
{
    u_char  *p;

    saved->changed = 0;

    if (stripped->headers == NULL && stripped->args.len == 0) {
        return NGX_OK;
    }

    saved->changed = 1;
    saved->headers_in = r->headers_in;
    saved->args = r->args;

    if (stripped->headers
        && ngx_http_gw_auth_rebuild(r, ngx_http_gw_auth_judge_present,
                                    stripped, stripped->headers, NULL)
           != NGX_OK)
    {
        goto failed;
    }

    if (stripped->args.len) {

        p = ngx_pnalloc(r->pool, r->args.len + 1 + stripped->args.len);
        if (p == NULL) {
            goto failed;
        }

        r->args.data = p;

        if (saved->args.len) {
            p = ngx_cpymem(p, saved->args.data, saved->args.len);
            *p++ = '&';
        }

        p = ngx_cpymem(p, stripped->args.data, stripped->args.len);
        r->args.len = p - r->args.data;
    }

    return NGX_OK;

failed:

    ngx_http_gw_auth_restore(r, saved);

    return NGX_ERROR;
}


void
ngx_http_gw_auth_restore(ngx_http_request_t *r,
    ngx_http_gw_auth_saved_t *saved)
{
    if (!saved->changed) {
        return;
    }

    r->headers_in = saved->headers_in;
    r->args = saved->args;

    ngx_http_gw_auth_flush(r);
}


/*
 * Makes a new list of headers: those of "first", those of the request that
 * are kept, those of "last".  Nothing is done if that is the list there is.
 */

static ngx_int_t
ngx_http_gw_auth_rebuild(ngx_http_request_t *r,
    ngx_http_gw_auth_judge_pt judge, void *data, ngx_array_t *first,
    ngx_array_t *last)
{
    ngx_int_t         rc;
    ngx_uint_t        n;
    ngx_list_t        list;
    ngx_list_part_t  *part;

    n = 1;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        n += part->nelts;
    }

    n += (first ? first->nelts : 0) + (last ? last->nelts : 0);

    /* one part: "last" of a list that is copied points into the old one */

    if (ngx_list_init(&list, r->pool, n, sizeof(ngx_table_elt_t)) != NGX_OK
        || (first && ngx_http_gw_auth_append(&list, first) != NGX_OK))
    {
        return NGX_ERROR;
    }

    rc = ngx_http_gw_auth_copy(r, judge, data, &list);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED
        && (first == NULL || first->nelts == 0)
        && (last == NULL || last->nelts == 0))
    {
        return NGX_OK;
    }

    if (last && ngx_http_gw_auth_append(&list, last) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_gw_auth_unlink(r, &r->headers_in.headers) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_in.headers = list;
    r->headers_in.headers.last = &r->headers_in.headers.part;

    ngx_http_gw_auth_flush(r);

    return ngx_http_gw_auth_link(r, &r->headers_in.headers);
}


/* NGX_DECLINED: nothing has changed */

static ngx_int_t
ngx_http_gw_auth_copy(ngx_http_request_t *r, ngx_http_gw_auth_judge_pt judge,
    void *data, ngx_list_t *list)
{
    size_t            len;
    ngx_int_t         rc, changed;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *copy;

    changed = NGX_DECLINED;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            copy = ngx_list_push(list);
            if (copy == NULL) {
                return NGX_ERROR;
            }

            *copy = h[i];
            len = copy->value.len;

            rc = judge(r, data, copy);

            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_DECLINED) {
                list->last->nelts--;
            }

            if (rc == NGX_DECLINED || copy->value.len != len) {
                changed = NGX_OK;
            }
        }
    }

    return changed;
}


static ngx_int_t
ngx_http_gw_auth_append(ngx_list_t *list, ngx_array_t *headers)
{
    ngx_uint_t        i;
    ngx_table_elt_t  *h, *copy;

    h = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        copy = ngx_list_push(list);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        *copy = h[i];
    }

    return NGX_OK;
}


/* r->headers_in has pointers to headers that core knows */

static ngx_int_t
ngx_http_gw_auth_unlink(ngx_http_request_t *r, ngx_list_t *list)
{
    ngx_uint_t          i;
    ngx_list_part_t    *part;
    ngx_table_elt_t    *h, **ph;
    ngx_http_header_t  *hh;

    for (part = &list->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            hh = ngx_http_gw_auth_known(r, &h[i]);

            if (hh) {
                ph = (ngx_table_elt_t **) ((char *) &r->headers_in
                                           + hh->offset);
                *ph = NULL;
            }
        }
    }

#if (nginx_version < 1023000)

    /* an array, which a subrequest may share */

    if (ngx_array_init(&r->headers_in.cookies, r->pool, 1,
                       sizeof(ngx_table_elt_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_link(ngx_http_request_t *r, ngx_list_t *list)
{
    ngx_uint_t          i;
    ngx_list_part_t    *part;
    ngx_table_elt_t    *h, **ph;
    ngx_http_header_t  *hh;

    for (part = &list->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

#if (nginx_version < 1023000)

            if (h[i].key.len == sizeof("cookie") - 1
                && ngx_strncmp(h[i].lowcase_key, "cookie",
                               sizeof("cookie") - 1)
                   == 0)
            {
                ph = ngx_array_push(&r->headers_in.cookies);
                if (ph == NULL) {
                    return NGX_ERROR;
                }

                *ph = &h[i];
                continue;
            }

#endif

            hh = ngx_http_gw_auth_known(r, &h[i]);

            if (hh == NULL) {
                continue;
            }

            ph = (ngx_table_elt_t **) ((char *) &r->headers_in + hh->offset);

#if (nginx_version >= 1023000)

            while (*ph) {
                ph = &(*ph)->next;
            }

            h[i].next = NULL;
            *ph = &h[i];

#else

            if (*ph == NULL) {
                *ph = &h[i];
            }

#endif
        }
    }

    return NGX_OK;
}


static ngx_http_header_t *
ngx_http_gw_auth_known(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    ngx_http_header_t          *hh;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    hh = ngx_hash_find(&cmcf->headers_in_hash, h->hash, h->lowcase_key,
                       h->key.len);

    if (hh == NULL || hh->offset == 0) {
        return NULL;
    }

#if (nginx_version < 1023000)

    if (hh->offset == offsetof(ngx_http_headers_in_t, cookies)) {
        return NULL;
    }

#if (NGX_HTTP_X_FORWARDED_FOR)

    /* never changed by us, and its values stay what they are */

    if (hh->offset == offsetof(ngx_http_headers_in_t, x_forwarded_for)) {
        return NULL;
    }

#endif
#endif

    return hh;
}


/* variables that core has made of headers are to be made again */

static void
ngx_http_gw_auth_flush(ngx_http_request_t *r)
{
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        /* one that "set" has made is not of a header, whatever its name */

        if (v[i].flags & NGX_HTTP_VAR_CHANGEABLE) {
            continue;
        }

        if ((v[i].name.len > 5
             && ngx_strncmp(v[i].name.data, "http_", 5) == 0)
            || (v[i].name.len > 7
                && ngx_strncmp(v[i].name.data, "cookie_", 7) == 0))
        {
            r->variables[i].valid = 0;
            r->variables[i].not_found = 0;
        }
    }
}


static ngx_int_t
ngx_http_gw_auth_judge_set(ngx_http_request_t *r, void *data,
    ngx_table_elt_t *h)
{
    ngx_http_gw_auth_clear_t  *clear = data;

    ngx_uint_t                      i;
    ngx_http_gw_auth_set_header_t  *header;

    if (clear->spare
        && (ngx_http_gw_auth_same(&h->key, clear->spare)
            || ngx_http_gw_auth_same(&h->key,
                          (ngx_str_t *) &ngx_http_gw_auth_authorization)))
    {
        return NGX_OK;
    }

    header = clear->headers->elts;

    for (i = 0; i < clear->headers->nelts; i++) {

        if (ngx_http_gw_auth_same(&h->key, &header[i].name)) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/* what gw_auth_header has put in the place of a credential makes way for it */

static ngx_int_t
ngx_http_gw_auth_judge_present(ngx_http_request_t *r, void *data,
    ngx_table_elt_t *h)
{
    ngx_http_gw_auth_stripped_t  *stripped = data;

    ngx_uint_t        i;
    ngx_table_elt_t  *taken;

    if (h->key.len == sizeof("Cookie") - 1
        && ngx_strncasecmp(h->key.data, (u_char *) "Cookie",
                           sizeof("Cookie") - 1)
           == 0)
    {
        return NGX_OK;
    }

    taken = stripped->headers->elts;

    for (i = 0; i < stripped->headers->nelts; i++) {

        if (ngx_http_gw_auth_same(&h->key, &taken[i].key)) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_auth_judge_strip(ngx_http_request_t *r, void *data,
    ngx_table_elt_t *h)
{
    ngx_http_gw_auth_strip_t  *strip = data;

    ngx_int_t                   rc;
    ngx_str_t                   rest, taken;
    ngx_table_elt_t             cookie;
    ngx_http_gw_auth_source_t  *source;

    source = strip->source;

    if (source->header.len
        && ngx_http_gw_auth_same(&h->key, &source->header))
    {
        return ngx_http_gw_auth_keep(r, strip->stripped, h);
    }

    if (h->key.len == sizeof("Authorization") - 1
        && ngx_strncasecmp(h->key.data, (u_char *) "Authorization",
                           sizeof("Authorization") - 1)
           == 0
        && ((strip->bearer
             && ngx_http_gw_auth_has_scheme(&h->value,
                                            &ngx_http_gw_auth_bearer))
            || (source->scheme.len
                && ngx_http_gw_auth_has_scheme(&h->value, &source->scheme))))
    {
        return ngx_http_gw_auth_keep(r, strip->stripped, h);
    }

    if (source->cookie.len == 0
        || h->key.len != sizeof("Cookie") - 1
        || ngx_strncasecmp(h->key.data, (u_char *) "Cookie",
                           sizeof("Cookie") - 1)
           != 0)
    {
        return NGX_OK;
    }

    rc = ngx_http_gw_auth_split(r->pool, &h->value, ';', &source->cookie, 1,
                                &rest, &taken);
    if (rc != NGX_OK) {
        return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
    }

    cookie = *h;
    cookie.value = taken;

    if (ngx_http_gw_auth_keep(r, strip->stripped, &cookie) == NGX_ERROR) {
        return NGX_ERROR;
    }

    h->value = rest;

    return rest.len ? NGX_OK : NGX_DECLINED;
}


/* returns NGX_DECLINED for the judges */

static ngx_int_t
ngx_http_gw_auth_keep(ngx_http_request_t *r,
    ngx_http_gw_auth_stripped_t *stripped, ngx_table_elt_t *h)
{
    ngx_table_elt_t  *taken;

    if (stripped->headers == NULL) {

        stripped->headers = ngx_array_create(r->pool, 2,
                                             sizeof(ngx_table_elt_t));
        if (stripped->headers == NULL) {
            return NGX_ERROR;
        }
    }

    taken = ngx_array_push(stripped->headers);
    if (taken == NULL) {
        return NGX_ERROR;
    }

    *taken = *h;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_gw_auth_keep_args(ngx_http_request_t *r,
    ngx_http_gw_auth_stripped_t *stripped, ngx_str_t *taken)
{
    u_char  *p, *start;

    if (stripped->args.len == 0) {
        stripped->args = *taken;
        return NGX_OK;
    }

    start = ngx_pnalloc(r->pool, stripped->args.len + 1 + taken->len);
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(start, stripped->args.data, stripped->args.len);
    *p++ = '&';
    p = ngx_cpymem(p, taken->data, taken->len);

    stripped->args.len = p - start;
    stripped->args.data = start;

    return NGX_OK;
}


/* an application may take "X_Name" for "X-Name", as CGI does */

static ngx_uint_t
ngx_http_gw_auth_same(ngx_str_t *one, ngx_str_t *two)
{
    u_char  a, b;
    size_t  i;

    if (one->len != two->len) {
        return 0;
    }

    for (i = 0; i < one->len; i++) {
        a = ngx_tolower(one->data[i]);
        b = ngx_tolower(two->data[i]);

        if ((a == '_' ? '-' : a) != (b == '_' ? '-' : b)) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_http_gw_auth_has_scheme(ngx_str_t *value, const ngx_str_t *scheme)
{
    return value->len >= scheme->len
           && ngx_strncasecmp(value->data, scheme->data, scheme->len) == 0
           && (value->len == scheme->len || value->data[scheme->len] == ' ');
}


/*
 * Splits "name=value" pairs into those with one of the names and the others.
 * NGX_DECLINED: there is none with such a name.
 */

static ngx_int_t
ngx_http_gw_auth_split(ngx_pool_t *pool, ngx_str_t *text, u_char separator,
    const ngx_str_t *names, ngx_uint_t n, ngx_str_t *rest, ngx_str_t *taken)
{
    u_char      *p, *last, *end, *name, *eq;
    ngx_str_t   *to;
    ngx_uint_t   i;

    rest->len = 0;
    taken->len = 0;

    if (text->len == 0 || n == 0) {
        return NGX_DECLINED;
    }

    rest->data = ngx_pnalloc(pool, text->len);
    taken->data = ngx_pnalloc(pool, text->len);

    if (rest->data == NULL || taken->data == NULL) {
        return NGX_ERROR;
    }

    last = text->data + text->len;

    for (p = text->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, separator);
        if (end == NULL) {
            end = last;
        }

        /* there may be spaces between cookies */

        for (name = p; name < end && *name == ' '; name++) { /* void */ }

        eq = ngx_strlchr(name, end, '=');
        to = rest;

        for (i = 0; eq && i < n; i++) {

            if ((size_t) (eq - name) == names[i].len
                && ngx_strncasecmp(name, names[i].data, names[i].len) == 0)
            {
                to = taken;
            }
        }

        if (to->len) {
            to->data[to->len++] = separator;

        } else {
            p = name;
        }

        ngx_memcpy(to->data + to->len, p, end - p);
        to->len += end - p;
    }

    return taken->len ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_gw_auth_strip_args(ngx_http_request_t *r, const ngx_str_t *names,
    ngx_uint_t n, ngx_http_gw_auth_stripped_t *stripped)
{
    u_char     *p;
    ngx_int_t   rc;
    ngx_str_t   args, rest, taken;

    rc = ngx_http_gw_auth_split(r->pool, &r->args, '&', names, n, &rest,
                                &taken);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK) {

        r->args = rest;

        if (ngx_http_gw_auth_keep_args(r, stripped, &taken) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    /*
     * It is the URI of proxy_pass without a URI, and $request_uri.  Other
     * than r->uri it has the bytes that the client has sent.
     */

    p = ngx_strlchr(r->unparsed_uri.data,
                    r->unparsed_uri.data + r->unparsed_uri.len, '?');

    if (p == NULL) {
        return NGX_OK;
    }

    args.data = p + 1;
    args.len = r->unparsed_uri.data + r->unparsed_uri.len - args.data;

    rc = ngx_http_gw_auth_split(r->pool, &args, '&', names, n, &rest, &taken);

    if (rc != NGX_OK) {
        return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
    }

    args.len = args.data - r->unparsed_uri.data;

    p = ngx_pnalloc(r->pool, args.len + rest.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    args.data = p;
    p = ngx_cpymem(p, r->unparsed_uri.data, args.len);

    if (rest.len) {
        p = ngx_cpymem(p, rest.data, rest.len);

    } else {
        p--;
    }

    r->unparsed_uri.len = p - args.data;
    r->unparsed_uri.data = args.data;

    return NGX_OK;
}
