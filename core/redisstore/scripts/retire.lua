-- first_used announces, if retire is set, that access tokens of the session r of
-- generations before the given one are over a window from now, because that
-- generation is used for the first time. Before the first generation, there are
-- none.
local function first_used(r, generation, window, remember, retire)
  if retire and generation > 0 then
    announce('session', r.id, now + window, now + window + remember, 'generation', integer(generation))
  end
end
