-- Store.Confirm, for confirmations of one slot. A confirmation changes only the
-- time of the first use in the stored string, so the attempt, the verdict and the
-- expiry of the key stay as they are.
local window, remember, retire = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
for i = 5, #ARGV, 2 do
  local id = ARGV[i]
  local value, known = get(id)
  local r = known and parse(id, value)
  if r and r.ended == 0 and r.used == 0 and r.generation == tonumber(ARGV[i + 1]) then
    redis.call('SETRANGE', sessionKey(r.id), used_at - 1, struct.pack('>I8', now))
    if retire then first_used(id, r.generation, window, remember) end
  end
end
return 1
