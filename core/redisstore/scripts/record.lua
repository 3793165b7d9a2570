-- A session is a hash. A replayed or signed-out one is kept until forget, a live
-- one until idle; its subject's index has the live ones by when they were created.
local columns = {
  'subject', 'nonce_hash', 'agent', 'generation', 'created', 'rotated', 'idle', 'limit',
  'ended', 'forget', 'attempt', 'verdict',
}

-- find returns the session id, nil if there is none, or none any longer.
local function find(id)
  local values = redis.call('HMGET', sessionKey(id), unpack(columns))
  if not values[1] then return nil end
  local r = { id = id }
  for i, column in ipairs(columns) do r[column] = values[i] end
  for i = 4, 10 do r[columns[i]] = tonumber(values[i]) end
  if now >= (r.forget or r.idle) then return nil end
  return r
end

-- row returns r as the Store reads it.
local function row(r)
  return { r.id, r.subject, r.nonce_hash, r.agent, r.generation, r.created, r.rotated, r.idle, r.limit, r.ended }
end

-- live returns those of the sessions ids that are live, and the ids of the others.
local function live(ids)
  local records, over = {}, {}
  for _, id in ipairs(ids) do
    local r = find(id)
    if r and r.ended == 0 then table.insert(records, r) else table.insert(over, id) end
  end
  return records, over
end
