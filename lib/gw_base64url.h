
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * base64url without padding (RFC 4648, 5; RFC 7515, 2), strict: there is
 * exactly one text for a sequence of bytes.
 */


#ifndef GW_BASE64URL_H
#define GW_BASE64URL_H


#include "gw.h"


/* a size that is enough for the output; len is the length of the input */

#define gw_base64url_encoded_length(len)                                      \
    ((len) / 3 * 4 + ((len) % 3 * 8 + 5) / 6)

#define gw_base64url_decoded_length(len)                                      \
    ((len) / 4 * 3 + (len) % 4 * 6 / 8)


/*
 * Decodes.
 *
 *     dst   at least gw_base64url_decoded_length(len) bytes; may not overlap
 *     dlen  out: number of bytes, always that length
 *
 * Returns GW_OK, or GW_DECLINED for padding, white space, any byte outside of
 * the alphabet, an impossible length or bits set behind the last byte; dst is
 * undefined then.
 */
gw_status_e gw_base64url_decode(unsigned char *dst, size_t *dlen,
    const unsigned char *src, size_t len);

/*
 * Encodes, without padding.
 *
 *     dst  at least gw_base64url_encoded_length(len) bytes; may not overlap
 *
 * Returns the number of bytes written.  Cannot fail.
 */
size_t gw_base64url_encode(unsigned char *dst, const unsigned char *src,
    size_t len);


#endif /* GW_BASE64URL_H */
