-- A step of Store.List. This script looks at some sessions of the owner after the
-- session that was created at the given time and has the given id. It returns the
-- number of sessions that it looked at, the time and the id of the last one, and the
-- records of those that are live.
local owner = { issuer = ARGV[2], audience = ARGV[3], subject = ARGV[4] }
local created, id, most = ARGV[5], ARGV[6], tonumber(ARGV[7])
local index = ownerKey(owner)

-- precedes reports whether a sorts before b in an index. Comparing the strings would
-- use the locale of the server.
local function precedes(a, b)
  for i = 1, math.min(#a, #b) do
    if string.byte(a, i) ~= string.byte(b, i) then return string.byte(a, i) < string.byte(b, i) end
  end
  return #a < #b
end

-- Sessions of the same millisecond are ordered by id. Those up to id are passed over.
local first = redis.call('ZCOUNT', index, '-inf', '(' .. created)
local reply = {}
repeat
  local passed = 0
  local found = redis.call('ZRANGE', index, first, first + most - 1, 'WITHSCORES')
  reply = { #found / 2, found[#found] or '', found[#found - 1] or '' }
  for i = 1, #found, 2 do
    if tonumber(found[i + 1]) == tonumber(created) and not precedes(id, found[i]) then
      passed = passed + 1
    else
      local value, known = get(found[i])
      if known and now < struct.unpack('>I8', value, forget_at) then table.insert(reply, value) end
    end
  end
  first = first + passed
until passed < most
return reply
