"""The magics, one file each: its options, its library call, its function."""
