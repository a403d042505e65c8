"""A run in training: what drives it, and how it is shown."""
