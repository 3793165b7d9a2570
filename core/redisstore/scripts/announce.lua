-- What is revoked is told by the slot's stream, and kept there until its time.
--
-- A stream that is gone (all in it was over, or the server was emptied) and comes
-- again may count from below where its readers are, who would wait in vain. So
-- each has an origin, which is another one then.
local stream, origin = slot .. ':revocations', slot .. ':origin'

-- trim removes what is over from the head of the stream. What is not, but holds
-- longer than what is added now, goes to the end, so that it does not keep all
-- behind it from being removed: it is told again, which does no harm.
local function trim(time)
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', 3)) do
    local id, revocation = entry[1], entry[2]
    local ends = tonumber(revocation[8])
    if ends <= now then
      redis.call('XDEL', stream, id)
    else
      if ends > time then
        redis.call('XADD', stream, '*', unpack(revocation))
        redis.call('XDEL', stream, id)
      end
      return
    end
  end
end

-- announce tells that a session, token or subject called name is revoked.
local function announce(kind, name, generation, from, time)
  if redis.call('EXISTS', stream) == 0 then
    redis.call('SET', origin, attempt)
  end
  trim(time)
  redis.call('XADD', stream, '*', kind, name, 'generation', integer(generation),
    'from', integer(from), 'until', integer(time))
  live_until(stream, time)
  live_until(origin, time)
end
