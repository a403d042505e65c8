"""How the settings of the next trial are chosen, and which trials end early."""
