-- Take the shards that are next by fair share. ARGV: how many may be in flight.
-- Returns job, shard, priority, time of each.
local window, at, passed, picked = tonumber(ARGV[1]), now(), 0, {}
local flying = redis.call("ZCARD", key("flight"))
while flying < window do
  local job = redis.call("ZRANGE", key("fair"), passed, passed)[1]
  if not job then
    break
  end
  local facts = redis.call("HMGET", key("job", job), "tenant", "limit", "priority")
  local limit = tonumber(facts[2]) or 0
  local held = tonumber(redis.call("HGET", key("tenants"), facts[1] or "")) or 0
  if not facts[1] then
    redis.call("ZREM", key("fair"), job)
  elseif limit > 0 and held >= limit then
    passed = passed + 1
  else
    local shard = redis.call("LPOP", key("pending", job))
    if shard then
      redis.call("ZADD", key("flight"), at, job .. "|" .. shard)
      redis.call("HINCRBY", key("job", job), "flying", 1)
      redis.call("HINCRBY", key("tenants"), facts[1], 1)
      care("synth", job, shard, facts[3], "queued", at)
      flying = flying + 1
      for _, each in ipairs({ job, shard, facts[3], string.format("%.6f", at) }) do
        table.insert(picked, each)
      end
    end
    rank(job)
  end
end
return picked
