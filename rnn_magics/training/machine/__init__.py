"""Where a training runs: device, threads, number type, memory."""
