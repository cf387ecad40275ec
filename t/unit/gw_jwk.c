
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "gw_base64url.h"
#include "jose.h"


#define BUFFER  (1024 * 1024)

/* the key of RFC 7515, A.3, and a secret of 32 bytes */

#define EC_X  "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y  "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define ED_X  "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define ZERO  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define K32   "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8"
#define K31   "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLg"

#define EC    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\","         \
              "\"y\":\"" EC_Y "\""
#define ED    "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\""
#define OCT   "\"kty\":\"oct\",\"k\":\"" K32 "\""


typedef struct {
    const char      *name;
    const char      *text;
    unsigned         flags;
    gw_jwk_error_e   code;      /* GW_JWK_OK: accepted */
    int              index;     /* of the key in error */
    gw_alg_mask_t    algs;      /* of the set */
} row_t;


#define ES256  gw_alg_bit(GW_ALG_ES256)
#define EDDSA  gw_alg_bit(GW_ALG_ED25519)
#define HS256  gw_alg_bit(GW_ALG_HS256)
#define RSA    (GW_ALG_MASK_RS | GW_ALG_MASK_PS)


static const row_t  rows[] = {

    { "a key", "{" EC "}", 0, GW_JWK_OK, 0, ES256 },
    { "a set", "{\"keys\":[{" EC "}]}", 0, GW_JWK_OK, 0, ES256 },
    { "a set with other members", "{\"x\":1,\"keys\":[{" EC ",\"z\":[]}]}", 0,
      GW_JWK_OK, 0, ES256 },
    { "two kinds", "{\"keys\":[{" EC "},{" ED "}]}", 0, GW_JWK_OK, 0,
      ES256 | EDDSA },
    { "use sig, key_ops verify, alg", "{" EC ",\"use\":\"sig\","
      "\"key_ops\":[\"sign\",\"verify\"],\"alg\":\"ES256\"}", 0, GW_JWK_OK, 0,
      ES256 },
    { "alg EdDSA", "{" ED ",\"alg\":\"EdDSA\"}", 0, GW_JWK_OK, 0, EDDSA },
    { "alg Ed25519", "{" ED ",\"alg\":\"Ed25519\"}", 0, GW_JWK_OK, 0,
      EDDSA },
    { "a secret", "{" OCT "}", 0, GW_JWK_OK, 0, HS256 },
    { "a secret with alg", "{" OCT ",\"alg\":\"HS256\"}", 0, GW_JWK_OK, 0,
      HS256 },

    { "not JSON", "{\"keys\":[}", 0, GW_JWK_E_JSON, -1, 0 },
    { "nothing", "", 0, GW_JWK_E_JSON, -1, 0 },
    { "HTML", "<html></html>", 0, GW_JWK_E_JSON, -1, 0 },
    { "an array", "[{" EC "}]", 0, GW_JWK_E_JSON, -1, 0 },
    { "a member twice", "{" EC ",\"kty\":\"EC\"}", 0, GW_JWK_E_JSON, -1, 0 },
    { "no keys", "{}", 0, GW_JWK_E_FORMAT, -1, 0 },
    { "keys is an object", "{\"keys\":{" EC "}}", 0, GW_JWK_E_FORMAT, -1,
      0 },
    { "keys is null", "{\"keys\":null}", 0, GW_JWK_E_FORMAT, -1, 0 },
    { "a string in keys", "{\"keys\":[\"x\"]}", 0, GW_JWK_E_FORMAT, 0, 0 },
    { "R05 empty keys", "{\"keys\":[]}", 0, GW_JWK_E_EMPTY, -1, 0 },

    { "no kty", "{\"keys\":[{\"crv\":\"P-256\"}]}", 0, GW_JWK_E_MEMBER, 0,
      0 },
    { "kty 5", "{\"kty\":5}", 0, GW_JWK_E_MEMBER, 0, 0 },
    { "kid 5", "{" EC ",\"kid\":5}", 0, GW_JWK_E_MEMBER, 0, 0 },
    { "use 5", "{" EC ",\"use\":5}", 0, GW_JWK_E_MEMBER, 0, 0 },
    { "key_ops 5", "{" EC ",\"key_ops\":\"verify\"}", 0, GW_JWK_E_MEMBER, 0,
      0 },
    { "alg 5", "{" EC ",\"alg\":5}", 0, GW_JWK_E_MEMBER, 0, 0 },
    { "no crv", "{\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", 0,
      GW_JWK_E_MEMBER, 0, 0 },
    { "no y", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", 0,
      GW_JWK_E_MEMBER, 0, 0 },
    { "x 5", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":5}", 0,
      GW_JWK_E_MEMBER, 0, 0 },
    { "x with padding", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X
      "=\"}", 0, GW_JWK_E_MEMBER, 0, 0 },
    { "no n", "{\"kty\":\"RSA\",\"e\":\"AQAB\"}", 0, GW_JWK_E_MEMBER, 0, 0 },
    { "no k", "{\"kty\":\"oct\"}", 0, GW_JWK_E_MEMBER, 0, 0 },

    /* keys that are left alone */

    { "an unknown kty only", "{\"kty\":\"AKP\",\"pub\":\"AA\"}", 0,
      GW_JWK_E_EMPTY, -1, 0 },
    { "an unknown kty beside", "{\"keys\":[{\"kty\":\"AKP\"},{" EC "}]}", 0,
      GW_JWK_OK, 0, ES256 },
    { "an unknown crv beside", "{\"keys\":[{\"kty\":\"OKP\",\"crv\":"
      "\"X25519\",\"x\":\"AA\"},{\"kty\":\"EC\",\"crv\":\"P-192\"},{" EC
      "}]}", 0, GW_JWK_OK, 0, ES256 },
    { "a crv of another kty", "{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\""
      ED_X "\",\"y\":\"" ED_X "\"}", 0, GW_JWK_E_EMPTY, -1, 0 },
    { "A12 another use only", "{" EC ",\"use\":\"tls\"}", 0,
      GW_JWK_E_EMPTY, -1, 0 },
    { "A12 use enc only", "{" EC ",\"use\":\"enc\"}", 0, GW_JWK_E_EMPTY, -1,
      0 },
    { "A12 use enc beside", "{\"keys\":[{" EC ",\"use\":\"enc\"},{" ED "}]}",
      0, GW_JWK_OK, 0, EDDSA },
    { "A12 key_ops encrypt only", "{" EC ",\"key_ops\":[\"encrypt\"]}", 0,
      GW_JWK_E_EMPTY, -1, 0 },
    { "A12 key_ops empty", "{" EC ",\"key_ops\":[]}", 0, GW_JWK_E_EMPTY, -1,
      0 },
    { "A12 key_ops sign", "{" OCT ",\"key_ops\":[\"sign\"]}", 0,
      GW_JWK_E_EMPTY, -1, 0 },
    { "alg ECDH-ES only", "{" EC ",\"alg\":\"ECDH-ES\"}", 0, GW_JWK_E_EMPTY,
      -1, 0 },
    { "alg none", "{" EC ",\"alg\":\"none\"}", 0, GW_JWK_E_EMPTY, -1, 0 },
    { "alg ML-DSA-44", "{" EC ",\"alg\":\"ML-DSA-44\"}", 0, GW_JWK_E_ALG,
      0, 0 },
    { "AKP without alg", "{\"kty\":\"AKP\",\"pub\":\"AA\"}", 0,
      GW_JWK_E_EMPTY, -1, 0 },
    { "AKP with another alg", "{\"kty\":\"AKP\",\"alg\":\"SLH-DSA\","
      "\"pub\":\"AA\"}", 0, GW_JWK_E_EMPTY, -1, 0 },
    { "AKP with alg ES256", "{\"kty\":\"AKP\",\"alg\":\"ES256\","
      "\"pub\":\"AA\"}", 0, GW_JWK_E_ALG, 0, 0 },
    { "AKP with alg ES256, remote", "{\"keys\":[{\"kty\":\"AKP\",\"alg\":"
      "\"ES256\",\"pub\":\"AA\"},{" EC "}]}", GW_JWK_REMOTE, GW_JWK_OK, 0,
      ES256 },
    { "a short secret for encryption beside", "{\"keys\":[{\"kty\":\"oct\","
      "\"k\":\"AAAA\",\"use\":\"enc\"},{" EC "}]}", 0, GW_JWK_OK, 0, ES256 },

    /* A13 */

    { "A13 alg ES384 with P-256", "{" EC ",\"alg\":\"ES384\"}", 0,
      GW_JWK_E_ALG, 0, 0 },
    { "A13 alg ES256K with P-256", "{" EC ",\"alg\":\"ES256K\"}", 0,
      GW_JWK_E_ALG, 0, 0 },
    { "A13 alg RS256 with EC", "{" EC ",\"alg\":\"RS256\"}", 0, GW_JWK_E_ALG,
      0, 0 },
    { "A13 alg HS256 with EC", "{" EC ",\"alg\":\"HS256\"}", 0, GW_JWK_E_ALG,
      0, 0 },
    { "A13 alg HS256 with OKP", "{" ED ",\"alg\":\"HS256\"}", 0,
      GW_JWK_E_ALG, 0, 0 },
    { "A13 alg Ed448 with Ed25519", "{" ED ",\"alg\":\"Ed448\"}", 0,
      GW_JWK_E_ALG, 0, 0 },
    { "A13 alg EdDSA with EC", "{" EC ",\"alg\":\"EdDSA\"}", 0, GW_JWK_E_ALG,
      0, 0 },
    { "A13 alg RS256 with a secret", "{" OCT ",\"alg\":\"RS256\"}", 0,
      GW_JWK_E_ALG, 0, 0 },
    { "A13 the second key", "{\"keys\":[{" ED "},{" EC ",\"alg\":\"ES384\"}]"
      "}", 0, GW_JWK_E_ALG, 1, 0 },
    { "A13 remote", "{\"keys\":[{" ED "},{" EC ",\"alg\":\"ES384\"}]}",
      GW_JWK_REMOTE, GW_JWK_OK, 0, EDDSA },
    { "A13 remote, alone", "{" EC ",\"alg\":\"ES384\"}", GW_JWK_REMOTE,
      GW_JWK_E_EMPTY, -1, 0 },

    /* A14, A15 */

    { "A14 a secret and EC", "{\"keys\":[{" OCT "},{" EC "}]}", 0,
      GW_JWK_E_MIXED, 1, 0 },
    { "A14 EC and a secret", "{\"keys\":[{" EC "},{" ED "},{" OCT "}]}", 0,
      GW_JWK_E_MIXED, 2, 0 },
    { "A14 remote", "{\"keys\":[{" EC "},{" OCT "}]}", GW_JWK_REMOTE,
      GW_JWK_E_MIXED, 1, 0 },
    { "A15 kid twice", "{\"keys\":[{" EC ",\"kid\":\"a\"},{" EC
      ",\"kid\":\"a\"}]}", 0, GW_JWK_E_DUPLICATE, 1, 0 },
    { "A15 kid twice, remote", "{\"keys\":[{" EC ",\"kid\":\"a\"},{" EC
      ",\"kid\":\"a\"}]}", GW_JWK_REMOTE, GW_JWK_E_DUPLICATE, 1, 0 },
    { "A15 empty kid twice", "{\"keys\":[{" EC ",\"kid\":\"\"},{" EC
      ",\"kid\":\"\"}]}", 0, GW_JWK_E_DUPLICATE, 1, 0 },
    { "A15 kid in another case", "{\"keys\":[{" EC ",\"kid\":\"a\"},{" EC
      ",\"kid\":\"A\"}]}", 0, GW_JWK_OK, 0, ES256 },
    { "A15 kid of two kty", "{\"keys\":[{" EC ",\"kid\":\"a\"},{" ED
      ",\"kid\":\"a\"}]}", 0, GW_JWK_OK, 0, ES256 | EDDSA },
    { "A15 kid twice, one for encryption", "{\"keys\":[{" EC ",\"kid\":\"a\""
      "},{" EC ",\"kid\":\"a\",\"use\":\"enc\"}]}", 0, GW_JWK_OK, 0, ES256 },
    { "no kid twice", "{\"keys\":[{" EC "},{" EC "}]}", 0, GW_JWK_OK, 0,
      ES256 },

    /* A17 */

    { "A17 empty secret", "{\"kty\":\"oct\",\"k\":\"\"}", 0, GW_JWK_E_SECRET,
      0, 0 },
    { "A17 31 bytes", "{\"kty\":\"oct\",\"k\":\"" K31 "\"}", 0,
      GW_JWK_E_SECRET, 0, 0 },
    { "A17 31 bytes, HS256", "{\"kty\":\"oct\",\"k\":\"" K31
      "\",\"alg\":\"HS256\"}", 0, GW_JWK_E_SECRET, 0, 0 },
    { "A17 32 bytes, HS384", "{" OCT ",\"alg\":\"HS384\"}", 0,
      GW_JWK_E_SECRET, 0, 0 },
    { "A17 32 bytes, HS512", "{" OCT ",\"alg\":\"HS512\"}", 0,
      GW_JWK_E_SECRET, 0, 0 },
    { "A17 32 bytes, HS512, remote", "{" OCT ",\"alg\":\"HS512\"}",
      GW_JWK_REMOTE, GW_JWK_E_SECRET, 0, 0 },

    /* A18 */

    { "A18 not on the curve", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\""
      EC_Y "\",\"y\":\"" EC_X "\"}", 0, GW_JWK_E_POINT, 0, 0 },
    { "A18 zero", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ZERO
      "\",\"y\":\"" ZERO "\"}", 0, GW_JWK_E_POINT, 0, 0 },
    { "A18 of another curve", "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\""
      EC_X "\",\"y\":\"" EC_Y "\"}", 0, GW_JWK_E_POINT, 0, 0 },
    { "A18 x too short", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\","
      "\"y\":\"" EC_Y "\"}", 0, GW_JWK_E_POINT, 0, 0 },
    { "A18 y empty", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\","
      "\"y\":\"\"}", 0, GW_JWK_E_POINT, 0, 0 },
    { "A18 x too long", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X
      "AA\",\"y\":\"" EC_Y "\"}", 0, GW_JWK_E_SIZE, 0, 0 },
    { "A18 P-256 as P-384", "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X
      "\",\"y\":\"" EC_Y "\"}", 0, GW_JWK_E_POINT, 0, 0 },
    { "A18 Ed25519 too short", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
      "\"AAAA\"}", 0, GW_JWK_E_POINT, 0, 0 },

    /* private keys */

    { "a private EC key", "{" EC ",\"d\":\"AA\"}", 0, GW_JWK_E_PRIVATE, 0,
      0 },
    { "a private EC key, remote", "{" EC ",\"d\":\"AA\"}", GW_JWK_REMOTE,
      GW_JWK_E_PRIVATE, 0, 0 },
    { "a private OKP key", "{" ED ",\"d\":\"AA\"}", 0, GW_JWK_E_PRIVATE, 0,
      0 },
    { "a private RSA key", "{\"kty\":\"RSA\",\"n\":\"AA\",\"e\":\"AQAB\","
      "\"p\":\"AA\"}", 0, GW_JWK_E_PRIVATE, 0, 0 },

    { NULL, NULL, 0, 0, 0, 0 }
};


/* files of t/data/jose */

static const row_t  file_rows[] = {
    { "rsa.jwks", NULL, 0, GW_JWK_OK, 0, RSA },
    { "rsa.pem", NULL, 0, GW_JWK_OK, 0, RSA },
    { "rsa.pkcs1.pem", NULL, 0, GW_JWK_OK, 0, RSA },
    { "rsa.cert.pem", NULL, 0, GW_JWK_OK, 0, RSA },
    { "rs384.jwks", NULL, 0, GW_JWK_OK, 0, gw_alg_bit(GW_ALG_RS384) },
    { "p384.pem", NULL, 0, GW_JWK_OK, 0, gw_alg_bit(GW_ALG_ES384) },
    { "secp256k1.pem", NULL, 0, GW_JWK_OK, 0, gw_alg_bit(GW_ALG_ES256K) },
    { "ed448.pem", NULL, 0, GW_JWK_OK, 0, gw_alg_bit(GW_ALG_ED448) },
    { "oct.jwks", NULL, 0, GW_JWK_OK, 0, GW_ALG_MASK_HS },
    { "rsa1024.jwks", NULL, 0, GW_JWK_E_RSA, 0, 0 },
    { "rsa1024.pem", NULL, 0, GW_JWK_E_RSA, 0, 0 },
    { "roca.jwks", NULL, 0, GW_JWK_E_RSA, 0, 0 },
    { NULL, NULL, 0, 0, 0, 0 }
};


static gw_hash_t  *hash;


static gw_jwk_set_t *
parse(const char *text, size_t len, gw_jwk_format_e format, unsigned flags,
    gw_jwk_error_t *err)
{
    gw_jwk_set_t   *set;
    unsigned char  *copy;

    copy = jose_alloc(len);
    memcpy(copy, text, len);

    err->code = GW_JWK_OK;
    err->text = "";

    set = gw_jwk_set_parse(copy, len, format, flags, hash, err);

    free(copy);

    return set;
}


static void
check(const row_t *row, gw_jwk_set_t *set, const gw_jwk_error_t *err)
{
    if (row->code == GW_JWK_OK) {
        ok(set != NULL && set->algs == row->algs && ERR_peek_error() == 0,
           "%s: accepted%s", row->name, set ? "" : err->text);

    } else {
        ok(set == NULL && err->code == row->code && err->index == row->index
           && err->text[0] != '\0' && ERR_peek_error() == 0,
           "%s: key %d: %s", row->name, err->index, err->text);
    }

    gw_jwk_set_destroy(set);
}


static void
test_rows(void)
{
    size_t           len;
    const row_t     *row;
    unsigned char   *data;
    gw_jwk_error_t   err;

    for (row = rows; row->name != NULL; row++) {
        check(row, parse(row->text, strlen(row->text), GW_JWK_JWKS,
                         row->flags, &err), &err);
    }

    for (row = file_rows; row->name != NULL; row++) {
        data = jose_file(row->name, &len);

        check(row, parse((char *) data, len, jose_format(row->name), 0,
                         &err), &err);
        free(data);
    }
}


/*
 * RSA keys made of numbers: n has the bits given and is odd unless n0 is
 * even; e is the text.
 */

static void
test_rsa(void)
{
    size_t           i, n;
    char            *text;
    const char      *e;
    gw_jwk_set_t    *set;
    gw_jwk_error_t   err;
    unsigned char   *modulus, *encoded;

    static const struct {
        const char      *name;
        size_t           bits;
        unsigned char    last;
        const char      *e;
        gw_jwk_error_e   code;
    } cases[] = {
        { "A16 2047 bits", 2047, 1, "AQAB", GW_JWK_E_RSA },
        { "A16 2048 bits", 2048, 1, "AQAB", GW_JWK_OK },
        { "A16 8192 bits", 8192, 1, "AQAB", GW_JWK_OK },
        { "A16 8193 bits", 8193, 1, "AQAB", GW_JWK_E_RSA },
        { "A16 65536 bits", 65536, 1, "AQAB", GW_JWK_E_SIZE },
        { "A16 even modulus", 2048, 2, "AQAB", GW_JWK_E_RSA },
        { "A16 e = 0", 2048, 1, "AA", GW_JWK_E_RSA },
        { "A16 e = 1", 2048, 1, "AQ", GW_JWK_E_RSA },
        { "A16 e = 2", 2048, 1, "Ag", GW_JWK_E_RSA },
        { "A16 e = 3", 2048, 1, "Aw", GW_JWK_OK },
        { "A16 e = 65536", 2048, 1, "AQAA", GW_JWK_E_RSA },
        { "A16 e = 2^32 + 1", 2048, 1, "AQAAAAE", GW_JWK_OK },
        { "A16 e = 2^33 + 1", 2048, 1, "AgAAAAE", GW_JWK_E_RSA },
        { "A16 e is empty", 2048, 1, "", GW_JWK_E_RSA },
        { "e with a leading zero", 2048, 1, "AAEAAQ", GW_JWK_OK }
    };

    text = jose_alloc(BUFFER);
    modulus = jose_alloc(BUFFER);
    encoded = jose_alloc(BUFFER);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        n = (cases[i].bits + 7) / 8;

        memset(modulus, 0x5a, n);
        modulus[0] = (unsigned char) (1 << ((cases[i].bits - 1) % 8));
        modulus[n - 1] = cases[i].last;

        n = gw_base64url_encode(encoded, modulus, n);
        encoded[n] = '\0';

        e = cases[i].e;

        n = (size_t) sprintf(text, "{\"kty\":\"RSA\",\"n\":\"%s\","
                             "\"e\":\"%s\"}", encoded, e);

        set = parse(text, n, GW_JWK_JWKS, 0, &err);

        ok((set != NULL) == (cases[i].code == GW_JWK_OK)
           && err.code == cases[i].code && ERR_peek_error() == 0,
           "%s: %s", cases[i].name, err.text);

        gw_jwk_set_destroy(set);
    }

    free(encoded);
    free(modulus);
    free(text);
}


/* S06: little-endian ordinates of points of small order */

static void
test_small_order(void)
{
    char             text[256];
    size_t           i, j, len, n;
    gw_jwk_set_t    *set;
    gw_jwk_error_t   err;
    unsigned char    x[57], encoded[80];

    static const struct {
        const char  *name;
        size_t       len;
        int          first;     /* byte 0 */
        int          fill;      /* the others, but: */
        int          at;        /* this one (57: none) */
        int          value;
        int          top;       /* the last one, and Ed448's zero */
    } points[] = {
        { "Ed25519, y = 0", 32, 0, 0, 57, 0, 0 },
        { "Ed25519, y = 1", 32, 1, 0, 57, 0, 0 },
        { "Ed25519, y = p - 1", 32, 0xec, 0xff, 57, 0, 0x7f },
        { "Ed25519, y = p", 32, 0xed, 0xff, 57, 0, 0x7f },
        { "Ed25519, y = p + 1", 32, 0xee, 0xff, 57, 0, 0x7f },
        { "Ed448, y = 0", 57, 0, 0, 57, 0, 0 },
        { "Ed448, y = 1", 57, 1, 0, 57, 0, 0 },
        { "Ed448, y = p - 1", 57, 0xfe, 0xff, 28, 0xfe, 0 },
        { "Ed448, y = p", 57, 0xff, 0xff, 28, 0xfe, 0 },
        { "Ed448, y = p + 1", 57, 0, 0xff, 28, 0xff, 0 }
    };

    static const char *const  order8[] = {
        "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
        "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU",
        "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
        "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA_o"
    };

    for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        for (j = 0; j < 2; j++) {

            len = points[i].len;

            memset(x, points[i].fill, len);

            if (points[i].at == 28) {
                x[28] = (unsigned char) points[i].value;

                if (points[i].first == 0) {
                    memset(x, 0, 28);
                }
            }

            x[0] = (unsigned char) points[i].first;
            x[len - 1] = (unsigned char) (points[i].top | (j ? 0x80 : 0));

            n = gw_base64url_encode(encoded, x, len);
            encoded[n] = '\0';

            n = (size_t) sprintf(text, "{\"kty\":\"OKP\",\"crv\":\"%s\","
                                 "\"x\":\"%s\"}",
                                 (len == 32) ? "Ed25519" : "Ed448", encoded);

            set = parse(text, n, GW_JWK_JWKS, 0, &err);

            ok(set == NULL && err.code == GW_JWK_E_POINT
               && strstr(err.text, "small order") != NULL,
               "S06 %s, sign %zu: %s", points[i].name, j, err.text);

            gw_jwk_set_destroy(set);
        }
    }

    for (i = 0; i < 4; i++) {
        n = (size_t) sprintf(text, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                             "\"x\":\"%s\"}", order8[i]);

        set = parse(text, n, GW_JWK_JWKS, 0, &err);

        ok(set == NULL && err.code == GW_JWK_E_POINT
           && strstr(err.text, "small order") != NULL,
           "S06 Ed25519, order 8: %zu", i);

        gw_jwk_set_destroy(set);
    }
}


static void
test_limits(void)
{
    char            *text, *p;
    size_t           i, n;
    gw_jwk_set_t    *set;
    gw_jwk_error_t   err;

    text = jose_alloc(BUFFER);

    for (n = GW_JWK_MAX_KEYS; n <= GW_JWK_MAX_KEYS + 1; n++) {

        p = text + sprintf(text, "{\"keys\":[");

        for (i = 0; i < n; i++) {
            p += sprintf(p, "%s{" EC ",\"kid\":\"%zu\"}", i ? "," : "", i);
        }

        p += sprintf(p, "]}");

        set = parse(text, p - text, GW_JWK_JWKS, 0, &err);

        ok((n == GW_JWK_MAX_KEYS)
           ? set != NULL && set->nkeys == n
           : set == NULL && err.code == GW_JWK_E_SIZE, "%zu keys", n);

        gw_jwk_set_destroy(set);
    }

    for (n = GW_JWK_MAX_SET; n <= GW_JWK_MAX_SET + 1; n++) {

        memset(text, ' ', n);
        memcpy(text, "{" EC "}", sizeof("{" EC "}") - 1);

        set = parse(text, n, GW_JWK_JWKS, 0, &err);

        ok((n == GW_JWK_MAX_SET) ? set != NULL
           : set == NULL && err.code == GW_JWK_E_SIZE, "R05 %zu bytes", n);

        gw_jwk_set_destroy(set);
    }

    for (n = GW_JWK_MAX_KID; n <= GW_JWK_MAX_KID + 1; n++) {

        p = text + sprintf(text, "{" EC ",\"kid\":\"");
        memset(p, 'k', n);
        p += n;
        p += sprintf(p, "\"}");

        set = parse(text, p - text, GW_JWK_JWKS, 0, &err);

        ok((n == GW_JWK_MAX_KID) ? set != NULL && set->keys[0].kid_len == n
           : set == NULL && err.code == GW_JWK_E_SIZE, "kid of %zu bytes", n);

        gw_jwk_set_destroy(set);
    }

    for (n = GW_JWK_MAX_SECRET; n <= GW_JWK_MAX_SECRET + 1; n++) {

        p = text + sprintf(text, "{\"kty\":\"oct\",\"k\":\"");
        memset(p, 'A', gw_base64url_encoded_length(n));
        p += gw_base64url_encoded_length(n);
        p += sprintf(p, "\"}");

        set = parse(text, p - text, GW_JWK_JWKS, 0, &err);

        ok((n == GW_JWK_MAX_SECRET) ? set != NULL
           : set == NULL && err.code == GW_JWK_E_SIZE,
           "a secret of %zu bytes", n);

        gw_jwk_set_destroy(set);
    }

    free(text);
}


static int
same_thumbprint(const gw_jwk_set_t *one, const gw_jwk_set_t *two)
{
    return memcmp(one->keys[0].thumbprint, two->keys[0].thumbprint,
                  GW_JWK_THUMBPRINT_LEN)
           == 0;
}


/* RFC 7638, 3.1; RFC 8037, A.3 */

static void
test_thumbprints(void)
{
    size_t           len;
    gw_jwk_set_t    *set, *other;
    unsigned char   *data;
    gw_jwk_error_t   err;
    unsigned char    text[64];

    static const char  rsa[] =
        "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFb"
        "WhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3ok"
        "njhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW"
        "2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD0"
        "8qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF"
        "44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\","
        "\"kid\":\"2011-04-29\"}";

    set = parse(rsa, sizeof(rsa) - 1, GW_JWK_JWKS, 0, &err);

    gw_base64url_encode(text, set->keys[0].thumbprint, 32);
    ok(memcmp(text, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", 43) == 0,
       "the thumbprint of RFC 7638");

    gw_jwk_set_destroy(set);

    set = parse("{" ED "}", sizeof("{" ED "}") - 1, GW_JWK_JWKS, 0, &err);

    gw_base64url_encode(text, set->keys[0].thumbprint, 32);
    ok(memcmp(text, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", 43) == 0,
       "the thumbprint of RFC 8037");

    gw_jwk_set_destroy(set);

    data = jose_file("rsa.cert.pem", &len);
    set = parse((char *) data, len, GW_JWK_PEM, 0, &err);
    free(data);

    other = jose_keys("rsa.jwks", hash, &err);

    ok(same_thumbprint(set, other),
       "R03 a key has one thumbprint in all formats");

    gw_jwk_set_destroy(other);
    gw_jwk_set_destroy(set);

    set = jose_keys("p521.pem", hash, &err);
    other = jose_keys("p521.jwks", hash, &err);
    ok(same_thumbprint(set, other), "R03 the same for P-521");
    gw_jwk_set_destroy(other);

    other = jose_keys("rsa.jwks", hash, &err);
    ok(!same_thumbprint(set, other), "R03 another key has another one");
    gw_jwk_set_destroy(other);
    gw_jwk_set_destroy(set);
}


static void
test_pem(void)
{
    BIO             *bio;
    char            *pem;
    char             text[4096];
    long             plen;
    size_t           len, other;
    EVP_PKEY        *pkey;
    gw_jwk_set_t    *set;
    unsigned char   *first, *second;
    gw_jwk_error_t   err;

    first = jose_file("p256.pem", &len);
    second = jose_file("ed25519.pem", &other);

    snprintf(text, sizeof(text), "some words\n%s\nmore words\n%s", first,
             second);

    set = parse(text, strlen(text), GW_JWK_PEM, 0, &err);
    ok(set != NULL && set->nkeys == 2 && set->algs == (ES256 | EDDSA)
       && set->keys[0].kid == NULL, "two keys in one text");
    gw_jwk_set_destroy(set);

    set = parse((char *) first, len / 2, GW_JWK_PEM, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_FORMAT, "half a key: %s",
       err.text);

    snprintf(text, sizeof(text), "%s\n%.80s", first, second);
    set = parse(text, strlen(text), GW_JWK_PEM, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_FORMAT, "a key and a half: %s",
       err.text);

    set = parse("", 0, GW_JWK_PEM, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_FORMAT, "nothing: %s", err.text);

    set = parse("{" EC "}", sizeof("{" EC "}") - 1, GW_JWK_PEM, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_FORMAT, "a JWK as PEM: %s",
       err.text);

    set = parse((char *) first, len, GW_JWK_JWKS, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_JSON, "PEM as a JWK: %s",
       err.text);

    snprintf(text, sizeof(text), "-----BEGIN PUBLIC KEY-----\nAAAA\n"
             "-----END PUBLIC KEY-----\n");
    set = parse(text, strlen(text), GW_JWK_PEM, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_FORMAT, "not DER: %s", err.text);

    snprintf(text, sizeof(text),
             "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
             "-----END EC PARAMETERS-----\n%s", first);
    set = parse(text, strlen(text), GW_JWK_PEM, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_FORMAT, "EC parameters: %s",
       err.text);

    /* kinds of keys that are made here, since none may be committed */

    bio = BIO_new(BIO_s_mem());
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    plen = BIO_get_mem_data(bio, &pem);
    set = parse(pem, (size_t) plen, GW_JWK_PEM, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_PRIVATE, "a private key: %s",
       err.text);
    BIO_reset(bio);

    PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL,
                                         NULL);
    plen = BIO_get_mem_data(bio, &pem);
    set = parse(pem, (size_t) plen, GW_JWK_PEM, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_PRIVATE,
       "a private key of the old form: %s", err.text);
    BIO_reset(bio);
    EVP_PKEY_free(pkey);

    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    PEM_write_bio_PUBKEY(bio, pkey);
    plen = BIO_get_mem_data(bio, &pem);
    set = parse(pem, (size_t) plen, GW_JWK_PEM, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_FORMAT, "X25519: %s", err.text);
    BIO_reset(bio);
    EVP_PKEY_free(pkey);

    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp224r1");
    PEM_write_bio_PUBKEY(bio, pkey);
    plen = BIO_get_mem_data(bio, &pem);
    set = parse(pem, (size_t) plen, GW_JWK_PEM, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_FORMAT, "P-224: %s", err.text);
    EVP_PKEY_free(pkey);
    BIO_free(bio);

    free(second);
    free(first);
}


#define SECRET  "0123456789abcdef0123456789abcdef"


typedef struct {
    const char      *text;
    gw_jwk_error_e   code;
    int              index;     /* of an error, or the number of keys */
} keyval_row_t;


static const keyval_row_t  keyval_rows[] = {
    { "{\"a\":\"" SECRET "\"}", GW_JWK_OK, 1 },
    { "{\"a\":\"" SECRET "\",\"b\":\"" SECRET SECRET "\"}", GW_JWK_OK, 2 },
    { "{\"\":\"" SECRET "\"}", GW_JWK_OK, 1 },
    { "{\"a\":\"0123456789abcdef0123456789abcde\"}", GW_JWK_E_SECRET, 0 },
    { "{\"a\":\"" SECRET "\",\"b\":\"\"}", GW_JWK_E_SECRET, 1 },
    { "{\"a\":\"" SECRET "\",\"b\":1}", GW_JWK_E_FORMAT, 1 },
    { "{\"a\":null}", GW_JWK_E_FORMAT, 0 },
    { "{\"keys\":[]}", GW_JWK_E_FORMAT, 0 },
    { "{\"a\":\"" SECRET "\",\"a\":\"" SECRET "\"}", GW_JWK_E_JSON, -1 },
    { "[]", GW_JWK_E_JSON, -1 },
    { "", GW_JWK_E_JSON, -1 },
    { "{}", GW_JWK_E_EMPTY, -1 },
    { "{\"a\":\"-----BEGIN PUBLIC KEY-----\"}", GW_JWK_E_FORMAT, 0 },
    { "{\"a\":\"" SECRET "\",\"b\":\"-----BEGIN PUBLIC KEY-----\"}",
      GW_JWK_E_FORMAT, 1 },
    { NULL, GW_JWK_OK, 0 }
};


/* key IDs with a secret or PEM each */

static void
test_keyval(void)
{
    size_t               len, n;
    char                 text[8192], pem[2048], *p;
    gw_jwk_set_t        *set;
    gw_jwk_error_t       err;
    unsigned char       *file;
    const keyval_row_t  *row;

    for (row = keyval_rows; row->text != NULL; row++) {
        set = parse(row->text, strlen(row->text), GW_JWK_KEYVAL, 0, &err);

        if (row->code == GW_JWK_OK) {
            ok(set != NULL && set->nkeys == (size_t) row->index,
               "keyval %s", row->text);
        } else {
            ok(set == NULL && err.code == row->code
               && err.index == row->index,
               "keyval %s: #%d %s", row->text, err.index, err.text);
        }

        gw_jwk_set_destroy(set);
    }

    set = parse(keyval_rows[1].text, strlen(keyval_rows[1].text),
                GW_JWK_KEYVAL, 0, &err);
    ok(set->keys[0].algs == gw_alg_bit(GW_ALG_HS256)
       && set->keys[1].algs == GW_ALG_MASK_HS,
       "A17 a secret is for the hashes that are not longer");
    ok(set->keys[1].kid_len == 1 && set->keys[1].kid[0] == 'b'
       && set->keys[1].secret_len == 64, "it is taken as it stands");
    gw_jwk_set_destroy(set);

    /* PEM within JSON */

    file = jose_file("p521.pem", &len);
    p = pem;

    for (n = 0; n < len; n++) {
        if (file[n] == '\n') {
            *p++ = '\\';
            *p++ = 'n';
        } else {
            *p++ = (char) file[n];
        }
    }

    *p = '\0';
    free(file);

    snprintf(text, sizeof(text), "{\"x\":\"%s\"}", pem);
    set = parse(text, strlen(text), GW_JWK_KEYVAL, 0, &err);
    ok(set != NULL && set->nkeys == 1 && set->keys[0].kty == GW_KTY_EC
       && set->keys[0].kid_len == 1 && set->keys[0].kid[0] == 'x',
       "keyval with PEM");
    gw_jwk_set_destroy(set);

    snprintf(text, sizeof(text), "{\"x\":\"%s%s\"}", pem, pem);
    set = parse(text, strlen(text), GW_JWK_KEYVAL, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_FORMAT && err.index == 0,
       "keyval with two keys for one ID: %s", err.text);

    snprintf(text, sizeof(text), "{\"x\":\"%s\",\"y\":\"" SECRET "\"}",
             pem);
    set = parse(text, strlen(text), GW_JWK_KEYVAL, 0, &err);
    ok(set == NULL && err.code == GW_JWK_E_MIXED,
       "A14 keyval with a secret beside a public key: %s", err.text);
}


int
main(void)
{
    hash = gw_hash_create();

    test_rows();
    test_rsa();
    test_small_order();
    test_limits();
    test_thumbprints();
    test_pem();
    test_keyval();

    gw_hash_destroy(hash);

    return done();
}
