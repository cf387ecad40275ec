-- Copyright (C) the nginx gateway modules developers

-- Decides all limits of one request: all are charged, or none.  The same
-- arithmetic as lib/gw_gcra.c and lib/gw_window.c in ticks of one usec.
--
--   KEYS[i]      one key for each limit, all in one hash slot
--   ARGV[3n+1]   absent when all limits are "g" and are to be taken; otherwise
--                a letter for the mode and one for each limit:
--                mode: "t" take, "p" look only, "f" charge in any case
--                "g"   generic cell rate algorithm: the key holds the
--                      theoretical arrival time (TAT), usec since 1970
--                "s"   sliding window, "f" fixed window: the key is a hash,
--                      "w" the time from which on it counts for nothing,
--                      "c" units of the window, "p" of the one before
--                "G", "S", "F": the same, but rejects nobody: it is charged if
--                      it has room and the others have, too
--
--   "g"  ARGV[3i-2]  charge: ticks that the cost takes
--        ARGV[3i-1]  need: ticks that must be free, at least those of one unit
--        ARGV[3i]    tau: ticks of a full bucket
--
--   "s"  ARGV[3i-2]  cost: units
--   "f"  ARGV[3i-1]  units in one window
--        ARGV[3i]    period: ticks of a window
--
-- Returns { now, d1, .. dn, p1, .. pm }: d is TAT - now or "c" after the call
-- when the limit has room, and -1 - d when it has not or when another one has
-- not; p is "p" of each window in the order of the keys.

-- util/embed-lua turns this file into ngx_http_gw_limit_lua.h.

local call, ceil = redis.call, math.ceil
local t = call('TIME')
local now = t[1] * 1000000 + t[2]
local n = #KEYS
local kinds = ARGV[3 * n + 1]
local mode = kinds and kinds:sub(1, 1)
local ok = true
local out, stale, cells = { now }, {}, {}

-- all reads come before the first write: out of memory is found by the
-- first write, and nothing is half done then

for i = 1, n do
    local kind = kinds and kinds:sub(i + 1, i + 1)
    local window = kind and kind:lower()
    local d, room

    if window == 's' or window == 'f' then
        local limit, period = ARGV[3 * i - 1] + 0, ARGV[3 * i] + 0
        local v = call('HMGET', KEYS[i], 'w', 'c', 'p')
        local w, p = (v[1] or 0) + 0, (v[3] or 0) + 0
        local left = period - now % period
        local e = now + left

        d = (v[2] or 0) + 0

        if window == 's' then
            e = e + period
        end

        if w == e then
            -- the same window
        elseif w <= now then
            d, p = 0, 0
        elseif window == 's' and w == e - period then
            d, p = 0, d
        else
            -- left by another period, or by a clock that went back
            p = 0
            stale[i] = true
        end

        if window == 'f' then
            p = 0
        end

        d = math.min(d, limit)
        p = math.min(p, limit)

        local q = ceil(period / 16777216)
        local used = d + ceil(p * ceil(left / q) / ceil(period / q))

        room = math.max(ARGV[3 * i - 2] + 0, 1) <= limit - used
        cells[i] = { e, p, limit, window }

    else
        local tau = ARGV[3 * i] + 0

        d = (call('GET', KEYS[i]) or 0) - now

        if d < 0 then
            d = 0
        elseif d > tau then
            -- left by a larger limit, or by a clock that went back
            d = tau
            stale[i] = true
        end

        room = d + ARGV[3 * i - 1] <= tau
    end

    if room then
        out[i + 1] = d
    elseif kind and kind ~= window then
        out[i + 1] = -1 - d
    else
        ok = false
        out[i + 1] = d
    end
end

if mode == 'f' then
    ok = true
end

for i = 1, n do
    local d, short = out[i + 1], false
    local charge = ARGV[3 * i - 2] + 0
    local write = stale[i]
    local cell = cells[i]

    if d < 0 then
        d = -1 - d
        short = mode ~= 'f'
    end

    if ok and not short and charge > 0 and mode ~= 'p' then
        d = d + charge
        write = true

        if mode == 'f' then
            d = math.min(d, cell and cell[3] or ARGV[3 * i] + 0)
        end
    end

    -- a number goes to Redis with all its digits, without string.format()

    if write and mode ~= 'p' then
        if cell then
            call('HSET', KEYS[i], 'w', cell[1], 'c', d, 'p', cell[2])
            call('PEXPIRE', KEYS[i], ceil((cell[1] - now) / 1000) + 1)
        else
            call('SET', KEYS[i], now + d, 'PX', ceil(d / 1000) + 1)
        end
    end

    out[i + 1] = ok and not short and d or -1 - d

    if cell then
        out[#out + 1] = cell[2]
    end
end

return out
