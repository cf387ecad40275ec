
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Input: a value of a client.
 *
 * As a component it must be unreserved bytes and codes, stay one segment of a
 * path and one value of arguments, and decode to the same again; what is
 * taken for a path must have no segment that leads elsewhere.
 */


#include <stdlib.h>
#include <string.h>

#include "gw_uri.h"


#define FUZZ_SIZE  4096


static void
fuzz_check(int holds)
{
    if (!holds) {
        abort();
    }
}


/* no segment of a decoded path is "." or ".." */

static void
fuzz_segments(const u_char *p, size_t len)
{
    size_t  i, start;

    start = 0;

    for (i = 0; i <= len; i++) {

        if (i < len && p[i] != '/') {
            fuzz_check(p[i] != '\0');
            continue;
        }

        fuzz_check(!(i - start == 1 && p[start] == '.'));
        fuzz_check(!(i - start == 2 && p[start] == '.'
                     && p[start + 1] == '.'));
        start = i + 1;
    }
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t         i, len, again;
    u_char         path[FUZZ_SIZE * GW_URI_ESCAPE_MAX + 1];
    u_char         out[FUZZ_SIZE * GW_URI_ESCAPE_MAX + 1];
    u_char         twice[FUZZ_SIZE * GW_URI_ESCAPE_MAX * GW_URI_ESCAPE_MAX];
    unsigned       encoded;
    gw_status_e    rc;

    if (size > FUZZ_SIZE) {
        return 0;
    }

    rc = gw_uri_path(data, size, out, &len, &encoded);

    if (rc == GW_OK) {
        fuzz_check(size && data[0] == '/' && len <= size);

        if (!encoded) {
            fuzz_segments(out, len);
        }
    }

    path[0] = '/';
    len = gw_uri_component(path + 1, data, size) - path - 1;

    fuzz_check(len <= size * GW_URI_ESCAPE_MAX);
    fuzz_check(gw_uri_args(path + 1, len) == GW_OK);

    for (i = 1; i <= len; i++) {
        fuzz_check(strchr("/?&=#+; ", path[i]) == NULL);
    }

    /* encoding what is encoded changes nothing */

    again = gw_uri_component(twice, path + 1, len) - twice;
    fuzz_check(again == len && memcmp(twice, path + 1, len) == 0);

    if (gw_uri_path(path, len + 1, out, &again, &encoded) == GW_OK
        && !encoded)
    {
        /* one segment */
        fuzz_check(memchr(out + 1, '/', again - 1) == NULL);
    }

    (void) gw_uri_text(path, data, size);

    return 0;
}
