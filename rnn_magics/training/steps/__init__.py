"""One step of a training, on the CPU and on a device."""
