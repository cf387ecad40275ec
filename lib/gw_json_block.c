
/*
 * Copyright (C) the nginx gateway modules developers
 */


#include "gw_json_block.h"

#if (GW_JSON_VECTOR)

#define GW_JSON_BLOCK_AVX2  0

#include "gw_json_block_text.h"


const u_char *
gw_json_block(gw_json_scan_t *s, const u_char *p, const u_char *last,
    const u_char **next)
{
    return gw_json_block_run(s, p, last, next);
}

#endif


gw_json_block_pt
gw_json_block_best(void)
{
#if (GW_JSON_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")
        && __builtin_cpu_supports("popcnt"))
    {
        return gw_json_block_avx2;
    }
#endif

#if (GW_JSON_VECTOR)
    return gw_json_block;
#else
    return NULL;
#endif
}
