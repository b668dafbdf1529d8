"""The order of policies: the first that matches applies, so an earlier one can hide a later one."""

from __future__ import annotations

from collections.abc import Sequence

from sla.models import Policy


def find_hidden(policies: Sequence[Policy]) -> list[tuple[Policy, Policy]]:
    """Pairs of a policy that can never apply and the earlier one that takes everything it would match."""
    return [
        (later, earlier)
        for index, later in enumerate(policies)
        for earlier in policies[:index]
        if _takes_all_of(earlier, later)
    ]


def _takes_all_of(earlier: Policy, later: Policy) -> bool:
    return (
        earlier.category in ("", later.category)
        and earlier.warmth in ("", later.warmth)
        and earlier.source.casefold() in ("", later.source.casefold())
        and earlier.is_instant_mql in (None, later.is_instant_mql)
        and earlier.is_catch_all in (None, later.is_catch_all)
    )
