"""The views of models, texts and minibatches."""
