-- A session is stored as a string with this layout. A hash would cost twice as
-- much, because its reply is a table, and a table in Lua costs more than all
-- other work of a step. The version comes first in every layout, then the other fields
-- of fixed size. record.go reads this layout too. The key of a session expires
-- at forget. For a live session, that is idle. The index of an owner is a sorted
-- set of its live sessions, ordered by created.
local version = 1
local layout = '>I1I1I1I4I4I8I8I8I8I8I8I1c26c24c32I4c0I4c0I4c0I4c0'
local used_at, forget_at = 28, 52

-- get returns the stored string of the session id, or nil if there is none, and
-- whether this version of package redisstore can read it.
local function get(id)
  local value = redis.call('GET', sessionKey(id))
  if value then return value, string.byte(value) == version end
end

-- read returns the stored string of the session id, or nil if there is none or
-- its time is over. It is an error if the string cannot be read.
local function read(id)
  local value, known = get(id)
  if not value then return nil end
  if not known then
    error('the record of a session has version ' .. tostring(string.byte(value)) .. ', which this version of package redisstore does not know')
  end
  if now < struct.unpack('>I8', value, forget_at) then return value end
end

-- parse returns the session with the given stored string as a table, or nil if its
-- time is over.
local function parse(value)
  if now >= struct.unpack('>I8', value, forget_at) then return nil end
  local r, flags, _ = { value = value }
  _, r.ended, flags, r.generation, r.parent, r.created, r.rotated, r.used, r.idle, r.limit, r.forget,
    r.verdict, r.attempt, r.id, r.nonce_hash, r.issuer, r.audience, r.subject, r.agent = struct.unpack(layout, value)
  r.late, r.late_before = flags % 2 == 1, flags >= 2
  return r
end

-- find returns the session id as a table, or nil if read returns nil.
local function find(id)
  local value = read(id)
  return value and parse(value)
end

-- keep writes r, and notes in the record that this attempt changed it.
local function keep(r)
  local flags = (r.late and 1 or 0) + (r.late_before and 2 or 0)
  r.value = struct.pack(layout, version, r.ended, flags, r.generation, r.parent, r.created, r.rotated, r.used,
    r.idle, r.limit, r.forget, r.verdict, attempt, r.id, r.nonce_hash,
    #r.issuer, r.issuer, #r.audience, r.audience, #r.subject, r.subject, #r.agent, r.agent)
  redis.call('SET', sessionKey(r.id), r.value, 'PXAT', integer(r.forget))
end

-- live returns the live sessions among ids, which are from an index, and the ids of
-- those that have expired. A session whose record cannot be read is in neither: it
-- may be live for a later version of package redisstore.
local function live(ids)
  local records, expired = {}, {}
  for _, id in ipairs(ids) do
    local value, known = get(id)
    local r = known and parse(value)
    if r then
      table.insert(records, r)
    elseif known or not value then
      table.insert(expired, id)
    end
  end
  return records, expired
end
