"""What marketing and managers decide about the loop is edited in the admin, in plain words."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from feedback.admin import ReasonForm
from feedback.models import FeedbackPolicy
from handoffs.models import Pool, RecycleContract
from tests.desk import reason

REASON = {
    "code": "odd", "label": "Odd", "position": "1", "is_active": "on", "consequence": "–",
    "requires_note": "on", "requires_attempts": "0",
}  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "treatment", "refused"),
    [
        ("clerical", "fix_data", ""),
        ("clerical", "disqualify", "What follows from a reason of this type is “Marketing fixes the data”."),
        ("definitional", "reroute", "Blocked until a fit attribute changes” or “Nurture"),
        ("definitional", "disqualify", ""),
        ("timing", "disqualify", "“Education track, re-checked after a delay” or “Nurture"),
        ("unreachable", "disqualify", "What follows from a reason of this type is “Rare contact"),
    ],
)
def test_a_type_has_its_consequence(db: None, type_: str, treatment: str, refused: str) -> None:
    """FEED-1."""
    form = ReasonForm(REASON | {"type": type_, "treatment": treatment})

    assert form.is_valid() is not bool(refused)
    assert refused in " ".join(form.errors.get("treatment", []))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("recycle_after_days", "2147483647", "This is longer than ten years: the unit is days."),
        ("requires_attempts", "31", "At most 30: a cadence has no more."),
        ("fit_fields", ["shoe_size"], "Select a valid choice"),
        ("fit_fields", ["country"], "Only a lead blocked until its fit changes waits for these."),
        (
            "consequence",
            "Re-checked in 30 days.",
            "Write {days} for the number of days: it follows the delay.",
        ),
        ("consequence", "Re-checked by {rep}.", "Nothing fills in {rep}. Use {days} or {attributes}."),
    ],
)
def test_a_reason_asks_for_nothing_that_cannot_be(
    db: None, field: str, value: str | list[str], words: str
) -> None:
    """A delay that no date can hold would fail each rejection with that reason."""
    nurture = {"type": "timing", "treatment": "nurture", "recycle_after_days": "30"}
    form = ReasonForm(REASON | nurture | {field: value})

    assert words in " ".join(form.errors[field])


@pytest.mark.parametrize(
    ("path", "field", "value", "words"),
    [
        (
            "feedback/feedbackpolicy",
            "fix_minutes",
            "2147483647",
            "longer than 30 whole days of work: the unit",
        ),
        ("feedback/feedbackpolicy", "dispute_minutes", "0", "Promise at least 1 minute."),
        ("feedback/feedbackpolicy", "acceptance_goal", "101", "A share is at most 100 per cent."),
        ("feedback/feedbackpolicy", "min_decided", "0", "A pattern needs at least 1 decision."),
        ("feedback/feedbackpolicy", "review_months", "13", "Review at least once a year: at most 12 months."),
        ("handoffs/recyclecontract", "cool_off_days", "9999", "longer than ten years: the unit is days."),
        ("handoffs/pool", "declined_for_days", "2147483647", "longer than ten years: the unit is days."),
    ],
)
def test_no_span_is_longer_than_any_date_can_hold(
    client: Client, pool: Pool, manager: User, path: str, field: str, value: str, words: str
) -> None:
    row = {"feedbackpolicy": FeedbackPolicy, "recyclecontract": RecycleContract, "pool": Pool}
    changed = row[path.rpartition("/")[2]].objects.get()
    client.force_login(manager)

    page = client.post(f"/admin/{path}/{changed.pk}/change/", {field: value}).content.decode()

    assert words in page


def test_the_manager_sets_the_recycle_contract_by_keys_of_signals(
    client: Client, pool: Pool, manager: User
) -> None:
    client.force_login(manager)
    path = f"/admin/handoffs/recyclecontract/{RecycleContract.objects.get().pk}/change/"

    # "direct-inquiry" is of the preset and in no rule here; it may stay.
    wrong = {"min_points": "25", "cool_off_days": "3", "enough_signals": ["direct-inquiry", "no-such"]}
    answer = client.post(path, wrong).content.decode()
    client.post(path, wrong | {"enough_signals": ["direct-inquiry", "case-study"]})

    assert "No signal has the key no-such." in answer
    contract = RecycleContract.objects.get()
    assert (contract.min_points, contract.cool_off_days) == (25, 3)
    assert contract.enough_signals == ["direct-inquiry", "case-study"]


def test_marketing_ticks_what_brings_a_lead_back_and_the_reps_read_it(
    client: Client, pool: Pool, marketing: User
) -> None:
    region = reason("unsuitable-region")
    path = f"/admin/feedback/rejectionreason/{region.pk}/change/"
    client.force_login(marketing)
    page = client.get(path)
    shown = {
        name: "" if value is None else value for name, value in page.context["adminform"].form.initial.items()
    }

    client.post(path, {**shown, "is_active": "on", "fit_fields": ["country"], "requires_note": ""})

    region.refresh_from_db()
    assert "Country of the company" in page.content.decode()
    assert (region.fit_fields, region.promise) == (["country"], "Comes back only when country changes.")


def test_marketing_does_not_set_its_own_clock(
    client: Client, pool: Pool, marketing: User, manager: User
) -> None:
    path = f"/admin/feedback/feedbackpolicy/{FeedbackPolicy.objects.get().pk}/change/"
    terms = {"fix_minutes": "60", "dispute_minutes": "60", "acceptance_goal": "90", "min_decided": "5"}
    terms |= {"review_months": "3", "reading_minutes": "60", "completeness_goal": "80"}
    terms |= {"sql_from": "40", "sql_to": "70"}

    client.force_login(marketing)
    assert client.post(path, terms).status_code == 403
    client.force_login(manager)
    client.post(path, terms)

    assert FeedbackPolicy.objects.get().fix_minutes == 60
