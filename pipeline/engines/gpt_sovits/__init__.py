"""GPT-SoVITS, written anew: reads the checkpoints people have and speaks as upstream does.

Imports nothing of ours but `pipeline.errors` and its own modules; torch and transformers are
imported nowhere else in Voxmill.
"""
