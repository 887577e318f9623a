-- What every script begins with: names, time, long lists. The 1 is the version of this layout.

local function key(...)
  return "voxmill:1:" .. table.concat({ ... }, ":")
end

local function now()
  local time = redis.call("TIME")
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function text(seconds)
  return string.format("%.6f", seconds)
end

local function is_known(job)
  return redis.call("EXISTS", key("job", job)) == 1
end

local function tenant_of(job)
  return string.match(job, "^(.*):") or ""
end

-- Call with the members of a list, no more at once than Lua can pass.
local function in_batches(list, act)
  for i = 1, #list, 1000 do
    act(unpack(list, i, math.min(i + 999, #list)))
  end
end
