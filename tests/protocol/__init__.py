"""Tests of the rules: tables of what is asked and what is decided."""
