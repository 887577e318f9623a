-- Put work off. ARGV: stage, job, shard, seconds.
drop(ARGV[1], ARGV[2], ARGV[3])
redis.call("ZADD", key("later"), now() + tonumber(ARGV[4]), work(ARGV[1], ARGV[2], ARGV[3]))
