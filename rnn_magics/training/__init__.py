"""The training loop, its state, its events and its results."""
