-- The reasons, as package session numbers them.
local signed_out, replayed = 1, 2

-- finish ends r, which is live.
local function finish(r, reason, remember)
  r.ended, r.forget = reason, now + remember
  redis.call('ZREM', subjectKey(r.subject), r.id)
  redis.call('HSET', sessionKey(r.id), 'ended', reason, 'forget', integer(r.forget), 'attempt', attempt)
  redis.call('PEXPIREAT', sessionKey(r.id), integer(r.forget))
  announce('session', r.id, 0, now, r.forget)
end
