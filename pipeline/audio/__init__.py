"""Audio primitives shared by the stages: clips, energy, resampling, the ffmpeg process.

Imports nothing of ours but `pipeline.errors`.
"""
