"""A model that runs in the page."""
