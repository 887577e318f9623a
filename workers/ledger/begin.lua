-- Take a piece of work. ARGV: stage, job, shard, priority, published at, owner, lease in ms.
-- Returns the attempt's number; nothing when it is not to be done now.
local stage, job, shard = ARGV[1], ARGV[2], ARGV[3]
local name = work(stage, job, shard)
local mark = tonumber(redis.call("HGET", key("mark"), stage .. "|" .. ARGV[4])) or 0
if tonumber(ARGV[5]) > mark then
  redis.call("HSET", key("mark"), stage .. "|" .. ARGV[4], ARGV[5])
end
local is_known = redis.call("EXISTS", key("job", job)) == 1
if is_known and redis.call("HEXISTS", key("care"), name) == 0 then
  return false -- an old message: the work is done, or at another stage
end
local holder = redis.call("GET", key("lease", name))
if holder and holder ~= ARGV[6] then
  return false
end
redis.call("SET", key("lease", name), ARGV[6], "PX", ARGV[7])
care(stage, job, shard, ARGV[4], "leased", now())
return redis.call("HINCRBY", key("tries"), name, 1)
