-- The second part of Store.List. This script returns the records of those
-- sessions that are live, in the given order.
local ids = {}
for i = 3, #ARGV do ids[i - 2] = ARGV[i] end
local values = {}
for _, r in ipairs((live(ids))) do
  table.insert(values, r.value)
end
return values
