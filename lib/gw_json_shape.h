
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What is left of a value when members are dropped, picked and renamed: a
 * list of edits that the scanner makes as it goes, nothing is parsed twice
 * and no value is written anew.  The members of the value can be listed, for
 * those who merge objects.
 */


#ifndef GW_JSON_SHAPE_H
#define GW_JSON_SHAPE_H


#include "gw.h"
#include "gw_json_pointer.h"
#include "gw_json_scan.h"


/* what an edit puts in the place of its bytes: a key, from 0, or one of */

#define GW_JSON_SHAPE_NOTHING  0x100
#define GW_JSON_SHAPE_COMMA    0x101


typedef struct {
    size_t                   start;     /* bytes [start, end) give way */
    size_t                   end;
    uint32_t                 text;
} gw_json_edit_t;


/* a member of the value: [key.start, end), without what stands around it but
   for white space before end */

typedef struct {
    gw_json_range_t          key;       /* with its quotes */
    size_t                   end;
    uint32_t                 text;      /* the new key, or NOTHING: as sent */
} gw_json_member_t;


/* an open container on a path of the trie; private to lib/ */

typedef struct {
    size_t                   kept;      /* end of what stays, as the comma
                                           behind the last kept member */
    uint8_t                  some;      /* a member was kept */
    uint8_t                  removed;   /* one was not, since then */
    uint8_t                  live;      /* it is in the output */
    uint8_t                  whole;     /* all that is not dropped stays */
    uint8_t                  listed;    /* the value: its members are */
    uint8_t                  open;      /* the last member has no end yet */
} gw_json_shape_level_t;


/*
 * The caller sets the first two blocks; "edits" may be NULL while "room" is
 * 0, and so may "members".  The pointers that "drop", "pick" and "rename"
 * name, a bit each, lead through the value that "at" names.
 */

struct gw_json_shape_s {
    uint64_t                 at;
    uint64_t                 drop;
    uint64_t                 pick;
    uint64_t                 rename;
    const gw_json_text_t    *keys;      /* by pointer: the new one, quoted */
    uint32_t                *seen;      /* one for each node of the trie */
    gw_json_edit_t          *edits;
    size_t                   room;
    gw_status_e            (*more)(gw_json_shape_t *sh);    /* more room */
    void                    *data;

    gw_json_member_t        *members;
    size_t                   members_room;
    size_t                   members_max;       /* 0: they are not listed */
    gw_status_e            (*more_members)(gw_json_shape_t *sh);

    /* results */
    size_t                   nedits;
    size_t                   nmembers;
    uint8_t                  failed;    /* there was no more room */
    uint8_t                  crowded;   /* more members than may be */
    uint8_t                  scalar;    /* the value has nothing to pick */

    /* the rest is of the scanner alone */
    uint8_t                  live;
    uint8_t                  whole;
    uint8_t                  listed;
    size_t                   start;     /* of the coming value */
    gw_json_shape_level_t    levels[GW_JSON_POINTER_MAX_TOKENS + 2];
};


typedef struct {
    const gw_json_shape_t   *shape;
    size_t                   i;
    size_t                   pos;
    size_t                   end;
} gw_json_shape_walk_t;


typedef struct {
    const u_char            *data;      /* a text, or NULL: the range */
    size_t                   len;
    gw_json_range_t          range;     /* of the document */
} gw_json_shape_piece_t;


/*
 * Makes a scanner that tracks a trie shape a value.  To be called between
 * gw_json_scan_track() and the first byte.
 *
 * A value that is on the way to picked ones, but is neither an object nor an
 * array, is not picked; sh->scalar tells that the value itself is one.  In
 * an object of which only named members are picked, the last one of those
 * with the same name is.  Of pointers that rename the same member the first
 * one does.
 */
void gw_json_shape_begin(gw_json_scan_t *s, gw_json_shape_t *sh);


/*
 * Goes through what is left of the value, or of a piece of it that begins
 * and ends with a member or an element, when the scan has ended well and
 * sh->failed is not set.
 *
 *     range  of the value, as it was tracked, or of the piece
 */
void gw_json_shape_first(gw_json_shape_walk_t *w, const gw_json_shape_t *sh,
    const gw_json_range_t *range);


/*
 * Returns GW_OK with the next piece, which is not empty, or GW_DECLINED at
 * the end.
 */
gw_status_e gw_json_shape_next(gw_json_shape_walk_t *w,
    gw_json_shape_piece_t *piece);


/*
 * What the scanner tells of containers on the trie: a value in one begins,
 * it is opened, has a comma at offset, is closed by the byte there.
 */
void gw_json_shape_value(gw_json_scan_t *s, size_t offset, int container);
void gw_json_shape_open(gw_json_scan_t *s);
void gw_json_shape_comma(gw_json_scan_t *s, size_t offset);
void gw_json_shape_close(gw_json_scan_t *s, size_t offset);


#endif /* GW_JSON_SHAPE_H */
