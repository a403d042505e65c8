"""Text becomes token indices."""
