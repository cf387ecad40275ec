
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_gw_metrics.h"


typedef struct {
    const gw_metric_desc_t  *desc;
    ngx_array_t              samples;    /* gw_metric_sample_t */
} ngx_http_gw_metrics_family_t;


static ngx_http_gw_metrics_family_t *ngx_http_gw_metrics_family(
    ngx_http_gw_metrics_t *metrics, const gw_metric_desc_t *desc);
static size_t ngx_http_gw_metrics_write(ngx_http_gw_metrics_t *metrics,
    gw_metrics_format_e format, u_char *p);


ngx_int_t
ngx_http_gw_metrics_init(ngx_http_gw_metrics_t *metrics, ngx_pool_t *pool)
{
    metrics->pool = pool;

    return ngx_array_init(&metrics->families, pool, 32,
                          sizeof(ngx_http_gw_metrics_family_t));
}


ngx_int_t
ngx_http_gw_metrics_add(ngx_http_gw_metrics_t *metrics,
    const gw_metric_desc_t *desc, ngx_uint_t nlabels,
    const gw_metric_label_t *labels, uint64_t value)
{
    gw_metric_sample_t            *sample;
    ngx_http_gw_metrics_family_t  *family;

    family = ngx_http_gw_metrics_family(metrics, desc);
    if (family == NULL) {
        return NGX_ERROR;
    }

    sample = ngx_array_push(&family->samples);
    if (sample == NULL) {
        return NGX_ERROR;
    }

    nlabels = ngx_min(nlabels, GW_METRICS_LABELS);

    sample->nlabels = nlabels;
    sample->value = value;

    if (nlabels) {
        ngx_memcpy(sample->labels, labels,
                   nlabels * sizeof(gw_metric_label_t));
    }

    return NGX_OK;
}


static ngx_http_gw_metrics_family_t *
ngx_http_gw_metrics_family(ngx_http_gw_metrics_t *metrics,
    const gw_metric_desc_t *desc)
{
    ngx_uint_t                     i;
    ngx_http_gw_metrics_family_t  *family;

    family = metrics->families.elts;

    for (i = 0; i < metrics->families.nelts; i++) {
        if (family[i].desc == desc
            || ngx_strcmp(family[i].desc->name, desc->name) == 0)
        {
            return &family[i];
        }
    }

    family = ngx_array_push(&metrics->families);
    if (family == NULL) {
        return NULL;
    }

    family->desc = desc;

    if (ngx_array_init(&family->samples, metrics->pool, 8,
                       sizeof(gw_metric_sample_t))
        != NGX_OK)
    {
        return NULL;
    }

    return family;
}


ngx_buf_t *
ngx_http_gw_metrics_render(ngx_http_gw_metrics_t *metrics,
    gw_metrics_format_e format)
{
    size_t      len;
    ngx_buf_t  *b;

    len = ngx_http_gw_metrics_write(metrics, format, NULL);

    b = ngx_create_temp_buf(metrics->pool, len);
    if (b == NULL) {
        return NULL;
    }

    b->last += ngx_http_gw_metrics_write(metrics, format, b->last);

    return b;
}


/* two passes: with NULL it only counts */

static size_t
ngx_http_gw_metrics_write(ngx_http_gw_metrics_t *metrics,
    gw_metrics_format_e format, u_char *p)
{
    size_t                         len;
    ngx_uint_t                     i;
    ngx_http_gw_metrics_family_t  *family;

    len = gw_metrics_begin(p, format);

    family = metrics->families.elts;

    for (i = 0; i < metrics->families.nelts; i++) {
        len += gw_metrics_family(p ? p + len : NULL, format, i == 0,
                                 family[i].desc, family[i].samples.elts,
                                 family[i].samples.nelts);
    }

    len += gw_metrics_end(p ? p + len : NULL, format);

    return len;
}
