"""ACTS: the one floor that knows both rules and store."""
