-- Store.End. This script returns 1 if the session was live, 0 otherwise.
local id, remember = ARGV[2], tonumber(ARGV[3])
local value, known = get(id)
if value and not known then -- it cannot be read, but it must end
  redis.call('DEL', sessionKey(id))
  announce('session', id, now, now + remember)
  return 1
end
local r = value and parse(id, value)
if not r then return 0 end
if r.attempt == attempt then return 1 end
if r.ended ~= 0 then return 0 end
finish(r, signed_out, remember)
return 1
