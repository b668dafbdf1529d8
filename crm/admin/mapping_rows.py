"""What the mapping's editor shows beside its forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.urls import reverse

from crm.admin.mapping_forms import RowForm
from crm.describing import Description
from crm.mapping import LEAD_KEY, TASK_KEY
from crm.mapping.checking import KIND_WORDS, RemoteField
from crm.models import FieldMapping, OwnerMapping, QueueMapping, StatusMapping


@dataclass(frozen=True)
class Row:
    """One field of the mapping: its form, and what is known of both ends."""

    form: RowForm
    remote: RemoteField | None

    @property
    def mapping(self) -> FieldMapping:
        return self.form.instance

    @property
    def kind(self) -> str:
        return KIND_WORDS[self.form.portal.kind] if self.form.portal else ""


@dataclass(frozen=True)
class Group:
    """Rows of one subject."""

    heading: str
    rows: list[Row]


@dataclass(frozen=True)
class Fixed:
    """A field that the portal writes by itself."""

    ours: str
    theirs: str
    words: str
    link: str = ""
    link_label: str = ""


def group_rows(forms: Iterable[RowForm], descriptions: Mapping[str, Description]) -> list[Group]:
    """The rows by what they are about, in the order of the catalogue; tasks last."""
    groups: dict[str, list[Row]] = {}
    for form in forms:
        described = descriptions.get(form.instance.object_name)
        remote = described.field(form.instance.salesforce_field) if described else None
        groups.setdefault(_heading(form), []).append(Row(form, remote))
    return [Group(heading, rows) for heading, rows in groups.items()]


def _heading(form: RowForm) -> str:
    if form.instance.object_name == "Task":
        return "Task of a handoff"
    return form.portal.group if form.portal else "No longer known"


def fixed_fields() -> Iterator[Fixed]:
    """What is exchanged in any case, and where it is set."""
    statuses, people = StatusMapping.objects.count(), OwnerMapping.objects.count()
    queues = QueueMapping.objects.count()
    yield Fixed("Id of the lead", LEAD_KEY, "Tells which record is which lead; never changes.")
    yield Fixed(
        "Stage",
        "Status",
        f"Both ways: {statuses} of the stages have a status.",
        reverse("admin:crm_statusmapping_changelist"),
        "Statuses",
    )
    yield Fixed(
        "Owner",
        "OwnerId",
        f"Both ways: {people} people are Salesforce users.",
        reverse("admin:crm_ownermapping_changelist"),
        "Owners",
    )
    yield Fixed(
        "Pool",
        "OwnerId",
        f"To Salesforce, while nobody owns the lead: {queues} pools are queues.",
        reverse("admin:crm_queuemapping_changelist"),
        "Queues",
    )
    yield Fixed("Handoff", f"Task, by {TASK_KEY}", "To Salesforce: subject, day due, package, status, owner.")
