-- List: returns the live records, oldest first.
local rows = {}
for _, r in ipairs((live(redis.call('ZRANGE', subjectKey(ARGV[3]), 0, -1)))) do
  table.insert(rows, row(r))
end
return rows
