-- Copyright (C) the nginx gateway modules developers

-- Decides all limits and quotas of one request: all are charged, or none.  The
-- same arithmetic as lib/gw_gcra.c and lib/gw_window.c in ticks of one usec,
-- and as lib/gw_quota_store.c.
--
--   KEYS[i]      one key for each limit, two for a quota, all in one hash slot
--   ARGV[1]      when all limits are "g" and are to be taken: the three numbers
--                of each, as little-endian doubles, and nothing else; otherwise
--   ARGV[3n+1]   a letter for the mode and one for each limit:
--                mode: "t" take, "p" look only, "f" charge in any case; of
--                quotas only: "a" grant the cost, "z" forget all of the key
--                "g"   generic cell rate algorithm: the key holds the
--                      theoretical arrival time (TAT), usec since 1970
--                "s"   sliding window, "f" fixed window: the key is a hash,
--                      "w" the time from which on it counts for nothing,
--                      "c" units of the window, "p" of the one before
--                "d"   as "g", and one more bucket may be owed
--                "G", "D", "S", "F": the same, but rejects nobody: it is
--                      charged if it has room and the others have, too
--
--   "g"  ARGV[3i-2]  charge: ticks that the cost takes
--        ARGV[3i-1]  need: ticks that must be free, at least those of one unit
--        ARGV[3i]    tau: ticks of a full bucket
--
--   "s"  ARGV[3i-2]  cost: units
--   "f"  ARGV[3i-1]  units in one window
--        ARGV[3i]    period: ticks of a window
--
--   "q"  ARGV[3i-2]  cost: units
--   "r"  ARGV[3i-1]  units of a period, without those to have beside
--        ARGV[3i]    of "r": id of the period, "f": it begins with the first
--                    use, and its id is "f" and its start
--        ARGV[3i+1]  start of the period, usec
--        ARGV[3i+2]  its end, usec, or the length of one that begins with use
--        ARGV[3i+3]  of "r": units carried over from the period before, at
--                    most; they are added to those to have beside
--
-- Returns { now, d1, .. dn, p1, .. pm }: d is TAT - now or "c" or the units
-- used after the call when the limit has room, and -1 - d when it has not or
-- when another one has not; of the second key of a quota it is the units to
-- have beside.  p is "p" of each window, and the start of the period of each
-- "r", in seconds, in the order of the keys.
--
-- Returns { 2, now } when "now" is not in the period of a quota, unless it is
-- to be charged in any case.

-- The keys of a quota live for 7 days after the period, those of "r" for the
-- length of another one, too.  They hold at most 2^52 units.

-- util/embed-lua turns this file into ngx_http_gw_limit_lua.h.

local call, ceil, format = redis.call, math.ceil, string.format
local t = call('TIME')
local now = t[1] * 1000000 + t[2]
local n = #KEYS
local ok = true
local out = { now }

-- all reads come before the first write: out of memory is found by the
-- first write, and nothing is half done then

-- Redis writes a number with "%.17g", which takes longer than "%d", which has
-- 32 bits on some machines

if #ARGV == 1 then
    -- most requests: what follows below, for these alone

    local unpack, packed, stale = struct.unpack, ARGV[1]

    for i = 1, n do
        local _, need, tau = unpack('<ddd', packed, 24 * i - 23)
        local d = (call('GET', KEYS[i]) or 0) - now

        if d < 0 then
            d = 0
        elseif d > tau then
            d = tau
            stale = stale or {}
            stale[i] = true
        end

        if d + need > tau then
            ok = false
        end

        out[i + 1] = d
    end

    for i = 1, n do
        local d = out[i + 1]
        local charge = ok and unpack('<d', packed, 24 * i - 23) or 0

        if charge > 0 or stale and stale[i] then
            d = d + charge

            local tat, life = now + d, ceil(d / 1000) + 1

            if tat < 2147483648000000 then
                tat = format('%d%06d', tat / 1000000, tat % 1000000)
            end

            if life < 2147483648 then
                life = format('%d', life)
            end

            call('SET', KEYS[i], tat, 'PX', life)
        end

        out[i + 1] = ok and d or -1 - d
    end

    return out
end

local kinds = ARGV[3 * n + 1]
local stale, cells = {}, {}

local function digits(number)
    if number < 2147483648 then
        return format('%d', number)
    elseif number < 2147483648000000 then
        return format('%d%06d', number / 1000000, number % 1000000)
    end

    return number
end

local mode = kinds:sub(1, 1)

for i = 1, n do
    local kind = kinds:sub(i + 1, i + 1)
    local window = kind:lower()
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
        cells[i] = { e, p, limit }

    elseif window == '-' then
        -- the second key of a quota, read with the first one
        d = out[i + 1]

    elseif window == 'q' or window == 'o' or window == 'r' or window == 'v'
    then
        local key, beside, keep = KEYS[i], KEYS[i + 1], 604800000
        local limit, id = ARGV[3 * i - 1] + 0, ARGV[3 * i]
        local from, to = ARGV[3 * i + 1] + 0, ARGV[3 * i + 2] + 0
        local carried, begins = 0

        if (now < from or now >= to) and id ~= 'f' and mode ~= 'f' then
            return { 2, now }
        end

        if window == 'r' or window == 'v' then
            local start, last = (call('GET', key) or ''):match('^(%d+):(.+)$')

            start = (start or -1) * 1000000

            if id == 'f' then
                keep = keep + ceil(to / 1000)
                from = now - now % 1000000

                if start >= 0 and now < start + to then
                    from = start
                end

                to = from + to
                id = 'f' .. from / 1000000

            else
                keep = keep + ceil((to - from) / 1000)
            end

            if start >= from then
                -- it goes on, whatever the clock does
                from, id = start, last

            else
                begins = from / 1000000 .. ':' .. id

                if last then
                    carried = limit + (call('GET', beside .. ':' .. last) or 0)
                              - (call('GET', key .. ':' .. last) or 0)
                    carried = math.min(math.max(carried, 0),
                                       ARGV[3 * i + 3] + 0)
                end
            end

            key, beside = key .. ':' .. id, beside .. ':' .. id
        end

        if mode == 'z' then
            call('DEL', KEYS[i], KEYS[i + 1], key, beside)
            carried = 0
        end

        local have = (call('GET', beside) or 0) + carried

        if mode == 'a' then
            have = math.min(have + ARGV[3 * i - 2], 4503599627370496)
            ARGV[3 * i - 2] = 0
            stale[i] = true
        end

        d = (call('GET', key) or 0) + 0
        room = window == 'o' or window == 'v'
               or d + math.max(ARGV[3 * i - 2] + 0, 1) <= limit + have
        keep = math.max(ceil((to - now) / 1000) + keep, 1)
        cells[i] = { nil, (window == 'r' or window == 'v') and from / 1000000,
                     4503599627370496, key, keep, begins,
                     (carried > 0 or mode == 'a') and beside, have }
        out[i + 2] = have

    else
        local tau = ARGV[3 * i] + 0
        local most = window == 'd' and 2 * tau or tau

        d = (call('GET', KEYS[i]) or 0) - now

        if d < 0 then
            d = 0
        elseif d > most then
            -- left by a larger limit, or by a clock that went back
            d = most
            stale[i] = true
        end

        room = d + ARGV[3 * i - 1] <= tau
    end

    if room or window == '-' then
        out[i + 1] = d
    elseif kind ~= window then
        out[i + 1] = -1 - d
    else
        ok = false
        out[i + 1] = d
    end
end

if mode == 'f' or mode == 'a' or mode == 'z' then
    ok = true
end

for i = 1, n do
    local d, short = out[i + 1], false
    local charge = ARGV[3 * i - 2] + 0
    local write = stale[i]
    local cell = cells[i]
    local second = cells[i - 1] and cells[i - 1][4]

    if d < 0 and not second then
        d = -1 - d
        short = mode ~= 'f'
    end

    if ok and not short and not second and charge > 0 and mode ~= 'p' then
        d = d + charge
        write = true

        if mode == 'f' or cell and cell[4] then
            local owe = kinds:sub(i + 1, i + 1):lower() == 'd' and 2 or 1

            d = math.min(d, cell and cell[3] or ARGV[3 * i] * owe)
        end
    end

    if write and mode ~= 'p' then
        if cell and cell[4] then
            call('SET', cell[4], digits(d), 'PX', digits(cell[5]))

            if cell[6] then
                call('SET', KEYS[i], cell[6], 'PX', digits(cell[5]))
            end

            if cell[7] then
                call('SET', cell[7], cell[8], 'PX', digits(cell[5]))
            end

        elseif cell then
            call('HSET', KEYS[i], 'w', digits(cell[1]), 'c', digits(d), 'p',
                 digits(cell[2]))
            call('PEXPIRE', KEYS[i], digits(ceil((cell[1] - now) / 1000) + 1))
        else
            call('SET', KEYS[i], digits(now + d), 'PX',
                 digits(ceil(d / 1000) + 1))
        end
    end

    out[i + 1] = (second or ok and not short) and d or -1 - d

    if cell and cell[2] then
        out[#out + 1] = cell[2]
    end
end

return out
