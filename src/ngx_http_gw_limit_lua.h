
/*
 * Copyright (C) the nginx gateway modules developers
 */


/* Made by util/embed-lua: change src/scripts/ instead. */


#ifndef NGX_HTTP_GW_LIMIT_LUA_H
#define NGX_HTTP_GW_LIMIT_LUA_H


/* src/scripts/take.lua */

#define NGX_HTTP_GW_LIMIT_TAKE_SHA                                            \
    "5b487ccdff8386e7de683497987395da69852d7f"

#define NGX_HTTP_GW_LIMIT_TAKE_LUA                                            \
    "local call=redis.call\n"                                                 \
    "local t=call('TIME')\n"                                                  \
    "local now=t[1]*1000000+t[2]\n"                                           \
    "local n=#KEYS\n"                                                         \
    "local mode=ARGV[3*n+1]\n"                                                \
    "local ok=true\n"                                                         \
    "local ahead,stale={now},{}\n"                                            \
    "for i=1,n do\n"                                                          \
    "local d=(call('GET',KEYS[i])or 0)-now\n"                                 \
    "local tau=ARGV[3*i]+0\n"                                                 \
    "if d<0 then\n"                                                           \
    "d=0\n"                                                                   \
    "elseif d>tau then\n"                                                     \
    "d=tau\n"                                                                 \
    "stale[i]=true\n"                                                         \
    "end\n"                                                                   \
    "if d+ARGV[3*i-1]>tau then\n"                                             \
    "ok=false\n"                                                              \
    "end\n"                                                                   \
    "ahead[i+1]=d\n"                                                          \
    "end\n"                                                                   \
    "if mode=='f' then\n"                                                     \
    "ok=true\n"                                                               \
    "end\n"                                                                   \
    "for i=1,n do\n"                                                          \
    "local d=ahead[i+1]\n"                                                    \
    "local charge=ARGV[3*i-2]+0\n"                                            \
    "local write=stale[i]\n"                                                  \
    "if ok and charge>0 and mode~='p' then\n"                                 \
    "d=d+charge\n"                                                            \
    "write=true\n"                                                            \
    "if mode=='f' and d>ARGV[3*i]+0 then\n"                                   \
    "d=ARGV[3*i]+0\n"                                                         \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "if write and mode~='p' then\n"                                           \
    "call('SET',KEYS[i],now+d,'PX',math.ceil(d/1000)+1)\n"                    \
    "end\n"                                                                   \
    "ahead[i+1]=ok and d or-1-d\n"                                            \
    "end\n"                                                                   \
    "return ahead"


#endif /* NGX_HTTP_GW_LIMIT_LUA_H */
