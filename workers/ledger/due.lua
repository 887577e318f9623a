-- Return what was put off until now; it stays until it is published.
local at = now()
return redis.call("ZRANGEBYSCORE", key("later"), "-inf", at)
