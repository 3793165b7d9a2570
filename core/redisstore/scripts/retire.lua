-- first_used announces that access tokens of the session id of generations before the
-- given one are over a window from now, because that generation is used for the first
-- time. Before the first generation, there are none.
local function first_used(id, generation, window, remember)
  if generation > 0 then
    announce('session', id, now + window, now + window + remember, 'generation', integer(generation))
  end
end
