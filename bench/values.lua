-- Copyright (C) the nginx gateway modules developers

-- For wrk: sends a header whose values are the lines of a file, in turn, or
-- k1, k2, ... at random when a number stands in place of the file.

local name = os.getenv("BENCH_HEADER")
local before = os.getenv("BENCH_BEFORE") or ""
local values = os.getenv("BENCH_VALUES")
local count = tonumber(values)
local requests = {}
local i = 0

function init()
    if count then
        math.randomseed(os.time())
        return
    end

    for line in io.lines(values) do
        requests[#requests + 1] =
            wrk.format(nil, nil, { [name] = before .. line })
    end
end

function request()
    if count then
        return "GET " .. wrk.path .. " HTTP/1.1\r\nHost: bench\r\n"
               .. name .. ": k" .. math.random(count) .. "\r\n\r\n"
    end

    i = i % #requests + 1
    return requests[i]
end
