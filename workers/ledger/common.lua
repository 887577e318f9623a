-- What every script of the ledger begins with. Names of work are "stage|job|shard".
local PREFIX = "voxmill:"

local function key(...)
  return PREFIX .. table.concat({ ... }, ":")
end

local function now()
  local time = redis.call("TIME")
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function work(stage, job, shard)
  return stage .. "|" .. job .. "|" .. shard
end

-- Note how urgently a job wants its next shard: those with little in work come first, of those
-- alike the oldest.
local function rank(job)
  local facts = redis.call("HMGET", key("job", job), "weight", "created", "flying")
  if not facts[1] or redis.call("LLEN", key("pending", job)) == 0 then
    redis.call("ZREM", key("fair"), job)
    return
  end
  local share = (tonumber(facts[3]) or 0) / tonumber(facts[1])
  redis.call("ZADD", key("fair"), share + tonumber(facts[2]) * 1e-11, job)
end

-- A shard is no longer among those that wait for an engine or are with one.
local function land(job, shard)
  if redis.call("ZREM", key("flight"), job .. "|" .. shard) == 0 then
    return
  end
  local facts = redis.call("HMGET", key("job", job), "tenant")
  if facts[1] then
    redis.call("HINCRBY", key("job", job), "flying", -1)
    redis.call("HINCRBY", key("tenants"), facts[1], -1)
    rank(job)
  end
end

-- Leave a piece of work to nobody.
local function drop(stage, job, shard)
  redis.call("HDEL", key("care"), work(stage, job, shard))
  if stage == "synth" then
    land(job, shard)
  end
end

local function care(stage, job, shard, priority, state, since)
  local value = priority .. "|" .. state .. "|" .. string.format("%.6f", since)
  redis.call("HSET", key("care"), work(stage, job, shard), value)
end
