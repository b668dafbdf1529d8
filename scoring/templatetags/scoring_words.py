"""Rules and ledgers in words, for templates."""

from __future__ import annotations

from django import template

from scoring.admin.rule_forms import sentence_of
from scoring.language import ledger
from scoring.language.explanation import Explanation
from scoring.models import Rule

register = template.Library()


@register.filter
def rule_words(rule: Rule) -> str:
    """The rule as a plain sentence, also while it makes no sense yet."""
    return sentence_of(rule)


@register.filter
def ledger_sections(explanation: Explanation) -> list[ledger.LedgerSection]:
    """The ledger in sections whose sums add up to the score."""
    return ledger.ledger_sections(explanation)


@register.filter
def problems_of(rule: Rule, problems: list[str] | str) -> list[str]:
    """Those of the version's problems that speak of this rule: they quote its sentence or its name."""
    words = sentence_of(rule)
    return [each for each in problems or [] if words in each or f"“{rule.name}”" in each]
