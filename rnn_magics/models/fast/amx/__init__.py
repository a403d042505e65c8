"""Products of float32 matrices on the matrix unit of recent Intel CPUs (AMX)."""
