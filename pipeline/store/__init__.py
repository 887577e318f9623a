"""Objects by name: a local folder now, S3 with the queue."""
