-- Drop everything of a job. ARGV: job.
local job = ARGV[1]
local shards = redis.call("SMEMBERS", key("left", job))
table.insert(shards, "")
for _, shard in ipairs(shards) do
  for _, stage in ipairs({ "synth", "check", "finalize" }) do
    drop(stage, job, shard)
    redis.call("HDEL", key("tries"), work(stage, job, shard))
    redis.call("ZREM", key("later"), work(stage, job, shard))
  end
end
redis.call("DEL", key("job", job), key("left", job), key("pending", job))
redis.call("ZREM", key("fair"), job)
