"""Where a text comes from: built-in names, files and downloads."""
