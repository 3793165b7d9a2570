-- A server that is out of memory refuses the first write of a script if the
-- command may need memory. After the first write, the script may write
-- anything. So the first write here is a DEL, which needs no memory: on a full
-- server, existing sessions can still be refreshed and ended.
redis.call('DEL', slot .. ':nothing')
