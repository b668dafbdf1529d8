"""Chapter 12: the scoring column of `hybrid`, `speed`, `six-step` and `bant`, read like the table.

(`classic` has a file of its own.) What the table leaves open is a starting value and not pinned here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.models import User
from common.errors import NotAllowed
from leads.models import Company, Lead
from scoring.language.problems import faults, oddities
from scoring.language.rules import Formula, Model, Shape
from scoring.language.sentences import differences, effect_phrase, frame_sentences, rule_sentence
from scoring.loading import load_model
from scoring.loading_presets import draft_scoring_preset, load_scoring_preset, preset_changes
from scoring.models import ModelVersion, Signal
from scoring.presets import (
    BANT,
    HYBRID,
    PRESETS,
    SIX_STEP,
    SPEED,
    FadingPreset,
    GroupPreset,
    RulePreset,
    ScoringPreset,
    model_of_preset,
)
from scoring.services import score_lead
from tests.factories import NOON, CompanyFactory, LeadFactory
from tests.scoring.builders import do

DAY = timedelta(days=1)


def rules_of(preset: ScoringPreset) -> dict[str, str]:
    """What each rule does, by its name."""
    return {rule.name: effect_phrase(rule) for rule in model_of_preset(preset).rules}


# --- hybrid -------------------------------------------------------------------------------------
# engagement 40 %: solution content 10, pricing/demo page 15, consistent e-mail 5;
# readiness 60 %: growth ×2, decision maker ×1.5, direct inquiry ×3; categories A/B/C


@pytest.mark.parametrize(
    ("rule", "effect"),
    [
        ("Solution content", "+10"),
        ("Pricing or demo page", "+15"),
        ("Consistent e-mail", "+5"),
        ("Growth", "readiness × 2"),
        ("Decision maker", "readiness × 1.5"),
        ("Direct inquiry", "readiness × 3"),
    ],
)
def test_hybrid_gives_the_published_points_and_factors(rule: str, effect: str) -> None:
    assert rules_of(HYBRID)[rule] == effect


def test_hybrid_weighs_engagement_40_and_readiness_60() -> None:
    model = model_of_preset(HYBRID)

    assert model.formula is Formula.HYBRID
    assert frame_sentences(model)[0].startswith("Score: 40 % of engagement + 60 % of readiness")


def test_hybrid_counts_e_mail_as_low_intent_and_only_when_it_is_consistent() -> None:
    [mail] = [rule for rule in model_of_preset(HYBRID).behaviour if rule.name == "Consistent e-mail"]

    assert not mail.high_intent
    assert rule_sentence(mail) == "E-mail open, 3 times or more within 30 days: +5"


@pytest.fixture
def grown() -> Lead:
    company = CompanyFactory(growth_signals="hiring, new site")
    return LeadFactory(title="VP Operations", company=company)


@pytest.mark.django_db
def test_hybrid_multiplies_what_somebody_did_by_how_ready_they_are(marketing: User, grown: Lead) -> None:
    """Engagement 30; readiness 30 × 2 × 1.5 × 3 = 270; 40 % of 30 and 60 % of 270 are 174."""
    load_scoring_preset(HYBRID, by=None, now=NOON - DAY)
    do(grown, "Page Viewed", path="/product/scheduling")
    do(grown, "Page Viewed", path="/pricing")
    for _ in range(3):
        do(grown, "Email Opened")
    do(grown, "Contact Requested")

    score = score_lead(grown, now=NOON)

    assert (score.engagement, score.readiness, score.total) == (30, 270, 174)
    assert (score.category, score.qualifies) == ("A", True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("paths", "category"),
    [(("/pricing", "/product"), "A"), (("/product",), "B"), ((), "C")],
    ids=["A", "B", "C"],
)
def test_hybrid_tells_categories_by_both_axes(
    marketing: User, grown: Lead, paths: tuple[str, ...], category: str
) -> None:
    load_scoring_preset(HYBRID, by=None, now=NOON - DAY)
    for path in paths:
        do(grown, "Page Viewed", path=path)

    assert score_lead(grown, now=NOON).category == category


# --- speed --------------------------------------------------------------------------------------
# binary checklist: ICP, signal, no red flags


@pytest.fixture
def fitting(marketing: User) -> Lead:
    load_scoring_preset(SPEED, by=None, now=NOON - DAY)
    company = CompanyFactory(employee_count=200, industry="Logistics")
    return LeadFactory(title="", company=company)


def test_speed_asks_the_checklist_and_no_sum() -> None:
    model = model_of_preset(SPEED)

    assert model.formula is Formula.CHECKLIST
    assert "MQL as soon as the checklist holds, whatever the score" in frame_sentences(model)


@pytest.mark.django_db
def test_speed_makes_an_mql_of_whoever_fits_and_shows_a_clear_signal(fitting: Lead) -> None:
    assert not score_lead(fitting, now=NOON).qualifies

    do(fitting, "Page Viewed", path="/pricing")

    assert score_lead(fitting, now=NOON).qualifies


@pytest.mark.django_db
def test_speed_makes_no_mql_outside_the_icp(fitting: Lead) -> None:
    Company.objects.update(industry="Fishing")
    do(fitting, "Demo Requested")

    score = score_lead(fitting, now=NOON)

    assert (score.icp_match, score.has_signal, score.qualifies) == (False, True, False)


@pytest.mark.django_db
def test_speed_makes_no_mql_under_a_red_flag(fitting: Lead) -> None:
    do(fitting, "Demo Requested")
    do(fitting, "Email Unsubscribed")

    score = score_lead(fitting, now=NOON)

    assert (score.icp_match, score.has_signal, score.has_red_flag, score.qualifies) == (
        True,
        True,
        True,
        False,
    )


# --- six-step -----------------------------------------------------------------------------------
# size in range 20, pricing page 15, demo request 30, unserved industry negative;
# threshold by calibration


@pytest.mark.parametrize(
    ("rule", "effect"), [("Size in range", "+20"), ("Pricing page", "+15"), ("Demo request", "+30")]
)
def test_six_step_gives_the_published_points(rule: str, effect: str) -> None:
    assert rules_of(SIX_STEP)[rule] == effect


def test_six_step_takes_points_for_an_unserved_industry() -> None:
    assert rules_of(SIX_STEP)["Unserved industry"].startswith("−")


def test_six_step_says_that_its_threshold_awaits_calibration() -> None:
    assert f"The threshold of {SIX_STEP.threshold} is a starting value" in SIX_STEP.summary
    assert "calibration" in SIX_STEP.summary


@pytest.mark.django_db
def test_six_step_adds_up(marketing: User) -> None:
    load_scoring_preset(SIX_STEP, by=None, now=NOON - DAY)
    served = LeadFactory(title="", company=CompanyFactory(employee_count=200, industry="Logistics"))
    unserved = LeadFactory(title="", company=CompanyFactory(employee_count=200, industry="Fishing"))
    for lead in (served, unserved):
        do(lead, "Page Viewed", path="/pricing")
        do(lead, "Demo Requested")

    assert score_lead(served, now=NOON).total == 20 + 15 + 30
    assert score_lead(unserved, now=NOON).total < 20 + 15 + 30


# --- bant ---------------------------------------------------------------------------------------
# role, company size, industry; sources: demo form, pricing page, case study, newsletter;
# measurable criteria only


def test_bant_asks_for_role_size_and_industry() -> None:
    fit = model_of_preset(BANT).fit

    assert {rule.attribute for rule in fit if rule.points > 0} == {
        "title",
        "company.employee_count",
        "company.industry",
    }


def test_bant_counts_its_four_sources() -> None:
    assert {rule.signal_name for rule in model_of_preset(BANT).behaviour} == {
        "Demo request",
        "Pricing page visit",
        "Case study download",
        "Newsletter sign-up",
    }


@pytest.mark.django_db
def test_bant_counts_a_newsletter_by_its_form(marketing: User) -> None:
    load_scoring_preset(BANT, by=None, now=NOON - DAY)
    reader, other = LeadFactory.create_batch(2, title="", company=None)
    do(reader, "Form Submitted", form="Newsletter")
    do(other, "Form Submitted", form="Job application")

    scores = [score_lead(lead, now=NOON).engagement for lead in (reader, other)]

    assert scores[0] > scores[1] == 0


# --- All of them --------------------------------------------------------------------------------


def without_keys(model: Model) -> Model:
    """Keys and ids belong to rows; everything else must be the same."""
    return replace(
        model,
        fit=tuple(replace(rule, key=0, group=rule.group and 1) for rule in model.fit),
        behaviour=tuple(replace(rule, key=0, signal=0, group=rule.group and 1) for rule in model.behaviour),
        groups=tuple(replace(group, key=1) for group in model.groups),
    )


EVERYTHING = replace(
    HYBRID,
    name="Everything",
    groups=(GroupPreset("Website", 20),),
    decay=((30, 500),),
    decay_floor=5,
    engagement_percent=30,
    rules=(
        *HYBRID.rules,
        RulePreset(
            "behaviour",
            "Reads often",
            4,
            signal="email-open",
            min_count=2,
            max_count=9,
            window_days=60,
            per_occurrence=True,
            cap=12,
            fading=FadingPreset(Shape.STEP, 10, percent=20, floor_percent=10),
            group="Website",
        ),
        RulePreset(
            "behaviour",
            "Looks around",
            3,
            signal="solution-content",
            fading=FadingPreset(Shape.HALF_LIFE, 14),
            group="Website",
        ),
    ),
)


@pytest.mark.django_db
@pytest.mark.parametrize("preset", [*PRESETS.values(), EVERYTHING], ids=lambda preset: preset.name)
def test_the_rows_of_a_preset_say_what_the_preset_says(preset: ScoringPreset, marketing: User) -> None:
    draft = draft_scoring_preset(preset, by=marketing, now=NOON)

    assert draft is not None
    stored = load_model(ModelVersion.objects.with_rules().get(pk=draft.pk))
    assert without_keys(stored) == without_keys(model_of_preset(preset))


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_a_preset_is_sound_and_has_a_summary(preset: ScoringPreset) -> None:
    model = model_of_preset(preset)

    assert (faults(model), oddities(model)) == ([], [])
    assert preset.summary


def test_a_signal_means_the_same_in_every_preset() -> None:
    """Else loading one preset would redefine what another one counts."""
    signals = [signal for preset in PRESETS.values() for signal in preset.signals]

    assert len(set(signals)) == len({signal.key for signal in signals})


@pytest.mark.django_db
@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_loading_a_preset_again_changes_nothing(preset: ScoringPreset, marketing: User) -> None:
    load_scoring_preset(preset, by=None, now=NOON)

    assert load_scoring_preset(preset, by=None, now=NOON + DAY) == []
    assert preset_changes(preset) == [[]]
    assert draft_scoring_preset(preset, by=marketing, now=NOON + DAY) is None
    assert ModelVersion.objects.count() == 1


@pytest.mark.django_db
def test_a_draft_of_a_preset_is_published_by_nobody(marketing: User) -> None:
    load_scoring_preset(SIX_STEP, by=None, now=NOON - DAY)
    active = ModelVersion.objects.active().get()

    draft = draft_scoring_preset(HYBRID, by=marketing, now=NOON)

    assert draft is not None
    assert (draft.status, draft.based_on, draft.created_by) == ("draft", active, marketing)
    assert ModelVersion.objects.active().get() == active


@pytest.mark.django_db
def test_the_changes_of_a_preset_are_told_before_anything_is_written(marketing: User) -> None:
    load_scoring_preset(SIX_STEP, by=None, now=NOON - DAY)
    signals = Signal.objects.count()

    [changes] = preset_changes(BANT)
    told = [str(change) for change in changes]

    assert "Removed: Company size is from 50 to 1,000: +20" not in told
    assert "Changed: Company size is from 50 to 1,000: +20 → Company size is from 50 to 1,000: +10" in told
    assert "Added: Newsletter sign-up: +5" in told
    assert not any("by its new definition" in sentence for sentence in told)
    assert (Signal.objects.count(), ModelVersion.objects.count()) == (signals, 1)


@pytest.mark.django_db
def test_the_told_changes_are_those_that_loading_makes(marketing: User) -> None:
    load_scoring_preset(SIX_STEP, by=None, now=NOON - DAY)
    before = load_model(ModelVersion.objects.active().with_rules().get())
    [told] = preset_changes(SPEED)

    load_scoring_preset(SPEED, by=None, now=NOON)

    after = load_model(ModelVersion.objects.active().with_rules().get())
    assert differences(before, after) == told


@pytest.mark.django_db
def test_a_bdr_may_not_make_a_draft_of_a_preset(bdr: User) -> None:
    with pytest.raises(NotAllowed):
        draft_scoring_preset(HYBRID, by=bdr, now=NOON)

    assert not Signal.objects.exists()
