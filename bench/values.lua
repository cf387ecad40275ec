-- Copyright (C) the nginx gateway modules developers

-- For wrk: sends a header whose values are the lines of a file, in turn.

local name = os.getenv("BENCH_HEADER")
local before = os.getenv("BENCH_BEFORE") or ""
local requests = {}
local i = 0

function init()
    for line in io.lines(os.getenv("BENCH_VALUES")) do
        requests[#requests + 1] =
            wrk.format(nil, nil, { [name] = before .. line })
    end
end

function request()
    i = i % #requests + 1
    return requests[i]
end
