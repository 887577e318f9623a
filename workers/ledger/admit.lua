-- Make a job's state what the store says. ARGV: job, weight, priority, created, tenant, limit,
-- shards without a receipt …
local job = ARGV[1]
redis.call("HSET", key("job", job), "weight", ARGV[2], "priority", ARGV[3], "created", ARGV[4],
  "tenant", ARGV[5], "limit", ARGV[6])
local waiting, wanted = {}, {}
for _, shard in ipairs(redis.call("LRANGE", key("pending", job), 0, -1)) do
  waiting[shard] = true
end
for i = 7, #ARGV do
  wanted[ARGV[i]] = true
end
for _, shard in ipairs(redis.call("SMEMBERS", key("left", job))) do
  if not wanted[shard] then
    redis.call("SREM", key("left", job), shard)
    if waiting[shard] then
      redis.call("LREM", key("pending", job), 0, shard)
    end
  end
end
for i = 7, #ARGV do
  local shard = ARGV[i]
  redis.call("SADD", key("left", job), shard)
  local in_work = waiting[shard]
    or redis.call("HEXISTS", key("care"), work("synth", job, shard)) == 1
    or redis.call("HEXISTS", key("care"), work("check", job, shard)) == 1
    or redis.call("ZSCORE", key("later"), work("synth", job, shard))
    or redis.call("ZSCORE", key("later"), work("check", job, shard))
  if not in_work then
    redis.call("RPUSH", key("pending", job), shard)
  end
end
rank(job)
