"""The commands of workers, mounted by `voxmill` by name: one file a command."""
