"""Other people's clients, untouched, each through the whole flow against a running server. What and how: README.md."""
