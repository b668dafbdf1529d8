"""The decay simulator shows exactly what the engine gives, day by day (SCORE-4); the grid is the matrix."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from scoring.engine import model_of, score_imagined
from scoring.language.matrix import category_matrix
from scoring.language.results import ImaginedLead
from scoring.language.rules import Category, Model
from scoring.language.rules import CategoryTier as Tier
from scoring.language.simulation import decay_chart, engagement_after, rules_to_show
from scoring.models import DecayStep, ModelVersion, RuleGroup
from tests.factories import NOON
from tests.scoring.builders import make_draft, make_signal

DAYS = (0, 1, 6, 7, 8, 29, 30, 31, 59, 60, 61, 89, 90, 91, 120, 180)


@pytest.fixture
def draft(db: None) -> ModelVersion:
    """A rule of every way to fade, with decay of the model, a floor and a group."""
    names = ("Pricing", "Webinar", "Study", "Trial", "Bounce")
    pricing, webinar, study, trial, bounce = (
        make_signal(name, [name], intent="high", is_engagement=name != "Bounce") for name in names
    )
    fading: dict[str, dict[str, Any]] = {
        "step": {"decay": "step", "decay_days": 30, "decay_percent": 33},
        "linear": {"decay": "linear", "decay_days": 90, "decay_floor_percent": 10},
        "half": {"decay": "half_life", "decay_days": 7},
    }
    draft = make_draft(
        {"signal": pricing, "name": "Pricing", "points": 20} | fading["step"],
        {"signal": webinar, "name": "Webinar", "points": 17, "min_count": 2} | fading["linear"],
        {"signal": study, "name": "Study", "points": 15} | fading["half"],
        {"signal": trial, "name": "Trial", "points": 9, "window_days": 60},
        {"signal": bounce, "name": "Bounce", "kind": "negative", "points": -5} | fading["linear"],
        decay_floor=3,
    )  # fmt: skip
    group = RuleGroup.objects.create(version=draft, name="Content", cap=25)
    draft.rules.filter(name__in=("Webinar", "Study")).update(group=group)
    for after_days, per_mille in ((30, 750), (90, 333)):
        DecayStep.objects.create(version=draft, after_days=after_days, per_mille=per_mille)
    return draft


@pytest.mark.parametrize("age_days", DAYS)
def test_each_rule_alone_is_what_the_engine_gives_on_that_day(draft: ModelVersion, age_days: int) -> None:
    model = model_of(draft)
    for rule in model.behaviour:
        did = NOON - timedelta(days=age_days)
        person = ImaginedLead(hits=((rule.signal, did),) * rule.min_count)

        assert (
            engagement_after(model, [rule], age_days) == score_imagined(model, person, as_of=NOON).engagement
        )


@pytest.mark.parametrize("age_days", DAYS)
def test_all_rules_together_are_what_the_engine_gives(draft: ModelVersion, age_days: int) -> None:
    model = model_of(draft)
    did = NOON - timedelta(days=age_days)
    hits = tuple((rule.signal, did) for rule in model.behaviour for _ in range(rule.min_count))

    simulated = engagement_after(model, model.behaviour, age_days)

    assert simulated == score_imagined(model, ImaginedLead(hits=hits), as_of=NOON).engagement


def test_the_chart_tells_the_days_on_which_points_change(draft: ModelVersion) -> None:
    model = model_of(draft)
    trial = next(rule for rule in model.behaviour if rule.name == "Trial")

    chart = decay_chart(model, [trial], days=90)

    assert chart.rows == (("0", "9"), ("30", "6"), ("60", "0"), ("90", "0"))


def test_fading_rules_are_shown_first_and_five_at_most(draft: ModelVersion) -> None:
    model = model_of(draft)

    assert [rule.name for rule in rules_to_show(model, [])][:3] == ["Pricing", "Webinar", "Study"]
    assert [rule.name for rule in rules_to_show(model, ["Trial"])] == ["Trial"]
    assert len(decay_chart(model, rules_to_show(model, []), days=30).head) <= 7


def test_a_model_without_signals_says_so() -> None:
    chart = decay_chart(Model(threshold=10, icp_from=0, signal_hours=24), [], days=30)

    assert not chart.drawings
    assert "No rule on a signal" in chart.empty


def tiers(*bounds: tuple[str, int, int]) -> Model:
    lines = tuple(
        Tier(Category(category), engagement, readiness) for category, engagement, readiness in bounds
    )
    return Model(threshold=10, icp_from=0, signal_hours=24, categories=lines)


def test_the_grid_shows_the_first_line_that_holds() -> None:
    matrix = category_matrix(tiers(("A", 40, 20), ("B", 10, 20), ("B", 40, 0)))

    assert matrix.columns == ("below 10", "10 to 39", "40 or more")
    assert [(row.label, "".join(row.cells)) for row in matrix.rows] == [
        ("20 or more", "CBA"),
        ("0 to 19", "CCB"),
        ("below 0", "CCC"),
    ]


def test_without_lines_everybody_is_in_c() -> None:
    matrix = category_matrix(tiers())

    assert (matrix.columns, [row.cells for row in matrix.rows]) == (("any",), [(Category.C,)])
