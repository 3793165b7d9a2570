-- Index: returns the ids in the list of subject, oldest first. Some may be over.
return redis.call('ZRANGE', subjectKey(ARGV[3]), 0, -1)
