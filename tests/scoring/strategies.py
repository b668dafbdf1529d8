"""Generated scoring models and people.

Times cluster where something changes: at the edges of windows, of decay and of whole days since a last
occurrence, and a microsecond beside them. Every second model has so few rules that nothing else hides when
one of them changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from scoring.language.attributes import ATTRIBUTES, Kind
from scoring.language.rules import (
    BehaviourRule,
    Category,
    CategoryTier,
    DecayStep,
    Effect,
    FitRule,
    Formula,
    Group,
    Model,
    Operator,
    RuleDecay,
    Shape,
)
from tests.scoring.reference import Change, Hit, Person

MICROSECOND = timedelta(microseconds=1)
HOURS = (1, 23, 24, 25, 168, 720, 1440, 2160)
# Ages at which points fade: whole days, few enough that the reference can try them all.
FADING_HOURS = (48, 72, 96, 144, 336)
FACTORS = (1, 333, 500, 900, 1500, 2000, 3000, 5000)  # per mille
SIGNALS = (11, 12, 13)
TEXTS = ("VP Sales", "vp", "Director of CTO-things", "C.T.O.", "Software", "100%_off\\", "Zoë Größe", " ", "")
WISHES = ("VP", "cto", "vp sales", "software", "%", "_", "\\", "größe", "C.T.O.", "of")
NUMBER = next(key for key, attribute in ATTRIBUTES.items() if attribute.kind is Kind.NUMBER)
TEXT_ATTRIBUTES = ("title", "company.industry", "email_domain")

# Noon and midnight of ordinary days, and the hours around clock changes in Berlin and New York.
MOMENTS = (
    datetime(2026, 3, 3, 12, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2028, 2, 29, 0, tzinfo=UTC),
)


def points() -> st.SearchStrategy[int]:
    return st.one_of(st.sampled_from((1, 3, 5, 7, 10, 15, 20, 50)), st.integers(-30, 30))


@st.composite
def fit_rules(draw: st.DrawFn, key: int, *, effect: Effect | None = None) -> FitRule:
    effect = effect or draw(st.sampled_from([Effect.POINTS] * 7 + [Effect.DISQUALIFIES]))
    given = draw(points()) if effect is Effect.POINTS else 0
    factor = draw(st.sampled_from(FACTORS)) if effect is Effect.MULTIPLIES else 1000
    if draw(st.booleans()):
        operator = draw(
            st.sampled_from((Operator.BETWEEN, Operator.NOT_BETWEEN, Operator.IS_KNOWN, Operator.IS_BLANK))
        )
        bounds = sorted(draw(st.tuples(st.integers(0, 60), st.integers(0, 60))))
        low, high = draw(st.sampled_from(((bounds[0], bounds[1]), (bounds[0], None), (None, bounds[1]))))
        return FitRule(key, NUMBER, operator, low=low, high=high, points=given, effect=effect, factor=factor)
    operator = draw(
        st.sampled_from([one for one in Operator if one not in (Operator.BETWEEN, Operator.NOT_BETWEEN)])
    )
    wishes = st.lists(st.sampled_from(WISHES), min_size=1, max_size=3).map(tuple)
    if operator is Operator.HAS_WORD:
        wishes = wishes.filter(lambda chosen: all(any(c.isalnum() for c in wish) for wish in chosen))
    attribute = draw(st.sampled_from(TEXT_ATTRIBUTES))
    return FitRule(key, attribute, operator, values=draw(wishes), points=given, effect=effect, factor=factor)


@st.composite
def behaviour_rules(draw: st.DrawFn, key: int, *, effect: Effect | None = None) -> BehaviourRule:
    signal = draw(st.sampled_from(SIGNALS))
    # Intent and engagement belong to the signal: 11 is low, 12 high, 13 high but no engagement.
    high_intent = signal != 11
    effects = [Effect.POINTS] * 8 + [Effect.DISQUALIFIES] + ([Effect.INSTANT_MQL] if high_intent else [])
    effect = effect or draw(st.sampled_from(effects))
    min_count = draw(st.sampled_from((1, 1, 2, 3)))
    return BehaviourRule(
        key,
        signal,
        points=draw(points()) if effect is Effect.POINTS else 0,
        effect=effect,
        min_count=min_count,
        max_count=draw(st.sampled_from((None, None, None, min_count, min_count + 1, min_count + 3))),
        window_hours=draw(st.sampled_from((None, *HOURS))),
        each=draw(st.booleans()),
        cap=draw(st.sampled_from((None, None, 1, 12, 40))),
        high_intent=high_intent,
        explicit=draw(st.booleans()),
        engages=signal != 13,
        decay=draw(st.one_of(st.none(), decays())) if effect is Effect.POINTS else None,
        factor=draw(st.sampled_from(FACTORS)) if effect is Effect.MULTIPLIES else 1000,
    )


@st.composite
def decays(draw: st.DrawFn) -> RuleDecay:
    shape = draw(st.sampled_from(Shape))
    return RuleDecay(
        shape,
        days=draw(st.sampled_from((1, 2, 3, 7) if shape is Shape.HALF_LIFE else (1, 2, 3, 6, 7, 14, 30))),
        percent=draw(st.sampled_from((1, 25, 33, 50, 100))) if shape is Shape.STEP else 0,
        floor_percent=draw(st.sampled_from((0, 0, 10, 33, 99))),
    )


@st.composite
def counting_rules(draw: st.DrawFn, key: int) -> BehaviourRule:
    """A rule that ends when the n-th newest occurrence leaves its window, and nothing but that ends it."""
    signal = draw(st.sampled_from(SIGNALS[1::-1]))
    min_count = draw(st.integers(2, 4))
    return BehaviourRule(
        key,
        signal,
        points=draw(st.sampled_from((5, 10, -7))),
        min_count=min_count,
        max_count=draw(st.sampled_from((None, None, min_count, min_count + 2))),
        window_hours=draw(st.sampled_from(HOURS[1:])),
        each=draw(st.booleans()),
        cap=draw(st.sampled_from((None, 20))),
        high_intent=signal != 11,
        decay=draw(st.one_of(st.none(), st.none(), decays())),
    )


def models() -> st.SearchStrategy[Model]:
    return st.one_of(rich_models(), sparse_models())


@st.composite
def sparse_models(draw: st.DrawFn) -> Model:
    """One or two rules, and neither decay of the model nor a clear signal that ends about the same time."""
    count = draw(st.integers(1, 2))
    return Model(
        threshold=draw(st.integers(1, 20)),
        icp_from=0,
        signal_hours=HOURS[-1],
        behaviour=tuple(draw(counting_rules(key)) for key in range(200, 200 + count)),
    )


@st.composite
def rich_models(draw: st.DrawFn) -> Model:
    formula = draw(st.sampled_from((Formula.HYBRID, Formula.HYBRID, Formula.ADDITIVE, Formula.CHECKLIST)))
    fit = [draw(fit_rules(key)) for key in range(100, 100 + draw(st.sampled_from((2, 4, 1, 0))))]
    behaviour = [draw(behaviour_rules(key)) for key in range(200, 200 + draw(st.sampled_from((4, 6, 2, 0))))]
    for key in range(400, 400 + (draw(st.sampled_from((2, 3, 1, 0))) if formula is Formula.HYBRID else 0)):
        side, rules = draw(st.sampled_from(((fit, fit_rules), (behaviour, behaviour_rules))))
        # Anywhere among the others: multipliers count last wherever they stand.
        side.insert(draw(st.integers(0, len(side))), draw(rules(key, effect=Effect.MULTIPLIES)))
    fit_groups, grouped_fit = draw(grouped(fit, first_key=300))
    behaviour_groups, grouped_behaviour = draw(grouped(behaviour, first_key=310))
    hours = sorted(draw(st.sets(st.sampled_from(HOURS), max_size=3)))
    kept = sorted(
        draw(st.lists(st.integers(0, 1000), min_size=len(hours), max_size=len(hours))), reverse=True
    )
    bounds = st.one_of(st.integers(-20, 15), st.integers(-20, 60))
    return Model(
        threshold=draw(st.one_of(st.integers(1, 10), st.integers(1, 80))),
        icp_from=draw(st.one_of(st.just(0), st.integers(0, 20))),
        signal_hours=draw(st.sampled_from(HOURS)),
        fit=tuple(grouped_fit),
        behaviour=tuple(grouped_behaviour),
        decay=tuple(DecayStep(*step) for step in zip(hours, kept, strict=True)),
        decay_floor=draw(st.sampled_from((0, 0, 5, 30))),
        categories=tuple(
            CategoryTier(category, draw(bounds), draw(bounds))
            for category in draw(st.sampled_from(((Category.A, Category.B), (Category.A,), ())))
        ),
        formula=formula,
        engagement_percent=draw(st.sampled_from((40, 40, 0, 33, 67, 100))),
        groups=(*fit_groups, *behaviour_groups),
    )


@st.composite
def grouped(draw: st.DrawFn, rules: Sequence[Any], *, first_key: int) -> tuple[list[Group], list[Any]]:
    """Some of the rules in groups, of which each holds rules of one sign."""
    caps = st.sampled_from((10, 25, 60, 4, 1, None))
    groups = {
        helps: Group(first_key + helps, cap, "Helps" if helps else "Hurts")
        for helps in (False, True)
        if (cap := draw(caps))
    }
    members = [
        replace(rule, group=group.key)
        if rule.effect is Effect.POINTS and (group := groups.get(rule.points > 0)) and draw(st.booleans())
        else rule
        for rule in rules
    ]
    return list(groups.values()), members


@st.composite
def people(draw: st.DrawFn, moment: datetime) -> Person:
    texts = st.sampled_from(TEXTS)
    numbers = st.one_of(st.none(), st.integers(0, 60))
    facts: dict[str, str | int | None] = {attribute: draw(texts) for attribute in TEXT_ATTRIBUTES}
    facts[NUMBER] = draw(numbers)
    changes = tuple(
        Change(attribute, draw(numbers if attribute == NUMBER else texts), at)
        for attribute in ("title", "company.industry", NUMBER)
        for at in sorted(draw(st.sets(moments_near(moment), max_size=2)))
    )
    return Person(facts, draw(histories(moment)), changes, draw(st.sampled_from((0, 0, 0, 2))))


@st.composite
def histories(draw: st.DrawFn, moment: datetime) -> tuple[Hit, ...]:
    """Nothing at all, a few things, or many of one signal; some at the very same time."""
    least = draw(st.sampled_from((4, 6, 2, 0)))
    occurred = draw(st.lists(moments_near(moment), min_size=least, max_size=least and 8))
    if occurred:
        occurred += draw(st.lists(st.sampled_from(occurred), max_size=2))
    signals = st.sampled_from(draw(st.sampled_from((SIGNALS, SIGNALS, SIGNALS[:1], SIGNALS[1:2]))))
    delays = st.sampled_from((timedelta(0), timedelta(0), timedelta(hours=30)))
    return tuple(Hit(draw(signals), at, at + draw(delays)) for at in occurred)


def moments_near(moment: datetime) -> st.SearchStrategy[datetime]:
    """Moments whose distance is often exactly a window long, or a microsecond beside it; some lie ahead."""
    edges = st.builds(
        lambda hours, shift: moment - timedelta(hours=hours) + shift * MICROSECOND,
        st.sampled_from((-24, 0, *HOURS, *FADING_HOURS)),
        st.sampled_from((-1, 0, 0, 1)),
    )
    return st.one_of(
        edges, st.integers(-3 * 86_400, 100 * 86_400).map(lambda s: moment - timedelta(seconds=s))
    )
