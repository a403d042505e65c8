"""A line becomes a call: its words, its options, the library call that they stand for."""
