
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * API keys, known only by the SHA-256 of the key.
 *
 * A file has one key a line; empty lines and lines that begin with "#" are
 * skipped; fields are separated by spaces or tabs and hold none:
 *
 *     sha256:<64 hex digits> consumer [exp=] [nbf=] [scopes=] [groups=]
 *                                     [cidr=] [plan=] [meta.<name>=]
 *
 * exp and nbf are seconds since the epoch or RFC 3339 dates
 * (2030-01-31, 2030-01-31T12:00:00Z, 2030-01-31T12:00:00+01:00).
 * scopes, groups and cidr are lists separated by commas; cidr is kept as
 * text, the caller checks and uses it.  A name of meta has lower-case letters,
 * digits and underscores.
 */


#ifndef GW_APIKEY_H
#define GW_APIKEY_H


#include "gw.h"
#include "gw_hash.h"


#define GW_APIKEY_DIGEST_LEN  32                   /* bytes */
#define GW_APIKEY_MAX_FILE    (32 * 1024 * 1024)   /* bytes */
#define GW_APIKEY_MAX_KEYS    100000
#define GW_APIKEY_MAX_LINE    4096                 /* bytes */
#define GW_APIKEY_MAX_META    16                   /* meta.x= of one key */


typedef struct {
    const char  *data;          /* not zero-terminated; NULL if absent */
    size_t       len;
} gw_apikey_text_t;


typedef struct {
    gw_apikey_text_t   name;    /* without "meta." */
    gw_apikey_text_t   value;
} gw_apikey_meta_t;


typedef struct {
    unsigned char       digest[GW_APIKEY_DIGEST_LEN];
    int64_t             exp;    /* seconds since the epoch, 0: never */
    int64_t             nbf;    /* seconds since the epoch, 0: always */
    gw_apikey_text_t    consumer;
    gw_apikey_text_t    plan;
    gw_apikey_text_t    scopes; /* separated by single spaces */
    gw_apikey_text_t    groups; /* separated by commas, as written */
    gw_apikey_text_t    cidr;   /* separated by commas, as written */
    gw_apikey_meta_t   *meta;
    size_t              nmeta;
} gw_apikey_t;


typedef struct gw_apikey_table_s  gw_apikey_table_t;


typedef struct {
    size_t              line;   /* from 1; 0: the file as a whole */
    const char         *text;   /* static: what is wrong, what to do */
} gw_apikey_error_t;


/*
 * Parses the text of a key file.
 *
 *     err  out: set on failure only; never holds a part of the text
 *
 * Returns a table that is freed with gw_apikey_table_destroy(), or NULL: a
 * malformed line, a key that is not a digest, the same digest twice, or too
 * large.  A table without keys is possible.  The text is not kept.
 */
gw_apikey_table_t *gw_apikey_table_parse(const unsigned char *data,
    size_t len, gw_apikey_error_t *err);

/*
 * Frees a table; NULL is allowed.
 */
void gw_apikey_table_destroy(gw_apikey_table_t *table);

/*
 * Returns the number of keys.
 */
size_t gw_apikey_table_count(const gw_apikey_table_t *table);

/*
 * Returns a key by its number, 0 .. gw_apikey_table_count() - 1, in no
 * particular order.
 */
const gw_apikey_t *gw_apikey_table_key(const gw_apikey_table_t *table,
    size_t i);

/*
 * Finds a key by the digest of what was presented.
 *
 * Returns the key, which lives as long as the table, or NULL.  The dates are
 * for gw_apikey_check().
 */
const gw_apikey_t *gw_apikey_find(const gw_apikey_table_t *table,
    const unsigned char digest[GW_APIKEY_DIGEST_LEN]);

/*
 * Decides whether a key is valid now.
 *
 *     now  seconds since the epoch
 *
 * Returns GW_OK or GW_DECLINED: now is exp or later, or before nbf.
 */
gw_status_e gw_apikey_check(const gw_apikey_t *key, int64_t now);

/*
 * Computes the digest under which a key is stored: SHA-256 of its bytes.
 *
 * Returns GW_OK or GW_ERROR (libcrypto failed).
 */
gw_status_e gw_apikey_digest(gw_hash_t *hash, const unsigned char *key,
    size_t len, unsigned char out[GW_APIKEY_DIGEST_LEN]);


#endif /* GW_APIKEY_H */
