"""A file for each section of attacks, a test for each row that can be tried on this server; ids are in the names."""
