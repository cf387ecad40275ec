
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_json_block.h"
#include "gw_json_scan.h"
#include "gw_json_table.h"
#include "tap.h"


/*
 * The forms of the scanner: as it is on this machine, its portable twin,
 * under other names, and, where AVX2 is what it takes, without that.
 */

#define BEST      0
#define TWIN      1
#define NARROW    2
#define FORMS     3

#define GW_JSON_PORTABLE      1
#define gw_json_scan_init     twin_init
#define gw_json_scan_track    twin_track
#define gw_json_scan_feed     twin_feed
#define gw_json_scan_finish   twin_finish
#define gw_json_scan          twin_scan
#define gw_json_scan_name     twin_name

#include "../../lib/gw_json_scan.c"

#undef gw_json_scan_init
#undef gw_json_scan_track
#undef gw_json_scan_feed
#undef gw_json_scan_finish
#undef gw_json_scan
#undef gw_json_scan_name


#define MAX_POINTERS  8


typedef struct {
    gw_json_scan_e    rc;
    gw_json_range_t   value;
    size_t            offset;
    size_t            nranges;
    gw_json_range_t   ranges[MAX_POINTERS];
} result_t;


typedef struct {
    const char       *doc;
    gw_json_scan_e    rc;
    size_t            offset;
} error_row_t;


typedef struct {
    const char       *pointer;
    const char       *doc;
    const char       *value;    /* NULL: missing */
} pointer_row_t;


static void scan_pieces(result_t *r, const u_char *doc, size_t len,
    size_t first, size_t piece, int twin, size_t depth,
    const gw_json_trie_t *trie);
static int same(const result_t *a, const result_t *b);
static int agree(const u_char *doc, size_t len, size_t depth,
    const gw_json_trie_t *trie);
static int wrapped(const u_char *doc, size_t len, size_t depth);
static uint32_t any(uint32_t below);
static u_char *any_value(u_char *p, unsigned depth);
static int scan_all(result_t *r, const u_char *doc, size_t len, size_t depth,
    const gw_json_trie_t *trie);
static int check_utf8(const u_char *p, size_t len);
static void test_invalid(void);
static void test_valid(void);
static void test_errors(void);
static void test_empty(void);
static void test_truncation(void);
static void test_depth(void);
static void test_brackets(void);
static void test_positions(void);
static void test_utf8(void);
static void test_wide(void);
static void test_mutations(void);
static void test_tokens(void);
static void test_documents(void);
static void test_pointers(void);
static void test_pointer_sets(void);
static void test_deep_pointer(void);
static void test_api(void);


/* a document whose every byte matters */

static const char  rich[] =
    "{\"a\": [1, -2.5e+3, true, false, null, \"x\\n\\u00e9\\uD83D\\uDE00\"],\n"
    " \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\": {\"b\": {}, \"c\": [],"
    " \"d\": \"0123456789abcdef0123456789\"}, \"e\": -0.0E-1}";


/* in pieces: the first of "first" bytes, the others of "piece" */

static void
scan_pieces(result_t *r, const u_char *doc, size_t len, size_t first,
    size_t piece, int twin, size_t depth, const gw_json_trie_t *trie)
{
    size_t           n, pos;
    u_char          *copy;
    gw_json_scan_t   s;

    memset(r, 0, sizeof(result_t));
    memset(&s, 0xa5, sizeof(gw_json_scan_t));

    if (twin == TWIN) {
        twin_init(&s, depth);

    } else {
        gw_json_scan_init(&s, depth);

#if (GW_JSON_VECTOR)
        if (twin == NARROW) {
            s.block = gw_json_block;
        }
#endif
    }

    if (trie) {
        r->nranges = trie->count;

        if (twin == TWIN) {
            twin_track(&s, trie, r->ranges);

        } else {
            gw_json_scan_track(&s, trie, r->ranges);
        }
    }

    pos = 0;
    n = first;

    while (pos < len) {
        n = n < len - pos ? n : len - pos;

        /* a copy of the exact size: the sanitizers see each byte too many */

        copy = malloc(n + 1);
        memcpy(copy + 1, doc + pos, n);

        if (twin == TWIN) {
            twin_feed(&s, copy + 1, n);

        } else {
            gw_json_scan_feed(&s, copy + 1, n);
        }

        free(copy);
        pos += n;
        n = piece;
    }

    r->rc = twin == TWIN ? twin_finish(&s) : gw_json_scan_finish(&s);
    r->offset = s.offset;

    if (r->rc == GW_JSON_SCAN_OK) {
        r->value = s.value;

    } else {
        r->nranges = 0;
    }
}


static int
same(const result_t *a, const result_t *b)
{
    return a->rc == b->rc && a->offset == b->offset
           && a->value.start == b->value.start
           && a->value.end == b->value.end
           && a->nranges == b->nranges
           && memcmp(a->ranges, b->ranges,
                     a->nranges * sizeof(gw_json_range_t)) == 0;
}


/* in one piece, in each form, the same as the twin says byte by byte */

static int
agree(const u_char *doc, size_t len, size_t depth, const gw_json_trie_t *trie)
{
    int       form;
    result_t  r, other;

    scan_pieces(&r, doc, len, 1, 1, TWIN, depth, trie);

    for (form = 0; form < FORMS; form++) {
        scan_pieces(&other, doc, len, len, len, form, depth, trie);

        if (!same(&r, &other)) {
            printf("# form %d: %u at %u, not %u at %u: %.*s\n", form,
                   other.rc, (unsigned) other.offset, r.rc,
                   (unsigned) r.offset, (int) len, (char *) doc);
            return 0;
        }
    }

    return 1;
}


/* at every place of a block, as an element and as a member */

static int
wrapped(const u_char *doc, size_t len, size_t depth)
{
    int      good, object;
    u_char  *text, *p;
    size_t   shift;

    good = 1;
    text = malloc(len + 256);

    for (shift = 0; shift < 64; shift++) {
        for (object = 0; object < 2; object++) {
            p = text + sprintf((char *) text, "%s%*s",
                               object ? "{\"k\":" : "[1,", (int) shift, "");
            memcpy(p, doc, len);
            p += len;
            p += sprintf((char *) p, "%s%80s",
                         object ? ",\"l\":1}" : ",2]", "");

            good &= agree(text, p - text, depth + 1, NULL);
        }
    }

    free(text);

    return good;
}


/* whole, every cut in two, by byte, in threes; all forms; 1 if all agree */

static int
scan_all(result_t *r, const u_char *doc, size_t len, size_t depth,
    const gw_json_trie_t *trie)
{
    int       form;
    size_t    i;
    result_t  other;

    scan_pieces(r, doc, len, len, len, BEST, depth, trie);

    for (form = 0; form < FORMS; form++) {
        for (i = 1; i <= len; i++) {
            scan_pieces(&other, doc, len, i, len, form, depth, trie);

            if (!same(r, &other)) {
                printf("# form %d, cut at %u\n", form, (unsigned) i);
                return 0;
            }
        }

        for (i = 1; i < 4; i++) {
            scan_pieces(&other, doc, len, i, i, form, depth, trie);

            if (!same(r, &other)) {
                printf("# form %d, pieces of %u\n", form, (unsigned) i);
                return 0;
            }
        }
    }

    return 1;
}


static void
test_invalid(void)
{
    int       cuts, placed;
    size_t    n;
    table_t   t;
    result_t  r;

    if (!table_open(&t, "invalid.txt")) {
        exit(1);
    }

    for (n = 0; table_next(&t); n++) {
        cuts = scan_all(&r, t.fields[2], t.lens[2], GW_JSON_SCAN_DEPTH,
                         NULL);

        placed = wrapped(t.fields[2], t.lens[2], GW_JSON_SCAN_DEPTH);

        ok(cuts && placed
           && strcmp(gw_json_scan_name(r.rc), (char *) t.fields[1]) == 0
           && r.offset <= t.lens[2],
           "C40 invalid: %s, %u", (char *) t.fields[0], (unsigned) n);
    }

    ok(n >= 120, "C40 %u invalid documents", (unsigned) n);
}


static void
test_valid(void)
{
    int       cuts;
    size_t    n, len;
    table_t   t;
    result_t  r;

    if (!table_open(&t, "valid.txt")) {
        exit(1);
    }

    for (n = 0; table_next(&t); n++) {
        cuts = scan_all(&r, t.fields[1], t.lens[1], GW_JSON_SCAN_DEPTH,
                         NULL);
        len = r.value.end - r.value.start;

        ok(cuts && wrapped(t.fields[1], t.lens[1], GW_JSON_SCAN_DEPTH)
           && r.rc == GW_JSON_SCAN_OK && len == t.lens[2]
           && memcmp(t.fields[1] + r.value.start, t.fields[2], len) == 0,
           "C41 valid: %s, %u", (char *) t.fields[0], (unsigned) n);
    }

    ok(n >= 80, "C41 %u valid documents", (unsigned) n);
}


static void
test_errors(void)
{
    size_t    i;
    result_t  r;

    static const error_row_t  rows[] = {
        { "x", GW_JSON_SCAN_INVALID_JSON, 0 },
        { "  x", GW_JSON_SCAN_INVALID_JSON, 2 },
        { "[1,]", GW_JSON_SCAN_INVALID_JSON, 3 },
        { "{\"a\":1,}", GW_JSON_SCAN_INVALID_JSON, 7 },
        { "{\"a\" 1}", GW_JSON_SCAN_INVALID_JSON, 5 },
        { "{\"x\":1}x", GW_JSON_SCAN_INVALID_JSON, 7 },
        { "01", GW_JSON_SCAN_INVALID_JSON, 1 },
        { "-a", GW_JSON_SCAN_INVALID_JSON, 1 },
        { "1.", GW_JSON_SCAN_INVALID_JSON, 2 },
        { "[1.]", GW_JSON_SCAN_INVALID_JSON, 3 },
        { "[1e+]", GW_JSON_SCAN_INVALID_JSON, 4 },
        { "[trux]", GW_JSON_SCAN_INVALID_JSON, 4 },
        { "tru", GW_JSON_SCAN_INVALID_JSON, 3 },
        { "\"\\x\"", GW_JSON_SCAN_INVALID_JSON, 2 },
        { "\"\\u12g4\"", GW_JSON_SCAN_INVALID_JSON, 5 },
        { "\"a\nb\"", GW_JSON_SCAN_INVALID_JSON, 2 },
        { "\"\xc0\xaf\"", GW_JSON_SCAN_INVALID_UTF8, 1 },
        { "\"\xed\xa0\x80\"", GW_JSON_SCAN_INVALID_UTF8, 2 },
        { "\"\xe2\x82\"", GW_JSON_SCAN_INVALID_UTF8, 3 },
        { "\"0123456789abcdef\xf0\x9f\x98\"", GW_JSON_SCAN_INVALID_UTF8, 20 },
        { "\xff\xfe", GW_JSON_SCAN_INVALID_UTF8, 0 },
        { "\xef\xbb\xbf x", GW_JSON_SCAN_INVALID_JSON, 4 },
        { "[", GW_JSON_SCAN_INVALID_JSON, 1 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ok(scan_all(&r, (u_char *) rows[i].doc, strlen(rows[i].doc),
                    GW_JSON_SCAN_DEPTH, NULL)
           && r.rc == rows[i].rc && r.offset == rows[i].offset,
           "offset of the error, %u", (unsigned) i);
    }
}


static void
test_empty(void)
{
    size_t    i;
    result_t  r;

    static const char *const  docs[] = {
        "", " ", "\n", " \t\r\n ", "\xef\xbb\xbf", "\xef\xbb\xbf\r\n",
        "                                                  "
    };

    for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
        ok(scan_all(&r, (u_char *) docs[i], strlen(docs[i]),
                    GW_JSON_SCAN_DEPTH, NULL)
           && r.rc == GW_JSON_SCAN_EMPTY,
           "C25 an empty document, %u", (unsigned) i);
    }
}


static void
test_truncation(void)
{
    int       good;
    size_t    i, len;
    result_t  r;

    len = sizeof(rich) - 1;

    ok(scan_all(&r, (u_char *) rich, len, GW_JSON_SCAN_DEPTH, NULL)
       && r.rc == GW_JSON_SCAN_OK && r.value.end == len, "a rich document");

    good = 1;

    for (i = 1; i < len; i++) {
        if (!scan_all(&r, (u_char *) rich, i, GW_JSON_SCAN_DEPTH, NULL)
            || r.rc != GW_JSON_SCAN_INVALID_JSON || r.offset != i)
        {
            good = 0;
            printf("# cut at %u\n", (unsigned) i);
        }
    }

    ok(good, "C40 cut at every byte it is invalid_json, at its length");
}


static void
test_depth(void)
{
    int       twin, array;
    size_t    n, limit;
    u_char   *doc;
    result_t  r;

    static const size_t  limits[] = { 0, 1, 2, 63, 64, 65, 127, 128, 512,
                                      1023, 1024 };

    doc = malloc(200000);

    for (n = 0; n < sizeof(limits) / sizeof(limits[0]); n++) {
        limit = limits[n];

        for (array = 0; array < 2; array++) {
            for (twin = 0; twin < FORMS; twin++) {
                u_char  *p;
                size_t   i;

                p = doc;

                for (i = 0; i <= limit; i++) {
                    memcpy(p, array ? "[" : "{\"\":", array ? 1 : 4);
                    p += array ? 1 : 4;
                }

                scan_pieces(&r, doc, p - doc, p - doc, 1, twin, limit, NULL);

                ok(r.rc == GW_JSON_SCAN_TOO_DEEP
                   && r.offset == limit * (array ? 1 : 4),
                   "C48 %u levels of %s, limit %u", (unsigned) limit + 1,
                   array ? "arrays" : "objects", (unsigned) limit);

                p -= array ? 1 : 4;
                *p++ = '0';

                for (i = 0; i < limit; i++) {
                    *p++ = array ? ']' : '}';
                }

                scan_pieces(&r, doc, p - doc, p - doc, 1, twin, limit, NULL);

                ok(r.rc == GW_JSON_SCAN_OK
                   && r.value.end == (size_t) (p - doc),
                   "C48 %u levels of %s, limit %u", (unsigned) limit,
                   array ? "arrays" : "objects", (unsigned) limit);
            }
        }
    }

    memset(doc, '[', 100000);

    scan_pieces(&r, doc, 100000, 100000, 1, 0, GW_JSON_SCAN_DEPTH, NULL);
    ok(r.rc == GW_JSON_SCAN_TOO_DEEP && r.offset == 512,
       "C40 100000 brackets");

    scan_pieces(&r, doc, 100000, 100000, 1, 0, (size_t) -1, NULL);
    ok(r.rc == GW_JSON_SCAN_TOO_DEEP && r.offset == GW_JSON_SCAN_MAX_DEPTH,
       "a limit beyond the greatest");

    free(doc);
}


/* each close bracket must be of the kind that was opened at its level */

static void
test_brackets(void)
{
    int       good;
    u_char    doc[GW_JSON_SCAN_MAX_DEPTH * 6], kinds[GW_JSON_SCAN_MAX_DEPTH];
    u_char   *p, *close;
    size_t    i, depth;
    uint64_t  seed;
    result_t  r;

    good = 1;
    seed = 88172645463325252;
    depth = 200;
    p = doc;

    for (i = 0; i < depth; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;

        kinds[i] = seed & 1;

        if (kinds[i]) {
            *p++ = '[';

        } else {
            memcpy(p, "{\"\":", 4);
            p += 4;
        }
    }

    *p++ = '1';
    close = p;

    for (i = depth; i > 0; i--) {
        *p++ = kinds[i - 1] ? ']' : '}';
    }

    scan_pieces(&r, doc, p - doc, p - doc, 1, 0, GW_JSON_SCAN_DEPTH, NULL);
    ok(r.rc == GW_JSON_SCAN_OK, "200 levels of mixed kinds");

    for (i = 0; i < depth; i++) {
        close[i] ^= ']' ^ '}';
        scan_pieces(&r, doc, p - doc, p - doc, 1, 0, GW_JSON_SCAN_DEPTH,
                    NULL);

        if (r.rc != GW_JSON_SCAN_INVALID_JSON
            || r.offset != (size_t) (close - doc) + i)
        {
            good = 0;
        }

        close[i] ^= ']' ^ '}';
    }

    ok(good, "a bracket of the wrong kind at every level");
}


/* every byte at every place of a string, of digits, of white space */

static void
test_positions(void)
{
    int       good, kind, want;
    u_char    doc[64];
    size_t    i, len;
    unsigned  c;
    result_t  r, twin;

    static const char  fill[] = "a7 ";

    for (kind = 0; kind < 3; kind++) {
        good = 1;
        len = 40;

        for (i = 1; i < len - 1; i++) {
            for (c = 0; c < 256; c++) {
                memset(doc, fill[kind], len);

                if (kind == 0) {
                    doc[0] = '"';
                    doc[len - 1] = '"';
                    want = c >= 0x20 && c < 0x80 && c != '"';

                    if (c == '\\') {
                        want = 0;       /* "\a" is no escape */

                        if (i == len - 2) {
                            continue;
                        }
                    }

                } else if (kind == 1) {
                    want = (c >= '0' && c <= '9') || c == '.'
                           || c == 'e' || c == 'E';

                } else {
                    doc[len - 1] = '1';
                    want = gw_json_space(c)
                           || (i == len - 2
                               && (c == '-' || (c >= '1' && c <= '9')));
                }

                doc[i] = (u_char) c;

                scan_pieces(&r, doc, len, len, 1, 0, 8, NULL);
                scan_pieces(&twin, doc, len, len, 1, 1, 8, NULL);

                if (!same(&r, &twin) || (r.rc == GW_JSON_SCAN_OK) != want) {
                    good = 0;
                    printf("# byte %02x at %u\n", c, (unsigned) i);
                }
            }
        }

        ok(good, "every byte at every place, %d", kind);
    }
}


/* RFC 3629, section 4, written down a second time */

static int
check_utf8(const u_char *p, size_t len)
{
    uint32_t  c;

    switch (len) {

    case 2:
        if ((p[0] & 0xe0) != 0xc0 || (p[1] & 0xc0) != 0x80) {
            return 0;
        }

        c = (p[0] & 0x1f) << 6 | (p[1] & 0x3f);
        return c >= 0x80;

    case 3:
        if ((p[0] & 0xf0) != 0xe0 || (p[1] & 0xc0) != 0x80
            || (p[2] & 0xc0) != 0x80)
        {
            return 0;
        }

        c = (p[0] & 0xf) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
        return c >= 0x800 && (c < 0xd800 || c > 0xdfff);

    default:
        if ((p[0] & 0xf8) != 0xf0 || (p[1] & 0xc0) != 0x80
            || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80)
        {
            return 0;
        }

        c = (p[0] & 7) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6
            | (p[3] & 0x3f);
        return c >= 0x10000 && c <= 0x10ffff;
    }
}


static void
test_utf8(void)
{
    int       good;
    u_char    doc[6];
    size_t    len, i, j, k;
    unsigned  a, b;
    result_t  r, bytes;

    static const u_char  ends[] = { 0x00, '"', 0x7f, 0x80, 0xbf, 0xc0, 0xff };

    for (len = 2; len <= 4; len++) {
        good = 1;

        for (a = 0x80; a < 0x100; a++) {
            for (b = 0; b < 0x100; b++) {
                for (k = 0; k < (len > 2 ? sizeof(ends) : 1); k++) {
                    for (j = 0; j < (len > 3 ? sizeof(ends) : 1); j++) {

                        doc[0] = '"';
                        doc[1] = (u_char) a;
                        doc[2] = (u_char) b;
                        doc[3] = ends[k];
                        doc[4] = ends[j];
                        doc[1 + len] = '"';

                        /* shorter sequences have had their turn */

                        i = a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;

                        if (i != len) {
                            continue;
                        }

                        scan_pieces(&r, doc, len + 2, len + 2, 1, 0, 8,
                                    NULL);
                        scan_pieces(&bytes, doc, len + 2, 1, 1, 1, 8, NULL);

                        if (!same(&r, &bytes)
                            || (r.rc == GW_JSON_SCAN_OK)
                               != check_utf8(doc + 1, len)
                            || (r.rc != GW_JSON_SCAN_OK
                                && r.rc != GW_JSON_SCAN_INVALID_UTF8))
                        {
                            good = 0;
                        }
                    }
                }
            }
        }

        ok(good, "C42 UTF-8 sequences of %u bytes", (unsigned) len);
    }
}


/* long texts of sequences at any alignment, one byte changed to any other */

static void
test_wide(void)
{
    int       good;
    u_char    doc[64];
    size_t    i, n, len, shift, size;
    unsigned  c;
    u_char    saved;
    result_t  r, bytes, twin;

    static const char *const  patterns[] = {
        "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
        "\xe0\xa0\x80\xed\x9f\xbf", "\xf4\x8f\xbf\xbf\xc3\xa9",
        "a\xc3\xa9\xe2\x82\xacz\xf0\x90\x80\x80"
    };

    for (n = 0; n < sizeof(patterns) / sizeof(patterns[0]); n++) {
        good = 1;
        size = strlen(patterns[n]);

        for (shift = 0; shift < 4; shift++) {
            memset(doc, 'x', sizeof(doc));
            doc[0] = '"';

            for (len = 1 + shift; len + size < 48; len += size) {
                memcpy(doc + len, patterns[n], size);
            }

            len = 52;
            doc[len - 1] = '"';

            for (i = 1; i < len; i++) {
                saved = doc[i];

                for (c = 0; c < 256; c++) {
                    doc[i] = (u_char) c;

                    scan_pieces(&r, doc, len, len, 1, 0, 8, NULL);
                    scan_pieces(&bytes, doc, len, 1, 1, 0, 8, NULL);
                    scan_pieces(&twin, doc, len, len, 1, 1, 8, NULL);

                    if (!same(&r, &bytes) || !same(&r, &twin)) {
                        good = 0;
                    }
                }

                doc[i] = saved;
            }
        }

        ok(good, "C42 sequences at every place of a vector, %u",
           (unsigned) n);
    }
}


/* any byte of the rich document replaced by any other: all cuts agree */

static void
test_mutations(void)
{
    int       good;
    u_char    doc[sizeof(rich)];
    size_t    i, len;
    unsigned  c;
    result_t  r, bytes, twin;

    good = 1;
    len = sizeof(rich) - 1;
    memcpy(doc, rich, len);

    for (i = 0; i < len; i++) {
        for (c = 0; c < 256; c++) {
            doc[i] = (u_char) c;

            scan_pieces(&r, doc, len, len, len, 0, 3, NULL);
            scan_pieces(&bytes, doc, len, 1, 1, 0, 3, NULL);
            scan_pieces(&twin, doc, len, len, len, 1, 3, NULL);

            if (!same(&r, &bytes) || !same(&r, &twin)) {
                good = 0;
                printf("# byte %02x at %u\n", c, (unsigned) i);
            }
        }

        doc[i] = (u_char) rich[i];
    }

    ok(good, "C53 one byte changed: any cut, either twin, one result");
}


/* a number that is the same in every run */

static uint32_t
any(uint32_t below)
{
    static uint64_t  seed = 88172645463325252;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (uint32_t) (seed >> 11) % below;
}


static const char *const  tokens[] = {
    "{", "}", "[", "]", ",", ":", "\"\"", "\"a\"", "\"name\":", "\"a, [b]\"",
    "0", "1", "-1", "12345", "-0.5e+3", "1E-9", "3.14159", "2e7", "true",
    "false", "null", " ", "\n", "\t", "    ", ", ", ": ", "[]", "{}", "[ ]",
    "\"{\"", "\"}:,\"", "\"0123456789 0123456789 0123456789 0123456789 01\"",
    "18446744073709551616", "0.1", "-0", "1e5", "[1,2]", "{\"k\":0}",
    "\"\\n\"", "\"\xc3\xa9\"", "\"\\\"\"", "\"x\\\\\"", "\"\xe2\x82\xac\"",
    "\"caf\\u00e9\"", "\"\xf0\x9f\x98\x80\"", "\"\\\\\\\"\\/\\ud83d\"",

    /* from here on most are wrong */

    "\"\\x\"", "\"\\u12g4\"", "\"\\u00\"", "\"\\\"", "\\\"a\"", "\"\xc3\"",
    "\"\xed\xa0\x80\"", "\"\xa9\"", "\"\xc0\x80\"", "\"\xf5\x80\x80\x80\"",
    "01", "-", "-a", "1.", ".5", "1.e3", "1e", "1e+", "+1", "--1", "1-",
    "1.2.3", "1e2e3", "1e2.3", "00", "-01", "0x1", "1a", "tru", "truee",
    "nul", "nulll", "True", "false1", "1true", "a", "e", "E5", "\"",
    "\x01", "\x7f", "\xc3\xa9", "\xff", "\"\x01\"", "\"\n\"", "'", "\\", "/"
};

#define WIDE  "\xd0\xb8\xd0\xbc\xd1\x8f\xd0\xb8\xd0\xbc\xd1\x8f"

#define GOOD_TOKENS  47
#define ALL_TOKENS   (sizeof(tokens) / sizeof(tokens[0]))


/* any tokens in any order, most of the time the ones that can stand there */

static void
test_tokens(void)
{
    int          good;
    u_char       doc[1024], *p;
    size_t       i, n;
    const char  *token;

    good = 1;

    for (n = 0; n < 60000 && good; n++) {
        p = doc + sprintf((char *) doc, any(2) ? "[" : "{\"a\":");

        while (p < doc + 150) {
            i = any(any(8) ? GOOD_TOKENS : ALL_TOKENS);
            token = tokens[i];
            p += sprintf((char *) p, "%s%s", token,
                         i > 9 && any(4) ? any(3) ? "," : ",\"m\":" : "");
        }

        p += sprintf((char *) p, "%80s", "");
        good = agree(doc, p - doc, 8, NULL);
    }

    /* a name that is none of a block's business, and no colon behind it */

    for (i = 0; i < 2; i++) {
        n = sprintf((char *) doc, "[0,{\"%s\" %s1,\"b\":2}]%80s",
                    WIDE WIDE WIDE, i ? "" : ":", "");
        good &= agree(doc, n, 8, NULL);
    }

    ok(good, "C53 tokens in any order: all forms agree");
}


static u_char *
any_value(u_char *p, unsigned depth)
{
    int       object;
    uint32_t  i, n;

    n = any(10);

    if (depth == 0 || n > 3) {
        n = any(GOOD_TOKENS - 10);

        /* no punctuation */

        while (tokens[10 + n][0] <= ' ' || strchr(",:", tokens[10 + n][0])) {
            n = any(GOOD_TOKENS - 10);
        }

        return p + sprintf((char *) p, "%s", tokens[10 + n]);
    }

    object = n < 2;
    *p++ = object ? '{' : '[';

    for (i = any(5); i > 0; i--) {
        if (object) {
            p += sprintf((char *) p, "\"%.*s\"%s:%s", (int) any(20),
                         "a name, {b}:[c] 0123", any(9) ? "" : " ",
                         any(3) ? "" : " ");
        }

        p = any_value(p, depth - 1);

        if (i > 1) {
            p += sprintf((char *) p, "%s,%s", any(9) ? "" : "\t",
                         any(3) ? "" : any(2) ? "\n  " : " ");
        }
    }

    *p++ = object ? '}' : ']';

    return p;
}


/* what is a document, and with a byte changed, added or missing */

static void
test_documents(void)
{
    int                       good;
    void                     *memory;
    u_char                   *doc, *p, saved;
    size_t                    i, n, len;
    result_t                  r;
    gw_json_text_t            texts[MAX_POINTERS];
    gw_json_trie_t           *trie;
    gw_json_pointer_error_t   err;

    static const char *const  pointers[] = {
        "/0/1", "/0/a name", "/1/0/0", "/1/1/2", "/1/a/*/0", "/1/*", "/2"
    };

    static const char  bytes[] =
        "{}[]:,\"\\ \n0123456789-+.eEtfna\x01\x7f\xc3";

    for (i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        texts[i].data = (u_char *) pointers[i];
        texts[i].len = strlen(pointers[i]);
    }

    memory = malloc(gw_json_pointer_size(texts, i));
    trie = gw_json_pointer_compile_any(memory, texts, i, &err);

    good = trie != NULL;
    doc = malloc(1 << 20);

    for (n = 0; n < 1500 && good; n++) {
        p = doc + sprintf((char *) doc, "[");
        p = any_value(p, 5);
        p += sprintf((char *) p, ",");
        p = any_value(p, 70);
        p += sprintf((char *) p, ",\"%60s\"]%80s", "", "");
        len = p - doc;

        scan_pieces(&r, doc, len, len, len, BEST, 100, NULL);

        if (r.rc != GW_JSON_SCAN_OK || !agree(doc, len, 100, NULL)
            || !agree(doc, len, 100, trie))
        {
            printf("# %.*s\n", (int) len, (char *) doc);
            good = 0;
        }

        for (i = 0; i < 40; i++) {
            p = doc + any((uint32_t) len - 80);
            saved = *p;
            *p = (u_char) bytes[any(sizeof(bytes) - 1)];
            good &= agree(doc, len, 100, any(2) ? trie : NULL);
            *p = saved;
        }

        /* one that is missing */

        p = doc + any((uint32_t) len - 80);
        memmove(p, p + 1, doc + len - p - 1);
        good &= agree(doc, len - 1, 100, NULL);
    }

    free(doc);
    free(memory);

    ok(good, "C53 documents and broken ones: all forms agree");
}


#define RFC_DOC                                                               \
    "{ \"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2,"         \
    " \"e^f\": 3, \"g|h\": 4, \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7,"        \
    " \"m~n\": 8 }"


static const pointer_row_t  pointer_rows[] = {

    /* RFC 6901, section 5 */

    { "", RFC_DOC, RFC_DOC },
    { "/foo", RFC_DOC, "[\"bar\", \"baz\"]" },
    { "/foo/0", RFC_DOC, "\"bar\"" },
    { "/", RFC_DOC, "0" },
    { "/a~1b", RFC_DOC, "1" },
    { "/c%d", RFC_DOC, "2" },
    { "/e^f", RFC_DOC, "3" },
    { "/g|h", RFC_DOC, "4" },
    { "/i\\j", RFC_DOC, "5" },
    { "/k\"l", RFC_DOC, "6" },
    { "/ ", RFC_DOC, "7" },
    { "/m~0n", RFC_DOC, "8" },

    /* section 4: array indexes */

    { "/foo/1", RFC_DOC, "\"baz\"" },
    { "/foo/2", RFC_DOC, NULL },
    { "/foo/-", RFC_DOC, NULL },
    { "/foo/00", RFC_DOC, NULL },
    { "/foo/01", RFC_DOC, NULL },
    { "/foo/+1", RFC_DOC, NULL },
    { "/foo/1e0", RFC_DOC, NULL },
    { "/foo/", RFC_DOC, NULL },
    { "/foo/bar", RFC_DOC, NULL },
    { "/0", "[[],1]", "[]" },
    { "/1", "[[[1],2],[3]]", "[3]" },
    { "/0/0/0", "[[[1],2],[3]]", "1" },
    { "/0/1", "[[[1],2],[3]]", "2" },
    { "/1/0", "[[[1],2],[3]]", "3" },
    { "/1/1", "[[[1],2],[3]]", NULL },
    { "/0", "[]", NULL },
    { "/0", "[ ]", NULL },
    { "/0", "{\"0\":7}", "7" },
    { "/01", "{\"01\":7}", "7" },
    { "/-", "{\"-\":7}", "7" },
    { "/11", "[0,1,2,3,4,5,6,7,8,9,10,\"x\" , 12]", "\"x\"" },
    { "/4294967296", "[0]", NULL },
    { "/18446744073709551616", "[0]", NULL },
    { "/2/2/2", "[0,[0,1,[0,1,9]],[0,1,[0,1,2]]]", "2" },

    /* whole values, at any place, with white space around */

    { "/a", "{\"a\":1}", "1" },
    { "/a", " {\"b\":[1,{\"a\":5}], \"a\" : -1.5e3 } ", "-1.5e3" },
    { "/a", "{\"a\":true}", "true" },
    { "/a", "{\"a\" : null , \"b\":1}", "null" },
    { "/a", "{\"a\":\"x y\"}", "\"x y\"" },
    { "/a", "{\"a\":{ \"b\" : [ ] } }", "{ \"b\" : [ ] }" },
    { "/a/b/c", "{\"a\":{\"b\":{\"c\":{\"d\":1}}}}", "{\"d\":1}" },
    { "/a/b", "{\"a\":1}", NULL },
    { "/a/b", "{\"a\":\"b\"}", NULL },
    { "/a/b", "{\"b\":{\"a\":1}}", NULL },
    { "/a", "{\"x\":{\"a\":1}}", NULL },
    { "/a", "{\"x\":{\"a\":1},\"a\":2}", "2" },
    { "/a", "{\"a\":{\"a\":{\"a\":1}}}", "{\"a\":{\"a\":1}}" },
    { "/a/a", "{\"a\":{\"a\":{\"a\":1}}}", "{\"a\":1}" },
    { "/a", "[{\"a\":1}]", NULL },
    { "/a", "1", NULL },
    { "", "1", "1" },
    { "", " -0 ", "-0" },
    { "", "\xef\xbb\xbf [1] ", "[1]" },
    { "/a", "\xef\xbb\xbf{\"a\":1}", "1" },
    { "", "\"s\"", "\"s\"" },
    { "", "12", "12" },
    { "/a", "{}", NULL },
    { "/a", "{\"A\":1,\"aa\":2,\"\":3,\"b\":4}", NULL },
    { "/ab", "{\"a\":1,\"abc\":2,\"b\":3}", NULL },
    { "/a", "{\"k\":\"a\"}", NULL },
    { "/0123456789abcdef0123456789abcdef",
      "{\"0123456789abcdef0123456789abcde\":1,"
      "\"0123456789abcdef0123456789abcdef\":2,"
      "\"0123456789abcdef0123456789abcdefg\":3}", "2" },

    /* keys are compared after unescaping */

    { "/a", "{\"\\u0061\":1}", "1" },
    { "/abc", "{\"\\u0061b\\u0063\":1}", "1" },
    { "/abc", "{\"a\\u0062\":1}", NULL },
    { "/\xc3\xa9", "{\"\\u00e9\":1}", "1" },
    { "/\xc3\xa9", "{\"\\u00E9\":1}", "1" },
    { "/\xc3\xa9", "{\"\xc3\xa9\":1}", "1" },
    { "/\xc3\xa9", "{\"\xc3\xa8\":1}", NULL },
    { "/\xe2\x82\xac", "{\"\\u20AC\":1}", "1" },
    { "/\xe2\x82\xac", "{\"\xe2\x82\xac\":1}", "1" },
    { "/\xf0\x9f\x98\x80", "{\"\\uD83D\\uDE00\":1}", "1" },
    { "/\xf0\x9f\x98\x80", "{\"\xf0\x9f\x98\x80\":1}", "1" },
    { "/x\xf0\x9f\x98\x80y", "{\"x\\ud83d\\ude00y\":1}", "1" },
    { "/\xf0\x9f\x98\x80", "{\"\\uD83D\":1}", NULL },
    { "/\xf0\x9f\x98\x80", "{\"\\uD83D\\uD83D\\uDE00\":1}", NULL },
    { "/\xf0\x9f\x98\x80", "{\"\\uDE00\\uD83D\":1}", NULL },
    { "/a", "{\"\\uD83Da\":1}", NULL },
    { "/a\xf0\x9f\x98\x80", "{\"\\uD83Da\\uDE00\":1}", NULL },
    { "/a", "{\"a\\uD83D\":1}", NULL },
    { "/a", "{\"\\uD83D\\u0061\":1}", NULL },
    { "/", "{\"\\uD83D\":1}", NULL },
    { "/\n\t\"\\~1", "{\"\\n\\t\\\"\\\\\\/\":1}", "1" },
    { "/~1", "{\"\\/\":1}", "1" },
    { "/~1", "{\"/\":1}", "1" },
    { "/~01", "{\"~1\":1,\"/\":2}", "1" },
    { "/~2", "{\"*\":1}", "1" },
    { "/**", "{\"**\":1}", "1" },

    /* the last one of members with one name counts */

    { "/k", "{\"k\":1,\"k\":2}", "2" },
    { "/k", "{\"k\":1,\"\\u006b\":2}", "2" },
    { "/k", "{\"k\":{\"k\":5},\"k\":[3]}", "[3]" },
    { "/a/b", "{\"a\":{\"b\":1},\"a\":{\"c\":2}}", NULL },
    { "/a/b", "{\"a\":{\"b\":1},\"a\":3}", NULL },
    { "/a/b", "{\"a\":{\"b\":1},\"a\":{\"b\":2}}", "2" },
    { "/a/b", "{\"a\":3,\"a\":{\"b\":2,\"b\":4}}", "4" },
    { "/a/0", "{\"a\":[1],\"a\":[]}", NULL }
};


static void
test_pointers(void)
{
    char                     *memory;
    size_t                    i, len;
    result_t                  r;
    gw_json_text_t            text;
    gw_json_trie_t           *trie;
    const pointer_row_t      *row;
    gw_json_pointer_error_t   err;

    for (i = 0; i < sizeof(pointer_rows) / sizeof(pointer_rows[0]); i++) {
        row = &pointer_rows[i];

        text.data = (u_char *) row->pointer;
        text.len = strlen(row->pointer);

        memory = malloc(gw_json_pointer_size(&text, 1));
        trie = gw_json_pointer_compile(memory, &text, 1, &err);

        if (!ok(trie != NULL, "pointer %u is compiled", (unsigned) i)) {
            free(memory);
            continue;
        }

        if (!ok(scan_all(&r, (u_char *) row->doc, strlen(row->doc),
                         GW_JSON_SCAN_DEPTH, trie)
                && r.rc == GW_JSON_SCAN_OK,
                "pointer %u: any cut, one range", (unsigned) i))
        {
            free(memory);
            continue;
        }

        len = r.ranges[0].end - r.ranges[0].start;

        if (row->value == NULL) {
            ok(len == 0, "pointer %u: missing", (unsigned) i);

        } else {
            ok(len == strlen(row->value)
               && memcmp(row->doc + r.ranges[0].start, row->value, len) == 0,
               "pointer %u: found", (unsigned) i);
        }

        free(memory);
    }
}


static void
test_pointer_sets(void)
{
    void                     *memory;
    size_t                    i, n;
    result_t                  r;
    gw_json_text_t            texts[MAX_POINTERS];
    gw_json_trie_t           *trie;
    gw_json_pointer_error_t   err;

    static const char  doc[] =
        "{\"b\":[10,{\"x\":11}],\"ab\":1,\"a\":{\"b\":2,\"bc\":[3]},\"c\":4}";

    static const char *const  pointers[MAX_POINTERS] = {
        "/b/1/x", "/a/bc/0", "/a", "/ab", "/a/b", "/a", "/a/x", ""
    };

    static const char *const  values[MAX_POINTERS] = {
        "11", "3", "{\"b\":2,\"bc\":[3]}", "1", "2", "{\"b\":2,\"bc\":[3]}",
        "", doc
    };

    for (n = 1; n <= MAX_POINTERS; n++) {
        for (i = 0; i < n; i++) {
            texts[i].data = (u_char *) pointers[i];
            texts[i].len = strlen(pointers[i]);
        }

        memory = malloc(gw_json_pointer_size(texts, n));
        trie = gw_json_pointer_compile(memory, texts, n, &err);

        ok(trie != NULL
           && scan_all(&r, (u_char *) doc, sizeof(doc) - 1,
                       GW_JSON_SCAN_DEPTH, trie)
           && r.rc == GW_JSON_SCAN_OK, "%u pointers in a trie", (unsigned) n);

        for (i = 0; i < n; i++) {
            ok(r.ranges[i].end - r.ranges[i].start == strlen(values[i])
               && memcmp(doc + r.ranges[i].start, values[i],
                         strlen(values[i])) == 0,
               "\"%s\" of %u", pointers[i], (unsigned) n);
        }

        free(memory);
    }
}


/* the longest pointer, to an array in as many arrays */

static void
test_deep_pointer(void)
{
    char                      pointer[2 * GW_JSON_POINTER_MAX_TOKENS];
    void                     *memory;
    u_char                    doc[2 * GW_JSON_POINTER_MAX_TOKENS + 8];
    size_t                    i, n;
    result_t                  r;
    gw_json_text_t            text;
    gw_json_trie_t           *trie;
    gw_json_pointer_error_t   err;

    n = GW_JSON_POINTER_MAX_TOKENS;

    for (i = 0; i < n; i++) {
        memcpy(pointer + 2 * i, "/0", 2);
    }

    memset(doc, '[', n);
    memcpy(doc + n, "[[1],2]", 7);
    memset(doc + n + 7, ']', n);

    text.data = (u_char *) pointer;
    text.len = sizeof(pointer);

    memory = malloc(gw_json_pointer_size(&text, 1));
    trie = gw_json_pointer_compile(memory, &text, 1, &err);

    ok(trie != NULL && scan_all(&r, doc, 2 * n + 7, GW_JSON_SCAN_DEPTH, trie)
       && r.rc == GW_JSON_SCAN_OK && r.ranges[0].start == n
       && r.ranges[0].end == n + 7, "the longest pointer");

    free(memory);
}


static void
test_api(void)
{
    size_t           offset;
    gw_json_scan_t   s;
    gw_json_range_t  value;

    ok(gw_json_scan((u_char *) " [] ", 4, 8, &value, &offset)
       == GW_JSON_SCAN_OK && value.start == 1 && value.end == 3,
       "a document in one call");

    ok(gw_json_scan(NULL, 0, 8, &value, &offset) == GW_JSON_SCAN_EMPTY,
       "no document in one call");

    gw_json_scan_init(&s, 8);

    ok(gw_json_scan_feed(&s, (u_char *) "[1", 2) == GW_JSON_SCAN_OK
       && s.offset == 2, "so far so good");
    ok(gw_json_scan_feed(&s, (u_char *) "x]", 2) == GW_JSON_SCAN_INVALID_JSON
       && s.offset == 2, "an error");
    ok(gw_json_scan_feed(&s, (u_char *) "]", 1) == GW_JSON_SCAN_INVALID_JSON
       && s.offset == 2, "stays");
    ok(gw_json_scan_finish(&s) == GW_JSON_SCAN_INVALID_JSON && s.offset == 2,
       "to the end");

    gw_json_scan_init(&s, 8);
    gw_json_scan_feed(&s, (u_char *) "12", 2);

    ok(gw_json_scan_finish(&s) == GW_JSON_SCAN_OK && s.value.end == 2,
       "a number at the end");
    ok(gw_json_scan_finish(&s) == GW_JSON_SCAN_OK && s.value.end == 2,
       "is ended once");

    ok(sizeof(gw_json_scan_t) <= 640, "the state has %u bytes",
       (unsigned) sizeof(gw_json_scan_t));
}


int
main(void)
{
    test_invalid();
    test_valid();
    test_errors();
    test_empty();
    test_truncation();
    test_depth();
    test_brackets();
    test_positions();
    test_utf8();
    test_wide();
    test_mutations();
    test_tokens();
    test_documents();
    test_pointers();
    test_pointer_sets();
    test_deep_pointer();
    test_api();

    return done();
}
