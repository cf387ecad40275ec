
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_apikey.h"
#include "gw_apikey_table.h"


#define GW_APIKEY_PREFIX  "sha256:"
#define GW_APIKEY_HMAC    "hmac-sha256:"
#define GW_APIKEY_META    "meta."


static gw_status_e gw_apikey_parse_digest(gw_apikey_t *key,
    const gw_apikey_text_t *word, const char **text);
static gw_status_e gw_apikey_parse_field(gw_apikey_t *key,
    const gw_apikey_text_t *word, const char **text);
static gw_status_e gw_apikey_parse_text(gw_apikey_t *key,
    const gw_apikey_text_t *name, char *value, size_t len,
    const char **text);
static gw_status_e gw_apikey_parse_meta(gw_apikey_t *key,
    const gw_apikey_text_t *name, const gw_apikey_text_t *value,
    const char **text);
static int gw_apikey_next(char **p, const char *last, gw_apikey_text_t *word);
static int gw_apikey_is(const gw_apikey_text_t *word, const char *text);
static int gw_apikey_starts(const gw_apikey_text_t *word, const char *text);
static int gw_apikey_hex(int c);


gw_status_e
gw_apikey_parse_line(gw_apikey_t *key, char *line, size_t len,
    const char **text)
{
    char              *p, *last;
    size_t             i;
    gw_status_e        rc;
    gw_apikey_text_t   word;

    for (i = 0; i < len; i++) {
        if (((unsigned char) line[i] < 0x20 && line[i] != '\t')
            || line[i] == 0x7f)
        {
            *text = "the line has a control character";
            return GW_DECLINED;
        }
    }

    p = line;
    last = line + len;

    (void) gw_apikey_next(&p, last, &word);

    if (gw_apikey_parse_digest(key, &word, text) != GW_OK) {
        return GW_DECLINED;
    }

    if (!gw_apikey_next(&p, last, &key->consumer)
        || memchr(key->consumer.data, '=', key->consumer.len) != NULL)
    {
        *text = "the name of the consumer is missing behind the digest";
        return GW_DECLINED;
    }

    while (gw_apikey_next(&p, last, &word)) {

        rc = gw_apikey_parse_field(key, &word, text);

        if (rc != GW_OK) {
            return rc;
        }
    }

    if (key->exp != 0 && key->nbf >= key->exp) {
        *text = "exp= is not later than nbf=; the key is never valid";
        return GW_DECLINED;
    }

    return GW_OK;
}


static gw_status_e
gw_apikey_parse_digest(gw_apikey_t *key, const gw_apikey_text_t *word,
    const char **text)
{
    int          high, low;
    size_t       i;
    const char  *p;

    if (gw_apikey_starts(word, GW_APIKEY_HMAC)) {
        *text = "\"hmac-sha256:\" is not supported; use \"sha256:\"";
        return GW_DECLINED;
    }

    if (!gw_apikey_starts(word, GW_APIKEY_PREFIX)) {
        *text = "the line does not begin with \"sha256:\"; put the digest of "
                "the key here, never the key itself";
        return GW_DECLINED;
    }

    *text = "\"sha256:\" is not followed by exactly 64 hexadecimal digits";

    if (word->len != sizeof(GW_APIKEY_PREFIX) - 1 + 2 * GW_APIKEY_DIGEST_LEN) {
        return GW_DECLINED;
    }

    p = word->data + sizeof(GW_APIKEY_PREFIX) - 1;

    for (i = 0; i < GW_APIKEY_DIGEST_LEN; i++) {
        high = gw_apikey_hex(p[2 * i]);
        low = gw_apikey_hex(p[2 * i + 1]);

        if (high < 0 || low < 0) {
            return GW_DECLINED;
        }

        key->digest[i] = (unsigned char) (high << 4 | low);
    }

    return GW_OK;
}


static gw_status_e
gw_apikey_parse_field(gw_apikey_t *key, const gw_apikey_text_t *word,
    const char **text)
{
    const char        *equals;
    gw_apikey_text_t   name, value;

    equals = memchr(word->data, '=', word->len);

    if (equals == NULL || equals + 1 == word->data + word->len) {
        *text = "a field is not \"name=value\"; values have no spaces";
        return GW_DECLINED;
    }

    name.data = word->data;
    name.len = equals - word->data;
    value.data = equals + 1;
    value.len = word->len - name.len - 1;

    if (gw_apikey_starts(&name, GW_APIKEY_META)) {
        name.data += sizeof(GW_APIKEY_META) - 1;
        name.len -= sizeof(GW_APIKEY_META) - 1;

        return gw_apikey_parse_meta(key, &name, &value, text);
    }

    *text = "a field appears twice";

    if (gw_apikey_is(&name, "exp")) {
        return (key->exp == 0) ? gw_apikey_parse_date(&key->exp, &value, text)
                               : GW_DECLINED;
    }

    if (gw_apikey_is(&name, "nbf")) {
        return (key->nbf == 0) ? gw_apikey_parse_date(&key->nbf, &value, text)
                               : GW_DECLINED;
    }

    return gw_apikey_parse_text(key, &name, (char *) value.data, value.len,
                                text);
}


static gw_status_e
gw_apikey_parse_text(gw_apikey_t *key, const gw_apikey_text_t *name,
    char *value, size_t len, const char **text)
{
    char              *p;
    gw_apikey_text_t  *field;

    if (gw_apikey_is(name, "plan")) {
        field = &key->plan;

    } else if (gw_apikey_is(name, "scopes")) {
        field = &key->scopes;

    } else if (gw_apikey_is(name, "groups")) {
        field = &key->groups;

    } else if (gw_apikey_is(name, "cidr")) {
        field = &key->cidr;

    } else {
        *text = "a field is unknown; use exp=, nbf=, scopes=, groups=, "
                "cidr=, plan= and meta.<name>=";
        return GW_DECLINED;
    }

    if (field->data != NULL) {
        return GW_DECLINED;
    }

    for (p = value; field != &key->plan && p < value + len; p++) {

        if (*p == ','
            && (p == value || p + 1 == value + len || p[1] == ','))
        {
            *text = "a list has an empty element";
            return GW_DECLINED;
        }
    }

    for (p = value; field == &key->scopes && p < value + len; p++) {
        if (*p == ',') {
            *p = ' ';
        }
    }

    field->data = value;
    field->len = len;

    return GW_OK;
}


static gw_status_e
gw_apikey_parse_meta(gw_apikey_t *key, const gw_apikey_text_t *name,
    const gw_apikey_text_t *value, const char **text)
{
    size_t             i;
    gw_apikey_meta_t  *meta;

    for (i = 0; i < name->len; i++) {
        if (!((name->data[i] >= 'a' && name->data[i] <= 'z')
              || (name->data[i] >= '0' && name->data[i] <= '9')
              || name->data[i] == '_'))
        {
            break;
        }
    }

    if (i < name->len || name->len == 0) {
        *text = "a name of meta has more than lower-case letters, digits and "
                "underscores, or is empty";
        return GW_DECLINED;
    }

    for (i = 0; i < key->nmeta; i++) {
        if (key->meta[i].name.len == name->len
            && memcmp(key->meta[i].name.data, name->data, name->len) == 0)
        {
            *text = "a field appears twice";
            return GW_DECLINED;
        }
    }

    if (key->nmeta == GW_APIKEY_MAX_META) {
        *text = "a key has more than 16 meta fields";
        return GW_DECLINED;
    }

    meta = realloc(key->meta, (key->nmeta + 1) * sizeof(gw_apikey_meta_t));
    if (meta == NULL) {
        *text = "out of memory";
        return GW_ERROR;
    }

    key->meta = meta;
    meta[key->nmeta].name = *name;
    meta[key->nmeta++].value = *value;

    return GW_OK;
}


static int
gw_apikey_next(char **p, const char *last, gw_apikey_text_t *word)
{
    while (*p < last && (**p == ' ' || **p == '\t')) {
        (*p)++;
    }

    word->data = *p;

    while (*p < last && **p != ' ' && **p != '\t') {
        (*p)++;
    }

    word->len = *p - word->data;

    return word->len != 0;
}


static int
gw_apikey_is(const gw_apikey_text_t *word, const char *text)
{
    return word->len == strlen(text)
           && memcmp(word->data, text, word->len) == 0;
}


static int
gw_apikey_starts(const gw_apikey_text_t *word, const char *text)
{
    return word->len >= strlen(text)
           && memcmp(word->data, text, strlen(text)) == 0;
}


static int
gw_apikey_hex(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}
