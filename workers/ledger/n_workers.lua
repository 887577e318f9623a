-- Return how many workers live that serve a stage. ARGV: stage.
return redis.call("ZCOUNT", key("workers", ARGV[1]), now(), "+inf")
