-- Drop everything of a job. ARGV: job.
local job = ARGV[1]
local shards, names = redis.call("HKEYS", key("left", job)), {}
table.insert(shards, "")
for _, shard in ipairs(shards) do
  table.insert(names, item(job, shard))
end
redis.call("DEL", key("job", job), key("left", job), key("pending", job))
redis.call("SREM", key("jobs"), job)
rank(job)
for _, stage in ipairs({ "synth", "check", "finalize" }) do
  in_batches(names, function(...)
    redis.call("HDEL", key("tries", stage), ...)
    redis.call("ZREM", key("later", stage), ...)
    local found = redis.call("HMGET", key("care", stage), ...)
    for i, name in ipairs({ ... }) do
      if found[i] then
        drop(stage, job, string.match(name, "|(.*)$"))
      end
    end
  end)
end
