-- Looks through jobs that have not ended for those that wait nowhere.
--
-- KEYS: the deadlines, the leases, then every set that a job may wait in. ARGV: the deadline to begin with, how many
-- jobs with that one to pass over, how many to look at. Answer: how many were looked at, the deadline of the last and
-- how many of them have that one, then the jobs that are in none of the sets.
local call = redis.call
local page = call('ZRANGE', KEYS[1], ARGV[1], '+inf', 'BYSCORE', 'LIMIT', ARGV[2], ARGV[3], 'WITHSCORES')
local last = page[#page] or ''
local answer, same = {#page / 2, last, 0}, 0
for place = 1, #page, 2 do
  local id, waits = page[place], false
  if page[place + 1] == last then
    same = same + 1
  end
  for key = 2, #KEYS do
    if call('ZSCORE', KEYS[key], id) then
      waits = true
      break
    end
  end
  if not waits then
    answer[#answer + 1] = id
  end
end
answer[3] = same
return answer
