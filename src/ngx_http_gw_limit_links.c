
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_links.h"


/* the part of a reply in what is known of the clock of a service */
#define NGX_HTTP_GW_LIMIT_LINKS_WEIGHT  8

/* usec: more than that is no jitter, the clock was set */
#define NGX_HTTP_GW_LIMIT_LINKS_JUMP    100000


typedef struct {
    const gw_metric_desc_t     *desc;
    const char                 *result;          /* NULL: no such label */
    size_t                      offset;          /* in the stat */
    const char                 *label;           /* of it, NULL: "result" */
} ngx_http_gw_limit_stat_t;


static void ngx_http_gw_limit_links_timer(ngx_event_t *ev);
static void ngx_http_gw_limit_links_beat(ngx_event_t *ev);
static void ngx_http_gw_limit_links_flush(ngx_http_gw_limit_links_t *links);
static ngx_int_t ngx_http_gw_limit_links_connect(
    ngx_http_gw_limit_service_t *service, ngx_cycle_t *cycle,
    ngx_http_gw_redis_link_conf_t *lcf);
static void ngx_http_gw_limit_links_count(ngx_http_gw_limit_service_t *service,
    ngx_http_gw_limit_way_t *way);
static ngx_int_t ngx_http_gw_limit_links_service(
    ngx_http_gw_limit_service_t *service, ngx_http_gw_metrics_t *metrics);


static const gw_metric_desc_t  ngx_http_gw_redis_commands = {
    "gw_redis_commands_total", "Commands by what became of them.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_redis_queued = {
    "gw_redis_queued_total", "Commands taken to be sent.", GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_redis_errors = {
    "gw_redis_error_replies_total", "Replies that are errors.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_redis_late = {
    "gw_redis_late_replies_total", "Replies that came after the deadline.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_redis_connects = {
    "gw_redis_connects_total", "Connections opened.", GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_redis_failures = {
    "gw_redis_failures_total", "Failures that the breaker counted.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_redis_opened = {
    "gw_redis_breaker_transitions_total", "Times that the breaker opened.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_redis_writes = {
    "gw_redis_writes_total", "System calls that sent commands.",
    GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_redis_sent = {
    "gw_redis_sent_bytes_total", "Bytes sent.", GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_redis_received = {
    "gw_redis_received_bytes_total", "Bytes received.", GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_redis_up = {
    "gw_redis_up", "Whether the link of the answering worker is up.",
    GW_METRIC_GAUGE
};

static const gw_metric_desc_t  ngx_http_gw_redis_evicted = {
    "gw_redis_evicted_keys_total",
    "Keys that Redis evicted, as it says once a minute.", GW_METRIC_COUNTER
};

static const gw_metric_desc_t  ngx_http_gw_redis_open = {
    "gw_redis_breaker_open", "Whether the answering worker asks nothing.",
    GW_METRIC_GAUGE
};

static const gw_metric_desc_t  ngx_http_gw_redis_nodes = {
    "gw_redis_nodes", "Hosts that share it, as it has said last.",
    GW_METRIC_GAUGE
};

static const gw_metric_desc_t  ngx_http_gw_redis_inflight = {
    "gw_redis_inflight", "Commands of the answering worker without a reply.",
    GW_METRIC_GAUGE
};


/* the order is that of the shared counters, which a reload keeps */

static const ngx_http_gw_limit_stat_t  ngx_http_gw_limit_stats[] = {

    { &ngx_http_gw_redis_queued, NULL,
      offsetof(ngx_http_gw_redis_stat_t, commands), NULL },

    { &ngx_http_gw_redis_commands, "reply",
      offsetof(ngx_http_gw_redis_stat_t, replies), NULL },

    { &ngx_http_gw_redis_errors, "other",
      offsetof(ngx_http_gw_redis_stat_t,
               errors[NGX_HTTP_GW_REDIS_FINE]), "class" },

    { &ngx_http_gw_redis_errors, "denied",
      offsetof(ngx_http_gw_redis_stat_t,
               errors[NGX_HTTP_GW_REDIS_DENIED]), "class" },

    { &ngx_http_gw_redis_errors, "forbidden",
      offsetof(ngx_http_gw_redis_stat_t,
               errors[NGX_HTTP_GW_REDIS_FORBIDDEN]), "class" },

    { &ngx_http_gw_redis_errors, "absent",
      offsetof(ngx_http_gw_redis_stat_t,
               errors[NGX_HTTP_GW_REDIS_ABSENT]), "class" },

    { &ngx_http_gw_redis_errors, "refused",
      offsetof(ngx_http_gw_redis_stat_t,
               errors[NGX_HTTP_GW_REDIS_REFUSED]), "class" },

    { &ngx_http_gw_redis_errors, "replica",
      offsetof(ngx_http_gw_redis_stat_t,
               errors[NGX_HTTP_GW_REDIS_REPLICA]), "class" },

    { &ngx_http_gw_redis_commands, "timeout",
      offsetof(ngx_http_gw_redis_stat_t, timeouts), NULL },

    { &ngx_http_gw_redis_commands, "canceled",
      offsetof(ngx_http_gw_redis_stat_t, canceled), NULL },

    { &ngx_http_gw_redis_commands, "refused",
      offsetof(ngx_http_gw_redis_stat_t, refused), NULL },

    { &ngx_http_gw_redis_commands, "lost",
      offsetof(ngx_http_gw_redis_stat_t, lost), NULL },

    { &ngx_http_gw_redis_late, NULL,
      offsetof(ngx_http_gw_redis_stat_t, late), NULL },

    { &ngx_http_gw_redis_connects, NULL,
      offsetof(ngx_http_gw_redis_stat_t, connects), NULL },

    { &ngx_http_gw_redis_failures, NULL,
      offsetof(ngx_http_gw_redis_stat_t, failures), NULL },

    { &ngx_http_gw_redis_opened, NULL,
      offsetof(ngx_http_gw_redis_stat_t, opened), NULL },

    { &ngx_http_gw_redis_writes, NULL,
      offsetof(ngx_http_gw_redis_stat_t, writes), NULL },

    { &ngx_http_gw_redis_sent, NULL,
      offsetof(ngx_http_gw_redis_stat_t, sent), NULL },

    { &ngx_http_gw_redis_received, NULL,
      offsetof(ngx_http_gw_redis_stat_t, received), NULL }
};

#define NGX_HTTP_GW_LIMIT_STATS                                               \
    (sizeof(ngx_http_gw_limit_stats) / sizeof(ngx_http_gw_limit_stats[0]))

#define ngx_http_gw_limit_stat(stat, i)                                       \
    (*(uint64_t *) ((u_char *) (stat) + ngx_http_gw_limit_stats[i].offset))


ngx_int_t
ngx_http_gw_limit_links_use(ngx_conf_t *cf, ngx_http_gw_limit_links_t *links,
    ngx_array_t *services, ngx_uint_t n, void *tag, ngx_str_t *node)
{
    ngx_str_t                     name;
    ngx_uint_t                    i;
    ngx_http_gw_redis_conf_t    **conf;
    ngx_http_gw_limit_service_t  *service;

    if (links->services == NULL) {

        links->services = ngx_pcalloc(cf->pool, services->nelts
                                        * sizeof(ngx_http_gw_limit_service_t));
        if (links->services == NULL) {
            return NGX_ERROR;
        }

        conf = services->elts;
        links->n = services->nelts;

        for (i = 0; i < links->n; i++) {
            links->services[i].conf = conf[i];
        }
    }

    service = &links->services[n];

    if (service->counters) {
        return NGX_OK;
    }

    if (ngx_http_gw_redis_resolver(cf, service->conf) != NGX_OK) {
        return NGX_ERROR;
    }

    name.len = sizeof("gw_limit_redis_counters:") - 1
               + service->conf->name.len;

    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(name.data, "gw_limit_redis_counters:%V", &service->conf->name);

    service->counters = ngx_http_gw_counters_create(cf, &name, tag,
                                                    NGX_HTTP_GW_LIMIT_STATS
                                                    + NGX_HTTP_GW_LIMIT_TIMES);

    if (service->counters == NULL) {
        return NGX_ERROR;
    }

    name.len = sizeof("gw_limit_redis_duty:") - 1 + service->conf->name.len;

    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(name.data, "gw_limit_redis_duty:%V", &service->conf->name);

    service->duty = ngx_http_gw_redis_duty_create(cf, &name, tag, node);

    return (service->duty == NULL) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_gw_limit_links_start(ngx_http_gw_limit_links_t *links,
    ngx_cycle_t *cycle, ngx_str_t *node)
{
    ngx_uint_t                      i, used;
    ngx_http_gw_limit_service_t    *service;
    ngx_http_gw_redis_link_conf_t   lcf;

    used = 0;

    for (i = 0; i < links->n; i++) {
        service = &links->services[i];

        if (service->counters == NULL) {
            continue;
        }

        lcf.conf = service->conf;
        lcf.node = *node;
        lcf.duty = service->duty->duty;

        ngx_http_gw_limit_redis_scripts(&lcf.scripts, &lcf.nscripts);

        if (service->conf->eval) {
            lcf.nscripts = 0;
        }

        if (ngx_http_gw_limit_links_connect(service, cycle, &lcf) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_http_gw_redis_hosts_start(&service->hosts, cycle->pool,
                                          service->link, &lcf)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        used = 1;
    }

    links->beat.handler = ngx_http_gw_limit_links_beat;
    links->beat.data = links;
    links->beat.log = cycle->log;
    links->beat.cancelable = 1;

    if (used) {
        ngx_add_timer(&links->beat, NGX_HTTP_GW_REDIS_HOSTS_BEAT);
    }

    links->flush.handler = ngx_http_gw_limit_links_timer;
    links->flush.data = links;
    links->flush.log = cycle->log;
    links->flush.cancelable = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_links_connect(ngx_http_gw_limit_service_t *service,
    ngx_cycle_t *cycle, ngx_http_gw_redis_link_conf_t *lcf)
{
    ngx_uint_t                i;
    ngx_http_gw_limit_way_t  *way;

    service->nways = service->conf->connections;

    service->ways = ngx_pcalloc(cycle->pool, service->nways
                                             * sizeof(*service->ways));
    if (service->ways == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < service->nways; i++) {
        way = &service->ways[i];

        way->link = ngx_http_gw_redis_link_create(cycle->pool, cycle->log,
                                                  lcf);
        if (way->link == NULL) {
            return NGX_ERROR;
        }
    }

    service->link = service->ways[0].link;

    return NGX_OK;
}


void
ngx_http_gw_limit_links_exit(ngx_http_gw_limit_links_t *links)
{
    ngx_uint_t                    i, k;
    ngx_http_gw_limit_service_t  *service;

    ngx_http_gw_limit_links_flush(links);

    if (links->beat.timer_set) {
        ngx_del_timer(&links->beat);
    }

    for (i = 0; i < links->n; i++) {
        service = &links->services[i];

        if (service->link == NULL) {
            continue;
        }

        for (k = 0; k < service->nways; k++) {
            ngx_http_gw_redis_link_exit(service->ways[k].link);
        }

        service->link = NULL;
    }
}


ngx_http_gw_redis_link_t *
ngx_http_gw_limit_link(ngx_http_gw_limit_links_t *links, ngx_uint_t n)
{
    if (links->services[n].link && !links->flush.timer_set) {
        ngx_add_timer(&links->flush, NGX_HTTP_GW_LIMIT_LINKS_FLUSH);
    }

    return links->services[n].link;
}


ngx_http_gw_redis_link_t *
ngx_http_gw_limit_link_next(ngx_http_gw_limit_links_t *links, ngx_uint_t n)
{
    ngx_uint_t                    i;
    ngx_http_gw_redis_link_t     *link;
    ngx_http_gw_limit_service_t  *service;

    service = &links->services[n];
    link = ngx_http_gw_limit_link(links, n);

    if (link == NULL || service->nways == 1) {
        return link;
    }

    for (i = 0; i < service->nways; i++) {
        link = service->ways[service->turn++ % service->nways].link;

        if (ngx_http_gw_redis_link_state(link) == NGX_HTTP_GW_REDIS_UP) {
            break;
        }
    }

    return link;
}


ngx_http_gw_limit_service_t *
ngx_http_gw_limit_service_find(ngx_http_gw_limit_links_t *links, u_char *name,
    size_t len)
{
    ngx_str_t   *s;
    ngx_uint_t   i;

    for (i = 0; i < links->n; i++) {
        s = &links->services[i].conf->name;

        if (s->len == len && ngx_strncmp(s->data, name, len) == 0) {
            return links->services[i].link ? &links->services[i] : NULL;
        }
    }

    return NULL;
}


ngx_http_gw_redis_state_e
ngx_http_gw_limit_links_state(ngx_http_gw_limit_service_t *service)
{
    ngx_uint_t                 i;
    ngx_http_gw_redis_state_e  best, state;

    best = NGX_HTTP_GW_REDIS_DOWN;

    for (i = 0; i < service->nways; i++) {
        state = ngx_http_gw_redis_link_state(service->ways[i].link);
        best = ngx_max(best, state);
    }

    return best;
}


void
ngx_http_gw_limit_links_learn(ngx_http_gw_limit_links_t *links, ngx_uint_t n,
    int64_t now)
{
    int64_t                       ahead;
    ngx_http_gw_limit_service_t  *service;

    if (now == 0) {
        return;
    }

    service = &links->services[n];

    ahead = now - ngx_http_gw_limit_links_now() - service->ahead;

    if (service->clock
        && ahead < NGX_HTTP_GW_LIMIT_LINKS_JUMP
        && ahead > -NGX_HTTP_GW_LIMIT_LINKS_JUMP)
    {
        ahead /= NGX_HTTP_GW_LIMIT_LINKS_WEIGHT;
    }

    service->ahead += ahead;
    service->clock = 1;
}


int64_t
ngx_http_gw_limit_links_ahead(ngx_http_gw_limit_links_t *links, ngx_uint_t n)
{
    return links->services[n].ahead;
}


int64_t
ngx_http_gw_limit_links_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (int64_t) tp->sec * 1000000 + (int64_t) tp->msec * 1000;
}


ngx_uint_t
ngx_http_gw_limit_links_hosts(ngx_http_gw_limit_links_t *links, ngx_uint_t n)
{
    return ngx_http_gw_redis_hosts(links->services[n].duty->duty);
}


static void
ngx_http_gw_limit_links_beat(ngx_event_t *ev)
{
    ngx_uint_t                  i;
    ngx_http_gw_limit_links_t  *links;

    links = ev->data;

    for (i = 0; i < links->n; i++) {
        if (links->services[i].link) {
            ngx_http_gw_redis_hosts_beat(&links->services[i].hosts);
        }
    }

    ngx_add_timer(ev, NGX_HTTP_GW_REDIS_HOSTS_BEAT);
}


static void
ngx_http_gw_limit_links_timer(ngx_event_t *ev)
{
    ngx_http_gw_limit_links_flush(ev->data);
}


static void
ngx_http_gw_limit_links_flush(ngx_http_gw_limit_links_t *links)
{
    ngx_uint_t                    i, k;
    ngx_http_gw_limit_service_t  *service;

    for (i = 0; i < links->n; i++) {
        service = &links->services[i];

        if (service->link == NULL) {
            continue;
        }

        for (k = 0; k < service->nways; k++) {
            ngx_http_gw_limit_links_count(service, &service->ways[k]);
        }
    }
}


static void
ngx_http_gw_limit_links_count(ngx_http_gw_limit_service_t *service,
    ngx_http_gw_limit_way_t *way)
{
    uint64_t                         new;
    ngx_uint_t                       k;
    const ngx_http_gw_redis_stat_t  *stat;

    stat = ngx_http_gw_redis_link_stat(way->link);

    for (k = 0; k < NGX_HTTP_GW_LIMIT_STATS; k++) {
        new = ngx_http_gw_limit_stat(stat, k)
              - ngx_http_gw_limit_stat(&way->flushed, k);

        if (new) {
            ngx_http_gw_counters_add(service->counters, k, new);
        }
    }

    way->flushed = *stat;
}


ngx_int_t
ngx_http_gw_limit_links_metrics(ngx_http_gw_limit_links_t *links,
    ngx_http_gw_metrics_t *metrics)
{
    ngx_uint_t  i;

    ngx_http_gw_limit_links_flush(links);

    for (i = 0; i < links->n; i++) {

        if (links->services[i].link
            && ngx_http_gw_limit_links_service(&links->services[i], metrics)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_gw_limit_links_service(ngx_http_gw_limit_service_t *service,
    ngx_http_gw_metrics_t *metrics)
{
    uint64_t            up, open, value;
    ngx_uint_t          k, n;
    gw_metric_label_t   labels[2];

    labels[0].name = "name";
    labels[0].data = service->conf->name.data;
    labels[0].len = service->conf->name.len;

    for (k = 0; k < NGX_HTTP_GW_LIMIT_STATS; k++) {
        value = ngx_http_gw_counters_sum(service->counters, k);
        n = 1;

        if (ngx_http_gw_limit_stats[k].result) {
            labels[1].name = ngx_http_gw_limit_stats[k].label
                             ? ngx_http_gw_limit_stats[k].label : "result";
            labels[1].data = (u_char *) ngx_http_gw_limit_stats[k].result;
            labels[1].len = ngx_strlen(ngx_http_gw_limit_stats[k].result);
            n = 2;
        }

        if (ngx_http_gw_metrics_add(metrics, ngx_http_gw_limit_stats[k].desc,
                                    n, labels, value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_redis_evicted, 1, labels,
                                service->duty->duty->evicted)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_redis_nodes, 1, labels,
                                ngx_http_gw_redis_hosts(service->duty->duty))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    up = (ngx_http_gw_limit_links_state(service) == NGX_HTTP_GW_REDIS_UP);

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_redis_up, 1, labels, up)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    value = 0;
    open = 1;

    for (k = 0; k < service->nways; k++) {
        value += ngx_http_gw_redis_link_inflight(service->ways[k].link);
        open &= ngx_http_gw_redis_link_open(service->ways[k].link);
    }

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_redis_open, 1, labels,
                                open)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_gw_metrics_add(metrics, &ngx_http_gw_redis_inflight, 1,
                                labels, value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_gw_limit_times_metrics(service->counters,
                                           NGX_HTTP_GW_LIMIT_STATS,
                                           &service->conf->name, metrics);
}


void
ngx_http_gw_limit_links_took(ngx_http_gw_limit_links_t *links, ngx_uint_t n,
    ngx_http_gw_limit_times_e source, int64_t usec)
{
    ngx_http_gw_limit_times_add(links->services[n].counters,
                                NGX_HTTP_GW_LIMIT_STATS, source, usec);
}
