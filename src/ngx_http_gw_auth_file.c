
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>

#include "ngx_http_gw_auth_file.h"


static ngx_int_t ngx_http_gw_auth_load_open(ngx_file_t *file, size_t max,
    ngx_str_t *text, ngx_file_info_t *fi,
    ngx_http_gw_auth_file_error_t *error);


ngx_int_t
ngx_http_gw_auth_read_file(ngx_conf_t *cf, ngx_str_t *name, size_t max,
    ngx_str_t *text)
{
    ngx_file_info_t                fi;
    ngx_http_gw_auth_file_error_t  error;

    if (ngx_http_gw_auth_load_file(name, max, cf->log, text, &fi, &error)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, error.err, error.format, name,
                           max);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_gw_auth_load_file(ngx_str_t *name, size_t max, ngx_log_t *log,
    ngx_str_t *text, ngx_file_info_t *fi,
    ngx_http_gw_auth_file_error_t *error)
{
    ngx_int_t   rc;
    ngx_file_t  file;

    ngx_str_null(text);
    ngx_memzero(&file, sizeof(ngx_file_t));

    error->err = 0;

    file.name = *name;
    file.log = log;

    /* not blocked by a name that turns out to be a pipe */

    file.fd = ngx_open_file(name->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                            NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        error->err = ngx_errno;
        error->format = ngx_open_file_n " \"%V\" failed";
        return NGX_ERROR;
    }

    rc = ngx_http_gw_auth_load_open(&file, max, text, fi, error);

    if (rc != NGX_OK && text->data) {
        ngx_http_gw_auth_free_file(text);
    }

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}


static ngx_int_t
ngx_http_gw_auth_load_open(ngx_file_t *file, size_t max, ngx_str_t *text,
    ngx_file_info_t *fi, ngx_http_gw_auth_file_error_t *error)
{
    off_t    size;
    ssize_t  n;

    if (ngx_fd_info(file->fd, fi) == NGX_FILE_ERROR) {
        error->err = ngx_errno;
        error->format = ngx_fd_info_n " \"%V\" failed";
        return NGX_ERROR;
    }

    if (!ngx_is_file(fi)) {
        error->format = "\"%V\" is not a regular file";
        return NGX_ERROR;
    }

    size = ngx_file_size(fi);

    if (size > (off_t) max) {
        error->format = "\"%V\" is larger than %uz bytes";
        return NGX_ERROR;
    }

    text->data = ngx_alloc((size_t) size + 1, file->log);

    if (text->data == NULL) {
        error->format = "no memory to read \"%V\"";
        return NGX_ERROR;
    }

    text->len = (size_t) size;

    n = ngx_read_file(file, text->data, text->len, 0);

    if (n == NGX_ERROR) {
        error->err = ngx_errno;
        error->format = ngx_read_file_n " \"%V\" failed";
        return NGX_ERROR;
    }

    if ((size_t) n != text->len) {
        error->format = "\"%V\" was cut short while it was read";
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_gw_auth_file_stamp(ngx_file_info_t *fi,
    ngx_http_gw_auth_stamp_t *stamp)
{
    ngx_http_gw_auth_stamp_t  was;

    was = *stamp;

    stamp->uniq = ngx_file_uniq(fi);
    stamp->size = ngx_file_size(fi);
    stamp->sec = ngx_file_mtime(fi);
#if (NGX_LINUX)
    stamp->nsec = fi->st_mtim.tv_nsec;
#else
    stamp->nsec = 0;
#endif

    return stamp->uniq != was.uniq
           || stamp->size != was.size
           || stamp->sec != was.sec
           || stamp->nsec != was.nsec;
}


void
ngx_http_gw_auth_free_file(ngx_str_t *text)
{
    OPENSSL_cleanse(text->data, text->len);
    ngx_free(text->data);
    ngx_str_null(text);
}
