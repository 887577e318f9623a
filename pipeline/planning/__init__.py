"""A Script → a Plan: chunks with text, voice, language, pause and pronunciation."""
