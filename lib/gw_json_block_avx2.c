
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_json_block.h"

#if (GW_JSON_AVX2)

#define GW_JSON_BLOCK_AVX2  1

#include "gw_json_block_text.h"


gw_json_block_target const u_char *
gw_json_block_avx2(gw_json_scan_t *s, const u_char *p, const u_char *last,
    const u_char **next)
{
    return gw_json_block_run(s, p, last, next);
}

#endif
