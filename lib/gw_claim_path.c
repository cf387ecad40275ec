
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_claim_path.h"


typedef struct {
    gw_claim_path_t        *path;
    gw_claim_path_error_t  *err;
    const char             *text;
    const char             *last;
    char                   *out;        /* where the next name goes */
} gw_claim_path_parser_t;


static const char *gw_claim_path_step(gw_claim_path_parser_t *parser,
    const char *p);
static const char *gw_claim_path_bare(gw_claim_path_parser_t *parser,
    const char *p);
static const char *gw_claim_path_quoted(gw_claim_path_parser_t *parser,
    const char *p);
static const char *gw_claim_path_index(gw_claim_path_parser_t *parser,
    const char *p);
static const char *gw_claim_path_add(gw_claim_path_parser_t *parser,
    const char *start, const char *name, size_t index, const char *end);
static const char *gw_claim_path_fail(gw_claim_path_parser_t *parser,
    const char *p, gw_claim_path_error_e code);


/* in the order of gw_claim_path_error_e */

static const char *const  gw_claim_path_texts[] = {
    "no error",
    "the path is empty, give the name of a claim",
    "the path is too long, it has at most 2048 bytes",
    "the path is too deep, it has at most 32 names and indices",
    "a name is empty or has more than 255 bytes; a path is like "
    ".a.b[0].\"dotted.key\"",
    "this character does not stand in a name without quotes, write the name "
    "as \"...\"",
    "a name in quotes must end with a quote, and be followed by \".\", \"[\" "
    "or nothing",
    "only \\\" and \\\\ are known within quotes",
    "an index must be a number from 0 to 65535 in [ ], and be followed by "
    "\".\", \"[\" or nothing"
};


gw_status_e
gw_claim_path_compile(gw_claim_path_t *path, char *buf, const char *text,
    size_t len, gw_claim_path_error_t *err)
{
    const char              *p;
    gw_claim_path_parser_t   parser;

    path->n = 0;

    parser.path = path;
    parser.err = err;
    parser.text = text;
    parser.last = text + len;
    parser.out = buf;

    if (len == 0) {
        (void) gw_claim_path_fail(&parser, text, GW_CLAIM_PATH_EMPTY);
        return GW_DECLINED;
    }

    if (len > GW_CLAIM_PATH_MAX_LEN) {
        (void) gw_claim_path_fail(&parser, text, GW_CLAIM_PATH_TOO_LONG);
        return GW_DECLINED;
    }

    if (*text != '.') {
        memcpy(buf, text, len);
        parser.out += len;

        p = gw_claim_path_add(&parser, text, buf, 0, parser.last);

        return (p == NULL) ? GW_DECLINED : GW_OK;
    }

    for (p = text; p < parser.last; /* void */ ) {

        p = gw_claim_path_step(&parser, p);

        if (p == NULL) {
            return GW_DECLINED;
        }
    }

    return GW_OK;
}


/*
 * What is read between steps ends before a "." or a "[".
 *
 * These functions return the byte behind what they have read, or NULL.
 */

static const char *
gw_claim_path_step(gw_claim_path_parser_t *parser, const char *p)
{
    if (*p == '[') {
        return gw_claim_path_index(parser, p + 1);
    }

    p++;

    if (p < parser->last && *p == '"') {
        return gw_claim_path_quoted(parser, p + 1);
    }

    return gw_claim_path_bare(parser, p);
}


static const char *
gw_claim_path_bare(gw_claim_path_parser_t *parser, const char *p)
{
    char           *name;
    const char     *start;
    unsigned char   c;

    start = p;
    name = parser->out;

    for ( /* void */ ; p < parser->last && *p != '.' && *p != '['; p++) {
        c = (unsigned char) *p;

        if (c <= ' ' || c == 0x7f || c == ']' || c == '"' || c == '\\') {
            return gw_claim_path_fail(parser, p, GW_CLAIM_PATH_CHARACTER);
        }

        *parser->out++ = *p;
    }

    return gw_claim_path_add(parser, start, name, 0, p);
}


static const char *
gw_claim_path_quoted(gw_claim_path_parser_t *parser, const char *p)
{
    char        *name;
    const char  *start;

    start = p;
    name = parser->out;

    for ( /* void */ ; p < parser->last && *p != '"'; p++) {

        if (*p == '\\') {
            p++;

            if (p == parser->last || (*p != '"' && *p != '\\')) {
                return gw_claim_path_fail(parser, p - 1,
                                          GW_CLAIM_PATH_ESCAPE);
            }
        }

        *parser->out++ = *p;
    }

    if (p == parser->last) {
        return gw_claim_path_fail(parser, start - 1, GW_CLAIM_PATH_QUOTES);
    }

    p++;

    if (p < parser->last && *p != '.' && *p != '[') {
        return gw_claim_path_fail(parser, p, GW_CLAIM_PATH_QUOTES);
    }

    return gw_claim_path_add(parser, start, name, 0, p);
}


static const char *
gw_claim_path_index(gw_claim_path_parser_t *parser, const char *p)
{
    size_t       index;
    const char  *start;

    start = p;
    index = 0;

    for ( /* void */ ; p < parser->last && *p >= '0' && *p <= '9'; p++) {
        index = index * 10 + (*p - '0');

        if (index > GW_CLAIM_PATH_MAX_INDEX) {
            return gw_claim_path_fail(parser, start, GW_CLAIM_PATH_INDEX);
        }
    }

    if (p == start || p == parser->last || *p != ']') {
        return gw_claim_path_fail(parser, p, GW_CLAIM_PATH_INDEX);
    }

    p++;

    if (p < parser->last && *p != '.' && *p != '[') {
        return gw_claim_path_fail(parser, p, GW_CLAIM_PATH_INDEX);
    }

    return gw_claim_path_add(parser, start, NULL, index, p);
}


static const char *
gw_claim_path_add(gw_claim_path_parser_t *parser, const char *start,
    const char *name, size_t index, const char *end)
{
    size_t                 len;
    gw_claim_path_step_t  *step;

    len = 0;

    if (name != NULL) {
        len = parser->out - name;

        if (len == 0 || len > GW_CLAIM_PATH_MAX_NAME) {
            return gw_claim_path_fail(parser, start, GW_CLAIM_PATH_NAME);
        }
    }

    if (parser->path->n == GW_CLAIM_PATH_MAX_STEPS) {
        return gw_claim_path_fail(parser, start, GW_CLAIM_PATH_TOO_DEEP);
    }

    step = &parser->path->steps[parser->path->n++];

    step->name = name;
    step->len = len;
    step->index = index;

    return end;
}


static const char *
gw_claim_path_fail(gw_claim_path_parser_t *parser, const char *p,
    gw_claim_path_error_e code)
{
    parser->err->code = code;
    parser->err->position = p - parser->text;
    parser->err->text = gw_claim_path_texts[code];

    return NULL;
}


json_t *
gw_claim_path_get(const gw_claim_path_t *path, const json_t *claims)
{
    size_t                       i;
    json_t                      *value;
    const gw_claim_path_step_t  *step;

    value = NULL;

    for (i = 0; i < path->n; i++) {
        step = &path->steps[i];

        /* both find nothing in a value of another type, or in NULL */

        value = (step->name != NULL)
                ? gw_json_get(claims, step->name, step->len)
                : json_array_get(claims, step->index);

        if (value == NULL) {
            return NULL;
        }

        claims = value;
    }

    return value;
}
