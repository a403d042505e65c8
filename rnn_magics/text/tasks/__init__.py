"""Made-up tasks: texts of which the best possible prediction is known."""
