"""Tokens as numbers, in memory and on disk."""
