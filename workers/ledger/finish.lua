-- Let go of a piece of work, if it is ours. ARGV: stage, job, shard, owner.
local stage, job, shard, owner = unpack(ARGV)
local old = cared(stage, item(job, shard))
if not old or old.owner ~= owner then
  return 0
end
drop(stage, job, shard)
return 1
