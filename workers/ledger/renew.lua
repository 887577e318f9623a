-- Keep a lease. ARGV: stage, job, shard, owner, lease in seconds. Returns 1, or 0 when it is lost.
-- One that ran out, or that Redis has forgotten, is ours again while nobody else has taken over.
local stage, job, shard, owner = unpack(ARGV)
local old = cared(stage, item(job, shard))
if old and old.is_held and old.owner ~= owner then
  return 0
end
if not old and is_known(job) then
  return 0 -- settled, or waiting for its turn
end
local priority = old and old.priority or "normal"
lease(stage, job, shard, priority, owner, tonumber(ARGV[5]))
return 1
