"""Fuzzing of what reads bytes of strangers. Replay: python -m tests.torture.fuzz TARGET FILE"""
