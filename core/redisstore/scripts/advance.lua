-- Store.Advance. This script applies the rule of session.Step. If the step changes the
-- record, the script returns the record, which has the verdict in it. Otherwise it
-- returns a list of the verdict and the record.
--
-- The script is one sequence of statements. In Lua, functions and tables cost more time
-- than the decision, and a string costs time for each of its bytes, so there are as few
-- as possible. Only a step that must be announced reaches advanced.lua, which follows
-- this file.
local attempt, hash, p, extend, window, remember, retire = ARGV[1], struct.unpack('>c32I4i8i8i8I1', ARGV[2]) -- see advance.go
local last = 4294967295 -- the last generation

-- The verdicts, with the numbers that they have in package session.
local rotated, repeated, reissued, displaced, healed = 1, 2, 3, 4, 5
local unknown, expired, revoked, invalid, busy, stale, stolen = 6, 7, 8, 9, 10, 11, 12

local value = redis.call('GET', KEYS[1])
if not value then return { unknown } end
local found, ended, flags, generation, parent, created, rotation, use, idle, limit, forget, verdict, last_attempt, id, nonce_hash =
  struct.unpack(up_to_nonce, value)
if found ~= version then error(string.format(unreadable, found)) end
if now >= forget then return { unknown } end

-- This attempt was executed before, and its reply was lost: repeat the reply.
if last_attempt == attempt then return value end
if nonce_hash ~= hash then return { invalid, value } end
if ended ~= 0 then return { revoked, value } end
if p == last then return { expired, value } end

-- A time of 0 is not near.
local fresh = math.abs(now - rotation) < window
local late, late_before = flags % 2 == 1, flags >= 2
local unused = use == 0
local first_use = false -- of the generation p

if p == generation then
  first_use = unused
  if not fresh then
    verdict = rotated
  elseif unused then
    verdict, use = repeated, now
  else
    return { repeated, value }
  end
else
  local open = fresh or math.abs(now - use) < window
  if p == parent then -- this is Record.answerParent of package session
    if open then return { reissued, value } end
    if unused then
      if late_before and math.abs(now - rotation) < 2 * window then return { busy, value } end
      if late_before and generation == last then return { expired, value } end
      verdict = reissued
      late, rotation = true, now
      if late_before then verdict, generation = displaced, generation + 1 end
    else
      if now - use < 3 * window then return { stale, value } end
      verdict = stolen
    end
  elseif p + 1 == generation and open then
    return { reissued, value }
  elseif p > generation and (window <= 0 or -- this is Record.couldReach of package session
    p - generation <= math.floor(math.max(now - (rotation > 0 and rotation or created), 0) / window) + 1) then
    verdict, first_use = healed, true
    generation, parent, use, late, late_before = p, p - 1, now, false, false
  else
    verdict = stolen
  end
end

-- A rotation is the same as Record.replaced of package session.
if verdict == rotated or verdict == healed and window <= 0 then
  generation, parent, use, late, late_before = p + 1, p, 0, false, late
end
if verdict == rotated or verdict == healed then
  rotation, idle = now, math.min(now + extend, limit)
  forget = idle
end

if verdict ~= stolen then
  flags = (late and 1 or 0) + (late_before and 2 or 0)
  value = struct.pack(changing, version, ended, flags, generation, parent, created, rotation, use,
    idle, limit, forget, verdict, attempt) .. string.sub(value, constant_at)
  redis.call('SET', KEYS[1], value, 'PXAT', string.format('%d', forget))
  if retire == 0 or not first_use then return value end
end
