
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "gw_jwk.h"
#include "gw_jwk_key.h"


static gw_status_e gw_jwk_read_blocks(gw_jwk_set_t *set, BIO *bio,
    gw_hash_t *hash, gw_jwk_error_t *err);
static gw_status_e gw_jwk_read_block(gw_jwk_t *key, const char *name,
    const unsigned char *der, long len, gw_hash_t *hash,
    gw_jwk_error_t *err);
static EVP_PKEY *gw_jwk_pem_decode(const char *name,
    const unsigned char *der, long len);


gw_status_e
gw_jwk_read_pem(gw_jwk_set_t *set, const unsigned char *data, size_t len,
    gw_hash_t *hash, gw_jwk_error_t *err)
{
    BIO          *bio;
    gw_status_e   rc;

    bio = BIO_new_mem_buf(data, (int) len);
    if (bio == NULL) {
        return gw_jwk_fail_crypto(err, GW_JWK_E_MEMORY, "out of memory");
    }

    ERR_clear_error();

    rc = gw_jwk_read_blocks(set, bio, hash, err);

    BIO_free(bio);

    return rc;
}


static gw_status_e
gw_jwk_read_blocks(gw_jwk_set_t *set, BIO *bio, gw_hash_t *hash,
    gw_jwk_error_t *err)
{
    long            len;
    char           *name, *header;
    gw_jwk_t       *key;
    gw_status_e     rc;
    unsigned long   e;
    unsigned char  *der;

    for ( ;; ) {

        if (PEM_read_bio(bio, &name, &header, &der, &len) != 1) {

            e = ERR_peek_last_error();

            if (set->nkeys != 0
                && ERR_GET_LIB(e) == ERR_LIB_PEM
                && ERR_GET_REASON(e) == PEM_R_NO_START_LINE)
            {
                ERR_clear_error();
                err->index = -1;
                return GW_OK;
            }

            return gw_jwk_fail_crypto(err, GW_JWK_E_FORMAT, "the text is not "
                                      "PEM; give \"BEGIN PUBLIC KEY\" or "
                                      "\"BEGIN CERTIFICATE\"");
        }

        err->index = (int) set->nkeys;

        key = gw_jwk_set_add(set, err);

        rc = (key != NULL)
             ? gw_jwk_read_block(key, name, der, len, hash, err) : GW_ERROR;

        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, len);

        if (rc != GW_OK) {
            return GW_ERROR;
        }
    }
}


static gw_status_e
gw_jwk_read_block(gw_jwk_t *key, const char *name, const unsigned char *der,
    long len, gw_hash_t *hash, gw_jwk_error_t *err)
{
    gw_status_e  rc;

    if (strstr(name, "PRIVATE KEY") != NULL) {
        return gw_jwk_fail(err, GW_JWK_E_PRIVATE, "the key is a private key; "
                           "give its public key (openssl pkey -pubout)");
    }

    key->pkey = gw_jwk_pem_decode(name, der, len);

    if (key->pkey == NULL) {
        return gw_jwk_fail_crypto(err, GW_JWK_E_FORMAT, "a block of the PEM "
                                  "text is not a public key or certificate");
    }

    rc = gw_jwk_inspect(key, hash, err);

    if (rc == GW_OK) {
        key->algs = gw_jwk_family(key);
        return gw_jwk_prepare(key, hash, err);
    }

    if (rc == GW_DECLINED) {
        return gw_jwk_fail(err, GW_JWK_E_FORMAT, "the kind of key verifies "
                           "no JWT; use RSA, EC (P-256, P-384, P-521, "
                           "secp256k1), Ed25519, Ed448 or ML-DSA");
    }

    return rc;
}


static EVP_PKEY *
gw_jwk_pem_decode(const char *name, const unsigned char *der, long len)
{
    X509      *cert;
    EVP_PKEY  *pkey;

    if (strcmp(name, PEM_STRING_PUBLIC) == 0) {
        return d2i_PUBKEY(NULL, &der, len);
    }

    if (strcmp(name, PEM_STRING_RSA_PUBLIC) == 0) {
        return d2i_PublicKey(EVP_PKEY_RSA, NULL, &der, len);
    }

    if (strcmp(name, PEM_STRING_X509) != 0) {
        return NULL;
    }

    cert = d2i_X509(NULL, &der, len);
    if (cert == NULL) {
        return NULL;
    }

    pkey = X509_get_pubkey(cert);

    X509_free(cert);

    return pkey;
}
