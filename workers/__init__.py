"""How work gets done on the queue: Celery tasks, leases, the reconciler, the finalizer."""
