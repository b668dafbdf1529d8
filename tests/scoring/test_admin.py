"""Marketing edits signals and drafts in the admin, and every refusal is a sentence (SCORE-1)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from scoring.models import ModelVersion, Rule, Signal
from scoring.presets import CLASSIC
from scoring.services import create_draft, load_scoring_preset
from tests.scoring.builders import make_signal

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


def path_of(record: ModelVersion | Signal) -> str:
    return f"/admin/scoring/{record._meta.model_name}/{record.pk}/change/"


def filled_form(client: Client, path: str) -> dict[str, Any]:
    """What a browser would send back if nothing were changed."""
    context = client.get(path).context
    data: dict[str, Any] = {}
    formsets = [inline.formset for inline in context["inline_admin_formsets"]]
    forms = [context["adminform"].form]
    for formset in formsets:
        forms += [formset.management_form, *formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is True:
                data[bound.html_name] = "on"
            elif value is not None and value is not False:
                data[bound.html_name] = value
    return data


def field_of(data: dict[str, Any], rule_name: str, field: str) -> str:
    """The name under which the form has a field of the rule."""
    names = [key for key, value in data.items() if key.endswith("-name") and value == rule_name]
    return f"{names[0].removesuffix('-name')}-{field}"


def sentences(response: Any) -> str:
    return response.content.decode()


# Versions


def test_marketing_changes_the_points_of_a_rule(desk: Client, draft: ModelVersion) -> None:
    data = filled_form(desk, path_of(draft))
    data[field_of(data, "Pricing page", "points")] = 25

    response = desk.post(path_of(draft), data)

    assert response.status_code == 302
    assert draft.rules.get(name="Pricing page").points == 25
    assert draft.rules.count() == len(CLASSIC.rules)


def test_the_rules_stand_there_as_sentences(desk: Client, draft: ModelVersion) -> None:
    text = desk.get(path_of(draft)).content.decode()

    assert "E-mail open, 3 times or more within 30 days: +10" in text
    assert "Propose…" in text


@pytest.mark.parametrize(
    ("rule", "field", "value", "sentence"),
    [
        ("Pricing page", "points", 10**9, "Points must lie between −1,000 and 1,000."),
        ("Pricing page", "points", -5, "choose the kind “Negative”"),
        ("Unsubscribed", "points", 20, "A negative rule takes points away"),
        ("Keeps coming back", "window_days", -7, "greater than or equal to 0"),
        ("Keeps coming back", "window_days", 0, "A window must be from 1 to 3,660 days"),
        ("Keeps coming back", "min_count", 0, "“At least … times” must be from 1"),
        ("Size in range", "high", 5, "ends before it begins"),
        ("Size in range", "operator", "one_of", "is a number. Give a range"),
        ("Decision maker", "values", "", "Say which words to look for"),
        ("Decision maker", "operator", "between", "is text, so it cannot lie in a range"),
        ("Decision maker", "attribute", "shoe_size", "Select a valid choice"),
        ("Decision maker", "values", "x" * 121, "longer than 120 characters"),
        ("Decision maker", "values", "a\x00b", "Null characters are not allowed"),
    ],
)
def test_a_senseless_rule_is_refused_with_a_sentence(
    desk: Client, draft: ModelVersion, rule: str, field: str, value: object, sentence: str
) -> None:
    data = filled_form(desk, path_of(draft))
    data[field_of(data, rule, field)] = value

    response = desk.post(path_of(draft), data)

    assert response.status_code == 200
    assert sentence in sentences(response)


def test_a_threshold_nobody_can_reach_is_pointed_out_when_saving(desk: Client, draft: ModelVersion) -> None:
    Rule.objects.filter(version=draft).exclude(name="Pricing page").delete()
    data = filled_form(desk, path_of(draft)) | {"threshold": 5_000}

    response = desk.post(path_of(draft), data, follow=True)

    assert "Nobody can reach the threshold of 5,000" in sentences(response)


def test_a_rule_is_added_and_another_deleted(desk: Client, draft: ModelVersion) -> None:
    webinar = make_signal("Webinar", ["Webinar Attended"], intent="high")
    data = filled_form(desk, path_of(draft))
    data[field_of(data, "Unsubscribed", "DELETE")] = "on"
    count = int(data["rules-2-TOTAL_FORMS"])
    data["rules-2-TOTAL_FORMS"] = count + 1
    added = {"kind": "behaviour", "name": "Webinar", "signal": webinar.pk, "min_count": 1, "points": 20}
    data |= {f"rules-2-{count}-{field}": value for field, value in ({"position": 99} | added).items()}

    response = desk.post(path_of(draft), data)

    assert response.status_code == 302
    assert draft.rules.filter(name="Webinar", signal=webinar, points=20).exists()
    assert not draft.rules.filter(name="Unsubscribed").exists()


def test_a_published_version_is_read_only(desk: Client, active: ModelVersion) -> None:
    page = desk.get(path_of(active))

    assert page.status_code == 200
    assert 'name="_save"' not in sentences(page)
    assert desk.post(path_of(active), {"name": "Other"}).status_code == 403
    assert desk.post(f"/admin/scoring/modelversion/{active.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_draft_can_be_deleted(desk: Client, draft: ModelVersion) -> None:
    desk.post(f"/admin/scoring/modelversion/{draft.pk}/delete/", {"post": "yes"})

    assert not ModelVersion.objects.filter(pk=draft.pk).exists()


def test_a_new_model_begins_as_a_draft(desk: Client, marketing: User) -> None:
    data = {"name": "Ours", "threshold": 40, "icp_from": 10, "signal_days": 60, "decay_floor": 0}

    response = desk.post("/admin/scoring/modelversion/add/", data)

    version = ModelVersion.objects.get()
    assert response.status_code == 302
    assert (version.number, version.status, version.threshold, version.created_by) == (
        1,
        "draft",
        40,
        marketing,
    )


def test_the_list_copies_a_version_to_a_draft(desk: Client, active: ModelVersion) -> None:
    desk.post(
        "/admin/scoring/modelversion/", {"action": "copy_to_draft", "_selected_action": [str(active.pk)]}
    )

    assert ModelVersion.objects.get(number=2).based_on == active


def test_a_draft_keeps_the_retired_revision_that_it_counts(desk: Client, draft: ModelVersion) -> None:
    Signal.objects.filter(key="pricing-page").update(retired_at=timezone.now())

    response = desk.post(path_of(draft), filled_form(desk, path_of(draft)))

    assert response.status_code == 302
    assert draft.rules.get(name="Pricing page").signal.retired_at is not None


def test_others_may_look_but_not_edit(
    client: Client, draft: ModelVersion, manager: User, reader: User, bdr: User
) -> None:
    for person in (manager, reader):
        client.force_login(person)
        assert client.get(path_of(draft)).status_code == 200
        assert client.post(path_of(draft), {"name": "x"}).status_code == 403
        assert client.get("/admin/scoring/signal/add/").status_code == 403
    client.force_login(bdr)
    assert client.get(path_of(draft)).status_code in (302, 403)


# Signals

CONDITIONS = {
    "conditions-TOTAL_FORMS": 1,
    "conditions-INITIAL_FORMS": 0,
    "conditions-0-property_name": "form",
    "conditions-0-operator": "one_of",
    "conditions-0-values": "Trial\r\n Demo ",
}


def test_marketing_adds_a_signal_with_its_condition(desk: Client) -> None:
    data = {
        "name": "Trial",
        "event_names": "Form Submitted\r\n\r\nTrial Started",
        "intent": "high",
    } | CONDITIONS

    response = desk.post("/admin/scoring/signal/add/", data)

    assert response.status_code == 302
    signal = Signal.objects.get()
    assert (signal.key, signal.event_names, signal.intent) == (
        "trial",
        ["Form Submitted", "Trial Started"],
        "high",
    )
    assert [condition.values for condition in signal.conditions.all()] == [["Trial", "Demo"]]


def test_two_signals_of_one_name_get_two_keys(desk: Client) -> None:
    for _ in range(2):
        desk.post(
            "/admin/scoring/signal/add/", {"name": "Trial", "event_names": "A", "intent": "low"} | CONDITIONS
        )

    assert set(Signal.objects.values_list("key", flat=True)) == {"trial", "trial-2"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"event_names": " \r\n"}, "This field is required"),
        ({"name": "!!!"}, "at least one letter or digit"),
        ({"conditions-0-values": ""}, "This field is required"),
        ({"conditions-0-operator": "equals"}, "Give one value, or choose “is one of”."),
        ({"conditions-0-operator": "at_least"}, "Give one number"),
        ({"conditions-0-operator": "at_least", "conditions-0-values": "1e9"}, "Give one number"),
        ({"conditions-0-operator": "at_most", "conditions-0-values": "many"}, "Give one number"),
    ],
)
def test_a_senseless_signal_is_refused(desk: Client, change: dict[str, str], sentence: str) -> None:
    data = {"name": "Trial", "event_names": "A", "intent": "low"} | CONDITIONS | change

    response = desk.post("/admin/scoring/signal/add/", data)

    assert sentence in sentences(response)
    assert not Signal.objects.exists()


def test_editing_a_counted_signal_makes_a_revision_and_says_so(desk: Client, draft: ModelVersion) -> None:
    signal = Signal.objects.get(key="pricing-page")
    data = filled_form(desk, path_of(signal))
    data["conditions-0-values"] = "/pricing\r\n/plans"

    response = desk.post(path_of(signal), data, follow=True)

    revision = Signal.objects.current().get(key="pricing-page")
    assert revision.revision == 2
    assert [condition.values for condition in revision.conditions.all()] == [["/pricing", "/plans"]]
    assert draft.rules.get(name="Pricing page").signal == revision
    assert "this is its revision 2" in sentences(response)


def test_saving_a_signal_unchanged_changes_nothing(desk: Client, active: ModelVersion) -> None:
    signal = Signal.objects.get(key="pricing-page")

    desk.post(path_of(signal), filled_form(desk, path_of(signal)))

    assert list(Signal.objects.filter(key="pricing-page")) == [signal]


def test_editing_a_signal_that_only_drafts_count_changes_it(desk: Client) -> None:
    signal = make_signal("Trial", ["Trial Started"], ("form", "equals", ["a"]))
    data = filled_form(desk, path_of(signal)) | {"name": "Trial start", "conditions-0-DELETE": "on"}

    desk.post(path_of(signal), data)

    signal.refresh_from_db()
    assert (signal.name, signal.revision, signal.conditions.count()) == ("Trial start", 1, 0)


def test_a_refused_change_of_a_signal_is_no_success(desk: Client) -> None:
    """Somebody revised it between the form's checks and the lock."""
    signal = make_signal("Trial", ["Trial Started"], ("form", "equals", ["a"]))
    data = filled_form(desk, path_of(signal)) | {"name": "Trial start"}

    def revise_first(execute, sql, params, many, context):
        if "FOR NO KEY UPDATE" in sql and '"scoring_signal"' in sql:
            with connection.cursor() as cursor:
                cursor.cursor.execute(
                    "UPDATE scoring_signal SET retired_at = now() WHERE id = %s", [signal.pk]
                )
        return execute(sql, params, many, context)

    with connection.execute_wrapper(revise_first):
        response = desk.post(path_of(signal), data)

    said = [str(message) for message in get_messages(response.wsgi_request)]
    assert response.status_code == 302
    assert len(said) == 1
    assert "was edited meanwhile" in said[0]
