-- Store.Revoke.
local kind, name, from, time = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
if from < 0 then from = now end -- the zero time
if kind == 'subject' then
  announce_subject(ARGV[6], name, ARGV[7] == '1', from, time)
elseif kind == 'session' then
  announce(kind, name, from, time, 'generation', ARGV[6])
else
  announce(kind, name, from, time)
end
return 1
