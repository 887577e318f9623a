"""Model files: where they are, how they are fetched, and whether they are what they claim."""
