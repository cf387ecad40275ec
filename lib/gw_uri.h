
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * URIs that are put together from text which a client may have chosen.
 */


#ifndef GW_URI_H
#define GW_URI_H


#include "gw.h"


/* bytes that one byte of a value can become: %XX */
#define GW_URI_ESCAPE_MAX  3


/*
 * Writes a value taken from a query string as one component: it is decoded
 * as the query of a form is ("+" is a space, a "%" that begins no code
 * stands for itself), then every byte but the unreserved ones of RFC 3986
 * is written as %XX.
 *
 *     dst       room for len * GW_URI_ESCAPE_MAX bytes
 *
 * Returns the end of what was written.  Cannot fail.
 */
u_char *gw_uri_component(u_char *dst, const u_char *data, size_t len);


/*
 * Writes text of a path that has been decoded: every byte but "/" and the
 * unreserved ones of RFC 3986 is written as %XX.
 *
 *     dst       room for len * GW_URI_ESCAPE_MAX bytes
 *
 * Returns the end of what was written.  Cannot fail.
 */
u_char *gw_uri_text(u_char *dst, const u_char *data, size_t len);


/*
 * Checks the path of an internal request and decodes it.
 *
 *     dst       room for len bytes
 *     dlen      out: bytes written there
 *     encoded   out: 1 when the path has an encoded slash, so that decoding
 *               has changed what its segments are
 *
 * Returns GW_OK, or GW_DECLINED: the path does not begin with "/", has a
 * byte that cannot stand in a URI, a broken code, an encoded NUL or a
 * segment that is "." or "..", however written.
 */
gw_status_e gw_uri_path(const u_char *data, size_t len, u_char *dst,
    size_t *dlen, unsigned *encoded);


/*
 * Checks arguments, which are sent on as they are: no control character, no
 * space and no "#".
 *
 * Returns GW_OK or GW_DECLINED.
 */
gw_status_e gw_uri_args(const u_char *data, size_t len);


#endif /* GW_URI_H */
