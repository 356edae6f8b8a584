-- Takes jobs out of an outbox whose time has come, and leaves them in it until another time.
--
-- KEYS: the outbox. ARGV: the time, the other time, how many. Answer: the jobs, earliest first.
local ids = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])
for _, id in ipairs(ids) do
  redis.call('ZADD', KEYS[1], ARGV[2], id)
end
return ids
