-- Take back that an attempt was counted. ARGV: stage, job, shard.
local name = item(ARGV[2], ARGV[3])
if redis.call("HINCRBY", key("tries", ARGV[1]), name, -1) <= 0 then
  redis.call("HDEL", key("tries", ARGV[1]), name)
end
