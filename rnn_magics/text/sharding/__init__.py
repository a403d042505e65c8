"""A text in shards, which workers read, each by itself."""
