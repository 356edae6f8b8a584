-- A worker lives. KEYS: all workers, what this one says. ARGV: its name, what it says, now, the last beat of
-- workers that are forgotten now, how long a worker is kept (all times in milliseconds).
local workers, about = KEYS[1], KEYS[2]
redis.call('SET', about, ARGV[2], 'PX', ARGV[5])
redis.call('ZADD', workers, ARGV[3], ARGV[1])
redis.call('ZREMRANGEBYSCORE', workers, '-inf', ARGV[4])
