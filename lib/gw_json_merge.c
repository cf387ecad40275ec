
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json_merge.h"
#include "gw_siphash.h"


static uint64_t gw_json_merge_hash(const gw_json_merge_t *m,
    const gw_json_text_t *name);
static uint32_t gw_json_merge_look(const gw_json_merge_t *m,
    const gw_json_text_t *name, uint64_t hash);
static size_t gw_json_merge_room(const gw_json_merge_t *m, size_t n);


void
gw_json_merge_init(gw_json_merge_t *m, const uint64_t key[2], int first)
{
    memset(m, 0, sizeof(gw_json_merge_t));

    m->key[0] = key[0];
    m->key[1] = key[1];
    m->first = first != 0;
}


static size_t
gw_json_merge_room(const gw_json_merge_t *m, size_t n)
{
    size_t  room;

    for (room = m->room ? m->room : 16; room < m->nnames + n; room *= 2) {
        /* void */
    }

    return room;
}


size_t
gw_json_merge_size(const gw_json_merge_t *m, size_t n)
{
    size_t  room;

    room = gw_json_merge_room(m, n);

    return room == m->room
           ? 0 : room * (sizeof(gw_json_merge_name_t) + sizeof(uint32_t));
}


void
gw_json_merge_move(gw_json_merge_t *m, void *memory, size_t n)
{
    size_t                 i;
    uint32_t              *bucket;
    gw_json_merge_name_t  *names;

    names = memory;

    if (m->nnames) {
        memcpy(names, m->names, m->nnames * sizeof(gw_json_merge_name_t));
    }

    m->room = gw_json_merge_room(m, n);
    m->names = names;
    m->buckets = (uint32_t *) (names + m->room);

    memset(m->buckets, 0xff, m->room * sizeof(uint32_t));

    for (i = 0; i < m->nnames; i++) {
        if (!names[i].lost) {
            bucket = &m->buckets[names[i].hash & (m->room - 1)];
            names[i].next = *bucket;
            *bucket = (uint32_t) i;
        }
    }
}


static uint64_t
gw_json_merge_hash(const gw_json_merge_t *m, const gw_json_text_t *name)
{
    uint64_t  hash[2];

    gw_siphash13(m->key, name->data, name->len, hash);

    return hash[0];
}


static uint32_t
gw_json_merge_look(const gw_json_merge_t *m, const gw_json_text_t *name,
    uint64_t hash)
{
    uint32_t                     i;
    const gw_json_merge_name_t  *other;

    if (m->room == 0) {
        return GW_JSON_MERGE_NONE;
    }

    for (i = m->buckets[hash & (m->room - 1)]; i != GW_JSON_MERGE_NONE;
         i = other->next)
    {
        other = &m->names[i];

        if (!other->lost && other->hash == hash
            && other->name.len == name->len
            && memcmp(other->name.data, name->data, name->len) == 0)
        {
            return i;
        }
    }

    return GW_JSON_MERGE_NONE;
}


uint32_t
gw_json_merge_find(const gw_json_merge_t *m, const gw_json_text_t *name)
{
    return gw_json_merge_look(m, name, gw_json_merge_hash(m, name));
}


void
gw_json_merge_add(gw_json_merge_t *m, const gw_json_text_t *name,
    uint32_t group)
{
    uint32_t               i, n, *bucket;
    gw_json_merge_name_t  *entry, *other;

    n = (uint32_t) m->nnames++;
    entry = &m->names[n];

    entry->name = *name;
    entry->hash = gw_json_merge_hash(m, name);
    entry->group = group;
    entry->lost = 0;

    i = gw_json_merge_look(m, name, entry->hash);

    if (i != GW_JSON_MERGE_NONE) {
        other = &m->names[i];

        if (other->group != group
            && (m->first || other->group == GW_JSON_MERGE_RESERVED))
        {
            entry->lost = 1;
            return;
        }

        other->lost = 1;
    }

    bucket = &m->buckets[entry->hash & (m->room - 1)];
    entry->next = *bucket;
    *bucket = n;
}


gw_status_e
gw_json_merge_next(const gw_json_merge_t *m, size_t base,
    const gw_json_member_t *members, size_t n, size_t *i,
    gw_json_range_t *range)
{
    while (*i < n && m->names[base + *i].lost) {
        (*i)++;
    }

    if (*i == n) {
        return GW_DECLINED;
    }

    range->start = members[*i].key.start;

    while (*i < n && !m->names[base + *i].lost) {
        range->end = members[*i].end;
        (*i)++;
    }

    return GW_OK;
}
