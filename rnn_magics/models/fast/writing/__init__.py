"""The compiled loop of decoding: the steps of a model, and the choice of each token."""
