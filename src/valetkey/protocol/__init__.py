"""DECIDES: OAuth's rules as pure functions. No I/O, no clock, no randomness, no framework."""
