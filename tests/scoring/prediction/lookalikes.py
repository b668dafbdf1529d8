"""Tables whose truth is known: drawn from a formula, so that what can be learnt of them is too."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scoring.prediction.measures import Ranked
from scoring.prediction.tables import Table

SOURCES = ("Referral", "Google", "Direct", "Chat")
PULL = {"Referral": 1.2, "Google": 0.0, "Direct": -0.6, "Chat": -1.2}


def logistic_table(rows: int, *, seed: int, timed: bool = True) -> tuple[Table, np.ndarray]:
    """Success by a formula of visits, minutes and source; with the true chance of each row."""
    rng = np.random.default_rng(seed)
    visits, minutes = rng.poisson(3, rows), rng.normal(10, 4, rows)
    source = rng.choice(SOURCES, rows)
    noise = rng.normal(size=rows)
    odds = -1.2 + 0.35 * (visits - 3) + 0.2 * (minutes - 10) + np.array([PULL[name] for name in source])
    chances = 1 / (1 + np.exp(-odds))
    table = Table(
        columns={
            "visits": visits.astype(float).tolist(),
            "minutes": [
                None if hidden else value
                for hidden, value in zip(rng.random(rows) < 0.02, minutes, strict=True)
            ],
            "source": source.tolist(),
            "noise": noise.tolist(),
        },
        target=(rng.random(rows) < chances).tolist(),
        target_name="converted",
        times=[float(row) for row in range(rows)] if timed else None,
        time_name="row",
    )
    return table, chances


def best_area(target: Sequence[bool], chances: np.ndarray) -> float:
    """The ROC-AUC of whoever knew the formula."""
    happened = np.array(target, dtype=float)
    return Ranked.of(happened, chances).roc_auc(np.ones(len(happened)))


def write_csv(path: Path, rows: Sequence[dict[str, object]], *, delimiter: str = ",") -> Path:
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def course_leads(rows: int, *, seed: int) -> list[dict[str, object]]:
    """As people who sell courses export their leads: ids, "Select" where nothing was chosen, constants, and a
    column that sales fills in once the outcome is known."""
    table, _ = logistic_table(rows, seed=seed)
    rng = np.random.default_rng(seed)
    return [
        {
            "Prospect ID": f"{rng.integers(2**62):016x}",
            "Lead Number": 660_737 - row,
            "Lead Source": table.columns["source"][row] if rng.random() < 0.9 else "Select",
            "TotalVisits": int(table.columns["visits"][row]),
            "Total Time Spent on Website": ""
            if (time := table.columns["minutes"][row]) is None
            else f"{time:.2f}",
            "Specialization": rng.choice(["Select", "Finance", "Law, tax and more", "unknown"]),
            "Magazine": "No",
            "What matters most to you": "",
            "Comment": f"Said {rng.integers(2**40)} things" if rng.random() < 0.5 else "",
            "Tags": "Closed by Horizzon" if table.target[row] else "Interested in other courses",
            "Created": f"2024-{1 + row * 12 // rows:02d}-{1 + row % 28:02d}",
            "Converted": int(table.target[row]),
        }
        for row in range(rows)
    ]
