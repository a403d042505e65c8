"""How well a model predicts a text: perplexity, and what counting reaches."""
