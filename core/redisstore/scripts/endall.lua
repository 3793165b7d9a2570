-- Store.EndAll. This script returns the concatenated ids of the sessions that it
-- ended.
local subject, remember = ARGV[3], tonumber(ARGV[4])
local answer = slot .. ':answer:' .. attempt

-- If this attempt was executed before, repeat its reply: a session that was
-- created in the meantime must not end.
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
