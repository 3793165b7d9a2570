-- Store.Find. This script returns the record, or nil if there is none.
return read(ARGV[3])
