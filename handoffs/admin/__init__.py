"""The admin of handoffs, by subject. Importing it registers the screens."""

from handoffs.admin import cadences, records, recycling, routing, standards
from handoffs.admin.bases import ReadOnlyAdmin

__all__ = ["ReadOnlyAdmin", "cadences", "records", "recycling", "routing", "standards"]
