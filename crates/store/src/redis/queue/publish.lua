-- Adds an envelope to a stream. KEYS: the stream. ARGV: the field, the envelope, the channel to be woken.
redis.call('XADD', KEYS[1], '*', ARGV[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], '')
return 1
