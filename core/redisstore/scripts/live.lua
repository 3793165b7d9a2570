-- live returns the live sessions among ids, which are from an index, and the ids of
-- those that have expired. A session whose record cannot be read is in neither: it
-- may be live for a later version of package redisstore.
local function live(ids)
  local records, expired = {}, {}
  for _, id in ipairs(ids) do
    local value, known = get(id)
    local r = known and parse(id, value)
    if r then
      table.insert(records, r)
    elseif known or not value then
      table.insert(expired, id)
    end
  end
  return records, expired
end
