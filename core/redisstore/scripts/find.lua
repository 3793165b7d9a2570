-- Find: returns the record, or nothing.
local r = find(ARGV[3])
return r and row(r) or {}
