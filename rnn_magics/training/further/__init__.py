"""Going on with a model: on which text, with which tokens."""
