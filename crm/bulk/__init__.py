"""Many leads at once, by Bulk API 2.0 (CRM-4): a few calls where collections of 200 would need thousands.

A job is filled with waiting leads, handed over as one file, asked after until it has ended, and its results
are recorded like those of any other call. Each of these steps is a mark on its row, so that any worker goes
on where another one was killed; every row is an upsert by our own key, so that doing one twice does no harm.
What was refused or cut off once travels by collections, where an error says more.
"""

from crm.bulk.jobs import carry_on
from crm.bulk.lanes import lanes_in_bulk

__all__ = ["carry_on", "lanes_in_bulk"]
