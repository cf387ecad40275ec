
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * What the unit programs of the JOSE core share: files of t/data/jose.  The
 * programs are started in the root of the source tree.
 */


#ifndef GW_TEST_JOSE_H
#define GW_TEST_JOSE_H


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw_alg.h"
#include "gw_jwk.h"
#include "tap.h"


#define JOSE_DIR  "t/data/jose/"


/* memory, or the program ends; not inlined, or gcc sees a NULL in it */

__attribute__((unused, noinline, returns_nonnull))
static void *
jose_alloc(size_t size)
{
    void  *p;

    p = malloc(size ? size : 1);

    if (p == NULL) {
        abort();
    }

    return p;
}


/* reads a file; the caller frees it; a missing file ends the program */

__attribute__((unused))
static unsigned char *
jose_file(const char *name, size_t *len)
{
    char            path[256];
    FILE           *f;
    unsigned char  *data;

    snprintf(path, sizeof(path), JOSE_DIR "%s", name);

    f = fopen(path, "rb");
    if (f == NULL) {
        printf("Bail out! cannot open %s\n", path);
        exit(1);
    }

    data = jose_alloc(1024 * 1024);

    *len = fread(data, 1, 1024 * 1024 - 1, f);
    data[*len] = '\0';

    fclose(f);

    return data;
}


__attribute__((unused))
static gw_jwk_format_e
jose_format(const char *name)
{
    return (strstr(name, ".pem") != NULL) ? GW_JWK_PEM : GW_JWK_JWKS;
}


__attribute__((unused))
static gw_jwk_set_t *
jose_keys(const char *name, gw_hash_t *hash, gw_jwk_error_t *err)
{
    size_t          len;
    gw_jwk_set_t   *set;
    unsigned char  *data;

    data = jose_file(name, &len);

    set = gw_jwk_set_parse(data, len, jose_format(name), 0, hash, err);

    free(data);

    return set;
}


/* "RS256,ES256" */

__attribute__((unused))
static gw_alg_mask_t
jose_algs(const char *text)
{
    size_t         n;
    gw_alg_e       alg;
    gw_alg_mask_t  mask;

    mask = 0;

    while (*text != '\0') {
        n = strcspn(text, ",");

        alg = gw_alg_find((const unsigned char *) text, n);
        if (alg != GW_ALG_MAX) {
            mask |= gw_alg_bit(alg);
        }

        text += n;
        text += (*text == ',');
    }

    return mask;
}


#endif /* GW_TEST_JOSE_H */
