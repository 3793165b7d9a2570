-- EndAll: returns the ids of the sessions ended, one after the other.
local subject, remember = ARGV[3], tonumber(ARGV[4])
local answer = slot .. ':answer:' .. attempt

-- A session that was created since this was sent first is not to be ended.
local given = redis.call('GET', answer)
if given then return given end

local spared = {}
for i = 5, #ARGV do spared[ARGV[i]] = true end
local ended = {}
for _, r in ipairs((live(redis.call('ZRANGE', subjectKey(subject), 0, -1)))) do
  if not spared[r.id] then
    finish(r, signed_out, remember)
    table.insert(ended, r.id)
  end
end
if next(spared) == nil then
  announce('subject', subject, 0, now, now + remember)
end
ended = table.concat(ended)
redis.call('SET', answer, ended, 'PX', 60000)
return ended
