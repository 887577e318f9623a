-- Note that a worker lives. ARGV: worker, for how many seconds, stages …
local at = now()
for i = 3, #ARGV do
  redis.call("ZREMRANGEBYSCORE", key("workers", ARGV[i]), "-inf", at)
  redis.call("ZADD", key("workers", ARGV[i]), at + tonumber(ARGV[2]), ARGV[1])
end
