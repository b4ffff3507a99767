"""Whole stories over the whole server: a browser, an app and a clock, on each kind of database."""
