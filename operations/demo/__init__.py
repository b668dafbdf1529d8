"""An invented year of a company's marketing and sales, played through the portal's own verbs.

`stories` says what people out there do (pure, from a seed), `reps` what sales does with it, and
`simulation` plays both in order of time. `traffic` goes on from there over the public HTTP API.
All names are made up, all domains end in .example, and telephone numbers come from the ranges that
regulators keep free for fiction.
"""
