"""Sources of text: built-in names, files and downloads."""
