"""Chapter 12 of the protocol: the published numbers of the presets."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from feedback.models import RejectionReason
from handoffs.models import Cadence, CadenceStep, Playbook, QualificationGate, RoutingRule
from protocol.presets import PRESETS
from protocol.services import load_preset
from scoring.models import ModelVersion, Rule, Signal
from sla.models import Policy

pytestmark = pytest.mark.django_db


@pytest.fixture
def classic(now: datetime) -> ModelVersion:
    load_preset("classic", by=None, now=now)
    return ModelVersion.objects.get(status=ModelVersion.Status.ACTIVE)


def points(version: ModelVersion, **conditions: object) -> int:
    return Rule.objects.get(version=version, points__gt=0, **conditions).points


class TestClassicScoring:
    """`classic`: title VP or C-level 15, company size in range 10, industry 10, pricing page 20, case study
    15 each, demo request 50 and instant MQL, three e-mail opens in 30 days 10, three visits in one week 15;
    threshold 50; decay 30/60/90; negatives: unsubscribe, careers page, size or use case off ICP."""

    @pytest.mark.parametrize(
        ("attribute", "expected"),
        [("title", 15), ("company.employee_count", 10), ("company.industry", 10)],
    )
    def test_fit_gives_the_published_points(
        self, classic: ModelVersion, attribute: str, expected: int
    ) -> None:
        assert points(classic, attribute=attribute) == expected

    @pytest.mark.parametrize(
        ("signal", "expected", "per_occurrence", "min_count", "window_days"),
        [
            ("pricing-page", 20, False, 1, None),
            ("case-study", 15, True, 1, None),
            ("demo-request", 50, False, 1, None),
            ("email-open", 10, False, 3, 30),
            ("website-visit", 15, False, 3, 7),
        ],
    )
    def test_behaviour_gives_the_published_points(
        self,
        classic: ModelVersion,
        signal: str,
        expected: int,
        per_occurrence: bool,
        min_count: int,
        window_days: int | None,
    ) -> None:
        rule = Rule.objects.get(version=classic, signal__key=signal, points__gt=0)

        assert (rule.points, rule.per_occurrence) == (expected, per_occurrence)
        assert (rule.min_count, rule.window_days) == (min_count, window_days)

    def test_fifty_points_or_a_demo_request_make_an_mql(self, classic: ModelVersion) -> None:
        instant = Rule.objects.filter(version=classic, kind=Rule.Kind.INSTANT_MQL)

        assert classic.threshold == 50
        assert [rule.signal.key for rule in instant if rule.signal] == ["demo-request"]

    def test_engagement_decays_after_30_60_and_90_days(self, classic: ModelVersion) -> None:
        assert [step.after_days for step in classic.decay_steps.all()] == [30, 60, 90]

    def test_what_speaks_against_a_lead_is_negative(self, classic: ModelVersion) -> None:
        negative = Rule.objects.filter(version=classic, points__lt=0)

        asked = {rule.signal.key if rule.signal else rule.attribute for rule in negative}
        assert asked == {"unsubscribe", "careers-page", "company.employee_count", "pain_point"}

    def test_mail_opens_and_visits_are_low_intent(self, classic: ModelVersion) -> None:
        low = Signal.objects.filter(intent=Signal.Intent.LOW).values_list("key", flat=True)

        assert {"email-open", "website-visit"} <= set(low)


def test_classic_has_the_published_reasons(classic: ModelVersion) -> None:
    codes = set(RejectionReason.objects.filter(is_active=True).values_list("code", flat=True))

    assert {"wrong-icp", "premature", "duplicate", "unreachable"} <= codes


def test_loading_a_preset_again_changes_nothing(classic: ModelVersion, now: datetime) -> None:
    plan = load_preset("classic", by=None, now=now)

    assert plan == []
    assert ModelVersion.objects.count() == 1


def test_a_dry_run_says_what_it_would_do_and_does_nothing(now: datetime) -> None:
    plan = load_preset("classic", by=None, now=now, dry_run=True)

    assert any("Demo requests" in sentence for sentence in plan)
    models = (ModelVersion, Signal, Policy, RejectionReason, RoutingRule, Playbook, QualificationGate)
    assert [model.__name__ for model in models if model._default_manager.exists()] == []


def test_a_dry_run_says_what_loading_then_does(now: datetime) -> None:
    planned = load_preset("classic", by=None, now=now, dry_run=True)

    assert load_preset("classic", by=None, now=now) == planned


def test_switching_presets_keeps_the_old_version_and_one_is_active(
    classic: ModelVersion, now: datetime
) -> None:
    load_preset("marketplace", by=None, now=now)

    classic.refresh_from_db()
    assert classic.status == ModelVersion.Status.RETIRED
    assert ModelVersion.objects.get(status=ModelVersion.Status.ACTIVE).name == "Marketplace"


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_loads_on_an_empty_portal(name: str, now: datetime) -> None:
    assert load_preset(name, by=None, now=now)


def test_an_unknown_preset_is_refused_with_the_names_that_exist(now: datetime) -> None:
    with pytest.raises(InvalidInput, match="bant, classic, hybrid, marketplace, six-step, speed"):
        load_preset("baroque", by=None, now=now)


def test_a_bdr_cannot_load_a_preset_and_nothing_of_it_stays(bdr: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        load_preset("classic", by=bdr, now=now)

    assert not ModelVersion.objects.exists()


def test_the_command_prints_the_plan_in_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_preset", "classic", "--dry-run")

    printed = capsys.readouterr().out
    assert "- Add the policy “Demo requests”." in printed
    assert "Nothing was changed: dry run." in printed


def test_the_command_says_when_there_is_nothing_to_change(
    classic: ModelVersion, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("load_preset", "classic")

    assert "Nothing to change." in capsys.readouterr().out


def test_the_command_refuses_an_unknown_name() -> None:
    with pytest.raises(CommandError):
        call_command("load_preset", "baroque")


class TestGatesAndCadences:
    """The SQL gate and the attempts after acceptance, as published; the other numbers are starting values."""

    def test_classic_needs_all_of_bant(self, classic: ModelVersion) -> None:
        assert QualificationGate.objects.get().requires == ["budget", "authority", "need", "timeline"]
        assert Cadence.objects.get().steps.count() == 3

    def test_speed_needs_need_decision_maker_and_a_budget_that_roughly_fits(self, now: datetime) -> None:
        load_preset("speed", by=None, now=now)

        gate = QualificationGate.objects.get()
        assert (set(gate.requires), gate.budget_may_be_rough) == ({"need", "authority", "budget"}, True)

    def test_speed_tries_five_to_seven_times_in_48_hours_the_first_in_15_minutes(self, now: datetime) -> None:
        load_preset("speed", by=None, now=now)

        steps = CadenceStep.objects.filter(cadence__is_active=True)
        assert 5 <= steps.count() <= 7
        assert not steps.filter(in_working_hours=True).exists()
        assert steps.get(number=1).minutes == 15
        assert max(steps.values_list("minutes", flat=True)) <= 48 * 60

    def test_bant_needs_all_four_and_tries_three_times_in_five_days(self, now: datetime) -> None:
        load_preset("bant", by=None, now=now)

        gate = QualificationGate.objects.get()
        assert gate.requires == ["budget", "authority", "need", "timeline"]
        assert not gate.budget_may_be_rough
        steps = list(CadenceStep.objects.filter(cadence__is_active=True).order_by("number"))
        assert len(steps) == 3
        assert steps[0].minutes == 4 * 60
        assert steps[-1].minutes <= 5 * 8 * 60

    @pytest.mark.parametrize(("category", "minutes"), [("A", 60), ("B", 4 * 60), ("", 24 * 60)])
    def test_hybrid_tries_a_in_60_minutes_b_in_4_hours_c_in_24(
        self, category: str, minutes: int, now: datetime
    ) -> None:
        load_preset("hybrid", by=None, now=now)

        cadence = Cadence.objects.get(categories=[category] if category else [])
        assert cadence.steps.get(number=1).minutes == minutes

    def test_six_step_tries_high_scores_within_minutes_and_others_within_hours(self, now: datetime) -> None:
        load_preset("six-step", by=None, now=now)

        high, others = Cadence.objects.filter(is_active=True)
        assert high.categories == ["A"]
        assert high.steps.get(number=1).minutes < 60 <= others.steps.get(number=1).minutes

    def test_the_gate_of_one_protocol_gives_way_to_that_of_the_next(
        self, classic: ModelVersion, now: datetime
    ) -> None:
        plan = load_preset("speed", by=None, now=now)

        assert "SQL needs a yes to budget, authority, need; the budget need only roughly fit." in plan


class TestWithoutRouting:
    """`hybrid`, `speed`, `six-step` and `bant` bring scoring, reasons, gate and cadences; the rest stays."""

    @pytest.mark.parametrize("name", ["hybrid", "speed", "six-step", "bant"])
    def test_the_plan_says_what_stays_as_it_is(self, classic: ModelVersion, name: str, now: datetime) -> None:
        plan = load_preset(name, by=None, now=now)

        assert plan[-1] == "Routing rules stay as they are."
        assert ModelVersion.objects.active().get() != classic

    def test_routing_stays(self, classic: ModelVersion, now: datetime) -> None:
        def kept() -> list[list[object]]:
            models = (RoutingRule, Playbook, QualificationGate)
            return [list(model._default_manager.order_by("pk").values()) for model in models]

        before = kept()

        load_preset("hybrid", by=None, now=now)

        assert kept() == before

    def test_loading_it_again_changes_nothing(self, now: datetime) -> None:
        load_preset("speed", by=None, now=now)

        assert load_preset("speed", by=None, now=now) == []

    def test_a_dry_run_says_what_loading_then_does(self, now: datetime) -> None:
        planned = load_preset("six-step", by=None, now=now, dry_run=True)

        assert not ModelVersion.objects.exists()
        assert load_preset("six-step", by=None, now=now) == planned

    def test_a_whole_protocol_keeps_nothing_back(self, now: datetime) -> None:
        assert PRESETS["classic"].kept == ""
        assert not any("stay" in line for line in load_preset("classic", by=None, now=now))


def test_a_preset_may_bring_only_some_of_its_parts() -> None:
    brought = replace(PRESETS["classic"], feedback=None)

    assert brought.kept == "Reasons stay as they are."
