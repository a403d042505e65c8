"""The magics, one file each: options, the library call, what is done."""
