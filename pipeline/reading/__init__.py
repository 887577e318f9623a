"""A file → a Script: title, author, chapters, paragraphs, speakers, language."""
