"""What both sides must say in the end, from the history of what people wrote. Knows nothing of `crm`.

Of each field the last write of either side counts. One that was made by somebody who saw the other one is
right. Where neither saw the other, the stated rule of the field decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple


class Side(Enum):
    HERE = auto()
    THERE = auto()

    @property
    def other(self) -> Side:
        return Side.THERE if self is Side.HERE else Side.HERE


class Rule(NamedTuple):
    """How a field is exchanged, in the words of the mapping's editor."""

    direction: str
    """push, pull, both"""
    precedence: str = "ours"
    """ours, theirs, newest, ours_if_blank"""
    sends_blanks: bool = False


class Write(NamedTuple):
    """What somebody wrote, and how many writes of the other side they had seen."""

    value: str
    at: datetime
    seen: int
    may_have_seen: int
    """The same, where it had arrived but the other side had not heard so, or both wrote the same."""


@dataclass
class History:
    """The writes of people to one field of one lead, by side."""

    first: str
    """What both sides said in the beginning."""
    writes: dict[Side, list[Write]] = field(default_factory=lambda: {side: [] for side in Side})

    def note(self, side: Side, value: str, *, at: datetime, held: str, is_agreed: bool = True) -> None:
        """Somebody wrote a value where `held` was to be read. `is_agreed`: the other side, if that was its
        value, has been told that it arrived."""
        own = self.writes[side]
        seen = may_have_seen = max((write.seen for write in own), default=0)
        # Both may have written the same: then nobody can tell whose it was.
        is_clear = is_agreed and not (own and own[-1].value == held)
        for number, write in enumerate(self.writes[side.other], start=1):
            if write.value == held:
                may_have_seen = max(may_have_seen, number)
                seen = max(seen, number) if is_clear else seen
        self.writes[side].append(Write(value, at, seen, may_have_seen))

    def expected(self, rule: Rule) -> set[str]:
        """What may be the value on both sides in the end."""
        winners = self._winners(rule)
        return set().union(*(self._filled(side, rule) for side in winners)) if winners else {self.first}

    def _winners(self, rule: Rule) -> set[Side]:
        here, there = self.writes[Side.HERE], self.writes[Side.THERE]
        if not here or not there:
            return {side for side in Side if self.writes[side]}
        if here[-1].seen >= len(there):
            return {Side.HERE}
        if there[-1].seen >= len(here):
            return {Side.THERE}
        # Who put back what both sides had agreed on has, as far as can be seen, changed nothing.
        put_back = {side.other for side in Side if self._is_put_back(side)}
        decided = self._by_rule(rule, here[-1], there[-1])
        if put_back:
            return {decided, *put_back}
        # Had it been clear that one of them saw the other's, it would be known to be the later one.
        unclear = {
            side for side in Side if self.writes[side][-1].may_have_seen >= len(self.writes[side.other])
        }
        return {decided, *unclear}

    def _is_put_back(self, side: Side) -> bool:
        """Whether the last write of a side says again what the two may have agreed on before."""
        own, others = self.writes[side], self.writes[side.other]
        agreed = {self.first} if not own[-1].seen and not others[-1].seen else set()
        agreed |= {others[own[-1].seen - 1].value} if own[-1].seen else set()
        agreed |= {own[others[-1].seen - 1].value} if others[-1].seen else set()
        return own[-1].value in agreed

    def _by_rule(self, rule: Rule, here: Write, there: Write) -> Side:
        match rule.precedence:
            case "ours":
                return Side.HERE
            case "newest":
                return Side.HERE if here.at > there.at else Side.THERE
        return Side.THERE

    def _filled(self, side: Side, rule: Rule) -> set[str]:
        """What a side wrote; a blank that does not count is filled by what the other one knows."""
        value = self.writes[side][-1].value
        if value or _counts(rule, blank_of=side):
            return {value}
        said = ([write.value for write in self.writes[each] if write.value] for each in Side)
        return {values[-1] for values in said if values} or {self.first}

    def __str__(self) -> str:
        told = [
            (write.at, f"{write.at:%H:%M:%S} {side.name.lower()} {write.value!r} (saw {write.seen})")
            for side in Side
            for write in self.writes[side]
        ]
        return "; ".join([f"at first {self.first!r}", *(words for _, words in sorted(told))])


def _counts(rule: Rule, *, blank_of: Side) -> bool:
    if blank_of is Side.HERE:
        return rule.sends_blanks
    return rule.precedence == "theirs" or (rule.precedence == "newest" and rule.sends_blanks)


class Oracle:
    """The histories of all fields of all leads, by the name of the field and the lead's key."""

    def __init__(self, rules: dict[str, Rule]) -> None:
        self.rules = rules
        self._histories: defaultdict[str, dict[str, History]] = defaultdict(dict)

    def begin(self, key: str, values: dict[str, str]) -> None:
        for name, value in values.items():
            self._histories[key][name] = History(value)

    def of(self, key: str, name: str) -> History:
        return self._histories[key][name]

    def contradictions(self, key: str, *, here: dict[str, str], there: dict[str, str]) -> Iterator[str]:
        """Where what the two sides say in the end is not what the rules say."""
        for name, rule in self.rules.items():
            history = self.of(key, name)
            expected = history.expected(rule)
            said = {here[name], there[name]}
            if len(said) > 1 or not said <= expected:
                yield (
                    f"{key} {name}: here {here[name]!r}, there {there[name]!r}, "
                    f"expected {' or '.join(map(repr, sorted(expected)))} ({rule.precedence}); {history}"
                )
