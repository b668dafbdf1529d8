"""What runs by the clock. After a change: `manage.py sync_schedule` (deploys and `make` do it).

A task takes no arguments, is safe to run twice and claims its work from marks: a missed run loses nothing.
"""

from datetime import timedelta

import sla.tasks
from operations.schedule import Periodic

SCHEDULE = [
    Periodic("sla-sweep", sla.tasks.sweep_clocks_task, every=timedelta(seconds=15)),
    Periodic("sla-recompute", sla.tasks.recompute_changed_clocks_task, every=timedelta(minutes=1)),
]
