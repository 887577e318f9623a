"""What happens to text and audio: read → plan → synthesize → check → assemble.

Knows no queue: nothing below this package imports celery or redis. The import order inside it
is enforced by import-linter (see `pyproject.toml`).
"""
