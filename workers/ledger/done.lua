-- A shard is settled. ARGV: job, shard. Returns how many are left; -1 when nothing has changed.
local job, shard = ARGV[1], ARGV[2]
for _, stage in ipairs({ "synth", "check" }) do
  drop(stage, job, shard)
  redis.call("HDEL", key("tries"), work(stage, job, shard))
  redis.call("ZREM", key("later"), work(stage, job, shard))
end
if redis.call("SREM", key("left", job), shard) == 0 then
  return -1
end
redis.call("LREM", key("pending", job), 0, shard)
rank(job)
return redis.call("SCARD", key("left", job))
