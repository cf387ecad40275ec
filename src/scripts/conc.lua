-- Copyright (C) the nginx gateway modules developers

-- Requests in progress of one key: a hash with a field for each worker,
-- "count:expiry", expiry in usec since 1970.  A worker that is gone does not
-- renew its field, and what it held is free when that has expired.
--
--   KEYS[1]
--   ARGV[1]  field of the worker
--   ARGV[2]  requests that it has in progress, as far as it knows
--   ARGV[3]  requests that it has asked for and has no answer to, less this
--   ARGV[4]  life of the field, usec
--   ARGV[5]  life of the key, msec
--   ARGV[6]  limit; absent: no request, only news
-- Without arguments it is only a look.
--
-- What is stored can be wrong after a connection was cut or the data was
-- lost; it is at least what the worker knows of, and at most that and what it
-- has asked for.
--
-- Returns { total, ok }: the requests in progress of all workers, this one
-- included if it is counted; ok is 1 if it is.

-- util/embed-lua turns this file into ngx_http_gw_limit_lua.h.

local call = redis.call
local t = call('TIME')
local now = t[1] * 1000000 + t[2]
local all = call('HGETALL', KEYS[1])
local me, held = ARGV[1], (ARGV[2] or 0) + 0
local mine, others, ok = 0, 0, 0
local gone = {}

-- all reads come before the first write

for i = 1, #all, 2 do
    local n, expiry = string.match(all[i + 1], '^(%d+):(%d+)$')

    if all[i] == me then
        mine = (n or 0) + 0
    elseif n and expiry + 0 > now then
        others = others + n
    else
        gone[#gone + 1] = all[i]
    end
end

if not me then
    return { others, 0 }
end

mine = math.min(math.max(mine, held), held + ARGV[3])

if ARGV[6] and others + mine < ARGV[6] + 0 then
    mine = mine + 1
    ok = 1
end

if mine > 0 then
    call('HSET', KEYS[1], me, string.format('%d:%.0f', mine, now + ARGV[4]))
    call('PEXPIRE', KEYS[1], ARGV[5])
else
    gone[#gone + 1] = me
end

for i = 1, #gone do
    call('HDEL', KEYS[1], gone[i])
end

return { others + mine, ok }
