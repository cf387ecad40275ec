
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * SHA-2 and HMAC with everything that can be done once done once: fetching a
 * digest from a provider costs more than hashing a token with it.
 */


#ifndef GW_HASH_H
#define GW_HASH_H


#include "gw.h"


#define GW_HASH_MAX_LEN  64       /* bytes of SHA-512 */


typedef enum {
    GW_HASH_SHA256 = 0,
    GW_HASH_SHA384,
    GW_HASH_SHA512,
    GW_HASH_MAX
} gw_hash_e;


typedef struct gw_hash_s      gw_hash_t;
typedef struct gw_hmac_key_s  gw_hmac_key_t;


/*
 * Makes a scratch object that holds the digests of one caller (a worker; not
 * for two threads at a time).
 *
 * Returns NULL if out of memory or if libcrypto has no SHA-2.
 */
gw_hash_t *gw_hash_create(void);

/*
 * Frees the object; NULL is allowed.
 */
void gw_hash_destroy(gw_hash_t *hash);

/*
 * Returns the length of a digest in bytes: 32, 48 or 64.
 */
size_t gw_hash_length(gw_hash_e type);

/*
 * Hashes bytes.
 *
 *     out  gw_hash_length(type) bytes
 *
 * Returns GW_OK or GW_ERROR (libcrypto failed, out is undefined).
 */
gw_status_e gw_hash_digest(gw_hash_t *hash, gw_hash_e type,
    const unsigned char *data, size_t len, unsigned char *out);

/*
 * Prepares a secret for gw_hmac(): the states of RFC 2104 after the padded
 * blocks.
 *
 *     hash  needed during the call only
 *
 * Returns NULL if out of memory.  The secret itself is not kept.
 */
gw_hmac_key_t *gw_hmac_key_create(gw_hash_t *hash, gw_hash_e type,
    const unsigned char *secret, size_t len);

/*
 * Clears and frees a prepared secret; NULL is allowed.
 */
void gw_hmac_key_destroy(gw_hmac_key_t *key);

/*
 * Computes HMAC (RFC 2104) with a prepared secret.
 *
 *     out  gw_hash_length() bytes; compare them with CRYPTO_memcmp()
 *
 * Returns GW_OK or GW_ERROR (libcrypto failed, out is undefined).
 */
gw_status_e gw_hmac(gw_hash_t *hash, const gw_hmac_key_t *key,
    const unsigned char *data, size_t len, unsigned char *out);


#endif /* GW_HASH_H */
