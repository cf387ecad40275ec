
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Fails the n-th allocation for every n: nothing crashes, nothing is accepted
 * that is not good, libcrypto's queue stays empty, and what the library does
 * itself says "could not tell".  libcrypto and jansson do not always say that
 * memory was the cause: then a set of keys or a token is refused.
 *
 * malloc() itself is replaced; where a sanitizer needs it, only the
 * allocators of libcrypto and jansson are.
 */


#include <openssl/crypto.h>
#include <openssl/err.h>

#include "gw_apikey.h"
#include "gw_claim.h"
#include "gw_claim_test.h"
#include "gw_json.h"
#include "gw_jwt.h"
#include "jose.h"
#include "jose_verify.h"


#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED  1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define SANITIZED  1
#endif


#define MAX_ALLOCATIONS  5000
#define MAX_TOKEN        4096


typedef enum {
    DONE = 0,                   /* the whole of it worked */
    MEMORY,                     /* could not tell */
    REFUSED,                    /* not told from a refusal */
    WRONG                       /* anything else */
} outcome_e;


typedef outcome_e (*scenario_pt)(void);


static long            fail_at;     /* 0: never */
static long            allocations;
static int             fail_on;     /* every one from fail_at on */
static char           *token;
static const char     *keys;
static gw_jwk_set_t   *set;
static gw_hash_t      *hash;


static int
refuse(void)
{
    if (fail_at == 0) {
        return 0;
    }

    allocations++;

    return fail_on ? allocations >= fail_at : allocations == fail_at;
}


#ifdef SANITIZED

static void *
hook_malloc(size_t size)
{
    return refuse() ? NULL : malloc(size);
}


static void *
hook_crypto_malloc(size_t size, const char *file, int line)
{
    (void) file;
    (void) line;

    return hook_malloc(size);
}


static void *
hook_crypto_realloc(void *p, size_t size, const char *file, int line)
{
    (void) file;
    (void) line;

    return refuse() ? NULL : realloc(p, size);
}


static void
hook_crypto_free(void *p, const char *file, int line)
{
    (void) file;
    (void) line;

    free(p);
}


static void
hook(void)
{
    CRYPTO_set_mem_functions(hook_crypto_malloc, hook_crypto_realloc,
                             hook_crypto_free);
    json_set_alloc_funcs(hook_malloc, free);
}

#else

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);


void *
malloc(size_t size)
{
    return refuse() ? NULL : __libc_malloc(size);
}


void *
calloc(size_t n, size_t size)
{
    return refuse() ? NULL : __libc_calloc(n, size);
}


void *
realloc(void *p, size_t size)
{
    return refuse() ? NULL : __libc_realloc(p, size);
}


static void
hook(void)
{
    /* nothing to do */
}

#endif


static outcome_e
load(void)
{
    gw_jwk_set_t          *loaded;
    gw_jwk_error_t         err;
    static unsigned char  *data;
    static const char     *name;
    static size_t          len;
    long                   at;

    /* the file is read with all the memory there is */

    if (name != keys) {
        at = fail_at;
        fail_at = 0;
        free(data);
        data = jose_file(keys, &len);
        name = keys;
        fail_at = at;
    }

    loaded = gw_jwk_set_parse(data, len, jose_format(keys), 0, hash, &err);

    if (loaded == NULL) {
        return (err.code == GW_JWK_E_MEMORY) ? MEMORY : REFUSED;
    }

    gw_jwk_set_destroy(loaded);

    return DONE;
}


static outcome_e
verify(void)
{
    int              right;
    gw_jws_t         jws;
    gw_jwt_t         jwt;
    gw_status_e      rc;
    gw_reason_e      reason;
    gw_jws_ctx_t    *ctx;
    const gw_jwk_t  *key;
    unsigned char    buf[MAX_TOKEN];

    ctx = gw_jws_ctx_create(hash);
    if (ctx == NULL) {
        return MEMORY;
    }

    right = 0;
    reason = GW_REASON_NONE;

    rc = gw_jws_parse(ctx, &jws, (unsigned char *) token, strlen(token),
                      MAX_TOKEN, buf, &reason);

    if (rc == GW_OK) {
        rc = jose_verify(ctx, &jws, set, ~(gw_alg_mask_t) 0, &key,
                         &reason);

        if (rc == GW_OK) {
            rc = gw_jwt_parse(&jwt, jws.payload, jws.payload_len, &reason);

            if (rc == GW_OK) {

                /* no byte of a claim may have been lost */

                right = (gw_jwt_issuer_is(&jwt, "https://issuer.example", 22)
                         == GW_OK);

                if (gw_jwt_claims(&jwt) == NULL) {
                    rc = GW_ERROR;
                    reason = GW_REASON_MEMORY;
                }

                gw_jwt_release(&jwt);
            }
        }

        gw_jws_release(&jws);
    }

    gw_jws_ctx_destroy(ctx);

    if (rc == GW_OK) {
        return right ? DONE : WRONG;
    }

    if (rc == GW_DECLINED && reason == GW_REASON_SIG) {
        return REFUSED;
    }

    return (rc == GW_ERROR && reason == GW_REASON_MEMORY) ? MEMORY : WRONG;
}


static outcome_e
requirement(void)
{
    json_t            *json;
    outcome_e          outcome;
    gw_status_e        rc;
    gw_claim_op_t      op;
    gw_json_error_t    err;
    gw_claim_value_t   value;

    static const char  claim[] = "[\"x\",{\"k\":[1.5,2]}]";
    static const char  text[] = "[{\"k\":[1.5,2]},\"a longer string\"]";

    json = gw_json_load_any((const unsigned char *) claim, sizeof(claim) - 1,
                            GW_JSON_DEPTH, &err);
    if (json == NULL) {
        return (err.code == GW_JSON_MEMORY) ? MEMORY : WRONG;
    }

    rc = gw_claim_value_text(&value, text, sizeof(text) - 1);

    if (rc != GW_OK) {
        json_decref(json);
        return (rc == GW_ERROR) ? MEMORY : WRONG;
    }

    op.op = GW_CLAIM_ANY;
    op.negated = 0;

    outcome = (gw_claim_test(&op, json, &value, NULL, NULL) == GW_OK)
              ? DONE : WRONG;

    gw_claim_value_release(&value);
    json_decref(json);

    return outcome;
}


static outcome_e
claim(void)
{
    char             buf[256];
    size_t           len;
    json_t          *json;
    gw_status_e      rc;
    gw_json_error_t  err;

    static const char  text[] =
        "{\"a\":[\"x\",{\"k\":\"v\",\"o\":{\"p\":[1.5,2,true,null]}}]}";

    json = gw_json_load((const unsigned char *) text, sizeof(text) - 1,
                        GW_JSON_DEPTH, &err);
    if (json == NULL) {
        return (err.code == GW_JSON_MEMORY) ? MEMORY : WRONG;
    }

    rc = gw_claim_text(json_object_get(json, "a"), buf, sizeof(buf), &len);

    json_decref(json);

    if (rc == GW_OK) {
        return (len == 39) ? DONE : WRONG;
    }

    return (rc == GW_ERROR) ? MEMORY : WRONG;
}


static outcome_e
apikeys(void)
{
    gw_apikey_error_t   err;
    gw_apikey_table_t  *table;

    static const char  text[] =
        "sha256:0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdef alice meta.a=1 meta.b=2\n"
        "sha256:0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdee bob\n";

    table = gw_apikey_table_parse((const unsigned char *) text,
                                  sizeof(text) - 1, &err);
    if (table == NULL) {
        return (strcmp(err.text, "out of memory") == 0) ? MEMORY : WRONG;
    }

    gw_apikey_table_destroy(table);

    return DONE;
}


static outcome_e
hashes(void)
{
    gw_hash_t  *made;

    made = gw_hash_create();
    if (made == NULL) {
        return MEMORY;
    }

    gw_hash_destroy(made);

    return DONE;
}


static void
run(const char *name, scenario_pt scenario)
{
    long       n, wrong, memory, refused, worked, queue;
    outcome_e  outcome;

    /* what is made once in a process is made here */

    (void) scenario();

    for (fail_on = 0; fail_on < 2; fail_on++) {

        wrong = 0;
        memory = 0;
        refused = 0;
        worked = 0;
        queue = 0;

        for (n = 1; n < MAX_ALLOCATIONS; n++) {
            allocations = 0;
            fail_at = n;

            outcome = scenario();

            fail_at = 0;

            wrong += (outcome == WRONG);
            memory += (outcome == MEMORY);
            refused += (outcome == REFUSED);
            worked += (outcome == DONE);
            queue += (ERR_peek_error() != 0);

            if (allocations < n) {
                break;
            }
        }

        ok(wrong == 0 && worked != 0 && queue == 0 && outcome == DONE
           && n < MAX_ALLOCATIONS,
           "%s, %s allocation fails: %ld answers, %ld could not tell, "
           "%ld refused, %ld worked", name, fail_on ? "every later" : "one",
           n, memory, refused, worked);
    }
}


static char *
find_token(char *tokens, const char *name)
{
    char    *p;
    size_t   len;

    len = strlen(name);

    for (p = tokens; p != NULL; p = strchr(p, '\n')) {

        p += (*p == '\n');

        if (strncmp(p, name, len) == 0 && p[len] == ' ') {
            p[strcspn(p, "\n")] = '\0';
            return strrchr(p, ' ') + 1;
        }
    }

    printf("Bail out! no token %s\n", name);
    exit(1);
}


int
main(void)
{
    char             name[64];
    size_t           i, len;
    unsigned char   *data;
    gw_jwk_error_t   err;

    static const char *const  files[] = {
        "oct.jwks", "rsa.jwks", "p256.jwks", "p521.jwks", "ed25519.jwks",
        "ed448.jwks", "many.jwks", "rsa.pem", "rsa.cert.pem", "p256.pem"
    };

    static const char *const  tokens[][2] = {
        { "HS256-oct", "oct.jwks" }, { "RS256-rsa", "rsa.jwks" },
        { "PS256-rsa", "rsa.jwks" }, { "ES256-p256", "p256.jwks" },
        { "ES512-p521", "p521.jwks" }, { "EdDSA-ed25519", "ed25519.jwks" },
        { "EdDSA-ed448", "ed448.jwks" }
    };

    hook();

    hash = gw_hash_create();

    run("hashes", hashes);
    run("claim", claim);
    run("requirement", requirement);
    run("API keys", apikeys);

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        keys = files[i];
        snprintf(name, sizeof(name), "load %s", keys);
        run(name, load);
    }

    for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        data = jose_file("tokens.txt", &len);
        token = find_token((char *) data, tokens[i][0]);
        set = jose_keys(tokens[i][1], hash, &err);

        snprintf(name, sizeof(name), "verify %s", tokens[i][0]);
        run(name, verify);

        gw_jwk_set_destroy(set);
        free(data);
    }

    gw_hash_destroy(hash);

    return done();
}
