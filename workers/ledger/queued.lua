-- Note that work is published now. ARGV: stage, job, shard, priority. Returns the time.
local at = now()
care(ARGV[1], ARGV[2], ARGV[3], ARGV[4], "queued", at)
redis.call("ZREM", key("later"), work(ARGV[1], ARGV[2], ARGV[3]))
return string.format("%.6f", at)
