-- Keep a lease. ARGV: stage, job, shard, owner, lease in ms. Returns 1, or 0 when it is lost.
local name = key("lease", work(ARGV[1], ARGV[2], ARGV[3]))
if redis.call("GET", name) ~= ARGV[4] then
  return 0
end
return redis.call("PEXPIRE", name, ARGV[5])
