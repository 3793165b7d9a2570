-- owner_of returns the owner of r.
local function owner_of(r)
  local _, _, _, issuer, audience, subject = struct.unpack(constant, r.value, constant_at)
  return { issuer = issuer, audience = audience, subject = subject }
end

-- finish ends the live session r, announces its end, and keeps the record for
-- remember milliseconds.
local function finish(r, reason, remember)
  r.ended, r.forget = reason, now + remember
  redis.call('ZREM', ownerKey(owner_of(r)), r.id)
  keep(r)
  announce('session', r.id, now, r.forget)
end
