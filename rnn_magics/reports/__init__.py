"""What a run has reached, in numbers and words."""
