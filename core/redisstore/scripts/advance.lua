-- Store.Advance. This script applies the rule of session.Step. It returns the
-- verdict, and the record after the step.
--
-- Nearly all calls replace the current token, or repeat its answer. They return
-- before the functions for the other cases are defined, because that costs more time
-- than the decision.
local id = ARGV[3]
local hash, p, idle, window, remember, retire = struct.unpack('>c32I4i8i8i8I1', ARGV[4]) -- see advance.go
local last = 4294967295 -- the last generation

-- The verdicts, with the numbers that they have in package session.
local rotated, repeated, reissued, displaced, healed = 1, 2, 3, 4, 5
local unknown, expired, revoked, invalid, busy, stale, stolen = 6, 7, 8, 9, 10, 11, 12

local r = find(id)
if not r then return { unknown } end

-- This attempt was executed before, and its reply was lost: repeat the reply.
if r.attempt == attempt then return { r.verdict, r.value } end
if not has_nonce(r, hash) then return { invalid, r.value } end
if r.ended ~= 0 then return { revoked, r.value } end
if p == last then return { expired, r.value } end

-- A time of 0 is not near.
local fresh = math.abs(now - r.rotated) < window
local unused = r.used == 0
if p == r.generation and fresh and not unused then return { repeated, r.value } end

local function save(verdict)
  r.verdict = verdict
  keep(r)
  return { verdict, r.value }
end

-- extended is Record.extended of package session.
local function extended()
  r.rotated = now
  r.idle = math.min(now + idle, r.limit)
  r.forget = r.idle
end

-- replaced is Record.replaced of package session.
local function replaced()
  r.parent, r.generation, r.used = r.generation, r.generation + 1, 0
  r.late_before, r.late = r.late, false
  extended()
end

-- first_use announces the first use of the presented generation.
local function first_use()
  if retire == 1 then
    local _, first_used = endings()
    first_used(r.id, p, window, remember)
  end
end

if p == r.generation then
  if unused then first_use() end
  if fresh then
    r.used = now
    return save(repeated)
  end
  replaced()
  return save(rotated)
end

-- could_reach is Record.couldReach of package session.
local function could_reach(generation)
  if window <= 0 then return true end
  local refreshed = r.rotated > 0 and r.rotated or r.created
  return generation - r.generation <= math.floor(math.max(now - refreshed, 0) / window) + 1
end

local function theft()
  r.verdict = stolen
  local finish = endings()
  finish(r, replayed, remember)
  return { stolen, r.value }
end

-- answer_parent is Record.answerParent of package session.
local function answer_parent(open)
  if open then return { reissued, r.value } end
  if r.used > 0 and now - r.used < 3 * window then return { stale, r.value } end
  if r.used > 0 then return theft() end
  if r.late_before and math.abs(now - r.rotated) < 2 * window then return { busy, r.value } end
  if r.late_before and r.generation == last then return { expired, r.value } end
  r.late, r.rotated = true, now
  if not r.late_before then return save(reissued) end
  r.generation = r.generation + 1
  return save(displaced)
end

local open = fresh or math.abs(now - r.used) < window
if p == r.parent then
  return answer_parent(open)
elseif p + 1 == r.generation and open then
  return { reissued, r.value }
elseif p > r.generation and could_reach(p) then
  r.late, r.generation = false, p
  if window <= 0 then
    replaced()
  else
    extended()
    r.parent, r.used, r.late_before = p - 1, now, false
  end
  first_use()
  return save(healed)
end
return theft()
