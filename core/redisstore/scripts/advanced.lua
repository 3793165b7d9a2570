-- The rest of Store.Advance, for a step that is announced: the end of a session whose
-- token was stolen, and the first use of a generation.
if verdict == stolen then
  local r = parse(id, value)
  r.verdict = stolen
  finish(r, replayed, remember)
  return r.value
end
first_used(id, p, window, remember)
return value
