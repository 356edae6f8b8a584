-- Settles entries of one kind that somebody holds. An entry that nobody holds any more was settled before, and
-- is left alone; so the same may be asked twice.
--
-- KEYS: what comes back later, what is kept for people, then the streams by their numbers.
-- ARGV: the group, the time (0 for this server's), the channel to be woken, then five words for each entry: what
--   to do, its stream, its id, and two more.
--   'ack': forget it.
--   'back': add it again, before the others of its lane.
--   'later' after: the same, but so many milliseconds later.
--   'dead' why envelope: keep it for people, with the envelope unless that is ''.
--   'hold' consumer idle: the consumer holds it still; nothing if it was touched within so many milliseconds.
-- Answer: how many entries that was true of.
local call = redis.call
local group, ready = ARGV[1], ARGV[3]
local settled, woken = 0, false

local function now()
  local given = tonumber(ARGV[2])
  if given > 0 then
    return given
  end
  local clock = call('TIME')
  return clock[1] * 1000 + math.floor(clock[2] / 1000)
end

-- Takes an entry out of its stream. Answers its fields, nil if it is not there.
local function take_out(key, id)
  local entry = call('XRANGE', key, id, id)[1]
  if call('XACK', key, group, id) == 0 then
    return nil
  end
  settled = settled + 1
  call('XDEL', key, id)
  return entry and entry[2]
end

local function keep_for_people(fields, why, envelope)
  local kept = {'why', why}
  if envelope ~= '' then
    kept[3], kept[4] = 'e', envelope
  end
  for _, word in ipairs(fields) do
    kept[#kept + 1] = word
  end
  call('XADD', KEYS[2], '*', unpack(kept))
end

for at = 4, #ARGV, 5 do
  local what, stream, id, first, second = unpack(ARGV, at, at + 4)
  stream = tonumber(stream)
  local key = KEYS[2 + stream]
  if what == 'hold' then
    settled = settled + #redis.pcall('XCLAIM', key, group, first, second, id, 'JUSTID')
  else
    local fields = take_out(key, id)
    if fields and what == 'back' then
      call('XADD', KEYS[2 + stream - (stream + 1) % 2], '*', unpack(fields))
      woken = true
    elseif fields and what == 'later' then
      call('ZADD', KEYS[1], now() + tonumber(first), cmsgpack.pack({stream, id, fields}))
      woken = true
    elseif fields and what == 'dead' then
      keep_for_people(fields, first, second)
    end
  end
end
if woken then
  call('PUBLISH', ready, '')
end
return settled
