
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * The text of gw_json_block.c and gw_json_block_avx2.c, see gw_json_block.h.
 *
 * In the masks bit 0 is the first byte: "x << 1" is what follows x, and an
 * addition carries a bit from the begin of a run to the byte behind the run.
 */


#ifndef GW_JSON_BLOCK_TEXT_H
#define GW_JSON_BLOCK_TEXT_H


#include <string.h>

#include "gw_json_bytes.h"
#include "gw_json_run.h"
#include "gw_json_scan.h"
#include "gw_json_state.h"


#define GW_JSON_BLOCK_SIZE  64
#define GW_JSON_BLOCK_ROOM  72  /* bytes that are read, a literal or an escape
                                   begins in the block */
#define GW_JSON_BLOCK_WIDE  16  /* bytes beyond ASCII: for more of them there
                                   is gw_json_run_wide() */


#if (GW_JSON_BLOCK_AVX2)

#include <immintrin.h>

#define gw_json_block_target  __attribute__((target("avx2,bmi,popcnt")))


typedef struct {
    __m256i            a, b;
} gw_json_block_bytes_t;

#else

#include "gw_json_vector.h"

#define gw_json_block_target


typedef struct {
    gw_json_vector_t   a, b, c, d;
} gw_json_block_bytes_t;

#endif


#define gw_json_block_inline                                                  \
    static inline __attribute__((always_inline)) gw_json_block_target


typedef struct {
    uint64_t           quote;       /* those that are not escaped */
    uint64_t           escape;      /* the backslash of each escape */
    uint64_t           low;         /* controls and beyond ASCII in strings */
    uint64_t           comma;
    uint64_t           colon;
    uint64_t           open;
    uint64_t           close;
    uint64_t           brace;       /* of open and close */
    uint64_t           space;       /* the four of RFC 8259, section 2 */
    uint64_t           string;      /* from a quote to before the next */
    uint64_t           scalar;      /* literals and numbers */
    uint64_t           object;      /* where one is the innermost container */
    uint64_t           bad;

    uint64_t           kinds;       /* as they are behind the block */
    uint32_t           depth;
} gw_json_block_t;


#if (GW_JSON_BLOCK_AVX2)

#define gw_json_block_join(x, y)                                              \
    ((uint64_t) (uint32_t) _mm256_movemask_epi8(x)                            \
     | (uint64_t) (uint32_t) _mm256_movemask_epi8(y) << 32)

#define gw_json_block_is(v, x)                                                \
    gw_json_block_join(_mm256_cmpeq_epi8((v)->a, _mm256_set1_epi8(x)),        \
                       _mm256_cmpeq_epi8((v)->b, _mm256_set1_epi8(x)))


gw_json_block_inline void
gw_json_block_load(gw_json_block_bytes_t *v, const u_char *p)
{
    v->a = _mm256_loadu_si256((const __m256i *) p);
    v->b = _mm256_loadu_si256((const __m256i *) (p + 32));
}


/* brackets as braces, letters as small ones */

gw_json_block_inline void
gw_json_block_fold(gw_json_block_bytes_t *v)
{
    v->a = _mm256_or_si256(v->a, _mm256_set1_epi8(0x20));
    v->b = _mm256_or_si256(v->b, _mm256_set1_epi8(0x20));
}


/* control characters and what is beyond ASCII; of the rest, what braces are */

gw_json_block_inline uint64_t
gw_json_block_low(const gw_json_block_bytes_t *v)
{
    __m256i  space;

    space = _mm256_set1_epi8(' ');

    return gw_json_block_join(
               _mm256_or_si256(v->a, _mm256_sub_epi8(v->a, space)),
               _mm256_or_si256(v->b, _mm256_sub_epi8(v->b, space)));
}


gw_json_block_inline uint64_t
gw_json_block_brace(const gw_json_block_bytes_t *v)
{
    return gw_json_block_join(_mm256_slli_epi16(v->a, 2),
                              _mm256_slli_epi16(v->b, 2));
}


gw_json_block_inline uint64_t
gw_json_block_digit(const gw_json_block_bytes_t *v)
{
    __m256i  a, b, nine;

    nine = _mm256_set1_epi8(9);
    a = _mm256_sub_epi8(v->a, _mm256_set1_epi8('0'));
    b = _mm256_sub_epi8(v->b, _mm256_set1_epi8('0'));

    return gw_json_block_join(_mm256_cmpeq_epi8(_mm256_min_epu8(a, nine), a),
                              _mm256_cmpeq_epi8(_mm256_min_epu8(b, nine), b));
}

#else

#define gw_json_block_each(v, op)                                             \
    gw_json_vector_mask4(op((v)->a), op((v)->b), op((v)->c), op((v)->d))

#define gw_json_block_low(v)    gw_json_block_each(v, gw_json_vector_low)
#define gw_json_block_brace(v)  gw_json_block_each(v, gw_json_vector_bit5)
#define gw_json_block_digit(v)  gw_json_block_each(v, gw_json_vector_digit)

#define gw_json_block_is(v, x)                                                \
    gw_json_vector_mask4(                                                     \
        gw_json_vector_equal((v)->a, gw_json_vector_fill(x)),                 \
        gw_json_vector_equal((v)->b, gw_json_vector_fill(x)),                 \
        gw_json_vector_equal((v)->c, gw_json_vector_fill(x)),                 \
        gw_json_vector_equal((v)->d, gw_json_vector_fill(x)))


gw_json_block_inline void
gw_json_block_load(gw_json_block_bytes_t *v, const u_char *p)
{
    v->a = gw_json_vector_load(p);
    v->b = gw_json_vector_load(p + 16);
    v->c = gw_json_vector_load(p + 32);
    v->d = gw_json_vector_load(p + 48);
}


/* brackets as braces, letters as small ones */

gw_json_block_inline void
gw_json_block_fold(gw_json_block_bytes_t *v)
{
    v->a = gw_json_vector_or(v->a, gw_json_vector_fill(0x20));
    v->b = gw_json_vector_or(v->b, gw_json_vector_fill(0x20));
    v->c = gw_json_vector_or(v->c, gw_json_vector_fill(0x20));
    v->d = gw_json_vector_or(v->d, gw_json_vector_fill(0x20));
}

#endif


/* whether the number of bits up to each is odd */

gw_json_block_inline uint64_t
gw_json_block_parity(uint64_t x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    x ^= x << 32;

    return x;
}


/*
 * Of backslashes one after the other, each second one is escaped.  Returns
 * them and what is escaped.
 */

gw_json_block_inline uint64_t
gw_json_block_escapes(gw_json_block_t *b, uint64_t slash)
{
    uint64_t  codes;

    const uint64_t  odd = 0xaaaaaaaaaaaaaaaa;

    codes = ((slash << 1 | odd) - slash) ^ odd;

    b->escape = codes & slash;

    return codes;
}


/*
 * Finds the strings.  Returns the brackets, colons and commas that are not in
 * one, up to the first byte that is none of a block's business.
 */

gw_json_block_inline uint64_t
gw_json_block_marks(gw_json_block_t *b, const u_char *p, const u_char **next)
{
    uint64_t               marks;
    gw_json_block_bytes_t  v;

    gw_json_block_load(&v, p);

    b->quote = gw_json_block_is(&v, '"');
    b->escape = gw_json_block_is(&v, '\\');

    if (b->escape) {
        b->quote &= ~gw_json_block_escapes(b, b->escape);
    }

    b->string = gw_json_block_parity(b->quote);
    b->space = gw_json_block_is(&v, ' ');
    b->low = gw_json_block_low(&v);

    if (b->low) {
        b->space |= gw_json_block_is(&v, '\n') | gw_json_block_is(&v, '\r')
                    | gw_json_block_is(&v, '\t');
        b->low &= b->string;
    }

    b->comma = gw_json_block_is(&v, ',');
    b->colon = gw_json_block_is(&v, ':');

    gw_json_block_fold(&v);

    b->open = gw_json_block_is(&v, '{');
    b->close = gw_json_block_is(&v, '}');

    marks = (b->comma | b->colon | b->open | b->close) & ~b->string;
    *next = p;

    if (b->low && __builtin_popcountll(b->low) > GW_JSON_BLOCK_WIDE) {
        *next = p + __builtin_ctzll(b->low) + 1;
        marks &= (b->low & (0 - b->low)) - 1;
    }

    return marks;
}


/* escapes and sequences of UTF-8, one by one; 0 when something is none */

gw_json_block_inline int
gw_json_block_strings(const u_char *p, const u_char *last, uint64_t escape,
    uint64_t low)
{
    int     i;
    size_t  n;

    for ( /* void */ ; escape; escape &= escape - 1) {

        if (gw_json_escape_size(p + __builtin_ctzll(escape)) == 0) {
            return 0;
        }
    }

    while (low) {
        i = __builtin_ctzll(low);
        n = gw_json_run_utf8(p + i, last);

        if (n == 0) {
            return 0;
        }

        low &= ~((((uint64_t) 1 << n) - 1) << i);
    }

    return 1;
}


/*
 * Follows the brackets.  Returns the marks before one that is more than a
 * change of the level: to where or from where pointers are tracked, where
 * s->kinds is full or empty, or too deep.
 */

gw_json_block_inline uint64_t
gw_json_block_nest(const gw_json_scan_t *s, gw_json_block_t *b,
    const u_char *p, const u_char **next, uint64_t marks)
{
    int                    i;
    uint64_t               left, kinds, kind, was;
    uint32_t               depth, most, least;
    gw_json_block_bytes_t  v;

    kinds = s->kinds;
    depth = s->depth;
    was = kinds & 1;

    b->bad = 0;
    b->brace = 0;
    b->object = 0 - was;

    left = marks & (b->open | b->close);

    if (left) {
        gw_json_block_load(&v, p);
        b->brace = gw_json_block_brace(&v);
    }

    least = (depth - 1) / 64 * 64;
    most = least + 64 < s->max_depth ? least + 64 : s->max_depth;
    least = (least > s->level ? least : s->level) + 1;

    for ( /* void */ ; left; left &= left - 1) {
        i = __builtin_ctzll(left);
        kind = b->brace >> i & 1;

        if (b->open >> i & 1) {

            if (depth == most) {
                break;
            }

            kinds = kinds << 1 | kind;
            depth++;

        } else {

            if (depth == least) {
                break;
            }

            b->bad |= kinds ^ kind;
            kinds >>= 1;
            kind = kinds & 1;
            depth--;
        }

        b->object ^= (0 - (was ^ kind)) << i;
        was = kind;
    }

    b->bad &= 1;
    b->kinds = kinds;
    b->depth = depth;

    if (left == 0) {
        return marks;
    }

    *next = p + __builtin_ctzll(left) + 1;

    return marks & ((left & (0 - left)) - 1);
}


/* the first byte that is no white space from each of x */

#define gw_json_block_next(x)  (((x) + b->space) & ~b->space)


/*
 * What follows what (RFC 8259, sections 2 to 5).  What stands before the
 * block is told from the state.
 */

gw_json_block_inline uint64_t
gw_json_block_order(const gw_json_block_t *b, unsigned state)
{
    uint64_t  after, keys, colons, bad, begin, end, value;

    begin = b->quote & b->string;
    end = b->quote & ~b->string;
    value = begin | (b->scalar & ~(b->scalar << 1)) | b->open;

    /* a name behind a comma or a brace */

    after = (b->comma & b->object) << 1 | (state == ST_KEY);
    keys = gw_json_block_next(after);
    bad = keys & ~begin;

    after = (b->open & b->brace) << 1 | (state == ST_FIRST_KEY);
    after = gw_json_block_next(after);
    bad |= after & ~(begin | b->close);
    keys |= after;

    /* and behind it a colon, and nowhere else */

    after = (((keys & begin) + b->string) & ~b->string) << 1
            | (state == ST_COLON);
    colons = gw_json_block_next(after);
    bad |= colons ^ b->colon;

    after = (b->colon | (b->comma & ~b->object)) << 1 | (state == ST_VALUE);
    bad |= gw_json_block_next(after) & ~value;

    after = (b->open & ~b->brace) << 1 | (state == ST_FIRST_VALUE);
    bad |= gw_json_block_next(after) & ~(value | b->close);

    /* behind a value or a name */

    after = end << 1 | (b->scalar << 1 & ~b->scalar) | b->close << 1
            | (state >= ST_ELEMENT);
    bad |= gw_json_block_next(after) & ~(b->comma | b->colon | b->close);

    return bad;
}


/* takes the literals out of the scalars; 0 when there is anything else */

gw_json_block_inline int
gw_json_block_literals(const u_char *p, uint64_t scalar, uint64_t begin,
    uint64_t *numbers)
{
    uint64_t       bit, literal;
    const u_char  *text;

    *numbers = scalar;

    for ( /* void */ ; begin; begin ^= bit) {
        bit = begin & (0 - begin);
        text = p + __builtin_ctzll(bit);

        if (memcmp(text, "true", 4) == 0 || memcmp(text, "null", 4) == 0) {
            literal = bit * 0xf;

        } else if (memcmp(text, "false", 5) == 0) {
            literal = bit * 0x1f;

        } else {
            return 0;
        }

        /* nothing sticks to it */

        if ((literal << 1) & ~literal & scalar) {
            return 0;
        }

        *numbers &= ~literal;
    }

    return 1;
}


/*
 * RFC 8259, section 6, for all numbers at once, some of them with more than
 * digits; returns what is wrong.
 */

gw_json_block_inline uint64_t
gw_json_block_numbers(const gw_json_block_bytes_t *v, uint64_t numbers,
    uint64_t digit, uint64_t zero)
{
    uint64_t               bad, first, point, e, minus, sign, part;
    gw_json_block_bytes_t  folded;

    folded = *v;
    gw_json_block_fold(&folded);

    point = gw_json_block_is(v, '.') & numbers;
    e = gw_json_block_is(&folded, 'e') & numbers;
    minus = gw_json_block_is(v, '-') & numbers;
    sign = minus | (gw_json_block_is(v, '+') & numbers);
    first = numbers & ~(numbers << 1);

    /* what begins with neither a digit nor a minus is gone by now */

    bad = numbers & ~(digit | point | e | sign);
    bad |= sign & ~(first | e << 1);

    /* digits behind a point and a sign, and behind an exponent */

    bad |= (point | sign) << 1 & ~digit;
    bad |= e << 1 & ~(digit | sign);

    /* no zeroes at the begin */

    part = (first & digit) | ((first & sign) << 1);
    bad |= (part & zero) << 1 & digit;

    /* the digits behind an exponent are the last, no second point */

    part = e << 1;
    part = ((part & sign) << 1) | (part & digit);
    bad |= (part + digit) & ~digit & (point | e);
    bad |= ((point << 1) + digit) & ~digit & point;

    return bad;
}


/* 0 when a literal or a number is none */

gw_json_block_inline int
gw_json_block_scalars(const u_char *p, uint64_t scalar)
{
    uint64_t               digit, zero, first, letter;
    gw_json_block_bytes_t  v;

    gw_json_block_load(&v, p);

    digit = gw_json_block_digit(&v) & scalar;
    zero = gw_json_block_is(&v, '0');
    first = scalar & ~(scalar << 1);

    if (digit == scalar) {
        return ((first & zero) << 1 & digit) == 0;
    }

    letter = first & ~digit & ~gw_json_block_is(&v, '-');

    if (letter && !gw_json_block_literals(p, scalar, letter, &scalar)) {
        return 0;
    }

    return gw_json_block_numbers(&v, scalar, digit & scalar, zero) == 0;
}


/* what stands behind the block */

gw_json_block_inline void
gw_json_block_state(gw_json_scan_t *s, const gw_json_block_t *b,
    unsigned end)
{
    unsigned  object;

    object = b->kinds & 1;

    s->kinds = b->kinds;
    s->depth = b->depth;
    s->after = (uint8_t) (ST_ELEMENT + object);

    if (b->close >> end) {
        s->state = s->after;

    } else if (b->open >> end) {
        s->state = object ? ST_FIRST_KEY : ST_FIRST_VALUE;

    } else {
        s->state = (b->comma >> end & object) ? ST_KEY : ST_VALUE;
    }
}


/* returns the byte behind the block, or p when it is not to be taken */

gw_json_block_inline const u_char *
gw_json_block_take(gw_json_scan_t *s, const u_char *p, const u_char *last,
    const u_char **next)
{
    uint64_t         marks, taken;
    unsigned         end;
    gw_json_block_t  b;

    marks = gw_json_block_marks(&b, p, next);

    if (marks == 0) {
        *next = p + GW_JSON_BLOCK_SIZE;
        return p;
    }

    marks = gw_json_block_nest(s, &b, p, next, marks);

    if (marks == 0) {
        return p;
    }

    end = 63 - (unsigned) __builtin_clzll(marks);
    taken = ~(uint64_t) 0 >> (63 - end);

    b.comma &= marks;
    b.colon &= marks;
    b.open &= marks;
    b.close &= marks;
    b.scalar = taken & ~(marks | b.string | b.quote | b.space);

    if (b.bad || (gw_json_block_order(&b, s->state) & taken)
        || (b.scalar && !gw_json_block_scalars(p, b.scalar))
        || ((b.escape | b.low) & taken
            && !gw_json_block_strings(p, last, b.escape & taken,
                                      b.low & taken)))
    {
        *next = p + GW_JSON_BLOCK_SIZE;
        return p;
    }

    gw_json_block_state(s, &b, end);

    return p + end + 1;
}


gw_json_block_inline const u_char *
gw_json_block_run(gw_json_scan_t *s, const u_char *p, const u_char *last,
    const u_char **next)
{
    const u_char  *start;

    do {
        if (last - p < GW_JSON_BLOCK_ROOM) {
            break;
        }

        start = p;
        p = gw_json_block_take(s, p, last, next);

    } while (p > start && p >= *next);

    return p;
}


#endif /* GW_JSON_BLOCK_TEXT_H */
