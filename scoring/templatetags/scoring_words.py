"""Rules in words, for templates."""

from __future__ import annotations

from django import template

from scoring.admin_rule_forms import sentence_of
from scoring.models import Rule

register = template.Library()


@register.filter
def rule_words(rule: Rule) -> str:
    """The rule as a plain sentence, also while it makes no sense yet."""
    return sentence_of(rule)
