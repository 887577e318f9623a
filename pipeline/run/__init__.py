"""The stages put together: what happens to a chunk, to a book, and to a finished folder.

`render` runs them in one process tree; the queue's workers call the same stage functions.
"""
