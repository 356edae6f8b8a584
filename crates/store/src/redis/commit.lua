-- Runs a batch of steps, each of them whole or not at all. No rule about jobs is in here: a step says which
-- revision of its record it was decided on, and what to do if that is still the one.
--
-- KEYS: the hash of counts, then the record of each part.
-- ARGV: the time when the batch was sent (0: do not look), how far off it may be, the channel of events, the
--   channel of cancellations, then the parts one after the other. A step is one part, and perhaps linked ones
--   (jobs that it brings forth), which are passed over if their record exists or the step did not happen.
-- A part: its size;
--   expected revision ('' none); what it wants ('' nothing, 'c' the checkpoint, 'l' it is linked);
--   the limit ('' none), and behind one what it limits, then a set ('' none) and behind one its most members;
--   what to count ('+one -other', or '');
--   the id of its job; how many events its fields end with (negative: a cancellation);
--   how many words of fields, and these; how many words of sets and scores that the job goes into, and these;
--   how many sets it goes out of, and these; the stream that it goes into ('' none), and behind one its
--   generation and the channel to wake; then commands, each behind the number of its words.
-- Answer: the time, then for each step 1 or {1, checkpoint}: done; 2: the limit is reached; 3: the set is full; nil or the record as
--   it is: another revision. The time alone: decided too far off, nothing was done.
--
-- At most one part of a batch happens to a record, for then it has another revision. So what parts do to sets
-- may be done together at the end: what goes out first, then what goes in.
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local sent = tonumber(ARGV[1])
if sent > 0 and math.abs(now - sent) > tonumber(ARGV[2]) then
  return {now}
end
local events_channel, stops_channel = ARGV[3], ARGV[4]
local answers, size = {now}, 1
local shifts, limited, added, removed, woken = {}, {}, {}, {}, {}
local events, stops = {}, {}
local words_max = 2000

local function flush(command, key, words)
  call(command, key, unpack(words))
end

local function judge(record, expected, want)
  local revision, checkpoint
  if want == 'c' then
    local held = call('HMGET', record, REVISION, CHECKPOINT)
    revision, checkpoint = held[1], held[2]
  else
    revision = call('HGET', record, REVISION)
  end
  if (revision or '') == expected then
    return true, want == 'c' and {1, checkpoint} or 1
  end
  if want == 'l' or not revision then
    return false, false
  end
  return false, call('HMGET', record, REVISION, JOB, CHANGED, ENVELOPE, DEADLINE_MS, CHECKPOINT, TOMBSTONE)
end

local function held(name, command, ...)
  local count = limited[name] or tonumber(call(command, ...) or 0)
  limited[name] = count
  return count
end

-- What keeps a part from happening that adds one to a count, and perhaps one to a set: nothing, or an answer.
local function crowded(limit, field, set, most)
  if held(field, 'HGET', KEYS[1], field) >= tonumber(limit) then
    return 2
  end
  if set ~= '' and held(set, 'ZCARD', set) >= tonumber(most) then
    return 3
  end
  limited[field] = limited[field] + 1
  if set ~= '' then
    limited[set] = limited[set] + 1
  end
  return nil
end

local function put(key, score, id)
  local words = added[key]
  if not words then
    words = {}
    added[key] = words
  elseif #words >= words_max then
    flush('ZADD', key, words)
    words = {}
    added[key] = words
  end
  local count = #words
  words[count + 1] = score
  words[count + 2] = id
end

local function take(key, id)
  local words = removed[key]
  if not words then
    words = {}
    removed[key] = words
  elseif #words >= words_max then
    flush('ZREM', key, words)
    words = {}
    removed[key] = words
  end
  words[#words + 1] = id
end

local function tell(told, last)
  for event = last - 2 * (math.abs(told) - 1), last, 2 do
    events[#events + 1] = ARGV[event]
    if told < 0 then
      stops[#stops + 1] = ARGV[event]
    end
  end
end

local function apply(record, at, behind)
  local shift, id, told, fields = unpack(ARGV, at, at + 3)
  if shift ~= '' then
    shifts[shift] = (shifts[shift] or 0) + 1
  end
  at = at + 4 + tonumber(fields)
  if fields ~= '0' then
    call('HSET', record, unpack(ARGV, at - tonumber(fields), at - 1))
    if told ~= '0' then
      tell(tonumber(told), at - 1)
    end
  end
  local last = at + tonumber(ARGV[at])
  for place = at + 1, last, 2 do
    put(ARGV[place], ARGV[place + 1], id)
  end
  at = last + 1
  last = at + tonumber(ARGV[at])
  for place = at + 1, last do
    take(ARGV[place], id)
  end
  at = last + 1
  local stream = ARGV[at]
  if stream ~= '' then
    call('XADD', stream, '*', ENTRY_JOB_ID, id, ENTRY_GENERATION, ARGV[at + 1])
    woken[ARGV[at + 2]] = true
    at = at + 2
  end
  at = at + 1
  while at < behind do
    last = at + tonumber(ARGV[at])
    call(unpack(ARGV, at + 1, last))
    at = last + 1
  end
end

local at, done = 5, false
for part = 2, #KEYS do
  local record = KEYS[part]
  local behind = at + tonumber(ARGV[at])
  local expected, want, limit = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  at = at + 4
  local linked = want == 'l'
  local go, answer = false, false
  if done or not linked then
    go, answer = judge(record, expected, want)
    if limit ~= '' then
      local field, set = ARGV[at], ARGV[at + 1]
      local why = go and crowded(limit, field, set, ARGV[at + 2])
      if why then
        go, answer = false, why
      end
      at = at + (set == '' and 2 or 3)
    end
  end
  if not linked then
    done = go
    size = size + 1
    answers[size] = answer
  end
  if go then
    apply(record, at, behind)
  end
  at = behind
end

for key, words in pairs(removed) do
  flush('ZREM', key, words)
end
for key, words in pairs(added) do
  flush('ZADD', key, words)
end
local counts = {}
for shift, times in pairs(shifts) do
  for sign, field in string.gmatch(shift, '([+-])(%S+)') do
    counts[field] = (counts[field] or 0) + (sign == '+' and times or -times)
  end
end
for field, delta in pairs(counts) do
  if delta ~= 0 then
    call('HINCRBY', KEYS[1], field, delta)
  end
end
if #events > 0 then
  call('PUBLISH', events_channel, table.concat(events))
end
if #stops > 0 then
  call('PUBLISH', stops_channel, table.concat(stops))
end
for channel in pairs(woken) do
  call('PUBLISH', channel, '')
end
return answers
