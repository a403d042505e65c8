"""Files: a model with all that belongs to it, checkpoints of a training, folders of a run."""
