"""Checkpoint files as GPT-SoVITS writes them: opened without trust, told apart by content."""
