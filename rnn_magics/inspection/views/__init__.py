"""The views of a model, of a text and of minibatches."""
