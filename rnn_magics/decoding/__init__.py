"""New text from a trained model, and the surprise of a given text."""
