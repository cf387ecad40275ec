-- Copyright (C) the nginx gateway modules developers

-- Decides all limits of one request: all are charged, or none.  The generic
-- cell rate algorithm, with the same arithmetic as lib/gw_gcra.c in ticks of
-- one usec; a key holds the theoretical arrival time (TAT), usec since 1970.
--
--   KEYS[i]      one key for each limit, all in one hash slot
--   ARGV[3i-2]   charge: ticks that the cost takes
--   ARGV[3i-1]   need: ticks that must be free, at least those of one unit
--   ARGV[3i]     tau: ticks of a full bucket
--   ARGV[3n+1]   mode: absent take, "p" look only, "f" charge in any case
--
-- Returns { now, d1, .. dn }: d is TAT - now after the call when all limits
-- have room, and -1 - (TAT - now) when one has not.

-- util/embed-lua turns this file into ngx_http_gw_limit_lua.h.

local call = redis.call
local t = call('TIME')
local now = t[1] * 1000000 + t[2]
local n = #KEYS
local mode = ARGV[3 * n + 1]
local ok = true
local ahead, stale = { now }, {}

-- all reads come before the first write: out of memory is found by the
-- first write, and nothing is half done then

for i = 1, n do
    local d = (call('GET', KEYS[i]) or 0) - now
    local tau = ARGV[3 * i] + 0

    if d < 0 then
        d = 0
    elseif d > tau then
        -- left by a larger limit, or by a clock that went back
        d = tau
        stale[i] = true
    end

    if d + ARGV[3 * i - 1] > tau then
        ok = false
    end

    ahead[i + 1] = d
end

if mode == 'f' then
    ok = true
end

for i = 1, n do
    local d = ahead[i + 1]
    local charge = ARGV[3 * i - 2] + 0
    local write = stale[i]

    if ok and charge > 0 and mode ~= 'p' then
        d = d + charge
        write = true

        if mode == 'f' and d > ARGV[3 * i] + 0 then
            d = ARGV[3 * i] + 0
        end
    end

    -- a number goes to SET with all its digits, without string.format()

    if write and mode ~= 'p' then
        call('SET', KEYS[i], now + d, 'PX', math.ceil(d / 1000) + 1)
    end

    ahead[i + 1] = ok and d or -1 - d
end

return ahead
