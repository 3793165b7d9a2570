-- The reasons, with the numbers that they have in package session.
local signed_out, replayed = 1, 2

-- finish ends the live session r, announces its end, and keeps the record for
-- remember milliseconds.
local function finish(r, reason, remember)
  r.ended, r.forget = reason, now + remember
  redis.call('ZREM', subjectKey(r.subject), r.id)
  keep(r)
  announce('session', r.id, 0, now, r.forget)
end
