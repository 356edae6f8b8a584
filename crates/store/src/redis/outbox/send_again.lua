-- Puts jobs that were sent before a time back into the outbox. One that is in it stays as it is.
--
-- KEYS: the sent jobs, the outbox. ARGV: the time (not included), when the outbox gives them out, how many.
-- Answer: how many.
local ids = redis.call('ZRANGE', KEYS[1], '-inf', '(' .. ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])
for _, id in ipairs(ids) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZADD', KEYS[2], 'NX', ARGV[2], id)
end
return #ids
