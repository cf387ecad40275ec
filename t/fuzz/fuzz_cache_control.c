
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Input: a line of Cache-Control; a NUL divides it in two, of two answers.
 *
 * What is merged is a list that says the same when it is read again, and is
 * never more permissive than any of the answers.
 */


#include <stdlib.h>
#include <string.h>

#include "gw_cache_control.h"


static void
fuzz_check(int holds)
{
    if (!holds) {
        abort();
    }
}


static void
fuzz_read(const u_char *data, size_t len, gw_cache_control_t *cc)
{
    gw_cache_control_init(cc);
    gw_cache_control_parse(cc, data, len);

    fuzz_check(cc->max_age >= -1 && cc->max_age <= GW_CACHE_SECONDS_MAX);
    fuzz_check(cc->s_maxage >= -1 && cc->s_maxage <= GW_CACHE_SECONDS_MAX);
}


/* "b" is what is said of a whole with "a" in it */

static void
fuzz_compare(const gw_cache_control_t *a, const gw_cache_control_t *b)
{
    fuzz_check(!a->no_store || b->no_store);

    if (b->no_store) {
        return;
    }

    fuzz_check(!a->is_private || b->is_private);
    fuzz_check(!a->no_cache || b->no_cache);
    fuzz_check(!a->must_revalidate || b->must_revalidate);
    fuzz_check(!a->no_transform || b->no_transform);
    fuzz_check(!b->is_public || a->is_public);

    if (a->max_age != -1) {
        fuzz_check(b->max_age != -1 && b->max_age <= a->max_age);
    }

    if (a->s_maxage != -1 && b->s_maxage != -1) {
        fuzz_check(b->s_maxage <= a->s_maxage);
    }
}


static void
fuzz_vary(const u_char *data, size_t size)
{
    size_t   len, again;
    u_char  *list, *same;

    list = malloc(2 * size + 2);
    len = 0;
    gw_vary_add(list, &len, data, size);
    fuzz_check(len <= 2 * size);

    /* nothing new */

    same = malloc(2 * len + 2);
    again = 0;
    gw_vary_add(same, &again, list, len);
    fuzz_check(again == len && memcmp(list, same, len) == 0);

    free(list);
    free(same);
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t               len;
    u_char              *p, buf[GW_CACHE_MERGE_SIZE];
    const u_char        *end;
    gw_cache_merge_t     merge;
    gw_cache_control_t   a, b, whole;

    if (size == 0) {
        return 0;
    }

    end = memchr(data, '\0', size);
    len = (end != NULL) ? (size_t) (end - data) : size;

    fuzz_read(data, len, &a);

    gw_cache_merge_init(&merge);
    gw_cache_merge_add(&merge, &a, -1, 0);

    if (end != NULL) {
        fuzz_read(end + 1, size - len - 1, &b);
        gw_cache_merge_add(&merge, &b, -1, 0);
    }

    p = gw_cache_merge_write(&merge, buf, size & 1);
    fuzz_check(p - buf <= GW_CACHE_MERGE_SIZE);

    fuzz_read(buf, (size_t) (p - buf), &whole);
    fuzz_compare(&a, &whole);

    if (end != NULL) {
        fuzz_compare(&b, &whole);
    }

    fuzz_vary(data, size);

    return 0;
}
