"""The pages of scoring: fetch, check, one verb, render."""
