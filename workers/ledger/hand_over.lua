-- A shard is spoken: it is published to be checked. ARGV: job, shard, priority. Returns the time.
local job, shard, at = ARGV[1], ARGV[2], now()
drop("synth", job, shard)
redis.call("HDEL", key("tries"), work("synth", job, shard))
care("check", job, shard, ARGV[3], "queued", at)
return string.format("%.6f", at)
