"""Generated scoring models and people. Times cluster at window edges and a microsecond beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from scoring.attributes import ATTRIBUTES, Kind
from scoring.rules import (
    BehaviourRule,
    Category,
    CategoryTier,
    DecayStep,
    Effect,
    FitRule,
    Model,
    Operator,
)
from tests.scoring.reference import Change, Hit, Person

MICROSECOND = timedelta(microseconds=1)
HOURS = (1, 23, 24, 25, 168, 720, 1440, 2160)
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
def fit_rules(draw: st.DrawFn, key: int) -> FitRule:
    effect = draw(st.sampled_from((Effect.POINTS, Effect.POINTS, Effect.POINTS, Effect.DISQUALIFIES)))
    given = draw(points()) if effect is Effect.POINTS else 0
    if draw(st.booleans()):
        operator = draw(
            st.sampled_from((Operator.BETWEEN, Operator.NOT_BETWEEN, Operator.IS_KNOWN, Operator.IS_BLANK))
        )
        bounds = sorted(draw(st.tuples(st.integers(0, 60), st.integers(0, 60))))
        low, high = draw(st.sampled_from(((bounds[0], bounds[1]), (bounds[0], None), (None, bounds[1]))))
        return FitRule(key, NUMBER, operator, low=low, high=high, points=given, effect=effect)
    operator = draw(
        st.sampled_from([one for one in Operator if one not in (Operator.BETWEEN, Operator.NOT_BETWEEN)])
    )
    wishes = st.lists(st.sampled_from(WISHES), min_size=1, max_size=3).map(tuple)
    if operator is Operator.HAS_WORD:
        wishes = wishes.filter(lambda chosen: all(any(c.isalnum() for c in wish) for wish in chosen))
    attribute = draw(st.sampled_from(TEXT_ATTRIBUTES))
    return FitRule(key, attribute, operator, values=draw(wishes), points=given, effect=effect)


@st.composite
def behaviour_rules(draw: st.DrawFn, key: int) -> BehaviourRule:
    signal = draw(st.sampled_from(SIGNALS))
    # Intent and engagement belong to the signal: 11 is low, 12 high, 13 high but no engagement.
    high_intent = signal != 11
    effects = [Effect.POINTS] * 5 + [Effect.DISQUALIFIES] + ([Effect.INSTANT_MQL] if high_intent else [])
    effect = draw(st.sampled_from(effects))
    return BehaviourRule(
        key,
        signal,
        points=draw(points()) if effect is Effect.POINTS else 0,
        effect=effect,
        min_count=draw(st.sampled_from((1, 1, 2, 3))),
        window_hours=draw(st.sampled_from((None, *HOURS))),
        each=draw(st.booleans()),
        cap=draw(st.sampled_from((None, None, 1, 12, 40))),
        high_intent=high_intent,
        explicit=draw(st.booleans()),
        engages=signal != 13,
    )


@st.composite
def models(draw: st.DrawFn) -> Model:
    fit_count = draw(st.integers(0, 4))
    behaviour_count = draw(st.integers(0, 6))
    hours = sorted(draw(st.sets(st.sampled_from(HOURS), max_size=3)))
    kept = sorted(
        draw(st.lists(st.integers(0, 1000), min_size=len(hours), max_size=len(hours))), reverse=True
    )
    bounds = st.integers(-20, 60)
    return Model(
        threshold=draw(st.integers(1, 80)),
        icp_from=draw(st.integers(0, 20)),
        signal_hours=draw(st.sampled_from(HOURS)),
        fit=tuple(draw(fit_rules(key)) for key in range(100, 100 + fit_count)),
        behaviour=tuple(draw(behaviour_rules(key)) for key in range(200, 200 + behaviour_count)),
        decay=tuple(DecayStep(*step) for step in zip(hours, kept, strict=True)),
        decay_floor=draw(st.sampled_from((0, 0, 5, 30))),
        categories=tuple(
            CategoryTier(category, draw(bounds), draw(bounds))
            for category in draw(st.sampled_from(((), (Category.A,), (Category.A, Category.B))))
        ),
    )


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
    occurred = draw(st.lists(moments_near(moment), max_size=8))
    hits = tuple(
        Hit(
            draw(st.sampled_from(SIGNALS)),
            at,
            at + draw(st.sampled_from((timedelta(0), timedelta(hours=30)))),
        )
        for at in occurred
    )
    return Person(facts, hits, changes, draw(st.sampled_from((0, 0, 0, 2))))


def moments_near(moment: datetime) -> st.SearchStrategy[datetime]:
    """Moments whose distance is often exactly a window long, or a microsecond beside it; some lie ahead."""
    edges = st.builds(
        lambda hours, shift: moment - timedelta(hours=hours) + shift * MICROSECOND,
        st.sampled_from((-24, 0, *HOURS)),
        st.sampled_from((-1, 0, 0, 1)),
    )
    return st.one_of(
        edges, st.integers(-3 * 86_400, 100 * 86_400).map(lambda s: moment - timedelta(seconds=s))
    )
