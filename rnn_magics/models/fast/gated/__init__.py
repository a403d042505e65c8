"""The cells whose gates depend on the input alone.

`scans` has the recurrences, `functions` what torch sees.
"""
