-- Finds entries that somebody holds and has not touched for a while.
--
-- KEYS: the streams by their numbers. ARGV: the group, for how many milliseconds, most entries.
-- Answer: each entry with its stream, id, fields (nil if it is gone) and who holds it.
local call = redis.call
local group, idle_ms, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local found = {}

for stream, key in ipairs(KEYS) do
  local left = most - #found
  if left > 0 then
    -- A stream that nobody reads has no group: an error, and nothing held.
    local held = redis.pcall('XPENDING', key, group, 'IDLE', idle_ms, '-', '+', left)
    for _, entry in ipairs(held) do
      local there = call('XRANGE', key, entry[1], entry[1])[1]
      found[#found + 1] = {stream, entry[1], there and there[2] or false, entry[2]}
    end
  end
end
return found
