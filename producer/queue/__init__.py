"""Submitting: inputs fetched, planned, written into the store, and the queue told."""
