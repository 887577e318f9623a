-- A shard wants another take: it is next of its job's. ARGV: job, shard.
local job, shard = ARGV[1], ARGV[2]
redis.call("HDEL", key("care"), work("check", job, shard))
redis.call("HDEL", key("tries"), work("check", job, shard))
if redis.call("HEXISTS", key("care"), work("synth", job, shard)) == 0 then
  redis.call("LREM", key("pending", job), 0, shard)
  redis.call("LPUSH", key("pending", job), shard)
  rank(job)
end
