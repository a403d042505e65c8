"""New text from a trained model, and the score of a given text."""
