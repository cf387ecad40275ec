
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Tables of documents: lines of tab-separated fields, bytes that are not
 * printable percent-encoded, comments from "#".
 */


#ifndef GW_JSON_TABLE_H
#define GW_JSON_TABLE_H


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gw.h"


#define TABLE_FIELDS  3
#define TABLE_LINE    8192


typedef struct {
    FILE    *file;
    u_char   line[TABLE_LINE];
    u_char  *fields[TABLE_FIELDS];
    size_t   lens[TABLE_FIELDS];
} table_t;


static size_t
table_decode(u_char *p)
{
    u_char   *dst, *start;
    unsigned  c;

    start = p;

    for (dst = p; *p; p++) {
        if (*p == '%' && sscanf((char *) p + 1, "%2x", &c) == 1) {
            *dst++ = (u_char) c;
            p += 2;
            continue;
        }

        *dst++ = *p;
    }

    *dst = '\0';

    return dst - start;
}


static int
table_open(table_t *t, const char *name)
{
    char  path[1024];

    snprintf(path, sizeof(path), "%s/json/%s", GW_TEST_DATA, name);

    t->file = fopen(path, "r");

    if (t->file == NULL) {
        printf("Bail out! cannot open %s\n", path);
        return 0;
    }

    return 1;
}


/* 1, or 0 at the end, which closes the file */

static int
table_next(table_t *t)
{
    char    *p;
    size_t   i;

    do {
        p = fgets((char *) t->line, sizeof(t->line), t->file);

        if (p == NULL) {
            fclose(t->file);
            return 0;
        }

    } while (*p == '#');

    p[strcspn(p, "\n")] = '\0';

    for (i = 0; i < TABLE_FIELDS; i++) {
        t->fields[i] = (u_char *) p;
        p += strcspn(p, "\t");

        if (*p) {
            *p++ = '\0';
        }
    }

    for (i = 0; i < TABLE_FIELDS; i++) {
        t->lens[i] = table_decode(t->fields[i]);
    }

    return 1;
}


#endif /* GW_JSON_TABLE_H */
