"""Summaries by the calendar, for who asks for them (NOTE-3): a rep's day, a manager's week.

`turns` says whose turn it is, `sending` makes each once, `day` and `week` say what is in it."""
