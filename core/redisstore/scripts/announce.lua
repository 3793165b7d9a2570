-- Each slot has a stream of revocations. A revocation stays in the stream until
-- its time is over.
--
-- A stream can disappear, because all of its entries have expired or because the
-- server was emptied. A new stream of the same name may begin at lower IDs than
-- its readers have reached, and they would never receive its entries. So each
-- stream has an origin, a random value, by which readers recognize a new stream.
local stream, origin = slot .. ':revocations', slot .. ':origin'

-- trim removes expired entries from the head of the stream. It moves an entry
-- that expires after time to the end of the stream, so that this entry does not
-- prevent the removal of those behind it. Readers receive a moved entry twice,
-- which does no harm.
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

-- announce adds the revocation of a session, token or subject called name, which
-- begins at from and is over at time.
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
