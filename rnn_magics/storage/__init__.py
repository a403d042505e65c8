"""Files: a model with everything that belongs to it, checkpoints, and the folders of runs."""
