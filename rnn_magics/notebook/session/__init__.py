"""What a shell keeps from cell to cell."""
