
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * bench/run makes its tokens with this: reads a PEM key, prints a number of
 * JSON Web Tokens that differ, one a line.
 *
 *     sign KEY RS256|ES256 COUNT ISS
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>


/* seconds that a token is good for */
#define SIGN_LIFE  86400

/* bytes of a coordinate of P-256 */
#define SIGN_P256  32


static size_t encode(char *out, const unsigned char *data, size_t len);
static size_t concatenated(unsigned char *out, const unsigned char *der,
    size_t len);


int
main(int argc, char **argv)
{
    int             i, count;
    char            header[64], claims[256], token[4096];
    FILE           *f;
    size_t          len, siglen;
    EVP_PKEY       *key;
    EVP_MD_CTX     *ctx;
    unsigned char   sig[1024], raw[2 * SIGN_P256];

    if (argc != 5) {
        fprintf(stderr, "usage: sign KEY RS256|ES256 COUNT ISS\n");
        return 2;
    }

    f = fopen(argv[1], "r");
    key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
    if (key == NULL) {
        fprintf(stderr, "%s: no key\n", argv[1]);
        return 1;
    }

    fclose(f);

    snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"bench\"}",
             argv[2]);
    count = atoi(argv[3]);

    for (i = 0; i < count; i++) {
        snprintf(claims, sizeof(claims),
                 "{\"iss\":\"%s\",\"sub\":\"user-%d\",\"aud\":\"bench\","
                 "\"iat\":%ld,\"exp\":%ld,\"jti\":\"%08x\"}",
                 argv[4], i, (long) time(NULL),
                 (long) time(NULL) + SIGN_LIFE, i);

        len = encode(token, (unsigned char *) header, strlen(header));
        token[len++] = '.';
        len += encode(token + len, (unsigned char *) claims, strlen(claims));

        ctx = EVP_MD_CTX_new();
        siglen = sizeof(sig);

        if (ctx == NULL
            || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1
            || EVP_DigestSign(ctx, sig, &siglen, (unsigned char *) token, len)
               != 1)
        {
            fprintf(stderr, "cannot sign\n");
            return 1;
        }

        EVP_MD_CTX_free(ctx);

        token[len++] = '.';

        if (strcmp(argv[2], "ES256") == 0) {
            siglen = concatenated(raw, sig, siglen);
            len += encode(token + len, raw, siglen);

        } else {
            len += encode(token + len, sig, siglen);
        }

        printf("%.*s\n", (int) len, token);
    }

    EVP_PKEY_free(key);

    return 0;
}


/* base64url without padding */

static size_t
encode(char *out, const unsigned char *data, size_t len)
{
    char    *p;
    size_t   n;

    n = (size_t) EVP_EncodeBlock((unsigned char *) out, data, (int) len);

    while (n > 0 && out[n - 1] == '=') {
        n--;
    }

    for (p = out; p < out + n; p++) {
        if (*p == '+') {
            *p = '-';

        } else if (*p == '/') {
            *p = '_';
        }
    }

    return n;
}


/* RFC 7518, 3.4: R and S, each of the length of the field */

static size_t
concatenated(unsigned char *out, const unsigned char *der, size_t len)
{
    ECDSA_SIG  *sig;

    sig = d2i_ECDSA_SIG(NULL, &der, (long) len);
    if (sig == NULL) {
        return 0;
    }

    BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, SIGN_P256);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + SIGN_P256, SIGN_P256);

    ECDSA_SIG_free(sig);

    return 2 * SIGN_P256;
}
