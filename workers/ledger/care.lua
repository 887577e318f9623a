-- What has been published or is worked at, and is not done: "priority|since|owner" by stage and
-- "job|shard", with no owner while it is published. Two more orders tell what is neglected: by
-- when it was published, and by when its lease runs out.

local function item(job, shard)
  return job .. "|" .. shard
end

local function cared(stage, name)
  local value = redis.call("HGET", key("care", stage), name)
  if not value then
    return nil
  end
  local priority, since, owner = string.match(value, "^(.-)|(.-)|(.*)$")
  local expires = tonumber(redis.call("ZSCORE", key("leased", stage), name) or 0)
  return { priority = priority, since = since, owner = owner, is_held = expires > now() }
end

local function take_out(stage, name)
  local old = cared(stage, name)
  if old then
    redis.call("ZREM", key("queued", stage, old.priority), name)
    redis.call("ZREM", key("leased", stage), name)
  end
  return old
end

local function put_in(stage, job, name, value)
  if redis.call("HSET", key("care", stage), name, value) == 1 and stage == "synth" then
    redis.call("HINCRBY", key("tenants"), tenant_of(job), 1)
  end
end

-- Note that work is published at a time, unless somebody is at it.
local function publish(stage, job, shard, priority, at)
  local name = item(job, shard)
  local old = cared(stage, name)
  if old and old.is_held then
    return
  end
  take_out(stage, name)
  redis.call("ZADD", key("queued", stage, priority), at, name)
  put_in(stage, job, name, priority .. "|" .. text(at) .. "|")
end

local function lease(stage, job, shard, priority, owner, lease_s)
  local name, at = item(job, shard), now()
  take_out(stage, name)
  redis.call("ZADD", key("leased", stage), at + lease_s, name)
  put_in(stage, job, name, priority .. "|" .. text(at) .. "|" .. owner)
end

-- Leave work to nobody.
local function drop(stage, job, shard)
  local name = item(job, shard)
  if not take_out(stage, name) then
    return
  end
  redis.call("HDEL", key("care", stage), name)
  if stage == "synth" then
    local tenant = tenant_of(job)
    if redis.call("HINCRBY", key("tenants"), tenant, -1) <= 0 then
      redis.call("HDEL", key("tenants"), tenant)
    end
    unpark(tenant)
  end
end

-- Drop a shard at both of its stages, and what was counted there.
local function clear(job, shard)
  local name = item(job, shard)
  for _, stage in ipairs({ "synth", "check" }) do
    drop(stage, job, shard)
    redis.call("HDEL", key("tries", stage), name)
    redis.call("ZREM", key("later", stage), name)
  end
end
