"""Chunk audio → stitched, mastered, aligned, subtitled and tagged files."""
