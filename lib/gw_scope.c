
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_scope.h"


static int gw_scope_from_value(gw_scope_set_t *set, const json_t *value);
static int gw_scope_next_element(const gw_scope_set_t *set, size_t *pos,
    gw_scope_t *scope);


static const char *const  gw_scope_claims[] = { "scope", "scp" };


void
gw_scope_from_claims(gw_scope_set_t *set, const json_t *claims,
    const gw_claim_path_t *paths, size_t n)
{
    size_t  i;

    memset(set, 0, sizeof(gw_scope_set_t));

    if (paths == NULL) {

        for (i = 0; i < sizeof(gw_scope_claims) / sizeof(char *); i++) {

            if (gw_scope_from_value(set, json_object_get(claims,
                                                  gw_scope_claims[i])))
            {
                return;
            }
        }

        return;
    }

    for (i = 0; i < n; i++) {

        if (gw_scope_from_value(set, gw_claim_path_get(&paths[i], claims))) {
            return;
        }
    }
}


static int
gw_scope_from_value(gw_scope_set_t *set, const json_t *value)
{
    if (json_is_string(value)) {
        gw_scope_from_text(set, json_string_value(value),
                           json_string_length(value));
        return 1;
    }

    if (json_is_array(value)) {
        set->array = value;
        return 1;
    }

    return 0;
}


void
gw_scope_from_text(gw_scope_set_t *set, const char *data, size_t len)
{
    memset(set, 0, sizeof(gw_scope_set_t));

    set->data = data;
    set->len = len;
}


void
gw_scope_from_key(gw_scope_set_t *set, const char *data, size_t len)
{
    memset(set, 0, sizeof(gw_scope_set_t));

    if (data != NULL) {
        set->data = data;
        set->len = len;
        set->comma = 1;
    }
}


int
gw_scope_has(const gw_scope_set_t *set, const gw_scope_t *scope)
{
    size_t      pos;
    gw_scope_t  granted;

    pos = 0;

    while (gw_scope_next(set, &pos, &granted)) {

        if (granted.len == scope->len
            && memcmp(granted.data, scope->data, scope->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


gw_status_e
gw_scope_check(const gw_scope_set_t *set, const gw_scope_t *scopes, size_t n,
    int all)
{
    int     has;
    size_t  i;

    has = 0;

    for (i = 0; i < n; i++) {
        has = gw_scope_has(set, &scopes[i]);

        if (has != (all != 0)) {
            break;
        }
    }

    return has ? GW_OK : GW_DECLINED;
}


int
gw_scope_next(const gw_scope_set_t *set, size_t *pos, gw_scope_t *scope)
{
    size_t  i, start;

    if (set->array != NULL) {
        return gw_scope_next_element(set, pos, scope);
    }

    for (i = *pos; i < set->len; i++) {

        if (set->data[i] != ' ' && !(set->comma && set->data[i] == ',')) {
            break;
        }
    }

    start = i;

    for ( /* void */ ; i < set->len; i++) {

        if (set->data[i] == ' ' || (set->comma && set->data[i] == ',')) {
            break;
        }
    }

    *pos = i;

    if (i == start) {
        return 0;
    }

    scope->data = set->data + start;
    scope->len = i - start;

    return 1;
}


static int
gw_scope_next_element(const gw_scope_set_t *set, size_t *pos,
    gw_scope_t *scope)
{
    size_t         i;
    const json_t  *element;

    for (i = *pos; i < json_array_size(set->array); i++) {

        element = json_array_get(set->array, i);

        if (json_is_string(element) && json_string_length(element) != 0) {
            scope->data = json_string_value(element);
            scope->len = json_string_length(element);
            *pos = i + 1;
            return 1;
        }
    }

    *pos = i;

    return 0;
}


int
gw_scope_is_token(const char *data, size_t len)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < len; i++) {
        c = (unsigned char) data[i];

        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\') {
            return 0;
        }
    }

    return len != 0;
}
