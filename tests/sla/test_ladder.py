"""SLA-5: which steps of the ladder are taken, in which order, and which make no sense any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.business_hours import ALWAYS_OPEN, Shift, WorkingCalendar
from sla.ladder import Action, Overdue, next_step_time, settle, step_time
from sla.models import EscalationStep
from sla.versions import Step

OFFICE = WorkingCalendar("Europe/Berlin", tuple(Shift(day, 600, 1080) for day in range(5)))
FRIDAY_1730 = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
MONDAY_1030 = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
DUE = datetime(2026, 3, 3, 11, tzinfo=UTC)
LATER = DUE + timedelta(hours=15)


def overdue(*steps: str) -> list[Overdue]:
    """Steps as "remind@0", "reassign@30 blocked" or "remind@0 waits", with the minutes after the deadline."""
    found = []
    for position, words in enumerate(steps):
        step, _, state = words.partition(" ")
        action, _, minutes = step.partition("@")
        found.append(
            Overdue(
                position,
                action,
                DUE + timedelta(minutes=int(minutes)),
                obstacle="Nobody else can take it." if state == "blocked" else "",
                waits_until=LATER if state == "waits" else None,
            )
        )
    return found


def outcome(*steps: str) -> list[str]:
    """What is decided: "+" for taken and "-" for left out, "…" for what waits."""
    settled = settle(overdue(*steps))
    marks = [("-" if each.left_out else "+") + each.step.action for each in settled.decisions]
    return marks + ["…"] * (settled.waits_until is not None)


def test_the_actions_are_those_that_policies_name():
    assert [action.value for action in Action] == EscalationStep.Action.values


@pytest.mark.parametrize(
    ("minutes", "hours", "expected"),
    [
        (0, OFFICE, FRIDAY_1730),
        (60, OFFICE, MONDAY_1030),
        (60, ALWAYS_OPEN, FRIDAY_1730 + timedelta(hours=1)),
    ],
    ids=["at once", "in working time", "around the clock"],
)
def test_a_step_is_due_so_long_after_the_deadline(minutes, hours, expected):
    assert step_time(Step("remind", minutes), due_at=FRIDAY_1730, hours=hours) == expected


def test_the_next_step_is_the_first_that_is_not_settled():
    steps = (Step("remind", 0), Step("review", 45))

    times = [next_step_time(steps, settled=number, due_at=DUE, hours=ALWAYS_OPEN) for number in range(3)]

    assert times == [DUE, DUE + timedelta(minutes=45), None]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # One at a time, each is taken.
        (["remind@0"], ["+remind"]),
        (["remind@0 blocked"], ["-remind"]),
        # After an outage: each is settled in order, what a later one serves as well is left out.
        (["remind@0", "remind@30"], ["-remind", "+remind"]),
        (["remind@0", "notify_manager@15", "reassign@30"], ["-remind", "+notify_manager", "+reassign"]),
        (["notify_manager@0", "notify_manager@60"], ["-notify_manager", "+notify_manager"]),
        (["reassign@30", "reassign@60"], ["-reassign", "+reassign"]),
        (["remind@0", "flag_crm@5", "rest@5"], ["+remind", "+flag_crm", "+rest"]),
        # What cannot be taken includes nothing.
        (["remind@0", "reassign@30 blocked"], ["+remind", "-reassign"]),
        (["reassign@30", "reassign@60 blocked"], ["+reassign"]),
        # A change of owner ends it: what was due later is for whoever has it then.
        (["remind@0", "reassign@30", "review@60"], ["-remind", "+reassign"]),
        (["reassign@30", "rest@30", "review@60"], ["+reassign", "+rest"]),
        (["remind@0", "reassign@30 blocked", "review@60"], ["+remind", "-reassign", "+review"]),
        # Who is off is not told yet, and what comes after waits in line.
        (["remind@0 waits"], ["…"]),
        (["notify_manager@0", "remind@0 waits", "flag_crm@5"], ["+notify_manager", "…"]),
        (["remind@0 waits", "reassign@30 waits"], ["…"]),
        # What would be left out anyhow waits for nobody.
        (["remind@0 waits", "reassign@30"], ["-remind", "+reassign"]),
        # What waits itself does not make another needless.
        (["remind@0", "reassign@30 waits"], ["+remind", "…"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_each_step_is_settled_by_what_still_makes_sense(steps, expected):
    assert outcome(*steps) == expected


def test_the_first_of_those_that_wait_says_until_when():
    first, second = overdue("review@0 waits", "notify_manager@5 waits")

    settled = settle(
        [first, Overdue(1, second.action, second.due_at, waits_until=LATER - timedelta(hours=1))]
    )

    assert settled.waits_until == LATER


def test_a_step_left_out_says_why():
    decisions = settle(overdue("remind@0", "reassign@30", "flag_crm@30 blocked")).decisions

    assert [each.left_out for each in decisions] == [
        "It goes to another rep now, so there is nothing to remind of.",
        "",
        "Nobody else can take it.",
    ]


steps = st.builds(
    "{}@{}{}".format,
    st.sampled_from([action.value for action in Action]),
    st.integers(0, 5).map(lambda number: number * 15),
    st.sampled_from(["", " blocked", " waits"]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, max_size=8))
def test_whatever_the_ladder_the_decisions_are_a_beginning_of_it_in_order(ladder):
    ladder.sort(key=lambda words: int(words.split("@")[1].split()[0]))
    given_steps = overdue(*ladder)

    settled = settle(given_steps)

    assert [each.step for each in settled.decisions] == given_steps[: len(settled.decisions)]
    taken = [each.step for each in settled.decisions if not each.left_out]
    assert not any(each.obstacle or each.waits_until for each in taken)
    told = [each.action for each in taken if each.action != Action.REST]
    assert len(told) == len(set(told))
    # It always comes on: what is not settled waits, or comes after a change of owner.
    assert settled.decisions or settled.waits_until or not ladder
