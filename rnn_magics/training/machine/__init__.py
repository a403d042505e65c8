"""The machine that trains: device, threads, number type and memory."""
