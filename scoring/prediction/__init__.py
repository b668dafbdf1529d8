"""Predictions fitted on outcomes, shown beside the rule score and never in its place (SCORE-12).

From a table to a report: `features` reads our own leads as they were known at their handoff, `reading` a
foreign file; `columns` turns either into numbers, `fitting` fits, `measures` measures, `training` does it all
on a split that keeps the later rows apart, and a `trial` on those gives the `report`. `storing` keeps a
fitted model without pickle; `candidates` is its life; `refreshing` says of each open lead what the model in
use thinks, and `reasons` why.

numpy and scikit-learn are heavy: only `columns`, `measures`, `fitting`, `trial`, `training`, `storing` and
`reasons` import them, and what a web process loads imports those inside the function that needs them.
"""
