-- Forgets entries that were dealt with. A transaction would be refused when there is no memory left.
--
-- KEYS: the streams. ARGV: the group, then for each stream how many entries, and their ids.
local call = redis.call
local group, at = ARGV[1], 2
for _, key in ipairs(KEYS) do
  local last = at + tonumber(ARGV[at])
  call('XACK', key, group, unpack(ARGV, at + 1, last))
  call('XDEL', key, unpack(ARGV, at + 1, last))
  at = last + 1
end
