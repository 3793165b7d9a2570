-- Find: returns the record, or nil.
return read(ARGV[3])
