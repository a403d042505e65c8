"""How a sweep looks while it runs, and what is kept of it."""
