"""What becomes of one field that both sides know (CRM-3), compared with what they last agreed on. Pure.

The rules, in this order:

1. What is the same on both sides, as Salesforce stores it, stays.
2. A field that travels one way follows the side it comes from. One that is off stays as it is on both.
3. A blank is no answer: the other side's value fills it. It counts only where the rule says so: ours if it
   `sends_blanks`, theirs if Salesforce alone is right about the field.
4. Of a field that travels both ways, the side that changed it since the last agreement is right.
5. Both changed it: a conflict, which the rule of the field decides, and which is logged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from crm.mapping.catalogue import Kind
from crm.mapping.rules import Direction, FieldRule, Precedence
from crm.mapping.values import Value, as_sent, as_stored


@dataclass(frozen=True)
class Settlement:
    """What to do about a field. `take`: write `value` here; `send`: have it sent there; never both.

    `acknowledged` is what Salesforce is now known to hold, in the form in which the push compares it: kept as
    that, what was taken is not sent back, and what is to be sent is. `why` says who won a conflict.
    """

    value: Value
    acknowledged: Value
    take: bool = False
    send: bool = False
    is_conflict: bool = False
    why: str = ""


def settle(
    rule: FieldRule,
    *,
    base: object,
    ours: object,
    theirs: object,
    ours_at: datetime | None = None,
    theirs_at: datetime | None = None,
) -> Settlement:
    """Compare the three, in whatever form they come: see the rules above.

    `base` is what was acknowledged last, None if nothing ever was. The times say when each side changed its
    value, None where nobody knows. A conflict of the same moment, or of unknown ones, is Salesforce's: reps
    work there.
    """
    was, here, there = as_stored(base, rule), as_stored(ours, rule), as_stored(theirs, rule)
    acknowledged = as_sent(there, rule)
    kept = Settlement(here, acknowledged)
    taken = Settlement(there, acknowledged, take=True)
    sent = Settlement(here, acknowledged, send=True)

    if here == there or rule.direction is Direction.OFF:
        return kept
    if rule.direction is Direction.PUSH:
        return sent if here is not None or rule.sends_blanks else kept
    if rule.direction is Direction.PULL:
        # Nothing was ever entered there: what we know may stay.
        was_emptied = was is not None and _their_blank_counts(rule)
        return taken if there is not None or was_emptied else kept
    if there is None and not _their_blank_counts(rule):
        return sent
    if here is None and not rule.sends_blanks:
        return taken
    if there == was:
        return sent
    if here == was:
        return taken
    winner, why = _decide(rule, ours_at, theirs_at)
    return replace(sent if winner is Precedence.OURS else taken, is_conflict=True, why=why)


def _their_blank_counts(rule: FieldRule) -> bool:
    """Whether emptying the field there empties it here, too. A box that is unticked there stays ticked here:
    who once asked for no e-mail gets none."""
    if rule.portal.kind is Kind.YES_NO:
        return False
    if rule.direction is Direction.PULL or rule.rule is Precedence.THEIRS:
        return True
    return rule.rule is Precedence.NEWEST and rule.sends_blanks


def _decide(rule: FieldRule, ours_at: datetime | None, theirs_at: datetime | None) -> tuple[Precedence, str]:
    """Who is right when both changed it, and why."""
    match rule.rule:
        case Precedence.OURS:
            return Precedence.OURS, "the portal is right about this field"
        case Precedence.THEIRS:
            return Precedence.THEIRS, "Salesforce is right about this field"
        case Precedence.OURS_IF_BLANK:
            return Precedence.THEIRS, "Salesforce is right about this field unless it is blank there"
    if ours_at is not None and theirs_at is not None and ours_at > theirs_at:
        return Precedence.OURS, "it was changed here last"
    return Precedence.THEIRS, "it was changed in Salesforce last"
