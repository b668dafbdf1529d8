"""Who is right about a field that both sides know (CRM-3). No database, no server."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from crm.mapping import (
    NOT_PROVIDED,
    PORTAL_FIELDS,
    Direction,
    FieldRule,
    Kind,
    Precedence,
    Settlement,
    as_kept,
    as_sent,
    as_stored,
    changed_fields,
    settle,
)
from tests.factories import NOON

LATER = NOON + timedelta(seconds=1)


def title(**changes: object) -> FieldRule:
    return FieldRule("Lead", "title", "Title", **{"direction": Direction.BOTH, **changes})


def after(base: object, ours: object, theirs: object, rule: FieldRule, **times: object) -> tuple:
    """What both sides hold once the settlement has been carried out, and what is then acknowledged."""
    done = settle(rule, base=base, ours=ours, theirs=theirs, **times)
    ours = done.value if done.take else ours
    theirs, acknowledged = (done.value, done.value) if done.send else (theirs, done.acknowledged)
    return acknowledged, ours, theirs


class TestStatedRules:
    @pytest.mark.parametrize(
        ("rule", "base", "ours", "theirs", "done"),
        [
            # Both ways: whoever changed it is right.
            (Precedence.THEIRS, "CTO", "CFO", "CTO", "send"),
            (Precedence.OURS, "CTO", "CTO", "CFO", "take"),
            (Precedence.OURS, "CTO", "CFO", "CFO", ""),
            # Both changed it.
            (Precedence.OURS, "CTO", "CFO", "CEO", "send conflict"),
            (Precedence.THEIRS, "CTO", "CFO", "CEO", "take conflict"),
            (Precedence.OURS_IF_BLANK, "CTO", "CFO", "CEO", "take conflict"),
            # A blank is no answer, unless Salesforce alone is right.
            (Precedence.OURS_IF_BLANK, "CTO", "CFO", "", "send"),
            (Precedence.OURS_IF_BLANK, "CTO", "CTO", None, "send"),
            (Precedence.OURS, "CTO", "", "CTO", "take"),
            (Precedence.NEWEST, "CTO", "CTO", "", "send"),
            (Precedence.THEIRS, "CTO", "CTO", "", "take"),
            (Precedence.THEIRS, "CTO", "CFO", "", "take conflict"),
            # Never acknowledged: what one side knows fills the other.
            (Precedence.THEIRS, None, "CTO", None, "send"),
            (Precedence.OURS, None, None, "CTO", "take"),
            (Precedence.OURS, None, "CFO", "CTO", "send conflict"),
        ],
    )
    def test_both_ways(self, rule: Precedence, base: object, ours: object, theirs: object, done: str) -> None:
        settled = settle(title(rule=rule), base=base, ours=ours, theirs=theirs)

        assert done_words(settled) == done
        assert bool(settled.why) is settled.is_conflict

    @pytest.mark.parametrize(
        ("ours_at", "theirs_at", "done"),
        [
            (LATER, NOON, "send conflict"),
            (NOON, LATER, "take conflict"),
            (NOON, NOON, "take conflict"),
            (None, NOON, "take conflict"),
            (NOON, None, "take conflict"),
        ],
        ids=["ours later", "theirs later", "same moment", "ours unknown", "theirs unknown"],
    )
    def test_the_latest_change_is_right_where_the_rule_says_so(
        self, ours_at: object, theirs_at: object, done: str
    ) -> None:
        rule = title(rule=Precedence.NEWEST)

        settled = settle(rule, base="CTO", ours="CFO", theirs="CEO", ours_at=ours_at, theirs_at=theirs_at)

        assert done_words(settled) == done

    @pytest.mark.parametrize(
        ("direction", "sends_blanks", "base", "ours", "theirs", "done"),
        [
            (Direction.PUSH, False, "CTO", "CTO", "CEO", "send"),
            (Direction.PUSH, False, "CTO", "", "CTO", ""),
            (Direction.PUSH, True, "CTO", "", "CTO", "send"),
            (Direction.PULL, False, "CTO", "CFO", "CTO", "take"),
            (Direction.PULL, False, "CTO", "CFO", "", "take"),
            (Direction.PULL, False, None, "CFO", "", ""),
            (Direction.OFF, True, "CTO", "CFO", "CEO", ""),
        ],
    )
    def test_one_way(
        self, direction: Direction, sends_blanks: bool, base: object, ours: str, theirs: str, done: str
    ) -> None:
        rule = title(direction=direction, sends_blanks=sends_blanks)

        assert done_words(settle(rule, base=base, ours=ours, theirs=theirs)) == done

    def test_an_opt_out_on_either_side_holds_on_both(self) -> None:
        for rule in Precedence:
            opt_out = FieldRule("Lead", "unsubscribed", "HasOptedOutOfEmail", Direction.BOTH, rule)

            assert done_words(settle(opt_out, base=True, ours=True, theirs=False)) == "send"
            assert done_words(settle(opt_out, base=True, ours=False, theirs=True)) == "take"
            assert settle(opt_out, base=None, ours=False, theirs=True).value is True


def done_words(settled: Settlement) -> str:
    said = {"take": settled.take, "send": settled.send, "conflict": settled.is_conflict}
    return " ".join(word for word, was_done in said.items() if was_done)


class TestEveryCase:
    """All of them: four values on three sides, under each direction, rule and order of times."""

    VALUES = (None, "a", "b", "c")
    RULES = tuple(
        title(direction=direction, rule=rule, sends_blanks=blanks)
        for direction, rule, blanks in product(Direction, Precedence, (False, True))
    )
    TIMES = ((NOON, LATER), (LATER, NOON), (None, None))

    def cases(self) -> product:
        return product(self.RULES, self.VALUES, self.VALUES, self.VALUES, self.TIMES)

    def test_both_sides_end_as_the_rules_say(self) -> None:
        for rule, base, ours, theirs, (ours_at, theirs_at) in self.cases():
            _, *ended = after(base, ours, theirs, rule, ours_at=ours_at, theirs_at=theirs_at)

            assert tuple(ended) == oracle(rule, base, ours, theirs, ours_at, theirs_at), (
                rule, base, ours, theirs, ours_at,
            )  # fmt: skip

    def test_what_is_settled_stays_and_is_not_sent_back(self) -> None:
        for rule, base, ours, theirs, (ours_at, theirs_at) in self.cases():
            acknowledged, ours_now, theirs_now = after(
                base, ours, theirs, rule, ours_at=ours_at, theirs_at=theirs_at
            )

            again = settle(rule, base=acknowledged, ours=ours_now, theirs=theirs_now)

            assert done_words(again) == ""
            if rule.is_sent and (ours_now is not None or rule.sends_blanks):
                wanted = {"Title": as_sent(as_stored(ours_now, rule), rule)}
                assert changed_fields(wanted, {"Title": acknowledged}) == {}


def oracle(
    rule: FieldRule, base: object, ours: object, theirs: object, ours_at: object, theirs_at: object
) -> tuple:
    """The same in other terms: who speaks, who of them has news, and who of those is believed."""
    allowed = {
        Direction.PUSH: {"ours"},
        Direction.PULL: {"theirs"},
        Direction.BOTH: {"ours", "theirs"},
        Direction.OFF: set(),
    }[rule.direction]
    said = {"ours": ours, "theirs": theirs}
    one_way = len(allowed) == 1
    their_blank = rule.rule == "theirs" or (rule.rule == "newest" and rule.sends_blanks)
    means_its_blank = {
        "ours": rule.sends_blanks,
        "theirs": base is not None if one_way else their_blank,
    }
    speakers = {side for side in allowed if said[side] is not None or means_its_blank[side]}
    with_news = {side for side in speakers if said[side] != base}
    believed = with_news if len(speakers) == 2 else speakers
    if ours == theirs or not speakers:
        return ours, theirs
    if len(believed) == 2:
        ours_are_newer = ours_at is not None and ours_at > theirs_at
        believed = (
            {"ours"} if rule.rule == "ours" or (rule.rule == "newest" and ours_are_newer) else {"theirs"}
        )
    (right,) = believed
    return said[right], said[right]


class TestAsSalesforceStoresIt:
    @pytest.mark.parametrize(
        ("field", "ours", "theirs"),
        [
            ("title", "VP Sales ", "VP Sales"),
            ("email", "ada@engine.example", "Ada@Engine.Example"),
            ("pain_point", "one\ntwo", "one\r\ntwo"),
            ("employee_count", 250, 250.0),
            ("handoff_at", NOON.replace(microsecond=7), "2026-03-03T12:00:00.000+0000"),
            ("unsubscribed", False, None),
            ("last_name", "", NOT_PROVIDED),
            ("title", "x" * 200, f"{'x' * 127}…"),
            ("first_name", f"{'y' * 79}…", "y" * 100),
        ],
        ids=["blanks", "case", "lines", "number", "second", "box", "stand-in", "cut there", "cut here"],
    )
    def test_the_same_in_other_words_is_no_difference(self, field: str, ours: object, theirs: object) -> None:
        limit = {"title": 128, "first_name": 120}.get(field)
        rule = FieldRule("Lead", field, "Any__c", Direction.BOTH, max_length=limit)

        assert done_words(settle(rule, base=None, ours=ours, theirs=theirs)) == ""

    @pytest.mark.parametrize(
        ("field", "remote_type", "ours", "told"),
        [
            ("handoff_at", "date", NOON, "2026-03-03"),
            ("score", "string", 65, "65"),
            ("score", "double", 65, 65),
        ],
    )
    def test_a_value_takes_the_form_of_the_field_there(
        self, field: str, remote_type: str, ours: object, told: object
    ) -> None:
        rule = FieldRule("Lead", field, "Any__c", remote_type=remote_type)

        assert as_stored(ours, rule) == told
        assert as_stored(told, rule) == told

    def test_text_where_a_number_must_be_is_refused_in_words(self) -> None:
        rule = FieldRule("Lead", "employee_count", "Size__c", Direction.PULL, remote_type="string")

        assert as_kept(as_stored("250", rule), rule) == 250
        with pytest.raises(InvalidInput, match="a text in Size__c where a number is needed") as refusal:
            as_kept(as_stored("about 250", rule), rule)
        assert refusal.value.field == "employee_count"

    rules = st.builds(
        FieldRule,
        st.just("Lead"),
        st.sampled_from(sorted(PORTAL_FIELDS)),
        st.just("Any__c"),
        st.just(Direction.BOTH),
        st.sampled_from(Precedence),
        max_length=st.none() | st.integers(3, 300),
        remote_type=st.sampled_from(["", "string", "date", "double"]),
    )
    raw = st.one_of(
        st.none(),
        st.text(max_size=300),
        st.integers(0, 2**53),
        st.floats(),
        st.booleans(),
        st.datetimes().map(lambda at: at.replace(tzinfo=NOON.tzinfo)),
    )

    @given(rule=rules, value=raw)
    def test_the_stored_form_is_the_form_of_itself(self, rule: FieldRule, value: object) -> None:
        stored = as_stored(value, rule)

        assert as_stored(stored, rule) == stored
        assert as_stored(as_sent(stored, rule), rule) == stored
        if rule.portal.kind is Kind.TEXT and rule.max_length and stored is not None:
            assert len(str(stored)) <= rule.max_length

    @given(rule=rules, base=raw, ours=raw, theirs=raw)
    def test_whatever_the_values_it_is_settled_once(
        self, rule: FieldRule, base: object, ours: object, theirs: object
    ) -> None:
        acknowledged, ours, theirs = after(base, ours, theirs, rule)

        assert done_words(settle(rule, base=acknowledged, ours=ours, theirs=theirs)) == ""
