
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json_block.h"
#include "gw_json_scan.h"
#include "gw_json_string.h"
#include "gw_json_token.h"


/* what to do with a byte between tokens */

#define DO_OTHER        0
#define DO_SPACE        1
#define DO_STRING       2
#define DO_NUMBER       3
#define DO_LITERAL      4
#define DO_OBJECT       5
#define DO_ARRAY        6
#define DO_KEY          7
#define DO_COLON        8
#define DO_COMMA        9
#define DO_CLOSE        10


static const u_char *gw_json_scan_resume(gw_json_scan_t *s, const u_char *p,
    const u_char *last, int track);
static const u_char *gw_json_scan_other(gw_json_scan_t *s, const u_char *p,
    const u_char *last);
static void gw_json_scan_plain(gw_json_scan_t *s, const u_char *data,
    size_t len);
static void gw_json_scan_tracked(gw_json_scan_t *s, const u_char *data,
    size_t len);


#define SPACES                                                                \
    [' '] = DO_SPACE, ['\n'] = DO_SPACE, ['\r'] = DO_SPACE, ['\t'] = DO_SPACE

#define VALUES                                                                \
    SPACES, ['"'] = DO_STRING, ['{'] = DO_OBJECT, ['['] = DO_ARRAY,           \
    ['-'] = DO_NUMBER, ['0'] = DO_NUMBER, ['1'] = DO_NUMBER,                  \
    ['2'] = DO_NUMBER, ['3'] = DO_NUMBER, ['4'] = DO_NUMBER,                  \
    ['5'] = DO_NUMBER, ['6'] = DO_NUMBER, ['7'] = DO_NUMBER,                  \
    ['8'] = DO_NUMBER, ['9'] = DO_NUMBER, ['t'] = DO_LITERAL,                 \
    ['f'] = DO_LITERAL, ['n'] = DO_LITERAL


static const uint8_t  gw_json_scan_actions[ST_DONE + 1][256] = {
    [ST_TOP] = { SPACES },
    [ST_VALUE] = { VALUES },
    [ST_FIRST_VALUE] = { VALUES, [']'] = DO_CLOSE },
    [ST_KEY] = { SPACES, ['"'] = DO_KEY },
    [ST_FIRST_KEY] = { SPACES, ['"'] = DO_KEY, ['}'] = DO_CLOSE },
    [ST_COLON] = { SPACES, [':'] = DO_COLON },
    [ST_ELEMENT] = { SPACES, [','] = DO_COMMA, [']'] = DO_CLOSE },
    [ST_MEMBER] = { SPACES, [','] = DO_COMMA, ['}'] = DO_CLOSE },
    [ST_DONE] = { SPACES }
};


gw_json_inline const u_char *
gw_json_scan_open(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int array, int track)
{
    if (s->depth == s->max_depth) {
        return gw_json_scan_fail(s, p, last, GW_JSON_SCAN_TOO_DEEP);
    }

    if (s->depth % 64 == 0) {
        s->stack[s->depth / 64] = s->kinds;
    }

    s->kinds = s->kinds << 1 | !array;
    s->after = array ? ST_ELEMENT : ST_MEMBER;
    s->state = array ? ST_FIRST_VALUE : ST_FIRST_KEY;
    s->depth++;

    if (track) {
        gw_json_track_open(s, array);
    }

    return p + 1;
}


gw_json_inline void
gw_json_scan_close(gw_json_scan_t *s, const u_char *p, int track)
{
    if (track) {
        gw_json_track_close(s, gw_json_scan_offset(s, p + 1));
    }

    s->depth--;
    s->kinds >>= 1;

    if (s->depth % 64 == 0) {
        s->kinds = s->stack[s->depth / 64];
    }

    s->after = s->depth ? (uint8_t) (ST_ELEMENT + (s->kinds & 1)) : ST_END;
}


/* goes on with the token in which the last piece ended */

static const u_char *
gw_json_scan_resume(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    switch (s->state) {

    case ST_BOM:
    case ST_LITERAL:
        return gw_json_scan_literal(s, p, last, track);

    case ST_STRING:
        return gw_json_scan_string(s, p, last, track);

    case ST_ESCAPE:
    case ST_HEX:
    case ST_UTF8:
        return gw_json_scan_odd(s, p, last);

    case ST_MINUS:
        return gw_json_scan_number(s, p, last, track);

    case ST_ZERO:
    case ST_INT:
        return gw_json_scan_int(s, p, last, track);

    case ST_POINT:
    case ST_FRACTION:
        return gw_json_scan_fraction(s, p, last, track);

    default: /* ST_E, ST_E_SIGN, ST_EXPONENT */
        return gw_json_scan_exponent(s, p, last, track);
    }
}


/*
 * Around the document: the byte order mark, its first byte and its end; else
 * the byte cannot stand there, and one that begins no character is no UTF-8.
 */

static __attribute__((noinline)) const u_char *
gw_json_scan_other(gw_json_scan_t *s, const u_char *p, const u_char *last)
{
    switch (s->state) {

    case ST_START:
        if (*p == 0xef) {
            s->state = ST_BOM;
            s->literal = "\xbb\xbf";
            return gw_json_scan_literal(s, p + 1, last, 0);
        }

        s->state = ST_TOP;
        return p;

    case ST_TOP:
        s->value.start = gw_json_scan_offset(s, p);
        s->state = ST_VALUE;
        return p;

    case ST_END:
        s->value.end = gw_json_scan_offset(s, p);
        s->state = ST_DONE;
        return p;
    }

    return gw_json_scan_fail(s, p, last,
                             (*p >= 0x80 && *p < 0xc2) || *p > 0xf4
                             ? GW_JSON_SCAN_INVALID_UTF8
                             : GW_JSON_SCAN_INVALID_JSON);
}


gw_json_inline const u_char *
gw_json_scan_open_string(gw_json_scan_t *s, const u_char *p,
    const u_char *last, int key, int track)
{
    s->resume = key ? ST_COLON : ST_VALUE;
    s->state = ST_STRING;

    if (track && key) {
        gw_json_track_key_begin(s, gw_json_scan_offset(s, p));
    }

    return gw_json_scan_string(s, p + 1, last, track);
}


/* a byte between two tokens and the token that it begins */

gw_json_inline const u_char *
gw_json_scan_token(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    unsigned  action;

    action = gw_json_scan_actions[s->state][*p];

    if (track && action >= DO_STRING && action <= DO_ARRAY) {
        gw_json_track_begin(s, gw_json_scan_offset(s, p),
                            action == DO_OBJECT || action == DO_ARRAY);
    }

    switch (action) {

    case DO_SPACE:
        return gw_json_run_space(p + 1, last);

    case DO_STRING:
    case DO_KEY:
        return gw_json_scan_open_string(s, p, last, action == DO_KEY, track);

    case DO_NUMBER:
        return gw_json_scan_number(s, p, last, track);

    case DO_LITERAL:
        return gw_json_scan_letter(s, p, last, track);

    case DO_OBJECT:
        return gw_json_scan_open(s, p, last, 0, track);

    case DO_ARRAY:
        return gw_json_scan_open(s, p, last, 1, track);

    case DO_COLON:
        s->state = ST_VALUE;
        return p + 1;

    case DO_COMMA:
        return gw_json_scan_comma(s, p, track);

    case DO_CLOSE:
        gw_json_scan_close(s, p, track);
        return gw_json_scan_scalar(s, p + 1, last, track);

    default: /* DO_OTHER */
        return gw_json_scan_other(s, p, last);
    }
}


gw_json_inline void
gw_json_scan_run(gw_json_scan_t *s, const u_char *data, size_t len, int track)
{
    const u_char  *p, *last, *next;

    p = data;
    last = data + len;
    s->data = data;

    while (p < last && s->state > ST_DONE) {
        p = gw_json_scan_resume(s, p, last, track);
    }

    /* what is left by a block has at least one token */

    next = p;

    while (p < last) {

        if (p >= next && s->depth > s->level && s->block) {
            p = s->block(s, p, last, &next);
        }

        p = gw_json_scan_token(s, p, last, track);
    }

    if (s->state != ST_ERROR) {
        s->offset += len;
    }
}


static void
gw_json_scan_plain(gw_json_scan_t *s, const u_char *data, size_t len)
{
    gw_json_scan_run(s, data, len, 0);
}


static void
gw_json_scan_tracked(gw_json_scan_t *s, const u_char *data, size_t len)
{
    gw_json_scan_run(s, data, len, 1);
}


void
gw_json_scan_init(gw_json_scan_t *s, size_t max_depth)
{
    /* the stacks are written before they are read */

    memset(s, 0, offsetof(gw_json_scan_t, stack));

    s->max_depth = max_depth < GW_JSON_SCAN_MAX_DEPTH
                   ? (uint32_t) max_depth : GW_JSON_SCAN_MAX_DEPTH;
    s->state = ST_START;
    s->after = ST_END;
    s->next = GW_JSON_POINTER_NO_NODE;
#if !(defined GW_JSON_PORTABLE)
    s->block = gw_json_block_best();
#endif
}


void
gw_json_scan_track(gw_json_scan_t *s, const gw_json_trie_t *trie,
    gw_json_range_t *ranges)
{
    memset(ranges, 0, trie->count * sizeof(gw_json_range_t));

    s->trie = trie;
    s->ranges = ranges;
    s->next = 0;
}


gw_json_scan_e
gw_json_scan_feed(gw_json_scan_t *s, const u_char *data, size_t len)
{
    if (len == 0 || s->error != GW_JSON_SCAN_OK) {
        return s->error;
    }

    if (s->trie) {
        gw_json_scan_tracked(s, data, len);

    } else {
        gw_json_scan_plain(s, data, len);
    }

    return s->error;
}


gw_json_scan_e
gw_json_scan_finish(gw_json_scan_t *s)
{
    if (s->error != GW_JSON_SCAN_OK) {
        return s->error;
    }

    switch (s->state) {

    case ST_START:
    case ST_TOP:
        return GW_JSON_SCAN_EMPTY;

    case ST_ZERO:
    case ST_INT:
    case ST_FRACTION:
    case ST_EXPONENT:

        if (s->after != ST_END) {
            break;
        }

        if (s->trie) {
            gw_json_track_scalar_end(s, s->offset);
        }

        s->state = ST_END;

        /* fall through */

    case ST_END:
        s->value.end = s->offset;
        s->state = ST_DONE;

        /* fall through */

    case ST_DONE:
        return GW_JSON_SCAN_OK;
    }

    s->error = GW_JSON_SCAN_INVALID_JSON;
    s->state = ST_ERROR;

    return s->error;
}


gw_json_scan_e
gw_json_scan(const u_char *data, size_t len, size_t max_depth,
    gw_json_range_t *value, size_t *offset)
{
    gw_json_scan_e  rc;
    gw_json_scan_t  s;

    gw_json_scan_init(&s, max_depth);
    gw_json_scan_feed(&s, data, len);

    rc = gw_json_scan_finish(&s);

    *value = s.value;
    *offset = s.offset;

    return rc;
}


const char *
gw_json_scan_name(gw_json_scan_e rc)
{
    switch (rc) {

    case GW_JSON_SCAN_OK:
        return "ok";

    case GW_JSON_SCAN_EMPTY:
        return "empty";

    case GW_JSON_SCAN_INVALID_UTF8:
        return "invalid_utf8";

    case GW_JSON_SCAN_TOO_DEEP:
        return "too_deep";

    default:
        return "invalid_json";
    }
}
