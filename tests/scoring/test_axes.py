"""All leads on fit × engagement (SCORE-8), and the criteria as both teams read them (SCORE-13)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from common.patience import TookTooLong
from handoffs.models import QualificationGate
from scoring.axes import leads_on_axes
from scoring.engine import model_of
from scoring.language.rules import Formula
from scoring.models import LeadScore, ModelVersion
from scoring.presets import CLASSIC
from scoring.services import load_scoring_preset
from scoring.views import axes as views_axes
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def active(marketing: User) -> ModelVersion:
    load_scoring_preset(CLASSIC, by=None, now=timezone.now())
    return ModelVersion.objects.active().get()


def keep(active: ModelVersion, fit: int, engagement: int, category: str = "C") -> LeadScore:
    verdicts = dict.fromkeys(
        ("icp_match", "has_signal", "has_red_flag", "is_instant_mql", "qualifies"), False
    )
    return LeadScore.objects.create(
        lead=LeadFactory(),
        version=active,
        total=max(0, fit + engagement),
        fit=fit,
        engagement=engagement,
        category=category,
        warmth="cold",
        scored_at=timezone.now(),
        **verdicts,
    )


@pytest.mark.parametrize(
    ("fit", "engagement", "row", "column"),
    [
        (0, 0, "0–9", "0–9"),
        (-1, -1, "below 0", "below 0"),
        (9, 10, "0–9", "10–19"),
        (19, 49, "10–19", "40–49"),
        (20, 50, "20–29", "50–59"),
        (39, 59, "30–39", "50–59"),
        (40, 60, "40 or more", "60 or more"),
        (9_999, 9_999, "40 or more", "60 or more"),
    ],
)
def test_a_lead_stands_in_the_cell_of_its_two_scores(
    active: ModelVersion, fit: int, engagement: int, row: str, column: str
) -> None:
    keep(active, fit, engagement)

    axes = leads_on_axes(model_of(active))

    found = [
        (each.label, axes.columns[index])
        for each in axes.rows
        for index, cell in enumerate(each.cells)
        if cell.leads
    ]
    assert found == [(row, column)]
    assert axes.leads == 1


def test_cells_that_reach_the_threshold_and_the_icp_line_are_marked(active: ModelVersion) -> None:
    axes = leads_on_axes(model_of(active))

    rows = {row.label: row for row in axes.rows}
    reaching = {axes.columns[i] for i, cell in enumerate(rows["20–29"].cells) if cell.reaches}
    assert reaching == {"30–39", "40–49", "50–59", "60 or more"}
    assert [row.label for row in axes.rows if row.is_last_match] == ["20–29"]
    assert [row.label for row in axes.rows if row.cells[0].matches] == ["40 or more", "30–39", "20–29"]


@pytest.mark.parametrize("formula", [Formula.HYBRID, Formula.CHECKLIST])
def test_where_the_two_do_not_make_the_total_no_cell_reaches_it(
    active: ModelVersion, formula: Formula
) -> None:
    axes = leads_on_axes(replace(model_of(active), formula=formula))

    assert not any(cell.reaches for row in axes.rows for cell in row.cells)
    assert axes.why_no_stars


@pytest.mark.parametrize(("threshold", "icp_from"), [(50, 20), (1, 0), (47, 13), (100_000, 7), (80, 1)])
def test_any_threshold_and_icp_line_make_a_grid(active: ModelVersion, threshold: int, icp_from: int) -> None:
    keep(active, 5, 5)
    model = replace(model_of(active), threshold=threshold, icp_from=icp_from)

    axes = leads_on_axes(model)

    assert axes.leads == 1
    assert len(axes.rows) == 6
    assert sum(row.is_last_match for row in axes.rows) <= 1


def test_the_page_tells_figures_in_two_queries(
    client: Client, active: ModelVersion, manager: User, django_assert_max_num_queries
) -> None:
    for number in range(20):
        keep(active, number, number * 3, category="B" if number else "A")
    client.force_login(manager)
    client.get("/scoring/grid/")

    with django_assert_max_num_queries(14):
        text = client.get("/scoring/grid/").content.decode()

    assert "20 leads by version 1" in text
    assert "/leads/?category=B" in text


def test_the_page_says_when_there_is_nothing(client: Client, manager: User) -> None:
    client.force_login(manager)

    assert "No active model" in client.get("/scoring/grid/").content.decode()


def test_nobody_scored_is_said(client: Client, active: ModelVersion, manager: User) -> None:
    client.force_login(manager)

    assert "Nobody is scored yet" in client.get("/scoring/grid/").content.decode()


def test_counting_that_takes_too_long_is_a_sentence(
    client: Client, active: ModelVersion, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(model: object) -> None:
        raise TookTooLong("Counting all leads takes too long just now.")

    monkeypatch.setattr(views_axes, "leads_on_axes", slow)
    client.force_login(manager)

    assert "takes too long just now" in client.get("/scoring/grid/").content.decode()


def test_the_grid_is_not_for_bdrs(client: Client, bdr: User) -> None:
    client.force_login(bdr)

    assert client.get("/scoring/grid/").status_code == 403


# Criteria


def test_everybody_reads_the_criteria_of_the_live_rules(
    client: Client, active: ModelVersion, bdr: User, marketing: User, reader: User
) -> None:
    for person in (bdr, marketing, reader):
        client.force_login(person)
        text = client.get("/scoring/criteria/").content.decode()
        assert "Pricing page visit: +20" in text
        assert "version 1" in text
        assert "/handoffs/sql-criteria/" in text
    client.logout()
    assert client.get("/scoring/criteria/").status_code == 302


def test_without_a_model_the_criteria_say_so(client: Client, bdr: User) -> None:
    client.force_login(bdr)

    assert "No active model" in client.get("/scoring/criteria/").content.decode()


@pytest.mark.parametrize(
    ("requires", "said", "unsaid"),
    [
        (["need", "timeline"], "Need:", "Budget:"),
        ([], "No part of BANT is required", "Need:"),
        (None, "Budget:", "No part"),
    ],
)
def test_the_sql_criteria_are_those_of_the_gate(
    client: Client, bdr: User, requires: list[str] | None, said: str, unsaid: str
) -> None:
    if requires is not None:
        QualificationGate.objects.create(requires=requires)
    client.force_login(bdr)

    text = client.get("/handoffs/sql-criteria/").content.decode()

    assert said in text
    assert unsaid not in text
