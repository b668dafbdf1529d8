"""What a scoring model says: its rules as plain values, their arithmetic and their words. Pure."""
