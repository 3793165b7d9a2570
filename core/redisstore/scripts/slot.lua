-- The names of all keys of a slot begin with the name of the slot, which ends with its
-- hash tag, so a cluster keeps them on one server. KEYS has the keys that the caller
-- knows, because a cluster routes a script by them. Most scripts take only the slot from
-- KEYS, and build the names of keys with these functions.
--
-- An attempt is one call of a method of the Store. It stays the same when the
-- client sends the script again.
local slot, attempt = string.match(KEYS[1], '^.-}'), ARGV[1]

local function sessionKey(id) return slot .. ':session:' .. id end

-- The lengths keep owners apart whose parts have any bytes in them.
local function ownerKey(o)
  return slot .. ':owner:' .. #o.issuer .. ':' .. #o.audience .. ':' .. o.issuer .. o.audience .. o.subject
end

-- integer formats n without an exponent.
local function integer(n) return string.format('%d', n) end

-- live_until makes key expire at time, unless key expires later already.
local function live_until(key, time)
  if redis.call('PEXPIRETIME', key) < time then
    redis.call('PEXPIREAT', key, integer(time))
  end
end
