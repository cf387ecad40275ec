
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_json_scan.h"
#include "gw_json_string.h"
#include "gw_json_token.h"


/* what a byte between tokens may be */

#define CL_OTHER        0
#define CL_SPACE        1
#define CL_QUOTE        2
#define CL_NUMBER       3
#define CL_LETTER       4
#define CL_COMMA        5
#define CL_COLON        6
#define CL_LBRACE       7
#define CL_RBRACE       8
#define CL_LBRACKET     9
#define CL_RBRACKET     10

/* and what to do with it */

#define DO_ERROR        0
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
#define DO_EDGE         11


static const u_char *gw_json_scan_resume(gw_json_scan_t *s, const u_char *p,
    const u_char *last, int track);
static void gw_json_scan_unexpected(gw_json_scan_t *s, u_char c);
static const u_char *gw_json_scan_edge(gw_json_scan_t *s, const u_char *p,
    const u_char *last);
static void gw_json_scan_plain(gw_json_scan_t *s, const u_char *data,
    size_t len);
static void gw_json_scan_tracked(gw_json_scan_t *s, const u_char *data,
    size_t len);


static const uint8_t  gw_json_scan_classes[256] = {
    [' '] = CL_SPACE, ['\n'] = CL_SPACE, ['\r'] = CL_SPACE,
    ['\t'] = CL_SPACE, ['"'] = CL_QUOTE, ['-'] = CL_NUMBER,
    ['0'] = CL_NUMBER, ['1'] = CL_NUMBER, ['2'] = CL_NUMBER,
    ['3'] = CL_NUMBER, ['4'] = CL_NUMBER, ['5'] = CL_NUMBER,
    ['6'] = CL_NUMBER, ['7'] = CL_NUMBER, ['8'] = CL_NUMBER,
    ['9'] = CL_NUMBER, ['t'] = CL_LETTER, ['f'] = CL_LETTER,
    ['n'] = CL_LETTER, [','] = CL_COMMA, [':'] = CL_COLON,
    ['{'] = CL_LBRACE, ['}'] = CL_RBRACE, ['['] = CL_LBRACKET,
    [']'] = CL_RBRACKET
};


#define ANY(action)                                                           \
    action, action, action, action, action, action, action, action,           \
    action, action, action, action, action, action, action, action

#define VALUES                                                                \
    [CL_SPACE] = DO_SPACE, [CL_QUOTE] = DO_STRING,                            \
    [CL_NUMBER] = DO_NUMBER, [CL_LETTER] = DO_LITERAL,                        \
    [CL_LBRACE] = DO_OBJECT, [CL_LBRACKET] = DO_ARRAY


static const uint8_t  gw_json_scan_actions[ST_DONE + 1][16] = {
    [ST_START] = { ANY(DO_EDGE) },
    [ST_TOP] = { [CL_SPACE] = DO_SPACE, [CL_QUOTE] = DO_EDGE,
                 [CL_NUMBER] = DO_EDGE, [CL_LETTER] = DO_EDGE,
                 [CL_LBRACE] = DO_EDGE, [CL_LBRACKET] = DO_EDGE },
    [ST_VALUE] = { VALUES },
    [ST_FIRST_VALUE] = { VALUES, [CL_RBRACKET] = DO_CLOSE },
    [ST_KEY] = { [CL_SPACE] = DO_SPACE, [CL_QUOTE] = DO_KEY },
    [ST_FIRST_KEY] = { [CL_SPACE] = DO_SPACE, [CL_QUOTE] = DO_KEY,
                       [CL_RBRACE] = DO_CLOSE },
    [ST_COLON] = { [CL_SPACE] = DO_SPACE, [CL_COLON] = DO_COLON },
    [ST_ELEMENT] = { [CL_SPACE] = DO_SPACE, [CL_COMMA] = DO_COMMA,
                     [CL_RBRACKET] = DO_CLOSE },
    [ST_MEMBER] = { [CL_SPACE] = DO_SPACE, [CL_COMMA] = DO_COMMA,
                    [CL_RBRACE] = DO_CLOSE },
    [ST_END] = { ANY(DO_EDGE) },
    [ST_DONE] = { [CL_SPACE] = DO_SPACE }
};


gw_json_inline void
gw_json_scan_open(gw_json_scan_t *s, int array, int track)
{
    uint64_t  bit;

    if (s->depth == s->max_depth) {
        gw_json_scan_fail(s, GW_JSON_SCAN_TOO_DEEP);
        return;
    }

    bit = (uint64_t) 1 << (s->depth % 64);

    if (array) {
        s->stack[s->depth / 64] &= ~bit;
        s->after = ST_ELEMENT;
        s->state = ST_FIRST_VALUE;

    } else {
        s->stack[s->depth / 64] |= bit;
        s->after = ST_MEMBER;
        s->state = ST_FIRST_KEY;
    }

    s->depth++;

    if (track) {
        gw_json_track_open(s, array);
    }
}


gw_json_inline void
gw_json_scan_close(gw_json_scan_t *s, const u_char *p, int track)
{
    uint32_t  top;

    if (track) {
        gw_json_track_close(s, gw_json_scan_offset(s, p + 1));
    }

    s->depth--;

    if (s->depth == 0) {
        s->after = ST_END;

    } else {
        top = s->depth - 1;
        s->after = (uint8_t) (ST_ELEMENT
                              + ((s->stack[top / 64] >> (top % 64)) & 1));
    }
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


/* the byte cannot stand there; what can begin no character is no UTF-8 */

static __attribute__((noinline, cold)) void
gw_json_scan_unexpected(gw_json_scan_t *s, u_char c)
{
    gw_json_scan_fail(s, (c >= 0x80 && c < 0xc2) || c > 0xf4
                         ? GW_JSON_SCAN_INVALID_UTF8
                         : GW_JSON_SCAN_INVALID_JSON);
}


/* around the document: the byte order mark, its first byte and its end */

static __attribute__((noinline)) const u_char *
gw_json_scan_edge(gw_json_scan_t *s, const u_char *p, const u_char *last)
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

    default: /* ST_END */
        s->value.end = gw_json_scan_offset(s, p);
        s->state = ST_DONE;
        return p;
    }
}


gw_json_inline const u_char *
gw_json_scan_value(gw_json_scan_t *s, const u_char *p, const u_char *last,
    unsigned action, int track)
{
    if (track) {
        gw_json_track_begin(s, gw_json_scan_offset(s, p));
    }

    switch (action) {

    case DO_OBJECT:
    case DO_ARRAY:
        gw_json_scan_open(s, action == DO_ARRAY, track);
        return s->state == ST_ERROR ? p : p + 1;

    case DO_STRING:
        s->resume = 0;
        s->state = ST_STRING;
        return gw_json_scan_string(s, p + 1, last, track);

    case DO_LITERAL:
        return gw_json_scan_letter(s, p, last, track);

    default: /* DO_NUMBER */
        return gw_json_scan_number(s, p, last, track);
    }
}


/* a byte between two tokens and the token that it begins */

gw_json_inline const u_char *
gw_json_scan_token(gw_json_scan_t *s, const u_char *p, const u_char *last,
    int track)
{
    unsigned  action;

    action = gw_json_scan_actions[s->state][gw_json_scan_classes[*p]];

    switch (action) {

    case DO_SPACE:
        return gw_json_run_space(p + 1, last);

    case DO_KEY:
        s->resume = ST_COLON;
        s->state = ST_STRING;

        if (track) {
            gw_json_track_key_begin(s);
        }

        return gw_json_scan_string(s, p + 1, last, track);

    case DO_COLON:
        s->state = ST_VALUE;
        return p + 1;

    case DO_COMMA:
        return gw_json_scan_comma(s, p, track);

    case DO_CLOSE:
        gw_json_scan_close(s, p, track);
        return gw_json_scan_scalar(s, p + 1, last, track);

    case DO_EDGE:
        return gw_json_scan_edge(s, p, last);

    case DO_ERROR:
        gw_json_scan_unexpected(s, *p);
        return p;

    default:
        return gw_json_scan_value(s, p, last, action, track);
    }
}


gw_json_inline void
gw_json_scan_run(gw_json_scan_t *s, const u_char *data, size_t len, int track)
{
    const u_char  *p, *last;

    p = data;
    last = data + len;
    s->data = data;

    while (p < last && s->state > ST_DONE && s->state != ST_ERROR) {
        p = gw_json_scan_resume(s, p, last, track);
    }

    while (p < last && s->state != ST_ERROR) {
        p = gw_json_scan_token(s, p, last, track);
    }

    s->offset = gw_json_scan_offset(s, p);
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

    gw_json_scan_fail(s, GW_JSON_SCAN_INVALID_JSON);

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
