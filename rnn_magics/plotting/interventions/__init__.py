"""The figures of a changed state."""
