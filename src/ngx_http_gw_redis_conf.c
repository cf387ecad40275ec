
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "ngx_http_gw_redis_conf.h"


char *
ngx_http_gw_redis_block(ngx_conf_t *cf, ngx_array_t *services, ngx_str_t *name)
{
    return "is not supported yet";
}


ngx_http_gw_redis_conf_t *
ngx_http_gw_redis_find(ngx_array_t *services, ngx_str_t *name)
{
    return NULL;
}
