-- Return the work that nobody looks after: stage, job, shard, priority of each.
-- ARGV: slack in seconds, queues ("stage|priority") that are known to be empty …

-- So many of each kind at once; the rest next time.
local AT_MOST = 1000

local slack, at, is_empty, found = tonumber(ARGV[1]), now(), {}, {}
for i = 2, #ARGV do
  is_empty[ARGV[i]] = true
end

local function add(stage, names)
  for _, name in ipairs(names) do
    local job, shard = string.match(name, "^(.*)|(.*)$")
    for _, each in ipairs({ stage, job, shard, cared(stage, name).priority }) do
      table.insert(found, each)
    end
  end
end

for _, stage in ipairs({ "synth", "check", "finalize" }) do
  local leased = key("leased", stage)
  add(stage, redis.call("ZRANGEBYSCORE", leased, "-inf", at, "LIMIT", 0, AT_MOST))
  for _, priority in ipairs({ "high", "normal", "low" }) do
    -- Messages are taken in order: one that was published before another that has been taken,
    -- and one in a queue that is empty, is not coming any more.
    local lane = stage .. "|" .. priority
    local horizon = tonumber(redis.call("HGET", key("mark"), lane)) or 0
    if is_empty[lane] then
      horizon = at
    end
    if horizon <= at then -- else the server's clock was set back
      local queued, before = key("queued", stage, priority), "(" .. text(horizon - slack)
      add(stage, redis.call("ZRANGEBYSCORE", queued, "-inf", before, "LIMIT", 0, AT_MOST))
    end
  end
end
return found
