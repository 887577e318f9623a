"""Voices made from reference audio: who agreed to what, and the clips, by UUID in the store."""
