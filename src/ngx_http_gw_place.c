
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_merge.h"
#include "ngx_http_gw_place.h"


/* what stands in the document, in the order of the configuration */

typedef struct {
    gw_json_splice_part_t       *parts;
    ngx_uint_t                   n;
} ngx_http_gw_place_list_t;


static char *ngx_http_gw_place_check(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf, ngx_http_gw_part_conf_t *pcf);
static const char *ngx_http_gw_place_mistake(
    ngx_http_gw_aggregate_conf_t *conf, ngx_http_gw_part_conf_t *pcf);
static char *ngx_http_gw_place_default(ngx_conf_t *cf,
    ngx_http_gw_part_conf_t *pcf);
static void ngx_http_gw_place_list(ngx_http_gw_aggregate_conf_t *conf,
    ngx_http_gw_place_list_t *list);
static ngx_int_t ngx_http_gw_place_reserve(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf);
static ngx_uint_t ngx_http_gw_place_late(ngx_http_gw_aggregate_conf_t *conf,
    ngx_uint_t slot);
static char *ngx_http_gw_place_error(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf, ngx_http_gw_place_list_t *list,
    gw_json_splice_error_t *err);
static ngx_int_t ngx_http_gw_place_name(ngx_conf_t *cf,
    ngx_http_gw_aggregate_conf_t *conf, ngx_uint_t slot, ngx_str_t *name);


char *
ngx_http_gw_aggregate_static(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gw_aggregate_conf_t  *alcf = conf;

    size_t                      n, offset;
    ngx_str_t                  *value;
    gw_json_range_t             range;
    gw_json_pointer_error_t     err;
    ngx_http_gw_static_conf_t  *st;

    value = cf->args->elts;

    if (alcf->statics == NULL) {
        alcf->statics = ngx_array_create(cf->pool, 2,
                                         sizeof(ngx_http_gw_static_conf_t));
        if (alcf->statics == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    st = ngx_array_push(alcf->statics);
    if (st == NULL) {
        return NGX_CONF_ERROR;
    }

    st->pointer = value[1];
    st->part = alcf->parts ? alcf->parts->nelts : 0;
    st->when = NGX_HTTP_GW_WHEN_ALWAYS;
    st->file = cf->conf_file->file.name.data;
    st->line = cf->conf_file->line;

    if (gw_json_pointer_check(value[1].data, value[1].len, &n, &err)
        != GW_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pointer \"%V\" of "
                           "\"gw_aggregate_static\": %s", &value[1],
                           err.text);
        return NGX_CONF_ERROR;
    }

    if (gw_json_scan(value[2].data, value[2].len, GW_JSON_SCAN_DEPTH, &range,
                     &offset)
        != GW_JSON_SCAN_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "value \"%V\" of \"gw_aggregate_static\" is not "
                           "JSON at byte %uz, a string is written '\"text\"'",
                           &value[2], offset);
        return NGX_CONF_ERROR;
    }

    st->value.data = value[2].data + range.start;
    st->value.len = range.end - range.start;

    if (cf->args->nelts == 3) {
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[3].data, "when=complete") == 0) {
        st->when = NGX_HTTP_GW_WHEN_COMPLETE;

    } else if (ngx_strcmp(value[3].data, "when=partial") == 0) {
        st->when = NGX_HTTP_GW_WHEN_PARTIAL;

    } else if (ngx_strcmp(value[3].data, "when=always") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", it must be "
                           "\"when=always\", \"when=complete\" or "
                           "\"when=partial\"", &value[3]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_gw_part_root(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    if (pcf->place != GW_JSON_SPLICE_VALUE) {
        return "has both \"root\" and \"append\", which exclude each other";
    }

    pcf->place = GW_JSON_SPLICE_ROOT;

    return NGX_CONF_OK;
}


char *
ngx_http_gw_part_append(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf,
    ngx_str_t *value)
{
    if (pcf->place != GW_JSON_SPLICE_VALUE) {
        return "has both \"root\" and \"append\", which exclude each other";
    }

    pcf->place = GW_JSON_SPLICE_APPEND;

    return NGX_CONF_OK;
}


char *
ngx_http_gw_place_init(ngx_conf_t *cf, ngx_http_gw_aggregate_conf_t *conf)
{
    void                       *memory;
    ngx_uint_t                  i, n;
    gw_json_splice_e            type;
    gw_json_splice_error_t      err;
    ngx_http_gw_part_conf_t    *pcf;
    ngx_http_gw_static_conf_t  *st;
    ngx_http_gw_place_list_t    list;

    pcf = conf->parts->elts;
    n = conf->parts->nelts;

    for (i = 0; i < n; i++) {
        if (ngx_http_gw_place_check(cf, conf, &pcf[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (conf->statics && conf->mode != NGX_HTTP_GW_MODE_OBJECT) {
        st = conf->statics->elts;

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"gw_aggregate_static\" needs \"gw_aggregate object\", "
                      "an array has no members, in %s:%ui", st->file,
                      st->line);
        return NGX_CONF_ERROR;
    }

    /* the slot after those of the parts is the member for errors */

    conf->nslots = n + 1 + (conf->statics ? conf->statics->nelts : 0);

    list.parts = ngx_pcalloc(cf->temp_pool,
                             conf->nslots * sizeof(gw_json_splice_part_t));
    if (list.parts == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_gw_place_list(conf, &list);

    if (list.n > n) {
        /* what is static, or for errors */
        conf->varies = 1;
    }

    type = (conf->mode == NGX_HTTP_GW_MODE_OBJECT) ? GW_JSON_SPLICE_OBJECT
                                                   : GW_JSON_SPLICE_ARRAY;

    memory = ngx_palloc(cf->pool,
                        gw_json_splice_size(type, list.parts, list.n));
    if (memory == NULL) {
        return NGX_CONF_ERROR;
    }

    conf->splice = gw_json_splice_compile(memory, type, list.parts, list.n,
                                          &err);

    if (conf->splice == NULL) {
        return ngx_http_gw_place_error(cf, conf, &list, &err);
    }

    if (ngx_http_gw_place_reserve(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_place_check(ngx_conf_t *cf, ngx_http_gw_aggregate_conf_t *conf,
    ngx_http_gw_part_conf_t *pcf)
{
    const char  *mistake;

    if (pcf->omit || pcf->each) {
        conf->varies = 1;
    }

    if (pcf->place == GW_JSON_SPLICE_VALUE) {
        return NGX_CONF_OK;
    }

    conf->varies = 1;

    mistake = ngx_http_gw_place_mistake(conf, pcf);

    if (mistake) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "parameter \"%s\" of part \"%V\" %s in %s:%ui",
                      pcf->place == GW_JSON_SPLICE_ROOT ? "root" : "append",
                      &pcf->name, mistake, pcf->file, pcf->line);
        return NGX_CONF_ERROR;
    }

    if (pcf->place == GW_JSON_SPLICE_ROOT) {
        conf->merges = 1;
    }

    /* with gw_aggregate_each it is that of each request */

    return pcf->each ? NGX_CONF_OK : ngx_http_gw_place_default(cf, pcf);
}


/* what the parameter does not go with, and what to write instead */

static const char *
ngx_http_gw_place_mistake(ngx_http_gw_aggregate_conf_t *conf,
    ngx_http_gw_part_conf_t *pcf)
{
    ngx_uint_t  root;

    root = (pcf->place == GW_JSON_SPLICE_ROOT);

    if (root && conf->mode != NGX_HTTP_GW_MODE_OBJECT) {
        return "needs \"gw_aggregate object\", an array has no members";
    }

    if (root && pcf->as.data) {
        return "does not go with \"as\", which names another place";
    }

    if (pcf->type != NGX_HTTP_GW_PART_JSON) {
        return "needs \"type=json\", there is nothing in a text";
    }

    if (pcf->each == NULL) {
        return NULL;
    }

    if (pcf->each->result == NGX_HTTP_GW_EACH_EMBED) {
        return "does not go with \"result=embed\" of \"gw_aggregate_each\", "
               "which names another place";
    }

    if (root && pcf->each->result != NGX_HTTP_GW_EACH_OBJECT) {
        return "needs \"result=object\" of \"gw_aggregate_each\", an array "
               "has no members";
    }

    if (!root && pcf->each->result != NGX_HTTP_GW_EACH_ARRAY) {
        return "needs \"result=array\" of \"gw_aggregate_each\", an object "
               "has no elements";
    }

    return NULL;
}


static char *
ngx_http_gw_place_default(ngx_conf_t *cf, ngx_http_gw_part_conf_t *pcf)
{
    ngx_int_t  rc;

    if (!pcf->has_default) {

        if (pcf->place == GW_JSON_SPLICE_ROOT) {
            ngx_str_set(&pcf->value, "{}");

        } else {
            ngx_str_set(&pcf->value, "[]");
        }
    }

    rc = ngx_http_gw_merge_default(cf, pcf);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "default \"%V\" of part \"%V\" must be an %s in %s:%ui",
                      &pcf->value, &pcf->name,
                      pcf->place == GW_JSON_SPLICE_ROOT
                      ? "object, its members are merged"
                      : "array, its elements are appended",
                      pcf->file, pcf->line);
    }

    return (rc == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static void
ngx_http_gw_place_list(ngx_http_gw_aggregate_conf_t *conf,
    ngx_http_gw_place_list_t *list)
{
    ngx_uint_t                  i, k, n, nstatics;
    gw_json_splice_part_t      *part;
    ngx_http_gw_part_conf_t    *pcf;
    ngx_http_gw_static_conf_t  *st;

    pcf = conf->parts->elts;
    n = conf->parts->nelts;
    st = conf->statics ? conf->statics->elts : NULL;
    nstatics = conf->statics ? conf->statics->nelts : 0;

    part = list->parts;
    k = 0;

    for (i = 0; i <= n; i++) {

        for ( /* void */ ; k < nstatics && st[k].part <= i; k++) {
            part->as.data = st[k].pointer.data;
            part->as.len = st[k].pointer.len;
            part->slot = (uint16_t) (n + 1 + k);
            part++;
        }

        if (i == n) {
            break;
        }

        part->name.data = pcf[i].name.data;
        part->name.len = pcf[i].name.len;
        part->as.data = pcf[i].as.data;
        part->as.len = pcf[i].as.len;
        part->place = pcf[i].place;
        part->slot = (uint16_t) i;
        part++;
    }

    if (conf->mode == NGX_HTTP_GW_MODE_OBJECT && conf->errors_member.len) {
        part->as.data = conf->errors_member.data;
        part->as.len = conf->errors_member.len;
        part->slot = (uint16_t) n;
        part++;
    }

    list->n = part - list->parts;
}


/*
 * Members that do not depend on parts alone, or are not to be found in parts:
 * what is merged never has their names.
 */

static ngx_int_t
ngx_http_gw_place_reserve(ngx_conf_t *cf, ngx_http_gw_aggregate_conf_t *conf)
{
    ngx_uint_t                    i, k;
    const gw_json_splice_top_t   *top;
    const gw_json_splice_step_t  *step;

    conf->reserved = ngx_pcalloc(cf->pool, conf->splice->ntops + 1);
    if (conf->reserved == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < conf->splice->ntops; i++) {
        top = &conf->splice->tops[i];

        if (top->name.data == NULL) {
            continue;
        }

        if (conf->conflict == NGX_HTTP_GW_CONFLICT_ERROR) {
            conf->reserved[i] = 1;
        }

        for (k = top->step; k < top->end; k++) {
            step = &conf->splice->steps[k];

            if (step->kind == GW_JSON_SPLICE_SLOT
                && ngx_http_gw_place_late(conf, step->slot))
            {
                conf->reserved[i] = 1;
            }
        }
    }

    return NGX_OK;
}


/* what is not known before all parts are done */

static ngx_uint_t
ngx_http_gw_place_late(ngx_http_gw_aggregate_conf_t *conf, ngx_uint_t slot)
{
    ngx_uint_t                  n;
    ngx_http_gw_static_conf_t  *st;

    n = conf->parts->nelts;

    if (slot <= n) {
        return slot == n;
    }

    st = conf->statics->elts;

    return st[slot - n - 1].when != NGX_HTTP_GW_WHEN_ALWAYS;
}


static char *
ngx_http_gw_place_error(ngx_conf_t *cf, ngx_http_gw_aggregate_conf_t *conf,
    ngx_http_gw_place_list_t *list, gw_json_splice_error_t *err)
{
    u_char                     *file;
    ngx_str_t                   name, other;
    ngx_uint_t                  slot, line, n, is_static;
    ngx_http_gw_part_conf_t    *pcf;
    ngx_http_gw_static_conf_t  *st;

    n = conf->parts->nelts;
    slot = list->parts[err->part].slot;
    is_static = (slot > n || list->parts[err->other].slot > n);
    ngx_str_null(&other);

    if (ngx_http_gw_place_name(cf, conf, slot, &name) != NGX_OK
        || (err->other != err->part
            && ngx_http_gw_place_name(cf, conf, list->parts[err->other].slot,
                                      &other)
               != NGX_OK))
    {
        return NGX_CONF_ERROR;
    }

    if (slot == n) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%V %s%s%V", &name,
                      err->text, other.len ? " " : "", &other);
        return NGX_CONF_ERROR;
    }

    if (slot < n) {
        pcf = conf->parts->elts;
        file = pcf[slot].file;
        line = pcf[slot].line;

        if (other.len == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "place \"%V\" of %V %s in %s:%ui",
                          pcf[slot].as.len ? &pcf[slot].as : &pcf[slot].name,
                          &name, err->text, file, line);
            return NGX_CONF_ERROR;
        }

    } else {
        st = conf->statics->elts;
        file = st[slot - n - 1].file;
        line = st[slot - n - 1].line;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%V %s%s%V%s in %s:%ui", &name,
                  err->text, other.len ? " " : "", &other,
                  is_static && other.len ? ", give it another pointer" : "",
                  file, line);

    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_gw_place_name(ngx_conf_t *cf, ngx_http_gw_aggregate_conf_t *conf,
    ngx_uint_t slot, ngx_str_t *name)
{
    ngx_str_t                  *text;
    ngx_uint_t                  n;
    const char                 *format;
    ngx_http_gw_part_conf_t    *pcf;
    ngx_http_gw_static_conf_t  *st;

    n = conf->parts->nelts;

    if (slot < n) {
        pcf = conf->parts->elts;
        text = &pcf[slot].name;
        format = "part \"%V\"";

    } else if (slot == n) {
        text = &conf->errors_member;
        format = "member \"%V\" of \"gw_aggregate_errors\"";

    } else {
        st = conf->statics->elts;
        text = &st[slot - n - 1].pointer;
        format = "\"gw_aggregate_static\" of \"%V\"";
    }

    name->data = ngx_pnalloc(cf->temp_pool, ngx_strlen(format) + text->len);
    if (name->data == NULL) {
        return NGX_ERROR;
    }

    name->len = ngx_sprintf(name->data, format, text) - name->data;

    return NGX_OK;
}
