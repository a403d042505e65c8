"""Sweeps: a search over settings, of which each trial is a run in a folder."""
