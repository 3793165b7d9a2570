-- The reasons, as package session numbers them.
local signed_out, replayed = 1, 2

-- finish ends r, which is live.
local function finish(r, reason, remember)
  r.ended, r.forget = reason, now + remember
  redis.call('ZREM', subjectKey(r.subject), r.id)
  keep(r)
  announce('session', r.id, 0, now, r.forget)
end
