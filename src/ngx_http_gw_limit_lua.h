
/*
 * Copyright (C) the nginx gateway modules developers
 */


/* Made by util/embed-lua: change src/scripts/ instead. */


#ifndef NGX_HTTP_GW_LIMIT_LUA_H
#define NGX_HTTP_GW_LIMIT_LUA_H


/* src/scripts/beat.lua */

#define NGX_HTTP_GW_LIMIT_BEAT_SHA                                            \
    "d1c35d3759440966b7f00cba0c2a895c62764903"

#define NGX_HTTP_GW_LIMIT_BEAT_LUA                                            \
    "local call=redis.call\n"                                                 \
    "local t=call('TIME')\n"                                                  \
    "local now=t[1]*1000000+t[2]\n"                                           \
    "call('ZADD',KEYS[1],now,ARGV[1])\n"                                      \
    "call('ZREMRANGEBYSCORE',KEYS[1],'-inf',now-ARGV[2])\n"                   \
    "call('ZREMRANGEBYSCORE',KEYS[1],now+ARGV[2],'+inf')\n"                   \
    "call('PEXPIRE',KEYS[1],math.ceil(ARGV[2]/1000)+1)\n"                     \
    "return call('ZCARD',KEYS[1])"


/* src/scripts/conc.lua */

#define NGX_HTTP_GW_LIMIT_CONC_SHA                                            \
    "10ceb761761fb2e19bf5fb56c361622a14b896af"

#define NGX_HTTP_GW_LIMIT_CONC_LUA                                            \
    "local call=redis.call\n"                                                 \
    "local t=call('TIME')\n"                                                  \
    "local now=t[1]*1000000+t[2]\n"                                           \
    "local all=call('HGETALL',KEYS[1])\n"                                     \
    "local me,held=ARGV[1],(ARGV[2]or 0)+0\n"                                 \
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
    "if not me then\n"                                                        \
    "return{others,0}\n"                                                      \
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


/* src/scripts/give.lua */

#define NGX_HTTP_GW_LIMIT_GIVE_SHA                                            \
    "9a13b08260e4a4420ec3411db8dd76ab86ad1457"

#define NGX_HTTP_GW_LIMIT_GIVE_LUA                                            \
    "local call=redis.call\n"                                                 \
    "local t=call('TIME')\n"                                                  \
    "local now=t[1]*1000000+t[2]\n"                                           \
    "local n=#KEYS\n"                                                         \
    "local kinds=ARGV[3*n+1]\n"                                               \
    "local out={now}\n"                                                       \
    "for i=1,n do\n"                                                          \
    "local kind=kinds:sub(i+1,i+1):lower()\n"                                 \
    "local units=ARGV[3*i-2]+0\n"                                             \
    "local d=0\n"                                                             \
    "if kind=='s' or kind=='f' then\n"                                        \
    "local v=call('HMGET',KEYS[i],'w','c')\n"                                 \
    "d=(v[2]or 0)+0\n"                                                        \
    "if v[1]and v[1]+0==ARGV[3*i-1]+0 then\n"                                 \
    "d=math.max(d-units,0)\n"                                                 \
    "call('HSET',KEYS[i],'c',d)\n"                                            \
    "end\n"                                                                   \
    "elseif kind=='u' then\n"                                                 \
    "local used=call('GET',KEYS[i])\n"                                        \
    "if used then\n"                                                          \
    "d=used+0\n"                                                              \
    "if now<ARGV[3*i-1]+0 then\n"                                             \
    "units=math.min(units,d)\n"                                               \
    "d=d-units\n"                                                             \
    "call('DECRBY',KEYS[i],units)\n"                                          \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "else\n"                                                                  \
    "local tat=call('GET',KEYS[i])\n"                                         \
    "if tat then\n"                                                           \
    "d=tat-units-now\n"                                                       \
    "if d<=0 then\n"                                                          \
    "d=0\n"                                                                   \
    "call('DEL',KEYS[i])\n"                                                   \
    "else\n"                                                                  \
    "call('SET',KEYS[i],now+d,'PX',math.ceil(d/1000)+1)\n"                    \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "out[i+1]=d\n"                                                            \
    "end\n"                                                                   \
    "return out"


/* src/scripts/take.lua */

#define NGX_HTTP_GW_LIMIT_TAKE_SHA                                            \
    "43c75b44d9af2d3a87a9b20e4d4560d225238d92"

#define NGX_HTTP_GW_LIMIT_TAKE_LUA                                            \
    "local call,ceil,format=redis.call,math.ceil,string.format\n"             \
    "local t=call('TIME')\n"                                                  \
    "local now=t[1]*1000000+t[2]\n"                                           \
    "local n=#KEYS\n"                                                         \
    "local ok=true\n"                                                         \
    "local out={now}\n"                                                       \
    "if #ARGV==1 then\n"                                                      \
    "local unpack,packed,stale=struct.unpack,ARGV[1]\n"                       \
    "for i=1,n do\n"                                                          \
    "local _,need,tau=unpack('<ddd',packed,24*i-23)\n"                        \
    "local d=(call('GET',KEYS[i])or 0)-now\n"                                 \
    "if d<0 then\n"                                                           \
    "d=0\n"                                                                   \
    "elseif d>tau then\n"                                                     \
    "d=tau\n"                                                                 \
    "stale=stale or{}\n"                                                      \
    "stale[i]=true\n"                                                         \
    "end\n"                                                                   \
    "if d+need>tau then\n"                                                    \
    "ok=false\n"                                                              \
    "end\n"                                                                   \
    "out[i+1]=d\n"                                                            \
    "end\n"                                                                   \
    "for i=1,n do\n"                                                          \
    "local d=out[i+1]\n"                                                      \
    "local charge=ok and unpack('<d',packed,24*i-23)or 0\n"                   \
    "if charge>0 or stale and stale[i]then\n"                                 \
    "d=d+charge\n"                                                            \
    "local tat,life=now+d,ceil(d/1000)+1\n"                                   \
    "if tat<2147483648000000 then\n"                                          \
    "tat=format('%d%06d',tat/1000000,tat%1000000)\n"                          \
    "end\n"                                                                   \
    "if life<2147483648 then\n"                                               \
    "life=format('%d',life)\n"                                                \
    "end\n"                                                                   \
    "call('SET',KEYS[i],tat,'PX',life)\n"                                     \
    "end\n"                                                                   \
    "out[i+1]=ok and d or-1-d\n"                                              \
    "end\n"                                                                   \
    "return out\n"                                                            \
    "end\n"                                                                   \
    "local kinds=ARGV[3*n+1]\n"                                               \
    "local stale,cells={},{}\n"                                               \
    "local function digits(number)\n"                                         \
    "if number<2147483648 then\n"                                             \
    "return format('%d',number)\n"                                            \
    "elseif number<2147483648000000 then\n"                                   \
    "return format('%d%06d',number/1000000,number%1000000)\n"                 \
    "end\n"                                                                   \
    "return number\n"                                                         \
    "end\n"                                                                   \
    "local mode=kinds:sub(1,1)\n"                                             \
    "for i=1,n do\n"                                                          \
    "local kind=kinds:sub(i+1,i+1)\n"                                         \
    "local window=kind:lower()\n"                                             \
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
    "cells[i]={e,p,limit}\n"                                                  \
    "elseif window=='-' then\n"                                               \
    "d=out[i+1]\n"                                                            \
    "elseif window=='q' or window=='o' or window=='r' or window=='v'\n"       \
    "then\n"                                                                  \
    "local key,beside,keep=KEYS[i],KEYS[i+1],604800000\n"                     \
    "local limit,id=ARGV[3*i-1]+0,ARGV[3*i]\n"                                \
    "local from,to=ARGV[3*i+1]+0,ARGV[3*i+2]+0\n"                             \
    "local carried,begins=0\n"                                                \
    "if(now<from or now>=to)and id~='f' and mode~='f' then\n"                 \
    "return{2,now}\n"                                                         \
    "end\n"                                                                   \
    "if window=='r' or window=='v' then\n"                                    \
    "local start,last=(call('GET',key)or ''):match('^(%d+):(.+)$')\n"         \
    "start=(start or-1)*1000000\n"                                            \
    "if id=='f' then\n"                                                       \
    "keep=keep+ceil(to/1000)\n"                                               \
    "from=now-now%1000000\n"                                                  \
    "if start>=0 and now<start+to then\n"                                     \
    "from=start\n"                                                            \
    "end\n"                                                                   \
    "to=from+to\n"                                                            \
    "id='f' .. from/1000000\n"                                                \
    "else\n"                                                                  \
    "keep=keep+ceil((to-from)/1000)\n"                                        \
    "end\n"                                                                   \
    "if start>=from then\n"                                                   \
    "from,id=start,last\n"                                                    \
    "else\n"                                                                  \
    "begins=from/1000000 .. ':' .. id\n"                                      \
    "if last then\n"                                                          \
    "carried=limit+(call('GET',beside .. ':' .. last)or 0)\n"                 \
    "-(call('GET',key .. ':' .. last)or 0)\n"                                 \
    "carried=math.min(math.max(carried,0),\n"                                 \
    "ARGV[3*i+3]+0)\n"                                                        \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "key,beside=key .. ':' .. id,beside .. ':' .. id\n"                       \
    "end\n"                                                                   \
    "if mode=='z' then\n"                                                     \
    "call('DEL',KEYS[i],KEYS[i+1],key,beside)\n"                              \
    "carried=0\n"                                                             \
    "end\n"                                                                   \
    "local have=(call('GET',beside)or 0)+carried\n"                           \
    "if mode=='a' then\n"                                                     \
    "have=math.min(have+ARGV[3*i-2],4503599627370496)\n"                      \
    "ARGV[3*i-2]=0\n"                                                         \
    "stale[i]=true\n"                                                         \
    "end\n"                                                                   \
    "d=(call('GET',key)or 0)+0\n"                                             \
    "room=window=='o' or window=='v'\n"                                       \
    "or d+math.max(ARGV[3*i-2]+0,1)<=limit+have\n"                            \
    "keep=math.max(ceil((to-now)/1000)+keep,1)\n"                             \
    "cells[i]={nil,(window=='r' or window=='v')and from/1000000,\n"           \
    "4503599627370496,key,keep,begins,\n"                                     \
    "(carried>0 or mode=='a')and beside,have}\n"                              \
    "out[i+2]=have\n"                                                         \
    "else\n"                                                                  \
    "local tau=ARGV[3*i]+0\n"                                                 \
    "local most=window=='d' and 2*tau or tau\n"                               \
    "d=(call('GET',KEYS[i])or 0)-now\n"                                       \
    "if d<0 then\n"                                                           \
    "d=0\n"                                                                   \
    "elseif d>most then\n"                                                    \
    "d=most\n"                                                                \
    "stale[i]=true\n"                                                         \
    "end\n"                                                                   \
    "room=d+ARGV[3*i-1]<=tau\n"                                               \
    "end\n"                                                                   \
    "if room or window=='-' then\n"                                           \
    "out[i+1]=d\n"                                                            \
    "elseif kind~=window then\n"                                              \
    "out[i+1]=-1-d\n"                                                         \
    "else\n"                                                                  \
    "ok=false\n"                                                              \
    "out[i+1]=d\n"                                                            \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "if mode=='f' or mode=='a' or mode=='z' then\n"                           \
    "ok=true\n"                                                               \
    "end\n"                                                                   \
    "for i=1,n do\n"                                                          \
    "local d,short=out[i+1],false\n"                                          \
    "local charge=ARGV[3*i-2]+0\n"                                            \
    "local write=stale[i]\n"                                                  \
    "local cell=cells[i]\n"                                                   \
    "local second=cells[i-1]and cells[i-1][4]\n"                              \
    "if d<0 and not second then\n"                                            \
    "d=-1-d\n"                                                                \
    "short=mode~='f'\n"                                                       \
    "end\n"                                                                   \
    "if ok and not short and not second and charge>0 and mode~='p' then\n"    \
    "d=d+charge\n"                                                            \
    "write=true\n"                                                            \
    "if mode=='f' or cell and cell[4]then\n"                                  \
    "local owe=kinds:sub(i+1,i+1):lower()=='d' and 2 or 1\n"                  \
    "d=math.min(d,cell and cell[3]or ARGV[3*i]*owe)\n"                        \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "if write and mode~='p' then\n"                                           \
    "if cell and cell[4]then\n"                                               \
    "call('SET',cell[4],digits(d),'PX',digits(cell[5]))\n"                    \
    "if cell[6]then\n"                                                        \
    "call('SET',KEYS[i],cell[6],'PX',digits(cell[5]))\n"                      \
    "end\n"                                                                   \
    "if cell[7]then\n"                                                        \
    "call('SET',cell[7],cell[8],'PX',digits(cell[5]))\n"                      \
    "end\n"                                                                   \
    "elseif cell then\n"                                                      \
    "call('HSET',KEYS[i],'w',digits(cell[1]),'c',digits(d),'p',\n"            \
    "digits(cell[2]))\n"                                                      \
    "call('PEXPIRE',KEYS[i],digits(ceil((cell[1]-now)/1000)+1))\n"            \
    "else\n"                                                                  \
    "call('SET',KEYS[i],digits(now+d),'PX',\n"                                \
    "digits(ceil(d/1000)+1))\n"                                               \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "out[i+1]=(second or ok and not short)and d or-1-d\n"                     \
    "if cell and cell[2]then\n"                                               \
    "out[#out+1]=cell[2]\n"                                                   \
    "end\n"                                                                   \
    "end\n"                                                                   \
    "return out"


#endif /* NGX_HTTP_GW_LIMIT_LUA_H */
