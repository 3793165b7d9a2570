-- Store.Create. This script returns the result (kept, taken or too many), how
-- many other sessions it or an earlier call for this session may have ended, and
-- the record.
local id, hash, agent = ARGV[3], ARGV[4], ARGV[5]
local owner = { issuer = ARGV[6], audience = ARGV[7], subject = ARGV[8] }
local idle, limit, remember = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local most, refuse = tonumber(ARGV[12]), ARGV[13] == '1'

local r = find(id)
if r and not has_nonce(r, hash) then return { 'taken', 0 } end
if r then return { 'kept', most, r.value } end

-- Without a bound, it is enough to look at three random sessions of the index.
-- Each call adds one session and removes up to three expired ones, so an index
-- has, on average, half as many expired sessions as live ones.
local index = ownerKey(owner)
local ids
if most > 0 then
  ids = redis.call('ZRANGE', index, 0, -1)
else
  ids = redis.call('ZRANDMEMBER', index, 3)
end
local others, expired = live(ids)
local excess = most > 0 and math.max(0, #others - most + 1) or 0
if excess > 0 and refuse then return { 'too many', 0 } end

r = {
  id = id, generation = 0, parent = 0,
  constant = struct.pack(constant, id, hash, #owner.issuer, owner.issuer, #owner.audience, owner.audience, #owner.subject, owner.subject, #agent, agent),
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
