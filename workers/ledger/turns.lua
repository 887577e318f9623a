-- Whose turn it is. A job's tag grows by 1/weight with each of its shards; the smallest is next.
-- The clock is the greatest tag that was next. A job that comes, or comes back, starts at the clock,
-- so that none can save up turns; one with little left starts a little before it: it is through at
-- once, however many long ones there are.

-- In shards of a job of weight 1; also what is little.
local HEAD_START = 4

local rank

local function leave(job)
  redis.call("ZREM", key("fair"), job)
  redis.call("ZREM", key("age"), job)
  redis.call("ZREM", key("parked", tenant_of(job)), job)
end

-- A job whose tenant has as much in work as it may waits aside, so that nobody passes it again
-- and again …
local function park(job)
  local tag = redis.call("HGET", key("job", job), "tag")
  leave(job)
  redis.call("ZADD", key("parked", tenant_of(job)), tag, job)
end

-- … until the tenant has one less in work, or another of its jobs has nothing left that waits.
local function unpark(tenant)
  local job = redis.call("ZPOPMIN", key("parked", tenant))[1]
  if job then
    rank(job)
  end
end

-- Give a job its place among those that have shards waiting.
rank = function(job)
  local facts = redis.call("HMGET", key("job", job), "weight", "created", "tag")
  local n_waiting = redis.call("LLEN", key("pending", job))
  if not facts[1] or n_waiting == 0 then
    leave(job)
    return unpark(tenant_of(job))
  end
  local start = tonumber(redis.call("GET", key("clock"))) or 0
  if n_waiting / tonumber(facts[1]) <= HEAD_START then
    start = start - HEAD_START
  end
  local tag = math.max(tonumber(facts[3]) or -math.huge, start)
  redis.call("HSET", key("job", job), "tag", tag)
  redis.call("ZADD", key("fair"), tag, job)
  redis.call("ZADD", key("age"), facts[2], job)
  redis.call("ZREM", key("parked", tenant_of(job)), job)
end

-- Note that a job's turn was used.
local function charge(job, is_fair)
  local facts = redis.call("HMGET", key("job", job), "weight", "tag")
  local tag, clock = tonumber(facts[2]), tonumber(redis.call("GET", key("clock"))) or 0
  if is_fair and tag > clock then
    redis.call("SET", key("clock"), tag)
  end
  redis.call("HSET", key("job", job), "tag", tag + 1 / tonumber(facts[1]))
end

-- Take a shard out of its job's line.
local function unqueue(job, shard)
  if redis.call("LREM", key("pending", job), 0, shard) > 0 then
    rank(job)
  end
end

-- Put a shard in front of its job's line, if it is to be done and nobody speaks it.
local function put_first(job, shard)
  local is_left = redis.call("HEXISTS", key("left", job), shard) == 1
  if is_left and redis.call("HEXISTS", key("care", "synth"), job .. "|" .. shard) == 0 then
    redis.call("LREM", key("pending", job), 0, shard)
    redis.call("LPUSH", key("pending", job), shard)
    rank(job)
  end
end
