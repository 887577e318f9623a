-- Return the work that nobody looks after, with its priority.
-- ARGV: slack in seconds, queues ("stage|priority") that are known to be empty …
local slack, at, empty, found = tonumber(ARGV[1]), now(), {}, {}
for i = 2, #ARGV do
  empty[ARGV[i]] = true
end
local cares = redis.call("HGETALL", key("care"))
for i = 1, #cares, 2 do
  local name, value = cares[i], cares[i + 1]
  local priority, state, since = string.match(value, "^(.-)|(.-)|(.*)$")
  local lane = string.match(name, "^(.-)|") .. "|" .. priority
  local is_lost
  if state == "leased" then
    is_lost = redis.call("EXISTS", key("lease", name)) == 0
  else
    -- Messages are taken in order: one that was published before another that has been taken,
    -- and one in a queue that is empty, is not coming any more.
    local horizon = empty[lane] and at or tonumber(redis.call("HGET", key("mark"), lane)) or 0
    is_lost = tonumber(since) + slack < horizon
  end
  if is_lost then
    table.insert(found, name)
    table.insert(found, priority)
  end
end
return found
