"""Campaigns: crashes, races and hostile input. Short in every test run, long with ./dev torture."""
