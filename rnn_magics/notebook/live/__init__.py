"""A run while it trains: who drives it, and what is shown of it."""
