-- A session is a string of this layout, which is half the work of a hash: a table
-- in Lua costs more than all else that a step does. What has a fixed size comes
-- first; record.go reads it too. A session that was ended is kept until forget,
-- a live one until idle, which is its forget too; the index of its subject has the live
-- ones by when they were created.
local layout = '>I1I4I8I8I8I8I8I1c26c24c32I4c0I4c0'
local forget_at = 38

-- read returns the session id as it is kept, nil if there is none, or none any longer.
local function read(id)
  local value = redis.call('GET', sessionKey(id))
  if value and now < struct.unpack('>I8', value, forget_at) then return value end
end

-- find returns the session id, or nil.
local function find(id)
  local value = read(id)
  if not value then return nil end
  local r = { value = value }
  r.ended, r.generation, r.created, r.rotated, r.idle, r.limit, r.forget, r.verdict, r.attempt, r.id,
    r.nonce_hash, r.subject, r.agent = struct.unpack(layout, value)
  return r
end

-- keep writes r, changed by this attempt.
local function keep(r)
  r.value = struct.pack(layout, r.ended, r.generation, r.created, r.rotated, r.idle, r.limit, r.forget,
    r.verdict, attempt, r.id, r.nonce_hash, #r.subject, r.subject, #r.agent, r.agent)
  redis.call('SET', sessionKey(r.id), r.value, 'PXAT', integer(r.forget))
end

-- live returns those of an index's sessions ids that are live, and the ids of the
-- others, which have expired: who is ended leaves the index.
local function live(ids)
  local records, over = {}, {}
  for _, id in ipairs(ids) do
    local r = find(id)
    if r then table.insert(records, r) else table.insert(over, id) end
  end
  return records, over
end
