
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The members of a JSON object where they stand, without a tree: for objects
 * so plain that their text is their value, as those of most tokens are.
 *
 * It never refuses anything: what it does not take, gw_json_load() has to
 * decide about.  What it takes gw_json_load() would load, to the same values.
 */


#ifndef GW_JSON_FLAT_H
#define GW_JSON_FLAT_H


#include <jansson.h>

#include "gw.h"


#define GW_JSON_FLAT_MEMBERS  32    /* in objects that are open at a time */
#define GW_JSON_FLAT_DEPTH    8     /* levels, the object itself is one */
#define GW_JSON_FLAT_NAME     255   /* bytes */
#define GW_JSON_FLAT_DIGITS   18    /* of an integer, any such fits */


/* offsets in the text; a string is between its quotes */

typedef struct {
    uint32_t          name;
    uint32_t          value;
    uint32_t          len;          /* of the value */
    uint8_t           name_len;
    uint8_t           type;         /* a json_type, none of JSON_REAL */
} gw_json_flat_member_t;


/* how many of each there are at all levels: what a tree would be made of */

typedef struct {
    uint32_t          objects;
    uint32_t          members;
    uint32_t          arrays;
    uint32_t          elements;
    uint32_t          strings;      /* that are values */
    uint32_t          integers;
    uint32_t          bytes;        /* of strings and names */
} gw_json_count_t;


typedef struct {
    gw_json_count_t        count;
    unsigned               n;
    gw_json_flat_member_t  members[GW_JSON_FLAT_MEMBERS];   /* of the top */
} gw_json_flat_t;


/*
 * Reads an object that fills the text to the last byte.
 *
 * Returns GW_OK, or GW_DECLINED when it has an escape, a real, the same name
 * twice, more than one of the limits above, or is no object or no JSON.
 */
gw_status_e gw_json_flat(gw_json_flat_t *flat, const unsigned char *data,
    size_t len);

/*
 * Finds a member of the top level.
 *
 *     data  the text that was read
 *
 * Returns NULL if there is none of that name.
 */
const gw_json_flat_member_t *gw_json_flat_get(const gw_json_flat_t *flat,
    const unsigned char *data, const char *name, size_t len);

/*
 * Returns the value of a JSON_INTEGER.
 */
int64_t gw_json_flat_integer(const unsigned char *data,
    const gw_json_flat_member_t *member);

/*
 * Walks over a JSON_ARRAY of strings.
 *
 *     pos   in/out: 0 at the start
 *     text  out: on GW_OK, with its length
 *
 * Returns GW_OK, GW_DECLINED at the end, or GW_ERROR: an element is no string.
 */
gw_status_e gw_json_flat_next(const unsigned char *data,
    const gw_json_flat_member_t *array, size_t *pos, const char **text,
    size_t *len);


#endif /* GW_JSON_FLAT_H */
