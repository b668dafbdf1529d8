"""How complete the packages are that marketing hands over (HAND-5): by package, and as a rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Avg, Count, Q

from handoffs.models import ContextPackage, PackageStandard


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a package may be required to hold: what people call it, and where the content has it."""

    label: str
    section: str
    key: str

    def is_known(self, content: Mapping[str, Any]) -> bool:
        return content[self.section][self.key] not in ("", None)


FACTS: Mapping[str, Fact] = {
    "name": Fact("Name", "contact", "full_name"),
    "title": Fact("Title", "contact", "title"),
    "email": Fact("E-mail address", "contact", "email"),
    "phone": Fact("Phone", "contact", "phone"),
    "country": Fact("Country", "contact", "country"),
    "language": Fact("Language", "contact", "language"),
    "company": Fact("Company", "company", "name"),
    "company_size": Fact("Company size", "company", "employee_count"),
    "industry": Fact("Industry", "company", "industry"),
    "budget": Fact("Budget", "answers", "budget"),
    "timeline": Fact("Timeline", "answers", "timeline"),
    "current_solution": Fact("Present solution", "answers", "current_solution"),
    "pain_point": Fact("Problem", "answers", "pain_point"),
    "product_line": Fact("Product line", "answers", "product_line"),
    "deal_size": Fact("Deal size", "answers", "deal_size"),
    "source": Fact("Source", "source", "source"),
    "campaign": Fact("Campaign", "source", "campaign"),
}


@dataclass(frozen=True, slots=True)
class Completeness:
    """Per cent of the required facts that are known, the names of the others, and whether that is so little
    that marketing gets a task."""

    percent: int
    missing: list[str]
    needs_task: bool


def measure_completeness(content: Mapping[str, Any]) -> Completeness:
    """How much of what the standard requires the content holds; without a standard nothing is missing."""
    standard = PackageStandard.objects.first()
    required = [name for name in standard.requires if name in FACTS] if standard else []
    if standard is None or not required:
        return Completeness(100, [], needs_task=False)
    missing = [name for name in required if not FACTS[name].is_known(content)]
    percent = 100 * (len(required) - len(missing)) // len(required)
    return Completeness(percent, missing, needs_task=percent < standard.task_below)


def fact_labels(names: Iterable[str]) -> list[str]:
    """What people call the facts of these names; a name that no fact has any more is said as it is."""
    return [FACTS[name].label if name in FACTS else name.replace("_", " ").capitalize() for name in names]


@dataclass(frozen=True, slots=True)
class CompletenessRate:
    """Of the handoffs since a moment: how many came with all that was required, how complete they were on
    average (None: there were none), and which facts were missing how often, the most frequent first."""

    packages: int
    complete: int
    average: float | None
    missing: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float | None:
        """Per cent that were complete; None if there was no handoff."""
        return 100 * self.complete / self.packages if self.packages else None


def measure_completeness_rate(since: datetime) -> CompletenessRate:
    """Marketing's completeness rate from `since` on, by the standard in force at each handoff."""
    # By the handoff's time, which is that of freezing and has an index.
    packages = ContextPackage.objects.filter(handoff__created_at__gte=since)
    figures = packages.aggregate(
        packages=Count("pk"), complete=Count("pk", filter=Q(completeness=100)), average=Avg("completeness")
    )
    missing = Counter(
        name for names in packages.exclude(missing=[]).values_list("missing", flat=True) for name in names
    )
    named = sorted(missing.items(), key=lambda item: (-item[1], item[0]))
    labels = fact_labels(name for name, _ in named)
    return CompletenessRate(
        packages=figures["packages"],
        complete=figures["complete"],
        average=None if figures["average"] is None else float(figures["average"]),
        missing=tuple(zip(labels, (number for _, number in named), strict=True)),
    )
