"""The admin of handoffs, by subject. Importing it registers the screens."""

from handoffs.admin import acknowledgement, cadences, records, recycling, routing, standards
from handoffs.admin.bases import ReadOnlyAdmin

__all__ = ["ReadOnlyAdmin", "acknowledgement", "cadences", "records", "recycling", "routing", "standards"]
