
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_json_scan.h"
#include "gw_json_splice.h"
#include "tap.h"


#define MAX_OUTPUT  4096


/* parts are "name" or "name=pointer", space-separated; before that a "+"
   appends, a "." merges into the document; values 0, 1, .. */

typedef struct {
    const char            *parts;
    const char            *omitted;     /* "010", 2: empty */
    const char            *output;
} row_t;


typedef struct {
    const char            *parts;
    gw_json_splice_e       type;
    size_t                 part;
    size_t                 other;
    size_t                 offset;
    const char            *text;
} error_row_t;


static size_t split(const char *text, gw_json_splice_part_t *parts);
static gw_json_splice_t *compile(gw_json_splice_e type, const char *text,
    size_t *n, gw_json_splice_error_t *err);
static size_t render(const gw_json_splice_t *splice, const u_char *omitted,
    char *out, size_t *npieces);
static void test_rows(gw_json_splice_e type, const row_t *rows, size_t n);
static void test_objects(void);
static void test_append(void);
static void test_roots(void);
static void test_tops(void);
static void test_arrays(void);
static void test_errors(void);
static void test_names(void);
static void test_pieces(void);
static void test_every_omission(void);
static void test_limits(void);


static size_t
split(const char *text, gw_json_splice_part_t *parts)
{
    size_t       n, len;
    const char  *equal;

    for (n = 0; *text; n++) {
        len = strcspn(text, " ");
        equal = memchr(text, '=', len);

        memset(&parts[n], 0, sizeof(gw_json_splice_part_t));

        parts[n].slot = (uint16_t) n;

        if (*text == '+' || *text == '.') {
            parts[n].place = *text == '+' ? GW_JSON_SPLICE_APPEND
                                          : GW_JSON_SPLICE_ROOT;
            text++;
            len--;
        }

        parts[n].name.data = (u_char *) text;
        parts[n].name.len = equal ? (size_t) (equal - text) : len;

        if (equal) {
            parts[n].as.data = (u_char *) equal + 1;
            parts[n].as.len = text + len - (equal + 1);
        }

        text += len + (text[len] == ' ');
    }

    return n;
}


static gw_json_splice_t *
compile(gw_json_splice_e type, const char *text, size_t *n,
    gw_json_splice_error_t *err)
{
    void                   *memory;
    gw_json_splice_t       *splice;
    gw_json_splice_part_t   parts[64];

    *n = split(text, parts);
    memory = malloc(gw_json_splice_size(type, parts, *n));
    splice = gw_json_splice_compile(memory, type, parts, *n, err);

    if (splice == NULL) {
        free(memory);
    }

    return splice;
}


static size_t
render(const gw_json_splice_t *splice, const u_char *omitted, char *out,
    size_t *npieces)
{
    char                    *p;
    gw_json_splice_walk_t    w;
    gw_json_splice_piece_t   piece;

    p = out;
    *npieces = 0;

    gw_json_splice_begin(&w, splice, omitted);

    while (gw_json_splice_next(&w, &piece) == GW_OK) {
        (*npieces)++;

        if (piece.slot == GW_JSON_SPLICE_GLUE) {
            memcpy(p, piece.data, piece.len);
            p += piece.len;
            continue;
        }

        p += sprintf(p, "%u", (unsigned) piece.slot);
    }

    *p = '\0';

    return p - out;
}


static void
test_rows(gw_json_splice_e type, const row_t *rows, size_t n)
{
    char                     out[MAX_OUTPUT];
    u_char                   omitted[64];
    size_t                   i, j, nparts, len, npieces, offset;
    gw_json_range_t          range;
    gw_json_splice_t        *splice;
    gw_json_splice_error_t   err;

    for (i = 0; i < n; i++) {
        splice = compile(type, rows[i].parts, &nparts, &err);

        if (!ok(splice != NULL, "plan of \"%s\"", rows[i].parts)) {
            continue;
        }

        for (j = 0; j < nparts; j++) {
            omitted[j] = (u_char) (rows[i].omitted[j] - '0');
        }

        len = render(splice, omitted, out, &npieces);

        ok(strcmp(out, rows[i].output) == 0, "\"%s\" without \"%s\": %s",
           rows[i].parts, rows[i].omitted, out);

        ok(gw_json_scan((u_char *) out, len, GW_JSON_SCAN_DEPTH, &range,
                        &offset)
           == GW_JSON_SCAN_OK, "is JSON");

        free(splice);
    }
}


static void
test_objects(void)
{
    static const row_t  rows[] = {
        { "", "", "{}" },
        { "a", "0", "{\"a\":0}" },
        { "a", "1", "{}" },
        { "a b", "00", "{\"a\":0,\"b\":1}" },
        { "a b", "10", "{\"b\":1}" },
        { "a b", "01", "{\"a\":0}" },
        { "a b", "11", "{}" },
        { "b a", "00", "{\"b\":0,\"a\":1}" },
        { "a b c", "000", "{\"a\":0,\"b\":1,\"c\":2}" },
        { "a b c", "010", "{\"a\":0,\"c\":2}" },
        { "a b c", "101", "{\"b\":1}" },
        { "a b c", "110", "{\"c\":2}" },

        /* places */

        { "a=/x", "0", "{\"x\":0}" },
        { "a=/", "0", "{\"\":0}" },
        { "a=//", "0", "{\"\":{\"\":0}}" },
        { "a=/x/y", "0", "{\"x\":{\"y\":0}}" },
        { "a=/x/y", "1", "{}" },
        { "a=/x/y/z", "0", "{\"x\":{\"y\":{\"z\":0}}}" },
        { "a=/x/y b=/x/z", "00", "{\"x\":{\"y\":0,\"z\":1}}" },
        { "a=/x/y b=/x/z", "10", "{\"x\":{\"z\":1}}" },
        { "a=/x/y b=/x/z", "01", "{\"x\":{\"y\":0}}" },
        { "a=/x/y b=/x/z", "11", "{}" },
        { "a=/x/y b=/z/y", "00", "{\"x\":{\"y\":0},\"z\":{\"y\":1}}" },
        { "a=/x/y b=/z/y", "10", "{\"z\":{\"y\":1}}" },
        { "a=/x/y b=/z/y c=/z/w", "010", "{\"x\":{\"y\":0},\"z\":{\"w\":2}}" },
        { "a=/x/y b c=/x/z", "000", "{\"x\":{\"y\":0,\"z\":2},\"b\":1}" },
        { "a=/x/y b c=/x/z", "100", "{\"x\":{\"z\":2},\"b\":1}" },
        { "a=/x/y b c=/x/z", "101", "{\"b\":1}" },
        { "a=/x/y b c=/x/z", "010", "{\"x\":{\"y\":0,\"z\":2}}" },
        { "b a=/x/y c=/x/z d", "0000",
          "{\"b\":0,\"x\":{\"y\":1,\"z\":2},\"d\":3}" },
        { "b a=/x/y c=/x/z d", "0110", "{\"b\":0,\"d\":3}" },
        { "b a=/x/y c=/x/z d", "1110", "{\"d\":3}" },
        { "a=/x/y/z b=/x/v", "00", "{\"x\":{\"y\":{\"z\":0},\"v\":1}}" },
        { "a=/x/y/z b=/x/v", "10", "{\"x\":{\"v\":1}}" },
        { "a=/x/v b=/x/y/z", "01", "{\"x\":{\"v\":0}}" },
        { "a=/p/q/r b=/s/t/u c=/p/q/v d=/s/w", "0000",
          "{\"p\":{\"q\":{\"r\":0,\"v\":2}},\"s\":{\"t\":{\"u\":1},"
          "\"w\":3}}" },
        { "a=/p/q/r b=/s/t/u c=/p/q/v d=/s/w", "1011", "{\"s\":{\"t\":"
          "{\"u\":1}}}" },

        /* tokens are decoded, then written as JSON strings */

        { "a=/x~1y", "0", "{\"x/y\":0}" },
        { "a=/x~0y", "0", "{\"x~y\":0}" },
        { "a=/~2", "0", "{\"*\":0}" },
        { "a=/~01", "0", "{\"~1\":0}" },
        { "a=/x\"y", "0", "{\"x\\\"y\":0}" },
        { "a=/x\\y", "0", "{\"x\\\\y\":0}" },
        { "a=/\xc3\xa9", "0", "{\"\xc3\xa9\":0}" },
        { "a=/0 b=/1", "00", "{\"0\":0,\"1\":1}" },
        { "a=/l/0 b=/l/-", "00", "{\"l\":{\"0\":0,\"-\":1}}" },
        { "a=/ab b=/a c=/b", "000", "{\"ab\":0,\"a\":1,\"b\":2}" }
    };

    test_rows(GW_JSON_SPLICE_OBJECT, rows, sizeof(rows) / sizeof(rows[0]));
}


/* parts that share an array; one without elements is no reason for a comma */

static void
test_append(void)
{
    static const row_t  rows[] = {
        { "+a", "0", "{\"a\":[0]}" },
        { "+a", "1", "{}" },
        { "+a", "2", "{\"a\":[]}" },
        { "+a=/x +b=/x", "00", "{\"x\":[0,1]}" },
        { "+a=/x +b=/x", "10", "{\"x\":[1]}" },
        { "+a=/x +b=/x", "20", "{\"x\":[1]}" },
        { "+a=/x +b=/x", "02", "{\"x\":[0]}" },
        { "+a=/x +b=/x", "22", "{\"x\":[]}" },
        { "+a=/x +b=/x", "12", "{\"x\":[]}" },
        { "+a=/x +b=/x", "11", "{}" },
        { "+a=/x b +c=/x", "000", "{\"x\":[0,2],\"b\":1}" },
        { "+a=/x b +c=/x", "202", "{\"x\":[],\"b\":1}" },
        { "+a=/x b +c=/x", "101", "{\"b\":1}" },
        { "b +a=/x/y +c=/x/y d=/x/z", "0000",
          "{\"b\":0,\"x\":{\"y\":[1,2],\"z\":3}}" },
        { "b +a=/x/y +c=/x/y d=/x/z", "0110", "{\"b\":0,\"x\":{\"z\":3}}" },
        { "b +a=/x/y +c=/x/y d=/x/z", "1221", "{\"x\":{\"y\":[]}}" },
        { "+a=/x +b=/y", "00", "{\"x\":[0],\"y\":[1]}" },
        { "+a=/ .b=/", "01", "{\"\":[0]}" }
    };

    static const row_t  arrays[] = {
        { "+a b +c", "000", "[0,1,2]" },
        { "+a b +c", "200", "[1,2]" },
        { "+a b +c", "002", "[0,1]" },
        { "+a b +c", "222", "[]" },
        { "+a b +c", "121", "[]" }
    };

    test_rows(GW_JSON_SPLICE_OBJECT, rows, sizeof(rows) / sizeof(rows[0]));
    test_rows(GW_JSON_SPLICE_ARRAY, arrays,
              sizeof(arrays) / sizeof(arrays[0]));
}


/* members are merged where the part stands; "N" is what stands for them */

static void
test_roots(void)
{
    char                     out[MAX_OUTPUT];
    u_char                   omitted[64];
    size_t                   i, j, n, npieces;
    gw_json_splice_t        *splice;
    gw_json_splice_error_t   err;

    static const row_t  rows[] = {
        { ".a", "0", "{0}" },
        { ".a", "1", "{}" },
        { ".a", "2", "{}" },
        { ".a .b", "00", "{0,1}" },
        { ".a .b", "20", "{1}" },
        { "a .b c", "000", "{\"a\":0,1,\"c\":2}" },
        { "a .b c", "010", "{\"a\":0,\"c\":2}" },
        { "a .b c", "100", "{1,\"c\":2}" },
        { "a .b c", "101", "{1}" },
        { "a=/x/y .b c=/x/z", "000", "{\"x\":{\"y\":0,\"z\":2},1}" },
        { "a=/x/y .b c=/x/z", "101", "{1}" },
        { ".a b=/", "00", "{0,\"\":1}" },
        { "+a=/x .b +c=/x", "200", "{\"x\":[2],1}" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        splice = compile(GW_JSON_SPLICE_OBJECT, rows[i].parts, &n, &err);

        for (j = 0; j < n; j++) {
            omitted[j] = (u_char) (rows[i].omitted[j] - '0');
        }

        render(splice, omitted, out, &npieces);

        ok(strcmp(out, rows[i].output) == 0, "\"%s\" without \"%s\": %s",
           rows[i].parts, rows[i].omitted, out);

        free(splice);
    }
}


/* the members of the document, and which steps they are made of */

static void
test_tops(void)
{
    size_t                      i, n;
    gw_json_splice_t           *splice;
    gw_json_splice_error_t      err;
    const gw_json_splice_top_t *top;

    static const struct {
        const char  *name;
        size_t       step;
        size_t       end;
    } want[] = {
        { "a", 1, 2 },
        { "x/y", 2, 6 },
        { NULL, 6, 7 },
        { "", 7, 8 },
        { "l", 8, 11 }
    };

    splice = compile(GW_JSON_SPLICE_OBJECT,
                     "a b=/x~1y/b .c d=/x~1y/d e=/ +l", &n, &err);

    ok(splice->ntops == 5, "%u members", (unsigned) splice->ntops);

    for (i = 0; i < splice->ntops && i < 5; i++) {
        top = &splice->tops[i];

        ok(top->step == want[i].step && top->end == want[i].end
           && (want[i].name
               ? top->name.data && top->name.len == strlen(want[i].name)
                 && memcmp(top->name.data, want[i].name, top->name.len) == 0
               : top->name.data == NULL),
           "member %u is \"%s\"", (unsigned) i,
           want[i].name ? want[i].name : "of a part");
    }

    free(splice);

    splice = compile(GW_JSON_SPLICE_ARRAY, "a +b c", &n, &err);

    ok(splice->ntops == 3 && splice->tops[1].name.data == NULL,
       "elements have no names");

    free(splice);
}


static void
test_arrays(void)
{
    static const row_t  rows[] = {
        { "", "", "[]" },
        { "a", "0", "[0]" },
        { "a", "1", "[]" },
        { "a b", "00", "[0,1]" },
        { "a b", "10", "[1]" },
        { "a b", "01", "[0]" },
        { "a b c", "000", "[0,1,2]" },
        { "a b c", "010", "[0,2]" },
        { "a b c", "111", "[]" },
        { "a a a", "000", "[0,1,2]" }
    };

    test_rows(GW_JSON_SPLICE_ARRAY, rows, sizeof(rows) / sizeof(rows[0]));
}


static void
test_errors(void)
{
    size_t                   i, n;
    gw_json_splice_t        *splice;
    gw_json_splice_error_t   err;

    static const error_row_t  rows[] = {
        { "a a", GW_JSON_SPLICE_OBJECT, 1, 0, 0,
          "takes the same place as" },
        { "a b=/a", GW_JSON_SPLICE_OBJECT, 1, 0, 0,
          "takes the same place as" },
        { "x a=/x~1y y b=/x~1y", GW_JSON_SPLICE_OBJECT, 3, 1, 0,
          "takes the same place as" },
        { "a=/x/y b=/z c=/x/y", GW_JSON_SPLICE_OBJECT, 2, 0, 0,
          "takes the same place as" },
        { "c a b=/a/b", GW_JSON_SPLICE_OBJECT, 2, 1, 0,
          "takes a place inside that of" },
        { "a=/x/y b=/x/y/z/w", GW_JSON_SPLICE_OBJECT, 1, 0, 0,
          "takes a place inside that of" },
        { "c b=/a/b a", GW_JSON_SPLICE_OBJECT, 2, 1, 0,
          "takes a place around that of" },
        { "a=/x/y/z b=/x", GW_JSON_SPLICE_OBJECT, 1, 0, 0,
          "takes a place around that of" },
        { "a b=", GW_JSON_SPLICE_OBJECT, 1, 1, 0, "is the whole document" },
        { "a b=x", GW_JSON_SPLICE_OBJECT, 1, 1, 0,
          "must begin with \"/\"" },
        { "a b=/x~3", GW_JSON_SPLICE_OBJECT, 1, 1, 2,
          "has a \"~\" that is not \"~0\", \"~1\" or \"~2\"" },
        { "a b=/x~", GW_JSON_SPLICE_OBJECT, 1, 1, 2,
          "has a \"~\" that is not \"~0\", \"~1\" or \"~2\"" },
        { "b=/x/*/y", GW_JSON_SPLICE_OBJECT, 0, 0, 3,
          "has a \"*\", which is reserved; "
          "a member with that name is \"~2\"" },
        { "b=/x\xc3", GW_JSON_SPLICE_OBJECT, 0, 0, 2, "is not valid UTF-8" },
        { "a b\xff", GW_JSON_SPLICE_OBJECT, 1, 1, 1, "is not valid UTF-8" },
        { "a b=/x", GW_JSON_SPLICE_ARRAY, 1, 1, 0,
          "is not possible in an array" },
        { "a +b=/x", GW_JSON_SPLICE_ARRAY, 1, 1, 0,
          "is not possible in an array" },
        { "a .b", GW_JSON_SPLICE_ARRAY, 1, 1, 0,
          "has no members in an array" },
        { "c a=/x +b=/x", GW_JSON_SPLICE_OBJECT, 2, 1, 0,
          "takes the same place as" },
        { "c +a=/x b=/x", GW_JSON_SPLICE_OBJECT, 2, 1, 0,
          "takes the same place as" },
        { ".c +a=/x b=/x/0", GW_JSON_SPLICE_OBJECT, 2, 1, 0,
          "takes a place inside that of" },
        { "c +a=/x/y +b=/x", GW_JSON_SPLICE_OBJECT, 2, 1, 0,
          "takes a place around that of" },
        { "c +a=/x +b=/x/y", GW_JSON_SPLICE_OBJECT, 2, 1, 0,
          "takes a place inside that of" },
        { ".a b=/x +c=/x", GW_JSON_SPLICE_OBJECT, 2, 1, 0,
          "takes the same place as" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        splice = compile(rows[i].type, rows[i].parts, &n, &err);

        ok(splice == NULL && err.part == rows[i].part
           && err.other == rows[i].other && err.offset == rows[i].offset
           && strcmp(err.text, rows[i].text) == 0,
           "refused: %u %s", (unsigned) i, rows[i].text);

        free(splice);
    }
}


/* names that "as" could not have */

static void
test_names(void)
{
    char                     out[MAX_OUTPUT];
    void                    *memory;
    size_t                   npieces;
    gw_json_splice_t        *splice;
    gw_json_splice_part_t    parts[3];
    gw_json_splice_error_t   err;

    memset(parts, 0, sizeof(parts));

    parts[1].slot = 1;
    parts[2].slot = 2;
    parts[0].name.data = (u_char *) "a/b";
    parts[0].name.len = 3;
    parts[1].name.data = (u_char *) "\0\n\x1f";
    parts[1].name.len = 3;

    memory = malloc(gw_json_splice_size(GW_JSON_SPLICE_OBJECT, parts, 3));
    splice = gw_json_splice_compile(memory, GW_JSON_SPLICE_OBJECT, parts, 3,
                                    &err);

    ok(splice != NULL, "names are no pointers");

    if (splice) {
        render(splice, NULL, out, &npieces);

        ok(strcmp(out, "{\"a/b\":0,\"\\u0000\\n\\u001f\":1,\"\":2}") == 0,
           "names are escaped: %s", out);
        ok(splice->glue == strlen(out) - 3, "length of the glue");
    }

    free(memory);
}


/* without omissions the pieces are glue and slots in turn */

static void
test_pieces(void)
{
    char                     out[MAX_OUTPUT];
    size_t                   n, npieces;
    gw_json_splice_t        *splice;
    gw_json_splice_error_t   err;

    splice = compile(GW_JSON_SPLICE_OBJECT,
                     "a=/p/q/r b=/s/t/u c=/p/q/v d=/s/w e", &n, &err);

    ok(splice != NULL, "a plan with parents");

    if (splice) {
        render(splice, NULL, out, &npieces);
        ok(npieces == 2 * n + 1, "%u pieces", (unsigned) npieces);
    }

    free(splice);

    splice = compile(GW_JSON_SPLICE_ARRAY, "a b c", &n, &err);

    ok(splice != NULL, "an array");

    if (splice) {
        render(splice, NULL, out, &npieces);
        ok(npieces == 2 * n + 1, "%u pieces", (unsigned) npieces);
    }

    free(splice);
}


static void
test_every_omission(void)
{
    int                      good;
    char                     out[MAX_OUTPUT], want[8];
    u_char                   omitted[8];
    size_t                   i, n, len, npieces, offset;
    unsigned                 mask;
    gw_json_range_t          range;
    gw_json_splice_t        *splice;
    gw_json_splice_error_t   err;

    splice = compile(GW_JSON_SPLICE_OBJECT,
                     "a b=/x/b c=/x/y/c d=/x/y/d e=/x/z/w/e f=/x/b2 g "
                     "h=/v/h", &n, &err);

    ok(splice != NULL && n == 8, "a plan of 8 parts");

    if (splice == NULL) {
        return;
    }

    good = 1;

    for (mask = 0; mask < 256; mask++) {
        for (i = 0; i < n; i++) {
            omitted[i] = (mask >> i) & 1;
        }

        len = render(splice, omitted, out, &npieces);

        if (gw_json_scan((u_char *) out, len, GW_JSON_SCAN_DEPTH, &range,
                         &offset)
            != GW_JSON_SCAN_OK
            || (len > 2 && strstr(out, "{}")))
        {
            good = 0;
        }

        for (i = 0; i < n; i++) {
            sprintf(want, ":%u", (unsigned) i);

            if ((strstr(out, want) == NULL) != omitted[i]) {
                good = 0;
            }
        }
    }

    ok(good, "all 256 sets of omissions");

    free(splice);
}


static void
test_limits(void)
{
    char                     names[GW_JSON_SPLICE_MAX_PARTS + 1][8];
    void                    *memory;
    u_char                   deep[2 * (GW_JSON_POINTER_MAX_TOKENS + 1)];
    size_t                   i, n;
    gw_json_splice_t        *splice;
    gw_json_splice_part_t    parts[GW_JSON_SPLICE_MAX_PARTS + 1];
    gw_json_splice_error_t   err;

    memset(parts, 0, sizeof(parts));

    for (i = 0; i <= GW_JSON_SPLICE_MAX_PARTS; i++) {
        parts[i].name.len = sprintf(names[i], "p%u", (unsigned) i);
        parts[i].name.data = (u_char *) names[i];
    }

    n = GW_JSON_SPLICE_MAX_PARTS;
    memory = malloc(gw_json_splice_size(GW_JSON_SPLICE_OBJECT, parts, n + 1));

    splice = gw_json_splice_compile(memory, GW_JSON_SPLICE_OBJECT, parts, n,
                                    &err);
    ok(splice != NULL && splice->nparts == n, "%u parts", (unsigned) n);

    splice = gw_json_splice_compile(memory, GW_JSON_SPLICE_OBJECT, parts,
                                    n + 1, &err);
    ok(splice == NULL && err.part == n
       && strcmp(err.text, "is one too many") == 0, "one part more");

    free(memory);

    for (i = 0; i < sizeof(deep); i++) {
        deep[i] = i % 2 ? 'x' : '/';
    }

    parts[0].as.data = deep;
    parts[0].as.len = sizeof(deep) - 2;

    memory = malloc(gw_json_splice_size(GW_JSON_SPLICE_OBJECT, parts, 1));
    splice = gw_json_splice_compile(memory, GW_JSON_SPLICE_OBJECT, parts, 1,
                                    &err);
    ok(splice != NULL
       && splice->nsteps == 2 * (size_t) GW_JSON_POINTER_MAX_TOKENS + 1,
       "the deepest place");
    free(memory);

    parts[0].as.len = sizeof(deep);

    memory = malloc(gw_json_splice_size(GW_JSON_SPLICE_OBJECT, parts, 1));
    splice = gw_json_splice_compile(memory, GW_JSON_SPLICE_OBJECT, parts, 1,
                                    &err);
    ok(splice == NULL && strcmp(err.text, "has too many tokens") == 0
       && err.offset == 2 * (size_t) GW_JSON_POINTER_MAX_TOKENS,
       "one level more");
    free(memory);
}


int
main(void)
{
    test_objects();
    test_append();
    test_roots();
    test_tops();
    test_arrays();
    test_errors();
    test_names();
    test_pieces();
    test_every_omission();
    test_limits();

    return done();
}
