
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <string.h>

#include "gw_uri.h"
#include "tap.h"


typedef struct {
    const char  *input;
    size_t       ilen;
    const char  *output;            /* NULL: declined */
    unsigned     encoded;
} uri_row_t;


#define S(s)  s, sizeof(s) - 1


static const uri_row_t  components[] = {
    { S(""), "", 0 },
    { S("abcXYZ019-._~"), "abcXYZ019-._~", 0 },
    { S("../../admin"), "..%2F..%2Fadmin", 0 },
    { S("%2e%2e%2f"), "..%2F", 0 },
    { S("a b"), "a%20b", 0 },
    { S("a+b"), "a%20b", 0 },
    { S("a%2Bb"), "a%2Bb", 0 },
    { S("?x=1"), "%3Fx%3D1", 0 },
    { S("a&b=c;d"), "a%26b%3Dc%3Bd", 0 },
    { S("#"), "%23", 0 },
    { S("\0"), "%00", 0 },
    { S("%00"), "%00", 0 },
    { S("%"), "%25", 0 },
    { S("%4"), "%254", 0 },
    { S("%zz"), "%25zz", 0 },
    { S("%%41"), "%25A", 0 },
    { S("\r\nHost: x"), "%0D%0AHost%3A%20x", 0 },
    { S("\xd0\x9f\xff"), "%D0%9F%FF", 0 },
    { S("%d0%9f"), "%D0%9F", 0 },
    { S("'\"<>\\^`{|}"), "%27%22%3C%3E%5C%5E%60%7B%7C%7D", 0 }
};


static const uri_row_t  texts[] = {
    { S(""), "", 0 },
    { S("a/../b"), "a/../b", 0 },
    { S("a b+c?d#e%2f"), "a%20b%2Bc%3Fd%23e%252f", 0 },
    { S("\r\n\0&="), "%0D%0A%00%26%3D", 0 }
};


static const uri_row_t  paths[] = {
    { S("/"), "/", 0 },
    { S("/a/b"), "/a/b", 0 },
    { S("/a//b"), "/a//b", 0 },
    { S("/a%20b"), "/a b", 0 },
    { S("/a%2fb"), "/a/b", 1 },
    { S("/a%2Fb"), "/a/b", 1 },
    { S("/..%2Fx"), "/../x", 1 },
    { S("/a..b/.c/...d/..."), "/a..b/.c/...d/...", 0 },
    { S("/%d0%9f\xd0\x9f"), "/\xd0\x9f\xd0\x9f", 0 },
    { S(""), NULL, 0 },
    { S("a"), NULL, 0 },
    { S("http://x/"), NULL, 0 },
    { S("/.."), NULL, 0 },
    { S("/../x"), NULL, 0 },
    { S("/a/.."), NULL, 0 },
    { S("/a/../b"), NULL, 0 },
    { S("/a/./b"), NULL, 0 },
    { S("/a/."), NULL, 0 },
    { S("/%2e%2e/x"), NULL, 0 },
    { S("/%2e/x"), NULL, 0 },
    { S("/.%2E"), NULL, 0 },
    { S("/a%00b"), NULL, 0 },
    { S("/a%"), NULL, 0 },
    { S("/a%4"), NULL, 0 },
    { S("/a%4g"), NULL, 0 },
    { S("/a b"), NULL, 0 },
    { S("/a\r\nb"), NULL, 0 },
    { S("/a\0b"), NULL, 0 },
    { S("/a\x7f"), NULL, 0 },
    { S("/a#b"), NULL, 0 },
    { S("/a?b"), NULL, 0 }
};


static const uri_row_t  args[] = {
    { S(""), "", 0 },
    { S("a=b&c=%20+d/?:@"), "", 0 },
    { S("a=\xd0\x9f"), "", 0 },
    { S("a b"), NULL, 0 },
    { S("a\r\nb"), NULL, 0 },
    { S("a\0b"), NULL, 0 },
    { S("a\x7f"), NULL, 0 },
    { S("a#b"), NULL, 0 }
};


int
main(void)
{
    size_t            i, len;
    u_char            buf[256], *p;
    unsigned          encoded;
    gw_status_e       rc;
    const uri_row_t  *row;

    for (i = 0; i < sizeof(components) / sizeof(components[0]); i++) {
        row = &components[i];
        p = gw_uri_component(buf, (const u_char *) row->input, row->ilen);
        len = (size_t) (p - buf);

        ok(len == strlen(row->output) && memcmp(buf, row->output, len) == 0,
           "component %s", row->output);
    }

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        row = &texts[i];
        p = gw_uri_text(buf, (const u_char *) row->input, row->ilen);
        len = (size_t) (p - buf);

        ok(len == strlen(row->output) && memcmp(buf, row->output, len) == 0,
           "text %s", row->output);
    }

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        row = &paths[i];
        len = 0;
        rc = gw_uri_path((const u_char *) row->input, row->ilen, buf, &len,
                         &encoded);

        if (row->output == NULL) {
            ok(rc == GW_DECLINED, "path %u is refused", (unsigned) i);
            continue;
        }

        ok(rc == GW_OK && encoded == row->encoded
           && len == strlen(row->output)
           && memcmp(buf, row->output, len) == 0,
           "path %s", row->input);
    }

    for (i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
        row = &args[i];
        rc = gw_uri_args((const u_char *) row->input, row->ilen);

        ok(rc == (row->output ? GW_OK : GW_DECLINED), "arguments %u",
           (unsigned) i);
    }

    return done();
}
