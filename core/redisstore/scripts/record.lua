-- A session is stored as a string with this layout. A hash would cost twice as
-- much, because its reply is a table, and a table in Lua costs more than all
-- other work of a step. The version comes first in every layout, then the other fields
-- that change, and then those that do not, which most steps copy as they are. record.go
-- reads this layout too. The key of a session expires at forget. For a live session,
-- that is idle. The index of an owner is a sorted set of its live sessions, ordered by
-- created.
local version = 1
local changing = '>I1I1I1I4I4I8I8I8I8I8I8I1c26' -- see keep
local constant = '>c24c32I4I4c0I4c0I4c0I4c0' -- id, nonce_hash, note, issuer, audience, subject, agent
local used_at, forget_at, constant_at, nonce_hash_at = 28, 52, 87, 111

-- The reasons of the end, with the numbers that they have in package session.
local signed_out, replayed = 1, 2

-- get returns the stored string of the session id, or nil if there is none, and
-- whether this version of package redisstore can read it.
local function get(id)
  local value = redis.call('GET', sessionKey(id))
  if value then return value, string.byte(value) == version end
end

-- must_get is get for a session whose string must be readable.
local function must_get(id)
  local value, known = get(id)
  if value and not known then
    error('the record of a session has version ' .. tostring(string.byte(value)) .. ', which this version of package redisstore does not know')
  end
  return value
end

-- parse returns the session id with the given stored string as a table, or nil if its
-- time is over. The table has all fields from the start, because a table that grows
-- is slow.
local function parse(id, value)
  local _, ended, flags, generation, parent, created, rotated, used, idle, limit, forget, verdict, last_attempt =
    struct.unpack(changing, value)
  if now >= forget then return nil end
  return {
    id = id, value = value, constant = false, ended = ended, late = flags % 2 == 1, late_before = flags >= 2,
    generation = generation, parent = parent, created = created, rotated = rotated, used = used,
    idle = idle, limit = limit, forget = forget, verdict = verdict, attempt = last_attempt,
  }
end

-- has_nonce reports whether hash is the hash of the nonce of r.
local function has_nonce(r, hash)
  return string.sub(r.value, nonce_hash_at, nonce_hash_at + 31) == hash
end

-- find returns the session id as a table, or nil if there is none or its time is
-- over.
local function find(id)
  local value = must_get(id)
  return value and parse(id, value)
end

-- keep writes r, and notes in the record that this attempt changed it. A new session
-- has its constant part in a field.
local function keep(r)
  local flags = (r.late and 1 or 0) + (r.late_before and 2 or 0)
  r.value = struct.pack(changing, version, r.ended, flags, r.generation, r.parent, r.created, r.rotated, r.used,
    r.idle, r.limit, r.forget, r.verdict, attempt) .. (r.constant or string.sub(r.value, constant_at))
  redis.call('SET', sessionKey(r.id), r.value, 'PXAT', integer(r.forget))
end
