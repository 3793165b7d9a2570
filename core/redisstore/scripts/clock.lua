-- The time of the server, in milliseconds since 1970. All processes use it.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
