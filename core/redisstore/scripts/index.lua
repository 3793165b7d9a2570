-- The first part of Store.List. This script returns the ids in the index of the
-- subject, oldest first. Some of these sessions may have expired.
return redis.call('ZRANGE', subjectKey(ARGV[3]), 0, -1)
