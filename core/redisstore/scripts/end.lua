-- Store.End. This script returns 1 if the session was live, 0 otherwise.
local r = find(ARGV[3])
if not r then return 0 end
if r.attempt == attempt then return 1 end
if r.ended ~= 0 then return 0 end
finish(r, signed_out, tonumber(ARGV[4]))
return 1
