"""Finding people by what one remembers of them."""

from __future__ import annotations

from functools import reduce
from operator import or_

from django.db import connection
from django.db.models import Q

from leads.models import Company, LeadQuerySet

# More words than this are a pasted sentence, not a search.
MOST_WORDS = 6
# Companies whose people are looked at for one word: a name that begins so often finds nobody in particular.
MOST_COMPANIES = 200

_NAMES = ("first_name", "last_name", "email")

# Stand for the words of a search where a statement is composed once for all searches of so many words.
_STAND_INS = tuple(f"standinforword{number}" for number in range(MOST_WORDS))
WORD_PLACEHOLDERS = {f"%{word}%": f"%(word{number})s::text" for number, word in enumerate(_STAND_INS)}


def lead_contains(text: str, *, at: str = "") -> Q:
    """A condition that holds when every word is in the name, the e-mail address or the company.

    `at` is the path from the queried model to the lead, such as "lead__". It reads every row it is asked
    about: for sets that are narrow already, such as a queue.
    """
    condition = Q()
    for word in words_in(text):
        places = (*_NAMES, "company__name")
        condition &= reduce(or_, (Q(**{f"{at}{place}__icontains": word}) for place in places))
    return condition


def search_leads(leads: LeadQuerySet, text: str) -> LeadQuerySet:
    """The leads in which every word occurs, and in which at least one word begins a name, an address or a
    company: that one is found by index, however many leads there are."""
    words = words_in(text)
    if not words:
        return leads
    return leads.filter(reduce(or_, map(_begins, words))).filter(lead_contains(text))


def _begins(word: str) -> Q:
    companies = Company.objects.filter(Q(name__istartswith=word) | Q(domain__istartswith=word))
    # Looked up beforehand: a subselect within an OR would keep the database from using its indexes.
    ids = list(companies.values_list("pk", flat=True)[:MOST_COMPANIES])
    return reduce(or_, (Q(**{f"{name}__istartswith": word}) for name in _NAMES)) | Q(company__in=ids)


def words_in(text: str) -> list[str]:
    return text.split()[:MOST_WORDS]


def stand_in_for(text: str) -> str:
    """A search of as many words, which says nothing of them."""
    return " ".join(_STAND_INS[: len(words_in(text))])


def word_patterns(text: str) -> dict[str, str]:
    """What the placeholders of WORD_PLACEHOLDERS stand for in this search."""
    words = map(connection.ops.prep_for_like_query, words_in(text))
    return {f"word{number}": f"%{word}%" for number, word in enumerate(words)}
