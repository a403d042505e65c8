"""What a file of a run holds: its parts, its scores, and the state of its training."""
