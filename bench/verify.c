
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What one signature costs without nginx: verifies the same one again and
 * again with a context that was made once, as the module does, and prints
 * the microseconds of processor time for each.
 *
 *     verify KEY SECONDS
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>


/* bytes that are signed, about those of a token */
#define VERIFY_TEXT   256

/* verifications between two looks at the clock */
#define VERIFY_BATCH  32


static double
used(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


int
main(int argc, char **argv)
{
    int             i;
    FILE           *f;
    long            n;
    size_t          siglen;
    double          start, time, seconds;
    EVP_PKEY       *key;
    EVP_PKEY_CTX   *ctx;
    EVP_MD_CTX     *md;
    unsigned        len;
    unsigned char   text[VERIFY_TEXT], sig[1024], digest[EVP_MAX_MD_SIZE];

    f = (argc == 3) ? fopen(argv[1], "r") : NULL;
    key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

    if (key == NULL) {
        fprintf(stderr, "usage: verify KEY SECONDS\n");
        return 2;
    }

    memset(text, 'x', sizeof(text));
    seconds = atof(argv[2]);
    siglen = sizeof(sig);
    md = EVP_MD_CTX_new();
    ctx = EVP_PKEY_CTX_new(key, NULL);

    if (md == NULL
        || ctx == NULL
        || EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) != 1
        || EVP_DigestSign(md, sig, &siglen, text, sizeof(text)) != 1
        || EVP_PKEY_verify_init(ctx) != 1
        || EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1)
    {
        fprintf(stderr, "%s: cannot sign\n", argv[1]);
        return 1;
    }

    n = 0;
    start = used();

    do {
        for (i = 0; i < VERIFY_BATCH; i++) {

            if (EVP_Digest(text, sizeof(text), digest, &len, EVP_sha256(),
                           NULL)
                != 1
                || EVP_PKEY_verify(ctx, sig, siglen, digest, len) != 1)
            {
                fprintf(stderr, "%s: cannot verify\n", argv[1]);
                return 1;
            }
        }

        n += VERIFY_BATCH;
        time = used() - start;

    } while (time < seconds);

    printf("%.2f\n", time * 1e6 / (double) n);

    return 0;
}
