-- The server's clock, in milliseconds since 1970: the one clock of all processes.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- uptime returns for how long the server has been up, in milliseconds, but only
-- counted in seconds: it is off by up to one, either way.
local function uptime()
  return 1000 * tonumber(string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)'))
end
