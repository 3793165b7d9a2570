-- A step before Store.Create, for an owner with very many sessions. This script looks
-- at some sessions in the index of the owner that were created from the time after on,
-- and removes those that have expired. It returns the time to go on from, or -1 if there
-- are no more, and after a blank the number of sessions in the index.
local owner = { issuer = ARGV[2], audience = ARGV[3], subject = ARGV[4] }
local after, most = ARGV[5], tonumber(ARGV[6])
local index = ownerKey(owner)
local found = redis.call('ZRANGE', index, after, '+inf', 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
local gone = {}
for i = 1, #found, 2 do
  local value, known = get(found[i])
  if not value or known and now >= struct.unpack('>I8', value, forget_at) then table.insert(gone, found[i]) end
end
if #gone > 0 then redis.call('ZREM', index, unpack(gone)) end
local more = '-1'
if #found == 2 * most then
  more = found[#found]
  if more == after then more = '(' .. more end -- of a millisecond with too many sessions
end
return more .. ' ' .. redis.call('ZCARD', index)
