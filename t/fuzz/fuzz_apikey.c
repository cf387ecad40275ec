
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The text of a key file; every key that is read is found again.
 */


#include <stdlib.h>
#include <string.h>

#include "gw_apikey.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t              i;
    unsigned char       digest[GW_APIKEY_DIGEST_LEN];
    gw_apikey_error_t   err;
    gw_apikey_table_t  *table;
    const gw_apikey_t  *key;

    err.text = NULL;

    table = gw_apikey_table_parse(data, size, &err);

    if (table == NULL) {
        if (err.text == NULL || strcmp(err.text, "out of memory") == 0) {
            abort();
        }

        return 0;
    }

    for (i = 0; i < 256; i++) {
        memset(digest, (int) i, sizeof(digest));

        key = gw_apikey_find(table, digest);

        if (key != NULL
            && (gw_apikey_table_count(table) == 0
                || memcmp(key->digest, digest, sizeof(digest)) != 0
                || key->consumer.len == 0
                || memchr(key->consumer.data, ' ', key->consumer.len)
                || key->nmeta > GW_APIKEY_MAX_META))
        {
            abort();
        }

        if (key != NULL) {
            (void) gw_apikey_check(key, 1);
        }
    }

    gw_apikey_table_destroy(table);

    return 0;
}
