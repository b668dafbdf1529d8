"""Reasons and the feedback policy in the admin; what people said is there to be read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from feedback.models import (
    AcceptanceReason,
    Commitment,
    Dispute,
    FeedbackPolicy,
    MarketingTask,
    Pulse,
    QualityCheck,
    Recycling,
    RejectionReason,
    Verdict,
)
from feedback.wording import problems_of
from handoffs.admin.bases import EditableListAdmin, OneRowAdmin, ReadOnlyAdmin
from leads.fit import FIT_FIELDS

Type, Treatment = RejectionReason.Type, RejectionReason.Treatment

# Treatments that bring the lead back by themselves need to know when.
DELAYED = (Treatment.EDUCATE, Treatment.NURTURE)
# Every type has its consequence (FEED-1).
CONSEQUENCES_OF_TYPE = {
    Type.PROCEDURAL: (Treatment.REROUTE,),
    Type.CLERICAL: (Treatment.FIX_DATA,),
    Type.DEFINITIONAL: (
        Treatment.BLOCK_UNTIL_FIT_CHANGES,
        Treatment.NURTURE,
        Treatment.EDUCATE,
        Treatment.DISQUALIFY,
    ),
    Type.TIMING: (Treatment.EDUCATE, Treatment.NURTURE),
    Type.DUPLICATE: (Treatment.LINK_DUPLICATE,),
    Type.UNREACHABLE: (Treatment.RE_ENGAGE,),
}


class ReasonForm(forms.ModelForm[RejectionReason]):
    fit_fields = forms.MultipleChoiceField(
        choices=[(name, words[:1].upper() + words[1:]) for name, words in FIT_FIELDS.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Comes back when one of these changes",
        help_text="For “Blocked until a fit attribute changes”. None: any of them.",
    )

    class Meta:
        model = RejectionReason
        fields = (
            "code", "label", "position", "is_active", "type", "treatment", "consequence",
            "recycle_after_days", "fit_fields", "requires_attempts", "requires_note", "requires_duplicate",
            "tells_marketing",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        treatment = cleaned.get("treatment")
        if treatment in DELAYED and not cleaned.get("recycle_after_days"):
            self.add_error("recycle_after_days", "Say after how many days the lead is looked at again.")
        if treatment == Treatment.LINK_DUPLICATE and not cleaned.get("requires_duplicate"):
            self.add_error("requires_duplicate", "Linking needs the other lead: tick this.")
        if cleaned.get("fit_fields") and treatment != Treatment.BLOCK_UNTIL_FIT_CHANGES:
            self.add_error("fit_fields", "Only a lead blocked until its fit changes waits for these.")
        if problem := _why_no_consequence(cleaned.get("type"), treatment):
            self.add_error("treatment", problem)
        for problem in problems_of(
            cleaned.get("consequence") or "",
            has_delay=bool(cleaned.get("recycle_after_days")),
            has_fit_fields=bool(cleaned.get("fit_fields")),
        ):
            self.add_error("consequence", problem)
        return cleaned


def _why_no_consequence(type_: str | None, treatment: str | None) -> str:
    """What is wrong with this treatment for reasons of this type; blank if nothing."""
    if not (type_ and treatment):
        return ""
    possible = CONSEQUENCES_OF_TYPE[Type(type_)]
    if treatment in possible:
        return ""
    words = " or ".join(f"“{each.label}”" for each in possible)
    return f"What follows from a reason of this type is {words}."


@admin.register(RejectionReason)
class RejectionReasonAdmin(EditableListAdmin):
    form = ReasonForm
    list_display = ("label", "code", "type", "treatment", "recycle_after_days", "position", "is_active")
    list_editable = ("position", "is_active")

    def get_readonly_fields(
        self, request: HttpRequest, obj: RejectionReason | None = None
    ) -> tuple[str, ...]:
        # Handoffs keep the code, and Salesforce maps it: a used one must not change its meaning.
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: RejectionReason | None = None) -> bool:
        return False  # switched off, never deleted: verdicts name it


@admin.register(Verdict)
class VerdictAdmin(ReadOnlyAdmin):
    list_display = ("handoff", "reason", "by", "at", "via")
    list_filter = ("reason", "via")
    list_select_related = ("handoff__lead", "reason", "by")
    show_full_result_count = False


@admin.register(Recycling)
class RecyclingAdmin(ReadOnlyAdmin):
    list_display = ("lead", "treatment", "started_at", "wake_at", "woken_at", "parked_at", "error")
    list_filter = ("treatment",)
    list_select_related = ("lead",)
    show_full_result_count = False


@admin.register(FeedbackPolicy)
class FeedbackPolicyAdmin(OneRowAdmin):
    list_display = (
        "__str__",
        "fix_minutes",
        "dispute_minutes",
        "reading_minutes",
        "acceptance_goal",
        "min_decided",
        "review_months",
    )


@admin.register(Commitment)
class CommitmentAdmin(ReadOnlyAdmin):
    list_display = ("month", "mqls", "good_percent", "by", "at")
    list_select_related = ("by",)


@admin.register(MarketingTask)
class MarketingTaskAdmin(ReadOnlyAdmin):
    list_display = ("kind", "lead", "wanted", "due_at", "done_at", "done_by")
    list_filter = ("kind",)
    list_select_related = ("lead", "done_by")
    show_full_result_count = False


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ("verdict", "by", "at", "due_at", "outcome", "settled_by", "settled_at")
    list_filter = ("outcome",)
    list_select_related = ("verdict__reason", "by", "settled_by")
    show_full_result_count = False


@admin.register(QualityCheck)
class QualityCheckAdmin(ReadOnlyAdmin):
    list_display = ("handoff", "really_qualified", "data_matched", "timing_right", "conversation", "by", "at")
    list_filter = ("really_qualified", "data_matched", "timing_right", "conversation")
    list_select_related = ("handoff__lead", "by")
    show_full_result_count = False


@admin.register(AcceptanceReason)
class AcceptanceReasonAdmin(ReadOnlyAdmin):
    list_display = ("handoff", "drivers", "note", "by", "at")
    list_select_related = ("handoff__lead", "by")
    show_full_result_count = False


@admin.register(Pulse)
class PulseAdmin(ReadOnlyAdmin):
    list_display = ("month", "side", "score", "person", "comment")
    list_filter = ("side", "month")
    list_select_related = ("person",)
