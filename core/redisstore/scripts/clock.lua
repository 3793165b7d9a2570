-- The time of the server, in milliseconds since 1970. All processes use it.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- started returns when the server was started. The server knows that time only
-- to the second.
local function started()
  return 1000 * (time[1] - string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)'))
end
