"""When each word of a chunk is spoken: known text + audio → word timings, one span a word.

English goes through pocketsphinx with a dictionary made for the chunk, other languages through
Whisper's cross-attention; both are then snapped to the energy of the audio.
"""
