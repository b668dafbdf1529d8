"""What a policy has said over time, and who changed it: for the admin and the page of policies (SLA-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sla.models import PolicyVersion
from sla.versions import Terms, read_terms
from sla.wording import changes_in_words, conditions_in_words, step_in_words, target_in_words


@dataclass(frozen=True)
class Edition:
    """One version and what it changed, in sentences."""

    version: PolicyVersion
    changes: Sequence[str]


def history_of(versions: Sequence[PolicyVersion]) -> list[Edition]:
    """What each version changed, newest first; the first says it all. The versions are newest first."""
    editions = [
        Edition(newer, changes_in_words(read_terms(older), read_terms(newer)))
        for newer, older in pairwise(versions)
    ]
    return editions + [Edition(first, terms_in_words(read_terms(first))) for first in versions[-1:]]


def terms_in_words(terms: Terms) -> list[str]:
    """Everything a version says, a sentence each."""
    review = "A manager reviews each missed target." if terms.reviews_breaches else ""
    sentences = [
        f"Applies to {conditions_in_words(terms.conditions)}.",
        *(f"{target_in_words(target)}." for target in terms.targets),
        *(f"When missed. {step_in_words(step)}." for step in terms.steps),
        review,
    ]
    return [sentence for sentence in sentences if sentence]
