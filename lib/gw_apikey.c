
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "gw_apikey.h"
#include "gw_apikey_table.h"


#define GW_APIKEY_FIRST_SIZE  64    /* keys; a power of 2 */


/* a slot holds 1 + the index of a key, or 0; half of them stay free */

struct gw_apikey_table_s {
    gw_apikey_t   *keys;
    char         **lines;           /* what the keys point into */
    uint32_t      *slots;
    size_t         nkeys;
    size_t         size;            /* of keys and lines, half of slots */
};


static gw_status_e gw_apikey_read(gw_apikey_table_t *table,
    const unsigned char *data, size_t len, gw_apikey_error_t *err);
static gw_status_e gw_apikey_add(gw_apikey_table_t *table,
    const unsigned char *data, size_t len, const char **text);
static gw_status_e gw_apikey_grow(gw_apikey_table_t *table);
static uint32_t *gw_apikey_slot(const gw_apikey_table_t *table,
    const unsigned char *digest);


gw_apikey_table_t *
gw_apikey_table_parse(const unsigned char *data, size_t len,
    gw_apikey_error_t *err)
{
    gw_apikey_table_t  *table;

    err->line = 0;

    if (len > GW_APIKEY_MAX_FILE) {
        err->text = "the file is larger than 32 MiB; use another store";
        return NULL;
    }

    table = calloc(1, sizeof(gw_apikey_table_t));
    if (table == NULL) {
        err->text = "out of memory";
        return NULL;
    }

    if (gw_apikey_read(table, data, len, err) != GW_OK) {
        gw_apikey_table_destroy(table);
        return NULL;
    }

    return table;
}


static gw_status_e
gw_apikey_read(gw_apikey_table_t *table, const unsigned char *data,
    size_t len, gw_apikey_error_t *err)
{
    size_t                n;
    const unsigned char  *p, *last, *lf;

    last = data + len;

    for (p = data; p < last; p = lf + 1) {

        err->line++;

        lf = memchr(p, '\n', last - p);
        if (lf == NULL) {
            lf = last;
        }

        n = lf - p;

        if (n != 0 && p[n - 1] == '\r') {
            n--;
        }

        while (n != 0 && (*p == ' ' || *p == '\t')) {
            p++;
            n--;
        }

        if (n == 0 || *p == '#') {
            continue;
        }

        if (gw_apikey_add(table, p, n, &err->text) != GW_OK) {
            return GW_ERROR;
        }
    }

    return GW_OK;
}


static gw_status_e
gw_apikey_add(gw_apikey_table_t *table, const unsigned char *data,
    size_t len, const char **text)
{
    char         *line;
    uint32_t     *slot;
    gw_apikey_t  *key;

    if (len > GW_APIKEY_MAX_LINE) {
        *text = "the line is longer than 4096 bytes";
        return GW_DECLINED;
    }

    if (table->nkeys == GW_APIKEY_MAX_KEYS) {
        *text = "the file has more than 100000 keys; use another store";
        return GW_DECLINED;
    }

    *text = "out of memory";

    if (table->nkeys == table->size && gw_apikey_grow(table) != GW_OK) {
        return GW_ERROR;
    }

    line = malloc(len);
    if (line == NULL) {
        return GW_ERROR;
    }

    memcpy(line, data, len);

    /* counted at once, so that the table frees what the line has taken */

    key = &table->keys[table->nkeys];
    memset(key, 0, sizeof(gw_apikey_t));
    table->lines[table->nkeys++] = line;

    if (gw_apikey_parse_line(key, line, len, text) != GW_OK) {
        return GW_DECLINED;
    }

    slot = gw_apikey_slot(table, key->digest);

    if (*slot != 0) {
        *text = "the digest appears twice; remove one of the lines";
        return GW_DECLINED;
    }

    *slot = (uint32_t) table->nkeys;

    return GW_OK;
}


static gw_status_e
gw_apikey_grow(gw_apikey_table_t *table)
{
    char         **lines;
    size_t         i, size;
    uint32_t      *slots;
    gw_apikey_t   *keys;

    size = table->size ? 2 * table->size : GW_APIKEY_FIRST_SIZE;

    keys = realloc(table->keys, size * sizeof(gw_apikey_t));
    if (keys == NULL) {
        return GW_ERROR;
    }

    table->keys = keys;

    lines = realloc(table->lines, size * sizeof(char *));
    if (lines == NULL) {
        return GW_ERROR;
    }

    table->lines = lines;

    slots = calloc(2 * size, sizeof(uint32_t));
    if (slots == NULL) {
        return GW_ERROR;
    }

    free(table->slots);

    table->slots = slots;
    table->size = size;

    for (i = 0; i < table->nkeys; i++) {
        *gw_apikey_slot(table, keys[i].digest) = (uint32_t) (i + 1);
    }

    return GW_OK;
}


/*
 * Finds the slot of a digest or the free one where it belongs.  A digest is
 * already as good as random: its first bytes are the hash.  Whoever presents
 * a key does not choose its digest, so probing tells nothing about others.
 */

static uint32_t *
gw_apikey_slot(const gw_apikey_table_t *table, const unsigned char *digest)
{
    size_t    i, mask;
    uint32_t  hash;

    memcpy(&hash, digest, sizeof(uint32_t));

    mask = 2 * table->size - 1;

    for (i = hash & mask; table->slots[i] != 0; i = (i + 1) & mask) {

        if (CRYPTO_memcmp(table->keys[table->slots[i] - 1].digest, digest,
                          GW_APIKEY_DIGEST_LEN)
            == 0)
        {
            break;
        }
    }

    return &table->slots[i];
}


void
gw_apikey_table_destroy(gw_apikey_table_t *table)
{
    size_t  i;

    if (table == NULL) {
        return;
    }

    for (i = 0; i < table->nkeys; i++) {
        free(table->keys[i].meta);
        free(table->lines[i]);
    }

    free(table->slots);
    free(table->lines);
    free(table->keys);
    free(table);
}


size_t
gw_apikey_table_count(const gw_apikey_table_t *table)
{
    return table->nkeys;
}


const gw_apikey_t *
gw_apikey_table_key(const gw_apikey_table_t *table, size_t i)
{
    return &table->keys[i];
}


const gw_apikey_t *
gw_apikey_find(const gw_apikey_table_t *table,
    const unsigned char digest[GW_APIKEY_DIGEST_LEN])
{
    uint32_t  index;

    if (table->nkeys == 0) {
        return NULL;
    }

    index = *gw_apikey_slot(table, digest);

    return index ? &table->keys[index - 1] : NULL;
}


gw_status_e
gw_apikey_check(const gw_apikey_t *key, int64_t now)
{
    if (key->exp != 0 && now >= key->exp) {
        return GW_DECLINED;
    }

    if (key->nbf != 0 && now < key->nbf) {
        return GW_DECLINED;
    }

    return GW_OK;
}


gw_status_e
gw_apikey_digest(gw_hash_t *hash, const unsigned char *key, size_t len,
    unsigned char out[GW_APIKEY_DIGEST_LEN])
{
    return gw_hash_digest(hash, GW_HASH_SHA256, key, len, out);
}
