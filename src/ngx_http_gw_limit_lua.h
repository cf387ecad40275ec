
/*
 * Copyright (C) the nginx gateway modules developers
 */


/* Made by util/embed-lua: change src/scripts/ instead. */


#ifndef NGX_HTTP_GW_LIMIT_LUA_H
#define NGX_HTTP_GW_LIMIT_LUA_H


/* src/scripts/conc.lua */

#define NGX_HTTP_GW_LIMIT_CONC_SHA                                            \
    "a4a30693998bd182a598edba92b4f93c1cdb356f"

#define NGX_HTTP_GW_LIMIT_CONC_LUA                                            \
    "local call=redis.call\n"                                                 \
    "local t=call('TIME')\n"                                                  \
    "local now=t[1]*1000000+t[2]\n"                                           \
    "local all=call('HGETALL',KEYS[1])\n"                                     \
    "local me,held=ARGV[1],ARGV[2]+0\n"                                       \
    "local mine,others,ok=0,0,0\n"                                            \
    "local gone={}\n"                                                         \
    "for i=1,#all,2 do\n"                                                     \
    "local n,expiry=string.match(all[i+1],'^(%d+):(%d+)$')\n"                 \
    "if all[i]==me then\n"                                                    \
    "mine=(n or 0)+0\n"                                                       \
    "elseif n and expiry+0>now then\n"                                        \
    "others=others+n\n"                                                       \
    "else\n"                                                                  \
    "gone[#gone+1]=all[i]\n"                                                  \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "mine=math.min(math.max(mine,held),held+ARGV[3])\n"                       \
    "if ARGV[6]and others+mine<ARGV[6]+0 then\n"                              \
    "mine=mine+1\n"                                                           \
    "ok=1\n"                                                                  \
    "end\n"                                                                   \
    "if mine>0 then\n"                                                        \
    "call('HSET',KEYS[1],me,string.format('%d:%.0f',mine,now+ARGV[4]))\n"     \
    "call('PEXPIRE',KEYS[1],ARGV[5])\n"                                       \
    "else\n"                                                                  \
    "gone[#gone+1]=me\n"                                                      \
    "end\n"                                                                   \
    "for i=1,#gone do\n"                                                      \
    "call('HDEL',KEYS[1],gone[i])\n"                                          \
    "end\n"                                                                   \
    "return{others+mine,ok}"


/* src/scripts/take.lua */

#define NGX_HTTP_GW_LIMIT_TAKE_SHA                                            \
    "0737d8cd99ac41fe7b1d834f47bc16e0c8348bb3"

#define NGX_HTTP_GW_LIMIT_TAKE_LUA                                            \
    "local call,ceil=redis.call,math.ceil\n"                                  \
    "local t=call('TIME')\n"                                                  \
    "local now=t[1]*1000000+t[2]\n"                                           \
    "local n=#KEYS\n"                                                         \
    "local kinds=ARGV[3*n+1]\n"                                               \
    "local mode=kinds and kinds:sub(1,1)\n"                                   \
    "local ok=true\n"                                                         \
    "local out,stale,cells={now},{},{}\n"                                     \
    "for i=1,n do\n"                                                          \
    "local kind=kinds and kinds:sub(i+1,i+1)\n"                               \
    "local window=kind and kind:lower()\n"                                    \
    "local d,room\n"                                                          \
    "if window=='s' or window=='f' then\n"                                    \
    "local limit,period=ARGV[3*i-1]+0,ARGV[3*i]+0\n"                          \
    "local v=call('HMGET',KEYS[i],'w','c','p')\n"                             \
    "local w,p=(v[1]or 0)+0,(v[3]or 0)+0\n"                                   \
    "local left=period-now%period\n"                                          \
    "local e=now+left\n"                                                      \
    "d=(v[2]or 0)+0\n"                                                        \
    "if window=='s' then\n"                                                   \
    "e=e+period\n"                                                            \
    "end\n"                                                                   \
    "if w==e then\n"                                                          \
    "elseif w<=now then\n"                                                    \
    "d,p=0,0\n"                                                               \
    "elseif window=='s' and w==e-period then\n"                               \
    "d,p=0,d\n"                                                               \
    "else\n"                                                                  \
    "p=0\n"                                                                   \
    "stale[i]=true\n"                                                         \
    "end\n"                                                                   \
    "if window=='f' then\n"                                                   \
    "p=0\n"                                                                   \
    "end\n"                                                                   \
    "d=math.min(d,limit)\n"                                                   \
    "p=math.min(p,limit)\n"                                                   \
    "local q=ceil(period/16777216)\n"                                         \
    "local used=d+ceil(p*ceil(left/q)/ceil(period/q))\n"                      \
    "room=math.max(ARGV[3*i-2]+0,1)<=limit-used\n"                            \
    "cells[i]={e,p,limit,window}\n"                                           \
    "else\n"                                                                  \
    "local tau=ARGV[3*i]+0\n"                                                 \
    "d=(call('GET',KEYS[i])or 0)-now\n"                                       \
    "if d<0 then\n"                                                           \
    "d=0\n"                                                                   \
    "elseif d>tau then\n"                                                     \
    "d=tau\n"                                                                 \
    "stale[i]=true\n"                                                         \
    "end\n"                                                                   \
    "room=d+ARGV[3*i-1]<=tau\n"                                               \
    "end\n"                                                                   \
    "if room then\n"                                                          \
    "out[i+1]=d\n"                                                            \
    "elseif kind and kind~=window then\n"                                     \
    "out[i+1]=-1-d\n"                                                         \
    "else\n"                                                                  \
    "ok=false\n"                                                              \
    "out[i+1]=d\n"                                                            \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "if mode=='f' then\n"                                                     \
    "ok=true\n"                                                               \
    "end\n"                                                                   \
    "for i=1,n do\n"                                                          \
    "local d,short=out[i+1],false\n"                                          \
    "local charge=ARGV[3*i-2]+0\n"                                            \
    "local write=stale[i]\n"                                                  \
    "local cell=cells[i]\n"                                                   \
    "if d<0 then\n"                                                           \
    "d=-1-d\n"                                                                \
    "short=mode~='f'\n"                                                       \
    "end\n"                                                                   \
    "if ok and not short and charge>0 and mode~='p' then\n"                   \
    "d=d+charge\n"                                                            \
    "write=true\n"                                                            \
    "if mode=='f' then\n"                                                     \
    "d=math.min(d,cell and cell[3]or ARGV[3*i]+0)\n"                          \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "if write and mode~='p' then\n"                                           \
    "if cell then\n"                                                          \
    "call('HSET',KEYS[i],'w',cell[1],'c',d,'p',cell[2])\n"                    \
    "call('PEXPIRE',KEYS[i],ceil((cell[1]-now)/1000)+1)\n"                    \
    "else\n"                                                                  \
    "call('SET',KEYS[i],now+d,'PX',ceil(d/1000)+1)\n"                         \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "out[i+1]=ok and not short and d or-1-d\n"                                \
    "if cell then\n"                                                          \
    "out[#out+1]=cell[2]\n"                                                   \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "return out"


#endif /* NGX_HTTP_GW_LIMIT_LUA_H */
