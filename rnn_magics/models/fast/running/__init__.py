"""How the compiled functions are run: on threads, and once more from a tape."""
