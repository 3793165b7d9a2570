-- Store.Find. This script returns the record, or nil if there is none.
local value = must_get(ARGV[3])
if value and now < struct.unpack('>I8', value, forget_at) then return value end
