-- Store.Find. This script returns the record, or nil if there is none.
local value = redis.call('GET', KEYS[1])
if value then
  if string.byte(value) ~= version then error(string.format(unreadable, string.byte(value) or 0)) end
  if now < struct.unpack('>I8', value, forget_at) then return value end
end
