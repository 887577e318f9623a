-- Take the shards that are next. ARGV: how many may be in flight.
-- Returns job, shard, priority, time of each.

-- One turn of so many is the oldest job's, so that short ones that never cease keep nobody waiting
-- for ever.
local OLDEST_EVERY = 8

local window, at, picked = tonumber(ARGV[1]), now(), {}
local turn = tonumber(redis.call("GET", key("turns"))) or 0
local n_flying = redis.call("HLEN", key("care", "synth"))

local function take(job, priority, is_fair)
  local shard = redis.call("LPOP", key("pending", job))
  local is_left = shard and redis.call("HEXISTS", key("left", job), shard) == 1
  if is_left and redis.call("HEXISTS", key("care", "synth"), item(job, shard)) == 0 then
    publish("synth", job, shard, priority, at)
    charge(job, is_fair)
    turn, n_flying = turn + 1, n_flying + 1
    for _, each in ipairs({ job, shard, priority, text(at) }) do
      table.insert(picked, each)
    end
  end
  rank(job)
end

while n_flying < window do
  local is_fair = (turn + 1) % OLDEST_EVERY ~= 0
  local job = redis.call("ZRANGE", key(is_fair and "fair" or "age"), 0, 0)[1]
  if not job then
    break
  end
  local facts = redis.call("HMGET", key("job", job), "priority", "limit")
  local limit = tonumber(facts[2]) or 0
  local n_held = tonumber(redis.call("HGET", key("tenants"), tenant_of(job))) or 0
  if not facts[1] then
    leave(job)
  elseif limit > 0 and n_held >= limit then
    park(job)
  else
    take(job, facts[1], is_fair)
  end
end
if #picked > 0 then
  redis.call("SET", key("turns"), turn)
end
return picked
