"""`make bench [ONLY=name]`: measure, print a table, append JSON lines to var/bench.jsonl."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

from bench.figures import Figure, append_json_lines, as_table
from bench.running import BENCHMARKS, run_one
from handoff_portal.database import VAR


def main(only: str) -> int:
    if only and only not in BENCHMARKS:
        print(f"There is no benchmark {only!r}. Choose one of: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        for name in [only] if only else BENCHMARKS:
            print(f"Measuring {name} …", file=sys.stderr)
            figures += pool.submit(run_one, name).result()
    append_json_lines(figures, VAR / "bench.jsonl")
    print(as_table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
