"""A file becomes a Script: title, author, chapters, paragraphs, speakers, language.

Every format is first brought to a `Draft` of parts in reading order; what follows (chapters, marks,
speakers, clean white space) is the same for all. May import manifest and errors, not its siblings.
"""
