
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * S12: how long a wrong HS256 signature takes to be refused does not tell
 * where it is wrong.
 *
 * Time alone cannot prove it: memcmp() of 32 bytes is one comparison of a
 * vector and would pass.  So CRYPTO_memcmp() is ours here, and must have been
 * asked once, about all bytes.  The clock then looks for what nobody thought
 * of; that it can see a comparison which stops early is tested first.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <math.h>
#include <time.h>

#include <openssl/crypto.h>

#include "gw_apikey.h"
#include "gw_jws.h"
#include "jose.h"


#define SAMPLES    100000
#define ROUNDS     5            /* a busy machine may spoil some of them */
#define KEPT       0.75         /* of the samples: the quickest */
#define THRESHOLD  4.5          /* Welch's t */


typedef int (*compare_pt)(const void *a, const void *b, size_t len);
typedef int (*verify_pt)(void *data);


typedef struct {
    gw_hash_t      *hash;
    gw_jws_ctx_t   *ctx;
    gw_jws_t        jws;
    gw_jwk_set_t   *set;
    unsigned char  *sig;        /* that of jws */
    unsigned char   good[GW_HASH_MAX_LEN];
    unsigned char   buf[512];
} timing_t;


static unsigned  compare_calls;
static size_t    compare_len;


/* RFC 7515, A.1: the key, and its token */

static const char  jwk[] = "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1"
    "qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}";

static const char  token[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmN"
    "vbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";


/* in place of that of libcrypto */

int
CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
    static compare_pt  real;

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "CRYPTO_memcmp");
    }

    compare_calls++;
    compare_len = len;

    return real(a, b, len);
}


static int
verify(void *data)
{
    timing_t  *t = data;

    return gw_jws_verify_key(t->ctx, &t->jws, &t->set->keys[0]) == GW_OK;
}


/* the same work, but a comparison that stops at the first difference */

static int
leak(void *data)
{
    timing_t  *t = data;

    size_t                    i;
    unsigned char             mac[GW_HASH_MAX_LEN];
    volatile unsigned char   *sig;

    if (gw_hmac(t->hash, t->set->keys[0].hmac[GW_HASH_SHA256], t->jws.token,
                t->jws.signed_len, mac)
        != GW_OK)
    {
        return 0;
    }

    sig = t->sig;

    for (i = 0; i < t->jws.sig_len; i++) {

        if (sig[i] != mac[i]) {
            return 0;
        }
    }

    return 1;
}


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1e9 + ts.tv_nsec;
}


static int
ascending(const void *a, const void *b)
{
    const double  *one = a, *two = b;

    return (*one > *two) - (*one < *two);
}


/*
 * Welch's t of the times of signatures whose first and whose last byte is
 * wrong, in an order that no other rhythm of the machine can follow.  The
 * slow samples of either kind, by one limit for both, are interruptions.
 */

static double
welch(verify_pt handler, timing_t *t)
{
    double            start, limit, d, mean[2], m2[2];
    size_t            i, n[2];
    uint64_t          random;
    unsigned          kind;
    static double     time[SAMPLES], sorted[SAMPLES];
    static unsigned   kinds[SAMPLES];

    random = (uint64_t) now() | 1;

    for (i = 0; i < SAMPLES; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;

        kind = (random >> 32) & 1;

        /* both bytes are written each time */

        t->sig[0] = t->good[0] ^ (kind == 0);
        t->sig[t->jws.sig_len - 1] = t->good[t->jws.sig_len - 1]
                                     ^ (kind == 1);

        start = now();

        if (handler(t)) {
            return INFINITY;
        }

        time[i] = now() - start;
        kinds[i] = kind;
    }

    memcpy(sorted, time, sizeof(time));
    qsort(sorted, SAMPLES, sizeof(double), ascending);
    limit = sorted[(size_t) (SAMPLES * KEPT)];

    for (kind = 0; kind < 2; kind++) {
        n[kind] = 0;
        mean[kind] = 0;
        m2[kind] = 0;
    }

    for (i = 0; i < SAMPLES; i++) {

        if (time[i] > limit) {
            continue;
        }

        kind = kinds[i];
        n[kind]++;
        d = time[i] - mean[kind];
        mean[kind] += d / n[kind];
        m2[kind] += d * (time[i] - mean[kind]);
    }

    d = sqrt(m2[0] / (n[0] - 1) / n[0] + m2[1] / (n[1] - 1) / n[1]);

    printf("# first byte %.1f ns, last byte %.1f ns, t %.2f\n", mean[0],
           mean[1], fabs(mean[0] - mean[1]) / d);

    return fabs(mean[0] - mean[1]) / d;
}


/* a whole comparison, wherever the difference is */

static void
test_compare(timing_t *t)
{
    size_t    i;
    unsigned  wrong;

    wrong = 0;

    for (i = 0; i < t->jws.sig_len; i++) {
        memcpy(t->sig, t->good, t->jws.sig_len);
        t->sig[i] ^= 0x10;

        compare_calls = 0;
        compare_len = 0;

        if (verify(t) || compare_calls != 1 || compare_len != 32) {
            wrong++;
        }
    }

    ok(wrong == 0, "S12 CRYPTO_memcmp() sees all bytes of a signature");

    memcpy(t->sig, t->good, t->jws.sig_len);
    compare_calls = 0;

    ok(verify(t) && compare_calls == 1, "S12 also of the right one");
}


/* the digest of an API key, too */

static void
test_apikey(void)
{
    char                file[128];
    unsigned            i;
    unsigned char       digest[GW_APIKEY_DIGEST_LEN];
    gw_apikey_error_t   err;
    gw_apikey_table_t  *table;

    snprintf(file, sizeof(file), "sha256:%064d one\n", 0);

    table = gw_apikey_table_parse((unsigned char *) file, strlen(file), &err);
    ok(table != NULL, "S12 a table of one key");

    if (table == NULL) {
        return;
    }

    memset(digest, 0, sizeof(digest));
    digest[GW_APIKEY_DIGEST_LEN - 1] = 1;

    for (i = 0; i < 2; i++) {
        compare_calls = 0;
        compare_len = 0;

        ok((gw_apikey_find(table, digest) != NULL) == (i == 1)
           && compare_calls == 1 && compare_len == GW_APIKEY_DIGEST_LEN,
           "S12 an API key is compared as a whole, %s", i ? "right" : "wrong");

        digest[GW_APIKEY_DIGEST_LEN - 1] = 0;
    }

    gw_apikey_table_destroy(table);
}


static void
test_time(timing_t *t)
{
    double    value, low, high;
    unsigned  i;

    high = 0;

    for (i = 0; i < ROUNDS && high <= THRESHOLD; i++) {
        value = welch(leak, t);
        high = (value > high) ? value : high;
    }

    ok(high > THRESHOLD, "S12 the clock sees a comparison that stops early");

    low = INFINITY;

    for (i = 0; i < ROUNDS && low >= THRESHOLD; i++) {
        value = welch(verify, t);
        low = (value < low) ? value : low;
    }

    ok(low < THRESHOLD, "S12 Welch's t of HS256 is below %.1f", THRESHOLD);
}


int
main(void)
{
    timing_t         t;
    gw_reason_e      reason;
    gw_jwk_error_t   err;

    memset(&t, 0, sizeof(timing_t));

    t.hash = gw_hash_create();
    t.ctx = gw_jws_ctx_create(t.hash);
    t.set = gw_jwk_set_parse((const unsigned char *) jwk, sizeof(jwk) - 1,
                             GW_JWK_JWKS, 0, t.hash, &err);

    ok(t.set != NULL
       && gw_jws_parse(t.ctx, &t.jws, (const unsigned char *) token,
                       sizeof(token) - 1, 512, t.buf, &reason)
          == GW_OK
       && t.jws.sig_len == 32, "a token of RFC 7515");

    t.sig = t.buf + (t.jws.sig - t.buf);
    memcpy(t.good, t.sig, t.jws.sig_len);

    test_compare(&t);
    test_apikey();
    test_time(&t);

    gw_jws_release(&t.jws);
    gw_jwk_set_destroy(t.set);
    gw_jws_ctx_destroy(t.ctx);
    gw_hash_destroy(t.hash);

    return done();
}
