-- Store.Revoke.
local kind, name, from, time = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
if from < 0 then from = now end
if kind == 'subject' then
  announce_subject(ARGV[7], name, ARGV[8] == '1', from, time)
elseif kind == 'session' then
  announce(kind, name, from, time, 'generation', ARGV[7])
else
  announce(kind, name, from, time)
end
return 1
