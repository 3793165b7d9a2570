-- Store.Revoke.
announce(ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7]))
return 1
