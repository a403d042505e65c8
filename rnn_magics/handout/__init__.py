"""A run written out in plain PyTorch."""
