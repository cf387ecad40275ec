
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw_apikey.h"
#include "tap.h"


#define D1  "sha256:0123456789abcdef0123456789abcdef" \
            "0123456789abcdef0123456789abcdef"
#define D2  "sha256:0123456789ABCDEF0123456789abcdef" \
            "0123456789abcdef0123456789abcdee"


typedef struct {
    const char  *name;
    const char  *text;
    size_t       count;         /* keys, if line is 0 */
    size_t       line;          /* of the error */
    const char  *error;         /* a part of the sentence */
} row_t;


typedef struct {
    const char  *text;
    int64_t      date;          /* 0: refused */
} date_row_t;


static const row_t  rows[] = {
    { "an empty file", "", 0, 0, NULL },
    { "comments and empty lines", "# a\n\n  \n\t# b\r\n", 0, 0, NULL },
    { "one key", D1 " alice\n", 1, 0, NULL },
    { "no line feed at the end", D1 " alice", 1, 0, NULL },
    { "CR LF", D1 " alice\r\n" D2 " bob\r\n", 2, 0, NULL },
    { "tabs and spaces", "  " D1 "\t \talice  plan=gold\t\n", 1, 0, NULL },
    { "all fields", D1 " alice exp=2000000000 nbf=1 scopes=a,b groups=x "
      "cidr=10.0.0.0/8,::1 plan=gold meta.a=1 meta.b_2=c=d\n", 1, 0, NULL },
    { "a raw key", D1 " alice\nsecret-key alice\n", 0, 2, "never the key" },
    { "a raw key alone", "gw_live_0123456789abcdef\n", 0, 1,
      "never the key" },
    { "a digest without its name", "0123456789abcdef0123456789abcdef"
      "0123456789abcdef0123456789abcdef alice\n", 0, 1, "sha256:" },
    { "a digest of another kind", "md5:0123456789abcdef0123456789abcdef "
      "alice\n", 0, 1, "sha256:" },
    { "SHA256 in capitals", "SHA256:0123456789abcdef0123456789abcdef"
      "0123456789abcdef0123456789abcdef alice\n", 0, 1, "sha256:" },
    { "a digest with a pepper", "hmac-sha256:0123456789abcdef0123456789abcdef"
      "0123456789abcdef0123456789abcdef alice\n", 0, 1, "not supported" },
    { "a short digest", "sha256:0123 alice\n", 0, 1, "64 hex" },
    { "a long digest", D1 "0 alice\n", 0, 1, "64 hex" },
    { "a digest with a letter", "sha256:g123456789abcdef0123456789abcdef"
      "0123456789abcdef0123456789abcdef alice\n", 0, 1, "64 hex" },
    { "no consumer", D1 "\n", 0, 1, "consumer" },
    { "a field instead of the consumer", D1 " plan=gold\n", 0, 1,
      "consumer" },
    { "the same digest twice", D1 " alice\n#\n" D1 " bob\n", 0, 3,
      "twice" },
    { "an unknown field", D1 " alice expires=1\n", 0, 1, "unknown" },
    { "a word", D1 " alice gold\n", 0, 1, "name=value" },
    { "an empty value", D1 " alice plan=\n", 0, 1, "name=value" },
    { "no name", D1 " alice =x\n", 0, 1, "unknown" },
    { "plan twice", D1 " alice plan=a plan=b\n", 0, 1, "field appears" },
    { "exp twice", D1 " alice exp=5 exp=6\n", 0, 1, "field appears" },
    { "meta twice", D1 " alice meta.a=1 meta.a=2\n", 0, 1, "field appears" },
    { "meta without a name", D1 " alice meta.=1\n", 0, 1, "meta" },
    { "meta with a capital", D1 " alice meta.A=1\n", 0, 1, "meta" },
    { "an empty element", D1 " alice scopes=a,,b\n", 0, 1, "empty element" },
    { "a leading comma", D1 " alice groups=,a\n", 0, 1, "empty element" },
    { "a trailing comma", D1 " alice cidr=::1,\n", 0, 1, "empty element" },
    { "a comma in plan", D1 " alice plan=a,,b\n", 1, 0, NULL },
    { "exp before nbf", D1 " alice exp=5 nbf=5\n", 0, 1, "never valid" },
    { "exp is a word", D1 " alice exp=never\n", 0, 1, "date" },
    { "a control character", D1 " ali\x01""ce\n", 0, 1, "control" },
    { "CR within the line", D1 " alice\rbob\n", 0, 1, "control" },
    { "DEL", D1 " alice\x7f\n", 0, 1, "control" },
    { NULL, NULL, 0, 0, NULL }
};


static const date_row_t  date_rows[] = {
    { "1", 1 },
    { "2000000000", 2000000000 },
    { "999999999999", 999999999999 },
    { "0", 0 }, { "-1", 0 }, { "+1", 0 }, { "1.5", 0 }, { "1e9", 0 },
    { "9999999999999", 0 },
    { "1970-01-02", 86400 },
    { "1970-01-01", 0 },
    { "2000-02-29", 951782400 },
    { "2000-03-01", 951868800 },
    { "2030-01-31", 1896048000 },
    { "2100-02-28", 4107456000 },
    { "2100-02-29", 0 }, { "2023-02-29", 0 }, { "2024-02-29", 1709164800 },
    { "2030-01-31T12:34:56Z", 1896093296 },
    { "2030-01-31t12:34:56z", 1896093296 },
    { "2030-01-31T12:34:56+01:30", 1896087896 },
    { "2030-01-31T12:34:56-01:30", 1896098696 },
    { "2030-01-31T00:00:00+00:00", 1896048000 },
    { "2030-12-31T23:59:59Z", 1924991999 },
    { "9999-12-31T23:59:59Z", 253402300799 },
    { "2030-01-31T12:34:60Z", 0 }, { "2030-01-31T24:00:00Z", 0 },
    { "2030-01-31T12:60:00Z", 0 }, { "2030-01-31T12:34:56", 0 },
    { "2030-01-31 12:34:56Z", 0 }, { "2030-01-31T12:34:56.5Z", 0 },
    { "2030-01-31T12:34:56+0130", 0 }, { "2030-01-31T12:34:56+24:00", 0 },
    { "2030-01-31T12:34:56+01:60", 0 }, { "2030-01-31T12:34:56*01:00", 0 },
    { "2030-13-01", 0 }, { "2030-00-01", 0 }, { "2030-01-00", 0 },
    { "2030-01-32", 0 }, { "2030-04-31", 0 }, { "1969-12-31", 0 },
    { "2030/01/31", 0 }, { "20300131", 20300131 }, { "2030-1-31", 0 },
    { "2030-01-31T", 0 }, { "2030-01-31Tab:cd:efZ", 0 },
    { NULL, 0 }
};


static gw_apikey_table_t *
parse(const char *text, gw_apikey_error_t *err)
{
    size_t              len;
    unsigned char      *copy;
    gw_apikey_table_t  *table;

    /* exactly as long as it is, for the sanitizers */

    len = strlen(text);

    copy = malloc(len ? len : 1);
    memcpy(copy, text, len);

    table = gw_apikey_table_parse(copy, len, err);

    free(copy);

    return table;
}


static void
test_rows(void)
{
    const row_t        *row;
    gw_apikey_error_t   err;
    gw_apikey_table_t  *table;

    for (row = rows; row->name != NULL; row++) {

        table = parse(row->text, &err);

        if (row->line == 0) {
            ok(table != NULL && gw_apikey_table_count(table) == row->count,
               "%s: %s", row->name, table ? "read" : err.text);

        } else {
            ok(table == NULL && err.line == row->line
               && strstr(err.text, row->error) != NULL,
               "%s: line %zu, %s", row->name, err.line,
               table ? "read" : err.text);
        }

        gw_apikey_table_destroy(table);
    }
}


static void
test_dates(void)
{
    int                 good;
    char                line[256];
    unsigned char       digest[GW_APIKEY_DIGEST_LEN];
    const date_row_t   *row;
    gw_apikey_error_t   err;
    gw_apikey_table_t  *table;

    memcpy(digest, "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89"
           "\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89"
           "\xab\xcd\xef", 32);

    for (row = date_rows; row->text != NULL; row++) {

        snprintf(line, sizeof(line), D1 " alice exp=%s", row->text);

        table = parse(line, &err);

        good = (row->date == 0) ? table == NULL
               : table != NULL
                 && gw_apikey_find(table, digest)->exp == row->date;

        ok(good, "exp=%s", row->text);

        gw_apikey_table_destroy(table);
    }
}


static int
is(const gw_apikey_text_t *text, const char *expected)
{
    return text->data != NULL
           && text->len == strlen(expected)
           && memcmp(text->data, expected, text->len) == 0;
}


static void
test_fields(void)
{
    gw_hash_t          *hash;
    unsigned char       digest[GW_APIKEY_DIGEST_LEN];
    gw_apikey_error_t   err;
    gw_apikey_table_t  *table;
    const gw_apikey_t  *key;

    /* SHA-256 of "abc" (FIPS 180-2) */

    table = parse("sha256:ba7816bf8f01cfea414140de5dae2223"
                  "b00361a396177a9cb410ff61f20015ad alice exp=200 nbf=100 "
                  "scopes=read,write groups=a,b cidr=10.0.0.0/8,::1 "
                  "plan=gold meta.team=x meta.n=1=2\n" D1 " bob\n", &err);

    hash = gw_hash_create();

    gw_apikey_digest(hash, (const unsigned char *) "abc", 3, digest);
    key = gw_apikey_find(table, digest);

    ok(key != NULL && is(&key->consumer, "alice"), "a key is found");

    if (key == NULL) {
        return;
    }

    ok(is(&key->scopes, "read write"), "scopes");
    ok(is(&key->groups, "a,b"), "groups");
    ok(is(&key->cidr, "10.0.0.0/8,::1"), "cidr");
    ok(is(&key->plan, "gold"), "plan");
    ok(key->nmeta == 2 && is(&key->meta[0].name, "team")
       && is(&key->meta[0].value, "x") && is(&key->meta[1].name, "n")
       && is(&key->meta[1].value, "1=2"), "meta");

    ok(gw_apikey_check(key, 99) == GW_DECLINED, "K01 before nbf");
    ok(gw_apikey_check(key, 100) == GW_OK, "at nbf");
    ok(gw_apikey_check(key, 199) == GW_OK, "before exp");
    ok(gw_apikey_check(key, 200) == GW_DECLINED, "K01 at exp");

    gw_apikey_digest(hash, digest, sizeof(digest), digest);
    ok(gw_apikey_find(table, digest) == NULL,
       "K05 a digest presented as the key");

    gw_apikey_digest(hash, (const unsigned char *)
                     "ba7816bf8f01cfea414140de5dae2223"
                     "b00361a396177a9cb410ff61f20015ad", 64, digest);
    ok(gw_apikey_find(table, digest) == NULL,
       "K05 a digest in hexadecimal presented as the key");

    gw_apikey_digest(hash, (const unsigned char *) "", 0, digest);
    ok(gw_apikey_find(table, digest) == NULL, "K15 an empty key");

    gw_apikey_table_destroy(table);

    table = parse("", &err);
    ok(gw_apikey_find(table, digest) == NULL, "an empty table");
    gw_apikey_table_destroy(table);

    gw_hash_destroy(hash);
}


/*
 * As many keys as may be and one more; all are found, others are not.
 */

static void
test_limits(void)
{
    char               *text, *p;
    char                name[32];
    size_t              i, n, missed, found;
    unsigned char       digest[GW_APIKEY_DIGEST_LEN];
    gw_apikey_error_t   err;
    gw_apikey_table_t  *table;
    const gw_apikey_t  *key;

    text = malloc((GW_APIKEY_MAX_KEYS + 1) * 84);

    for (n = GW_APIKEY_MAX_KEYS; n <= GW_APIKEY_MAX_KEYS + 1; n++) {

        for (i = 0, p = text; i < n; i++) {
            p += sprintf(p, "sha256:%08zx%056zx c%zu\n",
                         (i * 2654435761u) & 0xffffffff, i, i);
        }

        table = gw_apikey_table_parse((unsigned char *) text, p - text,
                                      &err);

        if (n > GW_APIKEY_MAX_KEYS) {
            ok(table == NULL && strstr(err.text, "100000") != NULL,
               "one key too many");
            break;
        }

        ok(table != NULL && gw_apikey_table_count(table) == n,
           "as many keys as allowed");

        missed = 0;
        found = 0;

        for (i = 0; i < 2 * n; i++) {
            memset(digest, 0, sizeof(digest));
            digest[0] = (unsigned char) ((i * 2654435761u) >> 24);
            digest[1] = (unsigned char) ((i * 2654435761u) >> 16);
            digest[2] = (unsigned char) ((i * 2654435761u) >> 8);
            digest[3] = (unsigned char) (i * 2654435761u);
            digest[29] = (unsigned char) (i >> 16);
            digest[30] = (unsigned char) (i >> 8);
            digest[31] = (unsigned char) i;

            key = gw_apikey_find(table, digest);

            if (i < n) {
                sprintf(name, "c%zu", i);
                missed += (key == NULL || !is(&key->consumer, name));

            } else {
                found += (key != NULL);
            }
        }

        ok(missed == 0, "every key is found");
        ok(found == 0, "no other key is found");

        gw_apikey_table_destroy(table);
    }

    /* lengths of a line, without its line feed */

    for (n = GW_APIKEY_MAX_LINE; n <= GW_APIKEY_MAX_LINE + 1; n++) {

        memset(text, 'x', n);
        memcpy(text, D1 " ", sizeof(D1));

        table = gw_apikey_table_parse((unsigned char *) text, n, &err);

        ok((n == GW_APIKEY_MAX_LINE) == (table != NULL),
           "a line of %zu bytes", n);

        gw_apikey_table_destroy(table);
    }

    /* numbers of meta fields */

    for (n = GW_APIKEY_MAX_META; n <= GW_APIKEY_MAX_META + 1; n++) {

        p = text + sprintf(text, D1 " alice");

        for (i = 0; i < n; i++) {
            p += sprintf(p, " meta.m%zu=1", i);
        }

        table = gw_apikey_table_parse((unsigned char *) text, p - text,
                                      &err);

        ok((n == GW_APIKEY_MAX_META) == (table != NULL),
           "%zu meta fields", n);

        gw_apikey_table_destroy(table);
    }

    free(text);

    table = gw_apikey_table_parse((const unsigned char *) "",
                                  GW_APIKEY_MAX_FILE + 1, &err);
    ok(table == NULL && err.line == 0, "a file that is too large");
}


int
main(void)
{
    test_rows();
    test_dates();
    test_fields();
    test_limits();

    return done();
}
