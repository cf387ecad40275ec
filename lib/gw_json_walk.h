
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What is read of JSON that gw_json_scan has found valid: the elements of an
 * array, and the text of a string.
 */


#ifndef GW_JSON_WALK_H
#define GW_JSON_WALK_H


#include "gw.h"
#include "gw_json_pointer.h"


typedef struct {
    gw_json_range_t          range;     /* in the document, no white space */
    u_char                   first;     /* its first byte: its kind */
    u_char                   empty;     /* "[]", "{}" with any white space */
} gw_json_element_t;


typedef struct {
    gw_json_element_t        element;   /* that is being read */
    size_t                   offset;    /* in the document, of the next byte */
    size_t                   depth;     /* 1: in the array */
    u_char                   string;
    u_char                   escape;
    u_char                   started;
} gw_json_elements_t;


/*
 * Begins with the array whose first byte, its bracket, stands at start.
 */
void gw_json_elements_begin(gw_json_elements_t *e, size_t start);


/*
 * Finds the next element.  The document, valid JSON, may come in pieces.
 *
 *     p        in/out: where it reads; the first piece begins at the bracket
 *     last     end of the piece
 *     element  out: on GW_OK
 *
 * Returns GW_OK; GW_AGAIN at the end of the piece; GW_DECLINED when there
 * is no further element.
 */
gw_status_e gw_json_elements_next(gw_json_elements_t *e, const u_char **p,
    const u_char *last, gw_json_element_t *element);


/*
 * Decodes a string.
 *
 *     data     a valid JSON string with its quotes
 *     dst      room for len bytes
 *     dlen     out: bytes written there
 *
 * Returns GW_OK, or GW_DECLINED: it has a surrogate without its other half
 * and is no text.
 */
gw_status_e gw_json_unescape(u_char *dst, const u_char *data, size_t len,
    size_t *dlen);


/*
 * The same for any string: a surrogate without its other half makes the
 * three bytes that UTF-8 would have for it.  So two strings make the same
 * bytes when they are the same, however they are written, and only then.
 *
 * Returns the number of bytes written.  Cannot fail.
 */
size_t gw_json_unescape_any(u_char *dst, const u_char *data, size_t len);


#endif /* GW_JSON_WALK_H */
