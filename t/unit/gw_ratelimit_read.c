
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_ratelimit_fields.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>


typedef struct {
    const char  *text;
    int64_t      remaining;    /* -1: refused */
    int64_t      reset;
} row_t;


static row_t  lists[] = {
    { "\"default\";r=50;t=30", 50, 30 },
    { "\"default\";r=0", 0, 0 },
    { "default;r=50", 50, 0 },
    { "*a:b/c!#$%&'*+-.^_`|~;r=1", 1, 0 },
    { "\"a\";r=9;t=1, \"b\";r=4;t=2,\t\"c\";r=7;t=3", 4, 2 },
    { "\"a\";r=4;t=2 , \"b\";r=4;t=9", 4, 9 },
    { " \"a\";r=4 ", 4, 0 },
    { "\"a\";  r=4; t=8", 4, 8 },
    { "\"a\";r=4;r=3", 3, 0 },
    { "\"a\";pk=:cHs+/A==:;r=4;x;y=?1;z=-1.25;w=@1;v=%\"f%c3\";u=tok", 4, 0 },
    { "\"q\\\"b\\\\e\";r=2", 2, 0 },
    { "\"\";r=2", 2, 0 },
    { "\"a\";r=999999999999999", 999999999999999, 0 },
    { "\"a\";*k=1;r=5;k.1-2_3*=2", 5, 0 },

    { "\"a\";a=4;w=9", 4, 9 },
    { "\"a\";a=4;c=1, \"b\";a=3", 3, 0 },
    { "\"a\";r=4;t=5;a=3;w=9", 4, 5 },
    { "\"a\";a=x;r=4;w=?1", 4, 0 },

    { "\"a\";a=-1;w=9", -1, 0 },
    { "\"a\";a=1.5", -1, 0 },
    { "\"a\";w=5", -1, 0 },
    { "", -1, 0 },
    { " ", -1, 0 },
    { "\"a\"", -1, 0 },
    { "\"a\";t=5", -1, 0 },
    { "\"a\";r", -1, 0 },
    { "\"a\";r=", -1, 0 },
    { "\"a\";r=-1", -1, 0 },
    { "\"a\";r=1.5", -1, 0 },
    { "\"a\";r=1.", -1, 0 },
    { "\"a\";r=1.1234", -1, 0 },
    { "\"a\";r=1;x=1234567890123.1", -1, 0 },
    { "\"a\";r=\"1\"", -1, 0 },
    { "\"a\";r=@1", -1, 0 },
    { "\"a\";r=1;t=x", -1, 0 },
    { "\"a\";r=1000000000000000", -1, 0 },
    { "\"a\";R=1", -1, 0 },
    { "\"a\";r=1;", -1, 0 },
    { "\"a\";r=1;1=1", -1, 0 },
    { "\"a\";r=1;-=1", -1, 0 },
    { "\"a\" ;r=1", -1, 0 },
    { "\"a\";r=1,", -1, 0 },
    { "\"a\";r=1 \"b\";r=1", -1, 0 },
    { "\"a\";r=1, \"b\"", -1, 0 },
    { "\"a", -1, 0 },
    { "\"a\\", -1, 0 },
    { "\"a\\x\";r=1", -1, 0 },
    { "\"a\x7f\";r=1", -1, 0 },
    { "\"a\";r=1;x=\"", -1, 0 },
    { "\"a\";r=1;x=:ab", -1, 0 },
    { "\"a\";r=1;x=:a b:", -1, 0 },
    { "\"a\";r=1;x=?2", -1, 0 },
    { "\"a\";r=1;x=?", -1, 0 },
    { "\"a\";r=1;x=@", -1, 0 },
    { "\"a\";r=1;x=@1.5", -1, 0 },
    { "\"a\";r=1;x=%a", -1, 0 },
    { "\"a\";r=1;x=-", -1, 0 },
    { "\"a\";r=1;x=(1 2)", -1, 0 },
    { "(\"a\");r=1", -1, 0 },
    { "1;r=1", -1, 0 },
    { "limit=100, remaining=50, reset=50", -1, 0 },
    { "50", -1, 0 }
};


static row_t  numbers[] = {
    { "0", 0, 0 },
    { "49", 49, 0 },
    { "007", 7, 0 },
    { "999999999999999", 999999999999999, 0 },

    { "", -1, 0 },
    { "-1", -1, 0 },
    { "4.5", -1, 0 },
    { "1000000000000000", -1, 0 },
    { "49, 48", -1, 0 },
    { " 49", -1, 0 },
    { "49x", -1, 0 },
    { "unlimited", -1, 0 }
};


static void
test_rows(row_t *row, size_t n, gw_ratelimit_read_pt read)
{
    char                 *copy;
    size_t                len;
    gw_status_e           rc;
    gw_ratelimit_told_t   told;

    for ( /* void */ ; n; n--, row++) {
        len = strlen(row->text);

        /* of the exact size: a sanitizer sees one byte too many */

        copy = malloc(len ? len : 1);
        memcpy(copy, row->text, len);

        told.remaining = -7;
        told.reset = -7;

        rc = read((const u_char *) copy, len, &told);

        if (row->remaining < 0) {
            ok(rc == GW_DECLINED && told.remaining == -7 && told.reset == -7,
               "refused: %s", row->text);

        } else {
            ok(rc == GW_OK && told.remaining == row->remaining
               && told.reset == row->reset, "read: %s", row->text);
        }

        free(copy);
    }
}


int
main(void)
{
    test_rows(lists, sizeof(lists) / sizeof(lists[0]),
              gw_ratelimit_read_list);
    test_rows(numbers, sizeof(numbers) / sizeof(numbers[0]),
              gw_ratelimit_read_number);

    return done();
}
