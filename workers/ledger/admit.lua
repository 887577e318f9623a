-- Make a job's state what the store says. ARGV: job, weight, priority, created, limit,
-- shards without a receipt …
local job = ARGV[1]
redis.call("HSET", key("job", job), "weight", ARGV[2], "priority", ARGV[3], "created", ARGV[4],
  "limit", ARGV[5])
redis.call("SADD", key("jobs"), job)

local wanted, had, gone, new = {}, {}, {}, {}
for i = 6, #ARGV do
  wanted[ARGV[i]] = true
end
for _, shard in ipairs(redis.call("HKEYS", key("left", job))) do
  had[shard] = true
  if not wanted[shard] then
    table.insert(gone, shard)
  end
end
for i = 6, #ARGV do
  if not had[ARGV[i]] then
    table.insert(new, ARGV[i])
    table.insert(new, "")
  end
end
in_batches(gone, function(...) redis.call("HDEL", key("left", job), ...) end)
in_batches(new, function(...) redis.call("HSET", key("left", job), ...) end)

-- Those that wait keep their order; those that nobody looks after are put last.
local line, is_there, has_changed = {}, {}, false
for _, shard in ipairs(redis.call("LRANGE", key("pending", job), 0, -1)) do
  if wanted[shard] then
    is_there[shard] = true
    table.insert(line, shard)
  else
    has_changed = true
  end
end
local missing, names = {}, {}
for i = 6, #ARGV do
  if not is_there[ARGV[i]] then
    table.insert(missing, ARGV[i])
    table.insert(names, item(job, ARGV[i]))
  end
end
local is_away, at = {}, 0
in_batches(names, function(...)
  for _, stage in ipairs({ "synth", "check" }) do
    local cares = redis.call("HMGET", key("care", stage), ...)
    local delays = redis.call("ZMSCORE", key("later", stage), ...)
    for i = 1, #cares do
      is_away[at + i] = is_away[at + i] or cares[i] or delays[i]
    end
  end
  at = at + select("#", ...)
end)
for i, shard in ipairs(missing) do
  if not is_away[i] then
    table.insert(line, shard)
    has_changed = true
  end
end
if has_changed then
  redis.call("DEL", key("pending", job))
  in_batches(line, function(...) redis.call("RPUSH", key("pending", job), ...) end)
end
rank(job)
