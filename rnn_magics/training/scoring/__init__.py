"""The held-out text as a training sees it: when it is scored, and which weights were best."""
