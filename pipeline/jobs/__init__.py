"""A job in the store: its request, plan, shards, receipts and result. Knows no queue."""
