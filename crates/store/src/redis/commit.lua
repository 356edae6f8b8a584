-- Runs a batch of steps, each of them whole or not at all. No rule about jobs is in here: a step says which
-- revision of its record it was decided on, and what to do if that is still the one.
--
-- KEYS: the hash of counts, then the record of each part.
-- ARGV: the time when the batch was sent (0: do not look), how far off it may be, the channel of events, the
--   channel of cancellations, then the parts one after the other. A step is one part, and perhaps linked ones
--   (jobs that it brings forth), which are passed over if their record exists or the step did not happen.
-- A part: its size; expected revision ('' none); what it wants ('' nothing, 'c' the checkpoint, 'l' it
--   is linked); the limit for the first count ('' none); how many events its first command ends with (negative:
--   a cancellation); the channel that is to be woken ('' none); how many counts; counts and what to add; then
--   commands, each behind the number of its words.
-- Answer: the time, then for each step 1 or {1, checkpoint}: done; 2: the limit is reached; nil or the record as
--   it is: another revision. The time alone: decided too far off, nothing was done.
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local sent = tonumber(ARGV[1])
if sent > 0 and math.abs(now - sent) > tonumber(ARGV[2]) then
  return {now}
end
local events_channel, stops_channel = ARGV[3], ARGV[4]
local answers, size = {now}, 1
local counts, bases, events, stops, woken = {}, {}, {}, {}, {}
local at, done = 5, false

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

local function has_room(field, limit)
  if not bases[field] then
    bases[field] = tonumber(call('HGET', KEYS[1], field) or 0)
  end
  return bases[field] + (counts[field] or 0) < tonumber(limit)
end

for part = 2, #KEYS do
  local behind = at + tonumber(ARGV[at])
  local _, expected, want, limit, told, wake, counted = unpack(ARGV, at, at + 6)
  at = at + 7
  local linked = want == 'l'
  local go, answer = false, false
  if done or not linked then
    go, answer = judge(KEYS[part], expected, want)
    if go and limit ~= '' and not has_room(ARGV[at], limit) then
      go, answer = false, 2
    end
  end
  if not linked then
    done = go
    size = size + 1
    answers[size] = answer
  end
  if go then
    for _ = 1, tonumber(counted) do
      local field = ARGV[at]
      counts[field] = (counts[field] or 0) + tonumber(ARGV[at + 1])
      at = at + 2
    end
    local first_last = at + tonumber(ARGV[at] or 0)
    while at < behind do
      local last = at + tonumber(ARGV[at])
      call(unpack(ARGV, at + 1, last))
      at = last + 1
    end
    told = tonumber(told)
    for event = first_last - 2 * (math.abs(told) - 1), first_last, 2 do
      events[#events + 1] = ARGV[event]
      if told < 0 then
        stops[#stops + 1] = ARGV[event]
      end
    end
    if wake ~= '' then
      woken[wake] = true
    end
  end
  at = behind
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
