
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "gw_alg.h"
#include "gw_hash.h"
#include "tap.h"


static const gw_hash_e  types[] = {
    GW_HASH_SHA256, GW_HASH_SHA384, GW_HASH_SHA512
};


/* FIPS 180-2: "abc"; RFC 4231, test case 2 and 6 */

static const char  abc256[] =
    "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
    "\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad";

static const char  jefe256[] =
    "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
    "\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43";

static const char  long256[] =
    "\x60\xe4\x31\x59\x1e\xe0\xb6\x7f\x0d\x8a\x26\xaa\xcb\xf5\xb7\x7f"
    "\x8e\x0b\xc6\x21\x37\x28\xc5\x14\x05\x46\x04\x0f\x0e\xe3\x7f\x54";


static int
same(gw_hash_t *hash, gw_hash_e type, size_t klen, size_t dlen)
{
    size_t           i;
    unsigned         elen;
    gw_status_e      rc;
    const EVP_MD    *md;
    gw_hmac_key_t   *key;
    unsigned char    secret[256], data[256], out[64], expected[64];

    for (i = 0; i < 256; i++) {
        secret[i] = (unsigned char) (i * 7 + 1);
        data[i] = (unsigned char) (i * 11 + 5);
    }

    md = (type == GW_HASH_SHA256) ? EVP_sha256()
         : (type == GW_HASH_SHA384) ? EVP_sha384() : EVP_sha512();

    key = gw_hmac_key_create(hash, type, secret, klen);

    rc = gw_hmac(hash, key, data, dlen, out);

    gw_hmac_key_destroy(key);

    HMAC(md, secret, (int) klen, data, dlen, expected, &elen);

    return rc == GW_OK && elen == gw_hash_length(type)
           && memcmp(out, expected, elen) == 0;
}


static void
test_hash(gw_hash_t *hash)
{
    int              errors;
    size_t           i, k, d;
    gw_hmac_key_t   *key;
    unsigned char    out[64], text[131];

    static const size_t  lengths[] = { 0, 1, 31, 32, 63, 64, 65, 127, 128,
                                       129, 200 };

    gw_hash_digest(hash, GW_HASH_SHA256, (const unsigned char *) "abc", 3,
                   out);
    ok(memcmp(out, abc256, 32) == 0, "SHA-256 of \"abc\"");

    key = gw_hmac_key_create(hash, GW_HASH_SHA256,
                             (const unsigned char *) "Jefe", 4);
    gw_hmac(hash, key, (const unsigned char *) "what do ya want for nothing?",
            28, out);
    ok(memcmp(out, jefe256, 32) == 0, "RFC 4231, 2");
    gw_hmac_key_destroy(key);

    memset(text, 0xaa, 131);
    key = gw_hmac_key_create(hash, GW_HASH_SHA256, text, 131);
    gw_hmac(hash, key, (const unsigned char *)
            "Test Using Larger Than Block-Size Key - Hash Key First", 54,
            out);
    ok(memcmp(out, long256, 32) == 0, "RFC 4231, 6");
    gw_hmac_key_destroy(key);

    for (i = 0; i < 3; i++) {
        errors = 0;

        for (k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
            for (d = 0; d < sizeof(lengths) / sizeof(lengths[0]); d++) {
                errors += !same(hash, types[i], lengths[k], lengths[d]);
            }
        }

        ok(errors == 0, "HMAC with SHA-%zu", 8 * gw_hash_length(types[i]));
    }

    gw_hmac_key_destroy(NULL);
    gw_hash_destroy(NULL);
}


static void
test_alg(void)
{
    int       i, errors;
    gw_alg_e  alg;

    errors = 0;

    for (i = 0; i < GW_ALG_MAX; i++) {
        alg = (gw_alg_e) i;

        errors += (gw_alg_find((const unsigned char *) gw_alg_name(alg),
                               strlen(gw_alg_name(alg))) != alg);
    }

    ok(errors == 0, "every algorithm is found by its name");
    ok(gw_alg_name(GW_ALG_MAX)[0] == '\0', "what is none has no name");
    ok(gw_alg_find((const unsigned char *) "none", 4) == GW_ALG_MAX, "none");
    ok(gw_alg_find((const unsigned char *) "", 0) == GW_ALG_MAX, "nothing");
    ok(gw_alg_find((const unsigned char *) "RS25", 4) == GW_ALG_MAX, "RS25");
    ok(gw_alg_find((const unsigned char *) "EDDSA", 5) == GW_ALG_MAX,
       "EDDSA");
    ok(gw_alg_find((const unsigned char *) "ML-DSA-66", 9) == GW_ALG_MAX,
       "ML-DSA-66");

    ok(gw_alg_hash(GW_ALG_HS256) == GW_HASH_SHA256
       && gw_alg_hash(GW_ALG_RS384) == GW_HASH_SHA384
       && gw_alg_hash(GW_ALG_PS512) == GW_HASH_SHA512
       && gw_alg_hash(GW_ALG_ES256) == GW_HASH_SHA256
       && gw_alg_hash(GW_ALG_ES384) == GW_HASH_SHA384
       && gw_alg_hash(GW_ALG_ES512) == GW_HASH_SHA512
       && gw_alg_hash(GW_ALG_ES256K) == GW_HASH_SHA256,
       "the hash of an algorithm");

    ok((GW_ALG_MASK_DEFAULT & (GW_ALG_MASK_HS | GW_ALG_MASK_ML_DSA
                               | gw_alg_bit(GW_ALG_ES256K)))
       == 0, "HS, ES256K and ML-DSA are not allowed by default");

    ok(gw_alg_wanted(GW_ALG_EDDSA, gw_alg_bit(GW_ALG_ED25519))
       == gw_alg_bit(GW_ALG_ED25519)
       && gw_alg_wanted(GW_ALG_ED448, gw_alg_bit(GW_ALG_ED25519)) == 0
       && gw_alg_wanted(GW_ALG_ED448, gw_alg_bit(GW_ALG_EDDSA))
          == gw_alg_bit(GW_ALG_ED448)
       && gw_alg_wanted(GW_ALG_RS256, GW_ALG_MASK_ED) == 0
       && gw_alg_wanted(GW_ALG_MAX, ~(gw_alg_mask_t) 0) == 0,
       "A11 names of EdDSA");
}


int
main(void)
{
    gw_hash_t  *hash;

    hash = gw_hash_create();

    test_hash(hash);
    test_alg();

    gw_hash_destroy(hash);

    return done();
}
