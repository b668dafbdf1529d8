"""The stand-in's own pages: its records, its calls, its faults and its setup."""
