
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Tokens whose signature was good, in memory that several processes share,
 * without a lock: a process killed at any instruction keeps nobody waiting.
 * An entry states one fact: the key with this thumbprint has verified the
 * token with this SHA-256.
 *
 * A table of buckets of 8 slots of 64 bytes.  A slot holds seven words: the
 * digest (4), the thumbprint (2), the dates (1), and before them its check
 * word: a keyed hash (SipHash under the secret of the table) of the seven.
 *
 * Why nothing but a fact is ever found.  gw_token_store_find() copies the
 * words of a slot one by one, in any order and while anybody writes, hashes
 * its copy and compares the result with the check word that it has read.
 * Every check word that is ever stored, besides 0 which is none, is the hash
 * of the seven words of one call of gw_token_store_put().  So a copy that
 * passes is that call's entry, word by word, whatever mixture of old and new
 * words the slot holds, whoever was killed half way, or went on to write
 * into a slot that another process took over meanwhile.  A mixture passes
 * with the probability that two hashes of 64 bits are equal, and nobody can
 * look for such a mixture without the secret.  Order of memory accesses and
 * compare and swap do not matter for this; a race can only lose an entry,
 * which is what a cache may do.
 *
 * When all the slots of a bucket are taken, a spoiled or expired one is
 * replaced, otherwise the one nearest to its end.
 */


#ifndef GW_TOKEN_STORE_H
#define GW_TOKEN_STORE_H


#include "gw.h"


#define GW_TOKEN_STORE_LAYOUT  1
#define GW_TOKEN_STORE_WAYS    8
#define GW_TOKEN_DIGEST_LEN    32              /* bytes, SHA-256 */
#define GW_TOKEN_KEY_LEN       16              /* bytes of the thumbprint */

/* an entry ends after this at the latest, seconds (8.5 years) */
#define GW_TOKEN_STORE_LIFE    ((int64_t) ((1 << 28) - 1))

/* a clock beyond that is not kept, seconds since the epoch (year 4147) */
#define GW_TOKEN_STORE_TIME    (((int64_t) 1 << 36) - 1)


typedef struct {
    uint64_t            check;             /* 0: free */
    uint64_t            digest[4];
    uint64_t            key[2];
    uint64_t            dates;             /* since << 28 | life, seconds */
} gw_token_slot_t;


typedef struct {
    uint32_t            layout;
    uint32_t            buckets;
    uint64_t            seed[2];
    uint64_t            used;              /* slots, ever */
    uint64_t            expired;           /* replaced after their end */
    uint64_t            evicted;           /* replaced before it */
    gw_token_slot_t    *slots;             /* the same address everywhere */
} gw_token_store_t;


/* what is kept of a token */

typedef struct {
    unsigned char       digest[GW_TOKEN_DIGEST_LEN];
    unsigned char       key[GW_TOKEN_KEY_LEN];
    int64_t             since;             /* verified, seconds */
    int64_t             end;               /* not found from then on */
} gw_token_entry_t;


/*
 * Makes an empty table in zeroed memory.
 *
 *     size      bytes; those above 2^32 buckets are not used
 *     seed      128 random bits, the secret of the check words
 *
 * Returns the table, or NULL if size has no place for one bucket.
 */

gw_token_store_t *gw_token_store_create(void *mem, size_t size,
    const uint64_t seed[2]);


/*
 * Looks a token up.
 *
 *     digest    SHA-256 of the token
 *     now       seconds since the epoch
 *     entry     out: on GW_OK
 *
 * Returns GW_OK, or GW_DECLINED if nothing is known or it has ended.
 */

gw_status_e gw_token_store_find(gw_token_store_t *store,
    const unsigned char digest[GW_TOKEN_DIGEST_LEN], int64_t now,
    gw_token_entry_t *entry);


/*
 * Keeps an entry; one of the same digest is replaced.  What ends at "now" or
 * before, or lies outside of GW_TOKEN_STORE_TIME, is not kept.  Cannot fail:
 * at worst the entry is not found later.
 *
 *     now       seconds since the epoch, entry->since or later
 */

void gw_token_store_put(gw_token_store_t *store,
    const gw_token_entry_t *entry, int64_t now);


#endif /* GW_TOKEN_STORE_H */
