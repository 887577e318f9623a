-- Put work off. ARGV: stage, job, shard, seconds.
local stage, job, shard = unpack(ARGV)
drop(stage, job, shard)
if stage == "synth" then
  unqueue(job, shard)
end
redis.call("ZADD", key("later", stage), now() + tonumber(ARGV[4]), item(job, shard))
