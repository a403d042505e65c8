"""HTML forms of results, made of one set of pieces."""
