-- Store.Create. This script returns the result (kept, taken, too many or long), how
-- many other sessions it or an earlier call for this session may have ended, and
-- the record.
local id, hash, agent = ARGV[2], ARGV[3], ARGV[4]
local owner = { issuer = ARGV[5], audience = ARGV[6], subject = ARGV[7] }
local idle, limit, remember = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local most, refuse = tonumber(ARGV[11]), ARGV[12] == '1'
local look, swept, note = tonumber(ARGV[13]), ARGV[14] == '1', tonumber(ARGV[15])

local value, known = get(id)
if value and not known then error(string.format(unreadable, string.byte(value) or 0)) end
local r = value and parse(id, value)
if r and string.sub(value, nonce_hash_at, nonce_hash_at + 31) ~= hash then return { 'taken', 0 } end
if r then return { 'kept', most, value } end

-- Without a bound, it is enough to look at three random sessions of the index.
-- Each call adds one session and removes up to three expired ones, so an index
-- has, on average, half as many expired sessions as live ones.
--
-- A long index is not looked at in one script. The caller sweeps it first. All sessions
-- in it are then live, or have expired a moment ago.
local index = ownerKey(owner)
local count = most > 0 and redis.call('ZCARD', index) or 0
local ids = {}
if most == 0 then
  ids = redis.call('ZRANDMEMBER', index, 3)
elseif count <= look then
  ids = redis.call('ZRANGE', index, 0, -1)
elseif swept and refuse and count >= most then
  return { 'too many', 0 }
elseif not swept or count - most >= look then
  return { 'long', 0 }
elseif count >= most then
  ids = redis.call('ZRANGE', index, 0, count - most)
end
local others, expired = live(ids)
local excess = 0
if count > look then
  excess = #others
elseif most > 0 then
  excess = math.max(0, #others - most + 1)
end
if excess > 0 and refuse then return { 'too many', 0 } end

r = {
  id = id, generation = 0, parent = 0,
  constant = struct.pack(constant, id, hash, note, #owner.issuer, owner.issuer, #owner.audience, owner.audience, #owner.subject, owner.subject, #agent, agent),
  created = now, rotated = 0, used = 0, late = false, late_before = false,
  idle = now + math.min(idle, limit), limit = now + limit, ended = 0, verdict = 0,
}
r.forget = r.idle
keep(r)
redis.call('ZADD', index, integer(now), id)
live_until(index, r.limit)
for i = 1, excess do finish(others[i], signed_out, remember) end
for _, other in ipairs(expired) do redis.call('ZREM', index, other) end
return { 'kept', excess, r.value }
