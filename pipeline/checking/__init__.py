"""Audio + text → a verdict: missing, repeated, truncated or noisy words."""
