"""How well a model predicts a text: its perplexity, and that of n-gram models."""
