"""Exercises whose answers are checked: what the lessons ask, and what is said to an answer."""
