"""One file an endpoint: read (what must be looked up) and decide."""
