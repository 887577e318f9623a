-- Let go of a piece of work, if it is ours. ARGV: stage, job, shard, owner.
local name = key("lease", work(ARGV[1], ARGV[2], ARGV[3]))
if redis.call("GET", name) ~= ARGV[4] then
  return 0
end
redis.call("DEL", name)
drop(ARGV[1], ARGV[2], ARGV[3])
return 1
