"""One training step, on the CPU and on an accelerator."""
