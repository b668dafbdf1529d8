"""What pages show of a package: as it was frozen, whether it still is that, and what happened since."""

from __future__ import annotations

from typing import Any

from handoffs.models import ContextPackage, Handoff
from handoffs.package.completeness import fact_labels
from handoffs.package.content import is_intact
from handoffs.package.reading import group_timeline, read_content
from handoffs.package.since_then import what_happened_since
from handoffs.package.text import engagement_words
from scoring.models import LeadScore

# The visits that are read at once; those before them open on a click.
HAPPENINGS = 6


def tell_package(handoff: Handoff) -> dict[str, Any]:
    """The context of the package's templates. `package` is None for a handoff that was imported without;
    how warm the lead was is known of any.

    Expects the handoff with its package, and its lead with company and score.
    """
    package: ContextPackage | None = getattr(handoff, "package", None)
    warmth = LeadScore.Warmth(handoff.warmth).label
    if package is None:
        return {"package": None, "warmth": warmth}
    content = read_content(package.content)
    happenings = group_timeline(content["timeline"])
    return {
        "package": package,
        "warmth": warmth,
        "content": content,
        "engagement": engagement_words(content["engagement"]) if content["engagement"] else [],
        "happenings": happenings[:HAPPENINGS],
        "earlier_happenings": happenings[HAPPENINGS:],
        "missing": fact_labels(package.missing),
        "is_intact": is_intact(package),
        "since_then": what_happened_since(package, handoff),
    }
