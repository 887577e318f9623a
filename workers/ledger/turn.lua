-- Whose turn something is. ARGV: its name, who asks, for how many seconds. Returns 1 or 0.
local name = key("turn", ARGV[1])
local holder = redis.call("GET", name)
if not holder then
  redis.call("SET", name, ARGV[2], "PX", math.floor(tonumber(ARGV[3]) * 1000))
end
return (not holder or holder == ARGV[2]) and 1 or 0
