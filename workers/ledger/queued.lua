-- Note that work is published now. ARGV: stage, job, shard, priority. Returns the time.
local at = now()
publish(ARGV[1], ARGV[2], ARGV[3], ARGV[4], at)
redis.call("ZREM", key("later", ARGV[1]), item(ARGV[2], ARGV[3]))
return text(at)
