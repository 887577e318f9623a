-- A shard wants another take: it is next of its job's. ARGV: job, shard.
local job, shard = ARGV[1], ARGV[2]
local name = item(job, shard)
drop("check", job, shard)
redis.call("HDEL", key("tries", "check"), name)
local is_left = redis.call("HEXISTS", key("left", job), shard) == 1
if is_left and redis.call("HEXISTS", key("care", "synth"), name) == 0 then
  redis.call("LREM", key("pending", job), 0, shard)
  redis.call("LPUSH", key("pending", job), shard)
  rank(job)
end
