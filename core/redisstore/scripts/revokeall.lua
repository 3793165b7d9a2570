-- The first step of Store.EndAll: the revocation of the subject, unless the number
-- revoke is below zero. This script returns the time, and the time when the youngest
-- session of the owner was created.
local owner = { issuer = ARGV[2], audience = ARGV[3], subject = ARGV[4] }
local revoke = tonumber(ARGV[5])
local answer = slot .. ':answer:' .. attempt

-- If this attempt was executed before, repeat its reply: a session that was created
-- in the meantime must not end.
local given = redis.call('GET', answer)
if given then return given end

if revoke >= 0 then announce_subject(owner.issuer, owner.subject, false, now, now + revoke) end
local youngest = redis.call('ZRANGE', ownerKey(owner), -1, -1, 'WITHSCORES')
local reply = integer(now) .. ' ' .. (youngest[2] or '0')
redis.call('SET', answer, reply, 'PX', 60000)
return reply
