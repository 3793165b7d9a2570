-- List: returns the live records, oldest first.
local values = {}
for _, r in ipairs((live(redis.call('ZRANGE', subjectKey(ARGV[3]), 0, -1)))) do
  table.insert(values, r.value)
end
return values
