"""Communication with the browser page: what it asks, and what it is sent."""
