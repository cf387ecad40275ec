
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include <stdlib.h>
#include <string.h>

#include "gw_base64url.h"
#include "tap.h"


typedef struct {
    const char  *name;
    const char  *input;
    size_t       ilen;
    const char  *output;        /* NULL: refused */
    size_t       olen;
} row_t;


#define row(name, in, out)   { name, in, sizeof(in) - 1, out, sizeof(out) - 1 }
#define bad(name, in)        { name, in, sizeof(in) - 1, NULL, 0 }


static const row_t  rows[] = {
    row("nothing", "", ""),
    row("RFC 4648: f", "Zg", "f"),
    row("RFC 4648: fo", "Zm8", "fo"),
    row("RFC 4648: foo", "Zm9v", "foo"),
    row("RFC 4648: foob", "Zm9vYg", "foob"),
    row("RFC 4648: fooba", "Zm9vYmE", "fooba"),
    row("RFC 4648: foobar", "Zm9vYmFy", "foobar"),
    row("RFC 7515, C", "A-z_4ME", "\x03\xec\xff\xe0\xc1"),
    row("the last two letters", "-_-_", "\xfb\xff\xbf"),
    row("zeros", "AAAA", "\0\0\0"),
    row("ones", "_w", "\xff"),
    bad("S09 one letter", "A"),
    bad("S09 five letters", "AAAAA"),
    bad("S09 padding", "Zg=="),
    bad("S09 padding, 1", "Zm8="),
    bad("S09 padding of whole groups", "Zm9v===="),
    bad("S09 garbage behind padding", "Zg==garb"),
    bad("S09 +", "A+z_"),
    bad("S09 /", "A-z/"),
    bad("S09 space in front", " Zm9"),
    bad("S09 space behind", "Zm9v "),
    bad("S09 space within", "Zm 9"),
    bad("S09 LF behind", "Zm8\n"),
    bad("S09 CR LF", "Zm\r\n"),
    bad("S09 tab", "\tZm8"),
    bad("S09 NUL", "Zm8\0"),
    bad("S09 NUL within", "Z\0mv"),
    bad("S09 .", "Zm.v"),
    bad("S09 ?", "Zm8?"),
    bad("S09 #", "#m8v"),
    bad("S09 DEL", "Zm8\x7f"),
    bad("S09 a byte above ASCII", "Zm8\x80"),
    bad("S09 another", "\xffm8v"),
    bad("S09 four trailing bits", "Zh"),
    bad("S09 four trailing bits, all", "Zv"),
    bad("S09 two trailing bits", "Zm9"),
    bad("S09 two trailing bits, all", "Zm_"),
    { NULL, NULL, 0, NULL, 0 }
};


int
main(void)
{
    int             errors, c, good;
    size_t          len, elen, n;
    const row_t    *r;
    gw_status_e     rc;
    unsigned char  *in, *out;
    unsigned char   bytes[256], text[512], back[256];

    for (r = rows; r->name != NULL; r++) {

        /* exactly as long as promised, for the sanitizers */

        in = malloc(r->ilen + 1);
        out = malloc(gw_base64url_decoded_length(r->ilen) + 1);
        memcpy(in, r->input, r->ilen);

        rc = gw_base64url_decode(out, &len, in, r->ilen);

        if (r->output == NULL) {
            ok(rc == GW_DECLINED, "%s", r->name);

        } else {
            ok(rc == GW_OK && len == r->olen
               && memcmp(out, r->output, len) == 0, "%s, decoded", r->name);

            elen = gw_base64url_encode(text,
                                       (const unsigned char *) r->output,
                                       r->olen);
            ok(elen == r->ilen && memcmp(text, r->input, elen) == 0,
               "%s, encoded", r->name);
        }

        free(out);
        free(in);
    }

    /* every byte in every place of a group */

    errors = 0;

    for (n = 0; n < 4; n++) {
        for (c = 0; c < 256; c++) {
            memcpy(text, "AAAA", 4);
            text[n] = (unsigned char) c;

            good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
                   || (c >= '0' && c <= '9') || c == '-' || c == '_';

            errors += (good != (gw_base64url_decode(back, &len, text, 4)
                                == GW_OK));
        }
    }

    ok(errors == 0, "the alphabet has 64 letters in every place");

    errors = 0;

    for (n = 0; n < 256; n++) {
        bytes[n] = (unsigned char) (n * 167 + 13);

        elen = gw_base64url_encode(text, bytes, n);

        errors += (elen != gw_base64url_encoded_length(n)
                   || gw_base64url_decoded_length(elen) != n
                   || gw_base64url_decode(back, &len, text, elen) != GW_OK
                   || len != n || memcmp(back, bytes, n) != 0);
    }

    ok(errors == 0, "all lengths there and back");

    return done();
}
