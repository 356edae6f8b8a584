-- Forgets consumers that hold nothing and have not been heard of for a while: each process is another one.
--
-- KEYS: the streams by their numbers. ARGV: the group, for how many milliseconds.
-- Answer: how many.
local call = redis.call
local group, silent_ms = ARGV[1], tonumber(ARGV[2])
local left = 0

for _, key in ipairs(KEYS) do
  -- A stream that nobody reads has no group: an error, and no consumers.
  for _, info in ipairs(redis.pcall('XINFO', 'CONSUMERS', key, group)) do
    local of = {}
    for place = 1, #info, 2 do
      of[info[place]] = info[place + 1]
    end
    if of['pending'] == 0 and of['idle'] >= silent_ms then
      call('XGROUP', 'DELCONSUMER', key, group, of['name'])
      left = left + 1
    end
  end
end
return left
