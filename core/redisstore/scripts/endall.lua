-- A step of Store.EndAll. This script looks at some sessions of the owner that were
-- created from the time after on until the time last, and ends those that are not
-- spared. It returns the time to go on from, or -1 if there are no more sessions, and
-- after a blank the concatenated ids of the sessions that it ended.
local owner = { issuer = ARGV[2], audience = ARGV[3], subject = ARGV[4] }
local remember, after, last, most = tonumber(ARGV[5]), ARGV[6], ARGV[7], tonumber(ARGV[8])
local answer = slot .. ':answer:' .. attempt

-- If this attempt was executed before, repeat its reply.
local given = redis.call('GET', answer)
if given then return given end

local spared = {}
for i = 9, #ARGV do spared[ARGV[i]] = true end
local index, time = ownerKey(owner), now + remember
-- Spared sessions stay in the index, so more than those are looked at.
local looked = most + #ARGV - 8
local found = redis.call('ZRANGE', index, after, last, 'BYSCORE', 'LIMIT', 0, looked, 'WITHSCORES')
local more = #found == 2 * looked and found[#found] or '-1'
local ended, gone = {}, {}
for i = 1, #found, 2 do
  local id = found[i]
  if #gone == most then
    more = found[i + 1]
    break
  end
  if not spared[id] then
    local value, known = get(id)
    local r = known and parse(id, value)
    if r or value and not known then
      if #ended == 0 then open_stream(time) end
      table.insert(ended, id)
      add('session', id, now, time)
    end
    if r then
      r.ended, r.forget = signed_out, time
      keep(r)
    elseif value and not known then
      redis.call('DEL', sessionKey(id)) -- it cannot be read, but it must end
    end
    table.insert(gone, id)
  end
end
if #gone > 0 then redis.call('ZREM', index, unpack(gone)) end
if #ended > 0 then keep_stream(time) end
local reply = more .. ' ' .. table.concat(ended)
redis.call('SET', answer, reply, 'PX', 60000)
return reply
