"""What one shell keeps from cell to cell."""
