-- A shard is worked at in parts from now on. ARGV: job, shard, parts …
local job, shard = ARGV[1], ARGV[2]
clear(job, shard)
if not is_known(job) then
  return
end
redis.call("HDEL", key("left", job), shard)
unqueue(job, shard)
for i = #ARGV, 3, -1 do
  if redis.call("HSETNX", key("left", job), ARGV[i], "") == 1 then
    redis.call("LPUSH", key("pending", job), ARGV[i])
  end
end
rank(job)
