"""What a browser asks, and what it hears."""
