-- A server that is out of memory refuses a script its first write, if that may
-- take memory, and lets one that has written go on. So this writes nothing, for
-- a start: the sessions that there are go on, and can be ended.
redis.call('DEL', slot .. ':nothing')
