"""A development stack on loopback: Redis, S3, workers and a reconciler as plain processes."""
