-- KEYS: any number. ARGV: a value. Writes it to the keys that have none; answers what the first has.
for _, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 0 then
    redis.call('SET', key, ARGV[1])
  end
end
return redis.call('GET', KEYS[1])
