-- A shard wants another take: it is next of its job's. ARGV: job, shard.
local job, shard = ARGV[1], ARGV[2]
drop("check", job, shard)
redis.call("HDEL", key("tries", "check"), item(job, shard))
put_first(job, shard)
