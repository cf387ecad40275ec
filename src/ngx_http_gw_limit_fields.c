
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_gw_limit_fields.h"
#include "ngx_http_gw_limit_response.h"


/* limits of a request whose items need no memory of the pool */
#define NGX_HTTP_GW_LIMIT_ITEMS  4


typedef struct {
    gw_ratelimit_item_t   item;
    ngx_uint_t            failed;
    u_char                partition[GW_RATELIMIT_PARTITION];
} ngx_http_gw_limit_item_t;


/* the limits that the client is told of */

typedef struct {
    ngx_http_gw_limit_item_t   *items;
    ngx_uint_t                  n;
    ngx_http_gw_limit_item_t   *nearest;
    ngx_http_gw_limit_item_t   *plain;           /* that counts requests */
    ngx_uint_t                  all;
    ngx_uint_t                  replace;         /* fields of an upstream */
} ngx_http_gw_limit_items_t;


typedef struct {
    ngx_str_t                   name;
    ngx_uint_t                  bit;
} ngx_http_gw_limit_header_t;


static void ngx_http_gw_limit_item(gw_ratelimit_item_t *item,
    ngx_http_gw_limit_entry_t *entry);
static ngx_uint_t ngx_http_gw_limit_count_items(
    ngx_http_gw_limit_view_t *view);
static void ngx_http_gw_limit_items(ngx_http_gw_limit_view_t *view,
    ngx_http_gw_limit_items_t *items);
static ngx_http_gw_limit_item_t *ngx_http_gw_limit_nearest_item(
    ngx_http_gw_limit_items_t *items, ngx_uint_t plain);
static ngx_int_t ngx_http_gw_limit_add_set(ngx_http_request_t *r,
    ngx_http_gw_limit_items_t *items, gw_ratelimit_set_e set);
static ngx_int_t ngx_http_gw_limit_foreign(ngx_http_request_t *r,
    ngx_http_gw_limit_items_t *items, gw_ratelimit_set_e set);
static ngx_uint_t ngx_http_gw_limit_foreign_read(ngx_http_request_t *r,
    gw_ratelimit_set_e set, gw_ratelimit_told_t *told);
static void ngx_http_gw_limit_foreign_drop(ngx_http_request_t *r,
    gw_ratelimit_set_e set);
static const gw_ratelimit_field_t *ngx_http_gw_limit_field_of(
    ngx_table_elt_t *h, gw_ratelimit_set_e set);
static ngx_table_elt_t *ngx_http_gw_limit_next_field(ngx_list_part_t **part,
    ngx_uint_t *i);
static u_char *ngx_http_gw_limit_write(u_char *p,
    const gw_ratelimit_field_t *field, ngx_http_gw_limit_items_t *items);
static char *ngx_http_gw_limit_headers_check(ngx_conf_t *cf,
    ngx_uint_t headers);


static const ngx_http_gw_limit_header_t  ngx_http_gw_limit_header_names[] = {

    { ngx_string("ratelimit"),
      NGX_HTTP_GW_LIMIT_HEADERS(GW_RATELIMIT_DRAFT_08) },
    { ngx_string("ratelimit-triple"),
      NGX_HTTP_GW_LIMIT_HEADERS(GW_RATELIMIT_DRAFT_00) },
    { ngx_string("x-ratelimit"), NGX_HTTP_GW_LIMIT_HEADERS(GW_RATELIMIT_X) },
    { ngx_string("x-ratelimit=epoch"),
      NGX_HTTP_GW_LIMIT_HEADERS(GW_RATELIMIT_X_EPOCH) },
    { ngx_string("draft=next"),
      NGX_HTTP_GW_LIMIT_HEADERS(GW_RATELIMIT_NEXT) },
    { ngx_string("pk"), NGX_HTTP_GW_LIMIT_HEADERS_PK },
    { ngx_string("all"), NGX_HTTP_GW_LIMIT_HEADERS_ALL },
    { ngx_string("replace"), NGX_HTTP_GW_LIMIT_HEADERS_REPLACE },

    { ngx_null_string, 0 }
};


ngx_http_gw_limit_entry_t *
ngx_http_gw_limit_nearest(ngx_http_gw_limit_set_t *sets, ngx_uint_t n,
    ngx_uint_t silent)
{
    ngx_uint_t                  i, k;
    gw_ratelimit_item_t         item, best;
    ngx_http_gw_limit_entry_t  *entry, *nearest;

    nearest = NULL;

    for (i = 0; i < n; i++) {

        if (sets[i].silent && !silent) {
            continue;
        }

        if (sets[i].failed) {
            return sets[i].failed;
        }

        for (k = 0; k < sets[i].n; k++) {
            entry = &sets[i].entries[k];

            if (!entry->told || (entry->shadow && !silent)) {
                continue;
            }

            ngx_http_gw_limit_item(&item, entry);

            if (nearest == NULL || gw_ratelimit_nearer(&item, &best)) {
                nearest = entry;
                best = item;
            }
        }
    }

    return nearest;
}


static void
ngx_http_gw_limit_item(gw_ratelimit_item_t *item,
    ngx_http_gw_limit_entry_t *entry)
{
    ngx_http_gw_limit_zone_t  *zone;

    zone = entry->limit->zone;

    item->name = zone->policy.data;
    item->name_len = zone->policy.len;
    item->unit = zone->unit;
    item->partition = NULL;
    item->cost = entry->cost;

    /* NULL if it depends on the request */

    item->text = entry->limit->policy.data;
    item->text_len = entry->limit->policy.len;
    item->quoted = entry->limit->quoted;

    item->quota = entry->plan->quota;
    item->window = entry->plan->window;
    item->burst = (entry->plan->algorithm == NGX_HTTP_GW_LIMIT_GCRA)
                  ? entry->plan->capacity - 1 : 0;
    item->capacity = entry->plan->capacity;
    item->remaining = entry->remaining;
    item->reset = entry->next;
}


ngx_int_t
ngx_http_gw_limit_add_fields(ngx_http_request_t *r,
    ngx_http_gw_limit_view_t *view)
{
    ngx_uint_t                  set;
    ngx_http_gw_limit_item_t    some[NGX_HTTP_GW_LIMIT_ITEMS];
    ngx_http_gw_limit_items_t   items;

    items.n = ngx_http_gw_limit_count_items(view);

    if (items.n == 0) {
        return NGX_OK;
    }

    items.items = some;

    if (items.n > NGX_HTTP_GW_LIMIT_ITEMS) {
        items.items = ngx_palloc(r->pool, items.n
                                          * sizeof(ngx_http_gw_limit_item_t));
        if (items.items == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_http_gw_limit_items(view, &items);

    for (set = 0; set < GW_RATELIMIT_SETS; set++) {

        if ((view->headers & NGX_HTTP_GW_LIMIT_HEADERS(set))
            && ngx_http_gw_limit_add_set(r, &items, set) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


#define ngx_http_gw_limit_shown(set, entry)                                   \
    (!(set)->silent && (entry)->told && !(entry)->shadow)


static ngx_uint_t
ngx_http_gw_limit_count_items(ngx_http_gw_limit_view_t *view)
{
    ngx_uint_t                i, k, n;
    ngx_http_gw_limit_set_t  *set;

    n = view->extras->nelts;

    for (i = 0; i < view->n; i++) {
        set = &view->sets[i];

        for (k = 0; k < set->n; k++) {
            if (ngx_http_gw_limit_shown(set, &set->entries[k])) {
                n++;
            }
        }
    }

    return n;
}


static void
ngx_http_gw_limit_items(ngx_http_gw_limit_view_t *view,
    ngx_http_gw_limit_items_t *items)
{
    ngx_uint_t                  i, k, pk, rejected;
    ngx_http_gw_limit_set_t    *set;
    ngx_http_gw_limit_item_t   *item;
    ngx_http_gw_limit_entry_t  *entry;
    ngx_http_gw_limit_extra_t  *extra;

    pk = view->headers & NGX_HTTP_GW_LIMIT_HEADERS_PK;
    item = items->items;

    for (i = 0; i < view->n; i++) {
        set = &view->sets[i];

        for (k = 0; k < set->n; k++) {
            entry = &set->entries[k];

            if (!ngx_http_gw_limit_shown(set, entry)) {
                continue;
            }

            ngx_http_gw_limit_item(&item->item, entry);
            item->failed = (entry == set->failed);

            if (pk) {
                ngx_http_gw_limit_hash(entry);
                gw_ratelimit_partition(entry->limit->zone->shared->store->seed,
                                       entry->key.key, item->partition);
                item->item.partition = item->partition;
            }

            item++;
        }
    }

    extra = view->extras->elts;

    for (i = 0; i < view->extras->nelts; i++) {

        item->item = extra[i].item;
        item->failed = extra[i].failed;

        if (pk) {
            gw_ratelimit_partition(extra[i].seed, extra[i].key,
                                   item->partition);
            item->item.partition = item->partition;
        }

        item++;
    }

    /* a rejected request takes nothing, of any of them */

    rejected = 0;

    for (i = 0; i < items->n; i++) {
        rejected |= items->items[i].failed;
    }

    for (i = 0; i < items->n && rejected; i++) {
        items->items[i].item.cost = 0;
    }

    items->nearest = ngx_http_gw_limit_nearest_item(items, 0);
    items->plain = ngx_http_gw_limit_nearest_item(items, 1);
    items->all = view->headers & NGX_HTTP_GW_LIMIT_HEADERS_ALL;
    items->replace = view->headers & NGX_HTTP_GW_LIMIT_HEADERS_REPLACE;

    if (view->jitter == 0) {
        return;
    }

    for (i = 0; i < items->n; i++) {
        item = &items->items[i];
        item->item.reset = ngx_http_gw_limit_jitter(view->jitter, view->dice,
                                                    item->item.reset);
    }
}


/*
 * Returns what rejected, or is nearest to exhaustion; NULL if there is none.
 *
 *     plain  not 0 counts only those whose units are requests
 */

static ngx_http_gw_limit_item_t *
ngx_http_gw_limit_nearest_item(ngx_http_gw_limit_items_t *items,
    ngx_uint_t plain)
{
    ngx_uint_t                 i;
    ngx_http_gw_limit_item_t  *item, *best;

    best = NULL;

    if (items->n == 1 && !(plain && items->items[0].item.unit != NULL)) {
        return &items->items[0];
    }

    for (i = 0; i < items->n; i++) {
        item = &items->items[i];

        if (plain && item->item.unit != NULL) {
            continue;
        }

        if (item->failed) {
            return item;
        }

        if (best == NULL || gw_ratelimit_nearer(&item->item, &best->item)) {
            best = item;
        }
    }

    return best;
}


static ngx_int_t
ngx_http_gw_limit_add_set(ngx_http_request_t *r,
    ngx_http_gw_limit_items_t *items, gw_ratelimit_set_e set)
{
    u_char                      *p, *last;
    size_t                       size;
    ngx_str_t                    name;
    ngx_uint_t                   i;
    ngx_table_elt_t             *h;
    const gw_ratelimit_field_t  *field;

    field = gw_ratelimit_set(set);

    if ((field->scope == GW_RATELIMIT_PLAIN && items->plain == NULL)
        || (r->upstream != NULL
            && ngx_http_gw_limit_foreign(r, items, set) == NGX_DECLINED))
    {
        return NGX_OK;
    }

    /* as if each of the fields told of all */

    size = 0;

    for (i = 0; i < items->n; i++) {
        size += gw_ratelimit_item_size(&items->items[i].item)
                + sizeof(", ") - 1;
    }

    for (i = 1; field[i].name; i++) {
        /* void */
    }

    p = ngx_pnalloc(r->pool, i * size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for ( /* void */ ; field->name; field++) {

        last = ngx_http_gw_limit_write(p, field, items);

        name.data = (u_char *) field->name;
        name.len = field->len;

        h = ngx_http_gw_limit_field(r, &name);
        if (h == NULL) {
            return NGX_ERROR;
        }

        h->value.data = p;
        h->value.len = last - p;

        p = last;
    }

    return NGX_OK;
}


/*
 * What an upstream says of its own limit is passed unless ours is nearer to
 * exhaustion: "SHOULD NOT alter" but "to communicate a more restrictive
 * quota", draft-ietf-httpapi-ratelimit-headers, intermediaries.
 *
 * Returns NGX_OK if there are no fields of an upstream any more, or
 * NGX_DECLINED if they stay.
 */

static ngx_int_t
ngx_http_gw_limit_foreign(ngx_http_request_t *r,
    ngx_http_gw_limit_items_t *items, gw_ratelimit_set_e set)
{
    ngx_uint_t                 known;
    gw_ratelimit_told_t        told;
    ngx_http_gw_limit_item_t  *ours;

    told.remaining = 0;
    told.reset = 0;

    ours = (set == GW_RATELIMIT_DRAFT_08) ? items->nearest : items->plain;

    known = ngx_http_gw_limit_foreign_read(r, set, &told);

    /* of two that are equal ours if it is known to tell of a longer wait */

    if (known && !items->replace && !ours->failed
        && (told.remaining < ours->item.remaining
            || (told.remaining == ours->item.remaining
                && (set != GW_RATELIMIT_DRAFT_08
                    || told.reset >= (ours->item.reset + 999999) / 1000000))))
    {
        return NGX_DECLINED;
    }

    ngx_http_gw_limit_foreign_drop(r, set);

    return NGX_OK;
}


/* Returns 1 if it is known what remains; a malformed field says nothing. */

static ngx_uint_t
ngx_http_gw_limit_foreign_read(ngx_http_request_t *r, gw_ratelimit_set_e set,
    gw_ratelimit_told_t *told)
{
    ngx_uint_t                   i, known;
    ngx_list_part_t             *part;
    ngx_table_elt_t             *h;
    gw_ratelimit_told_t          one;
    const gw_ratelimit_field_t  *field;

    i = 0;
    known = 0;
    part = &r->headers_out.headers.part;

    for ( ;; ) {
        h = ngx_http_gw_limit_next_field(&part, &i);

        if (h == NULL) {
            return known;
        }

        field = ngx_http_gw_limit_field_of(h, set);

        if (field == NULL
            || field->read == NULL
            || field->read(h->value.data, h->value.len, &one) != GW_OK)
        {
            continue;
        }

        if (!known || one.remaining < told->remaining) {
            *told = one;
            known = 1;
        }
    }
}


static void
ngx_http_gw_limit_foreign_drop(ngx_http_request_t *r, gw_ratelimit_set_e set)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static const u_char  x[] = "X-RateLimit-";

    i = 0;
    part = &r->headers_out.headers.part;

    for ( ;; ) {
        h = ngx_http_gw_limit_next_field(&part, &i);

        if (h == NULL) {
            return;
        }

        /* these have many relatives, which must not tell of another limit */

        if (set == GW_RATELIMIT_X || set == GW_RATELIMIT_X_EPOCH) {

            if (h->key.len > sizeof(x) - 1
                && ngx_strncasecmp(h->key.data, (u_char *) x, sizeof(x) - 1)
                   == 0)
            {
                h->hash = 0;
            }

        } else if (ngx_http_gw_limit_field_of(h, set) != NULL) {
            h->hash = 0;
        }
    }
}


/* Returns NULL if it is no field of the generation. */

static const gw_ratelimit_field_t *
ngx_http_gw_limit_field_of(ngx_table_elt_t *h, gw_ratelimit_set_e set)
{
    const gw_ratelimit_field_t  *field;

    for (field = gw_ratelimit_set(set); field->name; field++) {

        if (field->len == h->key.len
            && ngx_strncasecmp((u_char *) field->name, h->key.data, field->len)
               == 0)
        {
            return field;
        }
    }

    return NULL;
}


/* Returns the next response field that is sent; NULL after the last one. */

static ngx_table_elt_t *
ngx_http_gw_limit_next_field(ngx_list_part_t **part, ngx_uint_t *i)
{
    ngx_table_elt_t  *h;

    for ( ;; ) {

        while (*i >= (*part)->nelts) {

            if ((*part)->next == NULL) {
                return NULL;
            }

            *part = (*part)->next;
            *i = 0;
        }

        h = (*part)->elts;
        h += (*i)++;

        if (h->hash) {
            return h;
        }
    }
}


/* Writes the value of a field.  Returns the end. */

static u_char *
ngx_http_gw_limit_write(u_char *p, const gw_ratelimit_field_t *field,
    ngx_http_gw_limit_items_t *items)
{
    u_char                    *start;
    ngx_uint_t                 i;
    ngx_http_gw_limit_item_t  *item, *only;

    only = (field->scope == GW_RATELIMIT_PLAIN) ? items->plain
           : (field->scope == GW_RATELIMIT_NEAREST && !items->all)
             ? items->nearest : NULL;

    if (only != NULL) {
        return field->write(p, &only->item, ngx_time());
    }

    start = p;

    for (i = 0; i < items->n; i++) {
        item = &items->items[i];

        if (p != start) {
            *p++ = ',';
            *p++ = ' ';
        }

        p = field->write(p, &item->item, ngx_time());
    }

    return p;
}


ngx_int_t
ngx_http_gw_limit_unit(ngx_conf_t *cf, ngx_str_t *value, const char **unit)
{
    u_char  *name;

    name = value->data + sizeof("unit=") - 1;

    if (ngx_strcmp(name, "content-bytes") == 0) {
        *unit = "content-bytes";

    } else if (ngx_strcmp(name, "requests") == 0) {
        *unit = NULL;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid unit \"%V\", it must be \"requests\" or "
                           "\"content-bytes\"", value);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * gw_limit_headers off | [ratelimit [draft=next] [pk] [all]]
 *                        [ratelimit-triple] [x-ratelimit[=epoch]] [replace]
 */

char *
ngx_http_gw_limit_headers(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *p = conf;

    ngx_str_t                         *value;
    ngx_uint_t                         i, *headers;
    const ngx_http_gw_limit_header_t  *h;

    headers = (ngx_uint_t *) (p + cmd->offset);

    if (*headers != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    *headers = 0;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        for (h = ngx_http_gw_limit_header_names; h->name.len; h++) {

            if (h->name.len == value[i].len
                && ngx_strncmp(h->name.data, value[i].data, h->name.len) == 0)
            {
                break;
            }
        }

        if (h->name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it must be \"off\" "
                               "alone, or some of \"ratelimit\", "
                               "\"draft=next\", \"pk\", \"all\", "
                               "\"x-ratelimit\", \"x-ratelimit=epoch\", "
                               "\"ratelimit-triple\" and \"replace\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        if (*headers & h->bit) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        *headers |= h->bit;
    }

    if (ngx_http_gw_limit_headers_check(cf, *headers) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    /* the fields have the same names: the next ones stand for them */

    if (*headers & NGX_HTTP_GW_LIMIT_HEADERS(GW_RATELIMIT_NEXT)) {
        *headers &= ~NGX_HTTP_GW_LIMIT_HEADERS(GW_RATELIMIT_DRAFT_08);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_gw_limit_headers_check(ngx_conf_t *cf, ngx_uint_t headers)
{
    if ((headers & NGX_HTTP_GW_LIMIT_HEADERS(GW_RATELIMIT_X))
        && (headers & NGX_HTTP_GW_LIMIT_HEADERS(GW_RATELIMIT_X_EPOCH)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"x-ratelimit\" and \"x-ratelimit=epoch\" are "
                           "the same fields, use one of them");
        return NGX_CONF_ERROR;
    }

    if ((headers & (NGX_HTTP_GW_LIMIT_HEADERS_PK
                    |NGX_HTTP_GW_LIMIT_HEADERS_ALL
                    |NGX_HTTP_GW_LIMIT_HEADERS(GW_RATELIMIT_NEXT)))
        && !(headers & NGX_HTTP_GW_LIMIT_HEADERS(GW_RATELIMIT_DRAFT_08)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "only the fields of \"ratelimit\" have a place for "
                           "\"pk\", \"all\" and \"draft=next\", add it");
        return NGX_CONF_ERROR;
    }

    if (headers == NGX_HTTP_GW_LIMIT_HEADERS_REPLACE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"replace\" needs the fields that replace, such "
                           "as \"ratelimit\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
