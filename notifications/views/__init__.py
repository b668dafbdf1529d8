"""Pages: what I was told, how I want to be told, and what became of every message."""
