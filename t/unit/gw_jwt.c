
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_jwt.h"
#include "tap.h"


#define SEC  INT64_C(1000000)
#define NOW  INT64_C(1700000000)

#define MAX_CLAIMS  512


typedef struct {
    const char   *name;
    const char   *claims;
    int64_t       now;          /* sec */
    int64_t       leeway;       /* sec */
    int64_t       lifetime;     /* sec */
    unsigned      ignore_exp;
    gw_reason_e   reason;
} row_t;


static const row_t  rows[] = {

    /* J01, J02, J03 */

    { "J01 sub twice", "{\"exp\":9999999999,\"sub\":1,\"sub\":1}", NOW, 0, 0,
      0, GW_REASON_JSON },
    { "J01 sub twice, escaped",
      "{\"exp\":9999999999,\"sub\":1,\"\\u0073ub\":1}", NOW, 0, 0, 0,
      GW_REASON_JSON },
    { "J01 exp twice", "{\"exp\":1,\"exp\":9999999999}", NOW, 0, 0, 0,
      GW_REASON_JSON },
    { "J02 []", "[]", NOW, 0, 0, 0, GW_REASON_JSON },
    { "J02 \"x\"", "\"x\"", NOW, 0, 0, 0, GW_REASON_JSON },
    { "J02 1", "1", NOW, 0, 0, 0, GW_REASON_JSON },
    { "J02 nothing", "", NOW, 0, 0, 0, GW_REASON_JSON },
    { "J02 BOM", "\xef\xbb\xbf{\"exp\":9999999999}", NOW, 0, 0, 0,
      GW_REASON_JSON },
    { "J02 trailing x", "{\"exp\":9999999999}x", NOW, 0, 0, 0,
      GW_REASON_JSON },
    { "J02 invalid UTF-8", "{\"exp\":9999999999,\"a\":\"\xc3\x28\"}", NOW, 0,
      0, 0, GW_REASON_JSON },
    { "J02 lone surrogate", "{\"exp\":9999999999,\"a\":\"\\udc00\"}", NOW, 0,
      0, 0, GW_REASON_JSON },
    { "J02 \\u0000", "{\"exp\":9999999999,\"a\":\"\\u0000\"}", NOW, 0, 0, 0,
      GW_REASON_JSON },
    { "J03 too deep", "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
      "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}", NOW, 0, 0, 0, GW_REASON_JSON },

    /* J07 */

    { "J07 1e10", "{\"exp\":1e10}", NOW, 0, 0, 0, GW_REASON_NONE },
    { "J07 9999999999", "{\"exp\":9999999999}", NOW, 0, 0, 0,
      GW_REASON_NONE },
    { "J07 9999999999.5", "{\"exp\":9999999999.5}", NOW, 0, 0, 0,
      GW_REASON_NONE },
    { "J07 -1", "{\"exp\":-1}", NOW, 0, 0, 0, GW_REASON_EXPIRED },
    { "J07 0", "{\"exp\":0}", NOW, 0, 0, 0, GW_REASON_EXPIRED },
    { "J07 -0", "{\"exp\":-0}", NOW, 0, 0, 0, GW_REASON_EXPIRED },
    { "J07 -0.0", "{\"exp\":-0.0}", NOW, 0, 0, 0, GW_REASON_EXPIRED },
    { "J07 -1e300", "{\"exp\":-1e300}", NOW, 0, 0, 0, GW_REASON_EXPIRED },
    { "J07 -2^63", "{\"exp\":-9223372036854775808}", NOW, 0, 0, 0,
      GW_REASON_EXPIRED },
    { "J07 string", "{\"exp\":\"9999999999\"}", NOW, 0, 0, 0,
      GW_REASON_TYPE },
    { "J07 null", "{\"exp\":null}", NOW, 0, 0, 0, GW_REASON_TYPE },
    { "J07 true", "{\"exp\":true}", NOW, 0, 0, 0, GW_REASON_TYPE },
    { "J07 []", "{\"exp\":[]}", NOW, 0, 0, 0, GW_REASON_TYPE },
    { "J07 {}", "{\"exp\":{}}", NOW, 0, 0, 0, GW_REASON_TYPE },
    { "J07 1e400", "{\"exp\":1e400}", NOW, 0, 0, 0, GW_REASON_JSON },
    { "J07 2^63", "{\"exp\":9223372036854775808}", NOW, 0, 0, 0,
      GW_REASON_JSON },
    { "J07 2^63 - 1", "{\"exp\":9223372036854775807}", NOW, 0, 0, 0,
      GW_REASON_TYPE },
    { "J07 253402300800", "{\"exp\":253402300800}", NOW, 0, 0, 0,
      GW_REASON_TYPE },
    { "J07 253402300799", "{\"exp\":253402300799}", NOW, 0, 0, 0,
      GW_REASON_NONE },
    { "J07 253402300800.0", "{\"exp\":253402300800.0}", NOW, 0, 0, 0,
      GW_REASON_TYPE },
    { "J07 253402300799.5", "{\"exp\":253402300799.5}", NOW, 0, 0, 0,
      GW_REASON_NONE },
    { "J07 1e300", "{\"exp\":1e300}", NOW, 0, 0, 0, GW_REASON_TYPE },
    { "J07 NaN", "{\"exp\":NaN}", NOW, 0, 0, 0, GW_REASON_JSON },
    { "nbf of year 10000", "{\"exp\":9999999999,\"nbf\":253402300800}", NOW,
      0, 0, 0, GW_REASON_TYPE },

    /* J08 */

    { "J08 no exp", "{}", NOW, 0, 0, 0, GW_REASON_CLAIM },
    { "J08 Exp", "{\"Exp\":9999999999}", NOW, 0, 0, 0, GW_REASON_CLAIM },
    { "J08 no exp, not validated", "{}", NOW, 0, 0, 1, GW_REASON_NONE },
    { "J08 passed exp, not validated", "{\"exp\":1}", NOW, 0, 0, 1,
      GW_REASON_NONE },
    { "J08 exp of another type, not validated", "{\"exp\":\"1\"}", NOW, 0, 0,
      1, GW_REASON_TYPE },
    { "J08 future nbf, exp not validated", "{\"nbf\":1700000001}", NOW, 0, 0,
      1, GW_REASON_NBF },

    /* J09 */

    { "J09 now = exp", "{\"exp\":1700000000}", NOW, 0, 0, 0,
      GW_REASON_EXPIRED },
    { "J09 now = exp - 1", "{\"exp\":1700000001}", NOW, 0, 0, 0,
      GW_REASON_NONE },
    { "J09 leeway 30, now = exp + 29", "{\"exp\":1699999971}", NOW, 30, 0, 0,
      GW_REASON_NONE },
    { "J09 leeway 30, now = exp + 30", "{\"exp\":1699999970}", NOW, 30, 0, 0,
      GW_REASON_EXPIRED },
    { "J09 half a second left", "{\"exp\":1700000000.5}", NOW, 0, 0, 0,
      GW_REASON_NONE },
    { "J09 half a second gone", "{\"exp\":1699999999.5}", NOW, 0, 0, 0,
      GW_REASON_EXPIRED },

    /* J10 */

    { "J10 nbf now", "{\"exp\":9999999999,\"nbf\":1700000000}", NOW, 0, 0, 0,
      GW_REASON_NONE },
    { "J10 nbf in a second", "{\"exp\":9999999999,\"nbf\":1700000001}", NOW,
      0, 0, 0, GW_REASON_NBF },
    { "J10 nbf = now + leeway", "{\"exp\":9999999999,\"nbf\":1700000030}",
      NOW, 30, 0, 0, GW_REASON_NONE },
    { "J10 nbf = now + leeway + 1",
      "{\"exp\":9999999999,\"nbf\":1700000031}", NOW, 30, 0, 0,
      GW_REASON_NBF },
    { "J10 nbf string", "{\"exp\":9999999999,\"nbf\":\"1\"}", NOW, 0, 0, 0,
      GW_REASON_TYPE },
    { "J10 nbf null", "{\"exp\":9999999999,\"nbf\":null}", NOW, 0, 0, 0,
      GW_REASON_TYPE },

    /* J11 */

    { "J11 iat now", "{\"exp\":9999999999,\"iat\":1700000000}", NOW, 0, 0, 0,
      GW_REASON_NONE },
    { "J11 iat = now + leeway", "{\"exp\":9999999999,\"iat\":1700000030}",
      NOW, 30, 0, 0, GW_REASON_NONE },
    { "J11 iat beyond leeway", "{\"exp\":9999999999,\"iat\":1700000031}",
      NOW, 30, 0, 0, GW_REASON_IAT },
    { "J11 iat string", "{\"exp\":9999999999,\"iat\":\"1\"}", NOW, 0, 0, 0,
      GW_REASON_TYPE },

    /* J12 */

    { "J12 as long as allowed",
      "{\"iat\":1699999000,\"exp\":1700002600}", NOW, 0, 3600, 0,
      GW_REASON_NONE },
    { "J12 longer", "{\"iat\":1699999000,\"exp\":1700002601}", NOW, 0, 3600,
      0, GW_REASON_LIFETIME },
    { "J12 no iat", "{\"exp\":1700003600}", NOW, 0, 3600, 0,
      GW_REASON_NONE },
    { "J12 no iat, longer", "{\"exp\":1700003601}", NOW, 0, 3600, 0,
      GW_REASON_LIFETIME },
    { "J12 no exp", "{}", NOW, 0, 3600, 1, GW_REASON_LIFETIME },

    { NULL, NULL, 0, 0, 0, 0, 0 }
};


typedef struct {
    const char  *claims;
    int          good;
} value_row_t;


/* against "api" */

static const value_row_t  aud_rows[] = {
    { "{\"aud\":\"api\"}", 1 },
    { "{\"aud\":[\"api\"]}", 1 },
    { "{\"aud\":[\"x\",\"api\",\"y\"]}", 1 },
    { "{\"aud\":[\"a\\u0070i\"]}", 1 },
    { "{}", 0 },
    { "{\"aud\":[]}", 0 },
    { "{\"aud\":null}", 0 },
    { "{\"aud\":5}", 0 },
    { "{\"aud\":true}", 0 },
    { "{\"aud\":{\"api\":1}}", 0 },
    { "{\"aud\":[[\"api\"]]}", 0 },
    { "{\"aud\":[\"api\",5]}", 0 },
    { "{\"aud\":[5,\"api\"]}", 0 },
    { "{\"aud\":[null]}", 0 },
    { "{\"aud\":\"\"}", 0 },
    { "{\"aud\":\"ap\"}", 0 },
    { "{\"aud\":\"apis\"}", 0 },
    { "{\"aud\":\"xapi\"}", 0 },
    { "{\"aud\":\"API\"}", 0 },
    { "{\"aud\":\"api \"}", 0 },
    { "{\"aud\":\"api,x\"}", 0 },
    { "{\"Aud\":\"api\"}", 0 },
    { NULL, 0 }
};


/* against "https://a.example" */

static const value_row_t  iss_rows[] = {
    { "{\"iss\":\"https://a.example\"}", 1 },
    { "{\"iss\":\"https:\\/\\/a.example\"}", 1 },
    { "{}", 0 },
    { "{\"iss\":\"https://a.example/\"}", 0 },
    { "{\"iss\":\"https://A.example\"}", 0 },
    { "{\"iss\":\"HTTPS://a.example\"}", 0 },
    { "{\"iss\":\"https://\xd0\xb0.example\"}", 0 },
    { "{\"iss\":\"https://%61.example\"}", 0 },
    { "{\"iss\":[\"https://a.example\"]}", 0 },
    { "{\"iss\":\"https://a.exampl\"}", 0 },
    { "{\"iss\":\"\"}", 0 },
    { "{\"iss\":null}", 0 },
    { NULL, 0 }
};


typedef struct {
    const char  *typ;           /* NULL: absent */
    const char  *want;
    int          good;
} typ_row_t;


static const typ_row_t  typ_rows[] = {
    { "at+jwt", "at+jwt", 1 },
    { "AT+JWT", "at+jwt", 1 },
    { "application/at+jwt", "at+jwt", 1 },
    { "Application/AT+jwt", "at+jwt", 1 },
    { "at+jwt", "application/at+jwt", 1 },
    { "JWT", "at+jwt", 0 },
    { NULL, "at+jwt", 0 },
    { "dpop+jwt", "at+jwt", 0 },
    { "logout+jwt", "at+jwt", 0 },
    { "at+jwt ", "at+jwt", 0 },
    { "at+jw", "at+jwt", 0 },
    { "", "at+jwt", 0 },
    { "application/", "at+jwt", 0 },
    { "application/application/at+jwt", "at+jwt", 0 },
    { "application/x/at+jwt", "x/at+jwt", 0 },
    { "text/at+jwt", "at+jwt", 0 },
    { NULL, NULL, 0 }
};


/*
 * A plain payload is read where it stands, others from a tree: each row is
 * tried as it is, and with a member whose name has an escape.
 *
 *     buf  where the second form is written
 *
 * Returns NULL if there is no such form.
 */

static const char *
form(const char *claims, int n, char buf[MAX_CLAIMS])
{
    if (n == 0) {
        return claims;
    }

    if (claims[0] != '{' || claims[1] != '"') {
        return NULL;
    }

    snprintf(buf, MAX_CLAIMS, "{\"\\u007a\":0,%s", claims + 1);

    return buf;
}


static void
test_times(int n)
{
    char             buf[MAX_CLAIMS];
    gw_jwt_t         jwt;
    const char      *claims;
    const row_t     *row;
    gw_reason_e      reason;
    gw_status_e      rc;
    gw_jwt_times_t   times;

    for (row = rows; row->name != NULL; row++) {

        claims = form(row->claims, n, buf);
        if (claims == NULL) {
            continue;
        }

        reason = GW_REASON_NONE;

        rc = gw_jwt_parse(&jwt, (const unsigned char *) claims,
                          strlen(claims), &reason);

        if (rc == GW_OK) {
            times.leeway = row->leeway * SEC;
            times.max_lifetime = row->lifetime * SEC;
            times.max_age = 0;
            times.ignore_exp = row->ignore_exp;

            rc = gw_jwt_check_times(&jwt, &times, row->now * SEC, &reason);
        }

        ok(reason == row->reason
           && rc == (reason == GW_REASON_NONE ? GW_OK : GW_DECLINED),
           "%s: \"%s\"", row->name, gw_reason_text(reason));

        gw_jwt_release(&jwt);
    }
}


typedef struct {
    const char   *claims;
    int64_t       leeway;       /* sec */
    gw_reason_e   reason;       /* a minute is allowed, now is 1000 */
} age_row_t;


static const age_row_t  age_rows[] = {
    { "{\"exp\":2000,\"iat\":1000}", 0, GW_REASON_NONE },
    { "{\"exp\":2000,\"iat\":941}", 0, GW_REASON_NONE },
    { "{\"exp\":2000,\"iat\":940}", 0, GW_REASON_AGE },
    { "{\"exp\":2000,\"iat\":940.5}", 0, GW_REASON_NONE },
    { "{\"exp\":2000,\"iat\":931}", 10, GW_REASON_NONE },
    { "{\"exp\":2000,\"iat\":930}", 10, GW_REASON_AGE },
    { "{\"exp\":2000,\"iat\":-1e300}", 10, GW_REASON_AGE },
    { "{\"exp\":2000}", 10, GW_REASON_CLAIM },
    { "{\"exp\":1000,\"iat\":1}", 0, GW_REASON_EXPIRED },
    { NULL, 0, GW_REASON_NONE }
};


static void
test_age(int n)
{
    char              buf[MAX_CLAIMS];
    gw_jwt_t          jwt;
    const char       *claims;
    gw_reason_e       reason;
    gw_jwt_times_t    times;
    const age_row_t  *row;

    for (row = age_rows; row->claims != NULL; row++) {

        claims = form(row->claims, n, buf);
        reason = GW_REASON_NONE;

        (void) gw_jwt_parse(&jwt, (const unsigned char *) claims,
                            strlen(claims), &reason);

        times.leeway = row->leeway * SEC;
        times.max_lifetime = 0;
        times.max_age = 60 * SEC;
        times.ignore_exp = 0;

        ok(gw_jwt_check_times(&jwt, &times, 1000 * SEC, &reason)
           == (row->reason == GW_REASON_NONE ? GW_OK : GW_DECLINED)
           && reason == row->reason,
           "J12 age %s: \"%s\"", claims, gw_reason_text(reason));

        gw_jwt_release(&jwt);
    }
}


static void
test_values(const value_row_t *row, const char *want,
    gw_status_e (*test)(const gw_jwt_t *jwt, const char *text, size_t len),
    int n)
{
    char         buf[MAX_CLAIMS];
    gw_jwt_t     jwt;
    const char  *claims;
    gw_reason_e  reason;

    for ( /* void */ ; row->claims != NULL; row++) {

        claims = form(row->claims, n, buf);
        if (claims == NULL) {
            continue;
        }

        ok(gw_jwt_parse(&jwt, (const unsigned char *) claims, strlen(claims),
                        &reason)
           == GW_OK
           && test(&jwt, want, strlen(want))
              == (row->good ? GW_OK : GW_DECLINED),
           "%s: %s", claims, row->good ? "yes" : "no");

        gw_jwt_release(&jwt);
    }
}


/* the same answers with a tree and without one */

static void
test_text(void)
{
    size_t       i, len;
    gw_jwt_t     jwt;
    const char  *text;
    gw_reason_e  reason;

    static const struct {
        const char  *claims;
        unsigned     plain;
    } payloads[] = {
        { "{\"s\":\"abc\",\"e\":\"\",\"n\":null,\"i\":7,"
          "\"o\":{\"in\":\"x\"}}", 1 },
        { "{\"s\":\"\\u0061bc\",\"e\":\"\",\"n\":null,\"i\":7,"
          "\"o\":{\"in\":\"x\"}}", 0 },
        { "{\"s\":\"abc\",\"e\":\"\",\"n\":null,\"i\":7.5,\"o\":[]}", 0 }
    };

    for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {

        (void) gw_jwt_parse(&jwt, (const unsigned char *) payloads[i].claims,
                            strlen(payloads[i].claims), &reason);

        ok(jwt.plain == payloads[i].plain
           && (jwt.tree == NULL) == payloads[i].plain, "%s: %s a tree",
           payloads[i].claims, payloads[i].plain ? "without" : "with");

        ok(gw_jwt_text(&jwt, "s", 1, &text, &len) == GW_OK && len == 3
           && memcmp(text, "abc", 3) == 0
           && gw_jwt_text(&jwt, "e", 1, &text, &len) == GW_OK && len == 0
           && gw_jwt_text(&jwt, "n", 1, &text, &len) == GW_DECLINED
           && gw_jwt_text(&jwt, "i", 1, &text, &len) == GW_DECLINED
           && gw_jwt_text(&jwt, "o", 1, &text, &len) == GW_DECLINED
           && gw_jwt_text(&jwt, "in", 2, &text, &len) == GW_DECLINED
           && gw_jwt_text(&jwt, "", 0, &text, &len) == GW_DECLINED,
           "strings at the top level are text");

        ok(gw_jwt_has(&jwt, "s", 1) && gw_jwt_has(&jwt, "e", 1)
           && gw_jwt_has(&jwt, "i", 1) && gw_jwt_has(&jwt, "o", 1)
           && !gw_jwt_has(&jwt, "n", 1) && !gw_jwt_has(&jwt, "in", 2),
           "what is not null is there");

        ok(json_object_size(gw_jwt_claims(&jwt)) == 5
           && gw_jwt_claims(&jwt) == gw_jwt_claims(&jwt),
           "all claims, made once");

        gw_jwt_release(&jwt);
    }
}


static void
test_typ(void)
{
    gw_jws_t          jws;
    const typ_row_t  *row;

    memset(&jws, 0, sizeof(gw_jws_t));

    for (row = typ_rows; row->want != NULL; row++) {

        jws.typ = row->typ;
        jws.typ_len = row->typ ? strlen(row->typ) : 0;

        ok(gw_jwt_typ_is(&jws, row->want, strlen(row->want))
           == (row->good ? GW_OK : GW_DECLINED),
           "J15 typ \"%s\": %s", row->typ ? row->typ : "",
           row->good ? "yes" : "no");
    }
}


static void
test_reasons(void)
{
    int  i, errors;

    errors = 0;

    for (i = GW_REASON_NONE + 1; i < GW_REASON_MAX; i++) {
        errors += (gw_reason_text((gw_reason_e) i)[0] == '\0');
    }

    ok(errors == 0, "every reason has a text");
    ok(strcmp(gw_reason_text(GW_REASON_NONE), "") == 0, "no reason");
    ok(strcmp(gw_reason_text(GW_REASON_MAX), "") == 0, "not a reason");
    ok(strcmp(gw_reason_text(GW_REASON_MEMORY), "memory") == 0
       && strcmp(gw_reason_text(GW_REASON_SIG), "sig") == 0
       && strcmp(gw_reason_text(GW_REASON_ALG_KEY), "alg_key") == 0,
       "the texts are in order");
}


int
main(void)
{
    int  n;

    for (n = 0; n < 2; n++) {
        test_times(n);
        test_age(n);
        test_values(aud_rows, "api", gw_jwt_audience_has, n);
        test_values(iss_rows, "https://a.example", gw_jwt_issuer_is, n);
    }

    test_text();
    test_typ();
    test_reasons();

    return done();
}
