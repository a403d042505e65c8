"""From a magic line to a library call: words, options, call."""
