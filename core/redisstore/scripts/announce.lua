-- Each slot has a stream of revocations. A revocation stays in the stream until
-- its time is over.
--
-- A stream can disappear, because all of its entries have expired or because the
-- server was emptied. A new stream of the same name may begin at lower IDs than
-- its readers have reached, and they would never receive its entries. So each
-- stream has an origin, a random value, by which readers recognize a new stream.
--
-- The first fields of an entry, in every version of package redisstore, are its
-- version and the time when it is over.
local stream, origin, entry_version = slot .. ':revocations', slot .. ':origin', '1'

-- trim removes expired entries from the head of the stream. It moves an entry
-- that expires after time to the end of the stream, so that this entry does not
-- prevent the removal of those behind it. Readers receive a moved entry twice,
-- which does no harm. An entry without a time is not from package redisstore.
local function trim(time)
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', 3)) do
    local id, revocation = entry[1], entry[2]
    local ends = tonumber(revocation[4]) or 0
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

-- open_stream prepares the stream for new entries, the last of which is over at
-- time.
local function open_stream(time)
  if redis.call('EXISTS', stream) == 0 then
    redis.call('SET', origin, attempt)
  end
  trim(time)
end

-- add adds the revocation of a session, token or subject called name, which begins
-- at from and is over at time. Further fields, and their values, follow.
local function add(kind, name, from, time, ...)
  redis.call('XADD', stream, '*', 'version', entry_version, 'until', integer(time), 'from', integer(from), kind, name, ...)
end

-- keep_stream keeps the stream until time.
local function keep_stream(time)
  live_until(stream, time)
  live_until(origin, time)
end

-- announce adds a revocation to the stream.
local function announce(kind, name, from, time, ...)
  open_stream(time)
  add(kind, name, from, time, ...)
  keep_stream(time)
end

-- announce_subject announces that access tokens of the subject that were issued
-- before from are revoked, or, with renew, expired.
local function announce_subject(issuer, subject, renew, from, time)
  if renew then
    announce('subject', subject, from, time, 'issuer', issuer, 'renew', '1')
  else
    announce('subject', subject, from, time, 'issuer', issuer)
  end
end
