
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Input: a path, "?" and arguments, as they follow the prefix of a location
 * of gw_limit_api.
 *
 * The texts must lie within the room that was promised, one behind the other,
 * and a key that is encoded byte by byte must come out as it was.
 */


#include <stdlib.h>
#include <string.h>

#include "gw_limit_target.h"


#define FUZZ_SIZE  4096


static void
fuzz_check(int holds)
{
    if (!holds) {
        abort();
    }
}


static void
fuzz_within(const gw_limit_text_t *text, const u_char *dst, size_t size)
{
    if (text->data != NULL) {
        fuzz_check(text->data >= dst
                   && text->len <= size
                   && (size_t) (text->data - dst) <= size - text->len);
    }
}


static void
fuzz_parse(const u_char *data, size_t len, const u_char *args,
    size_t args_len, int encoded)
{
    u_char             *dst;
    unsigned            i;
    const char         *error;
    gw_status_e         rc;
    gw_limit_target_t   t;

    dst = malloc(len + args_len ? len + args_len : 1);

    rc = gw_limit_target_parse(&t, data, len, encoded, args, args_len, dst,
                               &error);

    fuzz_check(rc == GW_OK || rc == GW_DECLINED
               || (rc == GW_ERROR && error != NULL));

    if (rc == GW_OK) {
        fuzz_check((t.kind == GW_LIMIT_TARGET_ALL) == (t.zone.data == NULL));
        fuzz_check(t.zone.data == NULL || t.zone.len > 0);
        fuzz_within(&t.zone, dst, len + args_len);
        fuzz_within(&t.key, dst, len + args_len);

        for (i = 0; i < GW_LIMIT_ARGS; i++) {
            fuzz_within(&t.args[i], dst, len + args_len);
        }

        fuzz_check(t.key.data == NULL
                   || t.args[GW_LIMIT_ARG_ADDR].data == NULL);
    }

    free(dst);
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t              i;
    u_char              arg[sizeof("key=") + 3 * FUZZ_SIZE];
    u_char              dst[sizeof(arg) + 16], *p;
    const char         *error;
    const u_char       *mark;
    gw_limit_target_t   t;

    static const char   hex[] = "0123456789ABCDEF";

    if (size > FUZZ_SIZE) {
        return 0;
    }

    mark = size ? memchr(data, '?', size) : NULL;

    if (mark == NULL) {
        fuzz_parse(data, size, NULL, 0, 1);
        fuzz_parse(data, size, NULL, 0, 0);

    } else {
        fuzz_parse(data, mark - data, mark + 1, data + size - mark - 1, 1);
        fuzz_parse(data, mark - data, mark + 1, data + size - mark - 1, 0);
    }

    memcpy(arg, "key=", 4);
    p = arg + 4;

    for (i = 0; i < size; i++) {
        *p++ = '%';
        *p++ = hex[data[i] >> 4];
        *p++ = hex[data[i] & 15];
    }

    fuzz_check(gw_limit_target_parse(&t, (u_char *) "limits/z", 8, 1, arg,
                                     p - arg, dst, &error)
               == GW_OK);
    fuzz_check(t.key.len == size
               && (size == 0 || memcmp(t.key.data, data, size) == 0));

    return 0;
}
