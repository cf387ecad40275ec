
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <openssl/err.h>

#include "gw_jws.h"
#include "jose.h"
#include "jose_verify.h"


#define MAX_TOKEN  16384


typedef struct {
    const char   *name;
    const char   *header;       /* NULL: text is the whole token */
    const char   *text;
    gw_reason_e   reason;
} parse_row_t;


static const char  deep33[] = "{\"alg\":\"RS256\",\"x\":"
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}";


static const parse_row_t  parse_rows[] = {

    /* 7.1 */

    { "A01 none", "{\"alg\":\"none\"}", "e30.", GW_REASON_ALG },
    { "A01 none, typ", "{\"typ\":\"JWT\",\"alg\":\"none\"}", "e30.",
      GW_REASON_ALG },
    { "A02 None", "{\"alg\":\"None\"}", "e30.", GW_REASON_ALG },
    { "A02 NONE", "{\"alg\":\"NONE\"}", "e30.", GW_REASON_ALG },
    { "A02 nOnE", "{\"alg\":\"nOnE\"}", "e30.", GW_REASON_ALG },
    { "A02 none, signature", "{\"alg\":\"none\"}", "e30.AAAA",
      GW_REASON_ALG },
    { "A03 no alg", "{\"typ\":\"JWT\"}", "e30.AA", GW_REASON_HEADER },
    { "A03 empty header", "{}", "e30.AA", GW_REASON_HEADER },
    { "A03 alg 5", "{\"alg\":5}", "e30.AA", GW_REASON_HEADER },
    { "A03 alg null", "{\"alg\":null}", "e30.AA", GW_REASON_HEADER },
    { "A03 alg []", "{\"alg\":[]}", "e30.AA", GW_REASON_HEADER },
    { "A03 alg [RS256]", "{\"alg\":[\"RS256\"]}", "e30.AA",
      GW_REASON_HEADER },
    { "A03 alg {}", "{\"alg\":{}}", "e30.AA", GW_REASON_HEADER },
    { "A03 alg \"\"", "{\"alg\":\"\"}", "e30.AA", GW_REASON_HEADER },
    { "alg rs256", "{\"alg\":\"rs256\"}", "e30.AA", GW_REASON_ALG },
    { "alg RS256 and a space", "{\"alg\":\"RS256 \"}", "e30.AA",
      GW_REASON_ALG },
    { "alg RS1", "{\"alg\":\"RS1\"}", "e30.AA", GW_REASON_ALG },
    { "alg HS1", "{\"alg\":\"HS1\"}", "e30.AA", GW_REASON_ALG },
    { "alg RSA1_5", "{\"alg\":\"RSA1_5\"}", "e30.AA", GW_REASON_ALG },
    { "alg dir", "{\"alg\":\"dir\"}", "e30.AA", GW_REASON_ALG },
    { "alg PBES2", "{\"alg\":\"PBES2-HS256+A128KW\",\"p2c\":2147483647}",
      "e30.AA", GW_REASON_ALG },
    { "alg ML-DSA-66", "{\"alg\":\"ML-DSA-66\"}", "e30.AA", GW_REASON_ALG },
    { "A22 kid null", "{\"alg\":\"RS256\",\"kid\":null}", "e30.AA",
      GW_REASON_KID },
    { "A22 kid 1", "{\"alg\":\"RS256\",\"kid\":1}", "e30.AA",
      GW_REASON_KID },
    { "A22 kid {}", "{\"alg\":\"RS256\",\"kid\":{}}", "e30.AA",
      GW_REASON_KID },

    /* 7.2 */

    { "a token", "{\"alg\":\"RS256\"}", "e30.AA", GW_REASON_NONE },
    { "S07 empty signature parses", "{\"alg\":\"RS256\"}", "e30.",
      GW_REASON_NONE },
    { "empty payload parses", "{\"alg\":\"RS256\"}", ".AA",
      GW_REASON_NONE },
    { "S09 = in header", NULL, "eyJhbGciOiJSUzI1NiJ9==.e30.AA",
      GW_REASON_MALFORMED },
    { "S09 == in payload", NULL, "eyJhbGciOiJSUzI1NiJ9.eQ==.AA",
      GW_REASON_MALFORMED },
    { "S09 == in signature", NULL, "eyJhbGciOiJSUzI1NiJ9.e30.AA==",
      GW_REASON_MALFORMED },
    { "S09 ==garbage in header", NULL,
      "eyJhbGciOiJSUzI1NiJ9==garbage.e30.AA", GW_REASON_MALFORMED },
    { "S09 ==garbage in payload", NULL,
      "eyJhbGciOiJSUzI1NiJ9.e30==garbage.AA", GW_REASON_MALFORMED },
    { "S09 ==garbage in signature", NULL,
      "eyJhbGciOiJSUzI1NiJ9.e30.AA==garbage", GW_REASON_MALFORMED },
    { "S09 +", NULL, "eyJhbGciOiJSUzI1NiJ9.e3+0.AA", GW_REASON_MALFORMED },
    { "S09 /", NULL, "eyJhbGciOiJSUzI1NiJ9.e3/0.AA", GW_REASON_MALFORMED },
    { "S09 space", NULL, "eyJhbGciOiJSUzI1NiJ9.e30.AA ",
      GW_REASON_MALFORMED },
    { "S09 leading space", NULL, " eyJhbGciOiJSUzI1NiJ9.e30.AA",
      GW_REASON_MALFORMED },
    { "S09 LF", NULL, "eyJhbGciOiJSUzI1NiJ9.e30.AA\n",
      GW_REASON_MALFORMED },
    { "S09 tab", NULL, "eyJhbGciOiJSUzI1NiJ9.e30\t.AAAA",
      GW_REASON_MALFORMED },
    { "S09 ?", NULL, "eyJhbGciOiJSUzI1NiJ9.e30.AA?A", GW_REASON_MALFORMED },
    { "S09 #", NULL, "eyJhbGciOiJSUzI1NiJ9.e30.AA#A", GW_REASON_MALFORMED },
    { "S09 UTF-8", NULL, "eyJhbGciOiJSUzI1NiJ9.e30.AA\xc3\xa9",
      GW_REASON_MALFORMED },
    { "S09 trailing bits in header", NULL, "eyJhbGciOiJSUzI1NiJ9IB.e30.AA",
      GW_REASON_MALFORMED },
    { "S09 trailing bits in payload", NULL, "eyJhbGciOiJSUzI1NiJ9.e31.AA",
      GW_REASON_MALFORMED },
    { "S09 trailing bits in signature", NULL,
      "eyJhbGciOiJSUzI1NiJ9.e30.AB", GW_REASON_MALFORMED },
    { "S09 header of length 4n + 1", NULL, "eyJhbGciOiJSUzI1NiJ9A.e30.AA",
      GW_REASON_MALFORMED },
    { "S09 payload of length 4n + 1", NULL, "eyJhbGciOiJSUzI1NiJ9.e30AA.AA",
      GW_REASON_MALFORMED },
    { "S09 signature of length 4n + 1", NULL,
      "eyJhbGciOiJSUzI1NiJ9.e30.A", GW_REASON_MALFORMED },
    { "S10 nothing", NULL, "", GW_REASON_MALFORMED },
    { "S10 one part", NULL, "eyJhbGciOiJSUzI1NiJ9", GW_REASON_MALFORMED },
    { "S10 a.b", NULL, "eyJhbGciOiJSUzI1NiJ9.e30", GW_REASON_MALFORMED },
    { "S10 a.b.c.d", NULL, "eyJhbGciOiJSUzI1NiJ9.e30.AA.AA",
      GW_REASON_MALFORMED },
    { "S10 .", NULL, ".", GW_REASON_MALFORMED },
    { "S10 ..", NULL, "..", GW_REASON_MALFORMED },
    { "S10 six parts", NULL, "eyJhbGciOiJSUzI1NiJ9.e30.AA.AA.AA.AA",
      GW_REASON_MALFORMED },
    { "S10 .a.b.c", NULL, ".eyJhbGciOiJSUzI1NiJ9.e30.AA",
      GW_REASON_MALFORMED },
    { "S10 a..b.c", NULL, "eyJhbGciOiJSUzI1NiJ9..e30.AA",
      GW_REASON_MALFORMED },
    { "S10 a.b.c.", NULL, "eyJhbGciOiJSUzI1NiJ9.e30.AA.",
      GW_REASON_MALFORMED },
    { "S10 JSON serialization", NULL,
      "{\"payload\":\"e30\",\"signatures\":[{\"protected\":"
      "\"eyJhbGciOiJSUzI1NiJ9\",\"signature\":\"AA\"}]}",
      GW_REASON_MALFORMED },
    { "S10 flattened JSON", NULL,
      "{\"payload\":\"e30\",\"protected\":\"eyJhbGciOiJSUzI1NiJ9\","
      "\"signature\":\"AA\"}", GW_REASON_MALFORMED },
    { "S11 five parts", NULL, "eyJhbGciOiJSUzI1NiJ9.AA.AA.AA.AA",
      GW_REASON_TYPE },
    { "S11 five parts, direct", NULL, "eyJhbGciOiJSUzI1NiJ9..AA.AA.AA",
      GW_REASON_TYPE },

    /* 7.3 */

    { "J01 alg twice", "{\"alg\":\"RS256\",\"alg\":\"RS256\"}", "e30.AA",
      GW_REASON_JSON },
    { "J01 alg twice, none", "{\"alg\":\"none\",\"alg\":\"RS256\"}",
      "e30.AA", GW_REASON_JSON },
    { "J01 kid twice, escaped",
      "{\"alg\":\"RS256\",\"kid\":\"a\",\"\\u006bid\":\"b\"}", "e30.AA",
      GW_REASON_JSON },
    { "header []", "[]", "e30.AA", GW_REASON_JSON },
    { "header with trailing bytes", "{\"alg\":\"RS256\"}x", "e30.AA",
      GW_REASON_JSON },
    { "header with a trailing space", "{\"alg\":\"RS256\"} ", "e30.AA",
      GW_REASON_NONE },
    { "header with BOM", "\xef\xbb\xbf{\"alg\":\"RS256\"}", "e30.AA",
      GW_REASON_JSON },
    { "header with \\u0000", "{\"alg\":\"RS256\\u0000\"}", "e30.AA",
      GW_REASON_JSON },
    { "J03 header 33 deep", deep33, "e30.AA", GW_REASON_JSON },
    { "typ 5", "{\"alg\":\"RS256\",\"typ\":5}", "e30.AA",
      GW_REASON_HEADER },
    { "cty []", "{\"alg\":\"RS256\",\"cty\":[]}", "e30.AA",
      GW_REASON_HEADER },
    { "J16 crit [exp]",
      "{\"alg\":\"RS256\",\"crit\":[\"exp\"],\"exp\":1}", "e30.AA",
      GW_REASON_CRIT },
    { "J16 crit [x]", "{\"alg\":\"RS256\",\"crit\":[\"x\"],\"x\":1}",
      "e30.AA", GW_REASON_CRIT },
    { "J16 crit []", "{\"alg\":\"RS256\",\"crit\":[]}", "e30.AA",
      GW_REASON_CRIT },
    { "J16 crit \"x\"", "{\"alg\":\"RS256\",\"crit\":\"x\"}", "e30.AA",
      GW_REASON_CRIT },
    { "J16 crit null", "{\"alg\":\"RS256\",\"crit\":null}", "e30.AA",
      GW_REASON_CRIT },
    { "J16 crit [alg]", "{\"alg\":\"RS256\",\"crit\":[\"alg\"]}", "e30.AA",
      GW_REASON_CRIT },
    { "J16 crit [b64], b64 false",
      "{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}", "e30.AA",
      GW_REASON_CRIT },
    { "J16 crit [b64], b64 true",
      "{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":true}", "e30.AA",
      GW_REASON_CRIT },
    { "J16 crit [x, x]", "{\"alg\":\"RS256\",\"crit\":[\"x\",\"x\"]}",
      "e30.AA", GW_REASON_CRIT },
    { "J16 crit twice",
      "{\"alg\":\"RS256\",\"crit\":[\"x\"],\"crit\":[\"x\"]}", "e30.AA",
      GW_REASON_JSON },
    { "J17 b64 false without crit", "{\"alg\":\"RS256\",\"b64\":false}",
      "e30.AA", GW_REASON_HEADER },
    { "b64 \"true\"", "{\"alg\":\"RS256\",\"b64\":\"true\"}", "e30.AA",
      GW_REASON_HEADER },
    { "b64 true", "{\"alg\":\"RS256\",\"b64\":true}", "e30.AA",
      GW_REASON_NONE },

    { NULL, NULL, NULL, 0 }
};


static gw_hash_t     *hash;
static gw_jws_ctx_t  *ctx;


static void
test_parse(void)
{
    size_t              len;
    gw_jws_t            jws;
    gw_reason_e         reason;
    gw_status_e         rc;
    const parse_row_t  *row;
    unsigned char       token[MAX_TOKEN], buf[MAX_TOKEN];

    for (row = parse_rows; row->name != NULL; row++) {

        len = 0;

        if (row->header != NULL) {
            len = gw_base64url_encode(token,
                                      (const unsigned char *) row->header,
                                      strlen(row->header));
            token[len++] = '.';
        }

        memcpy(token + len, row->text, strlen(row->text));
        len += strlen(row->text);

        reason = GW_REASON_NONE;
        rc = gw_jws_parse(ctx, &jws, token, len, MAX_TOKEN, buf, &reason);

        ok(rc == (row->reason == GW_REASON_NONE ? GW_OK : GW_DECLINED)
           && reason == row->reason, "%s: \"%s\"", row->name,
           gw_reason_text(reason));

        gw_jws_release(&jws);
    }
}


static void
test_size(void)
{
    size_t          len, n;
    gw_jws_t        jws;
    gw_reason_e     reason;
    gw_status_e     rc;
    unsigned char   header[4096], token[8192], buf[8192];

    /* the header is as long as it may be, then longer by one */

    for (n = GW_JWS_MAX_HEADER; n <= GW_JWS_MAX_HEADER + 1; n++) {

        memset(header, ' ', n);
        memcpy(header, "{\"alg\":\"RS256\"}", 15);

        len = gw_base64url_encode(token, header, n);
        memcpy(token + len, ".e30.AA", 7);

        rc = gw_jws_parse(ctx, &jws, token, len + 7, 8192, buf, &reason);

        ok(n == GW_JWS_MAX_HEADER ? rc == GW_OK
           : rc == GW_DECLINED && reason == GW_REASON_SIZE,
           "J04 header of %zu bytes", n);

        gw_jws_release(&jws);
    }

    memcpy(token, "eyJhbGciOiJSUzI1NiJ9.e30.AA", 27);

    rc = gw_jws_parse(ctx, &jws, token, 27, 27, buf, &reason);
    ok(rc == GW_OK, "J04 token of the size allowed");
    ok(jws.alg == GW_ALG_RS256 && jws.payload_len == 2
       && memcmp(jws.payload, "{}", 2) == 0 && jws.sig_len == 1
       && jws.signed_len == 24, "the parts of a token");
    gw_jws_release(&jws);

    rc = gw_jws_parse(ctx, &jws, token, 27, 26, buf, &reason);
    ok(rc == GW_DECLINED && reason == GW_REASON_SIZE,
       "J04 token one byte longer than allowed");

    token[25] = '\0';
    rc = gw_jws_parse(ctx, &jws, token, 27, 27, buf, &reason);
    ok(rc == GW_DECLINED && reason == GW_REASON_MALFORMED, "S09 NUL");
}


static gw_reason_e
verify(const char *token, const gw_jwk_set_t *set, gw_alg_mask_t allowed)
{
    size_t           len;
    gw_jws_t         jws;
    gw_reason_e      reason;
    gw_status_e      rc;
    const gw_jwk_t  *key;
    unsigned char    buf[MAX_TOKEN];

    len = strlen(token);

    /* a lack of memory must not look like a verdict */

    reason = GW_REASON_NONE;
    rc = gw_jws_parse(ctx, &jws, (const unsigned char *) token, len,
                      MAX_TOKEN, buf, &reason);

    if (rc == GW_OK) {
        rc = jose_verify(ctx, &jws, set, allowed, &key, &reason);
        gw_jws_release(&jws);
    }

    if ((rc == GW_OK) != (reason == GW_REASON_NONE)
        || (rc == GW_ERROR) != (reason == GW_REASON_MEMORY))
    {
        return GW_REASON_MAX;
    }

    return reason;
}


static void
test_tokens(void)
{
    char            *line, *next, *field[5];
    size_t           i, len;
    gw_reason_e      got, again;
    gw_jwk_set_t    *set;
    gw_jwk_error_t   err;
    unsigned char   *data;

    data = jose_file("tokens.txt", &len);

    for (line = (char *) data; *line != '\0'; line = next) {

        next = strchr(line, '\n');
        *next++ = '\0';

        for (i = 0; i < 5; i++) {
            field[i] = line;
            line = (i < 4) ? strchr(line, ' ') : line;
            if (i < 4) {
                *line++ = '\0';
            }
        }

        set = jose_keys(field[1], hash, &err);
        if (set == NULL) {
            ok(0, "%s: %s: %s", field[0], field[1], err.text);
            continue;
        }

        got = verify(field[4], set, jose_algs(field[2]));
        again = verify(field[4], set, jose_algs(field[2]));

        ok(strcmp(got == GW_REASON_NONE ? "ok" : gw_reason_text(got),
                  field[3]) == 0
           && got == again && ERR_peek_error() == 0,
           "%s: \"%s\"", field[0], gw_reason_text(got));

        gw_jwk_set_destroy(set);
    }

    free(data);
}


/*
 * RFC 7515, appendix A; RFC 8037, A.4: keys and tokens as printed there.
 */

typedef struct {
    const char  *name;
    const char  *jwk;
    const char  *token;
    const char  *algs;
} rfc_row_t;


static const rfc_row_t  rfc_rows[] = {

    { "RFC 7515, A.1: HS256",
      "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"
      "-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}",
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
      "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
      "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "HS256" },

    { "RFC 7515, A.2: RS256",
      "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbj"
      "i9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pC"
      "gNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5"
      "z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qC"
      "o5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91"
      "kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}",
      "eyJhbGciOiJSUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
      "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
      "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
      "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
      "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
      "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
      "p0igcN_IoypGlUPQGe77Rw", "RS256" },

    { "RFC 7515, A.3: ES256",
      "{\"kty\":\"EC\",\"crv\":\"P-256\","
      "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
      "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
      "eyJhbGciOiJFUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
      "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
      "pmWQxfKTUJqPP3-Kg6NU1Q", "ES256" },

    { "RFC 7515, A.4: ES512",
      "{\"kty\":\"EC\",\"crv\":\"P-521\","
      "\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6O"
      "vLFV1jSfS9tsz4qUxcWceqwQGk\","
      "\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL"
      "4Kkd0AZMaZmh9ubmf63e3kyMj2\"}",
      "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA."
      "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZq"
      "wqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8Kp"
      "EHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn", "ES512" },

    { "RFC 8037, A.4: EdDSA",
      "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
      "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
      "hVsPt9g7sVvpAr_MuM0KAg", "EdDSA" },

    { NULL, NULL, NULL, NULL }
};


static void
test_rfc(void)
{
    gw_reason_e       reason;
    gw_jwk_set_t     *set;
    gw_jwk_error_t    err;
    const rfc_row_t  *row;

    for (row = rfc_rows; row->name != NULL; row++) {

        set = gw_jwk_set_parse((const unsigned char *) row->jwk,
                               strlen(row->jwk), GW_JWK_JWKS, 0, hash, &err);
        if (set == NULL) {
            ok(0, "%s: %s", row->name, err.text);
            continue;
        }

        reason = verify(row->token, set, jose_algs(row->algs));

        ok(reason == GW_REASON_NONE, "%s: \"%s\"", row->name,
           gw_reason_text(reason));

        gw_jwk_set_destroy(set);
    }
}


/*
 * S01: r and s of 0, 1, n - 1, n and the largest number there is.
 */

static void
test_ecdsa_range(void)
{
    int              c, r, s;
    size_t           len, n;
    gw_jws_t         jws;
    gw_reason_e      reason;
    gw_status_e      rc;
    gw_jwk_set_t    *set;
    gw_jwk_error_t   err;
    const gw_jwk_t  *key;
    unsigned char    values[5][GW_JWK_MAX_COORD], sig[2 * GW_JWK_MAX_COORD];
    unsigned char    token[512], buf[512], header[64];

    static const char *const  names[] = { "0", "1", "n - 1", "n", "max" };

    static const char *const  curves[][2] = {
        { "p256.jwks", "ES256" }, { "p384.jwks", "ES384" },
        { "p521.jwks", "ES512" }, { "secp256k1.jwks", "ES256K" }
    };

    for (c = 0; c < 4; c++) {

        set = jose_keys(curves[c][0], hash, &err);
        len = set->keys[0].sig_len / 2;

        memset(values, 0, sizeof(values));
        values[1][len - 1] = 1;
        memcpy(values[2], set->keys[0].order, len);
        values[2][len - 1]--;
        memcpy(values[3], set->keys[0].order, len);
        memset(values[4], 0xff, len);

        for (r = 0; r < 5; r++) {
            for (s = 0; s < 5; s++) {
                memcpy(sig, values[r], len);
                memcpy(sig + len, values[s], len);

                snprintf((char *) header, sizeof(header),
                         "{\"alg\":\"%s\"}", curves[c][1]);
                n = gw_base64url_encode(token, header,
                                        strlen((char *) header));
                memcpy(token + n, ".e30.", 5);
                n += 5;
                n += gw_base64url_encode(token + n, sig, 2 * len);

                rc = gw_jws_parse(ctx, &jws, token, n, 512, buf, &reason);

                if (rc == GW_OK) {
                    rc = jose_verify(ctx, &jws, set, ~(gw_alg_mask_t) 0,
                                     &key, &reason);
                    gw_jws_release(&jws);
                }

                ok(rc == GW_DECLINED && reason == GW_REASON_SIG
                   && ERR_peek_error() == 0, "S01 %s, r = %s, s = %s",
                   curves[c][1], names[r], names[s]);
            }
        }

        gw_jwk_set_destroy(set);
    }
}


/* a good token whose header has a number; returns its length */

static size_t
make_header(unsigned char *token, int number, gw_hmac_key_t *hmac)
{
    char           header[64];
    size_t         n;
    unsigned char  mac[GW_HASH_MAX_LEN];

    snprintf(header, sizeof(header),
             "{\"alg\":\"HS256\",\"kid\":\"oct\",\"n\":%d}", number);

    n = gw_base64url_encode(token, (unsigned char *) header, strlen(header));
    memcpy(token + n, ".e30", 4);
    n += 4;

    gw_hmac(hash, hmac, token, n, mac);
    token[n] = '.';

    return n + 1 + gw_base64url_encode(token + n + 1, mac, 32);
}


/*
 * More distinct good headers than the context keeps, each twice: every one is
 * refused or accepted as without the context.
 */

static void
test_headers(void)
{
    int              i, known, bad;
    size_t           n;
    gw_jws_t         jws;
    gw_hmac_key_t   *hmac;
    gw_reason_e      reason;
    gw_jwk_set_t    *set;
    gw_jws_ctx_t    *own;
    gw_jwk_error_t   err;
    const gw_jwk_t  *key;
    unsigned char    token[512], buf[512];

    set = jose_keys("oct.jwks", hash, &err);
    hmac = set->keys[0].hmac[GW_HASH_SHA256];
    own = gw_jws_ctx_create(hash);

    known = 0;
    bad = 0;

    for (i = 0; i < 4 * GW_JWS_HEADERS; i++) {

        n = make_header(token, i / 2, hmac);

        if (gw_jws_parse(own, &jws, token, n, 512, buf, &reason) != GW_OK
            || jose_verify(own, &jws, set, GW_ALG_MASK_HS, &key, &reason)
               != GW_OK
            || jws.kid_len != 3 || memcmp(jws.kid, "oct", 3) != 0
            || json_integer_value(json_object_get(jws.header, "n")) != i / 2)
        {
            bad++;
        }

        known += jws.known;
        gw_jws_release(&jws);
    }

    ok(bad == 0, "every token with a kept header is verified");
    ok(known == 2 * GW_JWS_HEADERS, "each second one was kept: %d", known);

    /* the last ones are there; the first of them makes room for a new one */

    known = 0;

    for (i = 2 * GW_JWS_HEADERS; i >= GW_JWS_HEADERS - 1; i--) {
        n = make_header(token, i, hmac);

        if (gw_jws_parse(own, &jws, token, n, 512, buf, &reason) != GW_OK
            || jose_verify(own, &jws, set, GW_ALG_MASK_HS, &key, &reason)
               != GW_OK)
        {
            bad++;
        }

        known += jws.known;
        gw_jws_release(&jws);
    }

    ok(bad == 0 && known == GW_JWS_HEADERS - 1,
       "who was not asked for makes room: %d", known);

    n = gw_base64url_encode(token, (const unsigned char *)
                            "{\"alg\":\"HS256\",\"z\":1}", 21);
    memcpy(token + n, ".e30.AA", 7);

    for (i = 0; i < 2; i++) {
        gw_jws_parse(own, &jws, token, n + 7, 512, buf, &reason);
        ok(!jws.known
           && jose_verify(own, &jws, set, GW_ALG_MASK_HS, &key, &reason)
              == GW_DECLINED,
           "the header of a token that is not good is not kept");
        gw_jws_release(&jws);
    }

    gw_jws_ctx_destroy(own);
    gw_jwk_set_destroy(set);
}


int
main(void)
{
    hash = gw_hash_create();
    ctx = gw_jws_ctx_create(hash);

    test_parse();
    test_size();
    test_rfc();
    test_ecdsa_range();
    test_headers();
    test_tokens();

    gw_jws_ctx_destroy(ctx);
    gw_hash_destroy(hash);

    return done();
}
