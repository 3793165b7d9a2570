-- The reasons, with the numbers that they have in package session.
local signed_out, replayed = 1, 2

-- finish ends the live session r, announces its end, and keeps the record for
-- remember milliseconds.
local function finish(r, reason, remember)
  r.ended, r.forget = reason, now + remember
  redis.call('ZREM', ownerKey(r), r.id)
  keep(r)
  announce('session', r.id, now, r.forget)
end
