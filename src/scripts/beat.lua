-- Copyright (C) the nginx gateway modules developers

-- Tells that a host is alive, and counts those that are.
--
--   KEYS[1]  of the hosts: a sorted set of names, by the time, usec since
--            1970, at which each was heard of last
--   ARGV[1]  name of this host
--   ARGV[2]  usec for which a host counts that is not heard of
--
-- Returns how many there are, this one included.

-- util/embed-lua turns this file into ngx_http_gw_limit_lua.h.

local call = redis.call
local t = call('TIME')
local now = t[1] * 1000000 + t[2]

call('ZADD', KEYS[1], now, ARGV[1])
call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])

-- a clock that went back leaves nobody for ever

call('ZREMRANGEBYSCORE', KEYS[1], now + ARGV[2], '+inf')
call('PEXPIRE', KEYS[1], math.ceil(ARGV[2] / 1000) + 1)

return call('ZCARD', KEYS[1])
