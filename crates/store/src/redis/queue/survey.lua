-- Tells what the streams of one kind hold, and how many jobs should have an entry there.
--
-- KEYS: the hash of counts, what comes back later, then the streams by their numbers.
-- ARGV: the group, the count of jobs that wait, then the counts of jobs that somebody works on.
-- Answer: the time; jobs that wait; jobs that somebody works on; entries that come back later; entries that
--   somebody holds; then for each stream entries that were given to nobody, and the first of these with its
--   fields.
local call = redis.call
local group = ARGV[1]
local clock = call('TIME')
local answer = {clock[1] * 1000 + math.floor(clock[2] / 1000)}

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

local counts, worked_on = call('HMGET', KEYS[1], unpack(ARGV, 2)), 0
for place = 2, #counts do
  worked_on = worked_on + tonumber(counts[place] or 0)
end
local held = 0
for stream = 3, #KEYS do
  local key, told = KEYS[stream], {0, false, false}
  local length = call('XLEN', key)
  if length > 0 then
    local of_stream, last = given(key)
    held = held + of_stream
    local first = call('XRANGE', key, '(' .. last, '+', 'COUNT', 1)[1]
    if first then
      told = {math.max(length - of_stream, 1), first[1], first[2]}
    end
  end
  answer[3 + stream] = told
end
answer[2], answer[3] = tonumber(counts[1] or 0), worked_on
answer[4], answer[5] = call('ZCARD', KEYS[2]), held
return answer
