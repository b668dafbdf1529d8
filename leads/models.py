"""Facts: who the lead is, what they did, how we know, and the log of what we did about it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from accounts.models import User
from common.parking import MarkedWork
from leads.fit import fit_in_words


def _beginning_of(field: str) -> OpClass:
    """What an index needs so that `istartswith` on the field is looked up in it, in any collation."""
    return OpClass(Upper(field), name="text_pattern_ops")


class CompanyQuerySet(models.QuerySet["Company"]):
    def due_to_spread(self, now: datetime) -> Self:
        """Companies with news that their leads have not been told, and which are not parked."""
        return self.filter(spread_at__lte=now, parked_at=None)


class Company(MarkedWork):
    """An account: the organisation a lead works for, keyed by its normalised domain (INTAKE-1)."""

    name = models.CharField(max_length=255)
    domain = models.CharField(
        max_length=253, blank=True, help_text="Lower case, without www; blank if unknown."
    )
    employee_count = models.PositiveIntegerField(null=True, blank=True)
    industry = models.CharField(max_length=120, blank=True)
    technologies = models.CharField(
        "tech stack",
        max_length=500,
        blank=True,
        help_text="What they work with, separated by commas; blank if unknown.",
    )
    growth_signals = models.CharField(
        max_length=500,
        blank=True,
        help_text="Signs of growth such as hiring or funding, separated by commas; blank if unknown.",
    )
    country = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    # Mark: a fact of the company changed, and its leads have not been told yet.
    spread_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "companies"
        constraints = (
            models.UniqueConstraint(
                fields=["domain"], condition=~Q(domain=""), name="company_domain_is_unique"
            ),
        )
        indexes = (
            # The sweep that tells the leads of changed companies.
            models.Index(
                fields=["spread_at"], condition=Q(spread_at__isnull=False), name="company_spread_at"
            ),
            models.Index(_beginning_of("name"), name="company_name_begins"),
            models.Index(_beginning_of("domain"), name="company_domain_begins"),
        )

    def __str__(self) -> str:
        return self.name


class LeadQuerySet(models.QuerySet["Lead"]):
    def visible_to(self, user: User) -> Self:
        """The leads this person may read: BDRs their own and their team's, everybody else all."""
        if user.role != User.Role.BDR:
            return self
        return self.filter(Q(owner=user) | Q(team__isnull=False, team=user.team_id))

    def due(self, now: datetime) -> Self:
        """Leads whose mark says they should be looked at, and which are not parked."""
        return self.filter(advance_at__lte=now, advance_parked_at=None)

    def lock(self, pk: int) -> Lead:
        """Fetch one lead and lock its row: always the first lock of a verb (ARCHITECTURE, lock order).

        Its key stays free: whoever writes a row that names the lead, such as a backfill of signals, need
        not wait for the lead, and so the two never wait for each other.
        """
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)


class Lead(models.Model):
    """One person who might buy (INTAKE-1: one row per person)."""

    class Stage(models.TextChoices):
        LEAD = "lead", "Lead"
        MQL = "mql", "MQL"
        SAL = "sal", "SAL"
        SQL = "sql", "SQL"
        OPPORTUNITY = "opportunity", "Opportunity"
        CUSTOMER = "customer", "Customer"
        NURTURE = "nurture", "Nurture"
        DISQUALIFIED = "disqualified", "Disqualified"
        LOST = "lost", "Lost"

    class Hold(models.TextChoices):
        """Why the lead may not become an MQL for now (FEED-2)."""

        NONE = "", "Not held"
        UNTIL_DATE = "until_date", "Until a date"
        UNTIL_FIT_CHANGES = "until_fit_changes", "Until a fit attribute changes"
        UNTIL_ACTIVITY = "until_activity", "Until new activity"
        UNTIL_FIXED = "until_fixed", "Until marketing has fixed its data"
        FOR_GOOD = "for_good", "For good"

    # From each stage, the stages a lead may move to. The order is the protocol's; labels may change.
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Stage.LEAD: frozenset({Stage.MQL, Stage.NURTURE, Stage.DISQUALIFIED}),
        Stage.MQL: frozenset({Stage.LEAD, Stage.SAL, Stage.NURTURE, Stage.DISQUALIFIED}),
        Stage.SAL: frozenset({Stage.LEAD, Stage.MQL, Stage.SQL, Stage.NURTURE, Stage.DISQUALIFIED}),
        Stage.SQL: frozenset({Stage.OPPORTUNITY, Stage.LOST, Stage.NURTURE, Stage.DISQUALIFIED}),
        Stage.OPPORTUNITY: frozenset({Stage.CUSTOMER, Stage.LOST, Stage.NURTURE}),
        Stage.CUSTOMER: frozenset(),
        Stage.NURTURE: frozenset({Stage.LEAD, Stage.MQL, Stage.DISQUALIFIED}),
        Stage.DISQUALIFIED: frozenset({Stage.LEAD, Stage.MQL, Stage.NURTURE}),
        Stage.LOST: frozenset({Stage.MQL, Stage.NURTURE, Stage.DISQUALIFIED}),
    }

    # Who it is
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.CharField(max_length=254, blank=True, help_text="Normalised: lower case, IDNA domain.")
    source_system = models.CharField(max_length=40, blank=True)
    external_id = models.CharField(
        max_length=120, blank=True, help_text="The lead's id in the source system."
    )
    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    title = models.CharField(max_length=128, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    website = models.CharField(max_length=255, blank=True)
    country = models.CharField(max_length=80, blank=True)
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, null=True, blank=True, related_name="leads"
    )

    # Where it came from
    source = models.CharField(max_length=80, blank=True)
    campaign = models.CharField(max_length=120, blank=True)

    # What they want, as far as routing asks (HAND-3)
    language = models.CharField(
        max_length=40, blank=True, help_text="Language they write or speak with us, such as German."
    )
    product_line = models.CharField(max_length=80, blank=True)
    deal_size = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Expected amount of the deal; blank if unknown."
    )

    # What they answered
    budget = models.CharField(max_length=200, blank=True)
    timeline = models.CharField(max_length=200, blank=True)
    current_solution = models.CharField(max_length=500, blank=True)
    pain_point = models.CharField(max_length=1000, blank=True)
    consent_at = models.DateTimeField(null=True, blank=True)
    unsubscribed_at = models.DateTimeField(
        null=True, blank=True, help_text="Asked for no more automatic e-mail: none is sent."
    )

    # Where it stands
    stage = models.CharField(max_length=16, choices=Stage, default=Stage.LEAD)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="owned_leads"
    )
    team = models.ForeignKey(
        "accounts.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="leads"
    )
    hold = models.CharField(max_length=20, choices=Hold, default=Hold.NONE, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    held_for = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        help_text="The fit attributes one of which must change to free it; none: any.",
    )
    recycled_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When sales last returned it; evidence must be newer to qualify again.",
    )
    trips = models.PositiveSmallIntegerField(default=0, help_text="How often sales returned it.")

    # Marks (ARCHITECTURE: work goes up by marks on rows)
    advance_at = models.DateTimeField(
        null=True, blank=True, help_text="Look at this lead from this time on; null: nothing to do."
    )
    advance_attempts = models.PositiveSmallIntegerField(default=0)
    advance_parked_at = models.DateTimeField(null=True, blank=True)
    advance_error = models.CharField(max_length=500, blank=True)
    unmatched_from = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Activities from this id on have not been matched to signals yet.",
    )
    revision = models.PositiveIntegerField(
        default=0, help_text="Grows with every logged change; only log_event bumps it."
    )

    created_at = models.DateTimeField()
    last_activity_at = models.DateTimeField(null=True, blank=True)

    objects = LeadQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["email"], condition=~Q(email=""), name="lead_email_is_unique"),
            models.UniqueConstraint(
                fields=["source_system", "external_id"],
                condition=~Q(external_id=""),
                name="lead_external_id_is_unique",
            ),
            models.CheckConstraint(
                condition=~Q(email="") | (~Q(external_id="") & ~Q(source_system="")),
                name="lead_is_known_by_email_or_external_id",
            ),
            models.CheckConstraint(
                condition=Q(hold="until_date", held_until__isnull=False)
                | (~Q(hold="until_date") & Q(held_until=None)),
                name="lead_is_held_until_a_date_only_with_one",
            ),
            models.CheckConstraint(
                condition=Q(hold="until_fit_changes") | Q(held_for=[]),
                name="lead_waits_for_attributes_only_until_its_fit_changes",
            ),
        )
        indexes = (
            # The pipeline's sweep: due leads, oldest mark first.
            models.Index(fields=["advance_at"], condition=Q(advance_parked_at=None), name="lead_advance_at"),
            # /leads/ pages by key, newest first.
            models.Index(fields=["-created_at", "-id"], name="lead_newest_first"),
            models.Index(fields=["stage", "-created_at"], name="lead_by_stage"),
            # /leads/ searches by what a name or an address begins with, whatever the case.
            models.Index(_beginning_of("first_name"), name="lead_first_name_begins"),
            models.Index(_beginning_of("last_name"), name="lead_last_name_begins"),
            models.Index(_beginning_of("email"), name="lead_email_begins"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email or self.external_id

    @property
    def hold_in_words(self) -> str:
        """What it is held for, such as "until country or company changes"; its date is `held_until`."""
        if self.hold == self.Hold.UNTIL_FIT_CHANGES:
            return f"until {fit_in_words(self.held_for)} changes"
        label = self.Hold(self.hold).label
        return f"{label[:1].lower()}{label[1:]}"


class AttributeChange(models.Model):
    """One value of a lead or company that was filled in or replaced: nothing is overwritten silently
    (INTAKE-1), and scores can be computed as of any past moment (SCORE-7). What a field held at a moment is
    the old value of the first change after it, else what it holds now. For the field "company" of a lead
    the values are ids of companies, blank for none. A trigger refuses update and delete."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, null=True, related_name="attribute_changes")
    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, null=True, related_name="attribute_changes"
    )
    field = models.CharField(max_length=40)
    old_value = models.TextField(blank=True)
    new_value = models.TextField(blank=True)
    changed_at = models.DateTimeField()
    source = models.CharField(max_length=40)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(lead__isnull=False, company=None) | Q(lead=None, company__isnull=False),
                name="attribute_change_is_of_a_lead_or_a_company",
            ),
        )
        indexes = (
            models.Index(fields=["lead", "changed_at"], name="attribute_change_of_lead"),
            models.Index(fields=["company", "changed_at"], name="attribute_change_of_company"),
        )

    def __str__(self) -> str:
        return f"{self.field}: {self.old_value} → {self.new_value}"


class OtherAnswer(models.Model):
    """What a further source said about a field that already held a different value. The value held stays;
    this one is kept beside it until a person decides (INTAKE-1)."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, null=True, related_name="other_answers")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, null=True, related_name="other_answers")
    field = models.CharField(max_length=40)
    value = models.CharField(max_length=1000)
    source = models.CharField(max_length=40)
    said_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(lead__isnull=False, company=None) | Q(lead=None, company__isnull=False),
                name="other_answer_is_about_a_lead_or_a_company",
            ),
            models.UniqueConstraint(
                fields=["lead", "field", "value"], name="other_answer_of_lead_is_kept_once"
            ),
            models.UniqueConstraint(
                fields=["company", "field", "value"], name="other_answer_of_company_is_kept_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.label}: {self.value}"

    @property
    def label(self) -> str:
        """What it answers, in words: 'Title', 'Company industry'."""
        words = f"company {self.field}" if self.company_id else self.field
        return words.replace("_", " ").capitalize()

    @property
    def is_usable(self) -> bool:
        """Another company or another id is not an answer one can simply take over."""
        return self.field not in ("company", "external_id")


class Visitor(models.Model):
    """An anonymous or user id of a tracking source; joined to a lead once somebody says who it is (INTAKE-3).

    Ids of one person are joined flat: each points to one root by `same_as`, and the root points to nothing.
    """

    class Kind(models.TextChoices):
        ANONYMOUS_ID = "anonymous_id", "Anonymous id"
        USER_ID = "user_id", "User id"

    kind = models.CharField(max_length=16, choices=Kind)
    value = models.CharField(max_length=255)
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, null=True, related_name="visitors")
    same_as = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="other_ids")
    traits = models.JSONField(
        default=dict, help_text="What was said before anybody knew who it was; kept on the root."
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["kind", "value"], name="visitor_is_unique"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}"


class ActivityQuerySet(models.QuerySet["Activity"]):
    def visible_to(self, user: User) -> Self:
        """What the leads did that this person may read."""
        activities = self.filter(lead__isnull=False)
        if user.role != User.Role.BDR:
            return activities
        return activities.filter(lead__in=Lead.objects.visible_to(user))


class Activity(models.Model):
    """One behavioural event. Append-only; only the lead is filled in later, when a visitor becomes known.

    It is known as the lead's from the later of `received_at` and `attributed_at` on: whoever asks for a past
    moment leaves out what was known only after it (SCORE-7).
    """

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, null=True, related_name="activities")
    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, null=True, related_name="activities")
    event = models.CharField(
        max_length=120, help_text="Event name, such as Demo Requested; page views are 'Page Viewed'."
    )
    properties = models.JSONField(
        default=dict, help_text="Flat facts of the event: path, title, form, score …"
    )
    occurred_at = models.DateTimeField(help_text="When it happened, corrected for the sender's clock.")
    received_at = models.DateTimeField(help_text="When we learnt of it.")
    attributed_at = models.DateTimeField(
        null=True,
        help_text="When it was given to its lead, as the visitor became known; blank: known when received.",
    )
    message_id = models.CharField(max_length=255, unique=True)
    source = models.CharField(max_length=40)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "activities"
        constraints = (
            models.CheckConstraint(
                condition=Q(lead__isnull=False) | Q(visitor__isnull=False),
                name="activity_has_a_lead_or_a_visitor",
            ),
        )
        indexes = (
            models.Index(fields=["lead", "-occurred_at"], name="activity_of_lead"),
            models.Index(fields=["visitor"], condition=Q(lead=None), name="activity_of_unknown_visitor"),
        )

    def __str__(self) -> str:
        return self.event


class LeadEvent(models.Model):
    """One entry of the append-only log (HAND-2). A trigger refuses update and delete."""

    class Kind(models.TextChoices):
        CREATED = "created", "Lead created"
        MERGED = "merged", "Merged from another source"
        ATTRIBUTES_CHANGED = "attributes_changed", "Details changed"
        STAGE_CHANGED = "stage_changed", "Stage changed"
        SCORE_CHANGED = "score_changed", "Score changed"
        HANDED_OFF = "handed_off", "Handed to sales"
        ASSIGNED = "assigned", "Assigned"
        OVERFLOWED = "overflowed", "Put in the overflow queue"
        CLAIMED = "claimed", "Claimed from the overflow queue"
        OPENED = "opened", "Opened"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn by marketing"
        ATTEMPTED = "attempted", "Contact attempt"
        CONTACTED = "contacted", "First contact"
        QUALIFIED = "qualified", "Sales-qualified"
        BANT_RECORDED = "bant_recorded", "BANT recorded"
        OPPORTUNITY = "opportunity", "Opportunity opened"
        WON = "won", "Won"
        LOST = "lost", "Lost"
        RECYCLED = "recycled", "Recycled to nurture"
        RELEASED = "released", "Free to qualify again"
        CLOCK_STARTED = "clock_started", "SLA clock started"
        CLOCK_STOPPED = "clock_stopped", "SLA clock stopped"
        CLOCK_MOVED = "clock_moved", "SLA due time moved"
        BREACHED = "breached", "SLA breached"
        ESCALATED = "escalated", "Escalated"
        ACKNOWLEDGED = "acknowledged", "Acknowledged after hours"
        CONTACT_PLANNED = "contact_planned", "Next contact planned"
        QUALITY_CHECKED = "quality_checked", "Checked after the first conversation"
        ACCEPTANCE_EXPLAINED = "acceptance_explained", "Said why it was accepted"
        DISPUTED = "disputed", "Rejection disputed by marketing"
        DISPUTE_SETTLED = "dispute_settled", "Dispute settled"
        DATA_FIXED = "data_fixed", "Data fixed by marketing"
        UNDONE = "undone", "Undone"
        CRM_CHANGED = "crm_changed", "Changed in Salesforce"
        CRM_FLAGGED = "crm_flagged", "Salesforce needs a person"
        CRM_CONFLICT = "crm_conflict", "Both sides changed it"

    lead = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=24, choices=Kind)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    # A plain number: handoffs lie above leads, and foreign keys point down.
    handoff_id = models.BigIntegerField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = (
            models.Index(fields=["lead", "at", "id"], name="lead_event_of_lead"),
            models.Index(
                fields=["handoff_id", "at"],
                condition=Q(handoff_id__isnull=False),
                name="lead_event_of_handoff",
            ),
            # What was handed over in a period, and from there its outcomes.
            models.Index(fields=["at"], condition=Q(kind="handed_off"), name="lead_event_handed_off"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%d %b %Y %H:%M}"


class WriteKey(models.Model):
    """A Segment-style write key: lets a tracking stack send to /v1/ (INTAKE-3). Only its digest is kept."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class InboundMessage(models.Model):
    """What an inbound message was answered, so that its repetition is answered the same (INTAKE-4)."""

    key = models.CharField(max_length=300, unique=True, help_text="Source and message id or Idempotency-Key.")
    fingerprint = models.CharField(
        max_length=64, help_text="SHA-256 of the body: one key may not carry two bodies."
    )
    response_status = models.PositiveSmallIntegerField()
    response_body = models.JSONField()
    received_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key


class QuarantinedItem(models.Model):
    """An inbound item we could not take, kept to be inspected, fixed and replayed (INTAKE-5)."""

    class Source(models.TextChoices):
        API = "api", "REST API"
        SEGMENT = "segment", "Segment"
        IMPORT = "import", "File import"

    source = models.CharField(max_length=16, choices=Source)
    kind = models.CharField(max_length=24, help_text="What it was meant to be: lead, activity, identify, …")
    position = models.PositiveIntegerField(
        default=0, help_text="Its index in the batch or its row in the file."
    )
    field = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=500)
    payload = models.JSONField()
    origin = models.CharField(
        max_length=255, blank=True, help_text="File name, write key or token it came by."
    )
    fingerprint = models.CharField(
        max_length=64, unique=True, help_text="The same bad item twice is one row."
    )
    received_at = models.DateTimeField()
    replayed_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        indexes = (
            models.Index(
                fields=["-received_at"],
                condition=Q(replayed_at=None, dismissed_at=None),
                name="quarantined_item_open",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.kind} #{self.position}: {self.reason}"
