"""Trials in processes of their own, which share the cores."""
