-- get returns the stored string of the session id, or nil if there is none, and
-- whether this version of package redisstore can read it.
local function get(id)
  local value = redis.call('GET', sessionKey(id))
  if value then return value, string.byte(value) == version end
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

-- keep writes r, and notes in the record that this attempt changed it. A new session
-- has its constant part in a field.
local function keep(r)
  local flags = (r.late and 1 or 0) + (r.late_before and 2 or 0)
  r.value = struct.pack(changing, version, r.ended, flags, r.generation, r.parent, r.created, r.rotated, r.used,
    r.idle, r.limit, r.forget, r.verdict, attempt) .. (r.constant or string.sub(r.value, constant_at))
  redis.call('SET', sessionKey(r.id), r.value, 'PXAT', integer(r.forget))
end
