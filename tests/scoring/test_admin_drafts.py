"""Drafts in the admin: groups, fading, multipliers and formulas as people say them, refusals as sentences,
and a workbench that reads the form unsaved (SCORE-2 to SCORE-6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from leads.models import Lead
from scoring.models import DecayStep, LeadScore, ModelVersion, Rule, RuleGroup
from scoring.presets import CLASSIC
from scoring.services import create_draft, load_scoring_preset, score_lead
from tests.factories import CompanyFactory, LeadFactory
from tests.scoring.builders import do, make_draft, make_signal
from tests.scoring.test_admin import field_of, filled_form, path_of, sentences

pytestmark = pytest.mark.django_db


@pytest.fixture
def active(marketing: User) -> ModelVersion:
    load_scoring_preset(CLASSIC, by=None, now=timezone.now())
    return ModelVersion.objects.active().get()


@pytest.fixture
def draft(active: ModelVersion, marketing: User) -> ModelVersion:
    return create_draft(based_on=active, by=marketing, now=timezone.now())


@pytest.fixture
def desk(client: Client, marketing: User) -> Client:
    client.force_login(marketing)
    return client


@pytest.fixture
def form(desk: Client, draft: ModelVersion) -> dict[str, Any]:
    return filled_form(desk, path_of(draft))


def workbench(record: ModelVersion, part: str) -> str:
    return f"/admin/scoring/modelversion/{record.pk}/{part}/"


def change(form: dict[str, Any], rule: str, **fields: object) -> None:
    for field, value in fields.items():
        form[field_of(form, rule, field)] = value


def add_group(form: dict[str, Any], name: str, cap: int) -> None:
    count = int(form["groups-TOTAL_FORMS"])
    form |= {"groups-TOTAL_FORMS": count + 1, f"groups-{count}-name": name, f"groups-{count}-cap": cap}


# Forms


def test_a_group_is_made_and_then_chosen(desk: Client, draft: ModelVersion, form: dict[str, Any]) -> None:
    add_group(form, "Content", 30)
    desk.post(path_of(draft), form)
    group = draft.groups.get()
    form = filled_form(desk, path_of(draft))
    change(form, "Case study", group=group.pk)

    response = desk.post(path_of(draft), form)

    assert response.status_code == 302
    assert draft.rules.get(name="Case study").group == group


def test_a_group_of_another_version_is_no_choice(
    desk: Client, draft: ModelVersion, form: dict[str, Any]
) -> None:
    foreign = RuleGroup.objects.create(version=make_draft(), name="Theirs", cap=5)
    change(form, "Case study", group=foreign.pk)

    response = desk.post(path_of(draft), form)

    assert "Select a valid choice" in sentences(response)
    assert draft.rules.get(name="Case study").group is None


def test_a_rule_of_another_version_cannot_be_edited_from_here(
    desk: Client, draft: ModelVersion, form: dict[str, Any]
) -> None:
    foreign = make_draft({"signal": make_signal("Other", ["Other"]), "points": 5}).rules.get()
    change(form, "Case study", id=foreign.pk, points=99)

    desk.post(path_of(draft), form)

    foreign.refresh_from_db()
    assert foreign.points == 5


def test_fading_is_written_as_people_say_it(desk: Client, draft: ModelVersion, form: dict[str, Any]) -> None:
    change(form, "Case study", decay="step", decay_days=30, decay_percent=25, decay_floor_percent=10)

    response = desk.post(path_of(draft), form)

    rule = draft.rules.get(name="Case study")
    assert response.status_code == 302
    assert (rule.decay, rule.decay_days, rule.decay_percent, rule.decay_floor_percent) == ("step", 30, 25, 10)


def test_what_no_longer_applies_is_let_go(desk: Client, draft: ModelVersion, form: dict[str, Any]) -> None:
    draft.rules.filter(name="Case study").update(
        decay="step", decay_days=30, decay_percent=25, decay_floor_percent=10, cap=40
    )
    form = filled_form(desk, path_of(draft))
    # A browser sends no field that is hidden, and none of a fading that is not chosen.
    for field in ("decay", "decay_days", "decay_percent", "decay_floor_percent", "points", "cap"):
        del form[field_of(form, "Case study", field)]
    form.pop(field_of(form, "Case study", "per_occurrence"), None)
    change(form, "Case study", kind="disqualifier")

    response = desk.post(path_of(draft), form)

    rule = draft.rules.get(name="Case study")
    assert response.status_code == 302
    assert (rule.kind, rule.points, rule.decay, rule.decay_days, rule.cap) == (
        "disqualifier",
        0,
        "",
        None,
        None,
    )


@pytest.mark.parametrize("typed", ["1.5", "×1.5", " x1.5 "])
def test_a_multiplier_is_typed_as_a_factor(
    desk: Client, draft: ModelVersion, form: dict[str, Any], typed: str
) -> None:
    change(form, "Case study", kind="multiplier", points="", factor=typed)
    form[field_of(form, "Case study", "per_occurrence")] = ""

    response = desk.post(path_of(draft), form | {"formula": "hybrid", "engagement_percent": 40})

    assert response.status_code == 302
    assert draft.rules.get(name="Case study").factor_per_mille == 1500
    again = filled_form(desk, path_of(draft))
    assert again[field_of(again, "Case study", "factor")] == "1.5"


def test_decay_is_typed_in_per_cent(desk: Client, draft: ModelVersion, form: dict[str, Any]) -> None:
    form["decay_steps-0-kept"] = "62.5"

    desk.post(path_of(draft), form)

    assert DecayStep.objects.filter(version=draft).first().per_mille == 625  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "multiplier", "points": 0}, "Say how much it multiplies"),
        ({"kind": "multiplier", "points": 0, "factor": "many"}, "Enter a number"),
        ({"kind": "multiplier", "points": 0, "factor": "-2"}, "between ×0.001 and ×10"),
        ({"kind": "multiplier", "points": 0, "factor": "99999"}, "between ×0.001 and ×10"),
        ({"kind": "multiplier", "points": 5, "factor": "2"}, "This kind of rule gives no points"),
        ({"decay": "linear"}, "over how many days the points fade"),
        ({"decay": "step", "decay_days": 30}, "how many per cent of the points each step takes"),
        ({"decay": "step", "decay_days": 30, "decay_percent": 200}, "must take from 1 to 100 %"),
        ({"decay": "half_life", "decay_days": 0}, "fade over 1 to 3,660 days"),
        ({"decay": "half_life", "decay_days": 7, "decay_floor_percent": 100}, "from 0 to 99 %"),
        ({"decay": "sideways", "decay_days": 7}, "Select a valid choice"),
        ({"min_count": 3, "max_count": 2}, "is less than “at least 3 times”"),
        ({"max_count": 10**12}, "less than or equal to"),
        ({"cap": 0}, "A cap must be from 1 to"),
    ],
)
def test_a_senseless_rule_is_refused_with_a_sentence(
    desk: Client, draft: ModelVersion, form: dict[str, Any], fields: dict[str, object], sentence: str
) -> None:
    change(form, "Case study", **fields)

    response = desk.post(path_of(draft), form)

    assert response.status_code == 200
    assert sentence in sentences(response)
    assert "Constraint" not in sentences(response)


@pytest.mark.parametrize(
    ("change_of_form", "sentence"),
    [
        ({"decay_steps-0-kept": "101"}, "less than or equal to 100"),
        ({"decay_steps-1-after_days": "30"}, "Please correct the duplicate"),
        ({"category_tiers-1-min_engagement": "40"}, "Please correct the duplicate"),
        ({"engagement_percent": "101", "formula": "hybrid"}, "Give at most 100."),
        ({"formula": "magic"}, "Select a valid choice"),
        ({"threshold": "0"}, "Give at least 1."),
        ({"threshold": "9" * 12}, "Give at most 200,000."),
        ({"signal_days": "0"}, "Give at least 1."),
        ({"decay_steps-0-after_days": "4000"}, "Give at most 3,660."),
    ],
)
def test_a_senseless_frame_is_refused(
    desk: Client,
    draft: ModelVersion,
    form: dict[str, Any],
    change_of_form: dict[str, str],
    sentence: str,
) -> None:
    response = desk.post(path_of(draft), form | change_of_form)

    assert response.status_code == 200
    assert sentence in sentences(response)
    assert "Constraint" not in sentences(response)


def test_what_rules_mean_together_is_told_after_saving(
    desk: Client, draft: ModelVersion, form: dict[str, Any]
) -> None:
    change(form, "Case study", kind="multiplier", points=0, factor="2", per_occurrence="")

    response = desk.post(path_of(draft), form, follow=True)

    assert "which only the hybrid formula has" in sentences(response)


def test_a_large_model_can_be_saved(desk: Client, draft: ModelVersion) -> None:
    signal = draft.rules.get(name="Pricing page").signal
    Rule.objects.bulk_create(
        Rule(version=draft, kind="behaviour", name=f"Rule {number}", signal=signal, points=1)
        for number in range(100)
    )

    response = desk.post(path_of(draft), filled_form(desk, path_of(draft)))

    assert response.status_code == 302


def test_what_is_odd_about_a_rule_stands_beside_it(desk: Client, draft: ModelVersion) -> None:
    rule = draft.rules.get(name="Size in range")
    rule.pk, rule.kind, rule.points = None, "disqualifier", 0
    rule.save()

    text = desk.get(path_of(draft)).content.decode()

    summaries = [part for part in text.split("</summary>") if "rule-odd" in part]
    assert summaries
    assert all("Company size" in part.rsplit("<summary>", 1)[1] for part in summaries)


# The workbench


def test_the_preview_says_what_speaks_against_the_draft_as_typed(
    desk: Client, draft: ModelVersion, form: dict[str, Any]
) -> None:
    text = sentences(desk.post(workbench(draft, "preview"), form | {"icp_from": 999}))

    assert "Not publishable" in text
    assert "999" in text
    draft.refresh_from_db()
    assert draft.icp_from == 20


def test_the_preview_tells_errors_with_the_rule_they_are_in(
    desk: Client, draft: ModelVersion, form: dict[str, Any]
) -> None:
    change(form, "Pricing page", points=-3)

    text = sentences(desk.post(workbench(draft, "preview"), form))

    assert "It cannot be read as it stands" in text
    assert "“Pricing page”: Points: Give at least 1 point" in text


def test_the_preview_draws_decay_and_categories_from_unsaved_edits(
    desk: Client, draft: ModelVersion, form: dict[str, Any]
) -> None:
    change(form, "Pricing page", points=77)

    text = sentences(
        desk.post(workbench(draft, "preview"), form | {"simulate": "Pricing page", "simulate-days": "30"})
    )

    assert "Points: 77" not in text
    assert '<td class="num">77</td>' in text
    assert '<th scope="row">30</th>' in text
    assert "Category by engagement" in text


def test_the_workbench_writes_nothing(desk: Client, draft: ModelVersion, form: dict[str, Any]) -> None:
    def snapshot() -> list[object]:
        return [
            list(Rule.objects.order_by("pk").values()),
            list(RuleGroup.objects.values()),
            list(ModelVersion.objects.order_by("pk").values()),
            LeadScore.objects.count(),
        ]

    LeadFactory(email="ana@nord.example")
    before = snapshot()
    change(form, "Pricing page", points=77)
    add_group(form, "Content", 30)
    form[field_of(form, "Unsubscribed", "DELETE")] = "on"

    for part, extra in (("preview", {}), ("try", {"try-who": "ana@nord.example"})):
        assert desk.post(workbench(draft, part), form | extra).status_code == 200

    assert snapshot() == before


@pytest.fixture
def ana(active: ModelVersion) -> Lead:
    company = CompanyFactory(employee_count=200, industry="Software")
    lead = LeadFactory(first_name="Ana", email="ana@nord.example", title="VP Sales", company=company)
    do(lead, "Page Viewed", timezone.now() - timedelta(hours=1), path="/pricing")
    return lead


def test_a_lead_is_tried_on_unsaved_edits_beside_the_active_version(
    desk: Client, draft: ModelVersion, form: dict[str, Any], ana: Lead
) -> None:
    score_lead(ana, now=timezone.now())
    change(form, "Pricing page", points=77)

    text = sentences(desk.post(workbench(draft, "try"), form | {"try-who": "ANA@nord.example"}))

    assert "112 of 50" in text
    assert "55 of 50" in text
    assert "Version 2, as it stands" in text
    assert "Version 1, the active one" in text
    assert "+77" in text


def test_somebody_imagined_is_tried(desk: Client, draft: ModelVersion, form: dict[str, Any]) -> None:
    imagined = {
        "try-imagined": "yes",
        "try-fact-title": "CEO",
        "try-fact-company-employee_count": "300",
        "try-signal-0": "pricing-page",
        "try-times-0": "2",
        "try-days-0": "3",
    }

    text = sentences(desk.post(workbench(draft, "try"), form | imagined))

    assert "45 of 50" in text
    assert "Missing for an MQL" in text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"try-who": ""}, "Type a name or an e-mail address first."),
        ({"try-who": "nobody@nowhere.example"}, "Nobody we know is called"),
        (
            {"try-imagined": "1", "try-fact-company-employee_count": "many"},
            "Company size: Enter a whole number",
        ),
        ({"try-imagined": "1", "try-signal-0": "x"}, "Signal 1: Select a valid choice"),
        (
            {"try-imagined": "1", "try-signal-0": "pricing-page", "try-days-0": "9" * 20},
            "Days ago, of signal 1",
        ),
        ({"try-imagined": "1", "try-times-0": "101"}, "Times, of signal 1"),
    ],
)
def test_a_senseless_try_is_refused_with_a_sentence(
    desk: Client, draft: ModelVersion, form: dict[str, Any], typed: dict[str, str], sentence: str
) -> None:
    response = desk.post(workbench(draft, "try"), form | typed)

    assert response.status_code == 200
    assert sentence in sentences(response)


def test_several_leads_of_a_name_are_offered(
    desk: Client, draft: ModelVersion, form: dict[str, Any], ana: Lead
) -> None:
    other = LeadFactory(first_name="Ana", last_name="Other")

    text = sentences(desk.post(workbench(draft, "try"), form | {"try-who": "ana"}))

    assert "Whom do you mean?" in text
    assert f'"{ana.pk}"' in text
    assert f'"{other.pk}"' in text
    chosen = sentences(desk.post(workbench(draft, "try"), form | {"try-lead": str(ana.pk)}))
    assert "Version 2, as it stands" in chosen


@pytest.mark.parametrize("part", ["preview", "try"])
def test_the_workbench_is_marketings_and_of_drafts(
    client: Client,
    draft: ModelVersion,
    active: ModelVersion,
    marketing: User,
    manager: User,
    bdr: User,
    part: str,
) -> None:
    for person in (manager, bdr):
        client.force_login(person)
        assert client.post(workbench(draft, part), {}).status_code in (302, 403)
    client.force_login(marketing)
    assert client.get(workbench(draft, part)).status_code == 405
    assert client.post(workbench(active, part), {}).status_code == 404
    assert client.post(f"/admin/scoring/modelversion/99999/{part}/", {}).status_code == 404
    assert client.post(f"/admin/scoring/modelversion/abc/{part}/", {}).status_code == 404


# Signals


def test_the_preview_of_a_signal_takes_unsaved_edits(desk: Client, active: ModelVersion, ana: Lead) -> None:
    signal = active.rules.get(name="Pricing page").signal
    assert signal
    form = filled_form(desk, path_of(signal))
    path = f"/admin/scoring/signal/{signal.pk}/preview/"

    as_saved = sentences(desk.post(path, form))
    edited = sentences(desk.post(path, form | {"conditions-0-values": "/plans"}))
    senseless = sentences(desk.post(path, form | {"conditions-0-values": ""}))

    assert "<strong>1</strong> of the 1 activities" in as_saved
    assert "path /pricing" in as_saved
    assert "<strong>0</strong>" in edited
    assert "Values: This field is required" in senseless


def test_a_new_signal_is_previewed_too(desk: Client, ana: Lead) -> None:
    form = {
        "name": "Any page",
        "event_names": "Page Viewed",
        "intent": "low",
        "conditions-TOTAL_FORMS": 0,
        "conditions-INITIAL_FORMS": 0,
    }

    assert "<strong>1</strong> of the 1" in sentences(desk.post("/admin/scoring/signal/preview/", form))


def test_names_that_arrive_are_suggested(desk: Client, ana: Lead) -> None:
    text = sentences(desk.get("/admin/scoring/signal/names/"))

    assert "Page Viewed" in text
    assert '<option value="path">' in text


def test_previews_of_signals_are_marketings(client: Client, manager: User, bdr: User) -> None:
    for person, statuses in ((manager, (403,)), (bdr, (302, 403))):
        client.force_login(person)
        assert client.post("/admin/scoring/signal/preview/", {}).status_code in statuses
