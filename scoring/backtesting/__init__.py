"""A version run against history, as everything was known then."""
