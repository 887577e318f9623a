"""Everything that crosses a process or is stored: frozen, versioned, one noun per file.

Imports nothing of ours but `pipeline.errors`.
"""
