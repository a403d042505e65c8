"""Series of numbers: values become levels, and levels stand for values again."""
