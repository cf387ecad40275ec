
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_aggregate_graph.h"
#include "ngx_http_gw_aggregate_set.h"


/* states of a part in the search for cycles */

#define NGX_HTTP_GW_GRAPH_NEW   0
#define NGX_HTTP_GW_GRAPH_OPEN  1
#define NGX_HTTP_GW_GRAPH_DONE  2


typedef struct {
    ngx_conf_t                      *cf;
    ngx_http_gw_aggregate_conf_t    *conf;
    ngx_http_gw_part_conf_t         *parts;
    ngx_uint_t                       nparts;
    ngx_array_t                      own;       /* names, ngx_str_t */
    ngx_array_t                      other;
    ngx_array_t                      items;     /* own and other names of */
    ngx_array_t                      no_items;  /* parts without items */
    ngx_array_t                     *pointers;  /* gw_json_text_t, a part
                                                   each */
    u_char                          *states;
    ngx_uint_t                      *path;      /* of the search */
} ngx_http_gw_graph_t;


static char *ngx_http_gw_graph_names(ngx_http_gw_graph_t *graph);
static char *ngx_http_gw_graph_sets(ngx_http_gw_graph_t *graph);
static char *ngx_http_gw_graph_eaches(ngx_http_gw_graph_t *graph);
static char *ngx_http_gw_graph_each(ngx_http_gw_graph_t *graph,
    ngx_http_gw_each_conf_t *each);
static ngx_int_t ngx_http_gw_graph_mark(ngx_http_gw_graph_t *graph,
    ngx_uint_t part, ngx_str_t *pointer, ngx_uint_t *mark);
static char *ngx_http_gw_graph_part(ngx_http_gw_graph_t *graph,
    ngx_http_gw_part_conf_t *pcf);
static char *ngx_http_gw_graph_templates(ngx_http_gw_graph_t *graph,
    ngx_http_gw_part_conf_t *pcf, uint64_t *mentions);
static char *ngx_http_gw_graph_item(ngx_http_gw_graph_t *graph,
    ngx_http_gw_part_conf_t *pcf);
static char *ngx_http_gw_graph_after(ngx_http_gw_graph_t *graph,
    ngx_http_gw_part_conf_t *pcf);
static char *ngx_http_gw_graph_add(ngx_http_gw_graph_t *graph,
    ngx_http_gw_part_conf_t *pcf, ngx_uint_t part);
static char *ngx_http_gw_graph_marks(ngx_http_gw_graph_t *graph,
    ngx_uint_t part);
static char *ngx_http_gw_graph_search(ngx_http_gw_graph_t *graph,
    ngx_uint_t part, ngx_uint_t depth);
static char *ngx_http_gw_graph_cycle(ngx_http_gw_graph_t *graph,
    ngx_uint_t part, ngx_uint_t depth);
static ngx_uint_t ngx_http_gw_graph_find(ngx_http_gw_graph_t *graph,
    ngx_str_t *name);


char *
ngx_http_gw_graph_init(ngx_conf_t *cf, ngx_http_gw_aggregate_conf_t *conf)
{
    char                 *rv;
    ngx_uint_t            i;
    ngx_http_gw_graph_t   graph;

    ngx_memzero(&graph, sizeof(ngx_http_gw_graph_t));

    graph.cf = cf;
    graph.conf = conf;
    graph.parts = conf->parts->elts;
    graph.nparts = conf->parts->nelts;

    graph.pointers = ngx_pcalloc(cf->temp_pool,
                                 graph.nparts * sizeof(ngx_array_t));
    graph.states = ngx_pcalloc(cf->temp_pool, graph.nparts);
    graph.path = ngx_palloc(cf->temp_pool,
                            graph.nparts * sizeof(ngx_uint_t));

    if (graph.pointers == NULL || graph.states == NULL
        || graph.path == NULL)
    {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_gw_graph_names(&graph);

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_gw_graph_eaches(&graph);
    }

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_gw_graph_sets(&graph);
    }

    for (i = 0; rv == NGX_CONF_OK && i < graph.nparts; i++) {
        rv = ngx_http_gw_graph_part(&graph, &graph.parts[i]);
    }

    for (i = 0; rv == NGX_CONF_OK && i < graph.nparts; i++) {
        rv = ngx_http_gw_graph_marks(&graph, i);
    }

    for (i = 0; rv == NGX_CONF_OK && i < graph.nparts; i++) {
        rv = ngx_http_gw_graph_search(&graph, i, 0);
    }

    return rv;
}


/*
 * The names of items belong to parts with gw_aggregate_each; elsewhere they
 * are variables, of the part that an aggregate is in.
 */

static char *
ngx_http_gw_graph_names(ngx_http_gw_graph_t *graph)
{
    ngx_str_t               *name, *other;
    ngx_uint_t               i;
    ngx_array_t             *lists[4];
    ngx_http_gw_set_conf_t  *set;

    lists[0] = &graph->own;
    lists[1] = &graph->no_items;
    lists[2] = &graph->other;
    lists[3] = &graph->items;

    for (i = 0; i < 4; i++) {
        if (ngx_array_init(lists[i], graph->cf->temp_pool, 8,
                           sizeof(ngx_str_t))
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    name = ngx_array_push_n(&graph->own, NGX_HTTP_GW_OWN_SETS);
    other = ngx_array_push_n(&graph->no_items, NGX_HTTP_GW_OWN_SETS);

    if (name == NULL || other == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_str_set(&name[NGX_HTTP_GW_OWN_ITEM], "gw_item");
    ngx_str_set(&name[NGX_HTTP_GW_OWN_INDEX], "gw_item_index");

    ngx_memzero(other, NGX_HTTP_GW_OWN_SETS * sizeof(ngx_str_t));

    if (graph->conf->sets) {
        set = graph->conf->sets->elts;

        for (i = 0; i < graph->conf->sets->nelts; i++) {
            name = ngx_array_push(&graph->own);
            other = ngx_array_push(&graph->no_items);

            if (name == NULL || other == NULL) {
                return NGX_CONF_ERROR;
            }

            *name = set[i].name;
            *other = set[i].name;
        }
    }

    name = ngx_array_push_n(&graph->other, NGX_HTTP_GW_OWN_SETS);
    other = ngx_array_push_n(&graph->items, NGX_HTTP_GW_OWN_SETS);

    if (name == NULL || other == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(name, graph->own.elts,
               NGX_HTTP_GW_OWN_SETS * sizeof(ngx_str_t));
    ngx_memcpy(other, graph->own.elts,
               NGX_HTTP_GW_OWN_SETS * sizeof(ngx_str_t));

    if (ngx_http_gw_set_names(graph->cf, &graph->other) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_graph_eaches(ngx_http_gw_graph_t *graph)
{
    char                     *rv;
    ngx_uint_t                i;
    ngx_http_gw_each_conf_t  *each;

    if (graph->conf->eaches == NULL) {
        return NGX_CONF_OK;
    }

    each = graph->conf->eaches->elts;

    for (i = 0; i < graph->conf->eaches->nelts; i++) {
        rv = ngx_http_gw_graph_each(graph, &each[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    for (i = 0; i < graph->conf->eaches->nelts; i++) {

        if (graph->parts[each[i].part].each) {
            ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                          "part \"%V\" has many answers, it cannot be the "
                          "source of \"gw_aggregate_each %V\" in %s:%ui",
                          &each[i].source, &each[i].name, each[i].file,
                          each[i].line);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_graph_each(ngx_http_gw_graph_t *graph,
    ngx_http_gw_each_conf_t *each)
{
    ngx_str_t   *name;
    ngx_uint_t   part;

    part = ngx_http_gw_graph_find(graph, &each->name);
    each->part = ngx_http_gw_graph_find(graph, &each->source);

    if (part == graph->nparts || each->part == graph->nparts) {
        name = (part == graph->nparts) ? &each->name : &each->source;

        ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                      "\"gw_aggregate_each\" names part \"%V\", and there is "
                      "no such part in %s:%ui", name, each->file, each->line);
        return NGX_CONF_ERROR;
    }

    if (each->result == NGX_HTTP_GW_EACH_EMBED) {

        if (graph->conf->stream) {
            ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                          "\"embed\" of \"gw_aggregate_each\" does not go "
                          "with \"gw_aggregate_stream\": the source is sent "
                          "before its items are there, in %s:%ui",
                          each->file, each->line);
            return NGX_CONF_ERROR;
        }

        graph->parts[each->part].embeds = 1;
    }

    graph->parts[part].each = each;

    if (ngx_http_gw_graph_mark(graph, each->part, &each->pointer, &each->mark)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_gw_graph_add(graph, &graph->parts[part], each->part);
}


static char *
ngx_http_gw_graph_sets(ngx_http_gw_graph_t *graph)
{
    ngx_uint_t               i;
    ngx_http_gw_set_conf_t  *set;

    if (graph->conf->sets == NULL) {
        return NGX_CONF_OK;
    }

    set = graph->conf->sets->elts;

    for (i = 0; i < graph->conf->sets->nelts; i++) {

        set[i].part = ngx_http_gw_graph_find(graph, &set[i].source);

        if (set[i].part == graph->nparts) {
            ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                          "\"gw_aggregate_set $%V\" takes a value from part "
                          "\"%V\", and there is no such part in %s:%ui",
                          &set[i].name, &set[i].source, set[i].file,
                          set[i].line);
            return NGX_CONF_ERROR;
        }

        if (graph->parts[set[i].part].each) {
            ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                          "part \"%V\" has many answers, "
                          "\"gw_aggregate_set $%V\" cannot take a value from "
                          "it in %s:%ui", &set[i].source, &set[i].name,
                          set[i].file, set[i].line);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_gw_graph_mark(graph, set[i].part, &set[i].pointer,
                                   &set[i].mark)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_gw_graph_mark(ngx_http_gw_graph_t *graph, ngx_uint_t part,
    ngx_str_t *pointer, ngx_uint_t *mark)
{
    ngx_array_t     *pointers;
    gw_json_text_t  *text;

    pointers = &graph->pointers[part];

    if (graph->parts[part].type != NGX_HTTP_GW_PART_JSON) {
        ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                      "no value can be taken from part \"%V\", which is not "
                      "JSON, in %s:%ui", &graph->parts[part].name,
                      graph->parts[part].file, graph->parts[part].line);
        return NGX_ERROR;
    }

    if (pointers->elts == NULL
        && ngx_array_init(pointers, graph->cf->temp_pool, 4,
                          sizeof(gw_json_text_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    *mark = pointers->nelts;

    text = ngx_array_push(pointers);
    if (text == NULL) {
        return NGX_ERROR;
    }

    text->data = pointer->data;
    text->len = pointer->len;

    return NGX_OK;
}


static char *
ngx_http_gw_graph_part(ngx_http_gw_graph_t *graph,
    ngx_http_gw_part_conf_t *pcf)
{
    char                    *rv;
    uint64_t                 mentions;
    ngx_uint_t               i;
    ngx_http_gw_set_conf_t  *set;

    mentions = 0;

    rv = ngx_http_gw_graph_templates(graph, pcf, &mentions);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (graph->conf->sets) {
        set = graph->conf->sets->elts;

        for (i = 0; i < graph->conf->sets->nelts; i++) {

            if ((mentions >> (NGX_HTTP_GW_OWN_SETS + i) & 1)
                && ngx_http_gw_graph_add(graph, pcf, set[i].part)
                   != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }
        }
    }

    return ngx_http_gw_graph_after(graph, pcf);
}


/* the directives were compiled before the names were known */

static char *
ngx_http_gw_graph_templates(ngx_http_gw_graph_t *graph,
    ngx_http_gw_part_conf_t *pcf, uint64_t *mentions)
{
    ngx_str_t                      text;
    ngx_http_gw_template_names_t   names;

    names.own = pcf->each ? &graph->own : &graph->no_items;
    names.other = &graph->other;

    if (!pcf->uri.constant) {
        text = pcf->uri.text;

        if (ngx_http_gw_template_compile(graph->cf, &text,
                                         NGX_HTTP_GW_TEMPLATE_URI, &names,
                                         &pcf->uri)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    pcf->own = pcf->uri.own;

    if (pcf->body && !pcf->body->constant) {
        text = pcf->body->text;

        if (ngx_http_gw_template_compile(graph->cf, &text,
                                         NGX_HTTP_GW_TEMPLATE_JSON, &names,
                                         pcf->body)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        pcf->own |= pcf->body->own;
    }

    *mentions = pcf->own;

    if (pcf->condition) {
        *mentions |= ngx_http_gw_template_mentions(&pcf->condition->value,
                                                   names.own);
    }

    return ngx_http_gw_graph_item(graph, pcf);
}


/* whether $gw_item has a value where it stands */

static char *
ngx_http_gw_graph_item(ngx_http_gw_graph_t *graph,
    ngx_http_gw_part_conf_t *pcf)
{
    uint64_t                   used;
    ngx_http_core_loc_conf_t  *clcf;

    if (pcf->each) {

        if (pcf->condition
            && ngx_http_gw_template_mentions(&pcf->condition->value,
                                             &graph->items))
        {
            ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                          "\"if=\" of part \"%V\" is decided once, before "
                          "there are items, in %s:%ui",
                          &pcf->name, pcf->file, pcf->line);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    used = ngx_http_gw_template_mentions(&pcf->uri.text, &graph->items);

    if (pcf->body) {
        used |= ngx_http_gw_template_mentions(&pcf->body->text,
                                              &graph->items);
    }

    clcf = ngx_http_conf_get_module_loc_conf(graph->cf, ngx_http_core_module);

    if (used && !clcf->internal) {
        ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                      "part \"%V\" has $gw_item and no "
                      "\"gw_aggregate_each\" in %s:%ui",
                      &pcf->name, pcf->file, pcf->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_graph_after(ngx_http_gw_graph_t *graph,
    ngx_http_gw_part_conf_t *pcf)
{
    u_char      *p, *last, *comma;
    ngx_str_t    name;
    ngx_uint_t   part;

    if (pcf->after.len == 0) {
        return NGX_CONF_OK;
    }

    p = pcf->after.data;
    last = p + pcf->after.len;

    for ( ;; ) {
        comma = ngx_strlchr(p, last, ',');

        if (comma == NULL) {
            comma = last;
        }

        name.data = p;
        name.len = comma - p;

        part = ngx_http_gw_graph_find(graph, &name);

        if (part == graph->nparts) {
            ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                          "part \"%V\" is to start after part \"%V\", and "
                          "there is no such part in %s:%ui",
                          &pcf->name, &name, pcf->file, pcf->line);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_gw_graph_add(graph, pcf, part) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        if (comma == last) {
            return NGX_CONF_OK;
        }

        p = comma + 1;
    }
}


static char *
ngx_http_gw_graph_add(ngx_http_gw_graph_t *graph,
    ngx_http_gw_part_conf_t *pcf, ngx_uint_t part)
{
    ngx_uint_t  i, *dep;

    if (&graph->parts[part] == pcf) {
        ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                      "part \"%V\" waits for itself in %s:%ui",
                      &pcf->name, pcf->file, pcf->line);
        return NGX_CONF_ERROR;
    }

    if (pcf->deps == NULL) {
        pcf->deps = ngx_array_create(graph->cf->pool, 2, sizeof(ngx_uint_t));
        if (pcf->deps == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    dep = pcf->deps->elts;

    for (i = 0; i < pcf->deps->nelts; i++) {
        if (dep[i] == part) {
            return NGX_CONF_OK;
        }
    }

    dep = ngx_array_push(pcf->deps);
    if (dep == NULL) {
        return NGX_CONF_ERROR;
    }

    *dep = part;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_graph_marks(ngx_http_gw_graph_t *graph, ngx_uint_t part)
{
    void                      *memory;
    ngx_array_t               *pointers;
    gw_json_pointer_error_t    err;
    ngx_http_gw_part_conf_t   *pcf;

    pcf = &graph->parts[part];
    pointers = &graph->pointers[part];

    if (pointers->nelts == 0) {
        return NGX_CONF_OK;
    }

    if (pointers->nelts > GW_JSON_POINTER_MAX_COUNT) {
        ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                      "more than %d values are taken from part \"%V\" in "
                      "%s:%ui", GW_JSON_POINTER_MAX_COUNT, &pcf->name,
                      pcf->file, pcf->line);
        return NGX_CONF_ERROR;
    }

    memory = ngx_palloc(graph->cf->pool,
                        gw_json_pointer_size(pointers->elts,
                                             pointers->nelts));
    if (memory == NULL) {
        return NGX_CONF_ERROR;
    }

    pcf->marks = gw_json_pointer_compile(memory, pointers->elts,
                                         pointers->nelts, &err);

    if (pcf->marks == NULL) {
        ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                      "what is taken from part \"%V\" %s in %s:%ui",
                      &pcf->name, err.text, pcf->file, pcf->line);
        return NGX_CONF_ERROR;
    }

    pcf->nmarks = pointers->nelts;

    return NGX_CONF_OK;
}


/* not deeper than there are parts, which are at most 200 */

static char *
ngx_http_gw_graph_search(ngx_http_gw_graph_t *graph, ngx_uint_t part,
    ngx_uint_t depth)
{
    char                     *rv;
    ngx_uint_t                i, *dep;
    ngx_http_gw_part_conf_t  *pcf;

    if (graph->states[part] == NGX_HTTP_GW_GRAPH_OPEN) {
        return ngx_http_gw_graph_cycle(graph, part, depth);
    }

    pcf = &graph->parts[part];

    if (graph->states[part] == NGX_HTTP_GW_GRAPH_DONE || pcf->deps == NULL) {
        return NGX_CONF_OK;
    }

    graph->states[part] = NGX_HTTP_GW_GRAPH_OPEN;
    graph->path[depth] = part;

    dep = pcf->deps->elts;

    for (i = 0; i < pcf->deps->nelts; i++) {
        rv = ngx_http_gw_graph_search(graph, dep[i], depth + 1);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    graph->states[part] = NGX_HTTP_GW_GRAPH_DONE;

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_graph_cycle(ngx_http_gw_graph_t *graph, ngx_uint_t part,
    ngx_uint_t depth)
{
    u_char                   *p;
    size_t                    len;
    ngx_str_t                 text;
    ngx_uint_t                i, first;
    ngx_http_gw_part_conf_t  *pcf;

    for (first = 0; graph->path[first] != part; first++) { /* void */ }

    len = 0;

    for (i = first; i < depth; i++) {
        len += graph->parts[graph->path[i]].name.len + sizeof(" -> ") - 1;
    }

    pcf = &graph->parts[part];

    p = ngx_pnalloc(graph->cf->temp_pool, len + pcf->name.len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    text.data = p;

    for (i = first; i < depth; i++) {
        p = ngx_sprintf(p, "%V -> ", &graph->parts[graph->path[i]].name);
    }

    p = ngx_cpymem(p, pcf->name.data, pcf->name.len);
    text.len = p - text.data;

    ngx_log_error(NGX_LOG_EMERG, graph->cf->log, 0,
                  "parts wait for each other and none can start, %V, in "
                  "%s:%ui", &text, pcf->file, pcf->line);

    return NGX_CONF_ERROR;
}


/* the number of the part, or that of all parts when there is none */

static ngx_uint_t
ngx_http_gw_graph_find(ngx_http_gw_graph_t *graph, ngx_str_t *name)
{
    ngx_uint_t  i;

    for (i = 0; i < graph->nparts; i++) {

        if (graph->parts[i].name.len == name->len
            && ngx_strncasecmp(graph->parts[i].name.data, name->data,
                               name->len)
               == 0)
        {
            break;
        }
    }

    return i;
}


ngx_uint_t
ngx_http_gw_graph_ready(ngx_http_gw_part_t *part)
{
    ngx_uint_t  i, *dep;

    if (part->conf->deps == NULL) {
        return 1;
    }

    dep = part->conf->deps->elts;

    for (i = 0; i < part->conf->deps->nelts; i++) {
        if (!part->gather->parts[dep[i]].done) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_http_gw_graph_complete(ngx_http_gw_part_t *part)
{
    uint64_t    own;
    ngx_uint_t  i;

    own = part->conf->own >> NGX_HTTP_GW_OWN_SETS;

    for (i = NGX_HTTP_GW_OWN_SETS; own; own >>= 1, i++) {
        if ((own & 1) && part->gather->own[i].text.data == NULL) {
            return 0;
        }
    }

    return 1;
}
