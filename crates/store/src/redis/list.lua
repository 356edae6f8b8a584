-- Reads the next places of several lists, newest first, all at one moment.
--
-- KEYS: the lists. ARGV: the latest and the earliest time, how many of each, then how many of each are known.
-- Answer: members and scores of each list in turn.
local answers = {}
for place, key in ipairs(KEYS) do
  answers[place] = redis.call('ZRANGE', key, ARGV[1], ARGV[2], 'BYSCORE', 'REV', 'LIMIT', ARGV[3 + place], ARGV[3], 'WITHSCORES')
end
return answers
