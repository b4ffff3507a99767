"""The command line, for the operator. Nothing here imports more than click before a command runs."""
