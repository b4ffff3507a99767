"""The demo: a throw-away server and a small third-party shop that uses it."""
