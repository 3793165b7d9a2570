-- Store.Advance. This script applies the rule of session.Step, with one
-- addition: a restart of the server can open the reuse window again (see
-- reopens). It returns the verdict, and the record after the step.
local id, hash, p = ARGV[3], ARGV[4], tonumber(ARGV[5])
local idle, window, remember, retire = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9] == '1'
local last = 4294967295 -- the last generation

-- The verdicts, with the numbers that they have in package session.
local rotated, repeated, reissued, healed, unknown, expired, revoked, invalid, stolen = 1, 2, 3, 4, 5, 6, 7, 8, 9

local r = find(id)
if not r then return { unknown } end

-- This attempt was executed before, and its reply was lost: repeat the reply.
if r.attempt == attempt then return { r.verdict, r.value } end
if r.nonce_hash ~= hash then return { invalid, r.value } end
if r.ended ~= 0 then return { revoked, r.value } end
if p == last then return { expired, r.value } end

local function rotate(generation, verdict)
  r.generation, r.rotated, r.verdict = generation, now, verdict
  r.idle = math.min(now + idle, r.limit)
  r.forget = r.idle
  keep(r)
  if retire then
    announce('session', id, generation, now + window, now + window + remember)
  end
  return { verdict, r.value }
end

-- could_reach is Record.couldReach of package session.
local function could_reach(generation)
  if window <= 0 then return true end
  local used = r.rotated > 0 and r.rotated or r.created
  return generation - r.generation <= math.floor(math.max(now - used, 0) / window) + 1
end

-- If the server goes down just after a rotation, the reply may be lost, and the
-- reuse window may end before the client can ask again. So the window opens
-- again for 10 seconds after the start of the server, if the rotation happened
-- up to 10 minutes before the start. The server knows its start only to the
-- second. A rotation within that second counts as before the start, unless the
-- window is shorter than a second.
local noticed, outage = 10 * 1000, 10 * 60 * 1000
local function reopens()
  if window <= 0 then return false end
  local start = started()
  local before = window < 1000 and start or start + 1000
  return now - start < noticed and r.rotated < before and start - r.rotated < outage
end

local open = math.abs(now - r.rotated) < window -- rotated is 0 before the first rotation: not open
if p == r.generation then
  if open then return { repeated, r.value } end
  return rotate(p + 1, rotated)
elseif p + 1 == r.generation and open then
  return { reissued, r.value }
elseif p + 1 == r.generation and reopens() then
  return rotate(r.generation, reissued)
elseif p > r.generation and could_reach(p) then
  return rotate(window > 0 and p or p + 1, healed)
end
r.verdict = stolen
finish(r, replayed, remember)
return { stolen, r.value }
