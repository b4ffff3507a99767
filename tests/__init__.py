"""The tests: at the same paths as the source, then whole stories, browsers, other people's clients, crashes."""
