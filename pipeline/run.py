"""The stages in one process, for `voxmill render`."""
