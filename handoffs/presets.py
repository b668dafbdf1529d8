"""The handoff side of a protocol preset: pools, routing rules, playbooks, the SQL gate, the package standard.

Plain values in, rows and a plan in sentences out. What marketing added beside a preset is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

import structlog
from django.db import transaction
from django.db.models import Model

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from handoffs.contact import PARTS
from handoffs.models import (
    Attempt,
    PackageStandard,
    Playbook,
    Pool,
    PoolMembership,
    QualificationGate,
    RoutingRule,
)
from handoffs.package import FACTS

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class PoolPreset:
    """A pool of all active BDRs who are in no pool yet: so many new leads a week, so many open at once."""

    name: str
    weekly_capacity: int = 50
    max_open: int = 100


@dataclass(frozen=True, kw_only=True)
class RulePreset:
    """A routing rule; blank conditions hold for any lead."""

    name: str
    pool: str
    countries: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    employees_from: int | None = None
    employees_to: int | None = None


@dataclass(frozen=True, kw_only=True)
class PlaybookPreset:
    """What to say first to leads that show any of these signals; blank: to any lead."""

    name: str
    channel: Attempt.Channel
    timing: str
    opening_line: str
    next_step: str
    signal_keys: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HandoffPreset:
    """`gate`: parts of BANT that must be a yes for SQL. `package`: facts a complete package holds."""

    pools: tuple[PoolPreset, ...]
    rules: tuple[RulePreset, ...]
    playbooks: tuple[PlaybookPreset, ...]
    gate: tuple[str, ...] = PARTS
    package: tuple[str, ...] = field(default=("name", "title", "email", "phone", "company"))


@transaction.atomic
def load_handoff_preset(preset: HandoffPreset, *, by: User | None, dry_run: bool = False) -> list[str]:
    """Lay the preset over what is there; return what changes (or, dry, would change), in sentences.

    Rows are known by their names: those of the preset take its values, others stay. Loading it again changes
    nothing. Raises InvalidInput for a part of BANT or a fact nobody knows, NotAllowed.
    """
    if by is not None and by.role != User.Role.MANAGER and not by.is_superuser:
        raise NotAllowed("Only a manager can change how leads are handed off.")
    _require_known(preset)
    rollback = transaction.savepoint()
    plan = list(_load(preset))
    if dry_run:
        transaction.savepoint_rollback(rollback)
    else:
        transaction.savepoint_commit(rollback)
        log.info("handoff_preset_loaded", changes=len(plan), by=by.pk if by else None)
    return plan


def _require_known(preset: HandoffPreset) -> None:
    for part in preset.gate:
        if part not in PARTS:
            raise InvalidInput(f"BANT has no part “{part}”. Use {', '.join(PARTS)}.", field="gate")
    for fact in preset.package:
        if fact not in FACTS:
            raise InvalidInput(f"A package has no “{fact}”. Use {', '.join(FACTS)}.", field="package")


def _load(preset: HandoffPreset) -> Iterator[str]:
    pools = {}
    for wanted in preset.pools:
        pools[wanted.name], sentences = _load_pool(wanted)
        yield from sentences
    for position, rule in enumerate(preset.rules, start=1):
        values = _values(rule) | {"position": position, "pool": pools[rule.pool], "is_active": True}
        yield from _lay(RoutingRule, rule.name, values, "the routing rule")
    for position, playbook in enumerate(preset.playbooks, start=1):
        values = _values(playbook) | {"position": position, "is_active": True}
        yield from _lay(Playbook, playbook.name, values, "the playbook")
    yield from _require(QualificationGate, preset.gate, "SQL needs a yes to")
    yield from _require(PackageStandard, preset.package, "A complete package needs")


def _load_pool(preset: PoolPreset) -> tuple[Pool, list[str]]:
    pool, is_new = Pool.objects.get_or_create(name=preset.name)
    sentences = [f"Add the pool “{pool}”."] if is_new else []
    newcomers = User.objects.filter(role=User.Role.BDR, is_active=True, memberships=None).order_by("pk")
    for user in newcomers:
        PoolMembership.objects.create(
            pool=pool, user=user, weekly_capacity=preset.weekly_capacity, max_open=preset.max_open
        )
        sentences.append(
            f"Add {user} to the pool “{pool}”: {preset.weekly_capacity} new leads a week, "
            f"{preset.max_open} open at once."
        )
    return pool, sentences


def _values(preset: RulePreset | PlaybookPreset) -> dict[str, object]:
    """The preset's values as the columns hold them: lists, not tuples."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(preset).items()
        if name not in ("name", "pool")
    }


def _lay(
    model: type[RoutingRule] | type[Playbook], name: str, values: Mapping[str, object], noun: str
) -> list[str]:
    row = model._default_manager.filter(name=name).first()
    if row is None:
        model._default_manager.create(name=name, **values)
        return [f"Add {noun} “{name}”."]
    return [f"Change {noun} “{name}”."] if _change(row, values) else []


def _require(
    model: type[QualificationGate] | type[PackageStandard], wanted: tuple[str, ...], words: str
) -> list[str]:
    row, _ = model._default_manager.get_or_create()
    if not _change(row, {"requires": list(wanted)}):
        return []
    return [f"{words} {', '.join(wanted).replace('_', ' ')}."]


def _change(row: Model, values: Mapping[str, object]) -> bool:
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)
    return bool(changed)


# --- Presets ------------------------------------------------------------------------------------

# Published: five BDRs at fifty new leads a week, and a conversation plan by what the lead did.
CLASSIC = HandoffPreset(
    pools=(PoolPreset(name="Inbound", weekly_capacity=50),),
    rules=(RulePreset(name="Everything else", pool="Inbound"),),
    playbooks=(
        PlaybookPreset(
            name="Asked for a demo",
            signal_keys=("demo-request",),
            channel=Attempt.Channel.CALL,
            timing="Now, while it is on their mind",
            opening_line="Hello {first_name}, you asked to see how it works. What made you look today?",
            topics=("What they want to see in the demo", "Who else decides at {company}", "By when"),
            objections=(
                "“I only wanted to look around”: offer fifteen minutes on the one thing they came for",
                "“Send me the prices”: ask for the number of users first, then send a range",
            ),
            next_step="Book the demo with everybody who decides",
        ),
        PlaybookPreset(
            name="Weighs the prices",
            signal_keys=("pricing-page",),
            channel=Attempt.Channel.CALL,
            timing="Today, within working hours",
            opening_line="Hello {first_name}, who compares prices often wonders what a start takes. "
            "Is that so at {company}?",
            topics=("What they compare us with", "Budget and who holds it", "What staying as it is costs"),
            objections=(
                "“It costs too much”: ask what the present way costs in a month",
                "“We have a tool”: ask what it does not do",
            ),
            next_step="Agree on a call with whoever holds the budget",
        ),
        PlaybookPreset(
            name="Reads about others like them",
            signal_keys=("case-study",),
            channel=Attempt.Channel.EMAIL,
            timing="Today",
            opening_line="Hello {first_name}, you read how others solved this. Which part is like {company}?",
            topics=("What in the case is like theirs", "Their numbers against those of the case"),
            objections=("“We are different”: ask in what, and offer a reference closer to them",),
            next_step="Offer a talk with a customer of their industry",
        ),
        PlaybookPreset(
            name="Shows interest",
            channel=Attempt.Channel.EMAIL,
            timing="Within a working day",
            opening_line="Hello {first_name}, {company} looks into this, I saw. What should change?",
            topics=("What brought them here", "How they do it now"),
            objections=("“Not now”: ask when it comes up again, and agree on a date",),
            next_step="Find out whether there is a need, and by when",
        ),
    ),
)

PRESETS = {"classic": CLASSIC}
