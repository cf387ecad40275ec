
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef NGX_HTTP_GW_AUTH_FILE_H
#define NGX_HTTP_GW_AUTH_FILE_H


#include <ngx_config.h>
#include <ngx_core.h>


/* tells one state of a file from another */

typedef struct {
    ngx_file_uniq_t  uniq;
    off_t            size;
    time_t           sec;       /* modified */
    long             nsec;      /* 0 where it is not known */
} ngx_http_gw_auth_stamp_t;


/* why a file was not read; the format takes its name and the limit */

typedef struct {
    ngx_err_t    err;
    const char  *format;
} ngx_http_gw_auth_file_error_t;


/*
 * Reads a whole regular file while the configuration is read.
 *
 *     name  full name, zero-terminated
 *     max   bytes allowed
 *     text  out: the contents, to be given back with
 *           ngx_http_gw_auth_free_file()
 *
 * Returns NGX_OK or NGX_ERROR (logged).
 */

ngx_int_t ngx_http_gw_auth_read_file(ngx_conf_t *cf, ngx_str_t *name,
    size_t max, ngx_str_t *text);

/*
 * The same at any time; pipes and devices are not waited for.
 *
 *     fi     out: of the file that was read
 *     error  out: on NGX_ERROR, which is not logged
 */

ngx_int_t ngx_http_gw_auth_load_file(ngx_str_t *name, size_t max,
    ngx_log_t *log, ngx_str_t *text, ngx_file_info_t *fi,
    ngx_http_gw_auth_file_error_t *error);

/*
 * Fills in a stamp.
 *
 * Returns 1 if it differs from what was there, else 0.
 */

ngx_uint_t ngx_http_gw_auth_file_stamp(ngx_file_info_t *fi,
    ngx_http_gw_auth_stamp_t *stamp);

/*
 * Clears and frees what was read: it may hold secrets.
 */

void ngx_http_gw_auth_free_file(ngx_str_t *text);


#endif /* NGX_HTTP_GW_AUTH_FILE_H */
