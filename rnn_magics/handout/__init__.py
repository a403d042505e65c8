"""A run, written out as a script in plain PyTorch."""
