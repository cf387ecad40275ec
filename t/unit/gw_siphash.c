
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_siphash.h"
#include "tap.h"

#include <string.h>


typedef void (*hash_pt)(const uint64_t key[2], const u_char *data, size_t len,
    uint64_t hash[2]);


typedef struct {
    size_t       len;          /* bytes 00 01 02 ... under key 00 01 ... 0f */
    const char  *output;
} vector_t;


static vector_t  sip24[] = {
    { 0, "a3817f04ba25a8e66df67214c7550293" },
    { 1, "da87c1d86b99af44347659119b22fc45" },
    { 2, "8177228da4a45dc7fca38bdef60affe4" },
    { 3, "9c70b60c5267a94e5f33b6b02985ed51" },
    { 7, "a1f1ebbed8dbc153c0b84aa61ff08239" },
    { 8, "3b62a9ba6258f5610f83e264f31497b4" },
    { 9, "264499060ad9baabc47f8b02bb6d71ed" },
    { 15, "5493e99933b0a8117e08ec0f97cfc3d9" },
    { 16, "6ee2a4ca67b054bbfd3315bf85230577" },
    { 17, "473d06e8738db89854c066c47ae47740" },
    { 31, "2939b0183223fafc1723de4f52c43d35" },
    { 63, "5150d1772f50834a503e069a973fbd7c" },
    { 64, "1eaf077dc0d4cd3f8cad4d383658a74b" },
    { 255, "1c9bb67528165f8e468248e3799b0eab" }
};


static vector_t  sip13[] = {
    { 0, "e77ebcb22788a5befd62db6add303001" },
    { 1, "fc6f370460d3eda85e0573cc2b2ff063" },
    { 2, "75787f090569839b855bc9548c6aea95" },
    { 3, "6bc5ccfa1edcf79f4823187712ebd743" },
    { 7, "1084b923f2aae0c3a62f2ec80848ab77" },
    { 8, "aa12fee1d5e3dab4724f16ab35f9c799" },
    { 9, "81ddb8042cf33994f4720e0094137c42" },
    { 15, "c17e5505b2bd526c2921cdec1e7e0109" },
    { 16, "d0a8d95715518eebb513b0f83d9e1793" },
    { 17, "234126f93fbb668d975112e8febdf7ec" },
    { 31, "42ea961c5b3c858b17c3e550dfa79010" },
    { 63, "4c5800e34efe426f079f6b0aa75260ad" },
    { 64, "1253def24b4aa5364ec8a759ba6a66c2" },
    { 255, "f528a4c10a2158a5f1a465d0aebb3ee9" }
};


static void
check(const char *name, hash_pt hash, vector_t *vec, size_t n)
{
    char      text[33];
    size_t    i, j;
    u_char    data[256], *unaligned;
    uint64_t  key[2], out[2];

    key[0] = 0x0706050403020100ULL;
    key[1] = 0x0f0e0d0c0b0a0908ULL;

    unaligned = data + 1;

    for (i = 0; i < 255; i++) {
        unaligned[i] = (u_char) i;
    }

    for (i = 0; i < n; i++) {
        hash(key, unaligned, vec[i].len, out);

        for (j = 0; j < 16; j++) {
            snprintf(text + 2 * j, 3, "%02x",
                     (unsigned) (out[j / 8] >> (j % 8 * 8)) & 0xff);
        }

        ok(strcmp(text, vec[i].output) == 0, "%s of %zu bytes is %s",
           name, vec[i].len, text);
    }
}


int
main(void)
{
    check("SipHash-2-4", gw_siphash24, sip24,
          sizeof(sip24) / sizeof(sip24[0]));
    check("SipHash-1-3", gw_siphash13, sip13,
          sizeof(sip13) / sizeof(sip13[0]));

    return done();
}
