"""Shared rules, one question each."""
