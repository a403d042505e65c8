"""Figures of series of numbers."""
