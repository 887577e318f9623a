-- Take a piece of work. ARGV: stage, job, shard, priority, published at, owner, lease in seconds.
-- Returns the attempt's number; nothing when it is not to be done now.
local stage, job, shard, priority, sent, owner = unpack(ARGV)
local name = item(job, shard)
local mark = tonumber(redis.call("HGET", key("mark"), stage .. "|" .. priority)) or 0
if tonumber(sent) > mark and tonumber(sent) <= now() then
  redis.call("HSET", key("mark"), stage .. "|" .. priority, sent)
end
local old = cared(stage, name)
if not old and is_known(job) then
  return false -- an old message: the work is done, or at another stage
end
if old and old.is_held then
  -- Our own means that the answer to this very question was lost.
  return old.owner == owner and tonumber(redis.call("HGET", key("tries", stage), name) or 1)
end
lease(stage, job, shard, priority, owner, tonumber(ARGV[7]))
return redis.call("HINCRBY", key("tries", stage), name, 1)
