
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Which members of several objects make one object: each name once.  A table
 * of names under a secret key, which the caller gives its memory.
 */


#ifndef GW_JSON_MERGE_H
#define GW_JSON_MERGE_H


#include "gw.h"
#include "gw_json_pointer.h"
#include "gw_json_shape.h"


#define GW_JSON_MERGE_NONE      ((uint32_t) -1)

/* the group of names that nothing else can have */
#define GW_JSON_MERGE_RESERVED  ((uint32_t) -1)


typedef struct {
    gw_json_text_t           name;      /* decoded */
    uint64_t                 hash;
    uint32_t                 group;     /* the object that it is of */
    uint32_t                 next;      /* in the same bucket */
    uint8_t                  lost;      /* another one has the name */
} gw_json_merge_name_t;


typedef struct {
    gw_json_merge_name_t    *names;     /* in the order in which they came */
    uint32_t                *buckets;
    size_t                   nnames;
    size_t                   room;      /* a power of two */
    uint64_t                 key[2];
    uint8_t                  first;     /* of several groups the first one
                                           has the name, not the last one */
} gw_json_merge_t;


/*
 * Begins a table that has no room yet.
 *
 *     key    128 secret bits, so that nobody can choose names that collide
 *     first  what happens to a name that two groups have
 */
void gw_json_merge_init(gw_json_merge_t *m, const uint64_t key[2], int first);


/*
 * The number of bytes for n further names, in one block aligned as malloc()
 * aligns, or 0 when there is room for them.
 */
size_t gw_json_merge_size(const gw_json_merge_t *m, size_t n);


/*
 * Moves the table to a block of that size, for the same n.  What it had
 * before can be freed.
 */
void gw_json_merge_move(gw_json_merge_t *m, void *memory, size_t n);


/*
 * Finds who has a name.
 *
 * Returns its number in m->names, or GW_JSON_MERGE_NONE.
 */
uint32_t gw_json_merge_find(const gw_json_merge_t *m,
    const gw_json_text_t *name);


/*
 * Adds a name, which there must be room for.  Groups come one after the
 * other; in one group the last one of equal names counts.
 *
 *     name   outlives the table
 */
void gw_json_merge_add(gw_json_merge_t *m, const gw_json_text_t *name,
    uint32_t group);


/*
 * Finds the next members of an object that stand next to each other and have
 * their names.
 *
 *     base     number of the first member's name in m->names
 *     i        in/out: where to look; 0 at first
 *     range    out: from the first one's key to the last one's end
 *
 * Returns GW_OK, or GW_DECLINED when there are no more.
 */
gw_status_e gw_json_merge_next(const gw_json_merge_t *m, size_t base,
    const gw_json_member_t *members, size_t n, size_t *i,
    gw_json_range_t *range);


#endif /* GW_JSON_MERGE_H */
