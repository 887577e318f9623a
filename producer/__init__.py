"""How work gets in: the command line. Imports pipeline, never workers."""
