-- Copyright (C) the nginx gateway modules developers

-- Gives back units that take.lua has charged.  The same arithmetic as
-- gw_gcra_give() and gw_limit_window_give() in ticks of one usec.
--
--   KEYS[i]      as those of take.lua
--   ARGV[3n+1]   "b" and a letter for each key, as those of take.lua
--
--   "g", "d"  ARGV[3i-2]  ticks that the units took
--
--   "s", "f"  ARGV[3i-2]  units
--             ARGV[3i-1]  "w" of the window in which they were charged: what
--                         was charged in another one stays as it is
--
--   "u"  ARGV[3i-2]  units of a quota
--        ARGV[3i-1]  end of the period, usec: nothing is given back later
--        KEYS[i]     that of the period, ends with its id
--
-- Returns { now, d1, .. dn }: d is TAT - now or "c" or the units used after the
-- call, 0 if there is nothing of the key.

-- util/embed-lua turns this file into ngx_http_gw_limit_lua.h.

local call = redis.call
local t = call('TIME')
local now = t[1] * 1000000 + t[2]
local n = #KEYS
local kinds = ARGV[3 * n + 1]
local out = { now }

for i = 1, n do
    local kind = kinds:sub(i + 1, i + 1):lower()
    local units = ARGV[3 * i - 2] + 0
    local d = 0

    if kind == 's' or kind == 'f' then
        local v = call('HMGET', KEYS[i], 'w', 'c')

        d = (v[2] or 0) + 0

        if v[1] and v[1] + 0 == ARGV[3 * i - 1] + 0 then
            d = math.max(d - units, 0)
            call('HSET', KEYS[i], 'c', d)
        end

    elseif kind == 'u' then
        local used = call('GET', KEYS[i])

        if used then
            d = used + 0

            if now < ARGV[3 * i - 1] + 0 then
                units = math.min(units, d)
                d = d - units
                call('DECRBY', KEYS[i], units)
            end
        end

    else
        local tat = call('GET', KEYS[i])

        if tat then
            d = tat - units - now

            if d <= 0 then
                d = 0
                call('DEL', KEYS[i])
            else
                call('SET', KEYS[i], now + d, 'PX', math.ceil(d / 1000) + 1)
            end
        end
    end

    out[i + 1] = d
end

return out
