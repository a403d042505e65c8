"""A state is changed, and what follows is measured: patches, ablations, probes."""
