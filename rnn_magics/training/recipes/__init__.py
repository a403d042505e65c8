"""Recipes: settings by name, and the model that suits a time."""
