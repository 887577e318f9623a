-- A shard is settled. ARGV: job, shard. Returns how many are left; -1 when the job is unknown.
local job, shard = ARGV[1], ARGV[2]
clear(job, shard)
if not is_known(job) then
  return -1
end
if redis.call("HDEL", key("left", job), shard) == 1 then
  unqueue(job, shard)
end
return redis.call("HLEN", key("left", job))
