-- All keys of a slot begin with its name, so a cluster has them on one server.
-- KEYS says as many of them as are known before, for its sake; here they are made.
--
-- An attempt is one call of a method of the Store, however often the client
-- sends it.
local slot, attempt = ARGV[1], ARGV[2]

local function sessionKey(id) return slot .. ':session:' .. id end
local function subjectKey(subject) return slot .. ':subject:' .. subject end

-- integer writes n without an exponent.
local function integer(n) return string.format('%d', n) end

-- live_until gives key a time to live that ends then, unless it ends later.
local function live_until(key, time)
  if redis.call('PEXPIRETIME', key) < time then
    redis.call('PEXPIREAT', key, integer(time))
  end
end
