-- A shard is spoken: it is published to be checked. ARGV: job, shard, priority. Returns the time.
local job, shard, at = ARGV[1], ARGV[2], now()
drop("synth", job, shard)
redis.call("HDEL", key("tries", "synth"), item(job, shard))
publish("check", job, shard, ARGV[3], at)
return text(at)
