-- Tells what the streams of one kind hold, and how many jobs should have an entry.
--
-- KEYS: the hash of counts, what comes back later, then the streams by their numbers.
-- ARGV: the group, then the counts of jobs that have an entry.
-- Answer: the time; entries, those that come back later too; jobs; then each stream: entries that were given to
--   nobody, and the first of these with its fields.
local call = redis.call
local group = ARGV[1]
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local entries, jobs = call('ZCARD', KEYS[2]), 0

for _, count in ipairs(call('HMGET', KEYS[1], unpack(ARGV, 2))) do
  jobs = jobs + tonumber(count or 0)
end

-- How many entries the group holds, and the last that was given to it.
local function given(key)
  for _, info in ipairs(call('XINFO', 'GROUPS', key)) do
    local of = {}
    for place = 1, #info, 2 do
      of[info[place]] = info[place + 1]
    end
    if of['name'] == group then
      return of['pending'], of['last-delivered-id']
    end
  end
  return 0, '0-0'
end

local answer = {now, 0, 0}
for stream = 3, #KEYS do
  local key = KEYS[stream]
  local length, told = call('XLEN', key), {0, false, false}
  if length > 0 then
    local held, last = given(key)
    local first = call('XRANGE', key, '(' .. last, '+', 'COUNT', 1)[1]
    if first then
      told = {math.max(length - held, 1), first[1], first[2]}
    end
  end
  entries = entries + length
  answer[1 + stream] = told
end
answer[2], answer[3] = entries, jobs
return answer
