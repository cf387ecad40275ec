
/*
 * Copyright (C) the nginx gateway modules developers
 */


#ifndef GW_JSON_ESCAPE_H
#define GW_JSON_ESCAPE_H


#include "gw.h"


/* bytes that one byte of text can become in a JSON string: \u0000 */
#define GW_JSON_ESCAPE_MAX  6


/*
 * Length of the well-formed UTF-8 sequence at p (RFC 3629: no overlong form,
 * no surrogate, nothing above U+10FFFF), 1 to 4; 0 when it is malformed or
 * cut by last.  p < last.
 */
size_t gw_json_utf8(const u_char *p, const u_char *last);


/*
 * The length of a text as the content of a JSON string, without the quotes.
 *
 *     len       out: bytes that gw_json_escape() will write
 *     offset    out: on GW_DECLINED, of the first byte that is no UTF-8
 *
 * Returns GW_OK or GW_DECLINED: the text is not valid UTF-8.
 */
gw_status_e gw_json_escape_len(const u_char *data, size_t size, size_t *len,
    size_t *offset);


/*
 * Writes a text as the content of a JSON string: the short forms of RFC 8259
 * where there is one, \u00XX for the other control characters, every other
 * byte as it is.
 *
 *     dst       room for the length that gw_json_escape_len() told, or for
 *               size * GW_JSON_ESCAPE_MAX bytes
 *
 * Returns the end of what was written.  Cannot fail; of a text that
 * gw_json_escape_len() declined it makes an invalid string.
 */
u_char *gw_json_escape(u_char *dst, const u_char *data, size_t size);


#endif /* GW_JSON_ESCAPE_H */
