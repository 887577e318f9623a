-- Note that work is published now. ARGV: stage, job, shard, priority. Returns the time.
local stage, job, shard, at = ARGV[1], ARGV[2], ARGV[3], now()
local name = item(job, shard)
if stage == "synth" and not cared(stage, name) then
  unqueue(job, shard)
end
publish(stage, job, shard, ARGV[4], at)
redis.call("ZREM", key("later", stage), name)
return text(at)
