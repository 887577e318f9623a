-- What was put off until now. Shards that are to be spoken get in line, first of their job's; the
-- rest is returned (stage, job, shard, priority) and stays until it is published.
local at, found = now(), {}
for _, name in ipairs(redis.call("ZRANGEBYSCORE", key("later", "synth"), "-inf", at)) do
  local job, shard = string.match(name, "^(.*)|(.*)$")
  redis.call("ZREM", key("later", "synth"), name)
  put_first(job, shard)
end
for _, stage in ipairs({ "check", "finalize" }) do
  for _, name in ipairs(redis.call("ZRANGEBYSCORE", key("later", stage), "-inf", at)) do
    local job, shard = string.match(name, "^(.*)|(.*)$")
    local priority = redis.call("HGET", key("job", job), "priority") or "normal"
    for _, each in ipairs({ stage, job, shard, priority }) do
      table.insert(found, each)
    end
  end
end
return found
