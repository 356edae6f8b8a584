-- Takes entries of one kind, lane by lane as the caller planned: what goes first in a lane, then what is new.
-- What a lane could not give is taken from the others, most urgent lane first.
--
-- KEYS: what comes back later; then the streams, two for each lane, least urgent lane first.
-- ARGV: the group, the consumer, most entries, most of the low lane, most to let in, whether to look around
--   ('' no, else the time, 0 for this server's), what is planned of each lane, then for each stream behind which
--   entry its head is looked for.
-- Answer: streams with the entries that were taken from them, each its id and its fields; for each stream its head, nil if it is empty, '' if it
--   was not looked at; and from a look around the time, and when the next entry comes back.
-- Only a look around lets in what came back, and looks at streams from which nothing was to be taken.
local call = redis.call
local group, consumer, let_in_max, look_around = ARGV[1], ARGV[2], ARGV[5], ARGV[6]
local room, low_room = tonumber(ARGV[3]), tonumber(ARGV[4])
local lanes, planned, behind = 3, 6, 9
local taken, heads = {}, {}
local now, next_back = false, false

local function let_in()
  now = tonumber(look_around)
  if now == 0 then
    local clock = call('TIME')
    now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  end
  local due = call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, let_in_max)
  for _, member in ipairs(due) do
    local stream, _, fields = unpack(cmsgpack.unpack(member))
    call('XADD', KEYS[1 + stream - (stream + 1) % 2], '*', unpack(fields))
    call('ZREM', KEYS[1], member)
  end
  next_back = call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or false
end

local function read_group(key, count)
  return redis.pcall('XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', key, '>')
end

local function read(key, count)
  if call('XLEN', key) == 0 then
    return {}
  end
  local answer = read_group(key, count)
  if answer and answer.err and string.find(answer.err, 'NOGROUP', 1, true) then
    -- Nobody has read the stream yet, or somebody deleted its group.
    call('XGROUP', 'CREATE', key, group, 0)
    answer = read_group(key, count)
  end
  if answer and answer.err then
    error(answer)
  end
  return answer and answer[1][2] or {}
end

local function take_stream(stream, count)
  if heads[stream] == false then
    return 0
  end
  local entries = read(KEYS[1 + stream], count)
  if #entries > 0 then
    taken[#taken + 1] = {stream, entries}
  end
  heads[stream] = #entries == count and entries[count][1]
  return #entries
end

local function take_lane(lane, most)
  if lane == 1 then
    most = math.min(most, low_room)
  end
  local left = most
  for stream = 2 * lane - 1, 2 * lane do
    if left > 0 then
      left = left - take_stream(stream, left)
    end
  end
  room = room - (most - left)
  if lane == 1 then
    low_room = low_room - (most - left)
  end
end

local function head(stream)
  if heads[stream] ~= nil or look_around == '' then
    return heads[stream] == nil and '' or heads[stream]
  end
  local key = KEYS[1 + stream]
  local first = call('XLEN', key) > 0 and call('XRANGE', key, '(' .. ARGV[behind + stream], '+', 'COUNT', 1)[1]
  return first and first[1] or false
end

if look_around ~= '' then
  let_in()
end
for lane = lanes, 1, -1 do
  take_lane(lane, math.min(tonumber(ARGV[planned + lane]), room))
end
for lane = lanes, 1, -1 do
  take_lane(lane, room)
end
local known = {}
for stream = 1, 2 * lanes do
  known[stream] = head(stream)
end
return {taken, known, now, next_back}
